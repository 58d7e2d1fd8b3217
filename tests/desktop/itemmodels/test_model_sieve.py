"""Whatever is typed, chosen and sorted in whatever order: what a look at every row would give."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.itemmodels.model_sieve import ModelSieve, is_favourite, last_used
from desktop.values import IN_MEMORY, InstalledModel
from inference.library.notes import ModelNote
from inference.types import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.itemmodels.model_sieve import Order

KINDS = ("base", "instruct", "thinking")
Row = tuple[str, str, str, bool, bool, int]


def made(number: int, row: Row) -> InstalledModel:
    name, kind, engine, loved, held, used = row
    info = ModelInfo(f"m{number}", name, "", engine, kind=kind, size_bytes=used)  # type: ignore[arg-type]  # the literals
    note = ModelNote(favourite=loved, last_used=float(used))
    return InstalledModel(info, "ready" if held else "none", note=note)


ROWS = st.lists(
    st.tuples(
        st.text("abAB 1", max_size=5), st.sampled_from(KINDS), st.sampled_from(["gguf", "native"]),
        st.booleans(), st.booleans(), st.integers(0, 3),
    ),
    max_size=12,
)  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("type"), st.text("abAB 1", max_size=4)),
        st.tuples(st.just("letter"), st.sampled_from("abAB 1")),
        st.tuples(st.just("kinds"), st.sets(st.sampled_from(KINDS))),
        st.tuples(st.just("engines"), st.sets(st.sampled_from(["gguf", "native"]))),
        st.tuples(st.just("order"), st.sampled_from(["favourites", "name", "used", "size"])),
        st.tuples(st.just("rows"), ROWS),
        st.tuples(st.just("prepare"), st.integers(0, 5)),
    ),
    max_size=12,
)
ORDERS: dict[str, Callable[[InstalledModel], object]] = {
    "favourites": lambda _row: 0,
    "name": lambda row: row.info.name.casefold(),
    "used": lambda row: -last_used(row),
    "size": lambda row: -row.info.size_bytes,
}


def looked_at(
    rows: tuple[InstalledModel, ...], text: str, kinds: set[str], engines: set[str], order: Order
) -> list[list[str]]:
    """Say which rows are wanted by looking at each of them."""

    def wanted(row: InstalledModel) -> bool:
        info = row.info
        facts = f"{info.name} {info.engine} {info.kind} {info.quantization} {info.architecture}"
        has_words = all(word in facts.casefold() for word in text.casefold().split())
        return (
            has_words
            and (not kinds or info.kind in kinds)
            and (not engines or info.engine in engines)
        )

    shown = [row for row in rows if wanted(row)]
    held = [row for row in shown if row.status in IN_MEMORY]
    rest = [row for row in shown if row.status not in IN_MEMORY]
    loved = [row for row in rest if order == "favourites" and is_favourite(row)]
    others = [row for row in rest if row not in loved]
    others.sort(key=ORDERS[order])  # type: ignore[arg-type]  # numbers or names, never both
    return [[row.info.id for row in group] for group in (held, loved, others)]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, steps=STEPS)
def test_any_steps_give_what_a_look_at_every_row_gives(
    rows: list[Row], steps: list[tuple[str, object]]
) -> None:
    sieve = ModelSieve()
    text, kinds, engines, order = "", set(), set(), "favourites"  # type: ignore[var-annotated]
    models = tuple(made(number, row) for number, row in enumerate(rows))
    sieve.set_rows(models)
    for name, value in steps:
        if name == "rows":
            models = tuple(made(number, row) for number, row in enumerate(value))  # type: ignore[arg-type, var-annotated]
            sieve.set_rows(models)
        elif name in ("type", "letter"):
            text = str(value) if name == "type" else text + str(value)
            sieve.set_words(text)
        elif name in ("kinds", "engines"):
            kinds, engines = (value, engines) if name == "kinds" else (kinds, value)  # type: ignore[assignment]
            sieve.set_filter(kinds, engines)
        elif name == "order":
            order = str(value)
            sieve.set_order(order)  # type: ignore[arg-type]  # one of the literals
        else:
            sieve.prepare(int(str(value)))
        found = [[sieve.rows[place].info.id for place in group] for group in sieve.groups()]
        assert found == looked_at(models, text, kinds, engines, order)  # type: ignore[arg-type]


def test_texts_are_made_ready_in_slices_and_kept_while_the_models_stay() -> None:
    models = tuple(made(number, ("a", "base", "gguf", False, False, 0)) for number in range(5))
    sieve = ModelSieve()
    sieve.set_rows(models)
    assert not sieve.prepare(3)
    assert sieve.prepare(3)
    sieve.set_rows(tuple(replace(row, status="ready") for row in models))
    assert sieve.prepare(0)
    sieve.set_rows((*models, made(5, ("b", "base", "gguf", False, False, 0))))
    assert not sieve.prepare(0)
    assert sieve.prepare(1)
