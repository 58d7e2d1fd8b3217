"""The native engine on an NVIDIA GPU against ``transformers`` ``generate``, 1 and 8 billion.

    python packaging/benchmarks/native_gpu.py                  both shapes, a few minutes
    python packaging/benchmarks/native_gpu.py --shapes 1b      one of them
    python packaging/benchmarks/native_gpu.py --dry            a tiny shape on the processor

Both sides run the same random weights in bfloat16, one sequence at a time, made on the card and
held there once; they take turns. Printed are the card, medians, ratios, targets, every round, and
which part of the memory's speed is reached: bytes of weights per token times tokens per second over
what a large copy on the card moves, read and written, in the same run; then the time of a token
after longer and longer texts. Targets: 3 times
transformers' eager ``generate``, 60 % of the copy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import torch  # noqa: E402
from native import Theirs, in_turns, ours  # noqa: E402  packaging/ is no package
from stop import SHAPE  # noqa: E402
from table import Row, print_row  # noqa: E402

from inference.cancel import CancelToken  # noqa: E402
from inference.library.estimate import bytes_per_token  # noqa: E402
from inference.library.memory_shape import shape_of_config  # noqa: E402
from inference.native.bandwidth import COPY_BYTES, copy_bandwidth  # noqa: E402
from inference.native.compiled import compiled_if_asked  # noqa: E402
from inference.native.config import NetworkConfig  # noqa: E402
from inference.native.device import device_name  # noqa: E402
from inference.native.engine import NativeEngine  # noqa: E402
from inference.native.names import hugging_face_name  # noqa: E402
from inference.native.network import Network  # noqa: E402
from inference.native.past import past_work  # noqa: E402
from inference.native.session import Session  # noqa: E402
from inference.native.tokenizer import CheckpointTokenizer  # noqa: E402
from inference.types import LoadedModel, PastOptions  # noqa: E402
from tests.helpers.checkpoints import tiny_tokenizer  # noqa: E402

SHAPES: dict[str, dict[str, Any]] = {
    "tiny": SHAPE
    | {"vocab_size": 20_500, "width": 64, "n_layers": 2, "n_heads": 4}
    | {"n_kv_heads": 2, "head_width": 16, "mlp_width": 128},
    "1b": SHAPE,
    "8b": SHAPE
    | {"width": 4096, "n_layers": 32, "head_width": 128, "mlp_width": 14_336}
    | {"tied_output": False},
}
RATIO_TARGET, SHARE_TARGET = 3.0, 0.6
_CONTEXT = 8192
_LENGTHS = (100, 1000, 4000, 8000)
_STEPS = 64


class Pair:
    """One random network on a device, held once: theirs as made, ours around the same tensors."""

    def __init__(self, name: str, device: torch.device, compile_: str) -> None:
        import transformers  # noqa: PLC0415  heavy

        self.config = NetworkConfig(family="llama", **SHAPES[name])
        self.config_json = self.config.to_dict()
        torch.manual_seed(0)
        with device:
            model = transformers.AutoModelForCausalLM.from_config(
                transformers.AutoConfig.for_model(**self.config_json), dtype=torch.bfloat16
            ).eval()
        self.theirs = Theirs(model)
        with torch.device("meta"):
            network = Network(self.config)
        held = model.state_dict()
        state = {ours: held[hugging_face_name(ours, self.config)] for ours in network.state_dict()}
        network.load_state_dict(state, assign=True)
        self.network = network.requires_grad_(requires_grad=False).eval()
        began = time.perf_counter()
        self.session = Session(self.network, _CONTEXT, torch.bfloat16, device)
        self.weights_bytes = sum(tensor.nbytes for tensor in state.values())
        self.reason = compiled_if_asked(
            self.session, compile_, device, self.weights_bytes // 2
        ).strip()
        self.compiling_s = time.perf_counter() - began
        self.read_bytes = bytes_per_token(shape_of_config(self.config_json), self.weights_bytes)
        self.device = device

    def engine(self, folder: Path) -> NativeEngine:
        """Return our engine; ``folder`` gets a tokenizer."""
        config, session = self.config, self.session
        tiny_tokenizer(folder, chat_template=None)
        (folder / "config.json").write_text(json.dumps(self.config_json), encoding="utf-8")
        loaded = LoadedModel(
            engine="native",
            name="random",
            architecture=config.family,
            n_ctx=_CONTEXT,
            n_ctx_train=config.context,
            n_vocab=config.vocab_size,
            n_layers=config.n_layers,
            parameters=self.weights_bytes // 2,
            has_chat_template=False,
            device=device_name(self.device),
            gpu_layers=config.n_layers,
            device_reason=self.reason,
            dtype="bfloat16",
            threads=torch.get_num_threads(),
            load_s=self.compiling_s,
            weights_bytes=self.weights_bytes,
            kv_cache_bytes=session.cache_bytes,
            adds_bos=False,
            eos_ids=(),
        )
        past = past_work(session, None, "", PastOptions())  # nothing is kept
        tokenizer = CheckpointTokenizer(folder, self.config_json)
        return NativeEngine(self.network, session, tokenizer, loaded, template=None, past=past)

    @torch.inference_mode()
    def agreement(self) -> tuple[float, float]:
        """Return how far apart the two sides' scores are, and how often the first place is one.

        As a share of the scores' size, over 64 positions.
        """
        ids = torch.randint(5, self.config.vocab_size, (1, 64), device=self.device)
        mine, other = self.network(ids).float(), self.theirs.scores(ids).float()
        apart = (mine - other).norm() / other.norm()
        return float(apart), float((mine.argmax(-1) == other.argmax(-1)).float().mean())


def growth(pair: Pair, lengths: tuple[int, ...]) -> None:
    """Print the time of a token after texts of several lengths, and what their cache takes."""
    session, cancel = pair.session, CancelToken()
    shape = pair.config
    per_token = 4 * shape.n_layers * shape.n_kv_heads * shape.head_width  # bytes
    for length in lengths:
        session.reuse(())
        list(session.prefill([97 + index % 20_000 for index in range(length)], cancel))
        session.read((97,), cancel)
        session.next_logits()
        began = time.perf_counter()
        for _ in range(_STEPS):
            session.begin(None)
            session.read((int(session.next_logits().argmax()),), cancel)
        session.next_logits()
        each = (time.perf_counter() - began) / _STEPS * 1000
        print(
            f"  after {length:,} tokens: {each:.3f} ms per token; keys and values "
            f"{length * per_token / 1e6:.0f} MB",
            flush=True,
        )


def compare(name: str, device: torch.device, arguments: argparse.Namespace) -> bool:
    """Compare one shape; return whether the targets are met."""
    pair = Pair(name, device, "on" if device.type == "cpu" else arguments.compile)
    print(
        f"\n{name}: {pair.weights_bytes / 2e9:.2f} billion weights; ready after "
        f"{pair.compiling_s:.1f} s. {pair.reason}",
        flush=True,
    )
    apart, same = pair.agreement()
    print(f"  both compute the same: {apart:.2%} apart, first place equal in {same:.0%}")
    with tempfile.TemporaryDirectory() as folder, closing(pair.engine(Path(folder))) as side:
        rounds, tokens = arguments.rounds, arguments.tokens
        size = COPY_BYTES if device.type == "cuda" else 64 << 20
        mine, other, memory = in_turns(
            [
                lambda round_: ours(side, 1, tokens, round_),
                lambda round_: pair.theirs(1, tokens, round_),
                lambda _round: copy_bandwidth(device, size) / 1e9,
            ],
            rounds,
        )
    met = print_row(Row(f"decode, {name}, bfloat16", "tokens/s", mine, other, RATIO_TARGET))
    reads = statistics.median(mine) * pair.read_bytes / 1e9
    gives = statistics.median(memory)
    print(
        f"  reads {reads:.0f} GB/s of weights; a copy moves {gives:.0f} "
        f"({min(memory):.0f} to {max(memory):.0f}): {reads / gives:.1%}, "
        f"target {SHARE_TARGET:.0%}",
        flush=True,
    )
    growth(pair, _LENGTHS if device.type == "cuda" else (20, 90))
    return met and reads / gives >= SHARE_TARGET


def main() -> int:
    """Compare the shapes asked for; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shapes", nargs="+", choices=("1b", "8b"), default=("1b", "8b"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128, help="to write in a round")
    parser.add_argument("--compile", choices=("auto", "off"), default="auto")
    parser.add_argument("--dry", action="store_true", help="a tiny shape on the processor")
    arguments = parser.parse_args()
    if not arguments.dry and not torch.cuda.is_available():
        sys.exit("PyTorch finds no NVIDIA GPU here; --dry tries the benchmark on the processor.")
    import transformers  # noqa: PLC0415  heavy

    device = torch.device("cpu" if arguments.dry else "cuda")
    print(
        f"{device_name(device)}; torch {torch.__version__}; transformers "
        f"{transformers.__version__}, eager generate; batch 1, bfloat16"
    )
    print(f"{'':24}{'ours':>9}{'transformers':>22}{'ratio':>8}{'target':>8}   rounds")
    met = True
    for name in ("tiny",) if arguments.dry else arguments.shapes:
        met &= compare(name, device, arguments)
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return 0 if met or arguments.dry else 1


if __name__ == "__main__":
    sys.exit(main())
