"""The small parts every network is built from: embedding, norms, products, MLP.

Shapes at line ends, here and in the files beside: B sequences, T new positions, S positions seen so
far, C width, H query heads, G key-value heads, D head width, F width inside the MLP, V vocabulary.
Where a single position is read on the processor, its (1, 1, C) goes as a vector, (C,): see
``network.py``.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.native.config import NetworkConfig
    from inference.native.families.base import Design


class Part(nn.Module):
    """A module that costs little to call and whose parts are found where Python looks first.

    ``nn.Module`` looks through six kinds of hooks at every call, and is asked for a part only after
    Python has looked everywhere else; where a single token is read, that takes longer than most of
    what a part does. Here a call goes straight to ``forward`` where nobody has hooked on, and parts
    and weights are attributes like any other, besides being where PyTorch expects them.
    """

    if not TYPE_CHECKING:

        def __call__(self, x: Tensor, *others: object) -> Tensor:
            """Return what ``forward`` makes of it; hooks see a vector as (1, 1, C)."""
            if self._forward_hooks or self._forward_pre_hooks:
                if x.ndim == 1 and x.is_floating_point():
                    return self._hooked_vector(x, *others)
                return super().__call__(x, *others)
            return self.forward(x, *others) if others else self.forward(x)

        def _hooked_vector(self, x: Tensor, *others: object) -> Tensor:
            given = (x.view(1, 1, -1), *others)
            for hook in tuple(self._forward_pre_hooks.values()):
                changed = hook(self, given)
                if changed is not None:
                    given = changed if isinstance(changed, tuple) else (changed,)
            found = self.forward(given[0].reshape(-1), *given[1:]).view(1, 1, -1)
            for hook in tuple(self._forward_hooks.values()):
                changed = hook(self, given, found)
                found = found if changed is None else changed
            return found.reshape(-1)

        def __setattr__(self, name: str, value: object) -> None:
            """Set an attribute as ``nn.Module`` does; parts and weights once more."""
            super().__setattr__(name, value)
            if isinstance(value, nn.Module | nn.Parameter):
                vars(self)[name] = value

        def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
            """Move or cast as ``nn.Module`` does, which may make new weights."""
            super()._apply(fn, recurse)
            vars(self).update(
                (name, kept) for name, kept in self._parameters.items() if kept is not None
            )
            return self


class Embedding(Part):
    """One row of numbers per id; ``nn.Embedding`` without its first random values.

    Those would cost two seconds when a network is built without memory to learn its shapes.
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, width))

    def forward(self, ids: Tensor) -> Tensor:
        """Return the rows of ``ids``: (...) becomes (..., C)."""
        return F.embedding(ids, self.weight)


class RMSNorm(Part):
    """Divide by the root mean square, then scale each number (Zhang & Sennrich 2019, eq. 4)."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.shape = (width,)
        self.eps = eps
        self._zeros = torch.zeros(0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normed ``x``, same shape; the mean is taken in float32.

        A vector, (C,), only where nothing is trained.
        """
        if x.ndim > 1:
            return torch.rms_norm(x, self.shape, self.weight, self.eps)  # (B, T, C)
        # In four operations what PyTorch makes of fourteen.
        wide = x.float()  # (C,)
        scale = 1 / sqrt(torch.dot(wide, wide).item() / x.numel() + self.eps)
        if self._zeros.dtype != x.dtype or self._zeros.shape != x.shape:
            self._zeros = torch.zeros_like(x)
        return torch.addcmul(self._zeros, x, self.weight, value=scale)


class RMSNormFromOne(Part):
    """Gemma's: the weights are kept less 1, and scale before the result is rounded."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Return the normed ``x``, same shape, computed in float32; a vector as ``RMSNorm``."""
        if x.ndim == 1:
            wide = x.float()  # (C,)
            scale = 1 / sqrt(torch.dot(wide, wide).item() / x.numel() + self.eps)
            return torch.addcmul(wide * scale, wide, self.weight, value=scale).to(x.dtype)
        weight = 1.0 + self.weight.float()  # (C,)
        return F.rms_norm(x.float(), weight.shape, weight, self.eps).to(x.dtype)  # (B, T, C)


def make_norm(design: Design, width: int, eps: float) -> nn.Module:
    """Return a norm over ``width`` numbers, of the family's kind."""
    if design.norm == "layer":
        return nn.LayerNorm(width, eps)
    return RMSNormFromOne(width, eps) if design.norm == "rms_from_one" else RMSNorm(width, eps)


class Linear(Part):
    """A product with a matrix of (out, in), plus a bias where there is one.

    Unlike ``nn.Linear`` it draws no first values, which would cost a second per billion.
    """

    def __init__(self, n_in: int, n_out: int, *, bias: bool) -> None:
        super().__init__()
        self.n_in = n_in
        self.weight = nn.Parameter(torch.empty(n_out, n_in))
        self.bias = nn.Parameter(torch.zeros(n_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x W^T + b``: (B, T, in) becomes (B, T, out), and (in,) becomes (out,)."""
        if self.bias is None and x.numel() == self.n_in and x.is_cpu:
            # One position: the processor reads the matrix a little faster when told so.
            if x.ndim == 1:
                return torch.mv(self.weight, x)
            return torch.mv(self.weight, x.view(-1)).view(1, 1, -1)
        return F.linear(x, self.weight, self.bias)


class TransposedLinear(Part):
    """A linear layer whose weight lies the other way round, (in, out), as GPT-2's files have it."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x W + b``: (B, T, in) becomes (B, T, out), and (in,) becomes (out,)."""
        if x.ndim == 1:  # in bfloat16 the other way of saying it takes up to twelve times as long
            return torch.mv(self.weight.T, x) + self.bias
        return x @ self.weight + self.bias


def make_linear(design: Design, n_in: int, n_out: int, *, bias: bool) -> nn.Module:
    """Return a product from ``n_in`` to ``n_out`` numbers, its weight as in the family's files."""
    return TransposedLinear(n_in, n_out) if design.transposed else Linear(n_in, n_out, bias=bias)


def _gelu_tanh(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": F.silu,
    "gelu": F.gelu,  # Hendrycks & Gimpel 2016, section 2; the next is its tanh form
    "gelu_tanh": _gelu_tanh,
}


def _times(own: Tensor, other: Tensor) -> Tensor:
    """Multiply into ``own``, which nobody else holds: for many positions that saves fresh memory.

    While training, both are kept for the way back.
    """
    return own * other if torch.is_grad_enabled() else own.mul_(other)


class MLP(Part):
    """What each position makes of itself.

    ``down(act(gate(x)) * up(x))`` (Shazeer 2020, eq. 6), or ``down(act(up(x)))`` without a gate.
    """

    def __init__(self, config: NetworkConfig, design: Design) -> None:
        super().__init__()
        width, inside, bias = config.width, config.mlp_width, config.mlp_bias
        self.kind = design.mlp
        self.activation = _ACTIVATIONS[design.activation]
        if design.mlp == "fused_gate":
            self.gate_up = make_linear(design, width, 2 * inside, bias=bias)
        else:
            if design.mlp == "gated":
                self.gate = make_linear(design, width, inside, bias=bias)
            self.up = make_linear(design, width, inside, bias=bias)
        self.down = make_linear(design, inside, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, T, C), or (C,) of (C,)."""
        if self.kind == "plain":
            inner = self.activation(self.up(x))  # (B, T, F)
        elif self.kind == "gated":
            inner = _times(self.activation(self.gate(x)), self.up(x))  # (B, T, F)
        else:
            gate, up = self.gate_up(x).chunk(2, dim=-1)  # (B, T, F) each
            inner = _times(self.activation(gate), up)  # (B, T, F)
        mixed: Tensor = self.down(inner)  # (B, T, C)
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
            nn.init.normal_(parameter, std=0.02 / sqrt(2 * n_layers) if adds else 0.02)
