"""What this computer has for a model right now: free memory, graphics memory, memory speed.

Decoding reads all weights once per token, so the speed of memory bounds the tokens per second on
the processor. It is measured once with a short copy and remembered in the cache folder. Imports no
engine: what a GPU has free is asked of the engine process (``inference.host.report``).
"""

from __future__ import annotations

import ctypes
import logging
import mmap
import os
import platform
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import psutil

from inference.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)
_FILE = "memory-speed.json"
_VERSION = 1
_PIECE_BYTES = 64 * 1024 * 1024  # per thread and side: larger than what a core caches
_ROUNDS = 4


class Gpu(msgspec.Struct, frozen=True):
    """One GPU that the GGUF engine would use.

    Attributes:
        name: For people: ``CUDA: NVIDIA RTX 4060``.
        free_bytes: Free at the time of asking.
        total_bytes: Its memory.
        shares_memory: It has no memory of its own and takes the computer's.
    """

    name: str
    free_bytes: int
    total_bytes: int
    shares_memory: bool = False


class Machine(msgspec.Struct, frozen=True):
    """What a fit is judged against.

    Attributes:
        free_bytes: Memory that can be had without swapping.
        total_bytes: All memory.
        gpus: Those that the GGUF engine would use.
        bandwidth_bytes_per_s: Measured memory speed; 0 when it was not measured.
    """

    free_bytes: int
    total_bytes: int
    gpus: tuple[Gpu, ...] = ()
    bandwidth_bytes_per_s: float = 0.0


class _Remembered(msgspec.Struct, frozen=True):
    version: int
    computer: str
    bytes_per_s: float
    busy: bool


def this_machine(
    cache: Path | None = None, gpus: tuple[Gpu, ...] = (), *, measure: bool = True
) -> Machine:
    """Return what is free now.

    Args:
        cache: The app's cache folder, where the memory speed is remembered; ``None`` leaves the
            speed out.
        gpus: What the engine process said.
        measure: Whether the speed may be measured (some 0.2 s, best not in the GUI thread) when it
            is not known yet.
    """
    memory = psutil.virtual_memory()
    speed = 0.0
    if cache is not None:
        known = _recall(cache / _FILE)
        speed = memory_bandwidth(cache) if measure else known.bytes_per_s if known else 0.0
    return Machine(_free_bytes(memory.available), memory.total, gpus, speed)


def memory_bandwidth(cache: Path) -> float:
    """Return the memory speed in bytes per second; 0 if it cannot be measured.

    It is measured once per computer; again, if other programs were busy then: the best one counts.
    """
    known = _recall(cache / _FILE)
    if known and not known.busy:
        return known.bytes_per_s
    try:
        speed = measure_bandwidth()
    except (OSError, MemoryError, ValueError) as exc:
        _log.info("the memory speed could not be measured: %s", exc)
        return 0.0
    speed = max(speed, known.bytes_per_s if known else 0.0)
    fresh = _Remembered(_VERSION, _computer(), speed, _is_busy())
    with suppress(OSError):  # it is measured again next time
        replace_file(cache / _FILE, msgspec.json.encode(fresh))
    return speed


def _is_busy() -> bool:
    """Tell whether other programs use so much of the processors that measuring suffers."""
    return psutil.getloadavg()[0] > 0.5 * (psutil.cpu_count() or 1)


def measure_bandwidth(threads: int | None = None, piece_bytes: int = _PIECE_BYTES) -> float:
    """Copy memory on several threads; return bytes read and written per second, best of four.

    Args:
        threads: ``None`` takes one per core, at most eight: more add nothing to the sum.
        piece_bytes: What each thread copies in one round.
    """
    count = threads or max(1, min(8, psutil.cpu_count(logical=False) or os.cpu_count() or 1))
    free = psutil.virtual_memory().available
    while count > 1 and 4 * count * piece_bytes > free:
        count -= 1
    pieces = [(mmap.mmap(-1, piece_bytes), mmap.mmap(-1, piece_bytes)) for _ in range(count)]
    try:
        for pair in pieces:
            for piece in pair:
                _touch(piece, piece_bytes)
        best = min(_round(pieces, piece_bytes) for _ in range(_ROUNDS))
    finally:
        for pair in pieces:
            for piece in pair:
                piece.close()
    return 2 * count * piece_bytes / max(best, 1e-9)


def _touch(piece: mmap.mmap, size_bytes: int) -> None:
    held = ctypes.c_char.from_buffer(piece)
    ctypes.memset(ctypes.addressof(held), 1, size_bytes)


def _round(pieces: list[tuple[mmap.mmap, mmap.mmap]], size_bytes: int) -> float:
    """Copy all pieces at once; ctypes lets go of the interpreter lock meanwhile."""
    gate = threading.Barrier(len(pieces) + 1)

    def copy(target: mmap.mmap, source: mmap.mmap) -> None:
        to, of = ctypes.c_char.from_buffer(target), ctypes.c_char.from_buffer(source)
        gate.wait()
        ctypes.memmove(ctypes.addressof(to), ctypes.addressof(of), size_bytes)
        gate.wait()

    workers = [threading.Thread(target=copy, args=pair, name="memory speed") for pair in pieces]
    for worker in workers:
        worker.start()
    gate.wait()
    began = time.perf_counter()
    gate.wait()
    passed = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return passed


def _recall(path: Path) -> _Remembered | None:
    try:
        known = msgspec.json.decode(path.read_bytes(), type=_Remembered)
    except (OSError, msgspec.DecodeError):
        return None
    same = known.version == _VERSION and known.computer == _computer()
    return known if same and known.bytes_per_s > 0 else None


def _computer() -> str:
    """Return what tells this computer from another one with the same home folder."""
    parts = (
        platform.machine(),
        platform.processor(),
        str(psutil.cpu_count()),
        str(round(psutil.virtual_memory().total / 1e9)),
    )
    return " ".join(parts)


def _free_bytes(available: int) -> int:
    """Return the free memory, or what a container leaves of it."""
    with suppress(OSError, ValueError):
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as limit:  # noqa: PTH123
            text = limit.read().strip()
        with open("/sys/fs/cgroup/memory.current", encoding="ascii") as current:  # noqa: PTH123
            used = int(current.read())
        if text.isdigit():
            return max(0, min(available, int(text) - used))
    return available
