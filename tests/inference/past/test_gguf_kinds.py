"""llama.cpp's other ways to remember: quantised caches, windows, one running state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.past import folder as files
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.gguf_kinds import recurrent_gguf, windowed_gguf
from tests.inference.past.talking import BOTH, DISK, open_here, options, say, say_afresh, text

if TYPE_CHECKING:
    from pathlib import Path

    from inference.types import LoadOptions
    from tests.inference.past.conftest import OpenEngine

A, B = text(200, 1), text(200, 2)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadOptions]:
    folder = tmp_path_factory.mktemp("kinds")
    wide = tiny_gguf(folder / "wide.gguf", hidden=128)
    flash: dict[str, Any] = {"flash_attention": True}
    return {
        "f16": options("gguf", wide, DISK, kv_cache_type="f16"),
        "f16, flash attention": options("gguf", wide, DISK, kv_cache_type="f16", **flash),
        "q8_0": options("gguf", wide, DISK, kv_cache_type="q8_0", **flash),
        "q4_0": options("gguf", wide, DISK, kv_cache_type="q4_0", **flash),
        "windows": options("gguf", windowed_gguf(folder / "windows.gguf"), DISK),
        "running state": options("gguf", recurrent_gguf(folder / "mamba.gguf"), DISK),
    }


KINDS = pytest.mark.parametrize(
    "kind", ["f16", "f16, flash attention", "q8_0", "q4_0", "windows", "running state"]
)


def with_memory(asked: LoadOptions) -> LoadOptions:
    return msgspec.structs.replace(asked, past=BOTH)


@KINDS
def test_the_scores_after_coming_back_from_the_disk_are_those_of_never_having_left(
    kind: str, kinds: dict[str, LoadOptions], opened: OpenEngine
) -> None:
    asked = kinds[kind]
    stays = open_here(asked)
    first = say(stays, A, "a", tokens=64)
    back = (*A, *first.ids, *text(60, 3))
    expected = say(stays, back, "a", tokens=64)
    stays.close()
    leaves = open_here(asked)
    leaves.forget(None)
    assert say(leaves, A, "a", tokens=64).ids == first.ids
    leaves.close()
    again = opened(asked)
    said = say(again, back, "a", tokens=64)
    assert said.reused >= len(A) + len(first.ids) - 1
    assert said.reused == expected.reused
    assert said.ids == expected.ids


@KINDS
def test_logits_from_the_disk_are_those_from_the_context(
    kind: str, kinds: dict[str, LoadOptions], opened: OpenEngine
) -> None:
    asked = kinds[kind]
    rows = []
    for engine in (opened(asked), opened(asked)):
        say(engine, A, "a", tokens=1)
        if rows:
            say(engine, B, "b", tokens=1)
            engine.rest(CancelToken())
        said = say(engine, (*A, *text(9, 4)), "a", tokens=1)
        assert said.reused == len(A)
        rows.append(engine._session.logits().copy())  # type: ignore[attr-defined]
    assert rows[0].std() > 0.1
    # Bit for bit; where a copy leaves out what no window shows, sums are in another order.
    np.testing.assert_allclose(rows[0], rows[1], rtol=0, atol=1e-5 if kind == "windows" else 0)


def test_a_copy_holds_no_more_than_the_windows_so_branches_before_them_are_read_anew(
    kinds: dict[str, LoadOptions], opened: OpenEngine
) -> None:
    asked = with_memory(kinds["windows"])
    engine = opened(asked)
    first = say(engine, A, "a")
    in_place = (*A[:120], *text(20, 5))
    said = say(engine, in_place, "a")
    assert (said.reused, said.ids) == (120, say_afresh(asked, in_place))
    say(engine, B, "b")
    branch = (*in_place[:100], *text(20, 6))
    said = say(engine, branch, "a")
    assert (said.reused, said.ids) == (0, say_afresh(asked, branch))
    whole = (*A, *first.ids, *text(20, 7))
    said = say(engine, whole, "a")
    assert said.reused >= len(A)
    assert said.ids == say_afresh(asked, whole)
    before_the_window = (*whole[:100], *text(20, 8))
    said = say(engine, before_the_window, "a")
    assert (said.reused, said.ids) == (0, say_afresh(asked, before_the_window))


@pytest.mark.parametrize("kind", ["windows", "running state"])
def test_a_branch_is_kept_though_a_longer_text_begins_like_it(
    kind: str, kinds: dict[str, LoadOptions], opened: OpenEngine
) -> None:
    asked = with_memory(kinds[kind])
    engine = opened(asked)
    say(engine, A, "a")
    branch = (*A[:100], *text(6, 5))
    said = say(engine, branch, "a", tokens=1)
    say(engine, B, "b")
    back = (*branch, *said.ids, *text(9, 6))
    said = say(engine, back, "a")
    assert said.reused >= len(branch)
    assert said.ids == say_afresh(asked, back)


def test_a_running_state_is_taken_whole_or_not_at_all(
    kinds: dict[str, LoadOptions], opened: OpenEngine, past_folder: Path
) -> None:
    asked = with_memory(kinds["running state"])
    engine = opened(asked)
    say(engine, A, "a", tokens=1)
    say(engine, B, "b", tokens=1)
    branch = (*A[:100], *text(20, 5))
    said = say(engine, branch, "a")
    assert (said.reused, said.ids) == (0, say_afresh(asked, branch))
    longer = (*A, *text(20, 6))
    said = say(engine, longer, "a")
    assert (said.reused, said.ids) == (len(A), say_afresh(asked, longer))
    engine.rest(CancelToken())
    assert files.files(past_folder)
