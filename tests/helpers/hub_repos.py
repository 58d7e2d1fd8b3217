"""What a local hub holds: repositories with files and commits, described as the real Hub does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

LARGE = (".safetensors", ".gguf", ".bin", ".pt", ".onnx")
_FIRST_DAY = datetime(2025, 3, 1, tzinfo=UTC)
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """One version of one file; ``content`` may be a path, so that gigabytes need no memory."""

    content: bytes | Path
    size: int
    sha256: str
    git_sha1: str
    large: bool

    @property
    def etag(self) -> str:
        """What the Hub calls the linked ETag."""
        return self.sha256 if self.large else self.git_sha1

    @property
    def xet_hash(self) -> str:
        """The content store's own name for it, which is no sha256 of the file."""
        return hashlib.sha256(f"xet {self.sha256}".encode()).hexdigest()

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes ``start`` to ``end``, the end left out."""
        if isinstance(self.content, bytes):
            return self.content[start:end]
        with self.content.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


def make_blob(name: str, content: bytes | Path) -> Blob:
    """Hash a file as git and git-lfs do."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    sha256 = hashlib.sha256()
    git = hashlib.sha1(f"blob {size}\0".encode())
    for block in _blocks(content):
        sha256.update(block)
        git.update(block)
    return Blob(content, size, sha256.hexdigest(), git.hexdigest(), name.endswith(LARGE))


def _blocks(content: bytes | Path) -> Any:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


@dataclass
class Repo:
    """A model repository; ``commits`` keeps every version, the last one is ``main``.

    ``users`` are the tokens that may read a gated or private repository.
    """

    id: str
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    gated: Literal[False, "auto", "manual"] = False
    private: bool = False
    users: set[str] = field(default_factory=set)
    tags: tuple[str, ...] = ()
    license: str = "apache-2.0"
    pipeline_tag: str = "text-generation"
    library_name: str = "transformers"
    downloads: int = 100
    likes: int = 5
    trending: int = 0
    age_days: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes | Path | None]) -> str:
        """Add, change or (``None``) remove files; return the commit's name."""
        tree = dict(self.commits[self.head]) if self.commits else {}
        for name, content in files.items():
            if content is None:
                tree.pop(name)
            else:
                tree[name] = make_blob(name, content)
        text = repr(sorted((name, blob.git_sha1) for name, blob in tree.items()))
        sha = hashlib.sha1(f"{self.id} {len(self.commits)} {text}".encode()).hexdigest()
        self.commits[sha] = tree
        return sha

    @property
    def head(self) -> str:
        """The newest commit."""
        return list(self.commits)[-1]

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch or (shortened) commit name means."""
        if revision == "main":
            return self.head
        found = [sha for sha in self.commits if len(revision) >= 7 and sha.startswith(revision)]
        return found[0] if found else None

    @property
    def all_tags(self) -> tuple[str, ...]:
        """Tags as the Hub adds them itself: formats, licence, region."""
        names = self.commits[self.head]
        formats = [
            kind for kind in ("gguf", "safetensors") if any(one.endswith(kind) for one in names)
        ]
        own = (*formats, *self.tags, f"license:{self.license}", "region:us")
        return tuple(dict.fromkeys((self.library_name, *own)))

    def moment(self) -> str:
        """When it was made and last changed."""
        moment = _FIRST_DAY - timedelta(days=self.age_days)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def info(self, sha: str, *, blobs: bool) -> dict[str, Any]:
        """Return the body of ``/api/models/{id}``, shaped like the recorded ones."""
        tree = self.commits[sha]
        stored = sum(blob.size for blob in tree.values())
        return self.summary() | {
            "sha": sha,
            "author": self.id.partition("/")[0],
            "gated": self.gated,
            "disabled": False,
            "lastModified": self.moment(),
            "model-index": None,
            "config": {},
            "cardData": {"license": self.license},
            "spaces": [],
            "siblings": [sibling(name, blob, blobs=blobs) for name, blob in sorted(tree.items())],
            "usedStorage": stored,
            **self.extra,
        }

    def summary(self) -> dict[str, Any]:
        """Return what a search gives without ``full``."""
        return {
            "_id": hashlib.md5(self.id.encode()).hexdigest()[:24],
            "id": self.id,
            "modelId": self.id,
            "private": self.private,
            "pipeline_tag": self.pipeline_tag,
            "library_name": self.library_name,
            "tags": list(self.all_tags),
            "downloads": self.downloads,
            "likes": self.likes,
            "trendingScore": self.trending,
            "createdAt": self.moment(),
        }

    def listed(self, *, full: bool) -> dict[str, Any]:
        """Return an entry of a search: siblings have names only, never sizes."""
        if not full:
            return self.summary()
        entry = self.info(self.head, blobs=False)
        return {key: value for key, value in entry.items() if key not in ("spaces", "usedStorage")}

    def tree(self, sha: str) -> list[dict[str, Any]]:
        """Return the body of the recursive tree of a commit."""
        return [tree_entry(name, blob) for name, blob in sorted(self.commits[sha].items())]


def sibling(name: str, blob: Blob, *, blobs: bool) -> dict[str, Any]:
    """Describe a file as model info does; sizes and hashes only with ``?blobs=true``."""
    if not blobs:
        return {"rfilename": name}
    entry: dict[str, Any] = {"rfilename": name, "size": blob.size, "blobId": blob.git_sha1}
    if blob.large:
        entry["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": 135}
    return entry


def tree_entry(name: str, blob: Blob) -> dict[str, Any]:
    """Describe a file as the tree endpoint does."""
    entry: dict[str, Any] = {"oid": blob.git_sha1, "path": name, "size": blob.size, "type": "file"}
    if blob.large:
        entry["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": 135}
        entry["xetHash"] = blob.xet_hash
    return entry
