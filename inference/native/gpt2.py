"""GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each part, GELU, biases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

from inference.native.layers import Embedding, attend, initialise

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.kv_cache import KVCache


class Conv1D(nn.Module):
    """A linear layer whose weight lies the other way round, (in, out), as GPT-2's files have it."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x W + b``, (B, T, out)."""
        return x @ self.weight + self.bias


class FusedAttention(nn.Module):
    """Attention with query, key and value from one product."""

    def __init__(self, config: NetworkConfig, layer: int) -> None:
        super().__init__()
        self.query_key_value = Conv1D(config.width, 3 * config.width)
        self.output = Conv1D(config.width, config.width)
        self.n_heads = config.n_heads
        self.layer = layer

    def forward(self, x: Tensor, cache: KVCache | None) -> Tensor:
        """Return what the T positions learn from those before them, (B, T, C)."""
        fused: Tensor = self.query_key_value(x)  # (B, T, 3C)
        query, key, value = (
            part.view(*part.shape[:2], self.n_heads, -1).transpose(1, 2)  # (B, H, T, D)
            for part in fused.chunk(3, dim=-1)
        )
        if cache is not None:
            key, value = cache.append(self.layer, key, value)  # (B, H, S, D)
        mixed = attend(query, key, value)  # (B, H, T, D)
        joined: Tensor = self.output(mixed.transpose(1, 2).flatten(2))  # (B, T, C)
        return joined


class GELUMLP(nn.Module):
    """``down(gelu(up(x)))``, with the tanh form of GELU (Hendrycks & Gimpel 2016, section 2)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.up = Conv1D(config.width, config.mlp_width)
        self.down = Conv1D(config.mlp_width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """Return what each position makes of itself, (B, T, C)."""
        mixed: Tensor = self.down(F.gelu(self.up(x), approximate="tanh"))  # (B, T, C)
        return mixed


class GPT2Block(nn.Module):
    """One step of the residual stream: look around, then think."""

    def __init__(self, config: NetworkConfig, layer: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width, config.norm_eps)
        self.attention = FusedAttention(config, layer)
        self.mlp_norm = nn.LayerNorm(config.width, config.norm_eps)
        self.mlp = GELUMLP(config)

    def forward(self, x: Tensor, cache: KVCache | None) -> Tensor:
        """Return the stream after this block, (B, T, C)."""
        x = x + self.attention(self.attention_norm(x), cache)  # (B, T, C)
        after: Tensor = x + self.mlp(self.mlp_norm(x))  # (B, T, C)
        return after


class GPT2Network(nn.Module):
    """Token ids in, a score for every possible next token out; positions are learned, so fixed.

    Args:
        config: Shape of the network; weights start as for training.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = Embedding(config.vocab_size, config.width)
        self.position_embedding = Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(GPT2Block(config, i) for i in range(config.n_layers))
        self.final_norm = nn.LayerNorm(config.width, config.norm_eps)
        if not config.tied_output:
            self.output = nn.Linear(config.width, config.vocab_size, bias=False)
        initialise(self, config.n_layers)

    def forward(
        self, token_ids: Tensor, cache: KVCache | None = None, *, last_only: bool = False
    ) -> Tensor:
        """Read T tokens and score what may follow; all as in ``LlamaNetwork.forward``."""
        x = self.read(token_ids, cache)  # (B, T, C)
        return self.score(x[:, -1:] if last_only else x)

    def read(self, token_ids: Tensor, cache: KVCache | None = None) -> Tensor:
        """Return the residual stream after the last block, (B, T, C)."""
        n_new = token_ids.shape[1]
        start = 0 if cache is None else cache.length
        positions = torch.arange(start, start + n_new, device=token_ids.device)  # (T,)
        x: Tensor = self.token_embedding(token_ids)  # (B, T, C)
        x = x + self.position_embedding(positions)  # (B, T, C)
        for block in self.blocks:
            x = block(x, cache)  # (B, T, C)
        if cache is not None:
            cache.advance(n_new)
        return x

    def score(self, x: Tensor) -> Tensor:
        """Return the logits of the residual stream ``x``: (B, T, C) becomes (B, T, V)."""
        table = self.token_embedding if self.config.tied_output else self.output
        return F.linear(self.final_norm(x), table.weight)  # (B, T, V)
