"""Settings, Network: on the real window, with the system's keyring played by its own program."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget

from desktop.views.network_wiring import NetworkWiring
from desktop.views.settings_page import SettingsPage
from tests.desktop.views.test_downloads_page import Hall, hall

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["hall"]

KEYRING = """#!/bin/sh
echo "$@" >> {folder}/arguments
case "$1" in
  store) cat > {folder}/token ;;
  lookup) cat {folder}/token 2>/dev/null || exit 1 ;;
  clear) rm -f {folder}/token ;;
esac
"""


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A secret-tool that keeps one secret in a folder and writes down its arguments."""
    if sys.platform != "linux":
        pytest.skip("the keyring of this system is no program that could be replaced")
    folder = tmp_path / "keyring"
    folder.mkdir()
    tool = folder / "secret-tool"
    tool.write_text(KEYRING.format(folder=folder))
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return folder


def open_network(hall: Hall) -> SettingsPage:
    house = hall.house
    NetworkWiring(hall.window, house.bridge, house.downloads, house.settings)
    page = hall.window.open_page("settings")
    assert isinstance(page, SettingsPage)
    page.show_network(with_token=True)
    return page


def field(page: QWidget, name: str) -> QLineEdit:
    found = page.findChild(QLineEdit, name)
    assert isinstance(found, QLineEdit)
    return found


def text(page: QWidget, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def test_a_token_given_after_a_refusal_lets_the_download_go_on_and_is_kept_nowhere_else(
    hall: Hall, keyring: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    row_id = hall.house.downloads.download(hall.offer("one", gated="auto", users={"hf_secret"}))
    hall.house.until(lambda: hall.state(row_id) == "failed")
    told: list[bool] = []
    hall.house.downloads.token_changed.connect(lambda: told.append(True))
    page = open_network(hall)
    token = field(page, "setting_downloads_token")
    assert token.hasFocus()
    hall.qtbot.keyClicks(token, "hf_secret")
    hall.qtbot.keyClick(token, Qt.Key.Key_Return)
    hall.house.until(lambda: hall.state(row_id) == "finished")
    hall.house.until(
        lambda: "is in the system's keyring" in text(page, "setting_downloads_token_row_help")
    )
    assert token.text() == ""
    assert told == [True]
    assert (keyring / "token").read_text() == "hf_secret"
    hall.house.close()
    kept = [p for p in hall.house.folder.rglob("*") if p.is_file() and p.parent != keyring]
    assert kept
    assert not any(b"hf_secret" in path.read_bytes() for path in kept)
    assert "hf_secret" not in (keyring / "arguments").read_text()
    assert "hf_secret" not in caplog.text


def test_a_token_is_taken_away_again(hall: Hall, keyring: Path) -> None:
    (keyring / "token").write_text("hf_secret")
    page = open_network(hall)
    button = page.findChild(QAbstractButton, "setting_token_remove")
    assert isinstance(button, QAbstractButton)
    hall.house.until(button.isVisible)
    button.click()
    hall.house.until(lambda: not (keyring / "token").exists())
    hall.house.until(lambda: not button.isVisible())


def test_addresses_are_completed_and_kept_and_the_rest_applies_at_once(hall: Hall) -> None:
    page = open_network(hall)
    for name, typed in (("endpoint", "mirror.example/"), ("proxy", "127.0.0.1:3128")):
        one = field(page, f"setting_downloads_{name}")
        one.setFocus()
        one.clear()
        hall.qtbot.keyClicks(one, typed)
        hall.qtbot.keyClick(one, Qt.Key.Key_Return)
    limit = page.findChild(QComboBox, "setting_downloads_limit")
    assert isinstance(limit, QComboBox)
    limit.setCurrentIndex(3)
    limit.activated.emit(3)
    switch = page.findChild(QAbstractButton, "setting_downloads_go_on")
    assert isinstance(switch, QAbstractButton)
    switch.click()
    kept = hall.house.settings.settings().downloads
    assert (kept.endpoint, kept.proxy) == ("https://mirror.example", "http://127.0.0.1:3128")
    assert (kept.limit_bytes_per_s, kept.go_on) == (5_000_000, True)


def test_every_request_is_counted_at_the_foot_and_listed(hall: Hall) -> None:
    page = open_network(hall)
    row_id = hall.house.downloads.download(hall.offer("one"))
    hall.house.until(lambda: hall.state(row_id) == "finished")
    hall.house.until(lambda: "org/one/resolve/" in text(page, "network_requests"))
    hall.house.until(lambda: "network request" in text(hall.window, "status_requests"))
    listed = text(page, "network_requests")
    assert "/api/models/org/one" in listed
    assert "Signature" not in listed
    assert "network requests" in text(hall.window, "status_requests")


def test_the_rows_of_refused_downloads_lead_to_the_settings(hall: Hall) -> None:
    row_id = hall.house.downloads.download(hall.offer("one", gated="auto"))
    hall.house.until(lambda: hall.state(row_id) == "failed")
    hall.page()
    hall.house.until(lambda: bool(hall.views()))
    hall.qtbot.mouseClick(hall.button("download_token"), Qt.MouseButton.LeftButton)
    assert hall.window.current_page() == "settings"
    assert field(hall.window, "setting_downloads_token").isVisible()
