"""Which side a text is read from."""

from __future__ import annotations

from unicodedata import bidirectional


def reads_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction belongs to a script written from the right."""
    if text.isascii():
        return False
    sides = (bidirectional(char) for char in text)
    return next((side != "L" for side in sides if side in {"L", "R", "AL"}), False)
