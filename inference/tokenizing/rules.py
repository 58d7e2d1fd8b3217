"""Read a tokenizer's rules from its file: tokenizer.json of a folder, or the header of a GGUF file.

Needs neither the tokenizers library nor llama.cpp.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, Literal

from inference.errors import CorruptCheckpointError
from inference.library.checkpoint_folder import read_json
from inference.library.gguf_header import LongArray, read_header
from inference.tokenizing.merges import MergeRules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from inference.library.gguf_header import GgufHeader

_GGUF_NAMES: Final = {
    "gpt2": "Byte-level BPE",
    "llama": "SentencePiece BPE",
    "bert": "WordPiece",
    "t5": "Unigram",
}
_CONTROL, _USER_DEFINED = 3, 4  # tokenizer.ggml.token_type
_WHOLE_FIRST: Final = frozenset({"llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral", "tekken"})
"""Pre-tokenizers with which llama.cpp looks a whole word up before it joins."""


def read_rules(path: Path) -> MergeRules:
    """Return the rules of a checkpoint folder or a ``.gguf`` file.

    Raises:
        CorruptCheckpointError: The tokenizer is missing or damaged.
    """
    return _of_gguf(path) if path.is_file() else _of_folder(path)


# --- tokenizer.json ------------------------------------------------------------------------------


def _of_folder(folder: Path) -> MergeRules:
    described: dict[str, Any] = read_json(folder / "tokenizer.json")
    model = described.get("model") or {}
    kind = str(model.get("type") or ("BPE" if "merges" in model else ""))
    try:
        added = {int(entry["id"]): str(entry["content"]) for entry in _added(described)}
        scores: list[float] = []
        if kind == "Unigram":
            ids = {text: place for place, (text, _score) in enumerate(model["vocab"])}
            scores = [float(score) for _text, score in model["vocab"]]
        else:
            ids = dict(model.get("vocab") or {})
        ranks = {_pair(one): rank for rank, one in enumerate(model.get("merges") or ())}
    except (TypeError, ValueError, KeyError, AttributeError) as exc:
        raise _damaged("tokenizer.json", str(exc)) from exc
    byte_level = _uses_byte_level(described)
    name = ("Byte-level BPE" if byte_level else "BPE") if kind == "BPE" else kind or "unknown"
    texts = {token_id: text for text, token_id in ids.items()} | added
    return MergeRules(
        "bpe" if kind == "BPE" and ranks else "other",
        name,
        texts,
        ids,
        ranks,
        scores,
        frozenset(added),
        byte_level,
        model.get("ignore_merges") is True,
    )


def _added(described: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(described.get("added_tokens") or ())


def _pair(entry: str | list[str]) -> tuple[str, str]:
    """Return a merge: a text with one space in older files, a list of two in newer ones."""
    left, right = entry.split(" ") if isinstance(entry, str) else entry
    return str(left), str(right)


def _uses_byte_level(part: object) -> bool:
    if isinstance(part, list):
        return any(map(_uses_byte_level, part))
    if not isinstance(part, dict):
        return False
    if part.get("type") == "ByteLevel":
        return True
    keys = ("pre_tokenizer", "pretokenizers", "decoder", "decoders", "normalizer", "normalizers")
    return any(_uses_byte_level(part.get(key)) for key in keys)


# --- GGUF ----------------------------------------------------------------------------------------


def _of_gguf(path: Path) -> MergeRules:
    header = read_header(path)
    with path.open("rb") as file:
        tokens = _texts(file.fileno(), header, "tokenizer.ggml.tokens")
        merges = _texts(file.fileno(), header, "tokenizer.ggml.merges")
        types = _numbers(file.fileno(), header, "tokenizer.ggml.token_type", "i")
        scores = _numbers(file.fileno(), header, "tokenizer.ggml.scores", "f")
    model = header.text("tokenizer.ggml.model")
    if not tokens:
        raise _damaged(path.name, "tokenizer.ggml.tokens is missing")
    kind: Literal["bpe", "scores", "other"] = "other"
    if model == "gpt2" and merges:
        kind = "bpe"
    elif model == "llama" and len(scores) == len(tokens):
        kind = "scores"
    ids: dict[str, int] = {}
    for place, text in enumerate(tokens):
        ids.setdefault(text, place)
    return MergeRules(
        kind,
        _GGUF_NAMES.get(model, model or "unknown"),
        dict(enumerate(tokens)),
        ids,
        {_gguf_pair(one): rank for rank, one in enumerate(merges)},
        scores,
        frozenset(n for n, one in enumerate(types) if one in {_CONTROL, _USER_DEFINED}),
        model == "gpt2",
        header.text("tokenizer.ggml.pre") in _WHOLE_FIRST,
    )


def _gguf_pair(text: str) -> tuple[str, str]:
    """Return a merge; its own symbols have no space but, in some files, as the first character."""
    left, _space, right = text[1:].partition(" ")
    return text[:1] + left, right


def _texts(fd: int, header: GgufHeader, key: str) -> list[str]:
    value = header.metadata.get(key)
    if isinstance(value, tuple):
        return [str(one) for one in value]
    if not isinstance(value, LongArray):
        return []
    data, at, found = _from(fd, header, value), 0, []
    try:
        for _ in range(value.length):
            (size,) = struct.unpack_from("<Q", data, at)
            found.append(data[at + 8 : at + 8 + size].decode("utf-8", "replace"))
            at += 8 + size
    except struct.error as exc:
        raise _damaged(key, str(exc)) from exc
    return found


def _numbers(fd: int, header: GgufHeader, key: str, form: str) -> tuple[float, ...]:
    value = header.metadata.get(key)
    if isinstance(value, tuple):
        return tuple(float(one) for one in value if not isinstance(one, str))
    if not isinstance(value, LongArray):
        return ()
    try:
        return struct.unpack_from(f"<{value.length}{form}", _from(fd, header, value))
    except struct.error as exc:
        raise _damaged(key, str(exc)) from exc


def _from(fd: int, header: GgufHeader, value: LongArray) -> bytes:
    """Return the bytes from an array on to the end of the header."""
    with open(fd, "rb", closefd=False) as file:
        file.seek(value.offset)
        return file.read(max(0, header.data_offset - value.offset))


def _damaged(name: str, detail: str) -> CorruptCheckpointError:
    return CorruptCheckpointError(
        f"The tokenizer cannot be read: {name} is damaged.", "Download the model again.", detail
    )
