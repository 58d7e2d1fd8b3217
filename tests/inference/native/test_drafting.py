"""Guessed tokens are read, judged and taken back without a trace, in every family."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from inference.cancel import CancelToken
from inference.drafters import PromptLookup
from inference.native.drafting import NetworkReader
from inference.native.sampling import Sampler
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from inference.speculation import Draft, Speculation
from inference.types import SamplingParams
from tests.inference.native.reference import VARIANTS, random_ids, reference_network

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from inference.speculation import Drafter

PROMPT = 45  # longer than the windows; the answer crosses LongRoPE's and dynamic's borders
WRITTEN = 100


class KnowsBest:
    """Guesses from the answer that is expected, wrong at every fifth token."""

    def __init__(self, answer: Sequence[int]) -> None:
        self._answer = answer

    def prepare(self, prompt: Sequence[int]) -> None:
        del prompt

    def propose(self, history: Sequence[int], most: int) -> Draft:
        first = len(history) - PROMPT
        return Draft(
            [
                (token + 1) % 97 if (first + i) % 5 == 4 else token
                for i, token in enumerate(self._answer[first : first + most])
            ]
        )

    def close(self) -> None:
        pass


def plainly(session: Session, prompt: list[int], params: SamplingParams) -> list[int]:
    session.reuse(())
    session.reuse(prompt)
    session.read(prompt, CancelToken())
    sampler = Sampler(params, 3, prompt)
    found: list[int] = []
    while len(found) < WRITTEN:
        found.append(sampler.pick(session.next_logits()))
        session.read(found[-1:], CancelToken())
    return found


def guessing(
    session: Session, prompt: list[int], params: SamplingParams, drafter: Drafter
) -> tuple[list[int], Speculation[torch.Tensor]]:
    session.reuse(())
    session.reuse(prompt)
    session.read(prompt, CancelToken())
    speculation = Speculation(
        NetworkReader(session, CancelToken()),
        Sampler(params, 3, prompt),
        drafter,
        prompt=prompt,
        seed=3,
        limit=WRITTEN,
        most=params.draft_tokens,
        ends=(),
    )
    tokens = speculation.tokens()
    return [next(tokens)[0] for _ in range(WRITTEN)], speculation


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_answer_is_token_for_token_that_without_guesses(tmp_path: Path, variant: str) -> None:
    reference_network(tmp_path, variant)
    network = load_network(
        open_checkpoint(tmp_path), dtype=torch.float32, device=torch.device("cpu")
    )
    session = Session(network, PROMPT + WRITTEN + 1, torch.float32, torch.device("cpu"))
    prompt = random_ids(PROMPT)[0].tolist()
    for params in (
        SamplingParams(temperature=0.0),
        SamplingParams(temperature=0.8, repeat_penalty=1.2, no_repeat_ngram=3, draft_tokens=5),
    ):
        expected = plainly(session, prompt, params)
        found, counted = guessing(session, prompt, params, KnowsBest(expected))
        assert found == expected
        assert counted.drafted > counted.accepted > 0
        looked_up, _counted = guessing(session, prompt, params, PromptLookup())
        assert looked_up == expected
        # What was taken back is not in the way of what is read next.
        after = [*prompt, *found[:30]]
        assert session.reuse([*after, 1]) == len(after) if _stays(variant) else True


def _stays(variant: str) -> bool:
    """Whether keys of a long text are those of a short one; see ``scaling.prefix_may_stay``."""
    return "longrope" not in variant and "dynamic" not in variant


def test_guesses_go_together_with_a_compiled_step(tmp_path: Path) -> None:
    reference_network(tmp_path, "mistral, window")
    network = load_network(
        open_checkpoint(tmp_path), dtype=torch.float32, device=torch.device("cpu")
    )
    session = Session(network, PROMPT + WRITTEN + 1, torch.float32, torch.device("cpu"))
    session.compile("eager")
    prompt = random_ids(PROMPT)[0].tolist()
    params = SamplingParams(temperature=0.0)
    expected = plainly(session, prompt, params)
    found, counted = guessing(session, prompt, params, KnowsBest(expected))
    assert found == expected
    assert counted.accepted > 0
