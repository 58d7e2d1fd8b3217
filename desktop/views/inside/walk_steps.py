"""The words of the walk-through: ten steps from a text to its next word, and a last chapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication

PROMPT: Final = "Once upon a time there was a little"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, what it says, and the view that shows more.

    Attributes:
        id: Names its figure.
        name: For people.
        words: Paragraphs; "{...}" is filled with what was measured.
        view: Id of the view to open, or empty.
        icon: Of a chapter that stands behind the ten steps; empty for a step.
    """

    id: str
    name: str
    words: tuple[str, ...]
    view: str = ""
    icon: str = ""


PAIR: Final = "pair"
THINKING: Final = "thinking"


def _tr(text: str) -> str:
    return QCoreApplication.translate("WalkThrough", text)


def steps() -> tuple[Step, ...]:
    """Return all steps in order."""
    return (
        Step(
            "words",
            _tr("Your words"),
            (
                _tr(
                    "A language model does one thing: it reads a text and guesses what comes next."
                ),
                _tr(
                    "These ten steps follow one text through the model that is in memory. Every "
                    "number you see is read from it, just now."
                ),
                _tr("{chat}"),
            ),
        ),
        Step(
            "pieces",
            _tr("Words become pieces"),
            (
                _tr(
                    "The model does not read letters. It knows {vocabulary} pieces, called tokens: "
                    "frequent words are one piece, rare ones several."
                ),
                _tr(
                    "Your text is {count} pieces; a dot “·” in them is a space. The number below "
                    "each is its place in the list."
                ),
                _tr("{start}"),
            ),
            "tokens",
        ),
        Step(
            "vectors",
            _tr("Pieces become numbers"),
            (
                _tr(
                    "Each piece is looked up in a table and becomes a row of numbers, its vector. "
                    "Pieces that are used alike have vectors that point the same way."
                ),
                _tr("These are the first numbers of the vectors of the last pieces."),
            ),
            "embeddings",
        ),
        Step(
            "places",
            _tr("Numbers with a place"),
            (
                _tr(
                    "“Dog bites man” is not “man bites dog”: the model has to know where a piece "
                    "stands. So every vector is also given its place, counted from 0."
                ),
            ),
            "tokens",
        ),
        Step(
            "attention",
            _tr("Looking back: attention"),
            (
                _tr(
                    "Now each piece looks at the pieces before it and takes over what fits. It can "
                    "never look ahead. How much it takes from where is called attention."
                ),
                _tr("Here the last piece, “{last}”, looks back in layer {layer}."),
                _tr("Attention is not an explanation: it shows where a head looked, not why."),
            ),
            "attention",
        ),
        Step(
            "forward",
            _tr("Working on: feed-forward"),
            (
                _tr(
                    "After looking back, each piece works on what it has taken over, by itself, "
                    "with numbers that the model has learned from many texts."
                ),
                _tr("Attention and this part each add to the vector of “{last}”, layer by layer."),
            ),
            "layers",
        ),
        Step(
            "layers",
            _tr("Layer after layer"),
            (
                _tr(
                    "Looking back and working on happen {layers} times, once in each layer. If the "
                    "model had to answer early, what would it say? Each row is what one layer "
                    "would put next, the last layer on top."
                ),
            ),
            "layers",
        ),
        Step(
            "scores",
            _tr("From scores to chances"),
            (
                _tr(
                    "After the last layer the model has one score for each piece it knows. A "
                    "higher score means a better fit; the scores alone are not chances yet."
                ),
                _tr(
                    "Each score goes through the same curve and is divided by the sum of all. Now "
                    "they make 100 % together, and a lead of one point makes a piece 2.7 times as "
                    "likely."
                ),
            ),
            "next_word",
        ),
        Step(
            "choice",
            _tr("Choosing one word"),
            (
                _tr(
                    "The model does not simply take the likeliest piece: one is drawn, likelier "
                    "ones more often. Settings can cut off unlikely pieces first: here {kept} of "
                    "{vocabulary} stay in play. Draw a few times."
                ),
            ),
            "next_word",
        ),
        Step(
            "again",
            _tr("Append, and again"),
            (
                _tr(
                    "The chosen piece is put behind the text, and everything begins again with one "
                    "piece more. That is all there is: an answer of a hundred words is a hundred "
                    "and more such rounds."
                ),
            ),
            "lab",
        ),
        Step(
            PAIR,
            _tr("Base against instruct"),
            (
                _tr(
                    "A base model has only learned to continue texts. An instruct model was "
                    "trained further on questions and answers. The same words, two models:"
                ),
            ),
            icon="scale",
        ),
        Step(
            THINKING,
            _tr("Quick against thinking"),
            (
                _tr(
                    "This model can write its thoughts down before it answers. They are pieces "
                    "like any others: they take time, and the answer then has more to look back at."
                ),
                _tr("The same question twice, each time with the likeliest piece:"),
            ),
            icon="brain",
        ),
    )
