"""Texts and dialogues as rows of token ids, packed; row and step decide the content.

A batch depends only on seed, stage and step, so a training run can stop and go on anywhere.
One text or dialogue in fifty, chosen by a checksum of it, is kept for validation only.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from starter.corpus import CorpusMaker
from starter.dialogues import DialogueMaker
from starter.tokenizer import BOS, END, START, special_id

if TYPE_CHECKING:
    from starter.dialogues import Dialogue
    from tokenizers import Tokenizer
    from torch import Tensor

IGNORED = -100
_HELD_OUT = 50


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and targets, both (B, T); a target of ``IGNORED`` costs nothing."""

    inputs: Tensor
    targets: Tensor


@dataclass(slots=True)
class BatchMaker:
    """Makes batches of either stage.

    Args:
        tokenizer: Of the models.
        seed: Of the whole recipe.
        books: Chunks of public-domain books for pre-training, or none.
        corpus: Reused between batches, its source of chance is replaced.
        dialogues: As above.
        part: Rank of this process; every rank of a team makes other rows of the same step.
    """

    tokenizer: Tokenizer
    seed: int
    books: tuple[str, ...]
    corpus: CorpusMaker
    dialogues: DialogueMaker
    part: int = 0

    @classmethod
    def create(
        cls, tokenizer: Tokenizer, seed: int, books: tuple[str, ...], part: int = 0
    ) -> BatchMaker:
        """Return a maker with fresh sources."""
        nothing = random.Random(seed)
        corpus, dialogues = CorpusMaker(nothing, books), DialogueMaker(nothing)
        return cls(tokenizer, seed, books, corpus, dialogues, part)

    def texts(self, step: int, rows: int, length: int, *, validation: bool = False) -> Batch:
        """Return running text, packed without gaps: every token is a target."""
        self.corpus.rng = self._chance("texts", step, validation=validation)
        bos = special_id(self.tokenizer, BOS)
        ids: list[int] = []
        while len(ids) < rows * length + 1:
            text = self.corpus.text()
            if _held_out(text) == validation:
                ids += [bos, *_plain(self.tokenizer, text)]
        flat = torch.tensor(ids[: rows * length + 1])
        return Batch(flat[:-1].view(rows, length), flat[1:].view(rows, length))

    def chats(self, step: int, rows: int, length: int, *, validation: bool = False) -> Batch:
        """Return dialogues; every row starts with one, and only answers are targets."""
        self.dialogues.rng = self._chance("chats", step, validation=validation)
        pairs = [self._chat_row(length + 1, validation=validation) for _ in range(rows)]
        ids = torch.tensor([row for row, _ in pairs])
        answers = torch.tensor([marks for _, marks in pairs])
        targets = torch.where(answers[:, 1:], ids[:, 1:], IGNORED)
        return Batch(ids[:, :-1].contiguous(), targets)

    def _chance(self, stage: str, step: int, *, validation: bool) -> random.Random:
        # All ranks validate on the same rows.
        return random.Random(
            f"{self.seed} {stage} {validation} {step} {self.part * (not validation)}"
        )

    def _chat_row(self, length: int, *, validation: bool) -> tuple[list[int], list[bool]]:
        ids: list[int] = []
        marks: list[bool] = []
        while len(ids) < length:
            dialogue = self.dialogues.dialogue()
            if _held_out(dialogue.turns[0][0]) != validation:
                continue
            more, answered = chat_ids(self.tokenizer, dialogue)
            ids += more
            marks += answered
        return ids[:length], marks[:length]


def chat_ids(tokenizer: Tokenizer, dialogue: Dialogue) -> tuple[list[int], list[bool]]:
    """Return a dialogue as the chat template writes it, and which ids the model has to say."""
    special = {name: special_id(tokenizer, name) for name in (BOS, START, END)}
    ids: list[int] = [special[BOS]]
    marks = [False]

    def add(role: str, content: str) -> None:
        said = role == "assistant"
        head = [special[START], *_plain(tokenizer, f"{role}\n")]
        body = [*_plain(tokenizer, content), special[END]]
        tail = _plain(tokenizer, "\n")
        ids.extend([*head, *body, *tail])
        marks.extend([False] * len(head) + [said] * len(body) + [False] * len(tail))

    if dialogue.system is not None:
        add("system", dialogue.system)
    for question, answer in dialogue.turns:
        add("user", question)
        add("assistant", answer)
    return ids, marks


def _plain(tokenizer: Tokenizer, text: str) -> list[int]:
    # What a person types never becomes a special token, whatever it looks like.
    tokenizer.encode_special_tokens = True
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def _held_out(text: str) -> bool:
    return zlib.crc32(text.encode()) % _HELD_OUT == 0
