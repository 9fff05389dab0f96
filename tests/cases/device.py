"""Device trees for the cases: files of any name and size, virtual disks, lists of files, odd entries.

Nothing here knows what the program makes of a tree: formats are written down once more, from the public
documentation, so that a mistake in the program is not repeated by its test.
"""
import hashlib
import os
import socket
import stat
import struct
import subprocess

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
SECTOR = 512
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4


def crc_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x9A6C9329AC4BC9B5 if crc & 1 else 0)
        table.append(crc)
    return table


CRC_TABLE = crc_table()


def crc64(data):
    """CRC-64/NVME, as the lists of files have it."""
    crc = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFFFFFFFFFF


def renamed_container(original):
    """What a container or share of an illegal name is called."""
    return "databox-" + hashlib.sha256(os.fsencode(original)).hexdigest()[:32]


def renamed_item(folder, original):
    """What an item of an illegal name is called; folder is BlockBlob, PageBlob, AzureFile or ManagedDisk."""
    return f"{folder}/DataBox-0x" + hashlib.sha256(os.fsencode(original)).hexdigest()


def footer(disk_bytes, kind=FIXED, checksum=None):
    """The last sector of a VHD; a wrong checksum can be asked for."""
    offset = 0xFFFFFFFFFFFFFFFF if kind == FIXED else SECTOR
    head = struct.pack(">8sIIQI4sI4sQQIII", b"conectix", 2, 0x00010000, offset, 0, b"test", 0x00010000,
                       b"Wi2k", disk_bytes, disk_bytes, 0, kind, 0)
    body = head + b"\x11" * 16 + bytes(SECTOR - len(head) - 16)
    wanted = ~sum(body) & 0xFFFFFFFF if checksum is None else checksum
    return body[:64] + struct.pack(">I", wanted) + body[68:]


def small_disk():
    """The bytes of a fixed VHD that may become a managed disk."""
    return bytes(20 * MIB) + footer(20 * MIB)


def escaped(path):
    return path.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Device:
    """One tree. Paths are relative to it; folders above a path are made on the way."""

    def __init__(self, root):
        self.root = root
        os.makedirs(root)

    def at(self, path):
        return os.path.join(self.root, path)

    def folder(self, *paths):
        for path in paths:
            os.makedirs(self.at(path), exist_ok=True)

    def _make_parent(self, path):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)

    def file(self, path, content=b"data\n"):
        """content may be a function, so that what is large is made only where it is needed."""
        self._make_parent(path)
        with open(self.at(path), "wb") as out:
            out.write(content() if callable(content) else content)

    def sparse(self, path, size_bytes, tail=b""):
        """A file of this size with nothing in it but, at its very end, the tail."""
        self._make_parent(path)
        with open(self.at(path), "wb") as out:
            out.truncate(size_bytes)
            out.seek(size_bytes - len(tail))
            out.write(tail)

    def fixed(self, path, disk_bytes):
        self.sparse(path, disk_bytes + SECTOR, footer(disk_bytes))

    def dynamic(self, path, disk_bytes=32 * MIB, kind=DYNAMIC):
        copy = footer(disk_bytes, kind)
        header = b"cxsparse" + b"\xff" * 8 + struct.pack(">QI", 1536, 0x00010000) + bytes(996)
        self.file(path, copy + header + b"\xff" * SECTOR + bytes(2 * MIB) + copy)

    def vhdx(self, path, size_bytes=4 * MIB):
        self.file(path, b"vhdxfile" + bytes(size_bytes - 8))

    def deep(self, path, content=b"data\n"):
        """As file(), but for paths that are longer than the kernel takes at once."""
        *folders, name = path.split("/")
        here = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        for folder in folders:
            try:
                os.mkdir(folder, dir_fd=here)
            except FileExistsError:
                pass
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = inner
        with open(os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=here), "wb") as out:
            out.write(content)
        os.close(here)

    def link(self, path, to):
        self._make_parent(path)
        os.symlink(to, self.at(path))

    def fifo(self, path):
        self._make_parent(path)
        os.mkfifo(self.at(path))

    def socket(self, path):
        self._make_parent(path)
        here = os.open(os.path.dirname(self.at(path)), os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{here}/{os.path.basename(path)}")
        os.close(here)

    def node(self, path):
        """A character device, where one may be made; False where not."""
        self._make_parent(path)
        try:
            os.mknod(self.at(path), 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            return False
        return True

    def list(self, share, entries=None, name=None):
        """The list of files of a share, as prepare to ship leaves it: of what is there, or of given
        (path, size, crc64) where crc64 is text. It is as new as the files are."""
        if entries is None:
            entries = []
            for folder, _, files in os.walk(self.at(share)):
                for one in files:
                    path = os.path.join(folder, one)
                    with open(path, "rb") as data:
                        content = data.read()
                    entries.append((os.path.relpath(path, self.at(share)), len(content),
                                    f"0x{crc64(content):016x}"))
        lines = ['<file size="%d" crc64="%s">\\%s</file>\n' % (size, crc, escaped(path).replace("/", "\\"))
                 for path, size, crc in sorted(entries)]
        self.text(f"BOM/{name or share + '.txt'}", "".join(lines))

    def text(self, path, content):
        self.file(path, os.fsencode(content))

    def snapshot(self):
        """All that a look must not change."""
        command = ["find", self.root, "-printf", r"%p %M %s %T@ %C@\n"]
        return sorted(subprocess.run(command, capture_output=True, check=True).stdout.splitlines())
