"""The Downloads page on the real queue and the local hub, worked with keys and mouse."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from desktop.download_values import DiskUse, DownloadRow, RowState, Wanted, totals
from desktop.store.settings import DownloadSettings
from desktop.views import download_words as words
from desktop.views.download_row import DownloadRowView
from desktop.views.downloads_page import DownloadsPage
from desktop.widgets.controls import Paragraph
from tests.desktop.views.test_wiring import Room
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme_manager import ThemeManager

SIZE = 1_500_000
SLOW = Fault("slow", at=400_000)
STATES: tuple[RowState, ...] = (
    "asking", "checking", "downloading", "failed", "aside", "queued", "waiting", "paused",
    "finished",
)  # fmt: skip


class Hall(Room):
    """A window whose hub is on loopback."""

    hub: LocalHub

    def offer(self, name: str, **facts: object) -> Wanted:
        self.hub.add(f"org/{name}", {f"{name}.gguf": random.Random(1).randbytes(SIZE)}, **facts)
        return Wanted(f"org/{name}", f"{name}.gguf", name=f"Model {name}")

    def page(self) -> DownloadsPage:
        page = self.window.open_page("downloads")
        assert isinstance(page, DownloadsPage)
        return page

    def views(self) -> list[DownloadRowView]:
        """Rows from top to bottom."""
        found = [one for one in self.page().findChildren(DownloadRowView) if one.isVisible()]
        return sorted(found, key=lambda one: one.mapToGlobal(QPoint(0, 0)).y())

    def state(self, row_id: str) -> str:
        row = self.house.downloads.row(row_id)
        return row.state if row is not None else "gone"

    def button(self, name: str) -> QAbstractButton:
        found = [b for b in self.window.findChildren(QAbstractButton, name) if b.isVisible()]
        assert len(found) == 1, f"{len(found)} of {name}"
        return found[0]


@pytest.fixture
def hall(
    qtbot: QtBot, themes: ThemeManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hall]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with LocalHub() as hub:
        hall = Hall(qtbot, themes, tmp_path)
        hall.hub = hub
        hall.house.settings.update(downloads=DownloadSettings(endpoint=hub.endpoint, parallel=1))
        yield hall
        hall.window.close()
        hall.house.close()


def test_a_download_is_followed_paused_and_finished_on_the_page(hall: Hall) -> None:
    page = hall.page()
    assert page.findChild(QWidget, "downloads_empty").isVisible()
    hall.hub.faults.always(SLOW)
    row_id = hall.house.downloads.download(hall.offer("one"))
    hall.house.until(lambda: hall.state(row_id) == "downloading")
    assert (
        "1 running" in hall.window.rail.findChild(QWidget, "rail_downloads").accessibleDescription()
    )
    hall.house.until(lambda: bool(hall.views()))  # Qt shows new rows with the next event
    view = hall.views()[0]
    assert "downloading" in view.accessibleName()
    hall.qtbot.mouseClick(hall.button("download_pause"), Qt.MouseButton.LeftButton)
    hall.house.until(lambda: hall.state(row_id) == "paused")
    hall.hub.faults.clear()
    hall.qtbot.mouseClick(hall.button("download_resume"), Qt.MouseButton.LeftButton)
    hall.house.until(lambda: hall.state(row_id) == "finished")
    assert hall.button("download_open").accessibleName() == "Open in chat: Model one"
    assert hall.window.toast.isVisible()
    assert "Model one is here" in hall.window.toast.accessibleName()


def test_the_rows_are_worked_with_the_keyboard_alone(hall: Hall) -> None:
    hall.hub.faults.always(SLOW)
    ids = []
    for name in ("one", "two", "three"):
        ids.append(hall.house.downloads.download(hall.offer(name)))
        hall.house.until(lambda: hall.state(ids[-1]) in {"queued", "downloading"})
    page = hall.page()
    page.focus_first()
    assert QApplication.focusWidget() is hall.views()[0]
    hall.press(Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier)
    hall.house.until(lambda: hall.state(ids[0]) == "paused")
    hall.house.until(lambda: hall.state(ids[1]) == "downloading")
    focused = QApplication.focusWidget()
    assert isinstance(focused, DownloadRowView)
    assert focused.row.id == ids[0], "the keyboard stays with the row that moved"
    hall.press(Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    hall.house.until(lambda: [row.id for row in hall.house.downloads.rows()].index(ids[0]) == 2)
    hall.press(Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier)
    hall.house.until(lambda: hall.state(ids[0]) == "queued")
    hall.press(Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
    assert hall.state(ids[0]) == "gone"
    assert isinstance(QApplication.focusWidget(), DownloadRowView)


def test_a_button_that_moves_its_row_leaves_the_keyboard_with_the_row(hall: Hall) -> None:
    hall.hub.faults.always(SLOW)
    row_id = hall.house.downloads.download(hall.offer("one"))
    hall.page()
    hall.house.until(lambda: hall.state(row_id) == "downloading")
    hall.house.until(lambda: bool(hall.views()))
    button = hall.button("download_pause")
    button.setFocus()
    hall.qtbot.keyClick(button, Qt.Key.Key_Space)
    hall.house.until(lambda: hall.state(row_id) == "paused")
    assert hall.views()[0].holds_focus()
    hall.press(Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier)
    hall.house.until(lambda: hall.state(row_id) in {"queued", "downloading"})


def test_a_long_sentence_is_shown_whole(hall: Hall) -> None:
    hall.window.resize(1000, 700)
    hall.page()
    row_id = hall.house.downloads.download(hall.offer("one", gated="auto"))
    hall.house.until(lambda: hall.state(row_id) == "failed")
    hall.house.until(lambda: bool(hall.views()))
    hall.qtbot.wait(100)
    for line in hall.views()[0].findChildren(Paragraph):
        assert line.height() >= line.heightForWidth(line.width()), line.text()


def test_removing_can_be_undone_and_nothing_that_arrived_is_lost(hall: Hall) -> None:
    hall.page()
    hall.hub.faults.always(SLOW)
    row_id = hall.house.downloads.download(hall.offer("one"))
    hall.house.until(
        lambda: (row := hall.house.downloads.row(row_id)) is not None and row.done_bytes > 100_000
    )
    hall.qtbot.mouseClick(hall.button("download_remove"), Qt.MouseButton.LeftButton)
    assert hall.state(row_id) == "gone"
    assert hall.window.toast.isVisible()
    hall.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    hall.hub.faults.clear()
    hall.house.until(lambda: hall.state(row_id) == "finished")
    assert hall.hub.bytes_sent < SIZE * 1.1 + 300_000


def test_a_row_is_pulled_to_its_place_with_the_mouse(hall: Hall) -> None:
    hall.hub.faults.always(SLOW)
    ids = []
    for name in ("one", "two", "three"):
        ids.append(hall.house.downloads.download(hall.offer(name)))
        hall.house.until(lambda: hall.state(ids[-1]) in {"queued", "downloading"})
    hall.page()
    hall.house.until(lambda: len(hall.views()) == 3)
    _, second, third = hall.views()
    grip = QPoint(16, 27)
    hall.qtbot.mousePress(third, Qt.MouseButton.LeftButton, pos=grip)
    target = third.mapFromGlobal(second.mapToGlobal(QPoint(16, 2)))
    for place in (QPoint(16, 10), target):
        hall.qtbot.mouseMove(third, place)
    mark = hall.window.findChild(QWidget, "downloads_drop_mark")
    hall.house.until(mark.isVisible)
    hall.qtbot.mouseRelease(third, Qt.MouseButton.LeftButton, pos=target)
    hall.house.until(
        lambda: [r.id for r in hall.house.downloads.rows()] == [ids[0], ids[2], ids[1]]
    )
    assert not mark.isVisible()


def test_trouble_is_said_in_the_row_and_the_toast_leads_there(hall: Hall) -> None:
    row_id = hall.house.downloads.download(hall.offer("one", gated="auto"))
    hall.house.until(lambda: hall.state(row_id) == "failed")
    assert hall.window.toast.isVisible()
    hall.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert hall.window.current_page() == "chat", "Ctrl+Z takes back, it leads nowhere"
    hall.qtbot.mouseClick(hall.button("toast_action"), Qt.MouseButton.LeftButton)
    assert hall.window.current_page() == "downloads"
    said = [one.text() for one in hall.views()[0].findChildren(QLabel) if one.isVisible()]
    assert any("want their terms accepted" in text for text in said)


def test_both_checksums_can_be_seen(hall: Hall) -> None:
    hall.hub.faults.always(Fault("corrupt", at=7))
    row_id = hall.house.downloads.download(hall.offer("one"))
    hall.house.until(lambda: hall.state(row_id) == "aside")
    view = hall.page() and hall.views()[0]
    hall.qtbot.mouseClick(hall.button("download_details"), Qt.MouseButton.LeftButton)
    blob = next(iter(hall.hub.repos["org/one"].commits.values()))["one.gguf"]
    said = " ".join(one.text() for one in view.findChildren(QLabel))
    assert blob.sha256 in said
    assert "arrived: sha256" in said


def test_all_are_paused_and_go_on_with_one_button_and_done_ones_leave(hall: Hall) -> None:
    hall.page()
    hall.hub.faults.always(SLOW)
    ids = [hall.house.downloads.download(hall.offer(name)) for name in ("one", "two")]
    hall.house.until(lambda: {hall.state(one) for one in ids} == {"downloading", "queued"})
    hall.button("downloads_all").click()
    hall.house.until(lambda: {hall.state(one) for one in ids} == {"paused"})
    hall.hub.faults.clear()
    hall.button("downloads_all").click()
    hall.house.until(lambda: {hall.state(one) for one in ids} == {"finished"})
    hall.button("downloads_clear").click()
    hall.house.until(lambda: hall.house.downloads.rows() == ())
    assert (hall.house.folder / "models" / "org" / "one" / "one.gguf").exists()


def test_the_number_of_files_at_once_is_a_setting(hall: Hall) -> None:
    page = hall.page()
    page.parallel_asked.emit(4)
    assert hall.house.settings.settings().downloads.parallel == 4


def test_closing_the_window_during_a_download_asks_nothing_and_keeps_it(hall: Hall) -> None:
    hall.hub.faults.always(SLOW)
    row_id = hall.house.downloads.download(hall.offer("one"))
    hall.house.until(lambda: hall.state(row_id) == "downloading")
    began = time.monotonic()
    assert hall.window.close()
    assert hall.window.dialogs.content is None
    hall.house.close()
    assert time.monotonic() - began < 10
    assert list((hall.house.folder / "models").rglob("*.part"))
    assert row_id in (hall.house.folder / "downloads.json").read_text()


def row(state: RowState, **facts: object) -> DownloadRow:
    values = {
        "id": state, "repo": "org/m", "name": f"Model {state}", "file": f"{state}.gguf",
        "state": state, "done_bytes": 1_550_000_000, "total_bytes": 2_500_000_000,
        "since": time.time(), "message": "It stopped.", "hint": "Go on.",
    }  # fmt: skip
    return DownloadRow(**(values | facts))  # type: ignore[arg-type]  # a table of one's own


@pytest.mark.parametrize("width", [480, 720, 1280])
def test_every_state_is_drawn_with_name_and_words(
    qtbot: QtBot, themes: ThemeManager, width: int
) -> None:
    rows = tuple(row(state) for state in STATES)
    page = DownloadsPage(themes.theme, 2)
    qtbot.addWidget(page)
    page.resize(width, 900)
    page.set_rows(rows, totals(rows), [1e6, 2e6])
    page.set_disk(DiskUse("/models", 100, 1_000, 50))
    page.show()
    views = page.findChildren(DownloadRowView)
    assert len(views) == len(STATES)
    assert all(view.accessibleName().startswith("Model ") for view in views)
    assert all(view.width() <= width for view in views)
    assert not page.grab().isNull()


def test_amounts_and_times_are_said_as_people_do() -> None:
    now = time.time()
    assert words.amount_line(row("downloading")) == "1.55 of 2.50\u00a0GB"
    assert words.amount_line(row("paused", done_bytes=360_000_000)) == (
        "360\u00a0MB of 2.50\u00a0GB kept"
    )
    assert words.second_line(row("waiting", retry_at=now + 38), now) == "next try in 38\u00a0s"
    assert words.second_line(row("paused", by_person=True, since=now - 180), now) == (
        "paused by you 3 minutes ago"
    )
    speed = row("downloading", bytes_per_s=24.1e6, remaining_s=39.0)
    assert words.second_line(speed, now) == "24.1\u00a0MB/s, 39\u00a0s left"
    assert words.amount_line(row("finished", spent_s=31.0, total_bytes=639_000_000)) == (
        "639\u00a0MB in 31\u00a0s"
    )
