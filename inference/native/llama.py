"""The Llama family, as the Llama 3 reference defines it (Dubey et al. 2024, section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

from inference.native.layers import (
    Embedding,
    GroupedQueryAttention,
    RMSNorm,
    SwiGLU,
    initialise,
    rotary_angles,
    rotary_frequencies,
)

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.kv_cache import KVCache


class LlamaBlock(nn.Module):
    """One step of the residual stream: look around, then think."""

    def __init__(self, config: NetworkConfig, layer: int) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.width, config.norm_eps)
        self.attention = GroupedQueryAttention(config, layer)
        self.mlp_norm = RMSNorm(config.width, config.norm_eps)
        self.mlp = SwiGLU(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None) -> Tensor:
        """Return the stream after this block, (B, T, C)."""
        x = x + self.attention(self.attention_norm(x), cos, sin, cache)  # (B, T, C)
        after: Tensor = x + self.mlp(self.mlp_norm(x))  # (B, T, C)
        return after


class LlamaNetwork(nn.Module):
    """Token ids in, a score for every possible next token out.

    Args:
        config: Shape of the network; weights start as for training.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = Embedding(config.vocab_size, config.width)
        self.blocks = nn.ModuleList(LlamaBlock(config, i) for i in range(config.n_layers))
        self.final_norm = RMSNorm(config.width, config.norm_eps)
        if not config.tied_output:
            self.output = nn.Linear(config.width, config.vocab_size, bias=False)
        # No buffer: they stay float32 when the weights are cast, and in no file.
        self._frequencies = rotary_frequencies(config)  # (D/2,)
        initialise(self, config.n_layers)

    def forward(
        self, token_ids: Tensor, cache: KVCache | None = None, *, last_only: bool = False
    ) -> Tensor:
        """Read T tokens after those in the cache and score what may follow.

        Args:
            token_ids: The new ids, (B, T), on the weights' device.
            cache: What was read before; it is extended by T positions. Without one: the start.
            last_only: Score only what follows the last token: saves the largest product.

        Returns:
            Logits, (B, T, V), or (B, 1, V) with ``last_only``.
        """
        x = self.read(token_ids, cache)  # (B, T, C)
        return self.score(x[:, -1:] if last_only else x)

    def read(self, token_ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """Return the residual stream after the last block, (B, T, C); arguments as ``forward``."""
        x: Tensor = self.token_embedding(token_ids)  # (B, T, C)
        n_new, device = token_ids.shape[1], token_ids.device
        start = 0 if cache is None else cache.length
        if self._frequencies.device != device:
            self._frequencies = self._frequencies.to(device)
        positions = torch.arange(start, start + n_new, device=device)  # (T,)
        cos, sin = rotary_angles(self._frequencies, positions, x.dtype)  # (T, D/2) each
        for block in self.blocks:
            x = block(x, cos, sin, cache)  # (B, T, C)
        if cache is not None:
            cache.advance(n_new)
        return x

    def score(self, x: Tensor) -> Tensor:
        """Return the logits of the residual stream ``x``: (B, T, C) becomes (B, T, V)."""
        table = self.token_embedding if self.config.tied_output else self.output
        return F.linear(self.final_norm(x), table.weight)  # (B, T, V)
