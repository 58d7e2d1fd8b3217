"""Attention: each position looks at itself and at those before it, and mixes what it finds.

Shapes at line ends as in ``layers.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

from inference.native.layer_cache import LayerCache
from inference.native.layers import Part, make_linear, make_norm

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.families.base import Design
    from inference.native.kv_cache import KVCache
    from inference.native.rotary import Turn


class Attention(Part):
    """Queries, keys and values of one layer, with whatever the family adds to them."""

    def __init__(self, config: NetworkConfig, design: Design, layer: int) -> None:
        super().__init__()
        inside, shared = config.n_heads * config.head_width, config.n_kv_heads * config.head_width
        self.sizes = (inside, shared, shared)
        self.fused = design.fused_attention
        width, bias = config.width, config.attention_bias
        if self.fused == "no":
            self.query = make_linear(design, width, inside, bias=bias)
            self.key = make_linear(design, width, shared, bias=bias)
            self.value = make_linear(design, width, shared, bias=bias)
        else:
            self.query_key_value = make_linear(design, width, sum(self.sizes), bias=bias)
        self.output = make_linear(design, inside, width, bias=config.attention_output_bias)
        self.query_key_norm = design.query_key_norm
        if design.query_key_norm != "no":
            of_all = design.query_key_norm == "all"
            width = config.head_width
            self.query_norm = make_norm(design, inside if of_all else width, config.norm_eps)
            self.key_norm = make_norm(design, shared if of_all else width, config.norm_eps)
        self.head_width = config.head_width
        self.scale = config.attention_scale
        self.cap = config.attention_cap
        self.window = config.window(layer)
        self.layer = layer

    def forward(self, x: Tensor, turn: Turn | None, cache: KVCache | LayerCache | None) -> Tensor:
        """Return what the T positions learn from those before them, (B, T, C).

        Args:
            x: The normed stream, (B, T, C).
            turn: Of the new positions; None where heads do not turn.
            cache: Keys and values of the positions before; extended by the new ones.
        """
        query, key, value = self.heads(x, turn)
        if isinstance(cache, LayerCache) and cache.mixes:  # one kernel does all of it, on a GPU
            mixed = cache.mix(query, key, value, (self.scale, self.window, self.cap))
        else:
            mixed = self._mix(query, key, value, cache)
        side_by_side = mixed.view(-1) if x.ndim == 1 else mixed.transpose(1, 2).flatten(2)
        joined: Tensor = self.output(side_by_side)  # (B, T, C), or (C,)
        return joined

    def _mix(
        self, query: Tensor, key: Tensor, value: Tensor, cache: KVCache | LayerCache | None
    ) -> Tensor:
        visible = None
        if cache is not None:
            visible = cache.visible(self.window)  # (T, S) where not all of S are filled
            key, value = cache.append(self.layer, key, value)  # (B, G, S, D)
            if query.dtype != key.dtype:  # kept in a shorter type than they are made in
                query = query.to(key.dtype)
        return attend(
            query, key, value, scale=self.scale, window=self.window, cap=self.cap, visible=visible
        )  # (B, H, T, D)

    def heads(self, x: Tensor, turn: Turn | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return query (B, H, T, D), key and value (B, G, T, D) of the T positions, turned.

        A single position may come as a vector, (C,).
        """
        query, key, value = self._project(x)
        if self.query_key_norm == "head":
            query, key = self.query_norm(query), self.key_norm(key)
        if turn is not None:
            query, key = rotate(query, turn), rotate(key, turn)
        return query, key, value

    def look(self, query: Tensor, key: Tensor) -> Tensor:
        """Return how much of each of S positions the T newest take, (B, H, T, S), float32."""
        return weigh(query, key, scale=self.scale, window=self.window, cap=self.cap)

    def _project(self, x: Tensor) -> tuple[Tensor, ...]:
        if self.fused == "heads":  # head 1's query, key, value, then head 2's ...
            shape = x.shape[:2] if x.ndim > 1 else (1, 1)
            fused = self.query_key_value(x).view(*shape, -1, 3, self.head_width)
            return tuple(part.transpose(1, 2) for part in fused.unbind(3))  # (B, H, T, D) each
        if self.fused == "parts":
            query, key, value = self.query_key_value(x).split(self.sizes, dim=-1)  # (B, T, H D)
        else:
            query, key, value = self.query(x), self.key(x), self.value(x)  # (B, T, H D)
        if self.query_key_norm == "all":
            query, key = self.query_norm(query), self.key_norm(key)
        return self._heads(query), self._heads(key), self._heads(value)

    def _heads(self, x: Tensor) -> Tensor:
        if x.ndim == 1:
            return x.view(1, -1, 1, self.head_width)  # a position alone: (1, H, 1, D)
        rows, count, _ = x.shape
        if count == 1:  # then it makes no difference which comes first
            return x.view(rows, -1, 1, self.head_width)  # (B, H, 1, D)
        return x.view(rows, count, -1, self.head_width).transpose(1, 2)  # (B, H, T, D)


def rotate(x: Tensor, turn: Turn) -> Tensor:
    """Turn the first R numbers of ``x``, (B, H, T, D), by their position; the others stay.

    Number i is paired with number i + R/2, as in Hugging Face checkpoints; Meta's own files and
    GGUF pair neighbours and keep the rows of query and key in another order. The result is equal.
    """
    cos, sin = turn  # (T, R) each; the sines of the first half are negative
    width = cos.shape[-1]
    turning = x if width == x.shape[-1] else x[..., :width]  # (B, H, T, R)
    partners = turning.roll(width // 2, dims=-1)  # (B, H, T, R)
    turned = torch.addcmul(turning * cos, partners, sin)  # (B, H, T, R)
    return turned if turning is x else torch.cat((turned, x[..., width:]), dim=-1)  # (B, H, T, D)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    scale: float | None = None,
    window: int | None = None,
    cap: float | None = None,
    visible: Tensor | None = None,
) -> Tensor:
    """Mix the values each position may see: itself and everything before it.

    ``softmax(Q K^T / sqrt(D)) V`` (Vaswani et al. 2017, eq. 1), causal. With G < H each key-value
    head serves H/G query heads (Ainslie et al. 2023, grouped-query attention).

    Args:
        query: The T newest positions, (B, H, T, D).
        key: All S positions, (B, G, S, D).
        value: All S positions, (B, G, S, D).
        scale: In place of ``1 / sqrt(D)``.
        window: Positions each one sees, its own included; None is all.
        cap: Scores are pressed softly between this and its negative.
        visible: Which positions each of the T sees, (T, S), where S has room to spare; None: all
            S are filled, and the newest T come last.

    Returns:
        The mixed values, (B, H, T, D).
    """
    rows, n_heads, n_new, width = query.shape
    n_kv_heads, mask = key.shape[1], visible
    if visible is None:
        if window is not None:  # what even the first new position does not see
            n_useful = n_new + window - 1
            key, value = key[:, :, -n_useful:], value[:, :, -n_useful:]  # S is now smaller
        if n_new > 1:
            mask = _mask_needed(n_new, key.shape[2], window, query.device, capped=cap is not None)
    grouped = n_kv_heads != n_heads
    if cap is not None:
        return _attend_capped(query, key, value, mask=mask, scale=scale, cap=cap)
    if n_new == 1 and grouped:  # heads that share a key can pose as positions: they see the same
        shared = query.reshape(rows, n_kv_heads, -1, width)  # (B, G, H/G, D)
        mixed = F.scaled_dot_product_attention(shared, key, value, attn_mask=mask, scale=scale)
        return mixed.reshape(rows, n_heads, 1, width)
    is_causal = n_new > 1 and mask is None
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=is_causal, scale=scale, enable_gqa=grouped
    )


def _mask_needed(
    n_new: int, n_seen: int, window: int | None, device: torch.device, *, capped: bool
) -> Tensor | None:
    """Return the mask, (T, S), or None where all is seen or PyTorch makes the causal one itself."""
    limited = window is not None and window < n_seen
    if capped or limited or n_new < n_seen:
        return _visible(n_new, n_seen, window, device)
    return None


def _visible(n_new: int, n_seen: int, window: int | None, device: torch.device) -> Tensor:
    """Return which of S positions each of the T newest sees: no later one, no one too far back."""
    seen = torch.ones(n_new, n_seen, dtype=torch.bool, device=device)  # (T, S)
    seen = seen.tril(diagonal=n_seen - n_new)
    return seen if window is None else seen.triu(diagonal=n_seen - n_new - window + 1)


def _attend_capped(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None,
    scale: float | None,
    cap: float,
) -> Tensor:
    """As ``attend`` with ``cap tanh(score / cap)`` (Gemma 2 report 2024, section 2)."""
    weights = _weights(query, key, mask=mask, scale=scale, cap=cap).to(value.dtype)
    return (weights @ value[:, :, None]).reshape(query.shape)  # (B, H, T, D)


def weigh(
    query: Tensor,
    key: Tensor,
    *,
    scale: float | None = None,
    window: int | None = None,
    cap: float | None = None,
) -> Tensor:
    """Return the weights that ``attend`` mixes with, (B, H, T, S), float32; arguments as there."""
    mask = _visible(query.shape[2], key.shape[2], window, query.device)  # (T, S)
    return _weights(query, key, mask=mask, scale=scale, cap=cap).flatten(1, 2)


def _weights(
    query: Tensor, key: Tensor, *, mask: Tensor | None, scale: float | None, cap: float | None
) -> Tensor:
    """Return ``softmax(Q K^T / sqrt(D))`` over what ``mask`` lets through, (B, G, H/G, T, S)."""
    shape, n_kv_heads = query.shape, key.shape[1]
    query = query.reshape(shape[0], n_kv_heads, -1, *shape[2:])  # (B, G, H/G, T, D)
    scores = query @ key[:, :, None].mT * (shape[-1] ** -0.5 if scale is None else scale)
    if cap is not None:
        scores = cap * (scores / cap).tanh()  # (B, G, H/G, T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1, dtype=torch.float32)
