from __future__ import annotations

import os
import urllib.request
from typing import TYPE_CHECKING

import pytest

from inference.library.network import use_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield monkeypatch
    use_proxy("")


def test_a_chosen_proxy_is_what_every_client_finds(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "http://from-outside:1")
    use_proxy("proxy.example:3128")
    found = urllib.request.getproxies()
    assert (found["http"], found["https"]) == ("http://proxy.example:3128",) * 2


def test_without_one_the_environment_is_as_it_was(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTPS_PROXY", "http://from-outside:1")
    use_proxy("http://one:1")
    use_proxy("http://two:2")
    use_proxy("")
    assert os.environ["HTTPS_PROXY"] == "http://from-outside:1"
    assert "http_proxy" not in os.environ
