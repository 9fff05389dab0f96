"""Cases 16 to 37: what things are called."""
import base64
import json

from cases import Copy, case, equal
from device import renamed_container, renamed_item

LENGTH = "ERROR_CONTAINER_OR_SHARE_NAME_LENGTH"
CHARACTERS = "ERROR_CONTAINER_OR_SHARE_NAME_ALPHA_NUMERIC_DASH"
DASH = "ERROR_CONTAINER_OR_SHARE_NAME_IMPROPER_DASH"
BLOB = "ERROR_BLOB_OR_FILE_NAME_"


def bad_container(number, title, code, *names):
    """Halts as such; with the proposal each gets the name that the rule gives."""
    stored = {f"acct/{renamed_container(name)}/x": ("BlockBlob", b"data\n") for name in names}

    @case(number, title, 13, [f"{code} critical wrong-format {len(names)}"], fixes={code: "rename"}, mended="warnings",
          copy=Copy(4, {"renamed": len(names)}, stored, logged={"ContainerRenamed": len(names)}))
    def _(device):
        for name in names:
            device.file(f"acct_BlockBlob/{name}/x")


bad_container(16, "container names of one and two characters", LENGTH, "ab", "1")
bad_container(17, "container names of 64 and 180 characters", LENGTH, "x" * 64, "y" * 180)
bad_container(18, "container name with blanks", CHARACTERS, "invalid dns name")
bad_container(19, "container name with underscores", CHARACTERS, "test__doubleunderscore", "_startingwith_underscore")
bad_container(20, "container name that begins or ends with a hyphen", DASH, "-startingwith-hyphen", "ending-")
bad_container(21, "container name with two hyphens in a row", DASH, "test--doublehyphen")
bad_container(22, "container name with hyphen and underscore", CHARACTERS, "11111111-_2222-_3333-_4444-_555555555555")
PUNCTUATION = "testdirectory-~!@#$%^&()_+{}"
bad_container(23, "container name of punctuation", CHARACTERS, PUNCTUATION)


@case("case_23_list", "of files has punctuation escaped", 13, [f"{CHARACTERS} critical wrong-format 1"],
      mended="warnings", then=lambda run: escaped(run))
def _(device):
    device.file(f"acct_BlockBlob/{PUNCTUATION}/x")


def escaped(run):
    with open(run.device.at("BOM/acct_BlockBlob.txt"), encoding="ascii") as lines:
        text = lines.read()
    assert "\\testdirectory-~!@#$%^&amp;()_+{}\\x<" in text, text


@case(24, "new folder is renamed where the order says so", 4, [f"{CHARACTERS} critical - 1"],
      options=["--bad-names", "rename"],
      copy=Copy(4, {"renamed": 2}, {f"acct/{renamed_container('New Folder')}/a/b": ("BlockBlob", b"b\n"),
                                    f"acct/{renamed_container('New Folder')}/c": ("BlockBlob", b"c\n")},
                logged={"ContainerRenamed": 1}))
def _(device):
    device.file("acct_BlockBlob/New Folder/a/b", b"b\n")
    device.file("acct_BlockBlob/New Folder/c", b"c\n")


@case(25, "too short a name is renamed where the order says so", 4, [f"{LENGTH} critical - 1"],
      options=["--bad-names", "rename"],
      copy=Copy(4, {"renamed": 1}, {f"acct/{renamed_container('CV')}/x": ("AzureFile", b"data\n")},
                logged={"ShareRenamed": 1}))
def _(device):
    device.file("acct_AzFile/CV/x")


@case("case_25_skip", "or left out", 4, [f"{LENGTH} critical - 1"], options=["--bad-names", "skip"],
      copy=Copy(4, {"skipped": 1, "copied": 1}, {"acct/good/x": ("BlockBlob", b"data\n")}))
def _(device):
    device.file("acct_BlockBlob/CV/x")
    device.file("acct_BlockBlob/good/x")


@case(26, "upper case alone is made lower case", 4, ["CONTAINER_NAME_UPPER_CASE warning - 2"],
      copy=Copy(4, {"renamed": 2}, {"acct/mycontainer/x": ("BlockBlob", b"data\n"),
                                    "acct/myshare/x": ("AzureFile", b"data\n")},
                logged={"ContainerRenamed": 1, "ShareRenamed": 1}))
def _(device):
    device.file("acct_BlockBlob/MyContainer/x")
    device.file("acct_AzFile/MyShare/x")


@case("case_26_meets", "the name in lower case", 13, ["CONTAINER_NAME_UPPER_CASE warning - 1",
                                                      "CONTAINER_NAME_COLLISION critical wrong-folder 1"],
      fixes={"CONTAINER_NAME_COLLISION": "map-folder"}, mended="clean",
      copy=Copy(0, {"copied": 2}, {
          "acct/mycontainer/x": ("BlockBlob", b"lower\n"),
          f"acct/{renamed_container('acct_BlockBlob/MyContainer')}/x": ("BlockBlob", b"upper\n")}))
def _(device):
    device.file("acct_BlockBlob/MyContainer/x", b"upper\n")
    device.file("acct_BlockBlob/mycontainer/x", b"lower\n")


@case(27, "container names of 3 and 63 characters",
      copy=Copy(0, {"copied": 4}, {f"acct/{name}/x": (kind, b"data\n") for name, kind in (
          ("abc", "BlockBlob"), ("0-9", "BlockBlob"), ("x" * 63, "BlockBlob"), ("y" * 63, "AzureFile"))}))
def _(device):
    for name in ("abc", "0-9", "x" * 63):
        device.file(f"acct_BlockBlob/{name}/x")
    device.file(f"acct_AzFile/{'y' * 63}/x")


# ---- blobs and files ----

def bad_blob(number, title, code, *names, folder="BlockBlob", kind="BlockBlob", share="BlockBlob", options=(), deep=False):
    """A warning, and another name."""
    stored = {f"acct/data/{renamed_item(folder, name)}": (kind, name.encode(errors="surrogateescape"))
              for name in names}

    @case(number, title, 4, [f"{code} warning - {len(names)}"], options=options,
          copy=Copy(4, {"renamed": len(names)}, stored,
                    logged={"FileRenamed" if kind == "AzureFile" else "BlobRenamed": len(names)}))
    def _(device):
        for name in names:
            (device.deep if deep else device.file)(f"acct_{share}/data/{name}",
                                                   name.encode(errors="surrogateescape"))


bad_blob(28, "control character", BLOB + "CHARACTER_CONTROL", "a\x01b", "dir\x1f/x", "\x7f", "c1\x81")
bad_blob(29, "lone surrogate and bytes that are no characters", BLOB + "CHARACTER_ILLEGAL",
         "SpcChar-55296-\udced\udca0\udc80", "a\udcff", "private\ue000", "special\ufffe")


@case("case_29_list", "of files has such names in base64", 4, [f"{BLOB}CHARACTER_ILLEGAL warning - 1"],
      then=lambda run: in_base64(run))
def _(device):
    device.file("acct_BlockBlob/data/a\udcff")


def in_base64(run):
    with open(run.device.at("BOM/acct_BlockBlob.txt"), encoding="ascii") as lines:
        text = lines.read()
    assert 'name_encoding="Base64"' in text, text
    run.validate(want=4)
    path = base64.b64encode(b"acct_BlockBlob/data/a\xff").decode()
    equal("example in base64", run.data("finding")[0]["examples"], [{"b64": path}])


def of_length(units):
    """A path of this many characters below its container, in components that a file system takes."""
    pieces = []
    while units > 200:
        pieces.append("n" * 199)
        units -= 200
    return "/".join(pieces + ["n" * units])


@case(30, "blob name of 1024 characters",
      copy=Copy(0, {"copied": 2}, {f"acct/data/{of_length(1024)}": ("BlockBlob", b"data\n"),
                                   "acct/data/" + "/".join(["\U0001f600" * 50] * 10): ("BlockBlob", b"data\n")}))
def _(device):
    device.file(f"acct_BlockBlob/data/{of_length(1024)}")
    device.file("acct_BlockBlob/data/" + "/".join(["\U0001f600" * 50] * 10))  # 1,009 units, 2,009 bytes


bad_blob("case_30_above", "1024 characters a blob name is too long", BLOB + "AGGREGATE_LENGTH", of_length(1025),
         "/".join(["\U0001f600" * 50] * 10 + ["\U0001f600" * 8]))


@case(31, "blob name of 254 segments",
      copy=Copy(0, {"copied": 1}, {"acct/data/" + "/".join(["s"] * 254): ("BlockBlob", b"data\n")}))
def _(device):
    device.deep("acct_BlockBlob/data/" + "/".join(["s"] * 254))


bad_blob("case_31_above", "254 segments a blob name has too many", BLOB + "SEGMENT_COUNT", "/".join(["s"] * 255),
         deep=True)


def long_component(units):
    """No Linux file system has a component of 256 characters; a plan may ask for one."""
    def make(device):
        device.file("acct_AzFile/share/x")
        device.text("../plan.json", json.dumps({"schema": "sallyport.plan/1", "steps": [
            {"step": "map-folder", "from": "acct_AzFile/share/x", "to": f"acct_AzFile/share/{'c' * units}"}]}))
    return make


case(32, "file component of 255 characters", 0, options=["--plan", "plan.json"],
     copy=Copy(0, {"copied": 1}, {f"acct/share/{'c' * 255}": ("AzureFile", b"data\n")}))(long_component(255))
case("case_32_above", "255 characters a file component is too long", 4, [f"{BLOB}COMPONENT_LENGTH warning - 1"],
     options=["--plan", "plan.json"],
     copy=Copy(4, {"renamed": 1}, {f"acct/share/{renamed_item('AzureFile', 'c' * 256)}": ("AzureFile", b"data\n")}))(
         long_component(256))


def of_file_length(units):
    return "/".join(["f" * 99] * (units // 100) + ["f" * (units % 100)])


@case("case_32_path", "file path of 2048 characters and of 250 components",
      copy=Copy(0, {"copied": 2}, {f"acct/share/{of_file_length(2048)}": ("AzureFile", b"data\n"),
                                   "acct/share/" + "/".join(["s"] * 250): ("AzureFile", b"data\n")}))
def _(device):
    device.deep(f"acct_AzFile/share/{of_file_length(2048)}")
    device.deep("acct_AzFile/share/" + "/".join(["s"] * 250))


@case("case_32_path", "above 2048 characters and above 250 components", 4,
      [f"{BLOB}AGGREGATE_LENGTH warning - 1", f"{BLOB}SEGMENT_COUNT warning - 1"],
      copy=Copy(4, {"renamed": 2}, {
          f"acct/share/{renamed_item('AzureFile', of_file_length(2049))}": ("AzureFile", b"data\n"),
          f"acct/share/{renamed_item('AzureFile', '/'.join(['s'] * 251))}": ("AzureFile", b"data\n")}))
def _(device):
    device.deep(f"acct_AzFile/share/{of_file_length(2049)}")
    device.deep("acct_AzFile/share/" + "/".join(["s"] * 251))


bad_blob(33, "name and folder that end with a dot", BLOB + "ENDING", "report.", "dir./x", "...")

RESERVED = ("CON", "LPT1", "CLOCK$", "aux/x", "deep/nul", "Com9")


@case(34, "reserved names in a file share", 13, ["ERROR_FILE_OR_DIRECTORY_NAME_ILLEGAL critical wrong-format 6"],
      fixes={"ERROR_FILE_OR_DIRECTORY_NAME_ILLEGAL": "rename"}, mended="warnings",
      copy=Copy(4, {"renamed": 6, "copied": 3}, {
          **{f"acct/share/{renamed_item('AzureFile', name)}": ("AzureFile", b"data\n") for name in RESERVED},
          **{f"acct/share/{name}": ("AzureFile", b"data\n") for name in ("CON.txt", "LPT0", "COM10")}}))
def _(device):
    for name in RESERVED + ("CON.txt", "LPT0", "COM10"):
        device.file(f"acct_AzFile/share/{name}")


@case("case_34_blobs", "may have reserved names",
      copy=Copy(0, {"copied": 6}, {f"acct/data/{name}": ("BlockBlob", b"data\n") for name in RESERVED}))
def _(device):
    for name in RESERVED:
        device.file(f"acct_BlockBlob/data/{name}")


bad_blob(35, "characters that no file share takes", BLOB + "CHARACTER_ILLEGAL", "a:b?.txt", 'q"', "p|p", "l<r>", "s*",
         folder="AzureFile", kind="AzureFile", share="AzFile")


@case("case_35_blobs", "may have such characters",
      copy=Copy(0, {"copied": 1}, {"acct/data/a:b?.txt": ("BlockBlob", b"data\n")}))
def _(device):
    device.file("acct_BlockBlob/data/a:b?.txt")


bad_blob("case_35_backslash", "is no name of a blob", "NAME_BACKSLASH", "a\\b")


@case(36, "names that differ in case in a file share", 4, ["NAME_CASE_COLLISION critical - 1"],
      copy=Copy(4, {"copied": 2}, {"acct/share/SampleFile.txt": ("AzureFile", b"1\n"),
                                   "acct/share/Samplefile.Txt": ("AzureFile", b"2\n")}))
def _(device):
    device.file("acct_AzFile/share/SampleFile.txt", b"1\n")
    device.file("acct_AzFile/share/Samplefile.Txt", b"2\n")


@case("case_36_blobs", "whose names differ in case are two", 4, ["NAME_CASE_COLLISION warning - 1"],
      copy=Copy(4, {"copied": 2}, {"acct/data/SampleFile.txt": ("BlockBlob", b"1\n"),
                                   "acct/data/Samplefile.Txt": ("BlockBlob", b"2\n")}))
def _(device):
    device.file("acct_BlockBlob/data/SampleFile.txt", b"1\n")
    device.file("acct_BlockBlob/data/Samplefile.Txt", b"2\n")


DOTS = (".......txt", "test..txt", "helloEndWithDot..txt", ".hidden", "..a")


@case(37, "dots that end nothing",
      copy=Copy(0, {"copied": 10}, {**{f"acct/data/{name}": ("BlockBlob", b"data\n") for name in DOTS},
                                    **{f"acct/share/{name}": ("AzureFile", b"data\n") for name in DOTS}}))
def _(device):
    for name in DOTS:
        device.file(f"acct_BlockBlob/data/{name}")
        device.file(f"acct_AzFile/share/{name}")
