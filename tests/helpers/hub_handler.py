"""How the local hub answers: the JSON surface, the redirects and the bytes."""

from __future__ import annotations

import gzip
import json
import re
import socket
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from tests.helpers.hub_faults import Fault
    from tests.helpers.hub_repos import Blob, Repo
    from tests.helpers.local_hub import HubServer

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_STEP = 1 << 16


def shut(connection: socket.socket) -> None:
    """End a connection under whoever reads from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class HubHandler(BaseHTTPRequestHandler):
    """Answers one connection, on the hub or on the store."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.hub = self.server.hub
        self.query = parse_qs(url.query)
        path = unquote(url.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.note(self.server.name, self.command, self.path, headers)
        if self.server.name == "store":
            self._store(path)
        elif path.startswith("/api/resolve-cache/models/"):
            self._resolve_cache(path)
        elif path.startswith("/api/"):
            self._api(path)
        else:
            self._resolve(path)

    # --- JSON -----------------------------------------------------------------------------------

    def _api(self, path: str) -> None:
        if self._suffers(self.hub.faults.take("api")):
            return None
        if path == "/api/whoami-v2":
            return self._whoami()
        return self._search() if path == "/api/models" else self._model(path)

    def _model(self, path: str) -> None:
        match = re.fullmatch(
            r"/api/models/(?P<id>[^/]+/[^/]+|[^/]+?)(?:/(?P<what>revision|tree)/(?P<rest>.+))?",
            path,
        )
        repo = self._repo(match["id"], "/api/models/{}") if match else None
        if match is None or repo is None:
            return None
        revision, _, folder = (match["rest"] or "main").partition("/")
        sha = repo.resolve(revision)
        if sha is None:
            return self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if match["what"] != "tree":
            blobs = self.query.get("blobs", ["false"])[0].lower() == "true"
            return self._json(repo.info(sha, blobs=blobs))
        entries = [one for one in repo.tree(sha) if one["path"].startswith(folder)]
        return self._json(entries)

    def _whoami(self) -> None:
        if not self._token():
            return self._error(401, "", "Invalid username or password.")
        return self._json({"type": "user", "name": "reader", "auth": {"type": "access_token"}})

    def _search(self) -> None:
        wanted = self.query.get("search", [""])[0].lower()
        author = self.query.get("author", [""])[0]
        tags = {tag for value in self.query.get("filter", []) for tag in value.split(",")}
        found = [
            repo
            for repo in self.hub.repos.values()
            if wanted in repo.id.lower()
            and (not author or repo.id.startswith(f"{author}/"))
            and tags <= set(repo.all_tags)
            and not repo.private
        ]
        order = self.query.get("sort", ["trendingScore"])[0]
        keys = {"lastModified": "createdAt"}
        found.sort(key=lambda repo: repo.summary()[keys.get(order, order)], reverse=True)
        limit = min(int(self.query.get("limit", ["1000"])[0]), self.hub.page_size)
        start = int(self.query.get("cursor", ["0"])[0])
        page = found[start : start + limit]
        links = {}
        if start + limit < len(found):
            kept = [(key, one) for key, many in self.query.items() for one in many]
            pairs = [*((k, v) for k, v in kept if k != "cursor"), ("cursor", str(start + limit))]
            query = "&".join(f"{key}={quote(value)}" for key, value in pairs)
            links["Link"] = f'<{self.hub.endpoint}/api/models?{query}>; rel="next"'
        full = bool(self.query.get("full")) or bool(self.query.get("expand"))
        self._json([repo.listed(full=full) for repo in page], links)

    def _repo(self, repo_id: str, path: str) -> Repo | None:
        """Return a repository that this reader may know of, or answer why not."""
        if repo_id in self.hub.renamed:
            rest = self.path.partition(repo_id)[2]
            self._redirect(307, path.format(self.hub.renamed[repo_id]) + rest)
            return None
        repo = self.hub.repos.get(repo_id)
        if repo is not None and not (repo.private and self._token() not in repo.users):
            return repo
        if self._token():
            self._error(404, "RepoNotFound", "Repository not found")
        else:
            self._error(401, "RepoNotFound", "Invalid username or password.")
        return None

    # --- files ----------------------------------------------------------------------------------

    def _resolve(self, path: str) -> None:
        match = re.fullmatch(r"/(?P<id>.+?)/resolve/(?P<rev>[^/]+)/(?P<name>.+)", path)
        if match is None:
            return self._error(404, "", "Sorry, we can't find the page you are looking for.")
        repo = self._repo(match["id"], "/{}")
        if repo is None:
            return None
        fault = self.hub.faults.take("resolve")
        if self._suffers(fault) or self._is_gated(repo):
            return None
        return self._resolve_in(repo, match, fault)

    def _resolve_in(self, repo: Repo, match: re.Match[str], fault: Fault | None) -> None:
        sha = repo.resolve(match["rev"])
        if sha is None:
            return self._error(404, "RevisionNotFound", f"Invalid rev id: {match['rev']}")
        blob = repo.commits[sha].get(match["name"])
        if blob is None:
            return self._error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": sha})
        return self._send_to(repo, sha, match["name"], blob, fault)

    def _send_to(self, repo: Repo, sha: str, name: str, blob: Blob, fault: Fault | None) -> None:
        etag = "0" * 64 if fault and fault.kind == "changed" else blob.etag
        headers = {
            "X-Repo-Commit": sha,
            "X-Linked-Size": str(blob.size),
            "X-Linked-ETag": f'"{etag}"',
            "Accept-Ranges": "bytes",
        }
        if fault and fault.kind == "bare":
            headers = {}
        if not blob.large:
            where = f"/api/resolve-cache/models/{repo.id}/{sha}/{quote(name)}"
            return self._redirect(307, where, headers)
        if self.hub.xet:
            token = f"{self.hub.endpoint}/api/models/{repo.id}/xet-read-token/{sha}"
            headers |= {"X-Xet-Hash": blob.xet_hash, "Link": f'<{token}>; rel="xet-auth"'}
        return self._redirect(302, self.hub.link(blob), headers)

    def _resolve_cache(self, path: str) -> None:
        org, name, sha, file = path.removeprefix("/api/resolve-cache/models/").split("/", 3)
        repo = self.hub.repos[f"{org}/{name}"]
        if self._is_gated(repo):
            return
        blob = repo.commits[sha][file]
        self._send_file(blob, f'"{blob.git_sha1}"', {"X-Repo-Commit": sha})

    def _is_gated(self, repo: Repo) -> bool:
        if not repo.gated or self._token() in repo.users:
            return False
        status = 403 if self._token() else 401
        self._error(
            status, "GatedRepo", f"Access to model {repo.id} is restricted and you are not in the "
            "authorized list."
        )  # fmt: skip
        return True

    def _store(self, path: str) -> None:
        if "authorization" in {name.lower() for name in self.headers}:
            return self._error(400, "", "Only one auth mechanism allowed")
        blob = self.hub.find_blob(path.split("/")[2])
        if blob is None or not self.hub.link_lives(self.query):
            return self._error(403, "", "Request has expired")
        return self._send_file(blob, f'"{blob.xet_hash}"', {})

    def _send_file(self, blob: Blob, etag: str, headers: dict[str, str]) -> None:
        fault = self.hub.faults.take("file")
        if self._suffers(fault):
            return None
        kind = fault.kind if fault else ""
        at = fault.at if fault else 0
        size = blob.size + at if kind == "wrong_length" else blob.size
        span = None if kind in ("ignore_range", "gzip") else self._span(size)
        start, end = span or (0, size)
        if span and start >= size:
            return self._answer(416, {"Content-Range": f"bytes */{size}"}, b"")
        if span and kind == "wrong_range":
            start = max(0, start - 1)
        sent = {"ETag": etag, "Content-Type": "application/octet-stream", **headers}
        sent["Accept-Ranges"] = "none" if kind == "ignore_range" else "bytes"
        if span:
            sent["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        if kind == "gzip":
            packed = gzip.compress(blob.read(0, size), 1)
            self.hub.count(len(packed))
            return self._answer(200, {**sent, "Content-Encoding": "gzip"}, packed)
        self._head(206 if span else 200, {**sent, "Content-Length": str(end - start)})
        if self.command != "HEAD":
            self._body(blob, start, end, fault)
        return None

    def _span(self, size: int) -> tuple[int, int] | None:
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        if match is None:
            return None
        first, last = match.groups()
        if not first:
            return max(0, size - int(last)), size
        return int(first), min(int(last) + 1, size) if last else size

    def _body(self, blob: Blob, start: int, end: int, fault: Fault | None) -> None:
        if fault is None and isinstance(blob.content, Path):
            with blob.content.open("rb") as file:
                self.hub.count(self.connection.sendfile(file, start, end - start))
            return
        kind, at = (fault.kind, fault.at) if fault else ("", 0)
        stop = min(end, start + at) if kind in ("disconnect", "stall") else end
        step = max(1, at // 20) if kind == "slow" else _STEP
        while start < stop:
            block = bytearray(blob.read(start, min(start + step, stop)))
            block += b"\0" * (min(start + step, stop) - start - len(block))
            if kind == "corrupt" and start <= at < start + len(block):
                block[at - start] ^= 0xFF
            self.connection.sendall(block)
            self.hub.count(len(block))
            start += len(block)
            if kind == "slow":
                self.hub.closing.wait(0.05)
        if kind == "stall" and fault:
            self.hub.closing.wait(fault.seconds)
        if stop < end:
            self._cut()

    # --- answers --------------------------------------------------------------------------------

    def _suffers(self, fault: Fault | None) -> bool:
        if fault is not None and fault.kind == "stall" and fault.place != "file":
            self.hub.closing.wait(fault.seconds)
        if fault is None or fault.kind not in ("status", "refuse"):
            return False
        if fault.kind == "refuse":
            self._cut()
        else:
            self._answer(fault.status, dict(fault.headers), b"trouble")
        return True

    def _cut(self) -> None:
        self.close_connection = True
        shut(self.connection)

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _redirect(self, status: int, where: str, headers: dict[str, str] | None = None) -> None:
        self._answer(status, {"Location": where, **(headers or {})}, b"Redirecting")

    def _error(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        names = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
        body = json.dumps({"error": message}).encode()
        self._answer(status, {"Content-Type": "application/json", **names, **(headers or {})}, body)

    def _json(self, value: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        kind = {"Content-Type": "application/json; charset=utf-8"}
        self._answer(200, {**kind, **(headers or {})}, body)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self._head(status, {**headers, "Content-Length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
