from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from inference.library.download.queue import DownloadQueue
from tests.helpers.fetching import part_of, plan_of
from tests.helpers.hub_faults import Fault
from tests.inference.library.download.conftest import HURRIED, content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from inference.library.download.values import Plan
    from tests.helpers.local_hub import LocalHub

SIZE = 2_000_000
SLOW = Fault("slow", at=400_000)


class Rig:
    """A queue that is closed after the test, and plans for it."""

    def __init__(self, hub: LocalHub, models: Path, state_file: Path) -> None:
        self.hub = hub
        self.models = models
        self.state_file = state_file
        self.heard: list[str] = []
        self.open: list[DownloadQueue] = []

    def queue(self, parallel: int = 1, token: str = "") -> DownloadQueue:
        queue = DownloadQueue(
            lambda: token,
            self.heard.append,
            state_file=self.state_file,
            parallel=parallel,
            patience=HURRIED,
        )
        self.open.append(queue)
        return queue

    def plan(self, name: str, seed: int = 1) -> Plan:
        self.hub.add(f"org/{name}", {f"{name}.gguf": content(SIZE, seed)})
        return plan_of(self.hub, f"org/{name}", self.models)


@pytest.fixture
def rig(hub: LocalHub, models: Path, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(hub, models, tmp_path / "data" / "downloads.json")
    yield rig
    for queue in rig.open:
        queue.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not true():
        assert time.monotonic() < end, "it did not come true in 15 s"
        time.sleep(0.01)


def state(queue: DownloadQueue, job_id: str) -> str:
    job = queue.job(job_id)
    assert job is not None
    return job.state


def moving(queue: DownloadQueue, job_id: str) -> bool:
    job = queue.job(job_id)
    return job is not None and job.state == "downloading" and job.done_bytes > 0


def test_a_download_goes_from_queued_to_finished(rig: Rig) -> None:
    queue = rig.queue()
    job_id = queue.add(rig.plan("one"))
    assert queue.wait(15)
    job = queue.job(job_id)
    assert job is not None
    assert (job.state, job.done_bytes, job.total_bytes) == ("finished", SIZE, SIZE)
    assert (rig.models / "org" / "one" / "one.gguf").read_bytes() == content(SIZE)
    assert job.sha256 == rig.hub.repos["org/one"].commits[rig.hub.repos["org/one"].head][
        "one.gguf"
    ].sha256  # fmt: skip
    assert set(rig.heard) == {job_id}


def test_pause_keeps_what_arrived_and_resume_goes_on_from_there(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.next(SLOW)
    job_id = queue.add(rig.plan("one"))
    until(lambda: moving(queue, job_id))
    begun = time.monotonic()
    queue.pause(job_id)
    assert queue.wait(5)
    assert time.monotonic() - begun < 2
    assert state(queue, job_id) == "paused"
    here = part_of(rig.plan("one")).path.stat().st_size
    assert 0 < here < SIZE
    queue.resume(job_id)
    assert queue.wait(15)
    assert state(queue, job_id) == "finished"
    assert f"bytes={here}-" in {one.headers.get("range") for one in rig.hub.asked("", "store")}


def test_pausing_and_resuming_at_once_still_ends_well(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.next(SLOW)
    job_id = queue.add(rig.plan("one"))
    until(lambda: moving(queue, job_id))
    for _ in range(10):
        queue.pause(job_id)
        queue.resume(job_id)
    until(lambda: state(queue, job_id) == "finished")
    assert (rig.models / "org/one/one.gguf").read_bytes() == content(SIZE)


def test_cancel_removes_what_arrived_and_the_row(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.next(SLOW)
    job_id = queue.add(rig.plan("one"))
    until(lambda: moving(queue, job_id))
    queue.cancel(job_id)
    assert queue.wait(5)
    assert queue.jobs() == ()
    assert not (rig.models / "org").exists()


def test_one_at_a_time_in_order_and_the_order_can_be_changed(rig: Rig) -> None:
    queue = rig.queue(parallel=1)
    rig.hub.faults.next(SLOW)
    ids = [queue.add(rig.plan(name, seed)) for seed, name in enumerate(("a", "b", "c"))]
    until(lambda: moving(queue, ids[0]))
    assert [state(queue, job_id) for job_id in ids] == ["downloading", "queued", "queued"]
    queue.move(ids[2], 1)
    assert [job.id for job in queue.jobs()] == [ids[0], ids[2], ids[1]]
    until(lambda: all(job.state == "finished" for job in queue.jobs()))
    order = [one.path.split("/")[2] for one in rig.hub.asked("/resolve/", "hub")]
    assert list(dict.fromkeys(order)) == ["a", "c", "b"]


def test_several_files_move_at_once_up_to_the_limit(rig: Rig) -> None:
    files = {f"model-0000{n}-of-00004.safetensors": content(400_000, n) for n in range(1, 5)}
    rig.hub.add("org/four", {**files, "config.json": b"{}"})
    rig.hub.faults.always(Fault("slow", at=1_000_000))
    queue = rig.queue(parallel=3)
    queue.add(plan_of(rig.hub, "org/four", rig.models))
    most = 0
    while not queue.wait(0.02):
        names = [one.name for one in threading.enumerate()]
        most = max(most, names.count("download"))
    assert most == 3
    for name, data in files.items():
        assert (rig.models / "org/four" / name).read_bytes() == data


def test_no_file_of_a_half_model_has_its_name(rig: Rig) -> None:
    rig.hub.add("org/two", {"config.json": b"{}", "model.safetensors": content(SIZE)})
    queue = rig.queue()
    rig.hub.faults.next(None, SLOW)
    job_id = queue.add(plan_of(rig.hub, "org/two", rig.models))
    until(lambda: (job := queue.job(job_id)) is not None and job.file == "model.safetensors")
    folder = rig.models / "org/two"
    assert [one.name for one in folder.iterdir()] == [".download"]
    assert queue.wait(20)
    names = {one.name for one in folder.iterdir()}
    assert names == {"config.json", "model.safetensors", ".glasshouse.json"}


def test_a_failure_stays_in_its_row_and_can_be_tried_again(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.always(Fault("status", status=503))
    failing, fine = rig.plan("a"), rig.plan("b", 2)
    failed = queue.add(failing)
    until(lambda: state(queue, failed) == "failed")
    rig.hub.faults.clear()
    other = queue.add(fine)
    until(lambda: state(queue, other) == "finished")
    job = queue.job(failed)
    assert job is not None
    assert (job.error, job.message[:19]) == ("Network", "The server is busy.")
    assert job.hint
    queue.resume(failed)
    assert queue.wait(15)
    assert state(queue, failed) == "finished"


def test_adding_what_is_in_the_queue_goes_on_with_it(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.next(SLOW)
    plan = rig.plan("one")
    job_id = queue.add(plan)
    until(lambda: moving(queue, job_id))
    queue.pause(job_id)
    assert queue.add(plan) == job_id
    assert queue.wait(15)
    assert [job.state for job in queue.jobs()] == ["finished"]


def test_the_queue_is_there_after_a_restart_and_waits_for_the_person(rig: Rig) -> None:
    queue = rig.queue(token="secret-token")
    rig.hub.faults.next(SLOW)
    job_id = queue.add(rig.plan("one"))
    until(lambda: moving(queue, job_id))
    queue.close()
    assert "secret-token" not in rig.state_file.read_text()
    asked = len(rig.hub.requests)
    again = rig.queue()
    job = again.job(job_id)
    assert job is not None
    assert job.state == "paused"
    assert 0 < job.done_bytes < SIZE
    time.sleep(0.2)
    assert len(rig.hub.requests) == asked
    again.resume(job_id)
    assert again.wait(15)
    assert state(again, job_id) == "finished"


def test_a_tampered_list_of_downloads_is_not_followed(rig: Rig, caplog: object) -> None:
    queue = rig.queue()
    rig.hub.faults.next(SLOW)
    queue.add(rig.plan("one"))
    queue.close()
    saved = json.loads(rig.state_file.read_text())
    saved[0]["plan"]["files"][0]["path"] = "../../../evil.gguf"
    rig.state_file.write_text(json.dumps(saved))
    assert rig.queue().jobs() == ()
    rig.state_file.write_text("no json")
    assert rig.queue().jobs() == ()


def test_a_waiting_row_says_what_for(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.next(Fault("status", "resolve", status=429, headers=(("Retry-After", "2"),)))
    job_id = queue.add(rig.plan("one"))
    until(lambda: state(queue, job_id) == "waiting")
    job = queue.job(job_id)
    assert job is not None
    assert job.note == "The hub asks to slow down. Trying again in 2 s."
    queue.cancel(job_id)
    assert queue.wait(5)


def test_a_file_that_cannot_get_its_name_fails_with_everything_kept(rig: Rig) -> None:
    plan = rig.plan("one")
    (rig.models / "org/one/one.gguf").mkdir(parents=True)
    queue = rig.queue()
    job_id = queue.add(plan)
    assert queue.wait(15)
    assert state(queue, job_id) == "failed"
    assert part_of(plan).is_whole()
    (rig.models / "org/one/one.gguf").rmdir()
    sent = rig.hub.bytes_sent
    queue.resume(job_id)
    assert queue.wait(15)
    assert state(queue, job_id) == "finished"
    assert rig.hub.bytes_sent == sent


def test_speed_and_remaining_time_are_of_what_really_moves(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.next(SLOW)
    job_id = queue.add(rig.plan("one"))
    until(lambda: (job := queue.job(job_id)) is not None and job.bytes_per_s > 0)
    time.sleep(1.5)
    job = queue.job(job_id)
    assert job is not None
    assert 100_000 < job.bytes_per_s < 800_000
    assert job.remaining_s is not None
    assert job.remaining_s == pytest.approx((SIZE - job.done_bytes) / job.bytes_per_s)
    queue.cancel(job_id)
    assert queue.wait(5)


def test_downloading_again_right_after_cancelling_starts_clean(rig: Rig) -> None:
    queue = rig.queue()
    plan = rig.plan("one")
    for _ in range(5):
        rig.hub.faults.next(SLOW)
        job_id = queue.add(plan)
        until(lambda job_id=job_id: moving(queue, job_id))
        queue.cancel(job_id)
    job_id = queue.add(plan)
    assert queue.wait(15)
    assert [(job.id, job.state) for job in queue.jobs()] == [(job_id, "finished")]
    assert (rig.models / "org/one/one.gguf").read_bytes() == content(SIZE)


def test_what_a_window_calls_returns_without_waiting_for_the_disk(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.always(SLOW)
    plans = [rig.plan(name, seed) for seed, name in enumerate("abcdefgh")]
    ids = [queue.add(plan) for plan in plans]
    until(lambda: moving(queue, ids[0]))
    slowest = 0.0
    for job_id in ids * 3:
        for call in (queue.pause, queue.resume, queue.job):
            begun = time.perf_counter()
            call(job_id)
            slowest = max(slowest, time.perf_counter() - begun)
    for job_id in ids:
        queue.cancel(job_id)
    assert queue.wait(10)
    assert slowest < 0.25  # generous: other programs share the processor


def test_only_what_was_under_way_goes_on_by_itself_after_a_restart(rig: Rig) -> None:
    queue = rig.queue(parallel=2)
    rig.hub.faults.always(SLOW)
    paused, running = (queue.add(rig.plan(name, n)) for n, name in enumerate(("one", "two")))
    until(lambda: moving(queue, paused) and moving(queue, running))
    queue.pause(paused)
    until(lambda: moving(queue, running))
    queue.close()
    rig.hub.faults.clear()
    again = rig.queue()
    assert (state(again, paused), state(again, running)) == ("paused", "paused")
    again.go_on()
    until(lambda: state(again, running) == "finished")
    assert state(again, paused) == "paused"


def test_a_wait_says_until_when_and_a_finished_one_how_long_it_took(rig: Rig) -> None:
    queue = rig.queue()
    rig.hub.faults.next(Fault("status", status=503, headers=(("Retry-After", "1"),)))
    job_id = queue.add(rig.plan("one"))
    until(lambda: state(queue, job_id) == "waiting")
    job = queue.job(job_id)
    assert job is not None
    assert 0 < job.retry_at - time.time() < 5
    until(lambda: state(queue, job_id) == "finished")
    job = queue.job(job_id)
    assert job is not None
    assert job.spent_s > 0.9
    assert job.retry_at == 0
    assert time.time() - job.since < 15
