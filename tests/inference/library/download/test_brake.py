from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.library.download.brake import Brake
from inference.library.download.queue import DownloadQueue
from tests.helpers.fetching import plan_of
from tests.inference.library.download.conftest import HURRIED, content

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.local_hub import LocalHub


def waited(brake: Brake, count: int) -> float:
    began = time.monotonic()
    brake.passed(count, CancelToken())
    return time.monotonic() - began


def test_without_a_limit_nobody_waits() -> None:
    brake = Brake(1)
    brake.set_limit(0)
    assert waited(brake, 1_000_000) < 5


def test_bytes_are_paid_for_at_the_limit_by_all_together() -> None:
    brake = Brake(1_000)
    threads = [threading.Thread(target=waited, args=(brake, 200)) for _ in range(3)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 0.59


def test_a_cancel_ends_the_wait() -> None:
    cancel = CancelToken()
    cancel.cancel()
    began = time.monotonic()
    Brake(1).passed(1_000, cancel)
    assert time.monotonic() - began < 5


def test_a_queue_keeps_to_its_limit_and_a_lifted_limit_lets_it_run(
    hub: LocalHub, models: Path
) -> None:
    hub.add("org/m", {"m.gguf": content(2_000_000)})
    queue = DownloadQueue(lambda: "", patience=HURRIED)
    queue.set_limit(100_000)
    job_id = queue.add(plan_of(hub, "org/m", models))
    end = time.monotonic() + 15
    while (job := queue.job(job_id)) is None or not job.done_bytes:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert job.state == "downloading"
    assert job.done_bytes < 2_000_000
    queue.set_limit(0)
    assert queue.wait(20)
    job = queue.job(job_id)
    assert job is not None
    assert job.state == "finished"
    queue.close()
