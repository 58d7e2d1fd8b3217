"""What was measured of one model on one text; plain frozen values that are kept as JSON."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from inference.evaluation.speed import Speed
from inference.inside.perplexity import Method, perplexity
from inference.types import ModelInfo

PARTS: Final = 64
"""Parts of a text whose surprise is kept, so that two models can be compared part by part."""


class Key(msgspec.Struct, frozen=True):
    """What a result belongs to; the same again would give the same figures.

    Attributes:
        model: Hash of the model's files.
        text: Hash of the text.
        method: How the text was cut.
        window: Tokens read at once.
        options: How the model was loaded, in words.
        versions: Of the app and of the library that computed.
    """

    model: str
    text: str
    method: Method
    window: int
    options: str
    versions: str


class Result(msgspec.Struct, frozen=True):
    """Measured on this computer; ``perplexity`` and what follows from it are derived.

    Attributes:
        key: What it belongs to.
        info: Facts from the model's files.
        tokens: Of the text, as this model cuts it.
        scored: Of those, the ones that have a chance.
        windows: Passes that it was read in.
        nats: Surprise of all scored tokens together.
        scored_bytes: What the scored tokens stand for, in UTF-8; 0 = not known.
        text_bytes: Of the whole text.
        parts: Surprise of ``PARTS`` equal parts of the scored tokens, in nats.
        speed: Of reading and writing.
        memory_bytes: The most that its engine process held in main memory while it was timed.
        load_s: Seconds from the start of the process until the model was ready.
        n_ctx: Context it was loaded with.
        device: Where it ran.
        dtype: Type of its weights in memory.
        threads: Used for writing.
        measured_at: Seconds since the epoch.
    """

    key: Key
    info: ModelInfo
    tokens: int
    scored: int
    windows: int
    nats: float
    scored_bytes: int
    text_bytes: int
    parts: tuple[float, ...]
    speed: Speed
    memory_bytes: int
    load_s: float
    n_ctx: int
    device: str
    dtype: str
    threads: int
    measured_at: float

    @property
    def perplexity(self) -> float:
        """``exp`` of the mean surprise a token."""
        return perplexity(self.nats, self.scored)

    @property
    def bits_per_token(self) -> float:
        """Mean surprise a token."""
        return self.nats / math.log(2) / self.scored

    @property
    def bits_per_byte(self) -> float:
        """Mean surprise a byte of text: the figure that does not depend on the tokenizer.

        Not a number where the bytes are not known.
        """
        return self.nats / math.log(2) / self.scored_bytes if self.scored_bytes else math.nan


class Trouble(msgspec.Struct, frozen=True):
    """Why there are no figures for a model: what happened, and what to do."""

    info: ModelInfo
    message: str
    hint: str = ""
