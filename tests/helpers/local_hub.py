"""A hub on loopback that the real huggingface_hub client accepts, and a content store beside it.

Shapes and headers follow recorded exchanges (hub-fixtures). Two ports, as the real one has two
hosts: the hub answers a large file with a redirect to the store, whose ETag is not the sha256 and
which never may see a token. Every fault of ``hub_faults`` can be switched on.
"""

from __future__ import annotations

import socketserver
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.helpers.hub_faults import FaultPlan
from tests.helpers.hub_handler import HubHandler, shut
from tests.helpers.hub_repos import Repo

if TYPE_CHECKING:
    import socket
    from pathlib import Path
    from types import TracebackType

    from tests.helpers.hub_repos import Blob

_LINK_S = 3600


@dataclass(frozen=True)
class Seen:
    """One request as it came in; ``server`` is ``hub`` or ``store``."""

    server: str
    method: str
    path: str
    headers: dict[str, str]


class HubServer(socketserver.ThreadingTCPServer):
    """One of the two hosts."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, name: str, hub: LocalHub, certificate: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        self.name = name
        self.hub = hub
        self.open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep the hub's own mistakes; a client that has gone is what many tests are about."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.hub.mistakes.append(error)


class LocalHub:
    """Serves repositories until closed.

    Args:
        certificate: PEM file with key and certificate; given, both servers speak TLS.

    Attributes:
        repos: By id; add with ``add``.
        renamed: Old id to new id; the old one redirects.
        requests: Everything that was asked.
        bytes_sent: Body bytes of files that were sent.
        faults: What goes wrong next.
        xet: Offer large files through Xet as well, as the real hub does; its protocol is not here.
        page_size: Entries per page of a search.
        scratch: A folder that a test may hand around with the hub.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.repos: dict[str, Repo] = {}
        self.renamed: dict[str, str] = {}
        self.requests: list[Seen] = []
        self.bytes_sent = 0
        self.faults = FaultPlan()
        self.page_size = 50
        self.xet = False
        self.mistakes: list[BaseException] = []
        self.scratch: Path | None = None
        self.closing = threading.Event()
        self._generation = 0
        self._lock = threading.Lock()
        self._hub = HubServer("hub", self, certificate)
        self._store = HubServer("store", self, certificate)
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            for server in (self._hub, self._store)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def endpoint(self) -> str:
        """What ``HF_ENDPOINT`` would say."""
        return self._hub.url

    @property
    def store_url(self) -> str:
        """Where the bytes of large files come from."""
        return self._store.url

    def add(self, repo_id: str, files: dict[str, bytes | Path], **facts: Any) -> Repo:
        """Make a repository with one commit."""
        repo = Repo(repo_id, **facts)
        repo.commit(dict(files))
        self.repos[repo_id] = repo
        return repo

    def expire_links(self) -> None:
        """Let every link handed out so far be answered with 403."""
        self._generation += 1

    def link(self, blob: Blob) -> str:
        """Return a signed link to the content store."""
        until = int(time.time()) + _LINK_S
        query = f"X-Xet-Cas-Uid=public&Expires={until}&Policy=p&Signature=s{self._generation}"
        return f"{self.store_url}/xet-bridge-us/{blob.sha256}/{blob.xet_hash}?{query}"

    def link_lives(self, query: dict[str, list[str]]) -> bool:
        """Tell whether a link has not expired."""
        return query.get("Signature") == [f"s{self._generation}"]

    def find_blob(self, sha256: str) -> Blob | None:
        """Return a file by its hash."""
        trees = [tree for repo in self.repos.values() for tree in repo.commits.values()]
        return next((b for tree in trees for b in tree.values() if b.sha256 == sha256), None)

    def note(self, server: str, method: str, path: str, headers: dict[str, str]) -> None:
        """Remember a request."""
        with self._lock:
            self.requests.append(Seen(server, method, path, headers))

    def count(self, sent: int) -> None:
        """Add to the bytes sent."""
        with self._lock:
            self.bytes_sent += sent

    def asked(self, part: str, server: str = "") -> list[Seen]:
        """Return the requests whose path has a part."""
        return [one for one in self.requests if part in one.path and server in one.server]

    def drop_connections(self) -> None:
        """Cut everything that is open, as pulling the cable does."""
        for server in (self._hub, self._store):
            for connection in list(server.open):
                shut(connection)

    def close(self) -> None:
        """Stop both servers and every connection."""
        self.closing.set()
        for server in (self._hub, self._store):
            server.shutdown()
            server.server_close()
        self.drop_connections()
        for thread in self._threads:
            thread.join()
        if self.mistakes:
            raise self.mistakes[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
