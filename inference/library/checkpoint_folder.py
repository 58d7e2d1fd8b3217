"""Read what a Hugging Face folder says about itself: config.json and safetensors headers.

Needs neither torch nor the safetensors package: a safetensors file begins with the length of a
JSON header (8 bytes, little-endian) and that header; the data follow. Pickle files are only seen,
never opened: reading one runs whatever program its author put inside.
"""

from __future__ import annotations

import json
import re
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeGuard

from inference.errors import CorruptCheckpointError, ModelNotFoundError
from inference.library.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INDEX = "model.safetensors.index.json"
PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt"})

_AGAIN = "Download the model again."
_MAX_JSON_BYTES = 100_000_000  # the limit of the safetensors package, too
_MAX_DIMENSIONS = 8
_DTYPE_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8,
    "U32": 4, "U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
}  # fmt: skip
_DTYPE_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_LICENSE = re.compile(r"^license:[ \t]*[\"']?([\w.+-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor of a safetensors file: its ``dtype`` as there, its size in bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int

    @property
    def elements(self) -> int:
        """Number of weights."""
        product = 1
        for dimension in self.shape:
            product *= dimension
        return product


@dataclass(frozen=True, slots=True)
class Weights:
    """All tensors of a folder, from all its safetensors files."""

    tensors: tuple[StoredTensor, ...]

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def size_bytes(self) -> int:
        """Bytes of all weights."""
        return sum(tensor.size_bytes for tensor in self.tensors)

    @property
    def dtype(self) -> str:
        """What most weights are stored as, in torch's words: ``float32``, ``bfloat16`` ..."""
        counted: Counter[str] = Counter()
        for tensor in self.tensors:
            counted[tensor.dtype] += tensor.elements
        commonest = counted.most_common(1)[0][0] if counted else ""
        return _DTYPE_NAMES.get(commonest, commonest)


def is_checkpoint_folder(folder: Path) -> bool:
    """Tell whether a folder is meant as a checkpoint: it has a config.json."""
    return (folder / "config.json").is_file()


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object; raises ``CorruptCheckpointError`` when it is none."""
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise _damaged(f"{path.name} is absurdly large")
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise _damaged(f"{path.name} is missing") from None
    except OSError as exc:
        raise _damaged(f"{path.name} cannot be read", str(exc)) from exc
    except (ValueError, RecursionError) as exc:
        raise _damaged(f"{path.name} is not JSON", str(exc)[:500]) from exc
    if not isinstance(found, dict):
        raise _damaged(f"{path.name} holds no JSON object")
    return found


def read_config(folder: Path) -> dict[str, object]:
    """Read config.json.

    Raises:
        ModelNotFoundError: There is no such folder, or it is no checkpoint.
        CorruptCheckpointError: The file is damaged.
    """
    if not folder.is_dir():
        raise ModelNotFoundError(f"There is no folder {folder}.", "Check the name.")
    if not is_checkpoint_folder(folder):
        raise ModelNotFoundError(
            f"The folder {folder.name} holds no model: it has no config.json.",
            "Choose the folder that has config.json and .safetensors files, or a .gguf file.",
        )
    return read_json(folder / "config.json")


def read_weights(folder: Path) -> Weights:
    """Read the headers of all weight files.

    Raises:
        CorruptCheckpointError: No weights, pickle files only, a missing part, or damage.
    """
    tensors: list[StoredTensor] = []
    for file in weight_files(folder):
        tensors += read_safetensors_header(file)
    names = Counter(tensor.name for tensor in tensors)
    if names and names.most_common(1)[0][1] > 1:
        raise _damaged(f"the tensor {names.most_common(1)[0][0][:80]!r} is in two of its files")
    return Weights(tuple(tensors))


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files, all of them present; raises like ``read_weights``."""
    if (folder / INDEX).is_file():
        return _parts(folder, read_json(folder / INDEX).get("weight_map"))
    single = folder / "model.safetensors"
    if single.is_file():
        return (single,)
    try:
        files = sorted(folder.iterdir())
    except OSError as exc:
        raise _damaged(f"the folder {folder.name} cannot be read", str(exc)) from exc
    pickles = [file.name for file in files if file.suffix in PICKLES]
    if pickles:
        raise CorruptCheckpointError(
            f"The weights are in {pickles[0]}, a pickle file. Opening one can run any program, so "
            "the app does not.",
            "Look for the same model with .safetensors files, or as GGUF.",
        )
    raise CorruptCheckpointError(
        f"The folder {folder.name} has no weights: model.safetensors is missing.", _AGAIN
    )


def _parts(folder: Path, weight_map: object) -> tuple[Path, ...]:
    if not isinstance(weight_map, dict) or not weight_map:
        raise _damaged(f"{INDEX} lists no weights")
    parts: list[Path] = []
    for name in sorted(set(map(str, weight_map.values()))):
        if PurePath(name).name != name or "\\" in name or not name.endswith(".safetensors"):
            raise _damaged(f"{INDEX} names {name[:80]!r}, which is no file of this folder")
        parts.append(folder / name)
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise CorruptCheckpointError(
            f"The model is incomplete: {missing[0]}{more} of {len(parts)} weight files are not "
            "in its folder.",
            _AGAIN,
        )
    return tuple(parts)


def read_safetensors_header(file: Path) -> tuple[StoredTensor, ...]:
    """Read one file's header and hold it against the file's size.

    Raises:
        CorruptCheckpointError: Damaged or cut short; the sentence names file and tensor.
    """
    name = file.name
    try:
        size_bytes = file.stat().st_size
        with file.open("rb") as opened:
            prefix = opened.read(8)
            header_bytes = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
            if not 2 <= header_bytes <= min(size_bytes - 8, _MAX_JSON_BYTES):
                raise _damaged(f"{name} is no safetensors file, or is cut short")
            raw = opened.read(header_bytes)
    except OSError as exc:
        raise _damaged(f"{name} cannot be read", str(exc)) from exc
    return parse_safetensors_header(raw, name, size_bytes - 8 - header_bytes)


def parse_safetensors_header(raw: bytes, name: str, data_bytes: int) -> tuple[StoredTensor, ...]:
    """Read the JSON header of a safetensors file, wherever its bytes come from.

    Args:
        raw: The header.
        name: The file's name, for sentences.
        data_bytes: How many bytes follow it.

    Raises:
        CorruptCheckpointError: Damaged or cut short; the sentence names file and tensor.
    """
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise _damaged(f"the header of {name} is not JSON", str(exc)[:500]) from exc
    if not isinstance(header, dict):
        raise _damaged(f"the header of {name} holds no JSON object")
    header.pop("__metadata__", None)
    return _stored(header, name, data_bytes)


def _stored(
    header: Mapping[str, object], file_name: str, data_bytes: int
) -> tuple[StoredTensor, ...]:
    tensors: list[StoredTensor] = []
    expected_bytes = 0
    for tensor_name, entry in header.items():
        tensor, end = _entry(tensor_name, entry, file_name)
        tensors.append(tensor)
        expected_bytes = max(expected_bytes, end)
    if expected_bytes > data_bytes:
        raise CorruptCheckpointError(
            f"{file_name} is incomplete: its weights need {format_bytes(expected_bytes)}, and "
            f"{format_bytes(data_bytes)} are there.",
            _AGAIN,
            f"needed={expected_bytes} found={data_bytes}",
        )
    return tuple(tensors)


def _entry(name: str, entry: object, file_name: str) -> tuple[StoredTensor, int]:
    wrong = _damaged(f"the tensor {name[:80]!r} is described wrongly in {file_name}")
    if not isinstance(entry, dict):
        raise wrong
    dtype, shape, span = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not (isinstance(dtype, str) and _are_counts(shape) and _are_counts(span)):
        raise wrong
    if len(shape) > _MAX_DIMENSIONS or len(span) != 2:
        raise wrong
    begin, end = span
    tensor = StoredTensor(name, dtype, tuple(shape), end - begin)
    width = _DTYPE_BYTES.get(dtype)
    fits = (
        tensor.elements <= 64 * tensor.size_bytes  # a type from the future: only absurd ones go
        if width is None
        else tensor.elements * width == tensor.size_bytes
    )
    if end < begin or not fits:
        raise wrong
    return tensor, end


def _are_counts(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(
        isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 1 << 62
        for item in value
    )


def has_chat_template(folder: Path) -> bool:
    """Tell whether the tokenizer files bring a chat template."""
    if (folder / "chat_template.jinja").is_file():
        return True
    return any(
        bool(optional_json(folder / name).get("chat_template"))
        for name in ("tokenizer_config.json", "chat_template.json")
    )


def chat_template(folder: Path) -> str:
    """Return the chat template of a folder; of several by name, the one for chats."""
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8", errors="replace")
    except OSError:
        pass
    found: object = None
    for name in ("tokenizer_config.json", "chat_template.json"):
        found = found or optional_json(folder / name).get("chat_template")
    if isinstance(found, list):
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else ""


def optional_json(path: Path) -> dict[str, object]:
    """Read a JSON object; an empty one where the file is missing or damaged."""
    try:
        return read_json(path) if path.is_file() else {}
    except CorruptCheckpointError:
        return {}


def license_of(folder: Path) -> str:
    """Return the licence named in the model card's front matter, or nothing."""
    try:
        with (folder / "README.md").open(encoding="utf-8", errors="replace") as card:
            text = card.read(8_192)
    except OSError:
        return ""
    parts = text.split("---", 2)
    if len(parts) < 3 or parts[0].strip():
        return ""
    found = _LICENSE.search(parts[1])
    return found.group(1) if found else ""


def _damaged(what: str, detail: str = "") -> CorruptCheckpointError:
    return CorruptCheckpointError(f"The model cannot be used: {what}.", _AGAIN, detail)
