"""Every way of decoding after one text and with one seed, side by side: the decoding lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from inference.cli.figures.shared import LENS_TOP, ids_of, top_of
from inference.cli.meter import Meter
from inference.errors import from_wire
from inference.inside.decodings import WAYS, RunDecodings, run_decoding
from inference.inside.questions import AskNext, NextTokens
from inference.inside.stages import Sorted
from inference.sampling_rules import is_greedy

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.events import Failed
    from inference.inside.decodings import Decoded
    from inference.types import BeamTree, SamplingParams, TokenPiece

_LENGTH: Final = 24
_ACTING: Final = {
    "sample": ("temperature", "top_k", "top_p", "min_p"),
    "beam": ("beams", "length_penalty", "early_stop"),
    "contrastive": ("top_k", "penalty_alpha"),
}


def decoding(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return what each way writes, how each of its tokens was chosen, and measures of the text.

    Raises:
        InferenceError: No way can write here, the engine ended, or it was given up.
    """
    ids, seed = ids_of(pieces), arguments.seed or 0
    length = _LENGTH if arguments.length is None else int(arguments.length)
    top = top_of(arguments, LENS_TOP)
    ways: list[Json] = []
    failures: list[Failed] = []
    meter = Meter(as_json=False)
    try:
        for number, (name, _settings) in enumerate(WAYS, 1):
            meter.show(f"Writing: {name}, {number} of {len(WAYS)}")
            asked = RunDecodings(ids, name, seed, length)
            one = run_decoding(session.client, asked, cancel)
            if one.failure is not None:
                failures.append(one.failure)
            ways.append(_way(one, _steps(session, ids, one, top, cancel)))
    finally:
        meter.clear()
    if len(failures) == len(WAYS):
        last = failures[-1]
        raise from_wire(last.error, last.message, last.hint, last.detail)
    return {"origin": "measured", "seed": seed, "length": length, "ways": ways}


def _way(one: Decoded, steps: list[Json]) -> Json:
    is_written = bool(one.tokens)
    return {
        "way": one.name,
        "settings": _settings(one.sampling),
        "problem": one.problem or None,
        "text": one.text,
        "reason": one.reason,
        "tokens": steps,
        "bits_per_token": one.mean_bits if is_written else None,
        "distinct_1": one.distinct(1) if is_written else None,
        "distinct_2": one.distinct(2) if is_written else None,
        "repeated_3": one.repeated(3) if is_written else None,
        "tree": None if one.tree is None else _tree(one.tree),
    }


def _settings(sampling: SamplingParams) -> dict[str, Json]:
    """Return the settings that act, by the names that ``run`` has for them."""
    if is_greedy(sampling):
        return {"strategy": "greedy"}
    acting = {name: getattr(sampling, name) for name in _ACTING[sampling.strategy]}
    return {"strategy": sampling.strategy, **acting}


def _steps(
    session: Session, ids: tuple[int, ...], one: Decoded, top: int, cancel: CancelToken
) -> list[Json]:
    """Return each token with its place in the model's distribution, and what the cuts left."""
    steps: list[Json] = []
    for at, (piece, logprob) in enumerate(zip(one.tokens, one.logprobs, strict=True)):
        before = (*ids, *ids_of(one.tokens[:at]))
        found = session.client.inspect(AskNext(before, top, all_logits=True), cancel)
        assert isinstance(found, NextTokens)  # noqa: S101  what this question is answered with
        cut = _cut(found, one.sampling, piece.id)
        steps.append({"id": piece.id, "text": piece.text, "logprob": logprob, **cut})
    return steps


def _cut(found: NextTokens, sampling: SamplingParams, token: int) -> dict[str, Any]:
    """Return what was left to choose from, and how likely the token was among it.

    Beam search looks at whole distributions: nothing is cut, its tree tells what was given up.
    """
    stages = Sorted.found_in(found).stages(sampling)
    place = int((stages.order == token).argmax())
    is_cut = sampling.strategy != "beam"
    is_drawn = sampling.strategy == "sample" and not is_greedy(sampling)
    return {
        "rank": place + 1,
        "entropy_bits": found.entropy_bits,
        "kept": int(np.count_nonzero(stages.drawn)) if is_cut else None,
        "kept_share": float(stages.own[stages.drawn > 0].sum()) if is_cut else None,
        "drawn": float(stages.drawn[place]) if is_drawn else None,
        "top": [
            {
                "id": one.id,
                "text": one.text,
                "logprob": one.logprob,
                "drawn": float(chance) if is_drawn else None,
            }
            for one, chance in zip(found.top, stages.drawn, strict=False)
        ],
    }


def _tree(tree: BeamTree) -> Json:
    return {
        "nodes": [
            {
                "id": node.id,
                "text": node.text,
                "parent": node.parent,
                "logprob": node.logprob,
                "score": node.score,
                "state": node.state,
            }
            for node in tree.nodes
        ],
        "winner": tree.winner,
        "ends": [{"node": end.node, "score": end.score} for end in tree.ends],
    }
