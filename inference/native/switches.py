"""Parts of a network switched off for one pass, by hooks that are taken off again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.inside.questions import BlockOff, Change, EdgeOff, HeadOff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle

    from inference.native.network import Network


def switched_off(network: Network, changes: Sequence[Change]) -> list[RemovableHandle]:
    """Hook changes onto the network; whoever calls takes the hooks off."""
    blocks: list[Any] = list(network.blocks)
    edges = [change for change in changes if isinstance(change, EdgeOff)]
    handles = [_without_edges(block.attention, edges) for block in blocks] if edges else []
    for change in changes:
        if isinstance(change, HeadOff):
            handles.append(_without_head(blocks[change.layer].attention, change.head))
        elif isinstance(change, BlockOff):
            handles.append(_without_part(blocks[change.layer], change))
    return handles


def _without_part(block: Any, change: BlockOff) -> RemovableHandle:  # noqa: ANN401  a module
    handle: RemovableHandle
    if change.part == "block":
        handle = block.register_forward_hook(lambda _module, inputs, _output: inputs[0])
        return handle
    part = block.attention if change.part == "attention" else block.mlp
    handle = part.register_forward_hook(lambda _module, _inputs, output: output * 0)
    return handle


def _without_head(attention: Any, head: int) -> RemovableHandle:  # noqa: ANN401  a module
    """Let one head's mixed values be zero before they are joined."""
    width = attention.head_width

    def before(_output: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        mixed = inputs[0].clone()  # (B, T, H D)
        mixed[..., head * width : (head + 1) * width] = 0
        return (mixed,)

    handle: RemovableHandle = attention.output.register_forward_pre_hook(before)
    return handle


def _without_edges(
    attention: Any,  # noqa: ANN401  a module
    edges: Sequence[EdgeOff],
) -> RemovableHandle:
    """Mix anew, with some weights of every head 0 and the others of their rows filling up to 1."""
    rows = sorted({edge.place for edge in edges})

    def after(module: Any, inputs: tuple[Any, ...], output: Tensor) -> Tensor:  # noqa: ANN401
        query, key, value = module.heads(inputs[0], inputs[1])  # (B, H, T, D), (B, G, T, D) twice
        weights = module.look(query, key)  # (B, H, T, T)
        for edge in edges:
            weights[:, :, edge.place, edge.target] = 0
        left = weights.sum(-1, keepdim=True).clamp_min(1e-9)
        shared = weights.shape[1] // value.shape[1]
        every = value.repeat_interleave(shared, dim=1)  # (B, H, T, D)
        mixed = (weights / left).to(value.dtype) @ every  # (B, H, T, D)
        joined: Tensor = module.output(mixed.transpose(1, 2).flatten(2))  # (B, T, C)
        result = output.clone()  # rows that were not changed stay as they were, to the last bit
        result[:, rows] = joined[:, rows]
        return result

    handle: RemovableHandle = attention.register_forward_hook(after)
    return handle
