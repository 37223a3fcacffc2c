"""A proxy before a real S3 server that fails its first requests, in the ways networks and servers do."""

import http.client
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DELAY_S = 1.0
HOP = ("connection", "keep-alive", "transfer-encoding")
ANSWERS = {"429": "TooManyRequests", "500": "InternalError", "503": "SlowDown"}


class Proxy(ThreadingHTTPServer):
    """Passes requests on to an S3 server, but for those that a fault is planned for.

    Args:
        upstream: address of the server, `host:port`.

    Attributes:
        faults: what becomes of the next requests, one each: a status in `ANSWERS`, `drop` (the connection
            is reset), `truncate` (half of the body is sent; an answer without one passes, and leaves the
            fault to the next) or `delay` (the answer comes after `DELAY_S`).
        requests: how many came.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, upstream: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.upstream = upstream
        self.faults: deque[str] = deque()
        self.requests = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client went away
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass

    def pass_on(self) -> None:
        self.server.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.faults.popleft() if self.server.faults else ""
        if fault == "drop":
            self.reset()
        elif fault in ANSWERS:
            self.refuse(int(fault))
        else:
            self.relay(body, fault)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = pass_on  # noqa: N815

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def refuse(self, status: int) -> None:
        code = ANSWERS[str(status)]
        body = (
            f"<Error><Code>{code}</Code><Message>Please reduce your request rate.</Message></Error>".encode()
        )
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def relay(self, body: bytes, fault: str) -> None:
        if fault == "delay":
            time.sleep(DELAY_S)
        upstream = http.client.HTTPConnection(self.server.upstream)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        response = upstream.getresponse()
        content = response.read()
        upstream.close()
        if fault == "truncate" and not content:
            self.server.faults.appendleft(fault)
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in (*HOP, "content-length", "date", "server"):
                self.send_header(name, value)
        length = response.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if fault == "truncate" and content:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        else:
            self.wfile.write(content)


@contextmanager
def proxy(upstream: str, port: int = 0) -> Iterator[Proxy]:
    """A proxy for the time of the block."""
    with Proxy(upstream, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
