"""What int8 costs in exactness: the perplexity of real texts in float32, bfloat16 and int8.

    python packaging/benchmarks/int8_cost.py [--model FOLDER] [--text FILE]

Without arguments: the starter models on the project's own CONTRIBUTING.md, which they were not made
from, and, where ``../shared/assets`` lies beside the checkout, a model of 260,000 weights and the
starter models on a children's book. The ratio is int8 to float32; the tests allow 1.02.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812  the name PyTorch's own pages use

from inference.native.quantize import load_int8_network  # noqa: E402
from inference.native.tokenizer import CheckpointTokenizer  # noqa: E402
from inference.native.weights import load_network, open_checkpoint  # noqa: E402

if TYPE_CHECKING:
    from inference.native.network import Network

STARTER = ROOT / "resources" / "starter"
ASSETS = ROOT.parent / "shared" / "assets"
WINDOW = 256
MOST = 32_768  # tokens of a text that are read
LIMIT = 1.02


@torch.inference_mode()
def perplexity(network: Network, ids: list[int]) -> float:
    """Return how surprised a network is by a text, in windows that begin anew."""
    total = 0.0
    for start in range(0, len(ids) - 1, WINDOW):
        part = torch.tensor([ids[start : start + WINDOW + 1]])  # (1, T + 1)
        logits = network(part[:, :-1])[0].float()  # (T, V)
        total += float(F.cross_entropy(logits, part[0, 1:], reduction="sum"))
    return math.exp(total / (len(ids) - 1))


def cost(folder: Path, text: Path) -> bool:
    """Print one model's perplexities on one text; return whether int8's is within the limit."""
    checkpoint, cpu = open_checkpoint(folder), torch.device("cpu")
    tokenizer = CheckpointTokenizer(folder, checkpoint.config_json)
    ids = tokenizer.encode(text.read_text(encoding="utf-8"))[:MOST]
    exact = perplexity(load_network(checkpoint, dtype=torch.float32, device=cpu), ids)
    short = perplexity(load_network(checkpoint, dtype=torch.bfloat16, device=cpu), ids)
    rounded = perplexity(load_int8_network(checkpoint), ids)
    print(
        f"{folder.name:20}{text.name:20}{len(ids):>8,}{exact:12.3f}{short:12.3f}{rounded:12.3f}"
        f"{rounded / exact:9.4f}",
        flush=True,
    )
    return rounded / exact <= LIMIT


def main() -> int:
    """Print the table; return 1 when int8 costs more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, help="a checkpoint folder")
    parser.add_argument("--text", type=Path, default=ROOT / "CONTRIBUTING.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # these are small
    pairs = [(STARTER / name, arguments.text) for name in ("starter-base", "starter-instruct")]
    if arguments.model is not None:
        pairs = [(arguments.model, arguments.text)]
    elif ASSETS.exists():
        book = ASSETS / "corpus" / "aesop.txt"
        pairs += [(ASSETS / "stories260K-hf", book), (STARTER / "starter-base", book)]
    print(f"{'model':20}{'text':20}{'tokens':>8}{'float32':>12}{'bfloat16':>12}{'int8':>12}  ratio")
    met = [cost(folder, text) for folder, text in pairs]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
