"""Both engines on tiny random models that compute a row alike in any company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from inference.cancel import CancelToken
from inference.gguf.engine import open_engine as open_gguf
from inference.native.engine import open_engine as open_native
from inference.types import LoadOptions
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

    from inference.engine import Engine


def opened(kind: str, folder: Path, **changes: Any) -> Engine:
    """Open a tiny model with another one beside it that guesses, not always rightly."""
    torch.set_num_threads(1)
    options: dict[str, Any] = {"engine": kind, "threads": 1, "n_ctx": 256}
    if kind == "native":
        main = tiny_llama(folder / "net", seed=1)
        draft = tiny_llama(folder / "small", seed=1, n_layers=1)
        options |= {"device": "cpu"}
    else:
        main = tiny_gguf(folder / "net.gguf", std=0.15)
        draft = tiny_gguf(folder / "small.gguf", std=0.15, layers=1)
        # Flash attention on the processor rounds by the size of the batch (see CONTRIBUTING).
        options |= {"kv_cache_type": "f32", "flash_attention": False}
    options |= {"path": str(main), "draft": str(draft)} | changes
    open_engine = open_native if kind == "native" else open_gguf
    return open_engine(LoadOptions(**options), lambda _: None, CancelToken())
