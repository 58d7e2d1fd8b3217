"""A plain HTTP proxy on loopback, to see that environment variables for proxies are obeyed."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType


class ForwardProxy:
    """Passes requests on and remembers them as ``(url, proxy authorization)``."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                self.forward()

            def do_HEAD(self) -> None:
                self.forward()

            def forward(self) -> None:
                proxy.seen.append((self.path, self.headers.get("Proxy-Authorization", "")))
                url = urlsplit(self.path)
                link = http.client.HTTPConnection(url.netloc, timeout=20)
                kept = {
                    name: value
                    for name, value in self.headers.items()
                    if not name.lower().startswith("proxy-")
                }
                link.request(self.command, f"{url.path}?{url.query}", headers=kept)
                answer = link.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("date", "server", "content-length"):
                        self.send_header(name, value)
                length = answer.getheader("Content-Length") or str(len(body))
                self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True
                link.close()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
