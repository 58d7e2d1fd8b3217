"""The bytes behind each token id of a checkpoint folder; see ``inference.tokenizing.byte_text``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from inference.tokenizing.byte_text import bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LeadingSpace = Literal["never", "first", "always"]


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
            known = b"" if text is None else bytes_of(text, byte_level=self._byte_level)
            self._known[token_id] = known
        return known


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
