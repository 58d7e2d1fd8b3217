"""Which network class belongs to which family: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from inference.native.gpt2 import GPT2Network
from inference.native.llama import LlamaNetwork

if TYPE_CHECKING:
    from inference.native.config import Family, NetworkConfig

Network: TypeAlias = LlamaNetwork | GPT2Network

NETWORKS: dict[Family, type[Network]] = {
    "llama": LlamaNetwork,
    "gpt2": GPT2Network,
}


def build_network(config: NetworkConfig) -> Network:
    """Return a network of that shape with the weights training starts from."""
    return NETWORKS[config.family](config)
