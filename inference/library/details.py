"""Facts about one model that are read when somebody looks at it: types per tensor, origin, hash."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from inference.errors import InferenceError
from inference.library import checkpoint_folder, split_files
from inference.library.describe import is_gguf
from inference.library.download.receipts import find_receipt
from inference.library.gguf_header import read_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.library.download.receipts import Receipt

_SNAPSHOT = re.compile(r"models--(?P<org>[\w.-]+?)--(?P<name>[\w.-]+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_BLOB = re.compile(r"(?:sha256-)?(?P<sha256>[0-9a-f]{64})")
_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class TypeShare:
    """How many tensors and weights are stored as one type, e.g. ``Q4_K``, and their bytes."""

    type_name: str
    tensors: int
    parameters: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model is from: ``org/name`` on a hub and the commit; empty where it is not known."""

    repo: str = ""
    revision: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What is read on demand.

    Attributes:
        types: By weights, the largest share first; empty when the files cannot be read.
        vocabulary: Name of the tokenizer, e.g. ``gpt2 (qwen2)``; empty when not stated.
        origin: Where it is from.
        sha256: Of its only or first weight file, where it was computed or published; may be empty.
        files: Names of its files.
    """

    types: tuple[TypeShare, ...]
    vocabulary: str
    origin: Origin
    sha256: str
    files: tuple[str, ...]


def read_details(path: Path, hashes: Path | None = None) -> ModelDetails:
    """Read the details of a model; never raises for files that are damaged.

    Args:
        path: A ``.gguf`` file or a checkpoint folder.
        hashes: JSON file with the hashes that ``verify`` remembered.
    """
    path = Path(path)
    files = _weight_files(path)
    return ModelDetails(
        types=_types(path, files),
        vocabulary=_vocabulary(path),
        origin=origin_of(path),
        sha256=known_sha256(files[0], hashes) if files else "",
        files=tuple(file.name for file in files),
    )


def origin_of(path: Path) -> Origin:
    """Return where a model is from: the receipt of its download, or its place in a hub's cache."""
    found = find_receipt(path)
    if found is not None:
        folder, receipt = found
        return Origin(receipt.repo, _revision(path, folder, receipt), receipt.endpoint)
    for folder in (path, *path.parents):
        match = _SNAPSHOT.fullmatch(folder.name)
        if match is not None:
            commits = [part for part in path.parts if _COMMIT.fullmatch(part)]
            return Origin(f"{match['org']}/{match['name']}", commits[0] if commits else "")
    return Origin()


def known_sha256(file: Path, hashes: Path | None = None) -> str:
    """Return a file's hash where somebody computed or published it, without reading the file."""
    found = find_receipt(file)
    stored = found[1].files.get(file.relative_to(found[0]).as_posix()) if found else None
    if stored is not None and stored.sha256:
        return stored.sha256
    try:
        named = _BLOB.fullmatch(file.resolve().name)
    except OSError:
        named = None
    if named is not None:
        return named["sha256"]
    try:
        known = msgspec.json.decode(hashes.read_bytes(), type=dict[str, str]) if hashes else {}
    except (OSError, msgspec.DecodeError):
        return ""
    return known.get(str(file), "")


def _revision(path: Path, folder: Path, receipt: Receipt) -> str:
    """Return the commit of a model's files, if it is one."""
    commits = {
        stored.revision
        for name, stored in receipt.files.items()
        if (folder / name) == path or path in (folder / name).parents
    }
    return commits.pop() if len(commits) == 1 else ""


def _weight_files(path: Path) -> tuple[Path, ...]:
    if is_gguf(path):
        return split_files.parts(split_files.first_part(path))
    try:
        return checkpoint_folder.weight_files(path)
    except InferenceError:
        return ()


def _types(path: Path, files: Iterable[Path]) -> tuple[TypeShare, ...]:
    try:
        if is_gguf(path):
            rows = [
                (tensor.type_name, tensor.elements, tensor.size_bytes)
                for file in files
                for tensor in read_header(file).tensors
            ]
        else:
            rows = [
                (_DTYPES.get(tensor.dtype, tensor.dtype), tensor.elements, tensor.size_bytes)
                for tensor in checkpoint_folder.read_weights(path).tensors
            ]
    except InferenceError:
        return ()
    tensors: Counter[str] = Counter()
    weights: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for name, elements, size_bytes in rows:
        tensors[name] += 1
        weights[name] += elements
        sizes[name] += size_bytes
    return tuple(
        TypeShare(name, tensors[name], count, sizes[name]) for name, count in weights.most_common()
    )


def _vocabulary(path: Path) -> str:
    if not is_gguf(path):
        tokenizer = checkpoint_folder.optional_json(path / "tokenizer.json").get("model")
        kind = tokenizer.get("type") if isinstance(tokenizer, dict) else ""
        return kind if isinstance(kind, str) else ""
    try:
        header = read_header(path)
    except InferenceError:
        return ""
    names = [header.text(f"tokenizer.ggml.{key}") for key in ("model", "pre")]
    return f"{names[0]} ({names[1]})" if all(names) else names[0]
