"""Engines on tiny files, closed after the test; one processor probe for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from inference.cancel import CancelToken
from inference.gguf.engine import GgufEngine, open_engine
from inference.types import LoadOptions

if TYPE_CHECKING:
    from pathlib import Path

OpenGguf: TypeAlias = Callable[..., GgufEngine]


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_folders(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(shared_home))


@pytest.fixture
def open_gguf() -> Iterator[OpenGguf]:
    """Open engines that are closed when the test ends."""
    opened: list[GgufEngine] = []

    def open_one(path: Path, **options: Any) -> GgufEngine:
        options.setdefault("threads", 1)  # tiny models gain nothing from more
        chosen = LoadOptions(path=str(path), engine="gguf", **options)
        opened.append(open_engine(chosen, lambda *_: None, CancelToken()))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.close()
