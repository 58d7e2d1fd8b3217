"""A snapshot as a file: safetensors, with everything that says whether it may be used.

The layout is that of safetensors (eight bytes of length, a JSON header, arrays without gaps), so
that nothing in it can run. The header names format, model, build and settings and holds a digest
of the tokens; the last array is a digest of every byte before it. What does not fit in any way
raises ``UnusableError``; nothing of such a file reaches an engine.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import numpy as np

from inference.past.folder import unfinished
from inference.past.identity import Identity
from inference.past.snapshot import Part, Snapshot, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from inference.cancel import CancelToken

VERSION: Final = 1
"""Raised whenever a file is to be read in another way; older ones are then dropped."""

_NAME: Final = "glasshouse past work"
_LENGTH: Final = struct.Struct("<Q")
_LARGEST_HEADER: Final = 1 << 20
_DIGEST_BYTES: Final = 32
_CHUNK: Final = 4 << 20
_TOKENS: Final = "tokens"
_CHECKSUM: Final = "checksum"
_WIDTHS: Final = {"U8": 1, "BF16": 2, "F16": 2, "I32": 4, "F32": 4}


class UnusableError(Exception):
    """The file is damaged, or of another kind; the text says what is wrong, for the log."""


class _Entry(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[Annotated[int, msgspec.Meta(ge=0)], ...]
    data_offsets: tuple[int, int]


class _About(msgspec.Struct, frozen=True):
    format: str
    version: str
    identity: str
    chat: str
    facts: str
    tokens_digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a file says; its tokens are whole, the rest is not looked at yet.

    Attributes:
        identity: Whose work it is.
        chat: ``short_digest`` of the chat's key.
        tokens: What was read, (T,).
        facts: The engine's numbers.
        places: Name, type and shape of each array, and where its bytes are in the file.
        size: Bytes of the file.
    """

    identity: Identity
    chat: str
    tokens: Tokens
    facts: Mapping[str, int]
    places: Mapping[str, tuple[str, tuple[int, ...], slice]]
    size: int


def file_size(snapshot: Snapshot) -> int:
    """Return about how many bytes the file of a snapshot has."""
    return snapshot.size_bytes + snapshot.tokens.nbytes + 4096


def write_snapshot(
    path: Path,
    snapshot: Snapshot,
    identity: Identity,
    chat: str,
    cancel: CancelToken,
) -> bool:
    """Write a file that is whole or not there; return whether it is.

    Args:
        path: Its folder is there.
        snapshot: What to write.
        identity: Whose work it is.
        chat: ``short_digest`` of the chat's key.
        cancel: Looked at every few megabytes; nothing is left of a write that was given up.

    Raises:
        OSError: It cannot be written; nothing is left of it.
    """
    part = unfinished(path)
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    try:
        with part.open("wb") as file:
            for chunk in _chunks(snapshot, identity, chat):
                if cancel.cancelled:
                    break
                digest.update(chunk)
                file.write(chunk)
            else:
                file.write(digest.digest())
                file.close()
                part.replace(path)
                return True
    finally:
        part.unlink(missing_ok=True)
    return False


def read_head(path: Path) -> Head:
    """Read header and tokens.

    Raises:
        UnusableError: The file is damaged, or not of this version.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        start = file.read(_LENGTH.size)
        if len(start) < _LENGTH.size:
            raise UnusableError("it is cut off in its first bytes")
        (length,) = _LENGTH.unpack(start)
        if length > min(_LARGEST_HEADER, size):
            raise UnusableError("its header is longer than can be")
        about, entries = _read_header(file.read(length))
        base = _LENGTH.size + length
        _check_places(entries, size - base)
        begin, end = entries[_TOKENS].data_offsets
        file.seek(base + begin)
        data = file.read(end - begin)
    if _digest_of(data) != about.tokens_digest:
        raise UnusableError("its tokens are damaged")
    return Head(
        identity=_decoded(about.identity, Identity),
        chat=about.chat,
        tokens=np.frombuffer(data, dtype="<i4").astype(np.int32, copy=False),
        facts=_decoded(about.facts, dict[str, int]),
        places={
            name: (entry.dtype, entry.shape, slice(*(base + at for at in entry.data_offsets)))
            for name, entry in entries.items()
        },
        size=size,
    )


def read_snapshot(path: Path, identity: Identity) -> Snapshot:
    """Map a file into memory and check every byte of it.

    Args:
        path: A file.
        identity: Whose work it has to be.

    Raises:
        UnusableError: It is damaged, or somebody else's.
        OSError: It cannot be read.
    """
    head = read_head(path)
    if head.identity != identity:
        raise UnusableError("it is the work of another model, build or setting")
    with path.open("rb") as file:
        mapped = mmap.mmap(
            file.fileno(), 0, access=mmap.ACCESS_COPY
        )  # torch wants to be able to write
    data = np.frombuffer(mapped, dtype=np.uint8)  # keeps the mapping alive
    if len(data) != head.size:
        raise UnusableError("it changed while it was read")
    mapped_bytes = memoryview(mapped)
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for start in range(0, head.size - _DIGEST_BYTES, _CHUNK):
        digest.update(mapped_bytes[start : min(start + _CHUNK, head.size - _DIGEST_BYTES)])
    if digest.digest() != data[-_DIGEST_BYTES:].tobytes():
        raise UnusableError("its checksum is another")
    parts = {
        name: Part(dtype, shape, data[place])
        for name, (dtype, shape, place) in head.places.items()
        if name not in {_TOKENS, _CHECKSUM}
    }
    return Snapshot(head.tokens, parts, head.facts)


def _chunks(snapshot: Snapshot, identity: Identity, chat: str) -> Iterator[memoryview]:
    """Yield the file's bytes in order, but for the checksum at its end."""
    tokens = snapshot.tokens.astype("<i4", copy=False).view(np.uint8)
    arrays = {_TOKENS: Part("I32", snapshot.tokens.shape, tokens), **snapshot.parts}
    entries: dict[str, Any] = {
        "__metadata__": _About(
            format=_NAME,
            version=str(VERSION),
            identity=msgspec.json.encode(identity).decode(),
            chat=chat,
            facts=msgspec.json.encode(snapshot.facts).decode(),
            tokens_digest=_digest_of(tokens.tobytes()),
        )
    }
    place = 0
    for name, part in arrays.items():
        entries[name] = _Entry(part.dtype, part.shape, (place, place + part.data.nbytes))
        place += part.data.nbytes
    entries[_CHECKSUM] = _Entry("U8", (_DIGEST_BYTES,), (place, place + _DIGEST_BYTES))
    header = msgspec.json.encode(entries)
    header = header.ljust(-(-len(header) // 8) * 8)
    yield memoryview(_LENGTH.pack(len(header)) + header)
    for part in arrays.values():
        view = np.ascontiguousarray(part.data).data
        for start in range(0, len(view), _CHUNK):
            yield view[start : start + _CHUNK]


def _read_header(text: bytes) -> tuple[_About, dict[str, _Entry]]:
    raw = _decoded(text, dict[str, Any])
    try:
        about = msgspec.convert(raw.pop("__metadata__", None), _About)
    except msgspec.ValidationError as exc:
        raise UnusableError(f"its header does not say what it is: {exc}") from exc
    if about.format != _NAME:
        raise UnusableError("it is something else")
    if about.version != str(VERSION):
        raise UnusableError(f"it has version {about.version:.20}, and {VERSION} is read here")
    try:
        return about, msgspec.convert(raw, dict[str, _Entry])
    except msgspec.ValidationError as exc:
        raise UnusableError(f"its header is damaged: {exc}") from exc


def _check_places(entries: Mapping[str, _Entry], size: int) -> None:
    """Make sure that the arrays follow each other without gaps and end with the file."""
    if not {_TOKENS, _CHECKSUM} <= entries.keys():
        raise UnusableError("it has no tokens or no checksum")
    place = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        begin, end = entry.data_offsets
        width = _WIDTHS.get(entry.dtype)
        if width is None or begin != place or end - begin != width * math.prod(entry.shape):
            raise UnusableError(f"its array {name:.40} is not where or what it should be")
        place = end
    if place != size or entries[_CHECKSUM].data_offsets != (size - _DIGEST_BYTES, size):
        raise UnusableError("it is longer or shorter than its header says")
    if entries[_TOKENS].dtype != "I32" or len(entries[_TOKENS].shape) != 1:
        raise UnusableError("its tokens are something else")


def _decoded(text: bytes | str, form: type[Any]) -> Any:  # noqa: ANN401  of the form asked for
    try:
        return msgspec.json.decode(text, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise UnusableError(f"its header is damaged: {exc}") from exc


def _digest_of(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
