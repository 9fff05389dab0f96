"""Cases 38 to 48: sizes, virtual disks, times. Files of terabytes are holes, looked at and not copied."""
import os

from cases import Copy, case
from device import DIFFERENCING, FIXED, GIB, MIB, SECTOR, TIB, footer, renamed_item

ALIGNMENT = "ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT"
SIZE = "ERROR_BLOB_OR_FILE_SIZE_LIMIT"
TYPE = "ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED"
CONVERSION = "UploadErrorManagedConversionError"
CAPACITY = "ERROR_CONTAINER_OR_SHARE_CAPACITY_EXCEEDED"

ODD = (10, 100, 500, 513, 786)


@case(38, "page blobs of no multiple of 512 bytes", 13, [f"{ALIGNMENT} critical wrong-format 5"],
      fixes={ALIGNMENT: "take-as-block-blob"}, mended="warnings",
      copy=Copy(4, {"copied": 5}, {f"acct/pages/{size}": ("BlockBlob", b"p" * size) for size in ODD}))
def _(device):
    for size in ODD:
        device.file(f"acct_PageBlob/pages/{size}", b"p" * size)


@case(39, "page blobs of 0 and 512 bytes",
      copy=Copy(0, {"copied": 3}, {f"acct/pages/{size}": ("PageBlob", b"p" * size) for size in (0, 512, 1024)}))
def _(device):
    for size in (0, 512, 1024):
        device.file(f"acct_PageBlob/pages/{size}", b"p" * size)


def limits_of(sku, block, page, file):
    """Both sides of each limit of an SKU. A managed disk's is that of the disk, without its footer."""
    share = {"block": "BlockBlob/data", "page": "PageBlob/data", "file": "AzureFile/data", "disk": "ManagedDisk/PremiumSSD"}
    if sku != "disk":
        share = {"block": "acct_BlockBlob/data", "page": "acct_PageBlob/data", "file": "acct_AzFile/data",
                 "disk": "rg_MDisk/PremiumSSD"}

    @case("case_40_largest", f"of {sku}", sku=sku, manifest="ignore", needs=["large"])
    def _(device):
        device.sparse(f"{share['block']}/b", block)
        device.sparse(f"{share['page']}/p", page)
        device.sparse(f"{share['file']}/f", file)
        device.fixed(f"{share['disk']}/d", 4 * TIB)

    @case("case_40_too_large", f"for {sku}", 13, [f"{SIZE} critical wrong-format 4"], sku=sku, manifest="ignore",
          needs=["large"], fixes={SIZE: "skip"}, mended="warnings", copy=Copy(4, {"skipped": 4, "copied": 1}))
    def _(device):
        device.sparse(f"{share['block']}/b", block + 1)
        device.sparse(f"{share['page']}/p", page + SECTOR)
        device.sparse(f"{share['file']}/f", file + 1)
        device.fixed(f"{share['disk']}/d", 4 * TIB + SECTOR)
        device.file(f"{share['block']}/small")


limits_of("databox", 14 * TIB, 4 * TIB, 4 * TIB)
limits_of("heavy", 50000 * 100 * MIB, 8 * TIB, 1 * TIB)
limits_of("disk", 7 * TIB, 7 * TIB, 4 * TIB)


def share_of(title, number, exit, finds, bytes_above, options=(), shares=1, parts=2, part=0, sku="databox"):
    @case(number, title, exit, finds, sku=sku, manifest="ignore", needs=["large"], options=options)
    def _(device):
        top = "AzureFile" if sku == "disk" else "acct_AzFile"
        for share in range(shares):
            for index in range(parts):
                size = part + (bytes_above if share == index == 0 else 0)
                device.sparse(f"{top}/share-{share}/{index}", size)


share_of("share of 5 tib", 41, 0, [], 0, part=5 * TIB // 2)
share_of("5 tib in a share", "case_41_above", 13, [f"{CAPACITY} critical quota 1"], 1, part=5 * TIB // 2)
share_of("100 tib with large file shares", "case_41_large", 0, [], 0, ["--file-shares", "large"], parts=25, part=4 * TIB)
share_of("100 tib with large file shares", "case_41_above", 13, [f"{CAPACITY} critical quota 1"], 1,
         ["--file-shares", "large"], parts=26, part=4 * TIB - 4 * TIB // 26 + 1)
share_of("has no limit on a disk", "case_41_share", 0, [], 0, parts=2, part=4 * TIB, sku="disk")

PREMIUM = 100 * TIB - 200 * GIB  # 100 GiB each are kept for the copy log and the audit log
share_of("premium account as full as it may be", 42, 0, [], 0, ["--file-shares", "premium"], shares=2, parts=25,
         part=PREMIUM // 50)
share_of("the limit of a premium account", "case_42_above", 13, ["ACCOUNT_CAPACITY_EXCEEDED critical quota 1"], 51,
         ["--file-shares", "premium"], shares=2, parts=25, part=PREMIUM // 50)


@case(43, "virtual disks that are not fixed", 13, [f"{TYPE} critical wrong-format 4"], fixes={TYPE: "take-as-page-blob"},
      mended="warnings",
      copy=Copy(4, {"copied": 4}, {f"rg/{name}": ("PageBlob", None) for name in (
          "premiumssd/dynamic.vhd", "standardssd/differencing.vhd", "standardhdd/fixed.vhdx", "standardhdd/inside.vhd")}))
def _(device):
    device.dynamic("rg_MDisk/PremiumSSD/dynamic.vhd")
    device.dynamic("rg_MDisk/StandardSSD/differencing.vhd", kind=DIFFERENCING)
    device.vhdx("rg_MDisk/StandardHDD/fixed.vhdx")
    device.vhdx("rg_MDisk/StandardHDD/inside.vhd")


@case("case_43_odd", "vhdx of no multiple of 512 bytes is stored as a block blob", 13,
      [f"{TYPE} critical wrong-format 1", f"{ALIGNMENT} critical wrong-format 1"], mended="warnings",
      copy=Copy(4, {"copied": 1}, {"rg/premiumssd/odd.vhdx": ("BlockBlob", None)}))
def _(device):
    device.vhdx("rg_MDisk/PremiumSSD/odd.vhdx", 4 * MIB + 1)


@case("case_43_page_blobs", "may be any virtual disk",
      copy=Copy(0, {"copied": 2}, {"acct/data/a.vhdx": ("PageBlob", None), "acct/data/b.vhd": ("PageBlob", None)}))
def _(device):
    device.vhdx("acct_PageBlob/data/a.vhdx")
    device.dynamic("acct_PageBlob/data/b.vhd")


@case(44, "smallest managed disk", manifest="ignore",
      copy=Copy(0, {"copied": 1}, {"rg/premiumssd/small.vhd": ("PageBlob", None)}))
def _(device):
    device.fixed("rg_MDisk/PremiumSSD/small.vhd", 20 * MIB - SECTOR)  # the file has 20,971,520 bytes


@case("case_44_below", "20 mib a disk cannot be converted", 13, [f"{CONVERSION} critical wrong-format 1"],
      fixes={CONVERSION: "take-as-page-blob"}, mended="warnings",
      copy=Copy(4, {"copied": 1}, {"rg/premiumssd/small.vhd": ("PageBlob", None)}))
def _(device):
    device.fixed("rg_MDisk/PremiumSSD/small.vhd", 20 * MIB - 2 * SECTOR)


@case("case_44_largest", "file that converts is too large a disk", 13, [f"{SIZE} critical wrong-format 1"],
      manifest="ignore", needs=["large"], mended="warnings")
def _(device):
    device.fixed("rg_MDisk/PremiumSSD/large.vhd", 8192 * GIB - SECTOR)


@case("case_44_above", "8192 gib a disk cannot be converted", 13,
      [f"{SIZE} critical wrong-format 1", f"{CONVERSION} critical wrong-format 1"], manifest="ignore", needs=["large"],
      mended="warnings")
def _(device):
    device.fixed("rg_MDisk/PremiumSSD/large.vhd", 8192 * GIB)


@case(45, "damaged footers are no disks", 13, [f"{TYPE} critical wrong-format 4", f"{ALIGNMENT} critical wrong-format 1"],
      mended="warnings", manifest="ignore",
      copy=Copy(4, {"copied": 4}, {
          "rg/premiumssd/checksum.vhd": ("PageBlob", None), "rg/premiumssd/cut.vhd": ("BlockBlob", None),
          "rg/premiumssd/none.vhd": ("PageBlob", None), "rg/premiumssd/size.vhd": ("PageBlob", None)}))
def _(device):
    disk = 20 * MIB
    device.sparse("rg_MDisk/PremiumSSD/checksum.vhd", disk + SECTOR, footer(disk, FIXED, 12345))
    device.sparse("rg_MDisk/PremiumSSD/cut.vhd", disk + 300, footer(disk)[:300])
    device.sparse("rg_MDisk/PremiumSSD/none.vhd", disk + SECTOR)
    device.sparse("rg_MDisk/PremiumSSD/size.vhd", disk + SECTOR, footer(disk + SECTOR))  # a footer that lies


@case(46, "text among the managed disks of a disk", 13, ["NonVhdFileNotSupportedForManagedDisk critical wrong-format 1",
                                                         f"{ALIGNMENT} critical wrong-format 1"], sku="disk",
      fixes={"NonVhdFileNotSupportedForManagedDisk": "take-as-block-blob"}, mended="warnings",
      copy=Copy(4, {"copied": 1}, {"acct/premiumssd/read-me.txt": ("BlockBlob", b"hello\n")}))
def _(device):
    device.file("ManagedDisk/PremiumSSD/read-me.txt", b"hello\n")


@case(47, "disk name of 80 characters", manifest="ignore",
      copy=Copy(0, {"copied": 2}, {f"rg/premiumssd/{'d' * 80}": ("PageBlob", None),
                                   "rg/premiumssd/a_b.c-9_": ("PageBlob", None)}))
def _(device):
    device.fixed(f"rg_MDisk/PremiumSSD/{'d' * 80}", 20 * MIB)
    device.fixed("rg_MDisk/PremiumSSD/a_b.c-9_", 20 * MIB)


BAD_DISKS = ("d" * 81, "a disk.vhd", "_first.vhd", "last-.vhd")


@case("case_47_names", "that no disk may have", 4, ["InvalidDiskNameFormat warning - 4"], manifest="ignore",
      copy=Copy(4, {"renamed": 4}, {f"rg/premiumssd/{renamed_item('ManagedDisk', name)}": ("PageBlob", None)
                                    for name in BAD_DISKS},
                logged={"DiskRenamed": 4}))
def _(device):
    for name in BAD_DISKS:
        device.fixed(f"rg_MDisk/PremiumSSD/{name}", 20 * MIB)


@case(48, "time that cannot be kept", 4, ["TIMESTAMP_OUT_OF_RANGE warning - 1"], needs=["times"],
      copy=Copy(4, {"copied": 2}, {"acct/share/far": ("AzureFile", b"far\n"), "acct/data/far": ("BlockBlob", b"far\n")}))
def _(device):
    for path in ("acct_AzFile/share/far", "acct_BlockBlob/data/far"):
        device.file(path, b"far\n")
        os.utime(device.at(path), (1 << 40, 1 << 40))
