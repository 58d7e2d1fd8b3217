"""A checkpoint folder becomes one GGUF file, tensor by tensor, some megabytes in memory at a time.

The gguf library writes what stands before the weights; they follow in the order of their names
there, each beginning at a multiple of the alignment (GGUF specification, ggml's docs/gguf.md).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, Literal, TypeAlias

import gguf
import numpy as np

from inference.convert.check import check_vocabulary
from inference.convert.network import facts_of, write_facts
from inference.convert.space import check_space
from inference.convert.tensors import plan_tensors
from inference.convert.vocabulary import read_vocabulary, write_vocabulary
from inference.errors import UnsupportedRequestError
from inference.native.weights import open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from inference.convert.network import Facts
    from inference.convert.tensors import PlannedTensor
    from inference.convert.vocabulary import GgufVocabulary
    from inference.native.config import NetworkConfig
    from inference.native.rows import NumberType
    from inference.native.weights import Checkpoint

FileType: TypeAlias = Literal["F32", "F16", "BF16", "Q8_0"]
Progress: TypeAlias = "Callable[[int, int], None]"
"""Told how many bytes of how many are written."""

_TYPES: Final = {
    "F32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "F16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "BF16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "Q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
_NUMBERS: Final[Mapping[gguf.GGMLQuantizationType, NumberType]] = {
    gguf.GGMLQuantizationType.F32: "F32",
    gguf.GGMLQuantizationType.F16: "F16",
    gguf.GGMLQuantizationType.BF16: "BF16",
}


@dataclass(frozen=True, slots=True)
class Labels:
    """What the file says about itself; what is empty is left out."""

    name: str
    description: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    """What stands before the weights."""

    config: NetworkConfig
    facts: Facts
    vocabulary: GgufVocabulary
    labels: Labels
    file_type: FileType


@dataclass(frozen=True, slots=True)
class _Entry:
    """One tensor with the type it will have."""

    name: str
    shape: tuple[int, ...]
    kind: gguf.GGMLQuantizationType
    source: PlannedTensor | tuple[float, ...]

    @property
    def size_bytes(self) -> int:
        block, block_bytes = gguf.GGML_QUANT_SIZES[self.kind]
        return int(np.prod(self.shape)) // block * block_bytes


def convert(
    folder: Path, path: Path, file_type: FileType, labels: Labels, progress: Progress
) -> tuple[str, ...]:
    """Write a checkpoint as a GGUF file.

    The vocabulary is held against the original's before the first weight is written.

    Args:
        folder: The checkpoint.
        path: The file; its folder is there, and whatever has this name is replaced.
        file_type: Type of the matrices; vectors are float32.
        labels: What the file says about itself.
        progress: Told after every piece.

    Returns:
        Sentences about what the file can less well than the folder.

    Raises:
        UnsupportedArchitectureError: GGUF or llama.cpp has no way to say this; the sentence names
            what.
        UnsupportedRequestError: Weights are too large for ``file_type``.
        DiskFullError: There is too little space; nothing was written.
        InferenceError: The checkpoint is damaged or of an unknown family.
        OSError: The file cannot be written.
    """
    checkpoint = open_checkpoint(folder)
    facts = facts_of(checkpoint.config)
    vocabulary = read_vocabulary(folder, checkpoint.config_json, checkpoint.config.vocab_size)
    entries = _entries(checkpoint, facts, file_type)
    total = sum(entry.size_bytes for entry in entries)
    check_space(path, total)
    said = _Said(checkpoint.config, facts, vocabulary, labels, file_type)
    _write_head(path, said, ())
    small_things = check_vocabulary(path, vocabulary)
    _write_head(path, said, entries)
    _write_weights(path, entries, lambda done: progress(done, total))
    return (*facts.notes, *vocabulary.notes, *small_things)


def _entries(checkpoint: Checkpoint, facts: Facts, file_type: FileType) -> tuple[_Entry, ...]:
    single = gguf.GGMLQuantizationType.F32
    planned = tuple(
        _Entry(t.name, t.shape, _kind(t.shape, file_type) if t.is_matrix else single, t)
        for t in plan_tensors(checkpoint)
    )
    factors = tuple(
        _Entry(name, (len(values),), single, values) for name, values in facts.factors.items()
    )
    return (*planned, *factors)


def _kind(shape: tuple[int, ...], file_type: FileType) -> gguf.GGMLQuantizationType:
    kind = _TYPES[file_type][0]
    block = gguf.GGML_QUANT_SIZES[kind][0]
    return kind if shape[-1] % block == 0 else gguf.GGMLQuantizationType.F16


def _write_head(path: Path, said: _Said, entries: tuple[_Entry, ...]) -> None:
    """Write what stands before the weights."""
    writer = gguf.GGUFWriter(path, said.facts.architecture)
    writer.add_name(said.labels.name)
    writer.add_description(said.labels.description)
    writer.add_license(said.labels.license)
    writer.add_file_type(_TYPES[said.file_type][1])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    write_facts(writer, said.config, said.facts)
    write_vocabulary(writer, said.vocabulary)
    for entry in entries:
        writer.add_tensor_info(
            entry.name, entry.shape, np.dtype(np.float32), entry.size_bytes, raw_dtype=entry.kind
        )
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    finally:
        writer.close()


def _write_weights(
    path: Path, entries: tuple[_Entry, ...], progress: Callable[[int], None]
) -> None:
    done = 0
    with path.open("ab") as file:
        _pad(file)
        for entry in entries:
            for data in _pieces(entry):
                file.write(data.data)
                done += data.nbytes
                progress(done)
            _pad(file)
        file.flush()
        os.fsync(file.fileno())


def _pieces(entry: _Entry) -> Iterator[NDArray[Any]]:
    """Yield an entry's rows in its type.

    Raises:
        UnsupportedRequestError: A number becomes infinite in it.
    """
    if isinstance(entry.source, tuple):
        yield np.array(entry.source, dtype=np.float32)
        return
    table, as_type = entry.source.table(), _NUMBERS.get(entry.kind, "F32")
    for rows in entry.source.pieces():
        values = table.read(rows, as_type)
        if as_type == "F16" and np.isinf(values).any():
            _refuse_large(entry.name, table.read(rows, "F32"))
        if entry.source.added:
            values = values + np.float32(entry.source.added)
        yield values if entry.kind in _NUMBERS else gguf.quants.quantize(values, entry.kind)


def _refuse_large(name: str, values: NDArray[np.float32]) -> None:
    if np.isfinite(values).all():
        raise UnsupportedRequestError(
            f"The weights in {name} reach {np.abs(values).max():,.0f}, and F16 ends at 65,504.",
            "Use the type BF16 or F32.",
        )


def _pad(file: IO[bytes]) -> None:
    file.write(bytes(-file.tell() % gguf.GGUF_DEFAULT_ALIGNMENT))
