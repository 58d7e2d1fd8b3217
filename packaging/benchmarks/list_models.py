"""How long the list of 10,000 installed models takes: new, again, after a restart, in steps.

    python packaging/benchmarks/list_models.py [--models 10000] [--folder DIR]

The files are tiny but whole: a header with a vocabulary of 1,500 tokens, and one tensor. They lie
as ``org/name/file`` with ten versions in each folder. Also told: how long another thread has to
wait for its turn (p99) while the headers are read, which is what a window would feel.
"""

from __future__ import annotations

import argparse
import statistics
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from inference.library.installed import Library
from inference.paths import AppPaths

if TYPE_CHECKING:
    from collections.abc import Callable

_U32, _STRING, _ARRAY = 4, 8, 9
_VERSIONS = 10
_TICK_S = 0.004


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="where the files are made; kept if given")
    arguments = parser.parse_args()
    if arguments.folder is not None:
        measure(arguments.folder, arguments.models)
        return 0
    with tempfile.TemporaryDirectory(prefix="list-models-") as folder:
        measure(Path(folder), arguments.models)
    return 0


def measure(root: Path, number: int) -> None:
    """Make the files where they are missing, list them in every way, and print seconds."""
    paths = AppPaths(*(root / name for name in ("data", "config", "cache", "models", "log")))
    make_files(paths.models, number)
    say(f"{number:,} models in {paths.models}")
    library = Library(paths, root / "no starters")
    begun = time.perf_counter()
    by_name = library.list(within_s=0.3)
    say(f"names of all, first facts    {time.perf_counter() - begun:7.2f} s")
    assert len(by_name) == number
    new_s, waits = watched(library.list)
    say(f"all headers, first time      {new_s:7.2f} s, {1e3 * new_s / number:.2f} ms a model")
    say(
        f"  another thread waits       {1e3 * waits[0]:7.1f} ms at p50, {1e3 * waits[1]:.1f} at p99"
    )
    again = [timed(library.list) for _ in range(5)]
    say(f"again                        {statistics.median(again):7.2f} s (median of 5)")
    begun = time.perf_counter()
    restarted = Library(paths, root / "no starters")
    models = restarted.list()
    restart_s = time.perf_counter() - begun
    say(f"after a restart              {restart_s:7.2f} s")
    say(f"first to second listing      {new_s / restart_s:7.1f} times")
    assert len(models) == number
    assert {info.architecture for info in models} == {"llama"}


def watched(work: Callable[[], object]) -> tuple[float, tuple[float, float]]:
    """Return the seconds of ``work``, and how late a 4 ms tick comes meanwhile (p50, p99)."""
    done = threading.Event()
    late: list[float] = []

    def tick() -> None:
        while not done.is_set():
            begun = time.perf_counter()
            time.sleep(_TICK_S)
            late.append(time.perf_counter() - begun - _TICK_S)

    thread = threading.Thread(target=tick)
    thread.start()
    seconds = timed(work)
    done.set()
    thread.join()
    late.sort()
    return seconds, (late[len(late) // 2], late[len(late) * 99 // 100])


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def make_files(models: Path, number: int) -> None:
    """Make the files of ``number`` models, those that are missing."""
    for place in range(0, number, _VERSIONS):
        folder = models / f"org{place // 500}" / f"name{place}"
        folder.mkdir(parents=True, exist_ok=True)
        for version in range(place, min(place + _VERSIONS, number)):
            file = folder / f"name{place}-{version}.gguf"
            if not file.exists():
                file.write_bytes(tiny_file(f"Model {version}"))


def tiny_file(name: str) -> bytes:
    """Return a GGUF file that is whole, with one small tensor."""
    facts: list[bytes] = [
        entry("general.architecture", _STRING, text("llama")),
        entry("general.name", _STRING, text(name)),
        entry("tokenizer.ggml.model", _STRING, text("gpt2")),
        entry("tokenizer.chat_template", _STRING, text("{{ messages }}")),
        entry(
            "tokenizer.ggml.tokens",
            _ARRAY,
            struct.pack("<IQ", _STRING, 1_500) + b"".join(text(f"t{n}") for n in range(1_500)),
        ),
    ]
    sizes = {"context_length": 2_048, "block_count": 2, "embedding_length": 64}
    sizes |= {"feed_forward_length": 128, "attention.head_count": 4}
    facts += [entry(f"llama.{key}", _U32, struct.pack("<I", size)) for key, size in sizes.items()]
    tensor = text("token_embd.weight") + struct.pack("<IQQIQ", 2, 64, 2, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(facts)) + b"".join(facts) + tensor
    return head + bytes(-len(head) % 32) + bytes(4 * 64 * 2)


def entry(key: str, type_id: int, value: bytes) -> bytes:
    """Return one metadata entry."""
    return text(key) + struct.pack("<I", type_id) + value


def text(words: str) -> bytes:
    """Return a text with its length before it."""
    raw = words.encode()
    return struct.pack("<Q", len(raw)) + raw


def say(line: str) -> None:
    """Print one line."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
