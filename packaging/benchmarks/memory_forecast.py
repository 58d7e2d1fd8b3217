"""What the page of a model predicts that it takes, beside what its engine's process really grew by.

Both engines, several shapes with made-up weights, contexts and cache types. Each case is a process
of its own: it opens the model as the app does, reads a text, and is asked what the system says it
holds. What the same process holds with the starter model is taken off. Ends with 1
where a prediction is more than a tenth off.

    python packaging/benchmarks/memory_forecast.py [--engine gguf|native]
"""

from __future__ import annotations

import argparse
import importlib.resources
import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from inference.library.estimate import estimate  # noqa: E402

MOST_OFF = 0.1
SHAPES: dict[str, dict[str, int]] = {
    "deep": {"layers": 24, "width": 512, "heads": 8, "kv_heads": 8, "ffn": 1536, "vocab": 32_768},
    "wide": {"layers": 2, "width": 2048, "heads": 32, "kv_heads": 8, "ffn": 8192, "vocab": 16_384},
    "wordy": {"layers": 4, "width": 1024, "heads": 16, "kv_heads": 8, "ffn": 2048, "vocab": 98_304},
}  # fmt: skip
CONTEXTS = {"deep": (512, 2_048, 8_192), "wide": (512, 2_048, 8_192), "wordy": (512, 2_048, 8_192)}
TOUCHED = 640
"""Tokens that make llama.cpp use all it has taken: it writes its cache once when it makes it, and
computes in batches of 512. PyTorch takes memory when it is written, so there the text fills it."""
LONGEST_TEXT = 2_048
CHILD = """
import json, sys, psutil
sys.path.insert(0, {repo!r})
from inference.cancel import CancelToken
from inference.types import GenerationRequest, LoadOptions, SamplingParams
order = json.loads(sys.argv[1])
if order["engine"] == "gguf":
    from inference.gguf.engine import open_engine
else:
    from inference.native.engine import open_engine
fill = order.pop("fill")
engine = open_engine(LoadOptions(device="cpu", **order), lambda _share: None, CancelToken())
ids = tuple(5 + n % 250 for n in range(fill or engine.loaded.n_ctx - 4))
params = SamplingParams(max_tokens=3, temperature=0.0)
request = GenerationRequest("r", token_ids=ids, sampling=params)
for _event in engine.generate(request, CancelToken()):
    pass
print(json.dumps(psutil.Process().memory_info().rss))
engine.close()
"""


def main() -> int:
    """Measure and print; 1 where a prediction is more than a tenth off."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=("gguf", "native"))
    wanted = parser.parse_args().engine
    worst = 0.0
    print("engine  shape  context  cache   predicted    measured   off")
    with tempfile.TemporaryDirectory(prefix="memory-forecast-") as folder:
        for engine in ("gguf", "native"):
            if wanted in (None, engine):
                worst = max(worst, *compare(engine, Path(folder)))
    print(f"furthest off: {100 * worst:.1f} %")
    return 0 if worst <= MOST_OFF else 1


def compare(engine: str, folder: Path) -> list[float]:
    """Print one line a case of an engine; return how far off each was, as a share."""
    program = held(starter(engine), engine, 256, fill=64)
    program -= estimate(starter(engine), 256).total_bytes
    off: list[float] = []
    for name in SHAPES:
        path = made(name, engine, folder)
        for n_ctx in CONTEXTS[name]:
            if engine == "native" and n_ctx > LONGEST_TEXT:
                continue
            for cache in ("f16", "q8_0") if engine == "gguf" else ("f16",):
                told = estimate(path, n_ctx, cache).total_bytes
                fill = min(TOUCHED, n_ctx - 4) if engine == "gguf" else 0
                grew = held(path, engine, n_ctx, fill=fill, kv_cache_type=cache) - program
                off.append(abs(told / grew - 1))
                shown = cache if engine == "gguf" else "own"
                print(
                    f"{engine:<7} {name:<6} {n_ctx:>6}  {shown:<5} {told / 1e6:>8.1f} MB "
                    f"{grew / 1e6:>8.1f} MB {100 * (told / grew - 1):>+6.1f} %",
                    flush=True,
                )
    return off


def held(path: Path, engine: str, n_ctx: int, *, fill: int, kv_cache_type: str = "f16") -> int:
    """Return the bytes that a process holds with a model in it, its context filled."""
    order: dict[str, object] = {"path": str(path), "engine": engine, "n_ctx": n_ctx, "fill": fill}
    if engine == "gguf":
        order |= {"gpu_layers": 0, "kv_cache_type": kv_cache_type}
    code = CHILD.format(repo=str(REPO))
    said = subprocess.run(
        [sys.executable, "-c", code, json.dumps(order)], capture_output=True, check=True, text=True
    )
    return int(said.stdout.splitlines()[-1])


def starter(engine: str) -> Path:
    """Return the shipped model for an engine."""
    shipped = Path(str(importlib.resources.files("resources") / "starter"))
    return shipped / ("starter-base-Q8_0.gguf" if engine == "gguf" else "starter-base")


def made(name: str, engine: str, folder: Path) -> Path:
    """Make a model of a shape, if it is not there yet."""
    from tests.helpers.checkpoints import tiny_llama  # noqa: PLC0415  imports torch
    from tests.helpers.hollow import hollow_gguf  # noqa: PLC0415

    shape = SHAPES[name]
    if engine == "gguf":
        path = folder / f"{name}.gguf"
        return path if path.exists() else hollow_gguf(path, **shape)
    path = folder / name
    if path.exists():
        return path
    return tiny_llama(
        path,
        n_layers=shape["layers"],
        width=shape["width"],
        n_heads=shape["heads"],
        n_kv_heads=shape["kv_heads"],
        head_width=shape["width"] // shape["heads"],
        mlp_width=shape["ffn"],
        vocab_size=shape["vocab"],
        context=8_192,
        dtype="bfloat16",
    )


if __name__ == "__main__":
    sys.exit(main())
