"""What halts, all at once: a device with every wrong place and format, mended by the plan that is proposed."""
from cases import Copy, case
from device import small_disk

VHD = small_disk
WRONG_BOX = [
    "ROOT_FILE critical wrong-folder 1",
    "ROOT_FOLDER_UNKNOWN critical wrong-folder 1",
    "SHARE_ROOT_FILE critical wrong-folder 3",
    "TIER_CASE_VARIANT critical wrong-folder 1",
    "ERROR_CONTAINER_OR_SHARE_NAME_DISALLOWED_FOR_TYPE warning wrong-folder 1",
    "CONTAINER_NAME_UPPER_CASE warning - 1",
    "ERROR_DIRECTORY_DISALLOWED_FOR_TYPE critical wrong-folder 1",
    "ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT critical wrong-format 2",
    "ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED critical wrong-format 1",
    "ERROR_CONTAINER_OR_SHARE_NAME_LENGTH critical wrong-format 1",
    "ERROR_FILE_OR_DIRECTORY_NAME_ILLEGAL critical wrong-format 1",
    "REPARSE_POINT_ERROR critical wrong-format 1",
    "PACKED_FILES critical wrong-format 1",
    "MANIFEST_MISSING critical prepare-to-ship-not-run 4",
    "ERROR_BLOB_OR_FILE_NAME_ENDING warning - 1",
]


@case("halt_box", "with everything wrong is mended by its plan", 13, WRONG_BOX, options=["--tiers"], manifest="own",
      fixes={"ROOT_FILE": "map-folder", "ROOT_FOLDER_UNKNOWN": "map-folder", "SHARE_ROOT_FILE": "map-folder",
             "TIER_CASE_VARIANT": "treat-as-tier", "ERROR_DIRECTORY_DISALLOWED_FOR_TYPE": "take-as-page-blob",
             "ERROR_CONTAINER_OR_SHARE_NAME_DISALLOWED_FOR_TYPE": "take-as-page-blob",
             "ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT": "take-as-block-blob",
             "ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED": "take-as-page-blob",
             "ERROR_CONTAINER_OR_SHARE_NAME_LENGTH": "rename", "ERROR_FILE_OR_DIRECTORY_NAME_ILLEGAL": "rename",
             "REPARSE_POINT_ERROR": "skip", "PACKED_FILES": "take-as-block-blob", "MANIFEST_MISSING": "build-manifest"},
      mended="warnings", copy=Copy(4, {"copied": 14, "renamed": 4, "skipped": 1}))
def _(device):
    device.file("stray.txt")
    device.file("Backup/old/invoice.txt")
    device.file("acct_BlockBlob/at-the-root")
    device.file("acct_PageBlob/at-the-root", bytes(512))
    device.file("acct_AzFile/at-the-root")
    device.file("acct_BlockBlob/hot/data/x")
    device.file("acct_BlockBlob/Hot/data/y")
    device.file("acct_BlockBlob/good/x")
    device.file("acct_BlockBlob/good/ends.")
    device.file("acct_BlockBlob/good/ADB_PACK_1")
    device.file("acct_BlockBlob/ab/x")
    device.link("acct_BlockBlob/good/link", "x")
    device.file("acct_PageBlob/pages/odd", b"odd")
    device.file("acct_AzFile/share/CON")
    device.file("acct_AzFile/share/x")
    device.file("rg_MDisk/PremiumSSD/good.vhd", VHD)
    device.file("rg_MDisk/PremiumSSD/text.vhd", b"no disk")
    device.file("rg_MDisk/PremiumSSD/sub/deep.vhd", VHD)
    device.file("rg_MDisk/Mine/mine.vhd", VHD)


@case("halt_disk", "with everything wrong is mended by its plan", 13, [
    "ROOT_FILE critical wrong-folder 1", "ROOT_FOLDER_UNKNOWN critical wrong-folder 1", "NotPartOfFileShare warning - 1",
    "DiskConversionNotStartedTierInfoMissing warning wrong-folder 2", "CONTAINER_NAME_UPPER_CASE warning - 1",
    "ERROR_DIRECTORY_DISALLOWED_FOR_TYPE critical wrong-folder 1",
    "NonVhdFileNotSupportedForManagedDisk critical wrong-format 1",
    "ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT critical wrong-format 1", "MetadataFilesModifiedOrRemoved warning - 1",
    "MANIFEST_MISSING critical prepare-to-ship-not-run 3"], sku="disk", manifest="own", mended="warnings",
    copy=Copy(4, {"copied": 8, "renamed": 1}))
def _(device):
    device.text("DriveManifest.xml", "<DriveManifest/>")
    device.file("stray.txt")
    device.file("Backup/old/invoice.txt")
    device.file("BlockBlob/at-the-root")
    device.file("BlockBlob/data/x")
    device.file("AzureFile/at-the-root")
    device.file("ManagedDisk/PremiumSSD/read-me.txt")
    device.file("ManagedDisk/PremiumSSD/sub/deep.vhd", VHD)
    device.file("ManagedDisk/Mine/mine.vhd", VHD)
    device.file("ManagedDisk/at-the-root.vhd", VHD)


@case("halt_disk", "quota has no plan", 13, ["CONTAINER_COUNT_EXCEEDED critical quota 1"], sku="disk", manifest="ignore")
def _(device):
    for index in range(513):
        device.file(f"BlockBlob/c-{index:03d}/x", b"")


def share_by_case(run):
    run.holds({"acct/data/x": ("BlockBlob", b"data\n"), "acct/pages/x": ("PageBlob", bytes(512))})


@case("halt_share", "of another case is taken for the share that was meant", 13,
      ["ROOT_FOLDER_UNKNOWN critical wrong-folder 2"], manifest="ignore", fixes={"ROOT_FOLDER_UNKNOWN": "map-folder"},
      mended="warnings", copy=Copy(4, {"copied": 2}), then=share_by_case)
def _(device):
    device.file("acct_blockblob/data/x")
    device.file("acct_PAGEBLOB/pages/x", bytes(512))
