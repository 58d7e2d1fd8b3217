"""The parts both families are built from: norm, rotary embedding, attention, MLP.

Shapes at line ends: B sequences, T new positions, S positions seen so far, C width, H query heads,
G key-value heads, D head width, F width inside the MLP, V vocabulary.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.kv_cache import KVCache


class Embedding(nn.Module):
    """One row of numbers per id; ``nn.Embedding`` without its first random values.

    Those would cost two seconds when a network is built without memory to learn its shapes.
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, width))

    def forward(self, ids: Tensor) -> Tensor:
        """Return the rows of ``ids``: (...) becomes (..., C)."""
        return F.embedding(ids, self.weight)


class RMSNorm(nn.Module):
    """Divide by the root mean square, then scale each number (Zhang & Sennrich 2019, eq. 4)."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return the normed ``x``, same shape; the mean is taken in float32."""
        wide = x.float()  # (B, T, C)
        scale = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)  # (B, T, 1)
        return self.weight * (wide * scale).to(x.dtype)  # (B, T, C)


def rotary_frequencies(config: NetworkConfig) -> Tensor:
    """Return how fast each pair of numbers turns, in radians per position, (D/2,).

    ``theta ** (-2i / D)`` (Su et al. 2021, RoFormer, section 3.4.2). With ``rope_scaling``, turns
    too slow for the context of pre-training are slowed further, fast ones stay, and those between
    are blended (Llama 3 reference, ``apply_scaling``).
    """
    # The device is named so that a network built on "meta" still has real frequencies.
    pairs = torch.arange(0, config.head_width, 2, dtype=torch.float32, device="cpu")  # (D/2,)
    frequencies = 1.0 / config.rope_theta ** (pairs / config.head_width)  # (D/2,)
    scaling = config.rope_scaling
    if scaling is None:
        return frequencies
    wavelengths = 2 * math.pi / frequencies  # (D/2,) positions per full turn
    turns = scaling.original_context / wavelengths  # (D/2,)
    span = scaling.high_freq_factor - scaling.low_freq_factor
    keep = ((turns - scaling.low_freq_factor) / span).clamp(0.0, 1.0)  # (D/2,) 1 = unchanged
    return (1 - keep) * frequencies / scaling.factor + keep * frequencies  # (D/2,)


def rotary_angles(
    frequencies: Tensor, positions: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of every position's turn, (T, D/2) each, computed in float32."""
    angles = positions.float()[:, None] * frequencies  # (T, D/2)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs of ``x`` by their position.

    Number i is paired with number i + D/2, as in Hugging Face checkpoints; Meta's own files and
    GGUF pair neighbours and keep the rows of query and key in another order. The result is equal.
    """
    first, second = x.chunk(2, dim=-1)  # (B, H, T, D/2) each
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Mix the values each position may see: itself and everything before it.

    ``softmax(Q K^T / sqrt(D)) V`` (Vaswani et al. 2017, eq. 1), causal. With G < H each key-value
    head serves H/G query heads (Ainslie et al. 2023, grouped-query attention).

    Args:
        query: The T newest positions, (B, H, T, D).
        key: All S positions, (B, G, S, D).
        value: All S positions, (B, G, S, D).

    Returns:
        The mixed values, (B, H, T, D).
    """
    n_new, n_seen = query.shape[2], key.shape[2]
    grouped = key.shape[1] != query.shape[1]
    if n_new == 1 and grouped:  # sees everything: heads that share a key can pose as positions
        shared = query.reshape(key.shape[0], key.shape[1], -1, query.shape[3])  # (B, G, H/G, D)
        return F.scaled_dot_product_attention(shared, key, value).reshape(query.shape)
    mask: Tensor | None = None
    if 1 < n_new < n_seen:  # a chunk after others: all old positions, and a triangle of new ones
        mask = torch.ones(n_new, n_seen, dtype=torch.bool, device=query.device)  # (T, S)
        mask = mask.tril(diagonal=n_seen - n_new)
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=1 < n_new == n_seen, enable_gqa=grouped
    )


class GroupedQueryAttention(nn.Module):
    """Attention of the Llama family: rotary positions, shared key-value heads."""

    def __init__(self, config: NetworkConfig, layer: int) -> None:
        super().__init__()
        inside, shared = config.n_heads * config.head_width, config.n_kv_heads * config.head_width
        self.query = nn.Linear(config.width, inside, bias=config.attention_bias)
        self.key = nn.Linear(config.width, shared, bias=config.attention_bias)
        self.value = nn.Linear(config.width, shared, bias=config.attention_bias)
        self.output = nn.Linear(inside, config.width, bias=config.attention_bias)
        self.head_width = config.head_width
        self.layer = layer

    def _heads(self, x: Tensor) -> Tensor:
        batch, n_new, _ = x.shape
        return x.view(batch, n_new, -1, self.head_width).transpose(1, 2)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None) -> Tensor:
        """Return what the T positions learn from those before them, (B, T, C)."""
        query = rotate(self._heads(self.query(x)), cos, sin)  # (B, H, T, D)
        key = rotate(self._heads(self.key(x)), cos, sin)  # (B, G, T, D)
        value = self._heads(self.value(x))  # (B, G, T, D)
        if cache is not None:
            key, value = cache.append(self.layer, key, value)  # (B, G, S, D)
        mixed = attend(query, key, value)  # (B, H, T, D)
        joined: Tensor = self.output(mixed.transpose(1, 2).flatten(2))  # (B, T, C)
        return joined


class SwiGLU(nn.Module):
    """``down(silu(gate(x)) * up(x))`` (Shazeer 2020, eq. 6)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.mlp_width, bias=config.mlp_bias)
        self.up = nn.Linear(config.width, config.mlp_width, bias=config.mlp_bias)
        self.down = nn.Linear(config.mlp_width, config.width, bias=config.mlp_bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return what each position makes of itself, (B, T, C)."""
        gated = F.silu(self.gate(x)) * self.up(x)  # (B, T, F)
        mixed: Tensor = self.down(gated)  # (B, T, C)
        return mixed


def initialise(network: nn.Module, n_layers: int) -> None:
    """Set the weights training starts from (Radford et al. 2019, section 2.3).

    Normal with deviation 0.02; projections that add to the residual stream are scaled down by the
    number of additions, so that depth does not blow the stream up. Biases 0, norms 1.
    """
    for name, parameter in network.named_parameters():
        if parameter.is_meta:  # shapes only
            continue
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.dim() == 2:
            adds = name.endswith(("attention.output.weight", "mlp.down.weight"))
            nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * n_layers) if adds else 0.02)
