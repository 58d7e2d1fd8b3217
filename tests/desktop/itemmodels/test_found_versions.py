"""The versions of a model as rows of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from desktop.discover_values import FoundVersion, memory_parts
from desktop.itemmodels.found_versions import COLUMNS, FoundVersionsList, VersionRole
from inference.library.estimate import MemoryEstimate
from inference.library.fit import Fit

if TYPE_CHECKING:
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

FITS = Fit("gpu", MemoryEstimate(2_500_000_000, 500_000_000, 300_000_000), 4_096, 37, 37)
Q4 = FoundVersion("q4", "instruct", "gguf", "Q4_K_M", 2_500_000_000, "Good", FITS, "catalogue",
                  "o/n", recommended=True)  # fmt: skip
Q8 = replace(Q4, id="q8", label="Q8_0", recommended=False, installed_id="mine")
NATIVE = replace(Q4, id="n", engine="native", label="BF16", parts=3, problem="It needs a tokenizer")


@pytest.fixture
def items(qtbot: QtBot) -> FoundVersionsList:
    assert qtbot is not None
    items = FoundVersionsList()
    items.set_versions((Q4, Q8, NATIVE))
    return items


def test_it_is_a_sound_item_model(items: FoundVersionsList, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(items)
    items.set_versions(())
    qtmodeltester.check(items)
    assert items.rowCount() == 0


def test_engines_are_heads_over_their_versions(items: FoundVersionsList) -> None:
    rows = [items.index(n).data() for n in range(items.rowCount())]
    assert rows == ["", "GGUF engine", "Q4_K_M", "Q8_0", "Native engine, readable PyTorch", "BF16"]
    assert items.index(0).data(VersionRole.HEAD) == COLUMNS
    assert not items.index(1).flags() & Qt.ItemFlag.ItemIsSelectable
    assert items.row_of("n") == 5
    assert items.version_at(items.index(5)) == NATIVE


def test_another_context_changes_rows_without_a_reset(items: FoundVersionsList) -> None:
    resets: list[int] = []
    items.modelReset.connect(lambda: resets.append(1))
    items.set_versions((Q4, replace(Q8, fit=Fit("unknown")), NATIVE))
    assert not resets
    changed = items.version_at(items.index(3))
    assert changed is not None
    assert changed.fit == Fit("unknown")


def test_a_row_says_everything_to_a_screen_reader(items: FoundVersionsList) -> None:
    spoken = [
        str(items.index(n).data(Qt.ItemDataRole.AccessibleTextRole)).replace("\u00a0", " ")
        for n in (2, 3, 5)
    ]
    assert spoken == [
        "Q4_K_M, 2.50 GB, Good, recommended, memory 3.30 GB, Fits on the GPU",
        "Q8_0, 2.50 GB, Good, memory 3.30 GB, Fits on the GPU, installed",
        "BF16, 2.50 GB, Good, 3 files, recommended, It needs a tokenizer",
    ]


def test_progress_is_asked_for_each_row(items: FoundVersionsList) -> None:
    items.set_progress(lambda version: 0.5 if version.id == "q8" else None)
    assert [items.index(n).data(VersionRole.DONE) for n in (2, 3)] == [None, 0.5]


def test_parts_of_the_memory_bar() -> None:
    stays = replace(FITS, stays_free_bytes=1_000_000_000)
    assert [(one.name, one.size_bytes) for one in memory_parts(stays)] == [
        ("weights", 2_500_000_000), ("context", 500_000_000), ("buffers", 300_000_000),
        ("free", 1_000_000_000),
    ]  # fmt: skip
    over = replace(FITS, verdict="too_large", over_bytes=7)
    assert memory_parts(over)[-1].name == "over"
    assert memory_parts(Fit("unknown")) == ()
