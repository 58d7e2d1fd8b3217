"""What a download says of itself, in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

from desktop.widgets import formatting

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.download_values import DownloadRow, DownloadTotals, RowState

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


def amount_line(row: DownloadRow) -> str:
    """Return how much of it is here."""
    done, total = formatting.size(row.done_bytes), formatting.size(row.total_bytes)
    if row.state == "checking":
        return _tr("Verifying {0}").format(formatting.percent(round(row.fraction, 2)))
    if row.state == "finished":
        words = _tr("{0} in {1}").format(total, duration(row.spent_s))
        return words if row.spent_s >= 1 else total
    if not row.done_bytes:
        about = _tr("about {0}").format(total) if row.state == "asking" else total
        return about if row.total_bytes else ""
    is_kept = row.state in {"paused", "failed"}
    words = _tr("{0} of {1} kept") if is_kept else _tr("{0} of {1}")
    return words.format(_short(done, total), total)


def second_line(row: DownloadRow, now: float | None = None) -> str:
    """Return what it does, or when it stopped."""
    now = time.time() if now is None else now
    stopped = _tr("paused by you {0}") if row.by_person else _tr("stopped with the app {0}")
    says: dict[RowState, Callable[[], str]] = {
        "asking": lambda: _tr("asking the hub"),
        "checking": lambda: _tr("sha256 of what is here"),
        "downloading": lambda: _speed_line(row),
        "waiting": lambda: _tr("next try in {0}").format(
            formatting.seconds_left(max(0, round(row.retry_at - now)))
        ),
        "paused": lambda: stopped.format(ago(row.since, now)),
        "failed": lambda: _tr("stopped {0}").format(ago(row.since, now)),
        "aside": lambda: _tr("fetched twice"),
    }
    return says[row.state]() if row.state in says else ""


def place_line(row: DownloadRow, *, is_next: bool) -> str:
    """Return what stands in the bar's place where there is nothing to fill."""
    if row.state == "queued" and not row.done_bytes:
        return _tr("Next in line") if is_next else _tr("In line")
    if row.state == "asking":
        return _tr("Asking what there is")
    if row.state == "aside":
        return _tr("Set aside, not used")
    if row.state == "finished":
        return _tr("Checksum matches")
    return ""


def file_line(row: DownloadRow) -> str:
    """Return the file, and how many of several are done."""
    if row.files_total > 1 and row.state != "finished":
        return _tr("{0}, {1} of {2} files done").format(row.file, row.files_done, row.files_total)
    return row.file


def spoken(row: DownloadRow) -> str:
    """Return the row as one sentence for a screen reader."""
    states = {
        "asking": _tr("asking the hub"),
        "queued": _tr("in line"),
        "checking": _tr("verifying"),
        "downloading": _tr("downloading, {0}").format(formatting.percent(round(row.fraction, 2))),
        "waiting": _tr("waiting for the server"),
        "paused": _tr("paused"),
        "failed": _tr("stopped"),
        "aside": _tr("wrong checksum, set aside"),
        "finished": _tr("done"),
    }
    parts = [row.name, states[row.state], amount_line(row), row.title, row.message]
    return ", ".join(part.rstrip(".") for part in parts if part)


def total_line(totals: DownloadTotals) -> str:
    """Return what is left of everything under way."""
    if not totals.left_bytes:
        return _tr("Nothing is under way")
    left = _tr("{0} left").format(formatting.size(totals.left_bytes))
    if totals.remaining_s is None:
        return left
    return _tr("{0}, about {1}").format(left, duration(totals.remaining_s))


def speed(bytes_per_s: float) -> str:
    """Return a measured speed, e.g. ``24.1 MB/s``."""
    return f"{formatting.size(round(bytes_per_s))}/s"


def duration(seconds: float) -> str:
    """Return a length of time in its largest sensible unit."""
    if seconds < 90:
        return formatting.seconds_left(round(seconds))
    minutes = round(seconds / _MINUTE)
    if minutes < 100:
        return _tr("{0} minutes").format(formatting.count(minutes))
    return _tr("{0} hours").format(formatting.decimal(seconds / _HOUR, 1))


def ago(since: float, now: float) -> str:
    """Return how long ago something was."""
    passed = now - since
    if not since or passed < 60:
        return _tr("just now")
    if passed < _HOUR:
        minutes = int(passed // _MINUTE)
        return _tr("1 minute ago") if minutes == 1 else _tr("{0} minutes ago").format(minutes)
    today, then = time.localtime(now), time.localtime(since)
    if today[:3] == then[:3]:
        return _tr("today at {0}").format(time.strftime("%H:%M", then))
    days = round((_midnight(now) - _midnight(since)) / _DAY)
    return _tr("yesterday") if days == 1 else _tr("{0} days ago").format(days)


def is_today(since: float) -> bool:
    """Tell whether a moment was today."""
    return _midnight(since) == _midnight(time.time())


def _midnight(moment: float) -> float:
    day = time.localtime(moment)
    return time.mktime((*day[:3], 0, 0, 0, 0, 0, -1))


def _speed_line(row: DownloadRow) -> str:
    if not row.bytes_per_s:
        return _tr("waiting for bytes")
    words = speed(row.bytes_per_s)
    if row.remaining_s is None:
        return words
    return _tr("{0}, {1} left").format(words, duration(row.remaining_s))


def _short(done: str, total: str) -> str:
    """Leave the unit out where the total says it: ``1.55 of 2.50 GB``."""
    number, _, unit = done.partition(formatting.NBSP)
    return number if total.endswith(unit) else done


def _tr(text: str) -> str:
    return QCoreApplication.translate("DownloadWords", text)
