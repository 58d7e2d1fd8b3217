"""What each part of a model does, in words, and the lines of our own network that do it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from inference.library.anatomy import Tensor

CODE: Final = {
    "embedding": (("layers.py", "Embedding"), ("network.py", "Network._embed")),
    "block": (
        ("network.py", "Block.forward"),
        ("attention.py", "Attention.forward"),
        ("attention.py", "Attention.heads"),
        ("attention.py", "attend"),
        ("attention.py", "rotate"),
        ("layers.py", "MLP.forward"),
        ("layers.py", "RMSNorm"),
    ),
    "output": (("network.py", "Network.score"), ("layers.py", "RMSNorm")),
}
"""For each kind of part, files of ``inference/native`` and names in them; the main one first."""


@dataclass(frozen=True, slots=True)
class TensorWords:
    """What a tensor does, and where it is used."""

    words: str
    code: tuple[str, str]


# In this order: the first that fits a name counts. Names are those of GGUF and of Hugging Face.
_TENSORS: Final = (
    (r"attn_q_norm|q_norm|attn_k_norm|k_norm", "head_norm", ("attention.py", "Attention.heads")),
    (r"norm|\bln_|layernorm", "norm", ("layers.py", "RMSNorm")),
    (r"attn_qkv|qkv_proj|query_key_value|attn\.c_attn", "qkv", ("attention.py", "Attention.heads")),
    (r"attn_q\b|q_proj", "query", ("attention.py", "Attention.heads")),
    (r"attn_k\b|k_proj", "key", ("attention.py", "Attention.heads")),
    (r"attn_v\b|v_proj", "value", ("attention.py", "attend")),
    (
        r"attn_output|o_proj|attn\.c_proj|attention\.dense",
        "merge",
        ("attention.py", "Attention.forward"),
    ),
    (r"gate_up_proj", "gate_up", ("layers.py", "MLP.forward")),
    (r"ffn_gate|gate_proj", "gate", ("layers.py", "MLP.forward")),
    (r"ffn_up|up_proj|c_fc|dense_h_to_4h", "up", ("layers.py", "MLP.forward")),
    (r"ffn_down|down_proj|mlp\.c_proj|dense_4h_to_h", "down", ("layers.py", "MLP.forward")),
    (r"position_embd|wpe", "place", ("network.py", "Network._embed")),
    (r"token_embd|embed_tokens|embed_in|wte", "table", ("layers.py", "Embedding")),
    (r"^output\b|lm_head|embed_out", "head", ("network.py", "Network.score")),
)


def tensor_words(tensor: Tensor) -> TensorWords | None:
    """Return what is known of a tensor by its name; ``None`` where that is nothing."""
    for pattern, kind, code in _TENSORS:
        if re.search(pattern, tensor.name):
            return TensorWords(_words(kind), code)
    return None


def part_words(kind: str) -> str:
    """Return what a part does; ``kind`` is ``embedding``, ``block`` or ``output``."""
    return {
        "embedding": _tr(
            "Each token's id picks one row of a table: the vector it starts with. All that follows "
            "adds to these vectors."
        ),
        "block": _tr(
            "A block adds twice to the stream of each token. Attention looks at the tokens before "
            "it and brings over what fits. The feed-forward part then works on each token by "
            "itself. Norms before or after keep the numbers in range."
        ),
        "output": _tr(
            "A last norm, then a product with one row for each token of the vocabulary: that gives "
            "every possible next token a score. Where no table stands here, the embedding is used "
            "once more (tied)."
        ),
    }[kind]


def _words(kind: str) -> str:
    return {
        "head_norm": _tr("Scales queries or keys of each head before they meet."),
        "norm": _tr("Keeps the stream in range: one factor for each of its numbers."),
        "qkv": _tr("Makes queries, keys and values in one product."),
        "query": _tr("Makes queries: what each token looks for."),
        "key": _tr("Makes keys: what each token can be found by."),
        "value": _tr("Makes values: what is brought over from a token that is looked at."),
        "merge": _tr("Mixes what all heads brought over back into the stream."),
        "gate_up": _tr("Widens the stream to features, and makes the gates that let them pass."),
        "gate": _tr("Makes gates: how much of each feature may pass."),
        "up": _tr("Widens the stream to the features of the feed-forward part."),
        "down": _tr("Writes the features back into the stream."),
        "place": _tr("One row for each place in the text, added at the start."),
        "table": _tr("One row for each token of the vocabulary: where each begins."),
        "head": _tr("One row for each token of the vocabulary: its score as the next one."),
    }[kind]


def _tr(text: str) -> str:
    return QCoreApplication.translate("PartWords", text)
