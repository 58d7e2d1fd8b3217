"""How this process reaches the network: a proxy of the person's choice.

All clients here and huggingface_hub's own read the environment, so a chosen proxy is put there;
what stood there before comes back when none is chosen any more.
"""

from __future__ import annotations

import os

_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_before: dict[str, str | None] = {}


def use_proxy(address: str) -> None:
    """Send all requests of this process through a proxy; empty = as the system says.

    Args:
        address: ``http://host:port``; without a scheme, ``http`` is meant.
    """
    if not address:
        for name, value in _before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _before.clear()
        return
    if not _before:
        _before.update({name: os.environ.get(name) for name in _NAMES})
    for name in _NAMES:
        os.environ[name] = address if "://" in address else f"http://{address}"
