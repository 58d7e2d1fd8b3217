from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from inference.errors import NoSpaceError, UnsafeNameError
from inference.library.download.plan import RESERVE_BYTES, free_bytes, make_plan, missing_bytes
from inference.library.download.selection import Choice
from inference.library.download.values import Listing, RemoteFile
from tests.helpers.fetching import Heard, fetch, part_of, plan_of
from tests.inference.library.download.conftest import HURRIED, content

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.local_hub import LocalHub


def listing(*files: RemoteFile, repo: str = "org/name") -> Listing:
    return Listing(repo, "c" * 40, files, "https://hub.example", license="mit")


def test_a_plan_says_where_how_much_and_which_file_is_the_model(models: Path) -> None:
    plan = make_plan(listing(RemoteFile("sub/m.gguf", 5_000, "a" * 64)), models)
    assert plan.model_path == f"{models}/org/name/sub/m.gguf"
    assert plan.total_bytes == missing_bytes(plan) == 5_000
    assert plan.license == "mit"
    assert not models.exists()


@pytest.mark.parametrize("name", ["../m.gguf", "/m.gguf", "C:/m.gguf", "nul.gguf", "a\\m.gguf"])
def test_an_unsafe_name_is_never_planned(models: Path, name: str) -> None:
    with pytest.raises(UnsafeNameError):
        make_plan(listing(RemoteFile(name, 1, "a" * 64)), models)
    with pytest.raises(UnsafeNameError):
        make_plan(listing(RemoteFile("m.gguf", 1, "a" * 64), repo="../../elsewhere"), models)


def test_two_names_for_one_file_are_never_planned(models: Path) -> None:
    files = (RemoteFile("M.gguf", 1, "a" * 64), RemoteFile("m.gguf", 1, "b" * 64))
    with pytest.raises(UnsafeNameError):
        make_plan(listing(*files), models, Choice(files, "m.gguf"))


def test_a_plan_that_leaves_too_little_space_is_refused_with_both_sizes(models: Path) -> None:
    free = shutil.disk_usage(models.parent).free
    assert free_bytes(models / "not" / "there") == pytest.approx(free, abs=500_000_000)
    for size in (free + 10**12, free + 10**9 - RESERVE_BYTES):
        with pytest.raises(NoSpaceError) as caught:
            make_plan(listing(RemoteFile("m.gguf", size, "a" * 64)), models)
        assert "are free" in caught.value.message
        assert "Nothing was downloaded" in caught.value.hint


def test_what_has_arrived_is_not_counted_again(hub: LocalHub, models: Path) -> None:
    hub.add("org/m", {"m.gguf": content(300_000), "n.gguf": content(200_000, 2)})
    plan = plan_of(hub, "org/m", models)
    part = part_of(plan)
    part.open(Heard().cancel, lambda _: None)
    part.append(content(300_000)[:100_000])
    part.close()
    assert missing_bytes(plan) == 400_000
    fetch(plan, HURRIED)
    assert missing_bytes(plan) == 0
