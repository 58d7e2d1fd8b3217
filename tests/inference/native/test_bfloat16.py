"""In bfloat16 the trained models that are at hand choose what transformers chooses.

Random weights have no favourites: rounding alone settles their ties (``test_networks.py`` therefore
looks at leaders only). These models are trained, and read text of their own kind.
"""

from __future__ import annotations

import importlib.resources
import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from inference.cancel import CancelToken
from inference.types import Message
from tests.helpers.assets import REPO, asset
from tests.inference.native.answers import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inference.native.engine import NativeEngine

_RECIPES = str(REPO / "packaging")
if _RECIPES not in sys.path:
    sys.path.append(_RECIPES)

from starter.dialogues import DialogueMaker  # noqa: E402  # lies beside scripts, not in a package
from starter.stories import long_story  # noqa: E402

AGREE = 0.99
SLACK = 0.003
ROW = 128
ROWS = 48


def starter(name: str) -> Path:
    path = Path(str(importlib.resources.files("resources") / "starter" / name))
    if not path.exists():
        pytest.skip(f"resources/starter/{name} has not been made yet")
    return path


def dialogues(engine: NativeEngine) -> Iterator[int]:
    """Chats as the model reads them, without end."""
    maker = DialogueMaker(random.Random(3))
    while True:
        made = maker.dialogue()
        messages = [Message("system", made.system)] if made.system else []
        for question, answer in made.turns:
            messages += [Message("user", question), Message("assistant", answer)]
        yield from (piece.id for piece in engine.render(tuple(messages)).tokens)


def stories(engine: NativeEngine) -> Iterator[int]:
    """Children's stories without end."""
    rng = random.Random(1)
    while True:
        yield from (piece.id for piece in engine.tokenize(long_story(rng) + "\n\n"))


def published(_engine: NativeEngine) -> Iterator[int]:
    """The stories that the original program of stories260K wrote."""
    path = asset("stories260K") / "expected_stories.json"
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
        yield from case["token_ids"]


CASES: dict[str, Any] = {
    "starter-instruct": dialogues,
    "starter-base": stories,
    "stories260K-hf": published,
}


@pytest.mark.parametrize("name", CASES)
@torch.inference_mode()
def test_at_least_99_of_100_choices_are_those_of_transformers(name: str) -> None:
    import transformers

    folder = asset(name) if name == "stories260K-hf" else starter(name)
    engine = opened(folder, dtype="bfloat16")
    text = CASES[name](engine)
    ids = torch.tensor([token for token, _ in zip(text, range(ROW * ROWS), strict=False)])
    rows = ids[: len(ids) // ROW * ROW].view(-1, ROW)
    ours = torch.stack(
        [
            torch.cat(list(engine._session.scored(row.tolist(), CancelToken()))).argmax(-1)
            for row in rows
        ]
    )
    engine.close()
    choices = {}
    for dtype in (torch.bfloat16, torch.float32):
        theirs = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, attn_implementation="eager"
        )
        choices[dtype] = theirs(rows).logits.argmax(-1)
    rounded, exact = choices[torch.bfloat16], choices[torch.float32]
    assert len(rows) >= 3
    assert share(ours == rounded) >= AGREE
    # What float32 would choose is lost to rounding now and then, and not more often than there.
    assert share(ours == exact) >= share(rounded == exact) - SLACK


def share(alike: torch.Tensor) -> float:
    return float(alike.float().mean())
