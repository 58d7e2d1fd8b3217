"""Texts from files, for people: what is no text is refused in a sentence."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

from inference.errors import InferenceError, UnsupportedRequestError

MOST_BYTES: Final = 32_000_000
"""A text of that size takes hours on most computers."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with its mark.

    Line ends become newlines; one at the very end is not part of the text.

    Raises:
        InferenceError: It cannot be read, is too large, or is no text.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnsupportedRequestError(
                f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB.",
                "Take a part of it: a few hundred kilobytes tell as much.",
            )
        data = path.read_bytes()
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise InferenceError(
            f"{path.name} could not be read: {reason}.", "Check where it is, and its permissions."
        ) from exc
    return decoded(data, path.name)


def decoded(data: bytes, name: str) -> str:
    """Return bytes as text; see ``read_text``.

    Raises:
        UnsupportedRequestError: They are no text.
    """
    encoding = next((code for mark, code in _BOMS if data.startswith(mark)), "utf-8")
    text = data.decode(encoding, "replace")
    if "\0" in text:
        raise UnsupportedRequestError(
            f"{name} is not a text.", "Choose a plain text file (.txt, .md ...)."
        )
    return text.replace("\r\n", "\n").removesuffix("\n")
