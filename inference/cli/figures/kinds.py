"""The kinds of figures, by the name that ``--what`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from inference.cli.figures.attention import (
    attention,
    heads,
    print_attention,
    print_heads,
    print_rollout,
    print_scores,
    rollout,
    scores,
)
from inference.cli.figures.changed import changed, print_changed
from inference.cli.figures.decoding import decoding
from inference.cli.figures.decoding_text import print_decoding
from inference.cli.figures.embeddings import embeddings, print_embeddings
from inference.cli.figures.following import following, print_following
from inference.cli.figures.layers import layers, print_layers
from inference.cli.figures.lens import lens, print_lens
from inference.cli.figures.updates import print_updates, updates
from inference.cli.figures.words import (
    analogy,
    context,
    print_analogy,
    print_context,
    print_map,
    word_map,
)
from inference.cli.inspect_text import perplexity, print_perplexity

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from inference.cancel import CancelToken
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.types import TokenPiece


@dataclass(frozen=True, slots=True)
class Kind:
    """How a figure is made and printed for a person, and which options are its own."""

    make: Callable[[Session, argparse.Namespace, Sequence[TokenPiece], CancelToken], Figure]
    show: Callable[[Figure, Sequence[TokenPiece]], None]
    options: frozenset[str] = frozenset()


KINDS: Final = {
    "next": Kind(following, print_following),
    "attention": Kind(attention, print_attention),
    "embeddings": Kind(embeddings, print_embeddings),
    "lens": Kind(lens, print_lens, frozenset({"along"})),
    "layers": Kind(layers, print_layers),
    "perplexity": Kind(perplexity, print_perplexity),
    "rollout": Kind(rollout, print_rollout),
    "heads": Kind(heads, print_heads),
    "scores": Kind(scores, print_scores, frozenset({"place"})),
    "updates": Kind(updates, print_updates, frozenset({"place"})),
    "analogy": Kind(analogy, print_analogy),
    "map": Kind(word_map, print_map, frozenset({"projection", "frequent"})),
    "context": Kind(context, print_context, frozenset({"place"})),
    "changed": Kind(
        changed,
        print_changed,
        frozenset({"off", "exchange", "temperature", "seed", "length"}),
    ),
    "decoding": Kind(decoding, print_decoding, frozenset({"seed", "length"})),
}

OWN_OPTIONS: Final = sorted(frozenset().union(*(kind.options for kind in KINDS.values())))
"""Options that only some kinds take."""
