"""The two ways in which vocabularies write bytes as text.

Byte-level BPE (GPT-2, Llama 3, Qwen) writes every byte as one printable character. SentencePiece
(Llama 2, Mistral) writes a space as U+2581 and a lone byte as ``<0x0A>``.
"""

from __future__ import annotations

import re
from typing import Final

_LONE_BYTE: Final = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def _byte_alphabet() -> dict[str, int]:
    """Return GPT-2's table: printable Latin-1 as itself, the other bytes from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in plain]
    table = {chr(byte): byte for byte in plain}
    table.update({chr(0x100 + place): byte for place, byte in enumerate(moved)})
    return table


BYTES: Final = _byte_alphabet()
"""Character of byte-level BPE to byte."""

CHARACTERS: Final = {byte: char for char, byte in BYTES.items()}
"""The inverse."""


def lone_byte(text: str) -> int | None:
    """Return the byte that ``<0x0A>`` stands for; ``None`` for other texts."""
    found = _LONE_BYTE.fullmatch(text)
    return None if found is None else int(found.group(1), 16)


def bytes_of(text: str, *, byte_level: bool) -> bytes:
    """Return the bytes behind a text of the vocabulary."""
    if byte_level:
        if all(char in BYTES for char in text):
            return bytes(BYTES[char] for char in text)
        return text.encode()
    lone = lone_byte(text)
    if lone is not None:
        return bytes((lone,))
    return text.replace("\u2581", " ").encode()
