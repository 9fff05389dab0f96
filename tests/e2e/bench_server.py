#!/usr/bin/env python3
"""Talks to bench_server with Python's own HTTP client. usage: bench_server.py SERVER WORK-FOLDER"""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree

SERVER, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
CRC_OF_123456789 = base64.b64encode(0xAE8B14860A799888.to_bytes(8, "little")).decode()
BLOCK_BLOB = {"x-ms-blob-type": "BlockBlob"}
# What a client of a connection that breaks may see.
BROKEN = (http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionError)


def equal(what, got, want):
    if got != want:
        raise SystemExit(f"FAILED: {what}: got {got!r}, want {want!r}")


class Server:
    def __init__(self, *arguments, tls=None, env=None):
        self.process = subprocess.Popen([SERVER, *arguments], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})})
        self.port = int(self.process.stdout.readline().removeprefix("listening on "))
        self.tls = tls
        self.connection = self.connect()

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection("localhost", self.port, timeout=20, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def code(self, *request):
        status, headers, _ = self.ask(*request)
        return status, headers["x-ms-error-code"]

    def breaks(self, *request):
        try:
            self.ask(*request)
        except BROKEN:
            self.connection = self.connect()
            return True
        return False

    def counters(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())


@contextlib.contextmanager
def server(*arguments, **options):
    made = Server(*arguments, **options)
    try:
        equal("new container", made.ask("PUT", "/a/box?restype=container", None,
                                        options.get("headers"))[0], 201)
        yield made
    finally:
        made.process.terminate()
        equal("exit of the server", made.process.wait(20), 0)


def faulty(*rules):
    arguments = ["--keep"]
    for rule in rules:
        arguments += ["--fault", rule]
    return server(*arguments)


def put(made, name, body, **headers):
    fields = {**BLOCK_BLOB, **{key.replace("_", "-"): value for key, value in headers.items()}}
    return made.ask("PUT", f"/a/box/{name}", body, fields)


def block_id(index):
    return base64.b64encode(b"block-%06d" % index).decode()


def put_block(made, name, index, body):
    query = urllib.parse.urlencode({"comp": "block", "blockid": block_id(index)})
    return made.ask("PUT", f"/a/box/{name}?{query}", body)


def block_list(*entries):
    inner = "".join(f"<{kind}>{block_id(index)}</{kind}>" for kind, index in entries)
    return f'<?xml version="1.0" encoding="utf-8"?><BlockList>{inner}</BlockList>'.encode()


def names(tree):
    return [blob.find("Name").text for blob in tree.iter("Blob")]


def listing(made, **query):
    text = urllib.parse.urlencode({"restype": "container", "comp": "list", **query})
    status, _, body = made.ask("GET", f"/a/box?{text}")
    equal("listing", status, 200)
    return xml.etree.ElementTree.fromstring(body)


def test_whole_blobs():
    with server("--keep", "--threads", "2") as made:
        status, headers, _ = put(made, "d%20e/%C3%A9", b"123456789", Content_Type="text/x",
                                 x_ms_meta_Colour="green", x_ms_access_tier="Cool")
        equal("put", status, 201)
        equal("its crc64", headers["x-ms-content-crc64"], CRC_OF_123456789)
        status, read, body = made.ask("GET", "/a/box/d%20e/%C3%A9")
        equal("get", (status, body), (200, b"123456789"))
        equal("etag", read["ETag"], headers["ETag"])
        equal("type", read["Content-Type"], "text/x")
        equal("tier", read["x-ms-access-tier"], "Cool")
        equal("metadata", read["x-ms-meta-Colour"], "green")
        status, head, body = made.ask("HEAD", "/a/box/d%20e/%C3%A9")
        equal("head", (status, head["Content-Length"], body), (200, "9", b""))
        for value, want, text in (("bytes=2-4", 206, b"345"), ("bytes=7-", 206, b"89"),
                                  ("bytes=0-99", 206, b"123456789")):
            status, read, body = made.ask("GET", "/a/box/d%20e/%C3%A9", None, {"x-ms-range": value})
            equal(value, (status, body), (want, text))
        status, read, _ = made.ask("GET", "/a/box/d%20e/%C3%A9", None, {
            "Range": "bytes=0-8", "x-ms-range-get-content-crc64": "true"})
        equal("crc64 of a range", read["x-ms-content-crc64"], CRC_OF_123456789)
        equal("outside", made.code("GET", "/a/box/d%20e/%C3%A9", None, {"Range": "bytes=9-"}),
              (416, "InvalidRange"))
        equal("delete", made.ask("DELETE", "/a/box/d%20e/%C3%A9")[0], 202)
        equal("gone", made.code("GET", "/a/box/d%20e/%C3%A9"), (404, "BlobNotFound"))
        equal("no container", made.code("GET", "/a/bag/x"), (404, "ContainerNotFound"))
        equal("container twice", made.code("PUT", "/a/box?restype=container"),
              (409, "ContainerAlreadyExists"))
        equal("container", made.ask("HEAD", "/a/box?restype=container")[0], 200)


def test_checksums():
    md5 = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
    with server("--keep") as made:
        status, headers, _ = put(made, "m", b"hello", Content_MD5=md5)
        equal("md5", (status, headers["Content-MD5"]), (201, md5))
        equal("kept md5", made.ask("HEAD", "/a/box/m")[1]["Content-MD5"], md5)
        status, headers, _ = put(made, "m", b"hallo", Content_MD5=md5)
        equal("wrong md5", (status, headers["x-ms-error-code"]), (400, "Md5Mismatch"))
        status, _, _ = put(made, "c", b"123456789", x_ms_content_crc64=CRC_OF_123456789)
        equal("crc64", status, 201)
        status, headers, _ = put(made, "c", b"123456780", x_ms_content_crc64=CRC_OF_123456789)
        equal("wrong crc64", (status, headers["x-ms-error-code"]), (400, "Crc64Mismatch"))
        equal("what was there stays", made.ask("GET", "/a/box/c")[2], b"123456789")


def test_blocks():
    with server("--keep") as made:
        for index in range(4):
            equal("block", put_block(made, "big", index, bytes([65 + index]) * 70000)[0], 201)
        equal("not there yet", made.code("HEAD", "/a/box/big"), (404, "BlobNotFound"))
        _, _, body = made.ask("GET", "/a/box/big?comp=blocklist&blocklisttype=uncommitted")
        tree = xml.etree.ElementTree.fromstring(body)
        equal("loose blocks", [(block.find("Name").text, block.find("Size").text)
                               for block in tree.iter("Block")],
              [(block_id(index), "70000") for index in range(4)])
        path = "/a/box/big?comp=blocklist"
        equal("unknown block", made.code("PUT", path, block_list(("Latest", 9))),
              (400, "InvalidBlockList"))
        equal("no XML", made.code("PUT", path, b"<BlockList><Latest>"),
              (400, "InvalidXmlDocument"))
        entries = [("Uncommitted", 3), ("Latest", 0), ("Latest", 0)]
        equal("commit", made.ask("PUT", path, block_list(*entries))[0], 201)
        equal("blob", made.ask("GET", "/a/box/big")[2], b"D" * 70000 + b"A" * 140000)
        equal("across blocks", made.ask("GET", "/a/box/big", None, {"Range": "bytes=69999-70001"})[2],
              b"DAA")
        equal("block 1 is forgotten", made.code("PUT", path, block_list(("Latest", 1))),
              (400, "InvalidBlockList"))
        equal("again", made.ask("PUT", path, block_list(("Committed", 3)))[0], 201)
        equal("shorter", made.ask("GET", "/a/box/big")[2], b"D" * 70000)
        equal("bad id", made.code("PUT", "/a/box/x?comp=block&blockid=%21", b"x"),
              (400, "InvalidQueryParameterValue"))


def put_pages(made, name, first, body, **headers):
    fields = {"x-ms-page-write": "update" if body else "clear",
              **{key.replace("_", "-"): value for key, value in headers.items()}}
    fields.setdefault("x-ms-range", f"bytes={first}-{first + len(body) - 1}")
    return made.ask("PUT", f"/a/box/{name}?comp=page", body, fields)


def page_ranges(made, name, **headers):
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    status, _, body = made.ask("GET", f"/a/box/{name}?comp=pagelist", None, fields)
    equal("page list", status, 200)
    return [(int(one.find("Start").text), int(one.find("End").text))
            for one in xml.etree.ElementTree.fromstring(body).iter("PageRange")]


def test_pages():
    page_blob = {"x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": "4096"}
    with server("--keep") as made:
        equal("odd length", made.code("PUT", "/a/box/p", b"", {**page_blob, "x-ms-blob-content-length": "4097"}),
              (400, "InvalidHeaderValue"))
        equal("tier", made.code("PUT", "/a/box/p", b"", {**page_blob, "x-ms-access-tier": "Cool"}),
              (400, "InvalidInput"))
        status, headers, _ = made.ask("PUT", "/a/box/p", b"", {
            **page_blob, "x-ms-blob-sequence-number": "7", "x-ms-meta-a": "b"})
        equal("made", status, 201)
        etag = headers["ETag"]
        status, headers, _ = put_pages(made, "p", 512, b"x" * 1024, x_ms_if_sequence_number_eq="7")
        equal("pages", status, 201)
        equal("another etag", headers["ETag"] != etag, True)
        equal("other number", put_pages(made, "p", 0, b"x" * 512, x_ms_if_sequence_number_eq="8")[0], 412)
        equal("not whole pages", put_pages(made, "p", 100, b"x" * 512)[0], 416)
        equal("beyond", put_pages(made, "p", 3584, b"x" * 1024)[0], 416)
        equal("ranges", page_ranges(made, "p"), [(512, 1535)])
        equal("ranges of a part", page_ranges(made, "p", x_ms_range="bytes=1024-4095"), [(1024, 1535)])
        equal("cleared", put_pages(made, "p", 0, b"", x_ms_range="bytes=512-1023")[0], 201)
        equal("ranges", page_ranges(made, "p"), [(1024, 1535)])
        equal("bytes", made.ask("GET", "/a/box/p")[2], bytes(1024) + b"x" * 512 + bytes(2560))
        number = {"x-ms-sequence-number-action": "update", "x-ms-blob-sequence-number": "9"}
        equal("numbered", made.ask("PUT", "/a/box/p?comp=properties", b"", number)[0], 200)
        _, headers, _ = made.ask("HEAD", "/a/box/p")
        equal("properties", (headers["x-ms-blob-type"], headers["x-ms-blob-sequence-number"], headers["x-ms-meta-a"]),
              ("PageBlob", "9", "b"))
        equal("listed type", [one.text for one in listing(made).iter("BlobType")], ["PageBlob"])
        equal("block on pages", made.code("PUT", f"/a/box/p?comp=block&blockid={block_id(0)}", b"x"),
              (409, "InvalidBlobType"))
        put(made, "b", b"1")
        equal("pages of a block blob", put_pages(made, "b", 0, b"x" * 512)[0], 409)
        equal("no blob", put_pages(made, "none", 0, b"x" * 512)[0], 404)
    with faulty("steal:verb=put-page:after=1:count=1") as made:
        made.ask("PUT", "/a/box/p", b"", {**page_blob, "x-ms-blob-sequence-number": "7"})
        equal("ours", put_pages(made, "p", 0, b"x" * 512, x_ms_if_sequence_number_eq="7")[0], 201)
        equal("stolen", put_pages(made, "p", 512, b"x" * 512, x_ms_if_sequence_number_eq="7")[0], 412)
        equal("pages are gone", page_ranges(made, "p"), [])


def test_conditions():
    with server("--keep") as made:
        status, headers, _ = put(made, "x", b"1", If_None_Match="*")
        equal("absent", status, 201)
        etag = headers["ETag"]
        equal("present", made.code("PUT", "/a/box/x", b"2", {**BLOCK_BLOB, "If-None-Match": "*"}),
              (409, "BlobAlreadyExists"))
        equal("other etag", made.code("PUT", "/a/box/x", b"2", {**BLOCK_BLOB, "If-Match": '"0x1"'}),
              (412, "ConditionNotMet"))
        equal("unread", made.ask("GET", "/a/box/x", None, {"If-None-Match": etag})[0], 304)
        equal("read on condition", made.ask("GET", "/a/box/x", None, {"If-Match": etag})[2], b"1")
        equal("same etag", put(made, "x", b"2", If_Match=etag)[0], 201)
        equal("old etag", made.code("GET", "/a/box/x", None, {"If-Match": etag}),
              (412, "ConditionNotMet"))


def test_listings():
    odd = "b&<>\"'\r\n\t"
    with server("--discard") as made:
        for name in ("a", "d/1", "d/2", "d/e/3", "z", odd, "bell\x07", "bad\udcff"):
            put(made, urllib.parse.quote(name, safe="/", errors="surrogateescape"), b"x",
                x_ms_meta_k="v&")
        found, marker, pages = [], "", 0
        while marker is not None:
            tree = listing(made, maxresults=3, marker=marker, include="metadata")
            found += names(tree)
            marker = tree.find("NextMarker").text
            pages += 1
        equal("pages", pages, 3)
        equal("names", found, ["a", odd, "bad%FF", "bell%07", "d/1", "d/2", "d/e/3", "z"])
        equal("metadata", {m.text for m in tree.iter("k")}, {"v&"})
        equal("prefix", names(listing(made, prefix="d/")), ["d/1", "d/2", "d/e/3"])
        tree = listing(made, prefix="d/", delimiter="/")
        equal("with delimiter", names(tree), ["d/1", "d/2"])
        equal("folders", [p.find("Name").text for p in tree.iter("BlobPrefix")], ["d/e/"])
        equal("nothing kept", made.code("GET", "/a/box/a"), (409, "BodyDiscarded"))
        equal("bad marker", made.code("GET", "/a/box?restype=container&comp=list&marker=%2A"),
              (400, "InvalidQueryParameterValue"))


def test_files():
    root = WORK / "root"
    (root / "box" / "d").mkdir(parents=True)
    (root / "box" / "d" / "f").write_bytes(bytes(range(256)) * 1000)
    (root / "box" / "link").symlink_to("/etc/passwd")
    made = Server("--root", str(root))
    equal("listing", names(listing(made)), ["d/f"])
    equal("file", made.ask("GET", "/a/box/d/f")[2], bytes(range(256)) * 1000)
    equal("range", made.ask("GET", "/a/box/d/f", None, {"Range": "bytes=255-257"})[2],
          b"\xff\x00\x01")
    equal("way out", made.ask("GET", "/a/box/../../tls.key")[0], 404)
    equal("link out", made.ask("GET", "/a/box/link")[0], 404)
    equal("write", put(made, "x", b"1")[0], 403)
    made.process.terminate()
    equal("exit", made.process.wait(20), 0)


def signed(method, path, key, length, **headers):
    fields = {"x-ms-date": "Fri, 02 Jan 2026 03:04:05 GMT", "x-ms-version": "2021-12-02",
              **{name.replace("_", "-"): value for name, value in headers.items()}}
    where, _, query = path.partition("?")
    canonical = "".join(f"{name.lower()}:{fields[name]}\n" for name in sorted(fields, key=str.lower))
    resource = "/a" + where + "".join(f"\n{name}:{value}" for name, value in
                                      sorted(urllib.parse.parse_qsl(query)))
    text = f"{method}\n\n\n{length or ''}\n\n\n\n\n\n\n\n\n{canonical}{resource}"
    mac = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    return {**fields, "Authorization": f"SharedKey a:{mac}"}


def test_signatures():
    key = b"k" * 64
    env = {"BENCH_SERVER_KEY": base64.b64encode(key).decode(), "BENCH_SERVER_TOKEN": "let-me-in"}
    made = Server("--keep", env=env)
    path = "/a/box?restype=container"
    equal("unsigned", made.code("PUT", path), (401, "NoAuthenticationInformation"))
    equal("signed", made.ask("PUT", path, None, signed("PUT", path, key, 0))[0], 201)
    equal("other key", made.code("HEAD", path, None, signed("HEAD", path, b"x", 0)),
          (403, "AuthenticationFailed"))
    path = "/a/box/b%20c"
    fields = signed("PUT", path, key, 3, x_ms_blob_type="BlockBlob")
    equal("blob", made.ask("PUT", path, b"abc", fields)[0], 201)
    equal("changed after signing", made.code("PUT", path, b"abcd", fields),
          (403, "AuthenticationFailed"))
    equal("token", made.ask("GET", path, None, {"Authorization": "Bearer let-me-in"})[2], b"abc")
    equal("wrong token", made.code("GET", path, None, {"Authorization": "Bearer let-me"}),
          (403, "AuthenticationFailed"))
    made.process.terminate()
    equal("exit", made.process.wait(20), 0)


def test_tls():
    trust = ssl.create_default_context(cafile=str(WORK / "tls.crt"))
    body = os.urandom(3_000_001)
    with server("--keep", "--cert", str(WORK / "tls.crt"), "--key", str(WORK / "tls.key"),
                tls=trust) as made:
        equal("put", put(made, "t", body)[0], 201)
        equal("get", made.ask("GET", "/a/box/t")[2] == body, True)


def test_answers_that_refuse():
    with faulty("busy:verb=put-blob:count=1:seconds=7", "error:verb=head-blob:status=502",
                "throttle:verb=get-blob", "gone:verb=list-blobs", "full:verb=put-block",
                "refuse-crc") as made:
        status, headers, _ = put(made, "x", b"1")
        equal("busy", (status, headers["x-ms-error-code"], headers["Retry-After"]),
              (503, "ServerBusy", "7"))
        equal("once", put(made, "x", b"1")[0], 201)
        equal("error", made.code("HEAD", "/a/box/x"), (502, "InternalError"))
        equal("throttle", made.code("GET", "/a/box/x"), (429, "TooManyRequests"))
        equal("gone", made.code("GET", "/a/box?restype=container&comp=list"),
              (404, "ContainerNotFound"))
        equal("full", put_block(made, "x", 0, b"1")[0], 507)
        status, headers, _ = put(made, "y", b"123456789", x_ms_content_crc64=CRC_OF_123456789)
        equal("refuse-crc", (status, headers["x-ms-error-code"]), (400, "UnsupportedHeader"))
        equal("faults counted", made.counters()["faults"]["busy"], 1)


def test_every_and_after():
    with faulty("error:verb=put-blob:after=2:every=3:count=2") as made:
        got = [put(made, "x", b"1")[0] for _ in range(12)]
        equal("answers", got, [201] * 4 + [500] + [201] * 2 + [500] + [201] * 4)


def test_broken_connections():
    body = os.urandom(500_000)
    with faulty("reset:verb=put-blob:count=1", "reset:verb=get-blob:count=1",
                "lost-answer:verb=put-block:count=1", "truncate:verb=get-blob:after=1:count=1",
                "corrupt:verb=get-blob:after=2:count=1") as made:
        equal("reset while sending", made.breaks("PUT", "/a/box/x", body, BLOCK_BLOB), True)
        equal("nothing stored", made.code("HEAD", "/a/box/x"), (404, "BlobNotFound"))
        equal("put", put(made, "x", body)[0], 201)
        equal("reset while reading", made.breaks("GET", "/a/box/x"), True)
        try:
            made.ask("GET", "/a/box/x")
            raise SystemExit("FAILED: a body that was cut off looked whole")
        except http.client.IncompleteRead as short:
            equal("half of it", short.partial, body[:250_000])
        made.connection = made.connect()
        got = made.ask("GET", "/a/box/x")[2]
        wrong = [index for index in range(len(body)) if got[index] != body[index]]
        equal("one bit", (len(got), wrong, got[250_000] ^ body[250_000]), (len(body), [250_000], 1))
        equal("whole at last", made.ask("GET", "/a/box/x")[2] == body, True)
        equal("lost answer", made.breaks("PUT", f"/a/box/l?comp=block&blockid=QUFBQQ%3D%3D", b"z"),
              True)
        _, _, text = made.ask("GET", "/a/box/l?comp=blocklist&blocklisttype=all")
        equal("and yet it is there", b"<Name>QUFBQQ==</Name>" in text, True)


def test_hang_and_slow_close():
    with faulty("hang:verb=put-blob:seconds=1", "slow-close:verb=get-blob:seconds=1") as made:
        # The body is taken, and never answered: the end comes by the limit that was set.
        equal("hang", made.breaks("PUT", "/a/box/x", os.urandom(300_000), BLOCK_BLOB), True)
        made.connection.request("GET", "/a/box/x")
        answer = made.connection.getresponse()
        equal("slow close", (answer.status, answer.headers["Connection"]), (404, "close"))
        answer.read()


def test_wrong_and_missing_sums():
    with faulty("wrong-crc:verb=put-blob:count=1", "no-crc:verb=put-block") as made:
        _, headers, _ = put(made, "x", b"123456789", x_ms_content_crc64=CRC_OF_123456789)
        got = base64.b64decode(headers["x-ms-content-crc64"])
        equal("wrong-crc", int.from_bytes(got, "little"), 0xAE8B14860A799888 ^ 1)
        status, headers, _ = put_block(made, "x", 0, b"1")
        equal("no-crc", (status, headers["x-ms-content-crc64"]), (201, None))


def test_expired():
    with faulty("expire:after=2") as made:
        equal("still good", put(made, "x", b"1")[0], 201)
        for _ in range(2):
            equal("expired", made.code("HEAD", "/a/box/x"), (403, "AuthenticationFailed"))
        made.process.send_signal(signal.SIGUSR2)
        equal("answer", made.process.stdout.readline(), "renewed\n")
        equal("renewed", made.ask("HEAD", "/a/box/x")[0], 200)


def test_stolen():
    with faulty("steal:after=1") as made:
        _, headers, _ = put(made, "x", b"1")
        equal("changed meanwhile", made.code("PUT", "/a/box/x", b"2",
                                             {**BLOCK_BLOB, "If-Match": headers["ETag"]}),
              (412, "ConditionNotMet"))
        equal("made meanwhile", made.code("PUT", "/a/box/new", b"2",
                                          {**BLOCK_BLOB, "If-None-Match": "*"}),
              (409, "BlobAlreadyExists"))
        equal("bytes stay", made.ask("GET", "/a/box/x")[2], b"1")


def test_counters_and_usage():
    with server("--discard") as made:
        put(made, "x", b"12345")
        counters = made.counters()
        equal("counters", (counters["requests"], counters["puts"], counters["bytes_stored"],
                           counters["verbs"]["put-container"]), (2, 1, 5, 1))
    for rule in ("nothing", "busy:every=0", "busy:when=1", "busy:status=200", "corrupt:verb=put-blob"):
        done = subprocess.run([SERVER, "--fault", rule], capture_output=True, text=True)
        equal(rule, (done.returncode, rule.split(":")[0] in done.stderr), (2, True))


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print(f"ok {name}")
