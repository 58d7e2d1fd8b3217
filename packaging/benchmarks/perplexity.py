"""Our perplexity of GGUF files against llama.cpp's own program, built from the same release.

    python packaging/benchmarks/perplexity.py [--model FILE ...] [--text FILE]

Both sides read the same text in the same windows. Without arguments: the starter models on the
project's own pages and, where ``../shared/assets`` lies beside the checkout, they and a model of
260,000 weights on a children's book. Printed are both perplexities and their ratio, which has to be
within 1 % of 1, and how long each side took, its start included.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import llama_bench  # noqa: E402  packaging/ is no package: its scripts find each other by path

from inference.cancel import CancelToken  # noqa: E402
from inference.host.client import EngineClient  # noqa: E402
from inference.inside.perplexity import LLAMA_WINDOW, Reading, measure  # noqa: E402
from inference.text.files import read_text  # noqa: E402
from inference.threads import choose_threads  # noqa: E402
from inference.types import LoadOptions  # noqa: E402

STARTER = ROOT / "resources" / "starter"
ASSETS = ROOT.parent / "shared" / "assets"
LIMIT = 0.01
_SAID = re.compile(r"Final estimate: PPL = ([\d.]+)")


def ours(model: Path, text: str, window: int, threads: int) -> float:
    """Return the perplexity by our engine, in a process of its own as in the app."""
    client = EngineClient()
    try:
        client.load(LoadOptions(str(model), "gguf", n_ctx=window, threads=threads))
        adds_bos = client.loaded.adds_bos
        ids = [piece.id for piece in client.tokenize(text, add_bos=adds_bos)]
        reading = Reading(ids, window, has_bos=adds_bos, method="llama.cpp")
        return measure(reading, lambda asked: client.inspect(asked, CancelToken())).perplexity
    finally:
        client.close()


def theirs(program: Path, model: Path, text: Path, window: int, threads: int) -> float:
    """Return what llama.cpp's program says of the same text."""
    command = [str(program), "-m", str(model), "-f", str(text), "-c", str(window)]
    done = subprocess.run(
        [*command, "-t", str(threads)], check=True, capture_output=True, text=True
    )
    found = _SAID.search(done.stdout + done.stderr)
    if found is None:
        sys.exit(f"llama-perplexity gave no figure:\n{done.stderr[-2000:]}")
    return float(found[1])


def compare(program: Path, model: Path, text: Path, window: int) -> bool:
    """Print both sides; return whether they agree."""
    threads = choose_threads(None, 0)
    began = time.perf_counter()
    our = ours(model, read_text(text), window, threads)
    between = time.perf_counter()
    their = theirs(program, model, text, window, threads)
    ended = time.perf_counter()
    ratio = our / their
    print(
        f"{model.name:28}{text.name:18}{our:12.4f}{their:12.4f}{ratio:10.5f}"
        f"{between - began:9.1f} s{ended - between:9.1f} s",
        flush=True,
    )
    return abs(ratio - 1) <= LIMIT


def cases() -> list[tuple[Path, Path]]:
    """Return the files and texts that are there without arguments."""
    starters = [STARTER / f"starter-{name}.gguf" for name in ("base-Q8_0", "instruct-F16")]
    found = [(model, ROOT / "CONTRIBUTING.md") for model in starters]
    book = ASSETS / "corpus" / "aesop.txt"
    if book.exists():
        stories = ASSETS / "stories260K" / "stories260K.gguf"
        found += [(model, book) for model in (*starters, stories)]
    return found


def main() -> int:
    """Compare everything that was asked for; return 1 where anything differs by more than 1 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, action="append")
    parser.add_argument("--text", type=Path, default=ROOT / "CONTRIBUTING.md")
    parser.add_argument("--window", type=int, default=LLAMA_WINDOW)
    parser.add_argument("--sdist", type=Path, help="llama-cpp-python's archive, if at hand")
    arguments = parser.parse_args()
    program = llama_bench.built("llama-perplexity", arguments.sdist)
    pairs = [(model, arguments.text) for model in arguments.model or ()] or cases()
    print(f"{'model':28}{'text':18}{'ours':>12}{'llama.cpp':>12}{'ratio':>10}   ours, llama.cpp")
    good = [compare(program, model, text, arguments.window) for model, text in pairs]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
