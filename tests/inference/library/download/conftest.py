from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.helpers.local_hub import LocalHub
from tests.helpers.patience import HURRIED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["HURRIED"]


def content(size: int, seed: int = 1) -> bytes:
    """Bytes that no two places of a file share."""
    return random.Random(seed).randbytes(size)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach loopback whatever this machine's environment says, and never send its token."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as hub:
        yield hub


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"
