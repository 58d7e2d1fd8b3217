"""Text to token ids and back, from ``tokenizer.json`` and the small files beside it.

Text becomes ids without special parsing: what a person types never turns into a special token.
Which tokens are special says the file itself (``"special": true``); markers of turns such as
``<|user|>`` count as special even where the file forgets to say so. Other added tokens
(``<think>``, runs of spaces) are ordinary text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from tokenizers import Tokenizer

from inference.errors import CorruptCheckpointError
from inference.library.checkpoint_folder import read_json
from inference.native.token_bytes import PieceTable
from inference.types import TokenPiece

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from inference.native.token_bytes import LeadingSpace
    from inference.prompt.segments import Segment

_AGAIN = "Download the model again, with its tokenizer files."
_MOST_JSON_BYTES = 256 << 20
_TURN_MARKER = re.compile("<[|\uff5c].*[|\uff5c]>", re.DOTALL)  # U+FF5C: DeepSeek's bars

# Names under which model families end a turn. Files of fine-tuned models often name only one of
# two in use; llama.cpp knows the same list.
_TURN_ENDS = (
    "<|eot_id|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|return|>",
    "<|call|>",
    "<end_of_utterance>",
    "<EOT>",
    "</s>",
)


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that is cut out of the text before anything else.

    Attributes:
        id: Its id.
        text: How it is written.
        special: Typed text never becomes it.
        control: It has no text of its own in an answer.
        lstrip: It swallows the white space before it.
        rstrip: It swallows the white space after it.
    """

    id: int
    text: str
    special: bool
    control: bool
    lstrip: bool
    rstrip: bool


class CheckpointTokenizer:
    """The tokenizer of one checkpoint folder.

    Args:
        folder: Holds tokenizer.json; tokenizer_config.json, generation_config.json and
            chat_template.jinja are read if there.
        config_json: The folder's config.json.

    Raises:
        CorruptCheckpointError: A file is missing, damaged, or of another form than known.
    """

    def __init__(self, folder: Path, config_json: dict[str, Any]) -> None:
        source, described = _read_tokenizer_json(folder)
        self.added = {token.id: token for token in _added_tokens(described)}
        self._specials = {token.text: token.id for token in self.added.values() if token.special}
        if any(token.special and not token.control for token in self.added.values()):
            source = json.dumps(_with_markers_special(described))
        self._first = self._later = _tokenizer(source)
        later = _without_first_space(described)
        if later != described:
            self._later = _tokenizer(json.dumps(_with_markers_special(later)))
        self._pieces = PieceTable(described, self._first.id_to_token)
        settings = _optional_json(folder / "tokenizer_config.json")
        legacy = _optional_json(folder / "special_tokens_map.json")
        generation = _optional_json(folder / "generation_config.json")
        self.bos_id = self._bos_id((settings, legacy), (generation, config_json))
        self.eos_ids = self._eos_ids((settings, legacy), (generation, config_json))
        self.adds_bos = self.bos_id is not None and self._wants_bos(settings)
        self.bos_token = self._text_of(self.bos_id)
        named_end = self._named_id(settings.get("eos_token"))
        ends = (named_end,) if named_end is not None else self.eos_ids
        self.eos_id = ends[0] if ends else None
        self.eos_token = self._text_of(self.eos_id)
        self.chat_template = _chat_template(folder, settings)

    @property
    def leading_space(self) -> LeadingSpace:
        """Where a space is put before text: nowhere, at its beginning, or after specials, too."""
        return self._pieces.leading_space

    @property
    def size(self) -> int:
        """Tokens it knows; a network may have rows for more."""
        return self._first.get_vocab_size()

    @property
    def specials(self) -> dict[str, int]:
        """Special tokens, text to id."""
        return self._specials

    def encode(self, text: str, *, at_start: bool = True) -> list[int]:
        """Return the ids of a text in which nothing is special, without BOS.

        Args:
            text: Any text; halves of surrogate pairs become question marks.
            at_start: ``False`` for text that follows a special token: some tokenizers put a
                space before the very first word only.
        """
        clean = text.encode("utf-8", "replace").decode()
        ids: list[int] = (
            (self._first if at_start else self._later).encode(clean, add_special_tokens=False).ids
        )
        return ids

    def encode_segments(self, segments: Sequence[Segment]) -> list[int]:
        """Return the ids of a text cut at its special tokens."""
        ids: list[int] = []
        for index, segment in enumerate(segments):
            if segment.special:
                ids.append(self._specials[segment.text])
                continue
            kept = self._stripped(segments, index)
            if kept:
                ids.extend(self.encode(kept, at_start=index == 0))
        return ids

    def piece(self, token_id: int) -> bytes:
        """Return a token's bytes in an answer; special tokens have none."""
        added = self.added.get(token_id)
        if added is not None:
            return b"" if added.control else added.text.encode()
        return self._pieces.bytes_of(token_id)

    def text(self, token_id: int) -> str:
        """Return a token's text for a table; unfinished UTF-8 becomes U+FFFD."""
        added = self.added.get(token_id)
        if added is not None:
            return added.text
        return self._pieces.bytes_of(token_id).decode("utf-8", "replace")

    def identity(self, token_id: int) -> tuple[bytes, str]:
        """Return what tells a token from every other: its bytes, and its text."""
        return self.piece(token_id), self.text(token_id)

    def shown(self, token_id: int) -> TokenPiece:
        """Return a token for display."""
        text = self.text(token_id)
        raw = self.piece(token_id) if "\ufffd" in text else b""
        return TokenPiece(token_id, text, self.is_special(token_id), raw)

    def is_special(self, token_id: int) -> bool:
        """Say whether a token is one that text never becomes."""
        added = self.added.get(token_id)
        return added is not None and added.special

    def drops_space_after(self, prompt_ids: Sequence[int]) -> bool:
        """Say whether an answer after this prompt loses one space at its beginning.

        Tokenizers of the sentencepiece kind put a space before a text; decoding takes it off.
        """
        if self._pieces.leading_space == "always":
            return not prompt_ids or self.is_special(prompt_ids[-1])
        return self._pieces.leading_space == "first" and all(map(self.is_special, prompt_ids))

    def _stripped(self, segments: Sequence[Segment], index: int) -> str:
        """Take off the white space that a neighbouring special token swallows."""
        text = segments[index].text
        if index > 0 and segments[index - 1].special:
            before = self.added[self._specials[segments[index - 1].text]]
            text = text.lstrip() if before.rstrip else text
        if index + 1 < len(segments) and segments[index + 1].special:
            after = self.added[self._specials[segments[index + 1].text]]
            text = text.rstrip() if after.lstrip else text
        return text

    def _named_id(self, named: object) -> int | None:
        """Return the id of a token named by a settings file, as text or as an object."""
        if isinstance(named, dict):
            named = named.get("content")
        if not isinstance(named, str):
            return None
        found: int | None = self._first.token_to_id(named)
        return found

    def _bos_id(
        self, settings: tuple[dict[str, Any], ...], configs: tuple[dict[str, Any], ...]
    ) -> int | None:
        for file in settings:
            found = self._named_id(file.get("bos_token"))
            if found is not None:
                return found
        for file in configs:
            value = file.get("bos_token_id")
            if _is_id(value) and self._first.id_to_token(value) is not None:
                return value
        return None

    def _eos_ids(
        self, settings: tuple[dict[str, Any], ...], configs: tuple[dict[str, Any], ...]
    ) -> tuple[int, ...]:
        ids: dict[int, None] = {}  # a set in order: what the files name first comes first
        for file in configs:
            value = file.get("eos_token_id")
            values = value if isinstance(value, list) else [value]
            ids.update({item: None for item in values if _is_id(item)})
        for file in settings:
            named = self._named_id(file.get("eos_token"))
            if named is not None:
                ids[named] = None
        ids.update({self._specials[name]: None for name in _TURN_ENDS if name in self._specials})
        return tuple(ids)

    def _wants_bos(self, settings: dict[str, Any]) -> bool:
        wanted = settings.get("add_bos_token")
        if isinstance(wanted, bool):
            return wanted
        ids: list[int] = self._first.encode("").ids  # what the post-processor puts around a text
        return bool(ids) and ids[0] == self.bos_id

    def _text_of(self, token_id: int | None) -> str:
        if token_id is None:
            return ""
        return self._first.id_to_token(token_id) or ""


def _corrupt(what: str, detail: str = "") -> CorruptCheckpointError:
    return CorruptCheckpointError(f"The model's tokenizer cannot be used: {what}.", _AGAIN, detail)


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31


def _optional_json(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _read_tokenizer_json(folder: Path) -> tuple[str, dict[str, Any]]:
    path = folder / "tokenizer.json"
    try:
        if path.stat().st_size > _MOST_JSON_BYTES:
            raise _corrupt("tokenizer.json is far too large")
        source = path.read_text(encoding="utf-8")
        described = json.loads(source)
    except FileNotFoundError:
        raise _corrupt("tokenizer.json is missing") from None
    except (OSError, ValueError, RecursionError) as exc:
        raise _corrupt("tokenizer.json cannot be read", str(exc)) from exc
    if not isinstance(described, dict):
        raise _corrupt("tokenizer.json holds no JSON object")
    return source, described


def _tokenizer(source: str) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str(source)
    except Exception as exc:  # tokenizers raises nothing narrower
        raise _corrupt("tokenizer.json is damaged or of an unknown kind", str(exc)) from exc
    tokenizer.encode_special_tokens = True  # special tokens written in a text stay text
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _without_first_space(described: dict[str, Any]) -> dict[str, Any]:
    """Return the same tokenizer for text after the first piece (``prepend_scheme: first``)."""

    def changed(part: object) -> object:
        if isinstance(part, list):
            return [changed(item) for item in part]
        if not isinstance(part, dict):
            return part
        inner = {key: changed(value) for key, value in part.items()}
        if part.get("type") == "Metaspace" and part.get("prepend_scheme") == "first":
            inner["prepend_scheme"] = "never"
        return inner

    return described | {"pre_tokenizer": changed(described.get("pre_tokenizer"))}


def _is_marker(entry: dict[str, Any]) -> bool:
    return _TURN_MARKER.fullmatch(str(entry.get("content"))) is not None


def _with_markers_special(described: dict[str, Any]) -> dict[str, Any]:
    listed = described["added_tokens"]
    return described | {
        "added_tokens": [
            entry | {"special": True, "normalized": False} if _is_marker(entry) else entry
            for entry in listed
        ]
    }


def _added_tokens(described: dict[str, Any]) -> list[AddedToken]:
    listed = described.get("added_tokens") or []
    if not isinstance(listed, list):
        raise _corrupt("added_tokens in tokenizer.json is not a list")
    found: list[AddedToken] = []
    for entry in listed:
        if not (
            isinstance(entry, dict)
            and _is_id(entry.get("id"))
            and isinstance(entry.get("content"), str)
        ):
            raise _corrupt("an added token in tokenizer.json has no id or no text")
        found.append(
            AddedToken(
                id=entry["id"],
                text=entry["content"],
                special=entry.get("special") is True or _is_marker(entry),
                control=entry.get("special") is True,
                lstrip=entry.get("lstrip") is True,
                rstrip=entry.get("rstrip") is True,
            )
        )
    return found


def _chat_template(folder: Path, settings: dict[str, Any]) -> str | None:
    """Return the template's source; the file of its own wins, as in transformers."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, ValueError) as exc:
            raise _corrupt("chat_template.jinja cannot be read", str(exc)) from exc
    found = settings.get("chat_template")
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, list):
        named = {
            entry["name"]: entry["template"]
            for entry in found
            if isinstance(entry, dict)
            and isinstance(entry.get("name"), str)
            and isinstance(entry.get("template"), str)
        }
        if named:
            return str(named.get("default", next(iter(named.values()))))
    raise _corrupt("chat_template in tokenizer_config.json is neither text nor a list of texts")
