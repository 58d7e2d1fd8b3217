from __future__ import annotations

import pytest

from inference.library.sizes import format_bytes


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (64_000, "64 kB"),
        (999_600, "1.0 MB"),
        (4_100_000_000, "4.1 GB"),
        (2_500_000_000_000, "2.5 TB"),
    ],
)
def test_bytes_read_as_people_write_them(size_bytes: int, text: str) -> None:
    assert format_bytes(size_bytes) == text
