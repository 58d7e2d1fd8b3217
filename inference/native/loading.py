"""A network with its weights in the number type asked for, and what memory they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from inference.native.parted import part_wide_products
from inference.native.quantize import int8_bytes, load_int8_network
from inference.native.weights import load_network

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.engine import ProgressSink
    from inference.native.device import Precision
    from inference.native.network import Network
    from inference.native.weights import Checkpoint


def load_with(
    precision: Precision,
    checkpoint: Checkpoint,
    device: torch.device,
    progress: ProgressSink | None = None,
    cancel: CancelToken | None = None,
) -> tuple[Network, int]:
    """Return the network, ready to run, and the bytes of its weights.

    Raises:
        BackendUnavailableError: int8 was asked for, and this PyTorch does not have it.
        CorruptCheckpointError: A file cannot be read to its end.
        InferenceError: Loading was cancelled.
    """
    if precision.is_int8:
        network = load_int8_network(checkpoint, progress, cancel)
        return network, int8_bytes(network)
    stream = precision.stream
    if device.type == "cpu" and stream == checkpoint.dtype == torch.bfloat16:
        network = load_network(checkpoint, dtype=stream, device=device, cancel=cancel)
        part_wide_products(network, checkpoint, progress, cancel)  # the rest stays in the file
    else:
        network = load_network(
            checkpoint, dtype=stream, device=device, progress=progress, cancel=cancel
        )
    return network, checkpoint.parameters * stream.itemsize
