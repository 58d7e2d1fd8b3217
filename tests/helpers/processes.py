"""What tests ask the system about processes."""

from __future__ import annotations

import time

import psutil


def is_gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def gone_within(pid: int, limit_s: float) -> bool:
    """Wait until a process has ended, at most ``limit_s`` seconds."""
    deadline = time.monotonic() + limit_s
    while not is_gone(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def tree_bytes() -> int:
    """Resident memory of this process and everything under it."""
    this = psutil.Process()
    total = this.memory_info().rss
    for child in this.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return int(total)
