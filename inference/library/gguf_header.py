"""Read what a GGUF file says about itself, without llama.cpp and without its weights.

Everything read here comes from a file that anybody may have written: lengths and counts are held
against the file's size before they are used. Source of the layout: ``docs/gguf.md`` of ggml,
versions 2 and 3.
"""

from __future__ import annotations

import mmap
import struct
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inference.errors import CorruptCheckpointError, ModelNotFoundError
from inference.library.gguf_types import ARRAY, FILE_TYPES, SCALAR_FORMATS, STRING, TENSOR_TYPES
from inference.library.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AGAIN = "Download the file again."
_MAGIC = b"GGUF"
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_MAX_DIMENSIONS = 8
_MOST_WEIGHTS_PER_BYTE = 64  # far more than any type that may come
_MAX_TEXT_BYTES = 1 << 24
_SMALL_ARRAY = 1_024
_SMALLEST_ENTRY = {"metadata entries": 8 + 1 + 4 + 1, "tensors": 8 + 1 + 4 + 4 + 8}


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array that was stepped over. ``type_id`` as in GGUF; it begins at byte ``offset``."""

    type_id: int
    length: int
    offset: int = field(default=0, compare=False)


Scalar: TypeAlias = int | float | bool | str
Value: TypeAlias = Scalar | tuple[Scalar, ...] | LongArray


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor.

    Attributes:
        name: As in the file, e.g. ``blk.0.attn_q.weight``.
        shape: Fastest dimension first, as GGUF has it.
        type_name: ``F16``, ``Q4_K`` ...; ``type 99`` for one that is not known here.
        offset: First byte, counted from the start of the data.
        size_bytes: 0 when the type is not known.
    """

    name: str
    shape: tuple[int, ...]
    type_name: str
    offset: int
    size_bytes: int

    @property
    def elements(self) -> int:
        """Number of weights."""
        product = 1
        for dimension in self.shape:
            product *= dimension
        return product


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """All facts of one file; a part of a split model has only its own tensors."""

    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[TensorInfo, ...]
    data_offset: int
    file_bytes: int

    def text(self, key: str) -> str:
        """Return a text, or an empty one where there is none."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """Return a whole number, 0 where there is none; of one per layer, the largest."""
        value = self.metadata.get(key)
        if isinstance(value, tuple):
            value = max((item for item in value if isinstance(item, int)), default=0)
        return value if isinstance(value, int) and value > 0 else 0

    def own(self, key: str) -> int:
        """Return a number of the file's architecture, e.g. ``context_length``; 0 if missing."""
        return self.number(f"{self.architecture}.{key}")

    @property
    def architecture(self) -> str:
        """Name of the architecture, e.g. ``llama``."""
        return self.text("general.architecture")

    @property
    def n_vocab(self) -> int:
        """Number of tokens; 0 when the file has none."""
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        if isinstance(tokens, LongArray):
            return tokens.length
        return len(tokens) if isinstance(tokens, tuple) else self.own("vocab_size")

    @property
    def parameters(self) -> int:
        """Number of weights in this file."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def quantization(self) -> str:
        """What most weights are stored as: the file's own word, else the commonest type."""
        named = self.metadata.get("general.file_type")
        if isinstance(named, int) and named in FILE_TYPES:
            return FILE_TYPES[named]
        weights: Counter[str] = Counter()
        for tensor in self.tensors:
            weights[tensor.type_name] += tensor.elements
        return weights.most_common(1)[0][0] if weights else ""


def read_header(path: Path) -> GgufHeader:
    """Read and check the header of a GGUF file.

    Also checks that each tensor's data lies within the file, so that a download that was cut short
    is found here.

    Raises:
        ModelNotFoundError: The file is not there or cannot be opened.
        CorruptCheckpointError: It is no GGUF file, damaged, or incomplete; the sentence says what.
    """
    path = Path(path)
    kept: dict[Path, GgufHeader] | None = getattr(_kept, "headers", None)
    if kept is None:
        return _read_header(path)
    if path not in kept:
        kept[path] = _read_header(path)
    return kept[path]


_kept = threading.local()


@contextmanager
def headers_kept() -> Iterator[None]:
    """Read each header once in this block, in this thread, however often it is asked for."""
    _kept.headers = {}
    try:
        yield
    finally:
        _kept.headers = None


def _read_header(path: Path) -> GgufHeader:
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise _damaged(path.name, "it is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(data, path.name, len(data)).header()
    except FileNotFoundError as exc:
        raise ModelNotFoundError(
            f"There is no file {path}.", "Check the name and the folder.", str(exc)
        ) from exc
    except OSError as exc:
        raise ModelNotFoundError(
            f"The file {path} cannot be opened.",
            "Check that you may read it and that its disk is connected.",
            str(exc),
        ) from exc


@dataclass(frozen=True, slots=True)
class HeaderPrefix:
    """What the first bytes of a file told.

    Attributes:
        header: The facts read so far: metadata in the file's order, an array that was begun with
            its length. Tensors and ``data_offset`` are there only when ``complete``.
        complete: Whether the whole header was read.
    """

    header: GgufHeader
    complete: bool


def read_prefix(data: bytes, name: str, file_bytes: int) -> HeaderPrefix:
    """Read as much of a header as the first bytes of a file hold.

    Args:
        data: The beginning of the file.
        name: The file's name, for sentences.
        file_bytes: Size of the whole file.

    Raises:
        CorruptCheckpointError: It is no GGUF file or damaged.
    """
    reader = _Reader(data, name, max(file_bytes, len(data)))
    try:
        return HeaderPrefix(reader.header(), complete=True)
    except _BeyondError:
        return HeaderPrefix(reader.so_far(), complete=False)


class _BeyondError(Exception):
    """The next value lies in a part of the file that is not at hand."""


def _damaged(name: str, what: str) -> CorruptCheckpointError:
    return CorruptCheckpointError(f"The file {name} cannot be used: {what}.", _AGAIN)


class _Reader:
    """Walks through the header once, front to back; ``data`` may be only the file's beginning."""

    def __init__(self, data: mmap.mmap | bytes, name: str, size: int) -> None:
        self._data = data
        self._size = size
        self._name = name
        self._at = 0
        self._version_number = 0
        self._metadata: dict[str, Value] = {}

    def so_far(self) -> GgufHeader:
        return GgufHeader(self._version_number, self._metadata, (), 0, self._size)

    def header(self) -> GgufHeader:
        self._version_number = version = self._version()
        n_tensors = self._count("tensors")
        n_entries = self._count("metadata entries")
        metadata = self._metadata
        for _ in range(n_entries):
            key = self._text("the name of a metadata entry")
            if key in metadata:
                raise self._damaged(f"the metadata entry {key[:80]!r} occurs twice")
            metadata[key] = self._value(key, self._u32())
        tensors = self._tensors(n_tensors)
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 16:
            raise self._damaged(f"its alignment is {alignment!r:.40}")
        data_offset = -(-self._at // alignment) * alignment
        self._check_data(tensors, data_offset)
        return GgufHeader(version, metadata, tensors, data_offset, self._size)

    def _version(self) -> int:
        if len(self._data) < 4 <= self._size:
            raise _BeyondError
        magic = self._data[:4]
        if magic != _MAGIC:
            raise CorruptCheckpointError(
                f"The file {self._name} cannot be used: it is not a GGUF file.",
                "Choose a .gguf file, or a folder with config.json and .safetensors files. If this "
                "was a download, download it again.",
            )
        self._at = 4
        version = self._u32()
        if version == 1:
            raise CorruptCheckpointError(
                f"The file {self._name} has GGUF version 1, which is too old.",
                "Get a newer version of this model.",
            )
        if not version & 0xFFFF:
            raise CorruptCheckpointError(
                f"The file {self._name} was made for computers with another byte order.",
                "Get the little-endian version of this model.",
            )
        if version not in (2, 3):
            raise CorruptCheckpointError(
                f"The file {self._name} has GGUF version {version}, which is not known here.",
                "Look for an update of this app, or for another file of the model.",
            )
        return version

    def _tensors(self, count: int) -> tuple[TensorInfo, ...]:
        tensors: list[TensorInfo] = []
        names: set[str] = set()
        for _ in range(count):
            tensor = self._tensor()
            if tensor.name in names:
                raise self._damaged(f"the tensor {tensor.name[:80]!r} occurs twice")
            names.add(tensor.name)
            tensors.append(tensor)
        return tuple(tensors)

    def _tensor(self) -> TensorInfo:
        name = self._text("the name of a tensor")
        n_dimensions = self._u32()
        if n_dimensions > _MAX_DIMENSIONS:
            raise self._damaged(f"the tensor {name[:80]!r} has {n_dimensions} dimensions")
        shape = tuple(self._u64() for _ in range(n_dimensions))
        elements = 1
        for dimension in shape:
            elements *= dimension
        if elements > self._size * _MOST_WEIGHTS_PER_BYTE:
            raise self._damaged(f"the tensor {name[:80]!r} has an absurd shape")
        type_id = self._u32()
        offset = self._u64()
        kind = TENSOR_TYPES.get(type_id)
        if kind is None:
            return TensorInfo(name, shape, f"type {type_id}", offset, 0)
        if shape and shape[0] % kind.block:
            raise self._damaged(f"the shape of the tensor {name[:80]!r} does not fit {kind.name}")
        size_bytes = elements // kind.block * kind.block_bytes
        return TensorInfo(name, shape, kind.name, offset, size_bytes)

    def _check_data(self, tensors: tuple[TensorInfo, ...], data_offset: int) -> None:
        needed = max((data_offset + t.offset + t.size_bytes for t in tensors), default=0)
        if needed > self._size:
            raise CorruptCheckpointError(
                f"The file {self._name} is incomplete or damaged: its weights reach to "
                f"{format_bytes(needed)}, and the file has {format_bytes(self._size)}.",
                _AGAIN,
                f"needed={needed} size={self._size}",
            )

    def _value(self, key: str, type_id: int) -> Value:
        if type_id == STRING:
            return self._text(f"the metadata entry {key[:80]!r}", strict=False)
        if type_id == ARRAY:
            return self._array(key)
        return self._numbers(key, type_id, 1)[0]

    def _array(self, key: str) -> Value:
        type_id, length = self._u32(), self._u64()
        stepped_over = LongArray(type_id, length, self._at)
        self._metadata[key] = stepped_over  # all there is if the data end here
        if type_id == STRING:
            return self._texts(key, length)
        if length > _SMALL_ARRAY:
            self._skip_numbers(key, type_id, length)
            return stepped_over
        return self._numbers(key, type_id, length)

    def _texts(self, key: str, length: int) -> Value:
        self._need(length * 8, f"the metadata entry {key[:80]!r}")
        if length <= _SMALL_ARRAY:
            what = f"the metadata entry {key[:80]!r}"
            return tuple(self._text(what, strict=False) for _ in range(length))
        # A vocabulary: hundreds of thousands of texts, and only their number matters.
        data, start, unpack = self._data, self._at, _U64.unpack_from
        at = start
        try:
            for _ in range(length):
                at += 8 + unpack(data, at)[0]
        except (struct.error, OverflowError) as exc:
            if at < self._size:
                self._need(min(8, self._size - at), f"the metadata entry {key[:80]!r}", at)
            raise self._cut_short(f"the metadata entry {key[:80]!r}") from exc
        self._at = at
        self._need(0, f"the metadata entry {key[:80]!r}")
        return LongArray(STRING, length, start)

    def _numbers(self, key: str, type_id: int, length: int) -> tuple[Scalar, ...]:
        start = self._at
        self._skip_numbers(key, type_id, length)
        layout = f"<{length}{SCALAR_FORMATS[type_id]}"
        return struct.unpack_from(layout, self._data, start)

    def _skip_numbers(self, key: str, type_id: int, length: int) -> None:
        form = SCALAR_FORMATS.get(type_id)
        if form is None:
            raise self._damaged(f"the metadata entry {key[:80]!r} has the unknown type {type_id}")
        size = struct.calcsize(f"<{form}") * length
        self._need(size, f"the metadata entry {key[:80]!r}")
        self._at += size

    def _count(self, what: str) -> int:
        count = self._u64()
        if count * _SMALLEST_ENTRY[what] > self._size:
            raise self._damaged(f"it claims to have {count} {what}, more than fit into it")
        return count

    def _text(self, what: str, *, strict: bool = True) -> str:
        length = self._u64()
        if length > _MAX_TEXT_BYTES and self._at + length <= self._size:
            raise self._damaged(f"{what} is absurdly long")
        self._need(length, what)
        raw = self._data[self._at : self._at + length]
        self._at += length
        try:
            return raw.decode(errors="strict" if strict else "replace")
        except UnicodeDecodeError as exc:
            raise self._damaged(f"{what} is not text") from exc

    def _u32(self) -> int:
        self._need(4, "its header")
        value: int = _U32.unpack_from(self._data, self._at)[0]
        self._at += 4
        return value

    def _u64(self) -> int:
        self._need(8, "its header")
        value: int = _U64.unpack_from(self._data, self._at)[0]
        self._at += 8
        return value

    def _need(self, count: int, what: str, start: int | None = None) -> None:
        end = (self._at if start is None else start) + count
        if end > self._size:
            raise self._cut_short(what)
        if end > len(self._data):
            raise _BeyondError

    def _cut_short(self, what: str) -> CorruptCheckpointError:
        return self._damaged(f"{what} goes beyond the end of the file")

    def _damaged(self, what: str) -> CorruptCheckpointError:
        return _damaged(self._name, what)
