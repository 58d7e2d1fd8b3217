"""Attention of one new position on a GPU: reads only what is filled, many parts at a time.

PyTorch's own kernels give each head's few queries to one processor of the GPU and leave the others
idle. Here the positions are dealt out in parts (Dao et al. 2023, "Flash-Decoding"): each part keeps
its largest score, the sum of its weights and its mixed values; a second kernel joins them.

Shapes at line ends as in ``layers.py``; P parts.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_ANY = 1 << 30  # a window that hides nothing
_MOST_PARTS = 64
_SHARED_BYTES = 32_768  # so that a block of keys finds room on small GPUs too


@torch.library.custom_op("glasshouse::mix_newest", mutates_args=("keys", "values"))
def mix_newest(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    keys: Tensor,
    values: Tensor,
    place: Tensor,
    scale: float,
    window: int,
    cap: float,
) -> Tensor:
    """Write one position's key and value into the cache, and attend from it.

    Args:
        query: Of the new position, (1, H, 1, D).
        key: Its key, (1, G, 1, D).
        value: Its value, (1, G, 1, D).
        keys: The cache's, (1, G, n_ctx, D); written at ``place``.
        values: The cache's, the same.
        place: Where the new position stands, (1,).
        scale: Of the scores.
        window: Positions seen, the new one included; 0 is all.
        cap: As ``attend``; 0 is none.

    Returns:
        The mixed values, (1, H, 1, D).
    """
    heads, width = query.shape[1], query.shape[3]
    groups = key.shape[1]
    parts = _parts(groups, query.device)
    mixed = torch.empty(parts, heads, width, dtype=torch.float32, device=query.device)  # (P, H, D)
    tops = torch.empty(2, parts, heads, dtype=torch.float32, device=query.device)  # (2, P, H)
    found = torch.empty(1, heads, 1, width, dtype=query.dtype, device=query.device)
    padded = max(16, triton.next_power_of_2(width))
    _mix_part[(groups, parts)](
        query.contiguous(),
        key.contiguous(),
        value.contiguous(),
        keys,
        values,
        place,
        mixed,
        tops,
        scale,
        window or _ANY,
        cap,
        keys.stride(1),
        SHARED=heads // groups,
        ROWS=max(16, triton.next_power_of_2(heads // groups)),
        WIDTH=width,
        PADDED=padded,
        PARTS=parts,
        BLOCK=min(64, max(16, _SHARED_BYTES // (padded * query.itemsize**2))),
        CAPPED=cap != 0.0,
    )
    _join_parts[(heads,)](mixed, tops, found, heads, WIDTH=width, PADDED=padded, PARTS=parts)
    return found


@mix_newest.register_fake
def _(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    keys: Tensor,
    values: Tensor,
    place: Tensor,
    scale: float,
    window: int,
    cap: float,
) -> Tensor:
    del key, value, keys, values, place, scale, window, cap
    return query.new_empty(query.shape)


def _parts(groups: int, device: torch.device) -> int:
    """Return how many parts keep all of the GPU's processors at work; a power of two."""
    if device.type != "cuda":
        return 4
    processors = torch.cuda.get_device_properties(device).multi_processor_count
    return min(_MOST_PARTS, 1 << max(0, (processors // groups).bit_length() - 1))


@triton.jit
def _cap(scores, cap):
    """Return ``cap tanh(score / cap)``."""
    return cap * (2 / (1 + tl.exp(-2 * scores / cap)) - 1)


@triton.jit
def _mix_part(
    query,
    key,
    value,
    keys,
    values,
    place,
    mixed,
    tops,
    scale,
    window,
    cap,
    stride,
    SHARED: tl.constexpr,
    ROWS: tl.constexpr,
    WIDTH: tl.constexpr,
    PADDED: tl.constexpr,
    PARTS: tl.constexpr,
    BLOCK: tl.constexpr,
    CAPPED: tl.constexpr,
):
    """Mix one part of the positions for the H/G heads that share a key-value head.

    The first part begins with the new position itself, which no part reads from the cache.
    """
    group, part = tl.program_id(0), tl.program_id(1)
    rows, lanes = tl.arange(0, ROWS), tl.arange(0, PADDED)
    real = lanes < WIDTH
    both = (rows < SHARED)[:, None] & real[None, :]
    here = tl.load(place).to(tl.int32)
    keys += group.to(tl.int64) * stride
    values += group.to(tl.int64) * stride
    head = group * SHARED + rows
    asked = tl.load(query + head[:, None] * WIDTH + lanes[None, :], mask=both, other=0.0)
    new_key = tl.load(key + group * WIDTH + lanes, mask=real, other=0.0)
    new_value = tl.load(value + group * WIDTH + lanes, mask=real, other=0.0)
    score = tl.sum(asked.to(tl.float32) * new_key.to(tl.float32)[None, :], 1) * scale  # (ROWS,)
    if CAPPED:
        score = _cap(score, cap)
    is_first = part == 0
    top = tl.where(is_first, score, float("-inf"))
    total = tl.where(is_first, tl.full((ROWS,), 1.0, tl.float32), 0.0)
    found = (
        tl.zeros((ROWS, PADDED), tl.float32)
        + tl.where(is_first, new_value.to(tl.float32), 0.0)[None, :]
    )
    first = tl.maximum(here + 1 - window, 0)
    span = tl.cdiv(tl.cdiv(here - first, PARTS), BLOCK) * BLOCK
    start = first + part * span
    end = tl.minimum(start + span, here)
    for at in range(start, end, BLOCK):
        places = at + tl.arange(0, BLOCK)
        filled = places < end
        spots = places[:, None] * WIDTH + lanes[None, :]
        there = filled[:, None] & real[None, :]
        held = tl.load(keys + spots, mask=there, other=0.0)  # (BLOCK, D)
        scores = tl.dot(asked, tl.trans(held), input_precision="ieee") * scale  # (ROWS, BLOCK)
        if CAPPED:
            scores = _cap(scores, cap)
        scores = tl.where(filled[None, :], scores, float("-inf"))
        higher = tl.maximum(top, tl.max(scores, 1))
        weights = tl.exp(scores - higher[:, None])
        shrink = tl.exp(top - higher)
        held = tl.load(values + spots, mask=there, other=0.0)
        found = found * shrink[:, None] + tl.dot(
            weights.to(held.dtype), held, input_precision="ieee"
        )
        total = total * shrink + tl.sum(weights, 1)
        top = higher
    heads = tl.num_programs(0) * SHARED
    spot = part * heads + head
    tl.store(mixed + spot[:, None] * WIDTH + lanes[None, :], found, mask=both)
    tl.store(tops + spot, top, mask=rows < SHARED)
    tl.store(tops + PARTS * heads + spot, total, mask=rows < SHARED)
    if is_first:
        tl.store(keys + here.to(tl.int64) * WIDTH + lanes, new_key, mask=real)
        tl.store(values + here.to(tl.int64) * WIDTH + lanes, new_value, mask=real)


@triton.jit
def _join_parts(
    mixed,
    tops,
    found,
    heads,
    WIDTH: tl.constexpr,
    PADDED: tl.constexpr,
    PARTS: tl.constexpr,
):
    """Join one head's parts: ``sum exp(top - max) mixed / sum exp(top - max) total``."""
    head = tl.program_id(0)
    parts, lanes = tl.arange(0, PARTS), tl.arange(0, PADDED)
    real = lanes < WIDTH
    spots = parts * heads + head
    top = tl.load(tops + spots)  # (P,)
    share = tl.exp(top - tl.max(top, 0))
    total = tl.sum(share * tl.load(tops + PARTS * heads + spots), 0)
    part = tl.load(
        mixed + spots[:, None] * WIDTH + lanes[None, :], mask=real[None, :], other=0.0
    )  # (P, D)
    joined = tl.sum(part * share[:, None], 0) / total
    tl.store(found + head * WIDTH + lanes, joined.to(found.dtype.element_ty), mask=real)
