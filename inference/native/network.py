"""The network, from token ids to scores: every family's, told apart by its config and design.

Shapes at line ends as in ``layers.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

from inference.native.attention import Attention
from inference.native.layers import MLP, Embedding, Linear, Part, initialise, make_norm
from inference.native.registry import family_of
from inference.native.rotary import Rotary

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.families.base import Design
    from inference.native.kv_cache import KVCache
    from inference.native.layer_cache import LayerCache, StaticCache
    from inference.native.rotary import Turn


class Block(Part):
    """One step of the residual stream: look around, then think."""

    def __init__(self, config: NetworkConfig, design: Design, layer: int) -> None:
        super().__init__()

        def norm(*places: str) -> nn.Module | None:
            here = design.norm_place in places
            return make_norm(design, config.width, config.norm_eps) if here else None

        self.attention_norm = norm("before", "around")
        self.attention = Attention(config, design, layer)
        self.attention_norm_after = norm("after", "around")
        self.mlp_norm = norm("before", "around")
        self.mlp = MLP(config, design)
        self.mlp_norm_after = norm("after", "around")
        self.parallel = config.parallel
        self.scale = config.residual_scale

    def forward(self, x: Tensor, turn: Turn | None, cache: KVCache | LayerCache | None) -> Tensor:
        """Return the stream after this block, (B, T, C)."""
        read = x if self.attention_norm is None else self.attention_norm(x)  # (B, T, C)
        found = self.attention(read, turn, cache)  # (B, T, C)
        if self.attention_norm_after is not None:
            found = self.attention_norm_after(found)  # (B, T, C)
        middle = torch.add(x, found, alpha=self.scale)  # (B, T, C)
        read = x if self.parallel else middle  # (B, T, C)
        if self.mlp_norm is not None:
            read = self.mlp_norm(read)  # (B, T, C)
        thought = self.mlp(read)  # (B, T, C)
        if self.mlp_norm_after is not None:
            thought = self.mlp_norm_after(thought)  # (B, T, C)
        return torch.add(middle, thought, alpha=self.scale)  # (B, T, C)


class Network(nn.Module):
    """Token ids in, a score for every possible next token out.

    Args:
        config: Shape of the network; weights start as for training.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        design = family_of(config).design
        self.config = config
        self.token_embedding = Embedding(config.vocab_size, config.width)
        self.position_embedding: Embedding | None = None
        self.rotary: Rotary | None = None
        self.local_rotary: Rotary | None = None
        if design.learned_positions:
            self.position_embedding = Embedding(config.context, config.width)
        else:
            self.rotary = Rotary(config, config.rope_theta, config.rope_scaling)
        if config.local_theta is not None:
            self.local_rotary = Rotary(config, config.local_theta, None)
        self.blocks = nn.ModuleList(Block(config, design, i) for i in range(config.n_layers))
        self.final_norm = make_norm(design, config.width, config.norm_eps)
        self.dtype: torch.dtype | None = None
        """Type of the stream, where it is not that of the embedding."""
        self.output: nn.Module | None = None
        if not config.tied_output:
            self.output = Linear(config.width, config.vocab_size, bias=False)
        initialise(self, config.n_layers)

    def forward(
        self,
        token_ids: Tensor,
        cache: KVCache | None = None,
        *,
        last_only: bool = False,
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
        x, turns = self.enter(token_ids, cache)  # (B, T, C)
        x = self._as_vector(x)
        for block, turn in zip(self.blocks, turns, strict=True):
            x = block(x, turn, cache)  # (B, T, C)
        if cache is not None:
            cache.advance(token_ids.shape[1])
        return x.view(1, 1, -1) if x.ndim == 1 else x

    def _as_vector(self, x: Tensor) -> Tensor:
        """Return the stream of one position as a vector, (C,), where that saves time.

        While a matrix comes in from memory, whatever else the caches held is gone: after it the
        smallest operation takes ten times as long, so that each one spared counts. On a GPU, while
        something is trained or compiled, and in int8 it is other things that count.
        """
        if x.numel() != self.config.width or not x.is_cpu or self.dtype is not None:
            return x
        return x if torch.is_grad_enabled() or torch.compiler.is_compiling() else x.view(-1)

    def enter(
        self, token_ids: Tensor, cache: KVCache | StaticCache | None
    ) -> tuple[Tensor, list[Turn | None]]:
        """Return the stream before the first block, (B, T, C), and how each layer's heads turn."""
        n_new = token_ids.shape[1]
        start = 0 if cache is None else cache.length
        text_length = start + n_new if cache is None else max(start + n_new, cache.expected)
        device = token_ids.device
        if cache is None:
            positions = torch.arange(n_new, device=device)  # (T,)
        else:
            positions = cache.next_positions(n_new, device)  # (T,)
        x = self._embed(token_ids, positions)  # (B, T, C)
        return x, self._turns(positions, text_length, x.dtype)

    def score(self, x: Tensor) -> Tensor:
        """Return the logits of the residual stream ``x``: (B, T, C) becomes (B, T, V)."""
        config = self.config
        normed = self.final_norm(self._as_vector(x))  # (B, T, C)
        if self.output is None:
            logits = F.linear(normed, self.token_embedding.weight)  # (B, T, V)
        else:
            logits = self.output(normed)  # (B, T, V)
        logits = logits.view(*x.shape[:2], -1)  # of a vector too
        if config.logit_divisor != 1.0:
            logits = logits / config.logit_divisor
        if config.logit_cap is not None:
            logits = config.logit_cap * (logits / config.logit_cap).tanh()
        return logits

    def _embed(self, token_ids: Tensor, positions: Tensor) -> Tensor:
        x: Tensor = self.token_embedding(token_ids)  # (B, T, C)
        if self.dtype is not None:
            x = x.to(self.dtype)
        if self.config.embedding_scale != 1.0:
            # Rounded to the weights' type first. A CUDA graph cannot take a number from the CPU.
            x = x * x.new_full((), self.config.embedding_scale)
        if self.position_embedding is not None:
            x = x + self.position_embedding(positions)  # (B, T, C)
        return x

    def _turns(self, positions: Tensor, text_length: int, dtype: torch.dtype) -> list[Turn | None]:
        """Return how the heads of each layer turn; None where they do not."""
        config = self.config
        if self.rotary is None:
            return [None] * config.n_layers
        turn = self.rotary.turn(positions, text_length, dtype)
        if self.local_rotary is None and not config.unrotated:
            return [turn] * config.n_layers
        local = turn
        if self.local_rotary is not None:
            local = self.local_rotary.turn(positions, text_length, dtype)
        return [
            None if i in config.unrotated else turn if config.window(i) is None else local
            for i in range(config.n_layers)
        ]
