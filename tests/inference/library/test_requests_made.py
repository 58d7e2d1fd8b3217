from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.library import requests_made
from inference.library.hub import Hub
from tests.helpers.fetching import fetch, plan_of
from tests.helpers.local_hub import LocalHub
from tests.helpers.patience import HURRIED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with LocalHub() as hub:
        hub.add("org/m", {"m.gguf": b"weights" * 1_000})
        yield hub


def test_what_is_listed_is_exactly_what_the_servers_saw_and_nobody_else_is_asked(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on the first day: the client has nothing kept of what it likes to ask by itself.
    monkeypatch.setattr("huggingface_hub.utils._detect_agent._registry", None)
    monkeypatch.setattr("huggingface_hub.constants.AGENT_HARNESSES_PATH", str(tmp_path / "none"))
    before = requests_made.count()
    Hub(hub.endpoint, token="secret").listing("org/m")
    fetch(plan_of(hub, "org/m", tmp_path), HURRIED)
    new = [one for one in requests_made.made() if one.number > before]
    assert [one.path for one in new] == [seen.path.partition("?")[0] for seen in hub.requests]
    assert {f"http://{one.host}" for one in new} == {hub.endpoint, hub.store_url}
    assert {seen.headers["user-agent"] for seen in hub.requests} == {"glasshouse"}


def test_no_signature_password_or_token_is_kept() -> None:
    requests_made.note("GET", "https://me:word@host.example:8/a/b?Signature=secret#x")
    last = requests_made.made()[-1]
    assert (last.host, last.path) == ("host.example:8", "/a/b")
    assert "secret" not in repr(last)
    assert "word" not in repr(last)


def test_listeners_hear_of_each_until_they_end() -> None:
    heard: list[int] = []
    end = requests_made.listen(lambda: heard.append(requests_made.count()))
    requests_made.note("GET", "http://a/")
    end()
    requests_made.note("GET", "http://b/")
    assert heard == [requests_made.count() - 1]
