"""From a search on the hub to an installed model, in the whole application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from desktop import app as application
from desktop.itemmodels.found_versions import VersionRole
from desktop.views.discover_page import DiscoverPage
from inference.paths import AppPaths
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

REPO = "org/Model-GGUF"
FACTS = {"gguf": {"total": 1_000_000, "architecture": "llama", "context_length": 512}}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with LocalHub() as local:
        monkeypatch.setenv("HF_ENDPOINT", local.endpoint)
        content = tiny_gguf(tmp_path / "m.gguf").read_bytes()
        local.add(REPO, {"m-Q4_K_M.gguf": content, "m-Q8_0.gguf": content + b"\0"}, extra=FACTS)
        yield local


@pytest.fixture
def parts(qtbot: QtBot, dressed_app: QApplication, tmp_path: Path) -> Iterator[application.Parts]:
    names = ("data", "config", "cache", "models", "log")
    built = application.build(dressed_app, AppPaths(*(tmp_path / name for name in names)))
    qtbot.addWidget(built.window)
    built.window.show()
    yield built
    built.window.close()
    built.close()
    dressed_app.setStyleSheet("")


def find(parts: application.Parts, name: str) -> QWidget:
    found = parts.window.findChild(QWidget, name)
    assert found is not None, name
    return found


def test_a_model_of_the_hub_is_found_fetched_and_there_to_chat_with(
    parts: application.Parts, hub: LocalHub, qtbot: QtBot, tmp_path: Path
) -> None:
    parts.window.open_page("models")
    page = find(parts, "discover_page")
    assert isinstance(page, DiscoverPage)
    qtbot.waitUntil(lambda: page.items.rowCount() > 30, timeout=30_000)
    assert hub.requests == []
    field = find(parts, "discover_search")
    qtbot.keyClicks(field, f"{hub.endpoint}/{REPO}")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.items.row_of(f"hub:{REPO}") >= 0, timeout=30_000)
    page.open(f"hub:{REPO}")
    qtbot.waitUntil(lambda: page.detail.table.items.rowCount() > 3, timeout=30_000)
    page.detail.choose_version("Q8_0")
    qtbot.mouseClick(find(parts, "found_download"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: [row.state for row in parts.downloads.rows()] == ["finished"], timeout=30_000
    )
    assert parts.downloads.rows()[0].name == "Model-GGUF"
    there = tmp_path / "models" / "org" / "Model-GGUF" / "m-Q8_0.gguf"
    assert there.is_file()
    qtbot.waitUntil(lambda: find(parts, "found_chat").isVisible(), timeout=30_000)
    assert not find(parts, "found_download").isVisible()
    name = find(parts, "found_name")
    assert isinstance(name, QLabel)
    assert name.text() == "Model-GGUF"


def test_the_computer_is_looked_at_when_the_page_opens_without_a_click(
    parts: application.Parts, qtbot: QtBot
) -> None:
    parts.window.open_page("models")
    page = find(parts, "discover_page")
    assert isinstance(page, DiscoverPage)
    table = page.detail.table.items

    def verdicts() -> set[str]:
        rows = (table.index(n, 0).data(VersionRole.VERSION) for n in range(table.rowCount()))
        return {row.fit.verdict for row in rows if row is not None}

    qtbot.waitUntil(lambda: bool(verdicts() - {"waiting"}), timeout=30_000)  # nothing is clicked
    assert verdicts() <= {"gpu", "partly", "processor", "too_large"}


def test_a_star_is_there_again_in_the_next_window(
    parts: application.Parts, qtbot: QtBot, dressed_app: QApplication
) -> None:
    parts.window.open_page("models")
    page = find(parts, "discover_page")
    assert isinstance(page, DiscoverPage)
    qtbot.waitUntil(lambda: page.items.rowCount() > 30, timeout=30_000)
    last = page.items.index(page.items.rowCount() - 1)
    page.view.setCurrentIndex(last)
    name = last.data()
    qtbot.waitUntil(lambda: find(parts, "found_favourite").isVisible())
    qtbot.mouseClick(find(parts, "found_favourite"), Qt.MouseButton.LeftButton)
    assert page.items.index(0).data() == name
    later = application.build(dressed_app, parts.paths)
    qtbot.addWidget(later.window)
    later.window.show()
    later.window.open_page("models")
    again = find(later, "discover_page")
    assert isinstance(again, DiscoverPage)
    qtbot.waitUntil(lambda: again.items.rowCount() > 30, timeout=30_000)
    assert again.items.index(0).data() == name
    later.window.close()
    later.close()
