"""Each fault alone, with the bytes, the requests and the words that follow from it."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inference.errors import (
    DownloadError,
    GatedModelError,
    HashMismatchError,
    NetworkError,
    NoSpaceError,
    RepositoryNotFoundError,
)
from inference.library.download.parts import disk_trouble
from inference.library.download.patience import StoppedError
from inference.library.download.receipts import read_receipt
from tests.helpers.fetching import Heard, fetch, part_of, plan_of
from tests.helpers.hub_faults import Fault
from tests.inference.library.download.conftest import HURRIED, content

if TYPE_CHECKING:
    from inference.library.download.values import Plan
    from tests.helpers.local_hub import LocalHub

SIZE = 3_000_000
MODEL = content(SIZE)


@pytest.fixture
def plan(hub: LocalHub, models: Path) -> Plan:
    hub.add("org/tiny", {"tiny.gguf": MODEL})
    return plan_of(hub, "org/tiny", models)


def test_a_file_arrives_gets_its_name_and_a_receipt_and_nothing_else_stays(plan: Plan) -> None:
    path = fetch(plan, HURRIED)
    assert path.read_bytes() == MODEL
    assert {one.name for one in path.parent.iterdir()} == {"tiny.gguf", ".glasshouse.json"}
    receipt = read_receipt(path.parent)
    assert receipt is not None
    assert receipt.files["tiny.gguf"].sha256 == hashlib.sha256(MODEL).hexdigest()


def test_what_is_here_and_untouched_is_not_asked_for_again(hub: LocalHub, plan: Plan) -> None:
    fetch(plan, HURRIED)
    asked = len(hub.requests)
    fetch(plan, HURRIED)
    assert len(hub.requests) == asked


def test_a_file_without_receipt_is_hashed_and_taken_as_it_is(hub: LocalHub, plan: Plan) -> None:
    path = fetch(plan, HURRIED)
    (path.parent / ".glasshouse.json").unlink()
    asked = len(hub.requests)
    heard = Heard()
    fetch(plan, HURRIED, heard)
    assert heard.checked_bytes == SIZE
    assert len(hub.requests) == asked


def test_a_cut_connection_goes_on_where_it_stood(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(*[Fault("disconnect", at=700_000)] * 3)
    assert fetch(plan, HURRIED).read_bytes() == MODEL
    assert hub.bytes_sent == SIZE
    ranges = [one.headers["range"] for one in hub.asked("", "store") if "range" in one.headers]
    assert ranges == ["bytes=700000-", "bytes=1400000-", "bytes=2100000-"]


def test_a_stall_is_noticed_and_asked_again(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("stall", at=500_000, seconds=30))
    heard = Heard()
    begun = time.monotonic()
    assert fetch(plan, HURRIED, heard).read_bytes() == MODEL
    assert time.monotonic() - begun < 10
    assert [reason for reason, _ in heard.waits] == ["The download stalled."]
    assert hub.bytes_sent == SIZE


def test_a_dripping_connection_counts_as_stalled(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("slow", at=20))  # 20 bytes a second, never silent
    heard = Heard()
    assert fetch(plan, HURRIED, heard).read_bytes() == MODEL
    assert [reason for reason, _ in heard.waits] == ["The download stalled."]


@pytest.mark.parametrize("place", ["resolve", "file"])
@pytest.mark.parametrize("status", [429, 503, 500, 408])
def test_a_busy_server_is_asked_again(hub: LocalHub, plan: Plan, place: str, status: int) -> None:
    hub.faults.next(Fault("status", place, status=status))  # type: ignore[arg-type]
    heard = Heard()
    assert fetch(plan, HURRIED, heard).read_bytes() == MODEL
    assert len(heard.waits) == 1


@pytest.mark.parametrize(
    ("headers", "least"),
    [((("Retry-After", "1"),), 1.0), ((("RateLimit", '"resolvers";r=0;t=0'),), 1.0)],
)
def test_the_wait_that_a_server_asks_for_is_obeyed(
    hub: LocalHub, plan: Plan, headers: tuple[tuple[str, str], ...], least: float
) -> None:
    hub.faults.next(Fault("status", "resolve", status=429, headers=headers))
    heard = Heard()
    begun = time.monotonic()
    fetch(plan, HURRIED, heard)
    assert heard.waits == [("The hub asks to slow down.", least)]
    assert time.monotonic() - begun >= least


def test_a_server_that_asks_for_hours_is_an_error_that_says_so(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("status", "resolve", status=429, headers=(("Retry-After", "7200"),)))
    with pytest.raises(NetworkError, match="120 minutes"):
        fetch(plan, HURRIED)


def test_expired_links_are_resolved_anew(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("disconnect", at=1_000_000), Fault("status", status=403))
    assert fetch(plan, HURRIED).read_bytes() == MODEL
    assert hub.bytes_sent == SIZE
    assert len(hub.asked("/resolve/", "hub")) == 3


def test_a_server_that_ignores_ranges_gives_the_rest_without_mixing(
    hub: LocalHub, plan: Plan
) -> None:
    hub.faults.next(Fault("disconnect", at=1_000_000), Fault("ignore_range"))
    assert fetch(plan, HURRIED).read_bytes() == MODEL
    assert hub.bytes_sent == 1_000_000 + SIZE


def test_a_server_that_ignores_ranges_and_is_cut_loses_nothing_that_was_here(
    hub: LocalHub, plan: Plan
) -> None:
    hub.faults.next(Fault("disconnect", at=1_000_000))
    heard = Heard(stop_at=1_000_000)
    with pytest.raises(StoppedError):
        fetch(plan, HURRIED, heard)
    hub.faults.always(Fault("ignore_range"))
    hub.faults.next(Fault("disconnect", at=400_000))
    with_range = Heard()
    assert fetch(plan, HURRIED, with_range).read_bytes() == MODEL
    assert with_range.checked_bytes == 1_000_000


def test_other_bytes_from_a_server_without_ranges_start_afresh(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("disconnect", at=1_000_000))
    with pytest.raises(StoppedError):
        fetch(plan, HURRIED, Heard(stop_at=1))
    part = part_of(plan).path
    part.write_bytes(b"other" + part.read_bytes()[5:])
    hub.faults.next(Fault("ignore_range"))
    heard = Heard()
    assert fetch(plan, HURRIED, heard).read_bytes() == MODEL
    assert "The file on the server is another one now." in [reason for reason, _ in heard.waits]


def test_an_answer_from_another_place_is_not_used(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("disconnect", at=1_000_000), Fault("wrong_range"))
    assert fetch(plan, HURRIED).read_bytes() == MODEL


@pytest.mark.parametrize("extra", [-1000, 1, 5000])
def test_a_wrong_length_is_an_error_that_names_the_file(
    hub: LocalHub, plan: Plan, extra: int
) -> None:
    hub.faults.always(Fault("wrong_length", at=extra))
    with pytest.raises(NetworkError, match=r"tiny\.gguf has another length"):
        fetch(plan, HURRIED)
    assert not (part_of(plan).path.parent.parent / "tiny.gguf").exists()


def test_a_wrong_length_once_is_forgiven(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("wrong_length", at=-7))
    assert fetch(plan, HURRIED).read_bytes() == MODEL


def test_damaged_bytes_are_fetched_once_more_and_said(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("corrupt", at=1_234_567))
    heard = Heard()
    assert fetch(plan, HURRIED, heard).read_bytes() == MODEL
    assert heard.notes == ["What arrived was damaged; it is fetched once more."]
    assert hub.bytes_sent == 2 * SIZE


def test_bytes_damaged_twice_are_kept_aside_and_never_get_the_name(
    hub: LocalHub, plan: Plan
) -> None:
    hub.faults.always(Fault("corrupt", at=1_234_567))
    with pytest.raises(HashMismatchError) as caught:
        fetch(plan, HURRIED)
    part = part_of(plan)
    assert part.damaged.stat().st_size == SIZE
    assert part.damaged.name in caught.value.hint
    assert not part.path.exists()
    assert not (part.path.parent.parent / "tiny.gguf").exists()
    hub.faults.clear()
    assert fetch(plan, HURRIED).read_bytes() == MODEL


def test_a_small_file_is_checked_by_the_hash_that_git_gives_it(hub: LocalHub, models: Path) -> None:
    hub.add("org/text", {"config.json": b'{"layers": 3}' * 50})
    plan = plan_of(hub, "org/text", models)
    hub.faults.next(Fault("corrupt", at=3))
    heard = Heard()
    assert fetch(plan, HURRIED, heard).read_bytes() == b'{"layers": 3}' * 50
    assert heard.notes


def test_an_empty_file_is_a_file(hub: LocalHub, models: Path) -> None:
    hub.add("org/empty", {"merges.txt": b""})
    assert fetch(plan_of(hub, "org/empty", models), HURRIED).read_bytes() == b""


def test_a_packed_answer_is_unpacked(hub: LocalHub, models: Path) -> None:
    hub.add("org/text", {"tokenizer.json": b"abc " * 40_000})
    hub.faults.next(Fault("gzip"))
    plan = plan_of(hub, "org/text", models)
    assert fetch(plan, HURRIED).read_bytes() == b"abc " * 40_000
    assert hub.bytes_sent < 100_000


def test_a_file_that_changed_on_the_hub_is_an_error_and_mixes_nothing(
    hub: LocalHub, plan: Plan
) -> None:
    hub.faults.next(Fault("disconnect", at=1_000_000))
    hub.faults.next(None, Fault("changed", "resolve"))
    hub.faults.always(Fault("changed", "resolve"))
    with pytest.raises(DownloadError, match="has changed on the hub"):
        fetch(plan, HURRIED)


def test_a_new_version_never_meets_the_bytes_of_the_old_one(
    hub: LocalHub, plan: Plan, models: Path
) -> None:
    hub.faults.next(Fault("disconnect", at=1_500_000))
    with pytest.raises(StoppedError):
        fetch(plan, HURRIED, Heard(stop_at=1))
    newer = content(SIZE + 10, seed=2)
    hub.repos["org/tiny"].commit({"tiny.gguf": newer})
    assert part_of(plan).path.stat().st_size > 0
    path = fetch(plan_of(hub, "org/tiny", models), HURRIED)
    assert path.read_bytes() == newer
    assert not (path.parent / ".download").exists()


def test_a_mirror_without_the_hubs_own_headers_works(hub: LocalHub, plan: Plan) -> None:
    hub.faults.always(Fault("bare", "resolve"))
    assert fetch(plan, HURRIED).read_bytes() == MODEL


def test_a_repository_in_the_xet_store_downloads_by_plain_http(hub: LocalHub, plan: Plan) -> None:
    hub.xet = True
    assert fetch(plan, HURRIED).read_bytes() == MODEL
    assert not hub.asked("xet-read-token")


def test_gated_missing_and_refused_are_different_sentences(hub: LocalHub, plan: Plan) -> None:
    hub.repos["org/tiny"].gated = "manual"
    for token in ("", "stranger"):
        with pytest.raises(GatedModelError, match="terms"):
            fetch(plan, HURRIED, token=token)
    hub.repos["org/tiny"].users.add("good")
    hub.faults.next(Fault("status", "resolve", status=401))
    with pytest.raises(GatedModelError, match="does not let"):
        fetch(plan, HURRIED, token="good")
    assert fetch(plan, HURRIED, token="good").read_bytes() == MODEL
    del hub.repos["org/tiny"]
    (part_of(plan).path.parent.parent / "tiny.gguf").unlink()
    with pytest.raises(RepositoryNotFoundError):
        fetch(plan, HURRIED, token="good")


def test_no_server_at_all_is_an_error_after_some_tries(hub: LocalHub, plan: Plan) -> None:
    hub.close()
    heard = Heard()
    with pytest.raises(NetworkError, match="no connection"):
        fetch(plan, HURRIED, heard)
    assert len(heard.waits) == HURRIED.tries - 1


def test_waits_grow_between_tries_and_begin_anew_after_progress(hub: LocalHub, plan: Plan) -> None:
    refuse = Fault("refuse")
    hub.faults.next(refuse, refuse, Fault("disconnect", at=1_000_000), refuse)
    heard = Heard()
    fetch(plan, HURRIED, heard)
    waits = [wait for _, wait in heard.waits]
    assert len(waits) == 4
    assert waits[0] < waits[1]
    assert waits[2] < waits[1]


def test_stop_is_heard_during_silence_and_between_tries(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("stall", at=500_000, seconds=30))
    patient = type(HURRIED)(stall_s=30)
    heard = Heard()
    threading.Timer(0.5, heard.cancel.cancel).start()
    begun = time.monotonic()
    with pytest.raises(StoppedError):
        fetch(plan, patient, heard)
    assert time.monotonic() - begun < 5
    assert part_of(plan).path.stat().st_size == 500_000


def test_pulling_the_cable_leaves_what_arrived(hub: LocalHub, plan: Plan) -> None:
    hub.faults.next(Fault("slow", at=2_000_000))
    threading.Timer(0.4, hub.drop_connections).start()
    assert fetch(plan, HURRIED).read_bytes() == MODEL
    assert hub.bytes_sent < SIZE * 1.1


def test_a_full_disk_is_said_with_the_next_step() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with (
        full.open("wb", buffering=0) as file,
        pytest.raises(NoSpaceError) as caught,
        disk_trouble(Path("/models/org/tiny.gguf.part")),
    ):
        file.write(b"x")
    assert "full" in caught.value.message
    assert "kept" in caught.value.message


def test_a_disk_that_holds_no_large_files_stops_and_keeps_what_arrived(plan: Plan) -> None:
    resource = pytest.importorskip("resource", reason="only Unix limits file sizes")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        with pytest.raises(DownloadError, match="files as large"):
            fetch(plan, HURRIED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    heard = Heard()
    assert fetch(plan, HURRIED, heard).read_bytes() == MODEL
    assert heard.checked_bytes > 1_000_000


def test_a_damaged_beginning_is_found_before_more_is_fetched(
    hub: LocalHub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.library.download.parts._MARK_BYTES", 500_000)
    hub.add("org/tiny", {"tiny.gguf": MODEL})
    plan = plan_of(hub, "org/tiny", models)
    hub.faults.next(Fault("slow", at=1_500_000))
    with pytest.raises(StoppedError):
        fetch(plan, HURRIED, Heard(stop_at=2_000_000))
    part = part_of(plan)
    data = bytearray(part.path.read_bytes())
    data[700_000] ^= 1
    part.path.write_bytes(data)
    before = hub.bytes_sent
    heard = Heard()
    assert fetch(plan, HURRIED, heard).read_bytes() == MODEL
    assert not heard.notes
    assert hub.bytes_sent - before < SIZE


def test_two_processes_or_windows_do_not_write_one_file(plan: Plan) -> None:
    part = part_of(plan)
    part.open(Heard().cancel, lambda _: None)
    try:
        with pytest.raises(DownloadError, match="another window"):
            fetch(plan, HURRIED)
    finally:
        part.close()
    assert fetch(plan, HURRIED).read_bytes() == MODEL
