"""Text files are read as people mean them, and what is no text is refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.errors import InferenceError, UnsupportedRequestError
from inference.text import files
from inference.text.files import read_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Grün\r\nund blau\r\n".encode(), "Grün\nund blau"),
        ("Grün".encode("utf-8-sig"), "Grün"),
        ("Grün".encode("utf-16"), "Grün"),
        (b"caf\xe9", "caf\ufffd"),
        (b"", ""),
    ],
)
def test_common_encodings_are_read(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(data)
    assert read_text(path) == text


def test_what_is_no_text_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00")
    with pytest.raises(UnsupportedRequestError, match=r"model\.gguf is not a text"):
        read_text(path)
    with pytest.raises(InferenceError, match=r"away\.txt could not be read"):
        read_text(tmp_path / "away.txt")
    monkeypatch.setattr(files, "MOST_BYTES", 4)
    with pytest.raises(UnsupportedRequestError, match="larger"):
        read_text(path)
