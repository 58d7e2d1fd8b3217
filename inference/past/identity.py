"""Whose work it is: a snapshot is good only for the weights, engine and settings it is from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HEAD_BYTES: Final = 1 << 20
_SAMPLES: Final = 16
_SAMPLE_BYTES: Final = 1 << 16


class Identity(msgspec.Struct, frozen=True):
    """All that has to be equal for a snapshot to be used.

    Attributes:
        engine: ``gguf`` or ``native``.
        model: Digest of the weights' files.
        build: Version of what computes: keys of another build may be laid out, or rounded, in
            another way.
        settings: Type of the keys, device, and whatever else changes them.
    """

    engine: str
    model: str
    build: str
    settings: str

    @property
    def short(self) -> str:
        """A short digest of all of it, for file names."""
        return short_digest("\n".join((self.engine, self.model, self.build, self.settings)))


def short_digest(text: str) -> str:
    """Return 16 hexadecimal digits that stand for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def model_digest(files: Iterable[Path]) -> str:
    """Tell weights apart without reading them whole: a large model takes a minute to hash.

    Size and time of the last change of each file, its first megabyte (names, shapes, settings),
    and sixteen pieces of 64 KB spread over the rest.

    Args:
        files: Everything that decides what the network computes.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            digest.update(f"{size} {path.stat().st_mtime_ns}\n".encode())
            file.seek(0)
            digest.update(file.read(_HEAD_BYTES))
            for number in range(_SAMPLES):
                file.seek(size * number // _SAMPLES)
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
