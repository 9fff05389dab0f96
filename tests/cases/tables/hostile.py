"""Trees that are made to harm whoever looks at them: nothing crashes, hangs, grows without end or gets out."""
import json
import os
import subprocess
import threading

from cases import TIMEOUT_S, Copy, Skip, case, equal
from device import MIB, SECTOR, footer, renamed_item

MEMORY_MAX = 256 << 20
GENERAL = "ERROR_GENERAL critical device-unreadable"
DAMAGED = "MANIFEST_DAMAGED critical manifest-mismatch"
MISSING = "MANIFEST_FILE_MISSING critical manifest-mismatch"


def in_bounds(run):
    peak = run.summary["peak_rss_bytes"]
    assert peak < MEMORY_MAX, f"it took {peak} bytes of memory"


# ---- races ----

def race(run, change):
    """Looks and copies while another thread changes the tree; what lies outside is never stored."""
    ended = threading.Event()

    def loop():
        while not ended.is_set():
            change()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        for _ in range(8):
            code = run.validate()
            assert code in (0, 4, 13), f"validate ended with {code}: {run.messages}"
            code = run.sallyport("copy", run.device.root, "--sku", "databox", *run.accounts, "--manifest", "ignore",
                                 "--restart")
            assert code in (0, 3, 4, 9, 13), f"copy ended with {code}: {run.messages}"
    finally:
        ended.set()
        thread.join()
    for name, (_, content, _) in run.stored().items():
        assert b"secret" not in content, f"'{name}' is from outside of the device"


def swap(run, one, other):
    """Each has the other's name afterwards."""
    spare = run.device.at("acct_BlockBlob/data/spare")
    for source, target in ((one, spare), (other, one), (spare, other)):
        try:
            os.rename(source, target)
        except FileNotFoundError:
            pass


def outside(device):
    device.file("../outside/x", b"secret")
    device.file("acct_BlockBlob/data/x", b"mine\n")
    for index in range(50):
        device.file(f"acct_BlockBlob/data/folder/{index}", b"mine\n")


@case("hostile_link", "that takes the place of a file", manifest="ignore",
      then=lambda run: race(run, lambda: swap(run, run.device.at("acct_BlockBlob/data/x"),
                                              run.device.at("../outside/link"))))
def _(device):
    outside(device)
    device.link("../outside/link", os.path.join(os.path.dirname(device.root), "outside", "x"))


@case("hostile_link", "that takes the place of a folder", manifest="ignore",
      then=lambda run: race(run, lambda: swap(run, run.device.at("acct_BlockBlob/data/folder"),
                                              run.device.at("../outside/link"))))
def _(device):
    outside(device)
    device.link("../outside/link", os.path.join(os.path.dirname(device.root), "outside"))


def in_mount_namespace(run, script, want):
    """The script's $1 is the program, its last command the one whose exit counts."""
    command = ["unshare", "-rm", "bash", "-c", script, "-", os.environ["SALLYPORT_BINARY"]]
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("no mount namespace can be made here")
    ended = subprocess.run(command, cwd=run.work, capture_output=True, timeout=TIMEOUT_S, check=False)
    run.events = [json.loads(line) for line in ended.stdout.decode().splitlines()]
    assert ended.returncode in want, f"exit {ended.returncode}: {ended.stderr.decode()}"


def loops(run):
    in_mount_namespace(run, "mount --bind device/acct_BlockBlob/data device/acct_BlockBlob/data/a/again && "
                            "mount --bind device device/acct_BlockBlob/data/a/whole && "
                            "exec \"$1\" validate device --manifest ignore --json", [13])
    equal("findings", run.finds(), [f"{GENERAL} 2"])
    equal("items", run.summary["items"], 1)


@case("hostile_loop", "of bind mounts", manifest="ignore", then=loops)
def _(device):
    device.file("acct_BlockBlob/data/a/x")
    device.folder("acct_BlockBlob/data/a/again", "acct_BlockBlob/data/a/whole")


@case("hostile_mounts", "that come and go", manifest="ignore", then=lambda run: in_mount_namespace(
    run, "(while true; do mount --bind other device/acct_BlockBlob/data/a 2>/dev/null; "
         "umount -l device/acct_BlockBlob/data/a 2>/dev/null; done) & pid=$!; worst=0; "
         "for i in 1 2 3 4 5 6 7 8 9; do \"$1\" validate device --manifest ignore --json >out 2>&1; code=$?; "
         "case $code in 0|4|13) ;; *) worst=1; cat out >&2;; esac; done; kill $pid; exit $worst", [0]))
def _(device):
    for index in range(200):
        device.file(f"acct_BlockBlob/data/a/{index}")
        device.file(f"../other/{index}")


# ---- names and places ----

DEEP = "/".join(["d" * 99] * 60)  # 5,999 bytes: longer than a path may be that the kernel takes at once


@case("hostile_path", "of 6000 bytes", 4, ["ERROR_BLOB_OR_FILE_NAME_AGGREGATE_LENGTH warning - 1"],
      copy=Copy(4, {"renamed": 1}, {f"acct/data/{renamed_item('BlockBlob', DEEP)}": ("BlockBlob", b"data\n")}))
def _(device):
    device.deep(f"acct_BlockBlob/data/{DEEP}")


@case("hostile_path", "of 4096 bytes and of 4095", 4, ["ERROR_BLOB_OR_FILE_NAME_AGGREGATE_LENGTH warning - 2"],
      copy=Copy(4, {"renamed": 2}))
def _(device):
    for size in (4095, 4096):
        below = size - len(device.at("acct_BlockBlob/data/"))
        device.deep("acct_BlockBlob/data/" + "/".join(["e" * 99] * (below // 100 - 1) + ["f" * (below % 100 + 99)]))


@case("hostile_depth", "of 3000 folders", 4, ["ERROR_BLOB_OR_FILE_NAME_AGGREGATE_LENGTH warning - 1"], manifest="ignore", then=in_bounds)
def _(device):
    device.deep("acct_BlockBlob/data/" + "/".join(["d"] * 3000) + "/x")


@case("hostile_links", "and pipes in the place of folders that are known", 13,
      ["REPARSE_POINT_ERROR critical wrong-format 4"], manifest="own", then=in_bounds, mended="warnings", fixes={
          "REPARSE_POINT_ERROR": "skip"})
def _(device):
    device.link("BOM", "/etc")
    device.link("acct_BlockBlob", "/etc")
    device.link("lost+found", "/")
    device.fifo("other_AzFile")


@case("hostile_lists", "that are pipes or links", 13, [f"{DAMAGED} 2"], manifest="own", mended="warnings")
def _(device):
    device.file("acct_BlockBlob/data/x")
    device.file("other_BlockBlob/data/x")
    device.fifo("BOM/acct_BlockBlob.txt")
    device.link("BOM/other_BlockBlob.txt", "/dev/zero")
    device.fifo("BOM/error.xml")


# ---- lists of files ----

def with_list(title, exit, finds, content, size=None, mended="warnings"):
    @case("hostile_list", title, exit, finds, manifest="own", mended=mended if exit == 13 else None, then=in_bounds)
    def _(device):
        device.file("acct_BlockBlob/data/x")
        device.file("BOM/acct_BlockBlob.txt", content)
        if size is not None:
            os.truncate(device.at("BOM/acct_BlockBlob.txt"), size)


X = b'<file size="5" crc64="0x1">\\data\\x</file>\n'
with_list("that leads out of the device", 13, [f"{MISSING} 4"], X +
          b'<file size="1" crc64="0x1">\\..\\..\\etc\\passwd</file>\n<file size="1" crc64="0x1">\\data\\..\\..\\x</file>\n'
          b'<file size="1" crc64="0x1">\\data\\.\\x</file>\n<file size="1" crc64="0x1">\\data\\\\x</file>\n')
with_list("of 1 gib of nothing", 13, [f"{DAMAGED} 1", "MANIFEST_FILE_ADDED critical manifest-mismatch 1"], b"", 1 << 30)
with_list("of one line of 64 mib", 13, [f"{DAMAGED} 1", "MANIFEST_FILE_ADDED critical manifest-mismatch 1"],
          lambda: b'<file size="1" crc64="0x1">\\' + b"a" * (64 << 20) + b"</file>\n")
with_list("with a bomb of entities", 13, [f"{DAMAGED} 2"],
          b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + X +
          b'<file size="1" crc64="0x1">\\data\\&b;</file>\n')
with_list("with sizes that no file has", 13, [f"{DAMAGED} 4", f"{MISSING} 1"], X +
          b'<file size="9223372036854775807" crc64="0x1">\\data\\a</file>\n'
          b'<file size="9223372036854775808" crc64="0x1">\\data\\b</file>\n'
          b'<file size="18446744073709551616" crc64="0x1">\\data\\c</file>\n'
          b'<file size="-1" crc64="0x1">\\data\\d</file>\n<file size="1e3" crc64="0x1">\\data\\e</file>\n')


@case("hostile_scan", "log with a bomb of entities", 13, ["ScanCompletedWithIssues critical prepare-to-ship-not-run 1"],
      manifest="own", mended="warnings", then=in_bounds)
def _(device):
    device.file("acct_BlockBlob/data/x")
    device.list("acct_BlockBlob")
    device.text("BOM/error.xml", '<!DOCTYPE x [<!ENTITY a "' + "a" * 1000 + '"><!ENTITY b "' + "&a;" * 1000 + '">'
                '<!ENTITY c "' + "&b;" * 1000 + '">]><file error="ERROR_GENERAL">&c;</file>')


# ---- sizes and contents ----

MAX = (1 << 63) - 1


@case("hostile_sizes", "near 2 to the 63", 13, [
    "ERROR_BLOB_OR_FILE_SIZE_LIMIT critical wrong-format 7", "ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT critical wrong-format 2",
    "ERROR_CONTAINER_OR_SHARE_CAPACITY_EXCEEDED critical quota 1", "ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED critical wrong-format 1"],
    manifest="ignore", needs=["huge"], mended="halt",
    then=lambda run: equal("bytes", run.summary["bytes"], (1 << 64) - 1))
def _(device):
    for index in range(4):
        device.sparse(f"acct_AzFile/share/{index}", MAX)  # four of them are more than any counter holds
    device.sparse("acct_BlockBlob/data/x", MAX)
    device.sparse("acct_PageBlob/data/y", MAX)
    device.sparse("rg_MDisk/PremiumSSD/x.vhd", MAX)


@case("hostile_footers", "that lie", 13, ["ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED critical wrong-format 6"], manifest="ignore",
      mended="warnings")
def _(device):
    disk = 20 * MIB
    for index, (told, kind) in enumerate((((1 << 64) - 1, 2), (1 << 63, 2), (0, 2), (disk, 0), (disk, 0xFFFFFFFF),
                                          (disk - SECTOR, 2))):
        device.sparse(f"rg_MDisk/PremiumSSD/{index}.vhd", disk + SECTOR, footer(told, kind))


@case("hostile_findings", "are too many for a plan", 13, ["SHARE_ROOT_FILE critical wrong-folder 10001"], manifest="ignore",
      then=in_bounds)
def _(device):
    for index in range(10001):
        device.file(f"acct_BlockBlob/{index}", b"")


def bad_plans(run):
    for step in ({"step": "map-folder", "from": "Backup", "to": "acct_BlockBlob/../../etc"},
                 {"step": "map-folder", "from": "../x", "to": "acct_BlockBlob/x"},
                 {"step": "map-folder", "from": "Backup", "to": "/etc"}):
        with open(f"{run.work}/plan.json", "w", encoding="ascii") as plan:
            json.dump({"schema": "sallyport.plan/1", "steps": [step]}, plan)
        run.validate("--plan", f"{run.work}/plan.json", want=1)


@case("hostile_plan", "that leads out of the device", manifest="ignore", then=bad_plans)
def _(device):
    device.file("acct_BlockBlob/data/x")
