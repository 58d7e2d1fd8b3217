"""The last norm and the output head of a native network, taken apart.

With the norm's scale held as it is for one stream, both are linear: ``inference.inside.pushes``
says what for. Computed in float32, whatever type the weights have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn

from inference.inside.reading import StoppedLookError
from inference.native.layers import RMSNormFromOne
from inference.native.quantize import Int8Linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.inside.source import Numbers
    from inference.native.network import Network

_AT_ONCE: Final = 1_048_576  # weights made float32 at a time: they stay in the cache


class NativeHead:
    """Fulfils ``inference.inside.source.OutputHead``.

    Args:
        network: On its device, ready to run.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._device = network.token_embedding.weight.device
        self._mean: Numbers | None = None

    @property
    def cap(self) -> float:
        """The logits are pressed softly between this and its negative; 0 = they are not."""
        return self._network.config.logit_cap or 0.0

    @torch.inference_mode()
    def entering(self, parts: Numbers, stream: Numbers) -> tuple[Numbers, Numbers]:
        """Return what the head is given of each part, (N, C), and of the norm's bias, (C,)."""
        network = self._network
        rows, whole = torch.from_numpy(parts), torch.from_numpy(stream)  # (N, C), (C,)
        normed, bias = frozen_norm(network.final_norm, rows, whole)
        divisor = network.config.logit_divisor
        return (normed / divisor).numpy(), (bias / divisor).numpy()

    @torch.inference_mode()
    def scores(self, rows: Numbers, cancel: CancelToken) -> Numbers:
        """Return the head's products with what ``entering`` gave, (N, V)."""
        given = torch.from_numpy(rows).to(self._device)  # (N, C)
        matrix = self._matrix()  # (V, C)
        found = torch.empty(len(rows), len(matrix), device=self._device)
        step = self._step(matrix)
        for start in range(0, len(matrix), step):
            if cancel.cancelled:
                raise StoppedLookError
            part = _float(matrix[start : start + step])  # (n, C)
            torch.mm(given, part.T, out=found[:, start : start + step])
        numbers: Numbers = found.cpu().numpy()
        return numbers

    @torch.inference_mode()
    def rows(self, tokens: Sequence[int]) -> Numbers:
        """Return what the products of some tokens are made with, (n, C)."""
        matrix = self._matrix()
        return np.stack([_float(matrix[token]).cpu().numpy() for token in tokens])

    @torch.inference_mode()
    def mean(self) -> Numbers:
        """Return the mean of the rows of all tokens, (C,)."""
        if self._mean is None:
            matrix = self._matrix()  # (V, C)
            step = self._step(matrix)
            total = torch.zeros(matrix.shape[1], dtype=torch.float64, device=self._device)
            for start in range(0, len(matrix), step):
                total += _float(matrix[start : start + step]).sum(0)
            self._mean = (total / len(matrix)).float().cpu().numpy()
        return self._mean

    def bias(self) -> None:
        """Return nothing: no family has one."""

    def _matrix(self) -> Tensor:
        """Return the head's weights, (V, C)."""
        output = self._network.output
        if output is None:
            return self._network.token_embedding.weight
        if isinstance(output, Int8Linear):
            return output.unpacked()
        matrix = output.weight
        assert isinstance(matrix, Tensor)  # noqa: S101  nn.Module says no more
        return matrix

    @staticmethod
    def _step(matrix: Tensor) -> int:
        return max(1, _AT_ONCE // matrix.shape[1])


def frozen_norm(norm: nn.Module, parts: Tensor, stream: Tensor) -> tuple[Tensor, Tensor]:
    """Return what becomes of parts of a stream, (N, C), and the norm's bias, (C,), on the CPU.

    The norm divides by the root mean square of the whole ``stream``, (C,) (Zhang & Sennrich 2019,
    eq. 4), or by its deviation (Ba et al. 2016, eq. 4); the mean is taken from each part.
    """
    weight = _float(norm.weight).cpu()
    bias = torch.zeros_like(weight)
    parts, stream = parts.float(), stream.float()
    if isinstance(norm, nn.LayerNorm):
        parts = parts - parts.mean(-1, keepdim=True)  # (N, C)
        stream = stream - stream.mean()
        if norm.bias is not None:
            bias = _float(norm.bias).cpu()
    elif isinstance(norm, RMSNormFromOne):
        weight = 1.0 + weight
    eps = norm.eps
    assert isinstance(eps, float)  # noqa: S101  nn.Module says no more
    return parts * torch.rsqrt(stream.square().mean() + eps) * weight, bias


def _float(tensor: Tensor | nn.Module) -> Tensor:
    assert isinstance(tensor, Tensor)  # noqa: S101  nn.Module says no more
    return tensor.dequantize() if tensor.is_quantized else tensor.float()
