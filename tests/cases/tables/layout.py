"""Cases 1 to 15: what lies where."""
import hashlib
import json
import os

import archived
from cases import LOGS, Copy, case, equal
from device import Device, small_disk

VHD = small_disk


@case(1, "file at the root of a block blob share", 13, ["SHARE_ROOT_FILE critical wrong-folder 1"],
      fixes={"SHARE_ROOT_FILE": "map-folder"}, mended="warnings",
      copy=Copy(4, {"copied": 2}, {"acct/$root/a.txt": ("BlockBlob", b"a\n"),
                                   "acct/data/b.txt": ("BlockBlob", b"b\n")}))
def _(device):
    device.file("acct_BlockBlob/a.txt", b"a\n")
    device.file("acct_BlockBlob/data/b.txt", b"b\n")


@case(2, "disk block blob root file goes to the root container", sku="disk",
      copy=Copy(0, {"copied": 1}, {"acct/$root/a.txt": ("BlockBlob", b"a\n")}))
def _(device):
    device.file("BlockBlob/a.txt", b"a\n")


@case(3, "disk page blob root file goes by its content", 4,
      ["InvalidPageBlobUploadAsBlockBlob warning - 1"], sku="disk",
      copy=Copy(4, {"copied": 3}, {"acct/$root/a.vhd": ("PageBlob", VHD), "acct/$root/b.bin": ("PageBlob", bytes(1024)),
                                   "acct/$root/odd": ("BlockBlob", b"odd")},
                logged={"InvalidPageBlobUploadAsBlockBlob": 1}))
def _(device):
    device.file("PageBlob/a.vhd", VHD)
    device.file("PageBlob/b.bin", bytes(1024))
    device.file("PageBlob/odd", b"odd")


DEFAULT_SHARE = "databox-azurefile-" + hashlib.sha256(b"/AzureFile").hexdigest()[:40]


@case(4, "disk file outside every file share goes to the default share", 4, ["NotPartOfFileShare warning - 1"],
      sku="disk", copy=Copy(4, {"copied": 2}, {f"acct/{DEFAULT_SHARE}/a.txt": ("AzureFile", b"a\n"),
                                               "acct/share/b.txt": ("AzureFile", b"b\n")},
                         logged={"MovedToDefaultAzureShare": 1}))
def _(device):
    device.file("AzureFile/a.txt", b"a\n")
    device.file("AzureFile/share/b.txt", b"b\n")


@case(5, "disk further top folder", 13, ["ROOT_FOLDER_UNKNOWN critical wrong-folder 1"], sku="disk",
      fixes={"ROOT_FOLDER_UNKNOWN": "map-folder"}, mended="warnings",
      copy=Copy(4, {"copied": 2}, {"acct/backup/2023/a.txt": ("BlockBlob", b"a\n"),
                                   "acct/data/b": ("BlockBlob", b"b\n")}))
def _(device):
    device.file("Backup/2023/a.txt", b"a\n")
    device.file("BlockBlob/data/b", b"b\n")
    device.folder("DataBoxDiskImport", "PageBlob", "AzureFile")


@case(6, "folder inside a tier folder of managed disks", 13,
      ["ERROR_DIRECTORY_DISALLOWED_FOR_TYPE critical wrong-folder 1"],
      fixes={"ERROR_DIRECTORY_DISALLOWED_FOR_TYPE": "take-as-page-blob"}, mended="warnings",
      copy=Copy(4, {"copied": 2}, {"rg/premiumssd/sub/x.vhd": ("PageBlob", VHD),
                                   "rg/premiumssd/y.vhd": ("PageBlob", VHD)}))
def _(device):
    device.file("rg_MDisk/PremiumSSD/sub/x.vhd", VHD)
    device.file("rg_MDisk/PremiumSSD/y.vhd", VHD)


@case(7, "folder beside the tier folders of managed disks", 13,
      ["ERROR_CONTAINER_OR_SHARE_NAME_DISALLOWED_FOR_TYPE warning wrong-folder 1",
       "CONTAINER_NAME_UPPER_CASE warning - 1"],
      fixes={"ERROR_CONTAINER_OR_SHARE_NAME_DISALLOWED_FOR_TYPE": "take-as-page-blob"}, mended="warnings",
      copy=Copy(4, {"renamed": 1}, {"rg/myvhds/x.vhd": ("PageBlob", VHD)}))
def _(device):
    device.file("rg_MDisk/MyVHDs/x.vhd", VHD)


@case("case_07_disk", "folder beside the tier folders", 13,
      ["DiskConversionNotStartedTierInfoMissing warning wrong-folder 2"], sku="disk",
      fixes={"DiskConversionNotStartedTierInfoMissing": "take-as-page-blob"}, mended="warnings",
      copy=Copy(4, {"copied": 2}, {"acct/mine/x.vhd": ("PageBlob", VHD), "acct/$root/y.vhd": ("PageBlob", VHD)}))
def _(device):
    device.file("ManagedDisk/mine/x.vhd", VHD)
    device.file("ManagedDisk/y.vhd", VHD)


@case(8, "tier folders and containers beside them", options=["--tiers"],
      copy=Copy(0, {"copied": 5}, {
          "acct/cc1/x": ("BlockBlob", b"hot\n", "Hot"), "acct/cc2/x": ("BlockBlob", b"cool\n", "Cool"),
          "acct/cc3/x": ("BlockBlob", b"cold\n", "Cold"), "acct/cc4/x": ("BlockBlob", b"archive\n", "Archive"),
          "acct/cc5/x": ("BlockBlob", b"default\n")}))
def _(device):
    device.file("acct_BlockBlob/Hot/cc1/x", b"hot\n")
    device.file("acct_BlockBlob/Cool/cc2/x", b"cool\n")
    device.file("acct_BlockBlob/Cold/cc3/x", b"cold\n")
    device.file("acct_BlockBlob/Archive/cc4/x", b"archive\n")
    device.file("acct_BlockBlob/cc5/x", b"default\n")


@case("case_08_lower", "case a tier in lower case is ambiguous", 13, ["TIER_CASE_VARIANT critical wrong-folder 1"],
      options=["--tiers"], fixes={"TIER_CASE_VARIANT": "treat-as-tier"}, mended="warnings",
      copy=Copy(4, {"copied": 2}, {"acct/cc1/x": ("BlockBlob", b"1\n", "Hot"), "acct/cc2/x": ("BlockBlob", b"2\n")}))
def _(device):
    device.file("acct_BlockBlob/hot/cc1/x", b"1\n")
    device.file("acct_BlockBlob/cc2/x", b"2\n")


@case("case_08_without", "tiers a tier name is a container", 4, ["CONTAINER_NAME_UPPER_CASE warning - 1"],
      copy=Copy(4, {"renamed": 1, "copied": 1}, {"acct/hot/cc1/x": ("BlockBlob", b"1\n"),
                                                 "acct/cool/cc2/x": ("BlockBlob", b"2\n")}))
def _(device):
    device.file("acct_BlockBlob/Hot/cc1/x", b"1\n")
    device.file("acct_BlockBlob/cool/cc2/x", b"2\n")


@case(9, "an archived blob is not written over", options=["--tiers"], then=lambda run: over_archived(run))
def _(device):
    device.file("acct_BlockBlob/Archive/data/x", b"new\n")
    device.file("acct_BlockBlob/Archive/data/y", b"y\n")


def over_archived(run):
    with archived.serve("x") as store:
        run.accounts = ("--account", f"acct=http://127.0.0.1:{store.server_port}/acct")
        run.copy(3, options=["--verify", "none"])
        equal("items", run.counts(), {"copied": 1, "failed": 1})
        equal("code", [item["code"] for item in run.data("item")], ["blob-archived"])
        equal("what was taken", [path for path in store.written if path.endswith("/y")], ["/acct/data/y"])


def empty_folders(run, wanted):
    folders = [os.path.relpath(path, f"{run.work}/store/acct")
               for path, _, files in os.walk(f"{run.work}/store/acct") if not files]
    equal("folders without files", sorted(path for path in folders if path.split("/")[0] not in (".", *LOGS)), wanted)


@case(10, "empty folders of a blob share are nothing",
      copy=Copy(0, {"copied": 1}, {"acct/data/a": ("BlockBlob", b"a\n")}), then=lambda run: empty_folders(run, []))
def _(device):
    device.file("acct_BlockBlob/data/a", b"a\n")
    device.folder("acct_BlockBlob/Not A Container/x/y", "acct_BlockBlob/data/empty/er")


@case("case_10_file_share", "keeps its empty folders",
      copy=Copy(0, {"copied": 1}, {"acct/share/full/a": ("AzureFile", b"a\n")}),
      then=lambda run: empty_folders(run, ["share", "share/empty", "share/empty/er"]))
def _(device):
    device.file("acct_AzFile/share/full/a", b"a\n")
    device.folder("acct_AzFile/share/empty/er")


@case(11, "folder of an existing container is merged into it", then=lambda run: merge(run))
def _(device):
    device.file("acct_BlockBlob/data/same", b"new\n")
    device.file("acct_BlockBlob/data/more", b"more\n")


def merge(run):
    os.makedirs(f"{run.work}/before")
    for name, content in (("same", "older\n"), ("kept", "kept\n")):
        with open(f"{run.work}/before/{name}", "w", encoding="ascii") as out:
            out.write(content)
    run.sallyport("copy", f"{run.work}/before", f"file:{run.work}/store//acct/data", want=0)
    run.copy(0)
    run.holds({"acct/data/same": ("BlockBlob", b"new\n"), "acct/data/more": ("BlockBlob", b"more\n"),
               "acct/data/kept": ("BlockBlob", b"kept\n")})


@case(12, "file share that is there already is merged with it", then=lambda run: merge_share(run))
def _(device):
    device.file("acct_AzFile/data/same", b"new\n")
    device.file("acct_AzFile/data/more", b"more\n")


def merge_share(run):
    before = Device(f"{run.work}/before")
    before.file("acct_AzFile/data/same", b"older\n")
    before.file("acct_AzFile/data/kept", b"kept\n")
    run.sallyport("manifest", before.root)
    run.copy(0, device=before)
    run.copy(0)
    run.holds({"acct/data/same": ("AzureFile", b"new\n"), "acct/data/more": ("AzureFile", b"more\n"),
               "acct/data/kept": ("AzureFile", b"kept\n")})


@case("case_12_container", "and share of one name are not mixed in a local store", then=lambda run: not_mixed(run))
def _(device):
    device.file("acct_BlockBlob/data/x", b"blob\n")
    device.file("acct_AzFile/data/x", b"file\n")


def not_mixed(run):
    run.sallyport("copy", run.device.root, "--sku", "databox", *run.accounts, want=8)
    equal("stored", run.stored(), {})
    assert "'data'" in run.messages, run.messages


@case(13, "512 containers are as many as may be", copy=None, manifest="ignore")
def _(device):
    for index in range(400):
        device.file(f"acct_BlockBlob/c-{index:03d}/x", b"")
    for index in range(112):
        device.file(f"acct_AzFile/s-{index:03d}/x", b"")
    device.folder("acct_BlockBlob/empty")  # nothing is made of it


@case("case_13_above", "the limit of 512 containers", 13, ["CONTAINER_COUNT_EXCEEDED critical quota 1"],
      manifest="ignore", sku="heavy")
def _(device):
    for index in range(400):
        device.file(f"acct_BlockBlob/c-{index:03d}/x", b"")
    for index in range(113):
        device.file(f"acct_AzFile/s-{index:03d}/x", b"")


@case(14, "same path on two disks", 13, ["PATH_ON_SEVERAL_DISKS critical wrong-folder 1"], sku="disk",
      trees=("disk1", "disk2"), then=lambda run: same_path(run))
def _(first, second):
    first.file("BlockBlob/data/same", b"first\n")
    first.file("BlockBlob/data/one", b"one\n")
    second.file("BlockBlob/data/same", b"second\n")
    second.file("BlockBlob/data/two", b"two\n")


def same_path(run):
    """A person says which is right: here the first disk's."""
    with open(f"{run.work}/second.json", "w", encoding="ascii") as plan:
        json.dump({"schema": "sallyport.plan/1", "steps": [{"step": "skip", "path": "BlockBlob/data/same"}]}, plan)
    run.copy(0, device=run.devices[0])
    run.copy(0, device=run.devices[1], options=["--plan", f"{run.work}/second.json"])
    equal("items of the second disk", run.counts(), {"copied": 1, "skipped": 1})
    run.holds({"acct/data/same": ("BlockBlob", b"first\n"), "acct/data/one": ("BlockBlob", b"one\n"),
               "acct/data/two": ("BlockBlob", b"two\n")})


@case(15, "one disk name in two tiers", 4, ["MANAGED_DISK_NAME_TWICE warning - 1"],
      copy=Copy(4, {"copied": 2}, {"rg/premiumssd/x.vhd": ("PageBlob", VHD), "rg/standardhdd/x.vhd": ("PageBlob", VHD)}))
def _(device):
    device.file("rg_MDisk/PremiumSSD/x.vhd", VHD)
    device.file("rg_MDisk/StandardHDD/x.vhd", VHD)


@case("case_15_disks", "one disk name on two disks of an order", 4, ["MANAGED_DISK_NAME_TWICE warning - 1"],
      sku="disk", trees=("disk1", "disk2"))
def _(first, second):
    first.file("ManagedDisk/PremiumSSD/x.vhd", VHD)
    second.file("ManagedDisk/StandardSSD/X.VHD", VHD)


@case("case_02_root", "files of one name do not take each other's place", 13,
      ["BLOB_NAME_COLLISION critical wrong-folder 1"], sku="disk", fixes={"BLOB_NAME_COLLISION": "map-folder"},
      mended="clean", copy=Copy(0, {"copied": 2}), then=lambda run: equal("stored", len(run.stored()), 2))
def _(device):
    device.file("BlockBlob/same", b"block\n")
    device.file("PageBlob/same", bytes(512))


@case("case_01_root", "files of one name in two shares", 13, ["SHARE_ROOT_FILE critical wrong-folder 2"], mended="warnings",
      copy=Copy(4, {"copied": 2}), then=lambda run: equal("stored", len(run.stored()), 2))
def _(device):
    device.file("acct_BlockBlob/same", b"block\n")
    device.file("acct_PageBlob/same", bytes(512))


def over_a_file(run):
    """A person's plan may not take one file for another that is there."""
    with open(f"{run.work}/plan.json", "w", encoding="ascii") as plan:
        json.dump({"schema": "sallyport.plan/1", "steps": [
            {"step": "map-folder", "from": "stray", "to": "acct_BlockBlob/data/same"}]}, plan)
    run.validate("--plan", f"{run.work}/plan.json", want=13)
    equal("findings", run.finds(), ["BLOB_NAME_COLLISION critical wrong-folder 1", "ROOT_FILE critical - 1"])


@case("case_11_plan", "that takes a file for another is refused", 13, ["ROOT_FILE critical wrong-folder 1"],
      manifest="ignore", mended="warnings", then=over_a_file)
def _(device):
    device.file("stray", b"stray\n")
    device.file("acct_BlockBlob/data/same", b"same\n")
