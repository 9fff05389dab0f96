"""A blob store of which one blob is in the archive tier: it may not be written over, all else may."""
import contextlib
import http.server
import threading
import urllib.parse

LISTING = ('<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs><Blob><Name>{name}</Name><Properties>'
           '<Last-Modified>Mon, 01 Jan 2024 00:00:00 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>4'
           '</Content-Length><BlobType>BlockBlob</BlobType><AccessTier>Archive</AccessTier></Properties></Blob>'
           '</Blobs><NextMarker /></EnumerationResults>')


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def is_archived(self):
        return urllib.parse.urlsplit(self.path).path.endswith("/" + self.server.archived)

    def do_GET(self):
        self.answer(200, LISTING.format(name=self.server.archived).encode(), Content_Type="application/xml")

    def do_HEAD(self):
        if self.is_archived():
            self.answer(200, Content_Length="4", ETag='"0x1"', x_ms_blob_type="BlockBlob", x_ms_access_tier="Archive",
                        Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")
        else:
            self.answer(404, x_ms_error_code="BlobNotFound")

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.is_archived():
            self.answer(409, x_ms_error_code="BlobArchived")
        else:
            self.server.written.append(urllib.parse.urlsplit(self.path).path)
            self.answer(201, ETag='"0x2"', Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(archived):
    """Its `written` are the paths of what it took."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.archived = archived
        server.written = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
