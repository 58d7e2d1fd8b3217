"""How many layers of a model find room on the GPUs: one rule for the forecast and for the load.

Knows sizes only, no engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

RESERVE_BYTES: Final = 512 * 1024 * 1024
"""Left free on a device for compute buffers and for what the screen needs."""
_RESERVE_PART: Final = 0.05


class HasFreeBytes(Protocol):
    """A device, as far as it matters here."""

    @property
    def free_bytes(self) -> int:
        """Memory free at the time of asking."""
        ...


def layers_that_fit(
    devices: Sequence[HasFreeBytes], layers: int, layer_bytes: int, output_bytes: int
) -> int:
    """Return how many layers fit, the output layer counting as one more.

    llama.cpp places the output first, on the last device, and then the newest blocks.

    Args:
        devices: The GPUs; a layer lies wholly on one of them.
        layers: Blocks of the model.
        layer_bytes: Weights and KV cache of one block.
        output_bytes: Weights of the output layer.
    """
    room = [
        max(0, int(device.free_bytes * (1 - _RESERVE_PART)) - RESERVE_BYTES) for device in devices
    ]
    if not room or room[-1] < output_bytes:
        return 0
    room[-1] -= output_bytes
    fitting = sum(free // max(1, layer_bytes) for free in room)
    return min(fitting, layers) + 1
