"""Whatever happens in whatever order: the right bytes, or a sentence, and little sent twice."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.errors import DownloadError
from inference.library.download.patience import Patience, StoppedError
from tests.helpers.assets import REPO
from tests.helpers.fetching import Heard, fetch, part_of, plan_of
from tests.helpers.hub_faults import Fault
from tests.inference.cli.conftest import environment
from tests.inference.library.download.conftest import HURRIED, content

if TYPE_CHECKING:
    from inference.library.download.values import Plan
    from tests.helpers.local_hub import LocalHub

SIZE = 400_000
MODEL = content(SIZE)
EAGER = Patience(tries=6, first_wait_s=0.001, longest_wait_s=0.002, stall_s=0.15, stall_bytes=1)

_AT = st.integers(0, SIZE)
_PASSING = st.sampled_from([429, 500, 502, 503, 504, 408])
HONEST = st.one_of(
    st.builds(Fault, st.just("disconnect"), at=_AT),
    st.builds(Fault, st.just("stall"), at=_AT, seconds=st.just(5.0)),
    st.builds(Fault, st.just("refuse"), st.sampled_from(["resolve", "file"])),
    st.builds(Fault, st.just("status"), st.sampled_from(["resolve", "file"]), status=_PASSING),
    st.builds(Fault, st.just("status"), status=st.sampled_from([403, 410])),
)
"""Trouble in which every byte that is sent is a right one."""

NASTY = st.one_of(
    HONEST,
    st.builds(Fault, st.just("ignore_range")),
    st.builds(Fault, st.just("wrong_range")),
    st.builds(Fault, st.just("gzip")),
    st.builds(Fault, st.just("corrupt"), at=_AT),
    st.builds(Fault, st.just("wrong_length"), at=st.sampled_from([-SIZE, -1, 1, 999])),
    st.builds(Fault, st.sampled_from(["changed", "bare"]), st.just("resolve")),
    st.builds(Fault, st.just("status"), st.just("resolve"), status=st.sampled_from([404, 418])),
)
STOPS = st.lists(st.one_of(st.none(), _AT), max_size=4)
_OFTEN = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def prepared(hub: LocalHub, faults: list[Fault]) -> Plan:
    """Return a plan with a fresh folder; the hub has forgotten everything but these faults."""
    hub.faults.clear()
    hub.bytes_sent = 0
    hub.add("org/tiny", {"tiny.gguf": MODEL})
    hub.faults.next(*faults)
    return plan_of(hub, "org/tiny", Path(tempfile.mkdtemp(dir=hub.scratch)))


def check_sentence(error: DownloadError) -> None:
    assert error.message.endswith(".")
    assert error.hint.endswith(".")


@pytest.fixture(autouse=True)
def scratch(hub: LocalHub, tmp_path: Path) -> None:
    hub.scratch = tmp_path


@_OFTEN
@given(faults=st.lists(HONEST, max_size=8))
def test_any_honest_trouble_ends_in_the_right_bytes_sent_once(
    hub: LocalHub, faults: list[Fault]
) -> None:
    plan = prepared(hub, faults)
    for _ in range(len(faults) + 1):  # the person clicks again when it gave up
        try:
            path = fetch(plan, EAGER)
            break
        except DownloadError as error:
            check_sentence(error)
    assert path.read_bytes() == MODEL
    assert hub.bytes_sent <= SIZE * 1.1


@_OFTEN
@given(faults=st.lists(NASTY, max_size=6), stops=STOPS)
def test_any_trouble_ends_in_the_right_bytes_or_a_sentence(
    hub: LocalHub, faults: list[Fault], stops: list[int | None]
) -> None:
    plan = prepared(hub, faults)
    target = Path(plan.model_path)
    for stop_at in stops:
        try:
            fetch(plan, EAGER, Heard(stop_at=stop_at))
        except StoppedError:
            pass
        except DownloadError as error:
            check_sentence(error)
        assert not target.exists() or target.read_bytes() == MODEL
    hub.faults.clear()
    assert fetch(plan, EAGER).read_bytes() == MODEL
    assert not (target.parent / ".download").exists() or list(target.parent.rglob("*.damaged"))


KILLS = 50
BIG = 12_000_000
CHILD = """
import sys, msgspec
from pathlib import Path
from inference.library.download.patience import Patience
from inference.library.download.values import Plan
from tests.helpers.fetching import fetch
fetch(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan), Patience())
"""


def test_fifty_kills_at_random_moments_leave_a_download_that_goes_on(
    hub: LocalHub, models: Path, tmp_path: Path
) -> None:
    model = content(BIG)
    hub.add("org/big", {"big.gguf": model})
    plan = plan_of(hub, "org/big", models)
    order = tmp_path / "plan.json"
    order.write_bytes(msgspec.json.encode(plan))
    hub.faults.always(Fault("slow", at=1_000_000))
    chance = random.Random(7)
    part, target = part_of(plan), Path(plan.model_path)
    sizes = [0]
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(order)], env=environment(), cwd=REPO
        )
        asked = len(hub.asked("", "store"))
        end = time.monotonic() + 30
        in_stream = chance.random() < 0.9  # the others hit the start before it
        while in_stream and len(hub.asked("", "store")) == asked:
            assert time.monotonic() < end
            time.sleep(0.02)
        time.sleep(chance.random() * 0.3)
        child.kill()
        assert child.wait(10) != 0
        assert not target.exists()
        sizes.append(part.path.stat().st_size if part.path.exists() else 0)
    assert sizes == sorted(sizes), "a kill took bytes away"
    assert sizes[-1] > BIG / 20
    assert model.startswith(part.path.read_bytes())
    hub.faults.clear()
    assert fetch(plan, HURRIED).read_bytes() == model
    assert hub.asked("", "store")[-1].headers["range"] == f"bytes={sizes[-1]}-"
