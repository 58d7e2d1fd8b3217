"""The process that writes one file: a crash of C code or a stop costs the caller nothing.

Reports go to what was standard output; whatever libraries print goes to standard error.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from inference.convert import orders
from inference.errors import DiskFullError, InferenceError, wire_name
from inference.library.registry import disk_is_full

if TYPE_CHECKING:
    from inference.convert.orders import Order, Report
    from inference.convert.write import FileType

_REPORT_S = 0.1


class _Reporter:
    """Writes reports; progress at most ten times a second."""

    def __init__(self) -> None:
        self._fd = os.dup(1)
        os.dup2(2, 1)
        self._told = 0.0

    def send(self, report: Report) -> None:
        os.write(self._fd, orders.encode(report).encode() + b"\n")

    def progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told >= _REPORT_S or done == total:
            self._told = now
            self.send(orders.Progress(done, total))


def make(text: str) -> int:
    """Carry out an order; return the process's exit status."""
    reporter = _Reporter()
    order = orders.decode_order(text)
    try:
        notes = (
            _convert(order, reporter) if order.action == "convert" else _quantize(order, reporter)
        )
    except InferenceError as exc:
        reporter.send(orders.Refused(wire_name(exc), exc.message, exc.hint, exc.detail))
        return 1
    except OSError as exc:
        error = write_error(exc, order)
        reporter.send(orders.Refused(wire_name(error), error.message, error.hint, error.detail))
        return 1
    reporter.send(orders.Made(notes))
    return 0


def _convert(order: Order, reporter: _Reporter) -> tuple[str, ...]:
    from inference.convert.write import Labels, convert  # noqa: PLC0415  torch: this action only

    return convert(
        Path(order.source),
        Path(order.part),
        cast("FileType", order.file_type),
        Labels(order.name, license=order.license),
        reporter.progress,
    )


def _quantize(order: Order, reporter: _Reporter) -> tuple[str, ...]:
    from inference.convert.shrink import shrink  # noqa: PLC0415  llama.cpp: this action only

    shrink(
        Path(order.source), Path(order.part), order.file_type, reporter.progress, again=order.again
    )
    return ()


def write_error(exc: OSError, order: Order) -> InferenceError:
    """Say what kept a file from being written."""
    folder = Path(order.part).parent
    if disk_is_full(exc):
        return DiskFullError(
            f"The disk of {folder} is full. Nothing was kept of the new file.",
            "Free some space, or choose a folder on another disk.",
            str(exc),
        )
    return InferenceError(
        f"The file could not be written or its source not read: {exc.strerror or exc}.",
        f"Check the folder {folder} and its permissions, then try again.",
        str(exc),
    )
