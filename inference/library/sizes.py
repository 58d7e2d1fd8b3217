"""Numbers of bytes as a person reads them."""

from __future__ import annotations


def format_bytes(size_bytes: int) -> str:
    """Return ``4.1 GB``, ``640 kB`` or ``12 bytes``; decimal units, as shops and downloads use."""
    if size_bytes < 1_000:
        return f"{size_bytes} bytes"
    value = float(size_bytes)
    for unit in ("kB", "MB", "GB"):
        value /= 1_000
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{value / 1_000:.1f} TB"
