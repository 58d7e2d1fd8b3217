"""The numbers of models side by side: for people, for a spreadsheet, and to sort by."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from desktop.widgets import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from desktop.evaluation import Row
    from inference.evaluation.families import Against
    from inference.evaluation.result import Result

COLUMNS: Final = ("perplexity", "against", "bits", "reads", "writes", "size", "memory")
_MOST: Final = 1e7
"""Perplexities from here on say no more than that the model did not expect the text at all."""
_FIELDS: Final = (
    *("model", "name", "quantisation", "engine", "kind", "perplexity", "bits per byte"),
    *("increase against the largest", "standard error of that", "largest of its family"),
    *("reading tokens/s", "writing tokens/s", "file bytes", "memory bytes", "tokens", "scored"),
    *("method", "window", "context", "device", "weights in memory as", "threads", "measured at"),
    *("model sha256", "text sha256", "versions", "trouble"),
)


def cells_of(result: Result, beside: Against | None) -> tuple[str, ...]:
    """Return the cells of a row in the order of ``COLUMNS``; empty where there is nothing."""
    bits = result.bits_per_byte
    return (
        _perplexity_cell(result.perplexity),
        cost_words(beside) if beside is not None else "",
        "" if math.isnan(bits) else formatting.decimal(bits, 3),
        _rate(result.speed.prompt_tokens_per_s),
        _rate(result.speed.tokens_per_s),
        formatting.size(result.info.size_bytes),
        formatting.size(result.memory_bytes),
    )


def perplexity_words(value: float) -> str:
    """Return a perplexity with sensible digits."""
    if value >= _MOST:
        return _tr("over {0}").format(formatting.count(10_000_000))
    return formatting.decimal(value, 2 if value < 1000 else 0)


def _perplexity_cell(value: float) -> str:
    """Return the same where there is room for nine signs."""
    return f">{formatting.NBSP}10⁷" if value >= _MOST else perplexity_words(value)


def cost_words(beside: Against) -> str:
    """Return the increase against the largest; none where the text cannot tell it from chance."""
    if not beside.is_clear:
        return f"±{formatting.decimal(0, 0)}{formatting.NBSP}%"
    sign = "+" if beside.cost >= 0 else ""
    share = 100 * beside.cost
    digits = 1 if abs(share) < 1000 else 0
    while digits in {1, 2} and not round(share, digits):  # what is told from chance is not 0
        digits += 1
    return f"{sign}{formatting.decimal(share, digits)}{formatting.NBSP}%"


def place_words(row: Row, beside: Against | None) -> str:
    """Return everything about a row as a sentence."""
    info, result = row.info, row.result
    head = f"{info.name}, {info.quantization}, {formatting.engine(info.engine)}"
    if result is None:
        return f"{head}: {state_words(row)}"
    cells = cells_of(result, beside)
    words = _tr(
        "perplexity {0}, {1} bits per byte, reads {2} and writes {3} tokens per second, "
        "file {4}, memory {5}"
    ).format(perplexity_words(result.perplexity), cells[2] or "?", *cells[3:])
    if beside is not None:
        words += _tr("; {0} against {1}").format(cells[1], beside.reference.info.quantization)
    how = _tr("{0}, {1} threads, context of {2} tokens, {3}, measured {4}").format(
        result.device,
        result.threads,
        formatting.count(result.n_ctx),
        result.key.versions,
        when_words(result.measured_at),
    )
    return f"{head}: {words}. {how}."


def state_words(row: Row) -> str:
    """Return what a row without numbers says."""
    if row.trouble is not None:
        return f"{row.trouble.message} {row.trouble.hint}".strip()
    if row.state == "running":
        steps = {
            "checking": _tr("Checking its files"),
            "loading": _tr("Loading"),
            "reading": _tr("Reading the text"),
            "timing": _tr("Measuring its speed"),
        }
        return f"{steps[row.step]}, {formatting.percent(round(row.fraction, 2))}"
    return _tr("Stopped") if row.state == "stopped" else _tr("Waits its turn")


def when_words(seconds: float) -> str:
    """Return a moment, given in seconds since the epoch."""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(round(seconds)), "d MMM yyyy, HH:mm")


def value_of(row: Row, column: str, beside: Mapping[str, Against]) -> float:
    """Return what a column is sorted by, the best first; rows without numbers come last."""
    result = row.result
    if result is None:
        return math.inf
    compared = beside.get(row.info.id)
    value = {
        "perplexity": result.perplexity,
        "against": compared.cost if compared is not None else 0.0,
        "bits": result.bits_per_byte,
        "reads": -result.speed.prompt_tokens_per_s,
        "writes": -result.speed.tokens_per_s,
        "size": result.info.size_bytes,
        "memory": result.memory_bytes,
    }[column]
    return math.inf if math.isnan(value) else value


def raw_cells(rows: Iterable[Row], beside: Mapping[str, Against]) -> tuple[tuple[str, ...], ...]:
    """Return the whole table with all digits, heads first."""
    return (_FIELDS, *(_raw(row, beside.get(row.info.id)) for row in rows))


def _raw(row: Row, compared: Against | None) -> tuple[str, ...]:
    info, result = row.info, row.result
    head = (info.id, info.name, info.quantization, info.engine, info.kind)
    if result is None:
        trouble = f"{row.trouble.message} {row.trouble.hint}".strip() if row.trouble else row.state
        return (*head, *[""] * (len(_FIELDS) - len(head) - 1), trouble)
    bits = result.bits_per_byte
    when = datetime.fromtimestamp(result.measured_at, UTC).isoformat(timespec="seconds")
    values = (
        *(result.perplexity, "" if math.isnan(bits) else bits),
        *(("", "", "") if compared is None else _cost(compared)),
        *(result.speed.prompt_tokens_per_s, result.speed.tokens_per_s, info.size_bytes),
        *(result.memory_bytes, result.tokens, result.scored, result.key.method, result.key.window),
        *(result.n_ctx, result.device, result.dtype, result.threads, when, result.key.model),
        *(result.key.text, result.key.versions, ""),
    )
    return (*head, *(f"{one:.8g}" if isinstance(one, float) else str(one) for one in values))


def _cost(compared: Against) -> tuple[float, float, str]:
    return compared.cost, compared.error, compared.reference.info.id


def _rate(tokens_per_s: float) -> str:
    return formatting.decimal(tokens_per_s, 0 if tokens_per_s >= 100 else 1)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ModelTable", text)
