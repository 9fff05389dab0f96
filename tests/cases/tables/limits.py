"""Both sides of each limit that no case of its own is about."""
import os

from cases import Copy, case, equal
from device import renamed_container


@case("limit_of_names", "in characters and not in bytes", 13, ["ERROR_CONTAINER_OR_SHARE_NAME_ALPHA_NUMERIC_DASH critical "
                                                               "wrong-format 1"], mended="warnings",
      copy=Copy(4, {"renamed": 1}, {f"acct/{renamed_container('ä' * 63)}/x": ("BlockBlob", b"data\n")}))
def _(device):
    device.file(f"acct_BlockBlob/{'ä' * 63}/x")  # 63 characters in 126 bytes are no matter of length


def many_files(count):
    """Hard links are files of their own, and quickly made; a file has 65,000 of them at most."""
    def make(device):
        for index in range(count):
            folder = index // 5000
            path = device.at(f"BlockBlob/data/{folder}/{index}")
            if index % 5000 == 0:
                device.file(f"BlockBlob/data/{folder}/{index}", b"")
                first = path
            else:
                os.link(first, path)
    return make


case("limit_of_files", "on a disk", sku="disk", manifest="ignore")(many_files(100000))
case("limit_of_files", "on a disk is passed", 13, ["FILE_COUNT_EXCEEDED critical quota 1"], sku="disk",
     manifest="ignore")(many_files(100001))


def accounts(count):
    def make(device):
        for index in range(count):
            device.file(f"acct{index}_BlockBlob/data/x", b"")
        device.folder("more_BlockBlob/empty")  # names an account, and holds nothing of it
    return make


case("limit_of_accounts", "on a box", manifest="ignore")(accounts(10))
case("limit_of_accounts", "on a box is passed", 13, ["ACCOUNT_COUNT_EXCEEDED critical quota 1"], manifest="ignore")(
    accounts(11))


def models(run):
    """Only a box has models; the limit of a billion files itself is a unit test's."""
    run.validate("--model", "120", want=0)
    run.validate("--model", "525", want=0)
    run.copy(0, options=["--model", "525"])
    for sku in ("heavy", "disk"):
        run.sallyport("validate", run.device.root, "--sku", sku, "--model", "525", want=2)
        run.sallyport("copy", run.device.root, "--sku", sku, *run.accounts[:2], "--model", "525", want=2)
    equal("stored", sorted(run.stored()), ["acct/data/x"])


@case("limit_of_model", "is chosen by name", then=models)
def _(device):
    device.file("acct_BlockBlob/data/x")
