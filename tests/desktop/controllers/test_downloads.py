"""The downloads behind the window, against the local hub with everything that can go wrong."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop.bridge.event_bridge import EventBridge
from desktop.controllers.downloads import DownloadController
from desktop.download_values import Wanted
from desktop.store.settings import DownloadSettings, Settings
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub
from tests.helpers.patience import HURRIED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from desktop.download_values import DownloadRow

REPO = Path(__file__).resolve().parents[3]
SIZE = 1_500_000
SLOW = Fault("slow", at=400_000)


def content(size: int = SIZE, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


class Rig:
    """A hub, and controllers on the same folders one after the other."""

    def __init__(self, qtbot: QtBot, hub: LocalHub, folder: Path) -> None:
        self.qtbot = qtbot
        self.hub = hub
        self.folder = folder
        self.models = folder / "models"
        self.open: list[tuple[DownloadController, EventBridge]] = []

    def start(self, *, parallel: int = 1, go_on: bool = False) -> DownloadController:
        """Open it as a start of the app does."""
        settings = Settings(
            downloads=DownloadSettings(parallel=parallel, go_on=go_on, endpoint=self.hub.endpoint)
        )
        bridge = EventBridge()
        downloads = DownloadController(
            lambda: self.models, self.folder / "data", bridge, lambda: settings, patience=HURRIED
        )
        self.open.append((downloads, bridge))
        downloads.begin()
        return downloads

    def end(self, downloads: DownloadController) -> None:
        """Close it as the window does."""
        bridge = next(bridge for one, bridge in self.open if one is downloads)
        self.open.remove((downloads, bridge))
        downloads.shutdown()
        bridge.close()

    def offer(self, name: str = "one", size: int = SIZE, **facts: object) -> Wanted:
        self.hub.add(f"org/{name}", {f"{name}.gguf": content(size)}, **facts)
        return Wanted(f"org/{name}", f"{name}.gguf", name=f"Model {name}", size_bytes=size)

    def file(self, name: str = "one") -> Path:
        return self.models / "org" / name / f"{name}.gguf"

    def until(self, true: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(true, timeout=20_000)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with LocalHub() as hub:
        yield hub


@pytest.fixture
def rig(qtbot: QtBot, hub: LocalHub, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(qtbot, hub, tmp_path)
    yield rig
    for downloads, _bridge in tuple(rig.open):
        rig.end(downloads)


def only(downloads: DownloadController) -> DownloadRow:
    assert len(downloads.rows()) == 1
    return downloads.rows()[0]


def state(downloads: DownloadController) -> str:
    return only(downloads).state


def test_a_click_ends_in_the_right_bytes_under_one_id(rig: Rig) -> None:
    downloads = rig.start()
    ended: list[DownloadRow] = []
    downloads.finished.connect(ended.append)
    row_id = downloads.download(rig.offer())
    assert (only(downloads).state, only(downloads).total_bytes) == ("asking", SIZE)
    rig.until(lambda: bool(ended))
    assert [row.id for row in ended] == [row_id] == [only(downloads).id]
    assert rig.file().read_bytes() == content()
    assert (ended[0].name, ended[0].file, ended[0].path) == (
        "Model one",
        "one.gguf",
        str(rig.file()),
    )
    assert ended[0].spent_s > 0


def test_the_same_again_while_it_is_listed_is_one_download(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.always(SLOW)
    wanted = rig.offer()
    assert downloads.download(wanted) == downloads.download(wanted)
    rig.until(lambda: state(downloads) == "downloading")
    downloads.download(wanted)
    rig.until(lambda: len(downloads.rows()) == 1 and state(downloads) == "downloading")


def test_pausing_keeps_what_arrived_and_going_on_asks_for_the_rest(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.always(SLOW)
    row_id = downloads.download(rig.offer())
    rig.until(lambda: only(downloads).done_bytes > 100_000)
    downloads.pause(row_id)
    rig.until(lambda: state(downloads) == "paused")
    kept = only(downloads).done_bytes
    assert kept > 100_000
    rig.hub.faults.clear()
    downloads.resume(row_id)
    rig.until(lambda: state(downloads) == "finished")
    assert rig.file().read_bytes() == content()
    assert rig.hub.bytes_sent < SIZE * 1.1 + 300_000


def test_cancelling_leaves_nothing_on_the_disk_or_the_list(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.always(SLOW)
    row_id = downloads.download(rig.offer())
    rig.until(lambda: only(downloads).done_bytes > 100_000)
    downloads.cancel(row_id)
    rig.until(lambda: not downloads.rows())
    rig.until(lambda: not (rig.models / "org" / "one").exists())


def test_what_was_removed_and_is_asked_for_again_is_not_forgotten_later(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.always(SLOW)
    wanted = rig.offer()
    row_id = downloads.download(wanted)
    rig.until(lambda: only(downloads).done_bytes > 100_000)
    downloads.remove(row_id)
    assert downloads.rows() == ()
    rig.hub.faults.clear()
    downloads.download(wanted)
    rig.until(lambda: bool(downloads.rows()) and state(downloads) == "finished")
    downloads._forget_removed()  # what the timer does ten seconds later
    rig.qtbot.wait(200)
    assert state(downloads) == "finished"
    assert rig.file().read_bytes() == content()


def test_what_was_removed_goes_for_good_when_the_app_closes(rig: Rig) -> None:
    first = rig.start()
    rig.hub.faults.always(SLOW)
    row_id = first.download(rig.offer())
    rig.until(lambda: only(first).done_bytes > 100_000)
    first.remove(row_id)
    rig.end(first)
    assert not (rig.models / "org" / "one").exists()
    second = rig.start()
    rig.qtbot.wait(200)
    assert second.rows() == ()


def test_cancelling_while_the_hub_is_asked_fetches_nothing(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.next(Fault("stall", "api", seconds=0.4))
    row_id = downloads.download(rig.offer())
    downloads.cancel(row_id)
    assert downloads.rows() == ()
    rig.qtbot.wait(900)
    assert downloads.rows() == ()
    assert not rig.models.exists()


def test_pausing_just_when_the_hub_has_answered_pauses(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.always(SLOW)
    row_id = downloads.download(rig.offer())
    jobs = downloads._rooms.jobs
    while not jobs():  # the queue has it, and the GUI thread has not heard of it
        time.sleep(0.001)
    downloads.pause(row_id)
    rig.until(lambda: state(downloads) == "paused")
    rig.qtbot.wait(300)
    assert state(downloads) == "paused"
    assert [job.state for job in jobs()] == ["paused"]


def test_the_order_is_the_one_that_a_person_makes(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.always(SLOW)
    ids = []
    for name in ("one", "two", "three"):
        ids.append(downloads.download(rig.offer(name)))
        rig.until(lambda: downloads.rows()[-1].state in {"queued", "downloading"})
    assert [row.id for row in downloads.rows()] == ids
    downloads.move(ids[2], 0)
    rig.until(lambda: downloads.rows()[0].id == ids[2])
    done: list[str] = []
    downloads.finished.connect(lambda row: done.append(row.id))
    rig.hub.faults.clear()
    rig.until(lambda: len(done) == 3)
    assert done.index(ids[2]) < done.index(ids[1])


def test_the_limit_of_parallel_files_holds_and_can_be_raised(rig: Rig) -> None:
    downloads = rig.start(parallel=1)
    rig.hub.faults.always(SLOW)
    for name in ("one", "two"):
        downloads.download(rig.offer(name))
    rig.until(lambda: [row.state for row in downloads.rows()] == ["downloading", "queued"])
    assert downloads.totals().running == 1
    downloads.apply(DownloadSettings(parallel=2, endpoint=rig.hub.endpoint))
    rig.until(lambda: downloads.totals().running == 2)


def test_a_gated_model_says_what_to_do_and_comes_once_there_is_a_token(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = rig.start()
    failed: list[DownloadRow] = []
    downloads.failed.connect(failed.append)
    row_id = downloads.download(rig.offer(gated="auto", users={"hf_secret"}))
    rig.until(lambda: bool(failed))
    assert len(failed) == 1
    assert failed[0].error == "GatedModel"
    assert "Accept them at" in failed[0].hint
    assert failed[0].hint.endswith("a token of that account (in Settings, Network).")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    downloads.resume(row_id)
    rig.until(lambda: state(downloads) == "finished")
    assert rig.file().read_bytes() == content()
    rig.end(downloads)
    kept = [path for path in rig.folder.rglob("*") if path.is_file()]
    assert kept
    assert not any(b"hf_secret" in path.read_bytes() for path in kept)


def test_bytes_that_are_wrong_twice_are_set_aside_and_can_be_fetched_again(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.always(Fault("corrupt", at=7))
    row_id = downloads.download(rig.offer())
    rig.until(lambda: state(downloads) == "aside")
    assert not rig.file().exists()
    assert "published: " in only(downloads).detail
    assert "arrived: sha256 " in only(downloads).detail
    rig.hub.faults.clear()
    downloads.resume(row_id)
    rig.until(lambda: state(downloads) == "finished")
    assert rig.file().read_bytes() == content()


def test_a_server_that_asks_to_wait_is_waited_for_and_the_row_says_until_when(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.next(Fault("status", status=503, headers=(("Retry-After", "1"),)))
    downloads.download(rig.offer())
    seen: list[float] = []
    downloads.rows_changed.connect(
        lambda: seen.extend(row.retry_at for row in downloads.rows() if row.state == "waiting")
    )
    rig.until(lambda: state(downloads) == "finished")
    assert seen
    assert abs(seen[0] - time.time()) < 30


TROUBLES = {
    "cut": [Fault("disconnect", at=300_000), Fault("disconnect", at=200_000)],
    "stall": [Fault("stall", at=200_000, seconds=30)],
    "5xx": [Fault("status", status=503), Fault("status", "resolve", status=502)],
    "wrong hash once": [Fault("corrupt", at=9)],
    "changed": [Fault("disconnect", at=300_000), Fault("changed", "resolve")],
    "range ignored": [Fault("disconnect", at=300_000), Fault("ignore_range")],
    "the hub away": [Fault("refuse", "api")] * 4,
    "refused": [Fault("refuse"), Fault("refuse", "resolve")],
}


@pytest.mark.parametrize("trouble", list(TROUBLES))
def test_trouble_on_the_way_ends_in_the_right_bytes_or_a_sentence(rig: Rig, trouble: str) -> None:
    downloads = rig.start()
    rig.hub.faults.next(*TROUBLES[trouble])
    row_id = downloads.download(rig.offer())
    rig.until(lambda: state(downloads) in {"finished", "failed", "aside"})
    if state(downloads) != "finished":
        assert only(downloads).message.endswith(".")
        rig.hub.faults.clear()
        downloads.resume(row_id)
        rig.until(lambda: state(downloads) == "finished")
    assert rig.file().read_bytes() == content()


def test_a_pulled_cable_fails_with_what_arrived_kept_and_goes_on_when_it_is_back(rig: Rig) -> None:
    downloads = rig.start()
    rig.hub.faults.always(SLOW)
    row_id = downloads.download(rig.offer())
    rig.until(lambda: only(downloads).done_bytes > 200_000)
    rig.hub.faults.always(Fault("refuse"))
    rig.hub.faults.always(Fault("refuse", "resolve"))
    rig.hub.drop_connections()
    rig.until(lambda: state(downloads) == "failed")
    kept = only(downloads).done_bytes
    assert kept > 200_000
    assert "kept" in only(downloads).hint
    rig.hub.faults.clear()
    sent = rig.hub.bytes_sent
    downloads.resume(row_id)
    rig.until(lambda: state(downloads) == "finished")
    assert rig.hub.bytes_sent - sent <= SIZE - kept + 10_000
    assert rig.file().read_bytes() == content()


def test_a_disk_without_room_refuses_before_the_first_byte(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.library.download.plan.free_bytes", lambda _folder: 1_000)
    downloads = rig.start()
    downloads.download(rig.offer())
    rig.until(lambda: state(downloads) == "failed")
    assert only(downloads).error == "NoSpace"
    assert rig.hub.bytes_sent == 0


def test_a_disk_that_takes_no_more_on_the_way_keeps_what_arrived(rig: Rig) -> None:
    resource = pytest.importorskip("resource")  # limits the size of one file
    downloads = rig.start()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, before[1]))
    try:
        row_id = downloads.download(rig.offer())
        rig.until(lambda: state(downloads) == "failed")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert only(downloads).hint.endswith(".")
    assert only(downloads).done_bytes > 500_000
    sent = rig.hub.bytes_sent
    downloads.resume(row_id)
    rig.until(lambda: state(downloads) == "finished")
    assert rig.file().read_bytes() == content()
    assert rig.hub.bytes_sent - sent < SIZE - 400_000


def test_after_a_restart_nothing_is_fetched_until_the_person_goes_on(rig: Rig) -> None:
    first = rig.start()
    rig.hub.faults.always(SLOW)
    first.download(rig.offer())
    rig.until(lambda: only(first).done_bytes > 100_000)
    rig.end(first)
    rig.hub.faults.clear()
    asked = len(rig.hub.requests)
    second = rig.start()
    left: list[int] = []
    second.left_found.connect(left.append)
    rig.until(lambda: left == [1])
    rig.qtbot.wait(300)
    assert (state(second), len(rig.hub.requests)) == ("paused", asked)
    assert only(second).done_bytes > 100_000
    second.go_on()
    rig.until(lambda: state(second) == "finished")
    assert rig.file().read_bytes() == content()


def test_what_a_person_paused_is_not_asked_about_after_a_start(rig: Rig) -> None:
    first = rig.start()
    rig.hub.faults.always(SLOW)
    row_id = first.download(rig.offer())
    rig.until(lambda: state(first) == "downloading")
    first.pause(row_id)
    rig.until(lambda: state(first) == "paused")
    rig.end(first)
    second = rig.start()
    left: list[int] = []
    second.left_found.connect(left.append)
    rig.until(lambda: bool(second.rows()))
    second.go_on()
    rig.qtbot.wait(300)
    assert (left, state(second), only(second).by_person) == ([], "paused", True)


def test_the_setting_lets_downloads_go_on_after_a_start_but_not_what_was_paused(rig: Rig) -> None:
    first = rig.start(parallel=2)
    rig.hub.faults.always(SLOW)
    paused, running = (first.download(rig.offer(name)) for name in ("one", "two"))
    rig.until(lambda: first.totals().running == 2 and first.row(paused).state != "asking")
    first.pause(paused)
    rig.until(lambda: first.row(running).state == "downloading")
    rig.end(first)
    rig.hub.faults.clear()
    second = rig.start(go_on=True)
    rig.until(lambda: second.row(running) is not None and second.row(running).state == "finished")
    assert second.row(paused).state == "paused"


def test_a_request_that_the_hub_had_not_answered_survives_a_restart(rig: Rig) -> None:
    first = rig.start()
    rig.hub.faults.always(Fault("stall", "api", seconds=30))
    row_id = first.download(rig.offer())
    rig.until(lambda: bool(rig.hub.requests))
    rig.end(first)
    rig.hub.drop_connections()
    rig.hub.faults.clear()
    second = rig.start()
    rig.until(lambda: bool(second.rows()))
    assert (only(second).id, state(second)) == (row_id, "paused")
    second.resume(row_id)
    rig.until(lambda: state(second) == "finished")
    assert rig.file().read_bytes() == content()
    rig.until(lambda: not (rig.folder / "data" / "downloads-asked.json").exists())


def test_a_damaged_list_is_said_in_the_log_and_the_window_goes_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    (rig.folder / "data").mkdir()
    for name in ("downloads.json", "downloads-asked.json"):
        (rig.folder / "data" / name).write_text("no json")
    downloads = rig.start()
    downloads.download(rig.offer())
    rig.until(lambda: bool(downloads.rows()) and state(downloads) == "finished")
    assert "cannot be read" in caplog.text


def test_nothing_is_opened_or_asked_where_no_download_was(rig: Rig) -> None:
    downloads = rig.start()
    rig.qtbot.wait(200)
    assert downloads.rows() == ()
    assert rig.hub.requests == []
    assert not (rig.folder / "data").exists()
