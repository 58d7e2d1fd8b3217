"""A person's patience with the network, shortened for tests."""

from __future__ import annotations

from inference.library.download.patience import Patience

HURRIED = Patience(
    tries=4, first_wait_s=0.01, longest_wait_s=0.05, connect_s=5.0, stall_s=0.6, stall_bytes=64
)
