"""How fast a stop acts in the middle of reading 4,000 tokens, native engine, 1-billion shape.

    python packaging/benchmarks/stop.py [--dtype float32]

The weights are random: time does not depend on their values. Printed are the milliseconds from the
cancel to the end of the answer, at five places; the target is 200. ``decode.py`` has the same for
the GGUF engine.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from decode import STOP_TARGET_MS, measure_stop  # noqa: E402  scripts find each other by path

from inference.host.client import EngineClient  # noqa: E402
from inference.paths import app_paths  # noqa: E402
from inference.types import LoadOptions  # noqa: E402
from tests.helpers.checkpoints import tiny_llama  # noqa: E402

SHAPE = {
    "vocab_size": 128_256,
    "width": 2048,
    "n_layers": 16,
    "n_heads": 32,
    "n_kv_heads": 8,
    "head_width": 64,
    "mlp_width": 8192,
    "context": 8192,
    "tied_output": True,
}


def checkpoint() -> Path:
    """Return the random checkpoint's folder, made the first time (2.5 GB)."""
    folder = app_paths().cache / "benchmarks" / "random-1b-native"
    if not (folder / "model.safetensors").exists():
        tiny_llama(folder, dtype="bfloat16", **SHAPE)
    return folder


def main() -> int:
    """Load, stop five times, print; 1 when a stop took longer than the target."""
    parser = argparse.ArgumentParser(description="Time a stop inside a long prompt.")
    parser.add_argument("--dtype", default="auto")
    dtype: str = parser.parse_args().dtype
    with closing(EngineClient()) as client:
        loaded = client.load(
            LoadOptions(path=str(checkpoint()), engine="native", n_ctx=8192, dtype=dtype)
        )
        print(f"{loaded.parameters:,} parameters, {loaded.dtype}, loaded in {loaded.load_s:.1f} s")
        stops = [measure_stop(client, 0.4 + 0.37 * number) for number in range(5)]
    print(f"stop: {', '.join(f'{stop:.0f}' for stop in stops)} ms (target {STOP_TARGET_MS})")
    return 0 if max(stops) <= STOP_TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
