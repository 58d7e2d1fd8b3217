"""Collect what a chat template is judged by: its source, BOS, the tokens that end a turn.

From a GGUF header (whose vocabulary is walked through once) or from a folder's tokenizer files.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.errors import CorruptCheckpointError, ModelNotFoundError
from inference.library import checkpoint_folder
from inference.library.describe import is_gguf
from inference.library.gguf_header import GgufHeader, LongArray, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TURN_ENDS = frozenset(
    {
        "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>",
        "<|end_of_text|>", "<|return|>", "<|call|>", "<turn|>", "<EOT>", "<|eot|>", "[EOS]",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
    }
)  # fmt: skip
"""Tokens that both engines stop at by their name, if the vocabulary has them."""
_CONTROL = 3
_ID_KEYS = ("eos_token_id", "eot_token_id", "eom_token_id")
_ADDS_BOS = {
    "llama": True,
    "gemma4": True,
    "gpt2": False,
}  # by tokenizer model, as llama.cpp has it
_ADDS_BOS_PRE = frozenset({"llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral"})
_U64 = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """What the files say.

    Attributes:
        source: The template; empty when there is none.
        bos: Text of the beginning-of-sequence token; may be empty.
        eos: Text of the end-of-sequence token; may be empty.
        adds_bos: Whether the tokenizer puts BOS before a text by itself.
        ends: Texts of the tokens that end an answer.
        specials: Texts of all control tokens.
        architecture: As the files name it.
    """

    source: str
    bos: str = ""
    eos: str = ""
    adds_bos: bool = False
    ends: frozenset[str] = frozenset()
    specials: frozenset[str] = frozenset()
    architecture: str = ""


def template_facts(path: Path) -> TemplateFacts:
    """Collect the facts of an installed model.

    Raises:
        InferenceError: The files are missing or damaged.
    """
    return _of_gguf(path) if is_gguf(path) else _of_folder(path)


def _of_gguf(path: Path) -> TemplateFacts:
    header = read_header(path)
    tokens = _tokens(path, header)
    specials = frozenset(text for text, kind in tokens if kind == _CONTROL)

    def text(key: str) -> str:
        number = header.metadata.get(f"tokenizer.ggml.{key}")
        if not isinstance(number, int) or not 0 <= number < len(tokens):
            return ""
        return tokens[number][0]

    adds = header.metadata.get("tokenizer.ggml.add_bos_token")
    if not isinstance(adds, bool):
        adds = _ADDS_BOS.get(header.text("tokenizer.ggml.model"), False)
        adds = adds or header.text("tokenizer.ggml.pre") in _ADDS_BOS_PRE
    named = {text(key) for key in _ID_KEYS} - {""}
    return TemplateFacts(
        source=header.text("tokenizer.chat_template"),
        bos=text("bos_token_id"),
        eos=text("eos_token_id"),
        adds_bos=adds,
        ends=frozenset(named) | (TURN_ENDS & {token for token, _ in tokens}),
        specials=specials,
        architecture=header.architecture,
    )


def _tokens(path: Path, header: GgufHeader) -> list[tuple[str, int]]:
    """Return every token's text and type, in the order of ids."""
    texts = header.metadata.get("tokenizer.ggml.tokens")
    kinds = header.metadata.get("tokenizer.ggml.token_type")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = list(_texts(data, texts))
            numbers = _numbers(data, kinds)
    except OSError as exc:
        raise ModelNotFoundError(f"The file {path} cannot be opened.", "", str(exc)) from exc
    except (struct.error, ValueError) as exc:
        raise CorruptCheckpointError(
            f"The vocabulary of {path.name} is damaged.", "Download the file again.", str(exc)
        ) from exc
    if len(numbers) != len(found):
        numbers = (1,) * len(found)
    return list(zip(found, numbers, strict=True))


def _texts(data: mmap.mmap, value: object) -> Iterator[str]:
    if isinstance(value, tuple):
        yield from map(str, value)
    elif isinstance(value, LongArray):
        at = value.offset
        for _ in range(value.length):
            end = at + 8 + _U64.unpack_from(data, at)[0]
            yield data[at + 8 : end].decode("utf-8", "replace")
            at = end


def _numbers(data: mmap.mmap, value: object) -> tuple[int, ...]:
    if isinstance(value, tuple):
        return tuple(int(number) for number in value)
    if isinstance(value, LongArray):
        return struct.unpack_from(f"<{value.length}i", data, value.offset)
    return ()


def _of_folder(folder: Path) -> TemplateFacts:
    config = checkpoint_folder.read_config(folder)
    settings = checkpoint_folder.optional_json(folder / "tokenizer_config.json")
    tokenizer = checkpoint_folder.optional_json(folder / "tokenizer.json")
    added = tokenizer.get("added_tokens")
    entries = [one for one in added if isinstance(one, dict)] if isinstance(added, list) else []
    texts = {one.get("id"): str(one.get("content")) for one in entries}
    specials = frozenset(str(one.get("content")) for one in entries if one.get("special"))
    ends = {texts.get(number) for number in _end_ids(folder, config)}
    eos = _token(settings.get("eos_token"))
    return TemplateFacts(
        source=checkpoint_folder.chat_template(folder),
        bos=_token(settings.get("bos_token")),
        eos=eos,
        adds_bos=settings.get("add_bos_token") is True,
        ends=frozenset(text for text in (*ends, eos) if text) | (TURN_ENDS & specials),
        specials=specials,
        architecture=str(config.get("model_type") or ""),
    )


def _end_ids(folder: Path, config: Mapping[str, object]) -> list[object]:
    ids: list[object] = []
    for file in (config, checkpoint_folder.optional_json(folder / "generation_config.json")):
        value = file.get("eos_token_id")
        ids += value if isinstance(value, list) else [value]
    return [number for number in ids if isinstance(number, int)]


def _token(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""
