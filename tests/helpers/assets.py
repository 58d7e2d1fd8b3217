"""Real test files that lie beside the checkout on some machines; tests skip where they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
_ASSETS = REPO.parent / "shared" / "assets"


def asset(name: str) -> Path:
    """Return the path of one asset, or skip the calling test where it is absent."""
    path = _ASSETS / name
    if not path.exists():
        pytest.skip(f"../shared/assets/{name} is not on this machine")
    return path
