from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from inference.host.client import EngineClient
from tests.helpers.processes import is_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

FAKE = "tests.helpers.fake_engine:open_engine"


@pytest.fixture
def client() -> Iterator[EngineClient]:
    """A client of the fake engine; afterwards neither a thread nor a process is left."""
    made = EngineClient(FAKE)
    yield made
    pid = made.pid
    made.close()
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("engine-")]
    assert not left
    if pid is not None:
        assert is_gone(pid)
