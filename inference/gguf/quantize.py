"""A GGUF file made smaller by llama.cpp's own quantiser, with progress read from its log.

Runs for minutes and inside C: use it in a process of its own (``inference.convert.child``).
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

from inference.errors import (
    CorruptCheckpointError,
    DiskFullError,
    InferenceError,
    OutOfMemoryError,
)
from inference.gguf.library import api, log, start
from inference.gguf.model import as_c_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_FILE_TYPES: Final[Mapping[str, int]] = {
    "Q8_0": api.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q6_K": api.LLAMA_FTYPE_MOSTLY_Q6_K,
    "Q5_K_M": api.LLAMA_FTYPE_MOSTLY_Q5_K_M,
    "Q5_K_S": api.LLAMA_FTYPE_MOSTLY_Q5_K_S,
    "Q5_0": api.LLAMA_FTYPE_MOSTLY_Q5_0,
    "Q4_K_M": api.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q4_K_S": api.LLAMA_FTYPE_MOSTLY_Q4_K_S,
    "IQ4_NL": api.LLAMA_FTYPE_MOSTLY_IQ4_NL,
    "IQ4_XS": api.LLAMA_FTYPE_MOSTLY_IQ4_XS,
    "Q4_0": api.LLAMA_FTYPE_MOSTLY_Q4_0,
    "Q3_K_M": api.LLAMA_FTYPE_MOSTLY_Q3_K_M,
    "Q2_K": api.LLAMA_FTYPE_MOSTLY_Q2_K,
}
_BUFFER_BYTES: Final = 1 << 29
_POLL_S: Final = 0.1
_TENSOR: Final = re.compile(r"\[\s*(\d+)/\s*(\d+)\]")
_SIZE: Final = re.compile(r"quant size\s*=\s*([\d.]+) MiB")
_MIB: Final = 1 << 20


def quantized_bytes(source: Path, file_type: str, *, again: bool = False) -> int:
    """Return the size of the weights to come, as llama.cpp works it out; nothing is written.

    Args:
        source: The GGUF file.
        file_type: The type to come.
        again: The file may be quantised already.

    Raises:
        InferenceError: llama.cpp refuses the file.
    """
    lines = _run(source, source.with_suffix(".none"), file_type, again=again, dry_run=True)
    sizes = [float(found[1]) for line in lines if (found := _SIZE.search(line))]
    if not sizes:
        raise _refused(source, lines)
    return int((sizes[-1] + 0.01) * _MIB)  # it rounds to 0.01 MiB


def quantize(
    source: Path,
    path: Path,
    file_type: str,
    progress: Callable[[int, int], None],
    *,
    again: bool = False,
) -> None:
    """Write a smaller file.

    Args:
        source: The GGUF file, or the first of several.
        path: The file to write.
        file_type: What most matrices become.
        progress: Told how many tensors of how many are done, from another thread.
        again: The file may be quantised already.

    Raises:
        InferenceError: llama.cpp refuses the file, or memory or the disk is full.
    """
    done = threading.Event()
    mark = log.mark()
    watcher = threading.Thread(target=_watch, args=(mark, done, progress), daemon=True)
    watcher.start()
    try:
        _run(source, path, file_type, again=again, dry_run=False)
    finally:
        done.set()
        watcher.join()


def _run(
    source: Path, path: Path, file_type: str, *, again: bool, dry_run: bool
) -> tuple[str, ...]:
    start()
    params = api.llama_model_quantize_default_params()
    params.ftype = _FILE_TYPES[file_type]
    params.allow_requantize = again
    params.dry_run = dry_run
    params.max_buf_size = _BUFFER_BYTES
    mark = log.mark()
    status = api.llama_model_quantize(as_c_path(source), as_c_path(path), params)
    lines = log.since(mark)
    if status != 0:
        raise _refused(source, lines)
    return lines


def _watch(mark: int, done: threading.Event, progress: Callable[[int, int], None]) -> None:
    told = 0
    while not done.wait(_POLL_S):
        found = [match for line in log.since(mark) if (match := _TENSOR.match(line))]
        if found and int(found[-1][1]) > told:
            told = int(found[-1][1])
            progress(told - 1, int(found[-1][2]))  # its line comes before its work


def _refused(source: Path, lines: tuple[str, ...]) -> InferenceError:
    said = "\n".join(lines[-20:])
    if re.search(r"bad_alloc|out of memory|failed to allocate", said):
        return OutOfMemoryError(
            f"There is not enough memory to make a smaller version of {source.name}.",
            "Close other programs and try again.",
            said,
        )
    if "iostream error" in said:
        return DiskFullError(
            "The smaller version could not be written to its end.",
            "Check that its disk is connected and has space, then try again.",
            said,
        )
    reasons = [line for line in lines if "failed to quantize" in line] or list(lines[-1:])
    reason = reasons[-1].rpartition("failed to quantize:")[2].strip() if reasons else "no reason"
    return CorruptCheckpointError(
        f"llama.cpp did not make a smaller version of {source.name}: {reason}.",
        "Check that the file is complete, or download it again.",
        said,
    )
