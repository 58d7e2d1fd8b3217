"""The bytes behind each token id, for the two ways in which vocabularies write bytes as text.

Byte-level BPE (GPT-2, Llama 3, Qwen) writes every byte as one printable character. Sentencepiece
(Llama 2, Mistral) writes a space as U+2581 and a lone byte as ``<0x0A>``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LeadingSpace = Literal["never", "first", "always"]

_LONE_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def _byte_alphabet() -> dict[str, int]:
    """Return GPT-2's table: printable Latin-1 as itself, the other bytes from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in plain]
    table = {chr(byte): byte for byte in plain}
    table.update({chr(0x100 + place): byte for place, byte in enumerate(moved)})
    return table


_BYTES = _byte_alphabet()


class PieceTable:
    """Bytes of tokens, worked out when first asked for.

    Args:
        described: The contents of tokenizer.json.
        token_text: Returns a token's text as the vocabulary writes it, ``None`` for unused ids.

    Attributes:
        leading_space: Whether the tokenizer puts a space before a text: never, before the very
            first piece only, or before every piece.
    """

    def __init__(self, described: dict[str, Any], token_text: Callable[[int], str | None]) -> None:
        self._token_text = token_text
        self._known: dict[int, bytes] = {}
        kinds = {part.get("type") for part in _parts(described)}
        self._byte_level = "ByteLevel" in kinds
        self.leading_space: LeadingSpace = _leading_space(described)

    def bytes_of(self, token_id: int) -> bytes:
        """Return the bytes of an ordinary token; ids without a token have none."""
        known = self._known.get(token_id)
        if known is None:
            text = self._token_text(token_id)
            known = b"" if text is None else self._decode(text)
            self._known[token_id] = known
        return known

    def _decode(self, text: str) -> bytes:
        if self._byte_level:
            if all(char in _BYTES for char in text):
                return bytes(_BYTES[char] for char in text)
            return text.encode()
        lone = _LONE_BYTE.fullmatch(text)
        if lone is not None:
            return bytes([int(lone.group(1), 16)])
        return text.replace("\u2581", " ").encode()


def _parts(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield normalizers, pre-tokenizers and decoders, sequences taken apart."""
    waiting = [described.get(key) for key in ("normalizer", "pre_tokenizer", "decoder")]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            for key in ("normalizers", "pretokenizers", "decoders"):
                inner = part.get(key)
                waiting.extend(inner if isinstance(inner, list) else ())


def _leading_space(described: dict[str, Any]) -> LeadingSpace:
    for part in _parts(described):
        if part.get("type") == "Prepend":  # the older form: a normalizer, applied to every piece
            return "always"
        if part.get("type") == "Metaspace":
            scheme = part.get("prepend_scheme", "always")
            if scheme == "always":
                return "always"
            if scheme == "first":
                return "first"
    return "never"
