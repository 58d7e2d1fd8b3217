"""Loads what the first answer needs before its first word comes, off the GUI thread."""

from __future__ import annotations

import threading
from functools import cache

from desktop.widgets.markdown import inline
from desktop.widgets.markdown.highlight import prepare
from desktop.widgets.markdown.parse import block_parser


@cache
def warm_up() -> None:
    """Load the parsers and the reader of one language, once; returns at once."""
    threading.Thread(target=_load, name="markdown warm-up", daemon=True).start()


def _load() -> None:
    block_parser()
    inline.parser()
    prepare("python")
