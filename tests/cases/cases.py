"""What a case is, how it is registered, and how it is run through the program."""
import dataclasses
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile
from xml.etree import ElementTree

from device import Device

VERDICTS = {0: "clean", 4: "warnings", 13: "halt"}
STATUSES = {0: "Completed", 3: "CompletedWithErrors", 4: "CompletedWithWarnings", 5: "CompletedWithErrors",
            13: "Halted"}
TYPES = {0: "", 1: "BlockBlob", 2: "PageBlob", 3: "AppendBlob", 4: "AzureFile"}
TIERS = {0: "", 1: "Hot", 2: "Cool", 3: "Cold", 4: "Archive"}
TIMEOUT_S = 50
SKIPPED = 77
ROOM = 1 << 30  # of memory for files
LOGS = ("databoxcopylog", "azuredatabox-chainofcustodylogs")
# The least access list that is more than a mode: owner, one user, group, mask, others.
POSIX_ACL = bytes.fromhex("02000000" "01000600ffffffff" "0200040039300000" "04000400ffffffff" "10000400ffffffff"
                          "20000000ffffffff")

ALL = {}


@dataclasses.dataclass
class Copy:
    """What a copy is to come to. Counts that are not named are 0; stored None: not looked at."""
    exit: int = 0
    counts: dict = dataclasses.field(default_factory=dict)
    stored: dict = None  # blob -> (type, content), (type, content, tier); content None: any
    options: tuple = ()
    logged: dict = None  # category -> how many entries of the copy logs have it; None: not looked at


@dataclasses.dataclass
class Case:
    name: str
    make: object
    title: str
    exit: int
    finds: list  # "CODE class halt count"; halt '-': none
    sku: str
    options: tuple
    manifest: str  # built: by the program beforehand; own: the case has made it; build, ignore: the policy
    trees: tuple
    needs: tuple  # of the file system
    fixes: dict  # code -> kind of the step that is proposed
    mended: str  # the verdict with the proposal; None: none is made
    copy: Copy  # of the tree as it is, or with the proposal where there is one
    then: object


def case(number, title, exit=0, finds=(), sku="databox", options=(), manifest="built", trees=("device",),
         needs=(), fixes=None, mended=None, copy=None, then=None):
    """A row of the table: the decorated function makes the trees."""
    def register(make):
        words = "".join(c if c.isalnum() else "_" for c in title.lower())
        prefix = f"case_{number:02d}" if isinstance(number, int) else number
        name = f"{prefix}_{words}"
        assert name not in ALL, name
        ALL[name] = Case(name, make, title, exit, list(finds), sku, tuple(options), manifest, tuple(trees),
                         tuple(needs), fixes or {}, mended, copy, then)
        return make
    return register


def equal(what, got, want):
    if got != want:
        raise AssertionError(f"{what}:\n  got  {got!r}\n  want {want!r}")


class Skip(Exception):
    """The machine cannot do what this case needs."""


# ---- where the trees lie ----

def may(folder, need):
    """Can files of this folder be as a case needs them?"""
    path = os.path.join(folder, "probe")
    try:
        with open(path, "wb") as probe:
            if need == "huge":
                probe.truncate((1 << 63) - 1)
            elif need == "large":
                probe.truncate(15 << 40)
            elif need == "times":
                os.utime(path, (1 << 40, 1 << 40))
                return os.stat(path).st_mtime > 1 << 39
            elif need == "nodes":
                os.mknod(path + ".node", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
                os.unlink(path + ".node")
            elif need == "lists":
                os.setxattr(path, "system.posix_acl_access", POSIX_ACL)
            elif need == "attributes":
                os.setxattr(path, "user.probe", b"1")
    except OSError:
        return False
    finally:
        os.unlink(path)
    return True


def has_room(place):
    try:
        at = os.statvfs(place)
    except OSError:
        return False
    return at.f_bavail * at.f_frsize >= ROOM


def work_folder(needs):
    """Memory if there is enough of it, because a store syncs its file system again and again."""
    disk = os.environ.get("TMPDIR") or "/var/tmp"
    for place in ("/dev/shm", disk) if has_room("/dev/shm") else (disk, "/dev/shm"):
        if os.path.isdir(place) and os.access(place, os.W_OK):
            made = tempfile.mkdtemp(prefix="sallyport-case.", dir=place)
            if all(may(made, need) for need in needs):
                return made
            shutil.rmtree(made)
    raise Skip(f"no file system here has {', '.join(needs)}")


# ---- the program ----

class Run:
    """One case being run: its trees, its store, and what the program said last."""

    def __init__(self, one, work):
        self.case = one
        self.work = work
        self.devices = [Device(os.path.join(work, tree)) for tree in one.trees]
        self.device = self.devices[0]
        self.events = []
        self.messages = ""
        self.accounts = ("--account", f"acct=file:{work}/store//acct", "--account", f"other=file:{work}/store//other",
                         "--account", f"rg=file:{work}/store//rg")
        if one.sku == "disk":
            self.accounts = ("--account", f"acct=file:{work}/store//acct")

    def sallyport(self, *arguments, want=None):
        command = [os.environ["SALLYPORT_BINARY"], *arguments, "--json", "--state", os.path.join(self.work, "state")]
        ended = subprocess.run(command, cwd=self.work, capture_output=True, timeout=TIMEOUT_S, check=False)
        self.messages = ended.stderr.decode(errors="replace")
        lines = ended.stdout.decode().splitlines()
        self.events = [json.loads(line) for line in lines]
        said = "\n".join(lines[:20]) + "\n" + self.messages
        if want is not None and ended.returncode != want:
            raise AssertionError(f"{' '.join(command[1:])}: exit {ended.returncode}, want {want}\n{said}")
        equal(f"last events of {arguments[0]}", [event["type"] for event in self.events[-2:]], ["summary", "exit"])
        equal("exit that is told", self.events[-1]["data"]["code"], ended.returncode)
        return ended.returncode

    def data(self, kind):
        return [event["data"] for event in self.events if event["type"] == kind]

    @property
    def summary(self):
        return self.events[-2]["data"]

    def policy(self):
        return ("--manifest", self.case.manifest) if self.case.manifest in ("build", "ignore") else ()

    def finds(self):
        return sorted(f"{found['code']} {found['class']} {found['halt'] or '-'} {found['count']}"
                      for found in self.data("finding"))

    def validate(self, *options, want=None, trees=None):
        paths = [device.root for device in trees or self.devices]
        return self.sallyport("validate", *paths, "--sku", self.case.sku, *self.policy(), *self.case.options,
                              *options, want=want)

    def copy(self, want, device=None, options=()):
        """Copies one tree; every entry is accounted for."""
        self.sallyport("copy", (device or self.device).root, "--sku", self.case.sku, *self.accounts, *self.policy(),
                       *self.case.options, *options, want=want)
        items = self.summary["items"]
        equal("sum of all states", sum(items[key] for key in ("copied", "renamed", "skipped", "failed")),
              items["total"])
        equal("status", self.summary["status"], STATUSES[want])

    def counts(self):
        return {key: count for key, count in self.summary["items"].items()
                if count > 0 and key in ("copied", "renamed", "skipped", "failed")}

    def stored(self):
        """What the stores hold of the device: blob -> (type, content, tier)."""
        return {name: blob for name, blob in self.all_stored().items() if name.split("/")[1] not in LOGS}

    def logs(self):
        """The copy logs of all accounts, each as one tree."""
        return [ElementTree.fromstring(b"<log>" + blob[1] + b"</log>") for name, blob in self.all_stored().items()
                if name.split("/")[1] == LOGS[0] and "_CopyLog_" in name]

    def all_stored(self):
        """By the index of the local store."""
        store = os.path.join(self.work, "store")
        index = os.path.join(store, ".sallyport", "blobs.db")
        found = {}
        if not os.path.exists(index):
            return found
        with sqlite3.connect(index) as db:
            rows = db.execute("SELECT key, file, type, tier FROM blob").fetchall()
        for key, file, kind, tier in rows:
            path = os.path.join(os.fsencode(store), file or key)
            if os.path.exists(path):
                with open(path, "rb") as blob:
                    found[os.fsdecode(key)] = (TYPES[kind], blob.read(), TIERS[tier])
        return found

    def holds(self, wanted):
        got = self.stored()
        equal("names in the store", sorted(got), sorted(wanted))
        for name, want in wanted.items():
            kind, content, tier = (want + ("",))[:3]
            equal(f"type of {name}", got[name][0], kind)
            equal(f"tier of {name}", got[name][2], tier)
            content = content() if callable(content) else content
            if content is not None and got[name][1] != content:
                raise AssertionError(f"{name} has other bytes: {got[name][1][:80]!r}, want {content[:80]!r}")


def check_logs(run, logged):
    """What was only renamed has not failed; every entry is counted in some account's log."""
    logs, failed = run.logs(), run.summary["items"]["failed"]
    told = {}
    for entity in (entity for log in logs for entity in log.iter("ErroredEntity")):
        told[entity.findtext("Category")] = told.get(entity.findtext("Category"), 0) + 1
    equal("files that failed, in the logs", sum(int(log.findtext("CopyLog/FilesErrored")) for log in logs), failed)
    equal("files in the logs", sum(int(log.findtext("CopyLog/TotalFiles_Blobs")) for log in logs),
          run.summary["items"]["total"])
    equal("logs that say Failed", any(log.findtext("CopyLog/Status") == "Failed" for log in logs), failed > 0)
    if logged is not None:
        equal("categories in the logs", told, logged)


# ---- a case from its trees to its store ----

def prepare(run):
    run.case.make(*run.devices)
    if run.case.manifest == "built":
        for device in run.devices:
            tiers = [option for option in run.case.options if option == "--tiers"]
            run.sallyport("manifest", device.root, "--sku", run.case.sku, *tiers)


def judge(run):
    one = run.case
    before = [device.snapshot() for device in run.devices]
    run.validate(want=one.exit)
    equal("findings", run.finds(), sorted(one.finds))
    equal("verdict", run.summary["verdict"], VERDICTS[one.exit])
    for found in run.data("finding"):
        step = found["fix"]["step"] if found["fix"] else None
        if found["code"] in one.fixes:
            equal(f"step for {found['code']}", step, one.fixes[found["code"]])
    equal("verdict with the proposal", run.summary["proposal_verdict"] if one.exit == 13 else None, one.mended)
    run.validate("--redacted", want=one.exit)
    equal("findings without names", run.finds(), sorted(one.finds))
    equal("the device is as it was", [device.snapshot() for device in run.devices], before)


def carry(run):
    """Copies as the case says, with the proposal where something halts."""
    one, want = run.case, run.case.copy
    options = tuple(want.options)
    if one.exit == 13:
        plan = os.path.join(run.work, "plan.json")
        run.copy(13, options=options)
        equal("nothing is stored while it halts", run.stored(), {})
        run.validate("--write-plan", plan, want=13)
        run.validate("--plan", plan, want={"clean": 0, "warnings": 4}[one.mended])
        options += ("--plan", plan)
    run.copy(want.exit, options=options)
    equal("items", run.counts(), want.counts)
    check_logs(run, want.logged)
    if want.stored is not None:
        run.holds(want.stored)


def run_case(one):
    work = work_folder(one.needs)
    try:
        run = Run(one, work)
        prepare(run)
        judge(run)
        if one.copy is not None:
            carry(run)
        if one.then is not None:
            one.then(run)
    finally:
        subprocess.run(["rm", "-rf", work], check=False)
