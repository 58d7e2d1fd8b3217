from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from inference.cancel import CancelToken
from inference.errors import InferenceError
from inference.native.device import choose_precision
from inference.native.layers import Linear
from inference.native.loading import load_with
from inference.native.parted import WIDE, PartedLinear, part_wide_products
from inference.native.weights import load_network, open_checkpoint
from tests.helpers.checkpoints import tiny_llama
from tests.inference.native.answers import events, ids_of, opened, request

if TYPE_CHECKING:
    from pathlib import Path

    from inference.native.network import Network

CPU = torch.device("cpu")
IDS = torch.tensor([[1, 45, 78, 102, 7, 300, 12, 9]])


@pytest.mark.parametrize("shape", [(10,), (1, 1, 10), (2, 3, 10), (1, 5, 10)])
@pytest.mark.parametrize("widest", [3, 4, 5, 16])
def test_the_sum_of_the_parts_is_the_product(shape: tuple[int, ...], widest: int) -> None:
    torch.manual_seed(5)
    weight, x = torch.randn(7, 10), torch.randn(shape)
    parted = PartedLinear(weight, widest)
    assert max(part.n_in for part in parted.parts) <= widest
    torch.testing.assert_close(parted(x), x @ weight.T)


def test_wide_products_are_parted_in_bfloat16_and_score_as_before(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(tiny_llama(tmp_path, mlp_width=WIDE, dtype="bfloat16"))
    exact = load_network(checkpoint, dtype=torch.float32, device=CPU)
    whole = load_network(checkpoint, dtype=torch.bfloat16, device=CPU)
    seen: list[float] = []
    parted, size = load_with(
        choose_precision("bfloat16", torch.bfloat16, 1, CPU), checkpoint, CPU, seen.append
    )
    assert _kinds(whole) == {Linear}
    assert _kinds(parted) == {PartedLinear}
    assert seen == [0.0, 0.5, 1.0]
    assert size == 2 * checkpoint.parameters == 2 * sum(p.numel() for p in parted.parameters())
    with torch.inference_mode():
        right = exact(IDS)
        wrong = (whole(IDS).float() - right).abs().mean()
        assert (parted(IDS).float() - right).abs().mean() < 1.5 * wrong
        first = parted(IDS[:, :1])
    torch.testing.assert_close(first.float(), right[:, :1], atol=20 * float(wrong), rtol=0)


@pytest.mark.parametrize(("stored", "asked"), [("float32", "float32"), ("float32", "bfloat16")])
def test_other_types_stay_whole(stored: str, asked: str, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(tiny_llama(tmp_path, mlp_width=WIDE, dtype=stored))
    precision = choose_precision(asked, checkpoint.dtype, 1, CPU)
    network, _size = load_with(precision, checkpoint, CPU)
    assert _kinds(network) == {Linear}


def test_a_parted_model_answers(tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path, mlp_width=WIDE, dtype="bfloat16"), dtype="bfloat16")
    assert _kinds(engine.network) == {PartedLinear}
    assert len(ids_of(events(engine, request(text="The sky")))) > 0
    engine.close()


def test_parting_can_be_stopped(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(tiny_llama(tmp_path, mlp_width=WIDE, dtype="bfloat16"))
    network = load_network(checkpoint, dtype=torch.bfloat16, device=CPU)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(InferenceError, match="stopped"):
        part_wide_products(network, checkpoint, cancel=cancel)


def _kinds(network: Network) -> set[type]:
    return {type(block.mlp.down) for block in network.blocks}  # type: ignore[union-attr]
