"""Bytes of tokens in, complete text out.

A token may end in the middle of a character (emoji, CJK): such bytes wait until the rest comes.
"""

from __future__ import annotations

import codecs

_DECODER = codecs.getincrementaldecoder("utf-8")


class Utf8Stream:
    """Incremental UTF-8: however the bytes are split, the joined texts are the whole text.

    Bytes that can no longer become a character turn into U+FFFD at once, unfinished ones only at
    the end, as the Unicode Standard recommends (section 3.9, maximal subparts).
    """

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder = _DECODER("replace")

    def push(self, piece: bytes) -> str:
        """Return the characters that ``piece`` completes; may be empty."""
        return self._decoder.decode(piece)

    @property
    def pending_bytes(self) -> int:
        """How many bytes, 0 to 3, wait for the rest of their character."""
        return len(self._decoder.getstate()[0])

    def finish(self) -> str:
        """End the text: U+FFFD when bytes were still waiting, otherwise nothing."""
        return self._decoder.decode(b"", final=True)
