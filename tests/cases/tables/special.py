"""Cases 49 to 52: what is more, or less, than a file."""
import os

from cases import POSIX_ACL, Copy, case, equal
from device import crc64

REPARSE = "REPARSE_POINT_ERROR"


@case(49, "link pipe and socket", 13, [f"{REPARSE} critical wrong-format 4"], fixes={REPARSE: "skip"}, mended="warnings",
      copy=Copy(4, {"copied": 1, "skipped": 4}, {"acct/data/a": ("BlockBlob", b"a\n")},
                logged={REPARSE: 4}))
def _(device):
    device.file("acct_BlockBlob/data/a", b"a\n")
    device.link("acct_BlockBlob/data/link", "a")
    device.link("acct_BlockBlob/data/folder", "/")
    device.fifo("acct_BlockBlob/data/pipe")
    device.socket("acct_AzFile/share/socket")


@case("case_49_node", "of a device", 13, [f"{REPARSE} critical wrong-format 1"], mended="warnings", needs=["nodes"])
def _(device):
    device.node("acct_BlockBlob/data/null")


def attributes_are_gone(run):
    store = os.path.join(run.work, "store", "acct", "data", "a")
    equal("attributes in the store", [name for name in os.listxattr(store) if name != "security.selinux"], [])


@case(50, "named streams are not transferred", needs=["attributes"],
      copy=Copy(0, {"copied": 1}, {"acct/data/a": ("BlockBlob", b"a\n")}), then=attributes_are_gone)
def _(device):
    device.file("acct_BlockBlob/data/a", b"a\n")
    os.setxattr(device.at("acct_BlockBlob/data/a"), "user.Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n")


@case(51, "access lists are not transferred and their files are", needs=["lists"],
      copy=Copy(0, {"copied": 1}, {"acct/data/a": ("BlockBlob", b"a\n")}), then=attributes_are_gone)
def _(device):
    device.file("acct_BlockBlob/data/a", b"a\n")
    os.setxattr(device.at("acct_BlockBlob/data/a"), "system.posix_acl_access", POSIX_ACL)


@case("case_51_listed", "file that the device could not take is missed", 13,
      ["MANIFEST_FILE_MISSING critical manifest-mismatch 1"], manifest="own", fixes={"MANIFEST_FILE_MISSING": "build-manifest"},
      mended="warnings", copy=Copy(4, {"copied": 1}, {"acct/data/a": ("BlockBlob", b"a\n")}))
def _(device):
    device.file("acct_BlockBlob/data/a", b"a\n")
    device.list("acct_BlockBlob", [("data/a", 2, str(crc64(b"a\n"))), ("data/conditional-ace", 5, "0x1")])


PACK = bytes(range(256)) * 16


@case(52, "pack of small files is stored as it is by a plan", 13, ["PACKED_FILES critical wrong-format 2"],
      fixes={"PACKED_FILES": "take-as-block-blob"}, mended="warnings",
      copy=Copy(4, {"copied": 3}, {"acct/data/ADB_PACK_0001": ("BlockBlob", PACK), "acct/data/a": ("BlockBlob", b"a\n"),
                                   "acct/pages/deep/ADB_PACK_2/x": ("BlockBlob", PACK[:700])}))
def _(device):
    device.file("acct_BlockBlob/data/ADB_PACK_0001", PACK)
    device.file("acct_BlockBlob/data/a", b"a\n")
    device.file("acct_PageBlob/pages/deep/ADB_PACK_2/x", PACK[:700])


@case("case_52_container", "of packs gets a legal name besides", 13, ["PACKED_FILES critical wrong-format 1"],
      mended="warnings", copy=Copy(4, {"renamed": 1}))
def _(device):
    device.file("acct_BlockBlob/ADB_PACK_C/x", PACK)


@case("case_52_lost", "pack is missed by its list", 13, ["MANIFEST_FILE_MISSING critical manifest-mismatch 2"],
      manifest="own", mended="warnings", copy=Copy(4, {"copied": 1}))
def _(device):
    """The list has the original names; nothing tells that they were in a pack."""
    device.file("acct_BlockBlob/data/a", b"a\n")
    device.list("acct_BlockBlob", [("data/a", 2, str(crc64(b"a\n"))), ("data/small1", 5, "0x1"), ("data/small2", 5, "0x2")])


@case("case_52_share", "of files may have such names",
      copy=Copy(0, {"copied": 1}, {"acct/share/ADB_PACK_1": ("AzureFile", PACK)}))
def _(device):
    device.file("acct_AzFile/share/ADB_PACK_1", PACK)
