"""The decoding lab for a person at a terminal: measures, texts, steps, and the beams' tree."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from inference.cli import console
from inference.cli.figures.shared import share_text, token_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cli.figures.shared import Figure
    from inference.types import TokenPiece

_NAMES: Final = {
    "beam": "beam {beams}",
    "contrastive": "contrastive {top_k}",
    "temperature": "temperature {temperature:g}",
    "cool": "temperature {temperature:g}",
    "top_k": "top-k {top_k}",
    "top_p": "top-p {top_p:g}",
    "min_p": "min-p {min_p:g}",
}
_STATES: Final = {"kept": "went on", "finished": "complete", "pruned": "given up"}


def print_decoding(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    """Print the ways side by side: first as a whole, then step by step."""
    console.line(
        f"Each way writes up to {figure['length']} tokens after the text, with seed "
        f"{figure['seed']}."
    )
    written = [way for way in figure["ways"] if way["problem"] is None]
    _print_measures(written)
    names = {way["way"]: _name(way) for way in figure["ways"]}
    width = max(map(len, names.values())) + 1
    console.line()
    for way in figure["ways"]:
        told = way["problem"] or console.quoted(way["text"])
        console.line(f"{names[way['way']] + ':':{width}}  {told}")
    console.line()
    console.line(
        "Step by step: the token, the model's own chance of it, and how many tokens the settings "
        "left to choose from (derived)."
    )
    draws = {way["way"]: way["settings"]["strategy"] == "sample" for way in written}
    for group in (False, True):
        _print_steps([way for way in written if draws[way["way"]] is group])
    for way in written:
        if way["tree"] is not None:
            _print_tree(way["tree"])


def _name(way: Figure) -> str:
    name: str = way["way"]
    return _NAMES.get(name, name).format(**way["settings"])


def _print_measures(ways: Sequence[Figure]) -> None:
    """Print measures of each text, as the window's lab does."""
    rows: list[tuple[str, ...]] = []
    rows.append(("way", "tokens", "bits a token", "distinct-1", "distinct-2", "runs of 3 repeated"))
    for way in ways:
        if not way["tokens"]:
            rows.append((_name(way), "0", "", "", "", ""))
            continue
        shares = (f"{100 * way[name]:.0f} %" for name in ("distinct_1", "distinct_2"))
        bits, count = f"{way['bits_per_token']:.2f}", str(len(way["tokens"]))
        rows.append((_name(way), count, bits, *shares, str(way["repeated_3"])))
    console.table(rows, right=(1, 2, 3, 4, 5))


def _print_steps(ways: Sequence[Figure]) -> None:
    if not any(way["tokens"] for way in ways):
        return
    rows = [("step", *map(_name, ways))]
    for step, tokens in enumerate(zip_longest(*(way["tokens"] for way in ways)), 1):
        rows.append((str(step), *map(_step, tokens)))
    console.table(rows, right=(0,))
    console.line()


def _step(one: Figure | None) -> str:
    if one is None:  # this way had ended
        return ""
    left = "" if one["kept"] is None else f" of {one['kept']:,}"
    return f"{token_text(one)} {share_text(one['logprob'])}{left}"


def _print_tree(tree: Figure) -> None:
    """Print the tokens that beam search looked at, and the answers that were complete."""
    nodes = tree["nodes"]
    given_up = sum(node["state"] == "pruned" for node in nodes)
    console.line(
        f"The tree of the beam search: {len(nodes)} tokens looked at, {given_up} given up. Each "
        "has its number, its score, and in brackets the number of the token before it."
    )
    steps: list[int] = []
    told: dict[tuple[int, str], list[str]] = {}
    for place, node in enumerate(nodes):
        parent = node["parent"]
        steps.append(1 if parent < 0 else steps[parent] + 1)
        after = "" if parent < 0 else f" ({parent})"
        words = f"{place} {token_text(node)} {node['score']:.2f}{after}"
        told.setdefault((steps[place], node["state"]), []).append(words)
    rows = [("step", "", "")]
    for step in range(1, max(steps, default=0) + 1):
        states = [state for state in _STATES if (step, state) in told]
        for row, state in enumerate(states):
            number = "" if row else str(step)
            rows.append((number, _STATES[state], ", ".join(told[step, state])))
    console.table(rows, right=(0,))
    console.line()
    ends = [
        (f"{end['score']:.3f}", str(end["node"]), console.quoted(_branch(nodes, end["node"])))
        for end in tree["ends"]
    ]
    console.table([("score", "ends in", "complete answer"), *ends], right=(0, 1))


def _branch(nodes: Sequence[Figure], place: int) -> str:
    """Return the text from the prompt to a token."""
    text = ""
    while place >= 0:
        text = nodes[place]["text"] + text
        place = nodes[place]["parent"]
    return text
