"""Cases 53 to 59: was the device prepared, and is what it holds what it held then?"""
import os

from cases import Copy, case, check_logs, equal
from device import crc64

ERROR_XML = '<file error="{}">\\data\\a</file>\n'


def listed(device, entries=None):
    """Two files and their list, which is made last."""
    device.file("acct_BlockBlob/data/a", b"a\n")
    device.file("acct_BlockBlob/data/b", b"b\n")
    device.list("acct_BlockBlob", entries)


BOTH = {"acct/data/a": ("BlockBlob", b"a\n"), "acct/data/b": ("BlockBlob", b"b\n")}


@case(53, "no list of files", 13, ["MANIFEST_MISSING critical prepare-to-ship-not-run 1"], manifest="own",
      fixes={"MANIFEST_MISSING": "build-manifest"}, mended="warnings", copy=Copy(4, {"copied": 2}, BOTH))
def _(device):
    device.file("acct_BlockBlob/data/a", b"a\n")
    device.file("acct_BlockBlob/data/b", b"b\n")


@case("case_53_build", "where the order says so", 4, ["MANIFEST_MISSING critical - 1"], manifest="build",
      copy=Copy(4, {"copied": 1}))
def _(device):
    device.file("acct_BlockBlob/data/a", b"a\n")


@case("case_53_ignore", "lists where the order says so", manifest="ignore", copy=Copy(0, {"copied": 1}))
def _(device):
    device.file("acct_BlockBlob/data/a", b"a\n")


@case("case_53_empty", "share needs no list", manifest="own", copy=Copy(0, {"copied": 2}, BOTH))
def _(device):
    listed(device)
    device.folder("acct_PageBlob/pages")


@case(54, "file added after the list was made", 13, ["MANIFEST_FILE_ADDED critical manifest-mismatch 1"], manifest="own",
      fixes={"MANIFEST_FILE_ADDED": "build-manifest"}, mended="warnings", copy=Copy(4, {"copied": 3}))
def _(device):
    listed(device)
    device.file("acct_BlockBlob/data/later", b"later\n")


@case("case_54_changed", "after the list was made", 13, ["MANIFEST_STALE critical manifest-mismatch 1",
                                                        "MANIFEST_SIZE_MISMATCH critical manifest-mismatch 1"],
      manifest="own", mended="warnings", copy=Copy(4, {"copied": 2}))
def _(device):
    listed(device)
    device.file("acct_BlockBlob/data/b", b"longer\n")
    at = os.stat(device.at("acct_BlockBlob/data/a")).st_mtime
    os.utime(device.at("BOM/acct_BlockBlob.txt"), (at - 3600, at - 3600))


@case(55, "file of the list is not there", 13, ["MANIFEST_FILE_MISSING critical manifest-mismatch 1"], manifest="own",
      fixes={"MANIFEST_FILE_MISSING": "build-manifest"}, mended="warnings", copy=Copy(4, {"copied": 1}))
def _(device):
    listed(device)
    os.unlink(device.at("acct_BlockBlob/data/b"))


def one_range_differs(run):
    """The third of four ranges of 4 MiB."""
    run.copy(5, options=["--block-size", "4MiB"])
    equal("items", run.counts(), {"copied": 1, "failed": 1})
    equal("code", [item["code"] for item in run.data("item")], ["manifest-crc-mismatch"])
    run.holds({"acct/data/a": ("BlockBlob", b"a\n")})
    check_logs(run, {"UploadErrorDataValidationError": 1})


@case(56, "checksum that differs in one range", manifest="own", then=one_range_differs)
def _(device):
    content = bytearray(b"\x00" * (16 << 20))
    device.file("acct_BlockBlob/data/a", b"a\n")
    device.file("acct_BlockBlob/data/large", content)
    device.list("acct_BlockBlob", [("data/a", 2, f"{crc64(b'a' + bytes([10]))}"),
                                   ("data/large", len(content), f"0x{ZEROS:016x}")])
    with open(device.at("acct_BlockBlob/data/large"), "r+b") as file:
        at = os.fstat(file.fileno())
        file.seek(9 << 20)
        file.write(b"\x01")
    os.utime(device.at("acct_BlockBlob/data/large"), ns=(at.st_atime_ns, at.st_mtime_ns))


def zeros_crc(count):
    """Of many zero bytes, by doubling: what appending n zeros does to a register is a linear map."""
    step = [apply(1 << bit, 1) for bit in range(64)]
    crc, left = 0xFFFFFFFFFFFFFFFF, count
    while left:
        if left & 1:
            crc = mapped(step, crc)
        step = [mapped(step, column) for column in step]
        left >>= 1
    return crc ^ 0xFFFFFFFFFFFFFFFF


def apply(register, zeros):
    for _ in range(8 * zeros):
        register = register >> 1 ^ (0x9A6C9329AC4BC9B5 if register & 1 else 0)
    return register


def mapped(step, register):
    out = 0
    for bit in range(64):
        if register >> bit & 1:
            out ^= step[bit]
    return out


ZEROS = zeros_crc(16 << 20)
assert zeros_crc(512) == 0x1DE60E2868A782E9


@case("case_56_same", "checksum in hexadecimal and in decimal", manifest="own", copy=Copy(0, {"copied": 2}, BOTH),
      then=lambda run: equal("compared with the list", run.summary["integrity"]["manifest"], 2))
def _(device):
    listed(device, [("data/a", 2, f"0x{crc64(b'a' + bytes([10])):016x}"), ("data/b", 2, f"{crc64(b'b' + bytes([10]))}")])


@case(57, "empty and zero checksums of files that hold something", 4, ["MANIFEST_CRC_MISSING warning - 2"], manifest="own",
      copy=Copy(4, {"copied": 2}, BOTH),
      then=lambda run: equal("compared with the list", run.summary["integrity"]["manifest"], 0))
def _(device):
    listed(device, [("data/a", 2, ""), ("data/b", 2, "0x0000000000000000")])


@case("case_57_nothing", "has the checksum zero", manifest="own", copy=Copy(0, {"copied": 1}))
def _(device):
    device.file("acct_BlockBlob/data/nothing", b"")
    device.list("acct_BlockBlob")


@case(58, "scan that ended with issues", 13, ["ScanCompletedWithIssues critical prepare-to-ship-not-run 2"], manifest="own",
      fixes={"ScanCompletedWithIssues": "build-manifest"}, mended="warnings", copy=Copy(4, {"copied": 2}, BOTH))
def _(device):
    listed(device)
    device.text("BOM/error.xml", ERROR_XML.format("ERROR_CONTAINER_OR_SHARE_NAME_LENGTH") +
                ERROR_XML.format("ERROR_GENERAL") + ERROR_XML.format("ERROR_BLOB_OR_FILE_NAME_ENDING"))


@case("case_58_warnings", "of a scan are a success", manifest="own", copy=Copy(0, {"copied": 2}, BOTH))
def _(device):
    listed(device)
    device.text("BOM/error.xml", ERROR_XML.format("ERROR_BLOB_OR_FILE_NAME_ENDING"))


@case("case_58_disk", "validation that ended with errors", 13,
      ["ScanCompletedWithIssues critical prepare-to-ship-not-run 1"], sku="disk", mended="warnings",
      copy=Copy(4, {"copied": 1}))
def _(device):
    device.file("BlockBlob/data/a", b"a\n")
    device.text("DataBoxDiskImport/logs/error.xml", '<?xml version="1.0" encoding="utf-8"?><ErrorLog Version="2018-10-01">'
                '<SessionId>1</SessionId><ItemType>PageBlob</ItemType><SourceDirectory>E:\\PageBlob</SourceDirectory><Errors>'
                '<Error Code="Not512Aligned"><Description>d</Description><List><File Path="\\PageBlob\\c\\a" /></List>'
                '<Count>1</Count></Error></Errors><Warnings /></ErrorLog>')


@case("case_58_build", "goes by what is there", 4, ["ScanCompletedWithIssues critical - 1"], manifest="build",
      sku="disk", then=None)
def _(device):
    device.file("BlockBlob/data/a", b"a\n")
    device.list("BlockBlob")
    device.text("DataBoxDiskImport/logs/error.xml", ERROR_XML.format("Not512Aligned"))


@case(59, "formatted device", 13, ["DeviceFormatted critical device-unreadable 1"], manifest="own",
      copy=None, then=lambda run: run.copy(13))
def _(device):
    device.folder("System Volume Information", "$RECYCLE.BIN", "lost+found")
    device.file("lost+found/#1234")


@case("case_59_disk", "was formatted", 13, ["DeviceFormatted critical device-unreadable 1"], manifest="own", sku="disk")
def _(device):
    device.folder("System Volume Information")


@case("case_59_empty", "shares are no formatted device", manifest="own", then=lambda run: run.sallyport(
    "copy", run.device.root, "--sku", "databox", *run.accounts, want=9))
def _(device):
    device.folder("acct_BlockBlob", "acct_PageBlob")


@case("case_59_metadata", "of a disk was removed", 4, ["MetadataFilesModifiedOrRemoved warning - 1"], sku="disk",
      copy=Copy(4, {"copied": 1}))
def _(device):
    device.file("BlockBlob/data/a", b"a\n")
    device.text("DriveManifest.xml", "<?xml version='1.0'?><DriveManifest/>")


@case("case_59_kept", "metadata of a disk", sku="disk", copy=Copy(0, {"copied": 1}))
def _(device):
    device.file("BlockBlob/data/a", b"a\n")
    device.text("DriveManifest.xml", "<?xml version='1.0'?><DriveManifest/>")
    device.folder("DataBoxDiskImport/logs")


@case("case_59_lists", "were modified", 13, ["MANIFEST_DAMAGED critical manifest-mismatch 1"], manifest="own",
      fixes={"MANIFEST_DAMAGED": "build-manifest"}, mended="warnings", copy=Copy(4, {"copied": 2}, BOTH))
def _(device):
    listed(device)
    with open(device.at("BOM/acct_BlockBlob.txt"), "a", encoding="ascii") as lines:
        lines.write("<file size=\"3\" crc64=\"0x1\">\\data")
