"""What a result belongs to: the files of a model, a text, and the versions of the programs."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from inference.errors import InferenceError
from inference.evaluation.stopping import StoppedError
from inference.library import split_files
from inference.library.describe import is_gguf

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.cancel import CancelToken
    from inference.types import EngineKind

_BLOCK: Final = 1 << 22
_LIBRARIES: Final[dict[EngineKind, str]] = {"gguf": "llama-cpp-python", "native": "torch"}


def text_hash(text: str) -> str:
    """Return the sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def versions(engine: EngineKind) -> str:
    """Return the versions of this app and of the library that computes, for people."""
    told = []
    for name in ("glasshouse", _LIBRARIES[engine]):
        try:
            told.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:  # run from its sources
            told.append(name)
    return ", ".join(told)


def model_hash(path: Path, cancel: CancelToken, progress: Callable[[float], None]) -> str:
    """Return the sha256 of a model: of its only file, or of the hashes of all its files.

    Args:
        path: A ``.gguf`` file (the first of several) or a checkpoint folder.
        cancel: Ends the reading.
        progress: Called with the fraction that has been read.

    Raises:
        StoppedError: Cancelled.
        InferenceError: A file cannot be read.
    """
    path = Path(path)
    try:
        files = files_of(path)
        total, done = sum(file.stat().st_size for file in files), 0

        def read(n_bytes: int) -> None:
            nonlocal done
            done += n_bytes
            progress(done / total)

        hashes = [_file_hash(file, cancel, read) for file in files]
    except OSError as exc:
        raise InferenceError(
            f"{path.name} could not be read: {exc.strerror or exc}.",
            "Check whether its drive is there.",
        ) from exc
    if len(hashes) == 1:
        return hashes[0]
    lines = "\n".join(f"{file.name} {found}" for file, found in zip(files, hashes, strict=True))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def files_of(path: Path) -> tuple[Path, ...]:
    """Return what a model is made of, in a fixed order; raises ``OSError``."""
    if is_gguf(path):
        return split_files.parts(path)
    kinds = {".json", ".safetensors", ".model", ".txt", ".jinja"}
    return tuple(sorted(one for one in path.iterdir() if one.suffix in kinds and one.is_file()))


def _file_hash(file: Path, cancel: CancelToken, read: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            if cancel.cancelled:
                raise StoppedError
            digest.update(block)
            read(len(block))
    return digest.hexdigest()
