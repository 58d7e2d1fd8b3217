"""One-shot jobs: outcome in the GUI thread, nothing after a cancel."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from desktop.bridge.task_runner import Progress, Task, TaskRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from inference.cancel import CancelToken


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[TaskRunner]:
    del qtbot
    one = TaskRunner()
    yield one
    one.close()


def test_work_runs_elsewhere_and_its_result_comes_home(qtbot: QtBot, runner: TaskRunner) -> None:
    told: list[object] = []

    def work(cancel: CancelToken, progress: Progress) -> int:
        del cancel
        progress(0.5)
        return threading.get_ident()

    runner.run(
        Task(work)
        .on_success(lambda ident: told.append((ident, threading.get_ident())))
        .on_progress(told.append)
    )
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[0] == 0.5
    (worked_in, told_in) = told[1]  # type: ignore[misc]
    assert told_in == threading.get_ident() != worked_in


def test_a_failure_goes_to_its_handler_or_to_the_dialog(qtbot: QtBot, runner: TaskRunner) -> None:
    def work(cancel: CancelToken, progress: Progress) -> None:
        del cancel, progress
        raise KeyError("x")

    errors: list[Exception] = []
    runner.run(Task(work).on_failure(errors.append))
    qtbot.waitUntil(lambda: len(errors) == 1)
    assert isinstance(errors[0], KeyError)
    with qtbot.waitSignal(runner.failure_unhandled, timeout=5_000) as waiting:
        runner.run(Task(work))
    assert isinstance(waiting.args[0], KeyError)


def test_nothing_is_told_after_a_cancel(qtbot: QtBot, runner: TaskRunner) -> None:
    told: list[object] = []
    started, ended = threading.Event(), threading.Event()

    def work(cancel: CancelToken, progress: Progress) -> str:
        del progress
        started.set()
        cancel.wait(10)
        ended.set()
        return "late"

    handle = runner.run(Task(work).on_success(told.append).on_failure(told.append))
    assert started.wait(5)
    handle.cancel()
    assert ended.wait(5)
    after: list[int] = []
    runner.run(Task(lambda _cancel, _progress: 1).on_success(after.append))
    qtbot.waitUntil(lambda: after == [1])
    assert told == []


class Page(QObject):
    """Tells through a signal what it is told."""

    said = Signal(object)

    def show(self, value: object) -> None:
        self.said.emit(value)

    def explain(self, error: Exception) -> None:
        self.said.emit(error)


@pytest.mark.parametrize("fails", [False, True])
def test_a_page_that_is_gone_meanwhile_is_told_nothing(
    qtbot: QtBot, runner: TaskRunner, *, fails: bool
) -> None:
    go, done = threading.Event(), threading.Event()

    def work(cancel: CancelToken, progress: Progress) -> int:
        del cancel
        go.wait(5)
        progress(0.5)
        done.set()
        if fails:
            raise KeyError("x")
        return 1

    page = Page()
    later: list[object] = []
    told = Task(work).on_success(page.show).on_failure(page.explain).on_progress(page.show)
    runner.run(told)
    page.deleteLater()
    qtbot.waitUntil(lambda: not isValid(page))
    go.set()
    runner.run(Task(lambda _cancel, _progress: done.wait(5)).on_success(later.append))
    qtbot.waitUntil(lambda: bool(later))
    with qtbot.captureExceptions() as raised:
        qtbot.wait(50)
    assert raised == []


def test_closing_ends_the_threads(qtbot: QtBot) -> None:
    del qtbot
    runner = TaskRunner(threads=3)
    before = threading.active_count()
    for _ in range(3):
        runner.run(Task(lambda cancel, _progress: cancel.wait(10)))
    assert threading.active_count() == before + 3
    runner.close()
    assert threading.active_count() == before
    assert runner.run(Task(lambda _cancel, _progress: 1)).token.cancelled
