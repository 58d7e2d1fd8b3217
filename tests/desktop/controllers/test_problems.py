"""What a person reads of trouble with the hub, in the window and in a terminal."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop.controllers.asked_downloads import asking
from desktop.controllers.problems import hub_hint, hub_problem
from desktop.download_values import Wanted
from inference.errors import RepositoryNotFoundError
from inference.library import hub as library_hub
from inference.library.download import answers
from inference.library.hub import Hub
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with LocalHub() as local:
        local.add("org/secret", {"m.gguf": b"x"}, private=True, users={"hf_good"})
        yield local


@pytest.mark.parametrize("repo", ["org/secret", "org/missing"])
def test_a_missing_or_private_repository_leads_to_the_settings_in_the_window(
    hub: LocalHub, repo: str
) -> None:
    with pytest.raises(RepositoryNotFoundError) as caught:
        Hub(hub.endpoint).listing(repo)
    assert "HF_TOKEN" in caught.value.hint  # what a terminal says
    row = asking(Wanted(repo, "Q4_K_M", "main", "", 1)).refused(caught.value).row("one")
    for hint in (hub_problem(caught.value).hint, row.hint):
        assert "HF_TOKEN" not in hint
        assert hint.endswith("A private one needs a token: put it into Settings, Network.")


@pytest.mark.parametrize("module", [library_hub, answers])
def test_no_next_step_of_the_hubs_names_the_environment_in_the_window(module: ModuleType) -> None:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    hints = [
        text
        for text in texts
        if isinstance(text, str) and "HF_TOKEN" in text and "``" not in text and " " in text
    ]
    assert hints
    for hint in hints:
        assert "HF_TOKEN" not in hub_hint(hint)
        assert "Settings, Network" in hub_hint(hint)
