"""The GGUF engine on a GPU: layers, predicted beside measured memory, speed; 1-billion shape.

    python packaging/benchmarks/gguf_gpu.py                    some two minutes, most for the file
    python packaging/benchmarks/gguf_gpu.py --model FILE       another file

Needs a build of llama.cpp with CUDA, nvidia-smi, and a build of PyTorch with CUDA to fill the card
with. The model is loaded with automatic, with no, with half and with all layers, and automatically
again while most of the card's memory is taken. "Predicted" is the forecast of
``inference.library`` for the layers that were placed; "measured" is what the load and some answers
add to what nvidia-smi says, less what CUDA itself takes for a process: that is the load without a
layer, less its buffers. Target: predicted within 10 % of measured, and automatic layers load
whatever is free.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from decode import PROMPT, measure_ours  # noqa: E402  packaging/ is no package
from make_checkpoint import checkpoint  # noqa: E402

from inference.errors import InferenceError  # noqa: E402
from inference.host.ask import ask_engine  # noqa: E402
from inference.host.client import EngineClient  # noqa: E402
from inference.library.fit import bytes_on_gpu, judge  # noqa: E402
from inference.library.machine import this_machine  # noqa: E402
from inference.library.plans import plan_of_path  # noqa: E402
from inference.types import LoadOptions  # noqa: E402

if TYPE_CHECKING:
    from inference.library.fit import Plan

TARGET = 0.10
_LEFT_FREE_MB = (1500, 2000)
_TOKENS = 128
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Load:
    """One load: where the layers went, what it took, how fast it was."""

    layers: int
    why: str
    used_mb: int
    buffers_mb: float
    prompt_speed: float
    decode_speed: float


def used_mb() -> int:
    """Return what all programs together use of the first card, in MiB."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", "0"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def load(model: Path, layers: int | None) -> Load:
    """Load, read, write, and let go again."""
    before = used_mb()
    with closing(EngineClient()) as client:
        loaded = client.load(LoadOptions(path=str(model), engine="gguf", gpu_layers=layers))
        reading = [measure_ours(client, PROMPT, 0, 0, round_) for round_ in range(3)]
        writing = [measure_ours(client, 1, _TOKENS, 0, round_) for round_ in range(3)]
        used = used_mb() - before
        buffers = loaded.buffers_bytes / 1e6
        print(
            f"    buffers {buffers:.0f} MB, cache {loaded.kv_cache_bytes / 1e6:.0f} MB", flush=True
        )
    buffers_mb = loaded.buffers_bytes / _MIB
    prompt_speed, decode_speed = sorted(reading)[1], sorted(writing)[1]
    return Load(
        loaded.gpu_layers, loaded.device_reason, used, buffers_mb, prompt_speed, decode_speed
    )


def table(model: Path, plan: Plan) -> tuple[float, bool]:
    """Load with several numbers of layers.

    Returns:
        What CUDA takes for a process, and whether predictions were near enough.
    """
    bare = load(model, 0)
    own_mb = bare.used_mb - bare.buffers_mb
    print(
        f"0 layers: {bare.why} {_speeds(bare)}; {bare.used_mb} MiB of the card, {own_mb:.0f} of "
        "them CUDA's own",
        flush=True,
    )
    met = bare.layers == 0
    for asked in (None, plan.shape.n_layers // 2, plan.shape.n_layers + 1):
        found = load(model, asked)
        print(f"{'auto' if asked is None else asked} layers: {found.why} {_speeds(found)}")
        met &= near(plan, found, own_mb) and found.layers == (asked or plan.shape.n_layers + 1)
    return own_mb, met


def near(plan: Plan, found: Load, own_mb: float) -> bool:
    """Print predicted beside measured memory; return whether they are near enough."""
    expected, measured = bytes_on_gpu(plan, found.layers) / _MIB, found.used_mb - own_mb
    off = expected / measured - 1
    print(f"  predicted {expected:.0f} MiB, measured {measured:.0f} ({off:+.1%})", flush=True)
    return abs(off) <= TARGET


def crowded(model: Path, plan: Plan, left_mb: int, own_mb: float) -> bool:
    """Load automatically where other programs leave so much of the card; whether that worked."""
    import torch  # noqa: PLC0415  heavy, and only to take memory

    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info()[0] // _MIB
    taken = torch.empty((free - left_mb) * _MIB, dtype=torch.uint8, device="cuda")
    forecast = judge(plan, this_machine(None, ask_engine("gguf").devices))
    print(f"{left_mb} MiB left free: forecast {forecast.words}")
    try:
        found = load(model, None)
    except InferenceError as exc:
        print(f"  not loaded: {exc.message} {exc.hint}\n{exc.detail[-600:]}")
        return False
    finally:
        del taken
        torch.cuda.empty_cache()
    print(f"  {found.why} {_speeds(found)}; {found.used_mb} MiB in all", flush=True)
    return near(plan, found, own_mb) and found.layers > 0


def _speeds(found: Load) -> str:
    return f"{found.prompt_speed:.0f} tokens/s read, {found.decode_speed:.1f} written"


def main() -> int:
    """Ask, load, print; 1 when something was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path)
    model: Path = parser.parse_args().model or checkpoint()
    report = ask_engine("gguf")
    print(f"{report.device}. {report.reason} Backends: {', '.join(report.backends)}")
    print(f"GPUs: {'; '.join(report.gpus) or 'none'}. Processor: {report.processor}", flush=True)
    if not report.gpus:
        return 1
    plan = plan_of_path(model)
    print(f"{model.name}: {judge(plan, this_machine(None, report.devices)).words}", flush=True)
    own_mb, met = table(model, plan)
    for left_mb in _LEFT_FREE_MB:
        met &= crowded(model, plan, left_mb, own_mb)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
