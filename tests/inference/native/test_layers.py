"""What is found at once is what PyTorch has, also after it was replaced, moved or copied."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inference.native.attention import Attention
from inference.native.config import NetworkConfig
from inference.native.device import products_of
from inference.native.layers import (
    MLP,
    Linear,
    Part,
    RMSNorm,
    RMSNormFromOne,
    TransposedLinear,
)
from inference.native.network import Block, Network

ONES = torch.ones(1, 1, 4)
ONE = torch.tensor([[3]])  # a text of one position


def product() -> Linear:
    made = Linear(4, 4, bias=True)
    nn.init.eye_(made.weight)
    return made


def doubled(part: Linear) -> Linear:
    """Put other weights in, as loading does."""
    part.load_state_dict({"weight": 2 * part.weight.detach(), "bias": part.bias}, assign=True)
    return part


def replaced(part: Linear) -> Linear:
    part.weight = nn.Parameter(2 * part.weight.detach())
    return part


def emptied(part: Linear) -> Linear:
    """Put memory in the place of shapes, as building without memory does."""
    part = part.to("meta").to_empty(device="cpu")
    nn.init.zeros_(part.bias)
    with torch.no_grad():
        part.weight.copy_(2 * torch.eye(4))
    return part


@pytest.mark.parametrize("change", [doubled, replaced, emptied])
def test_new_weights_are_the_ones_that_are_used(change: Any) -> None:
    part = change(product())
    assert vars(part)["weight"] is part._parameters["weight"]
    torch.testing.assert_close(part(ONES), 2 * ONES)


def test_a_cast_reaches_the_weights_that_are_used() -> None:
    part = product().to(torch.bfloat16)
    assert part(ONES.bfloat16()).dtype == torch.bfloat16


def test_a_copy_has_weights_of_its_own() -> None:
    part = product()
    other = copy.deepcopy(part)
    with torch.no_grad():
        other.weight.zero_()
    torch.testing.assert_close(part(ONES), ONES)
    torch.testing.assert_close(other(ONES), 0 * ONES)


def test_a_part_that_takes_anothers_place_is_the_one_that_is_asked() -> None:
    class Sum(Part):
        def __init__(self) -> None:
            super().__init__()
            self.inner: nn.Module = product()

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.inner(x)
            return found

    part = Sum()
    part.set_submodule("inner", nn.Identity())
    assert part(7 * ONES) is not None
    assert vars(part)["inner"] is part._modules["inner"]
    torch.testing.assert_close(part(7 * ONES), 7 * ONES)


@pytest.mark.parametrize("kind", [Block, Attention, MLP, Linear])
def test_hooks_before_and_after_a_part_act_until_they_are_taken_off(kind: type[nn.Module]) -> None:
    network = Network(NetworkConfig.from_dict(CONFIG)).eval()
    ids = torch.arange(5)[None]
    part = next(module for module in network.modules() if isinstance(module, kind))
    seen: list[str] = []
    hooks = [
        part.register_forward_pre_hook(lambda *_: seen.append("before")),
        part.register_forward_hook(lambda *_: seen.append("after")),
    ]
    with torch.inference_mode():
        plain = network(ids)
        assert seen == ["before", "after"]
        hooks[1].remove()
        hooks.append(part.register_forward_hook(lambda _part, _x, found: found * 0))
        assert not torch.equal(network(ids), plain)
        for hook in hooks:
            hook.remove()
        seen.clear()
        assert torch.equal(network(ids), plain)
    assert seen == []


@pytest.mark.parametrize("kind", [Block, Attention, MLP])
def test_hooks_see_a_position_alone_in_the_shape_of_many(kind: type[nn.Module]) -> None:
    network = Network(NetworkConfig.from_dict(CONFIG)).eval()
    shapes: list[tuple[int, ...]] = []
    with torch.inference_mode():
        plain = network(ONE)
        for part in (module for module in network.modules() if isinstance(module, kind)):
            part.register_forward_pre_hook(lambda _part, given: shapes.append(given[0].shape))
            part.register_forward_hook(lambda _part, _given, found: shapes.append(found.shape))
        torch.testing.assert_close(network(ONE), plain)
    assert shapes == [(1, 1, 16)] * 4


@pytest.mark.parametrize("hooked", [False, True])
def test_a_position_alone_goes_through_as_a_vector_where_nothing_is_trained(
    hooked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(NetworkConfig.from_dict(CONFIG)).eval()
    seen: set[int] = set()
    plain = Linear.forward

    def forward(self: Linear, x: Tensor) -> Tensor:
        seen.add(x.ndim)
        return plain(self, x)

    monkeypatch.setattr(Linear, "forward", forward)
    if hooked:  # as where a stop is looked for
        for block in network.blocks:
            for part in (block, block.get_submodule("attention"), block.get_submodule("mlp")):
                part.register_forward_pre_hook(lambda *_: None)
    with torch.inference_mode():
        network(ONE)
        assert seen == {1}
        seen.clear()
        network(torch.tensor([[3, 7]]))
        assert seen == {3}
    seen.clear()
    network(ONE)  # might be trained
    assert seen == {3}


def test_a_hook_before_a_part_changes_what_a_vector_becomes() -> None:
    part = product()
    with torch.inference_mode():
        handle = part.register_forward_pre_hook(lambda _part, given: (3 * given[0],))
        torch.testing.assert_close(part(ONES.view(-1)), 3 * ONES.view(-1))
        handle.remove()
        part.register_forward_hook(lambda _part, _given, found: 5 * found)
        torch.testing.assert_close(part(ONES.view(-1)), 5 * ONES.view(-1))


def norms(width: int) -> list[nn.Module]:
    return [RMSNorm(width, 1e-5), RMSNormFromOne(width, 1e-5), nn.LayerNorm(width, 1e-5)]


def products(width: int) -> list[nn.Module]:
    plain, biased = (Linear(width, 24, bias=bias) for bias in (False, True))
    return [plain, biased, TransposedLinear(width, 24)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("part", [*norms(64), *products(64)], ids=lambda part: type(part).__name__)
def test_a_vector_becomes_what_it_does_beside_another(part: nn.Module, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    for parameter in part.parameters():
        nn.init.normal_(parameter)
    part = copy.deepcopy(part).to(dtype)
    x = (3 * torch.randn(1, 2, 64)).to(dtype)
    with torch.inference_mode(), products_of(1):
        beside = part(x)  # (1, 2, out)
        alone = torch.stack([part(one) for one in x[0]])[None]  # each a vector, (64,)
    apart = (beside.float() - alone.float()).abs().max() / beside.float().abs().max()
    assert apart <= (1e-6 if dtype == torch.float32 else 2 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("extra", [{}, {"attention_bias": True, "mlp_bias": True}])
def test_a_network_gives_and_learns_of_a_position_what_it_does_beside_another(
    extra: dict[str, Any],
) -> None:
    torch.manual_seed(0)
    network = Network(NetworkConfig.from_dict(CONFIG | extra))
    two = torch.tensor([[3], [7]])
    beside = network(two)  # (2, 1, V): two texts of one position each
    with torch.inference_mode():  # as vectors
        torch.testing.assert_close(torch.cat([network(one[None]) for one in two]), beside)
    alone = torch.cat([network(one[None]) for one in two])
    torch.testing.assert_close(alone, beside)
    wanted = list(network.parameters())
    found = torch.autograd.grad(alone.square().sum(), wanted)
    torch.testing.assert_close(found, torch.autograd.grad(beside.square().sum(), wanted))


CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 20,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "hidden_act": "silu",
}
