"""What the native engine costs beside its products: loading, memory, Python, long contexts.

Run by ``native.py``; each part prints its figures and, where there is one, its target.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import psutil  # noqa: E402
import torch  # noqa: E402
from plot import write_plot  # noqa: E402  beside this script

from inference.cancel import CancelToken  # noqa: E402
from inference.native.attention import attend  # noqa: E402
from inference.native.device import products_of  # noqa: E402
from inference.native.engine import open_engine  # noqa: E402
from inference.native.kv_cache import KVCache  # noqa: E402
from inference.native.session import Session  # noqa: E402
from inference.native.weights import load_network, open_checkpoint  # noqa: E402
from inference.paths import app_paths  # noqa: E402
from inference.types import GenerationRequest, LoadOptions, SamplingParams  # noqa: E402
from tests.helpers.checkpoints import tiny_llama  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from inference.native.network import Network

PYTHON_TARGET_MS = 1.0
LOADING_TARGET = 1.3
MEMORY_TARGET = 1.1
FLAT_TARGET = 1.1
LENGTHS = (100, 1000, 2000, 4000, 8000)
_STEPS = 200
_ROUNDS = 5
_GROWTH_STEPS = 9
_AHEAD = 8  # tokens, one after the other, before the same place again


def overhead() -> bool:
    """Print what Python adds to a token; return whether the target is met.

    A network of 16 blocks that are next to nothing (width 64) is stepped as ever, and the same
    operations once more as PyTorch recorded them, without Python: the difference is what Python
    costs. A large network makes the same calls. The scale of each norm is worked out in Python, so
    the recording has it as a number, and its three operations count as Python's too.
    """
    threads, cpu = torch.get_num_threads(), torch.device("cpu")
    torch.set_num_threads(1)
    shape = {"n_layers": 16, "width": 64, "n_heads": 4, "head_width": 16, "mlp_width": 128}
    with tempfile.TemporaryDirectory() as folder:
        tiny_llama(Path(folder), dtype="bfloat16", **shape)
        network = load_network(open_checkpoint(Path(folder)), dtype=torch.bfloat16, device=cpu)
    prompt, cancel = list(range(5, 25)), CancelToken()
    session = Session(network, 512, torch.bfloat16, cpu)
    session.read(prompt, cancel)

    def step() -> None:
        if session.length >= len(prompt) + _AHEAD:
            session.reuse([*prompt, 0])
        session.read((7,), cancel)
        session.next_logits()

    replay = _recorded(network, prompt)
    pairs = [(_seconds(step), _seconds(replay)) for _ in range(_ROUNDS)]
    torch.set_num_threads(threads)
    whole, recorded = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    print(
        f"Python's share of a token, 16 blocks: {whole - recorded:.2f} ms "
        f"(target {PYTHON_TARGET_MS:.0f}); a step of next to no work takes {whole:.2f} ms, "
        f"its operations alone {recorded:.2f}",
        flush=True,
    )
    return whole - recorded < PYTHON_TARGET_MS


def _recorded(network: Network, prompt: list[int]) -> Callable[[], object]:
    """Return one step after ``prompt`` as PyTorch's interpreter runs it, without Python."""
    cache = KVCache(network.config, 512, dtype=torch.bfloat16)

    def step(token: Tensor) -> Tensor:
        cache.truncate(len(prompt))
        return network.score(network.read(token, cache)).float()

    token = torch.tensor([[7]])
    with torch.inference_mode(), products_of(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # recording is old, but nothing newer runs without Python
        network.read(torch.tensor([prompt]), cache)
        recorded = torch.jit.trace(step, (token,), check_trace=False)

    def replay() -> object:
        with torch.inference_mode(), products_of(1):
            return recorded(token)

    for _ in range(10):  # it settles on its way through the operations first
        replay()
    return replay


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(_STEPS):
        work()
    return (time.perf_counter() - began) / _STEPS


def loading(folder: Path, threads: int) -> bool:
    """Print how long it takes until a model is ready; return whether the target is met.

    The other side is reading the file's bytes from the page cache, which loading cannot beat unless
    it leaves them there. Ready means that the engine could be asked; the first token, which touches
    every weight for the first time, is printed beside it.
    """
    file = folder / "model.safetensors"
    reads, loads, firsts = [], [], []
    for _ in range(_ROUNDS):
        reads.append(_reading_s(file))
        found = _in_a_child(folder, threads, "bfloat16")
        loads.append(found["load_s"])
        firsts.append(found["first_s"])
    read, load, first = (statistics.median(column) for column in (reads, loads, firsts))
    print(
        f"loading, bfloat16: ready in {load:.2f} s, {load / read:.2f} times the {read:.2f} s of "
        f"reading the file from the page cache (target {LOADING_TARGET}); the first token takes "
        f"{first:.2f} s",
        flush=True,
    )
    return load / read <= LOADING_TARGET


def memory(folder: Path, threads: int) -> bool:
    """Print the most memory a process held; return whether the targets are met."""
    met = True
    for dtype in ("bfloat16", "int8"):
        found = _in_a_child(folder, threads, dtype)
        used = found["peak_bytes"] - found["before_bytes"]
        bound = MEMORY_TARGET * found["weights_bytes"] + found["cache_bytes"]
        met &= used <= bound
        weights, cache = found["weights_bytes"] / 1e6, found["cache_bytes"] / 1e6
        print(
            f"memory, {dtype}: at most {used / 1e6:,.0f} MB beside PyTorch's own "
            f"{found['before_bytes'] / 1e6:,.0f}; weights {weights:,.0f}, cache {cache:,.0f} "
            f"(target: weights + 10 % + cache = {bound / 1e6:,.0f}); "
            f"loaded in {found['load_s']:.1f} s",
            flush=True,
        )
    return met


def growth(folder: Path) -> bool:
    """Print and plot the time of a token at growing contexts; return whether it is flat.

    But for attention, that is, whose part is measured beside it. The lengths take turns, so that
    what else the computer does meets all of them. The cache is filled with random numbers: the time
    does not depend on them; its memory is printed beside the computed one.
    """
    cpu = torch.device("cpu")
    network = load_network(open_checkpoint(folder), dtype=torch.bfloat16, device=cpu)
    config, room = network.config, LENGTHS[-1] + 1
    cache = KVCache(config, room, dtype=torch.bfloat16)
    per_token = 2 * 2 * config.n_layers * config.n_kv_heads * config.head_width  # bytes
    print(f"cache of {room:,} tokens: {cache.size_bytes:,} bytes, computed {per_token * room:,}")
    found: dict[int, list[tuple[float, float]]] = {length: [] for length in LENGTHS}
    with torch.inference_mode(), products_of(1):
        for layer in range(config.n_layers):
            shape = (1, config.n_kv_heads, LENGTHS[-1], config.head_width)
            cache.append(layer, torch.randn(shape), torch.randn(shape))
        cache.advance(LENGTHS[-1])
        for _ in range(_GROWTH_STEPS):
            for length, pairs in found.items():
                pairs.append(_at_length(network, cache, length))
    whole = [1000 * statistics.median(one for one, _ in pairs) for pairs in found.values()]
    rest = [1000 * statistics.median(one - two for one, two in pairs) for pairs in found.values()]
    print("context   ms per token   without attention   keys and values read")
    for length, ms, left in zip(LENGTHS, whole, rest, strict=True):
        print(f"{length:7,}{ms:15.1f}{left:20.1f}{f'{length * per_token / 1e6:.0f} MB':>23}")
    steepest = max(rest) / rest[0]
    path = app_paths().cache / "benchmarks" / "native-growth.svg"
    lines = {"a token": whole, "without attention": rest}
    write_plot(path, "context in tokens", "ms per token, 1-billion shape, bfloat16", LENGTHS, lines)
    print(
        f"without attention at most {steepest:.2f} times as long as at {LENGTHS[0]} tokens "
        f"(target {FLAT_TARGET}); plotted in {path}",
        flush=True,
    )
    return steepest <= FLAT_TARGET


def _at_length(network: Network, cache: KVCache, length: int) -> tuple[float, float]:
    """Return the seconds of a token after ``length`` others, and those of the attention alone."""
    config = network.config
    cache.truncate(length)
    began = time.perf_counter()
    network.score(network.read(torch.tensor([[7]]), cache))
    whole = time.perf_counter() - began
    query = torch.randn(1, config.n_heads, 1, config.head_width, dtype=torch.bfloat16)
    nothing = query.new_empty(1, config.n_kv_heads, 0, config.head_width)
    began = time.perf_counter()
    for layer in range(config.n_layers):
        attend(query, *cache.append(layer, nothing, nothing))
    part = time.perf_counter() - began
    cache.truncate(LENGTHS[-1])
    cache.advance(LENGTHS[-1] - length - 1)  # what lies there is still there
    return whole, part


def _reading_s(file: Path) -> float:
    buffer = bytearray(16 << 20)
    with file.open("rb", buffering=0) as opened:
        began = time.perf_counter()
        while opened.readinto(buffer):
            pass
        return time.perf_counter() - began


def _in_a_child(folder: Path, threads: int, dtype: str) -> dict[str, float]:
    command = [sys.executable, __file__, str(folder), str(threads), dtype]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _as_child(folder: str, threads: str, dtype: str) -> None:
    """Load, read a prompt, write a little, and print what that took as JSON."""
    before = psutil.Process().memory_info().rss
    options = LoadOptions(
        folder, "native", device="cpu", dtype=dtype, threads=int(threads), n_ctx=1024
    )
    began = time.perf_counter()
    with closing(open_engine(options, lambda *_: None, CancelToken())) as engine:
        loaded = time.perf_counter()
        sampling = SamplingParams(temperature=0, max_tokens=1)
        list(
            engine.generate(
                GenerationRequest("1", token_ids=(97,), sampling=sampling), CancelToken()
            )
        )
        first = time.perf_counter()
        ids = tuple(range(97, 97 + 512))
        sampling = SamplingParams(temperature=0, max_tokens=8)
        list(
            engine.generate(GenerationRequest("2", token_ids=ids, sampling=sampling), CancelToken())
        )
        facts = {
            "load_s": loaded - began,
            "first_s": first - loaded,
            "before_bytes": before,
            "peak_bytes": _peak_bytes(),
            "weights_bytes": engine.loaded.weights_bytes,
            "cache_bytes": engine.loaded.kv_cache_bytes,
        }
    print(json.dumps(facts))


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # noqa: PLC0415  not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    _as_child(*sys.argv[1:])
