"""Both engines on one model, closed after the test, with folders of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from inference.cancel import CancelToken
from inference.gguf.engine import open_engine as open_gguf
from inference.native.engine import open_engine as open_native
from inference.types import LoadOptions

if TYPE_CHECKING:
    from pathlib import Path

    from inference.engine import Engine

Open: TypeAlias = Callable[..., "Engine"]


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_folders(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(shared_home))


@pytest.fixture
def opened() -> Iterator[Open]:
    """Open a folder or file with its engine; computed in float32 wherever there is a choice."""
    engines: list[Engine] = []

    def open_one(path: Path, **options: Any) -> Engine:
        options.setdefault("threads", 1)  # tiny models gain nothing from more
        if path.is_dir():
            chosen = LoadOptions(str(path), "native", dtype="float32", **options)
            engines.append(open_native(chosen, lambda _: None, CancelToken()))
        else:
            exact: dict[str, Any] = {"kv_cache_type": "f32", "flash_attention": False}
            chosen = LoadOptions(str(path), "gguf", **(exact | options))
            engines.append(open_gguf(chosen, lambda _: None, CancelToken()))
        return engines[-1]

    yield open_one
    for engine in engines:
        engine.close()
