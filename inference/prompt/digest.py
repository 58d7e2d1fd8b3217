"""A short name for the ids of a prompt, to see later whether a prompt made anew is the same."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def prompt_digest(ids: Sequence[int]) -> str:
    """Return 16 hexadecimal digits (BLAKE2b over the ids as little-endian 32-bit numbers)."""
    return hashlib.blake2b(struct.pack(f"<{len(ids)}I", *ids), digest_size=8).hexdigest()
