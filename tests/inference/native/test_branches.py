"""Rows that part from one text: as exact as reading each from its start, in every family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from inference.cancel import CancelToken
from inference.native.beam import BeamDecoder
from inference.native.penalties import Penalties
from inference.native.session import Session, StoppedError
from inference.native.weights import load_network, open_checkpoint
from inference.types import SamplingParams, TokenPiece
from tests.helpers.checkpoints import tiny_llama
from tests.inference.native.reference import random_ids, reference_network

if TYPE_CHECKING:
    from pathlib import Path

    from inference.native.network import Network

N_CTX = 128
PROMPT = 40  # longer than the windows


def loaded(folder: Path) -> Network:
    return load_network(
        open_checkpoint(folder),
        dtype=torch.float32,
        device=torch.device("cpu"),
        progress=lambda _: None,
        cancel=CancelToken(),
    )


def session_of(network: Network) -> Session:
    return Session(network, N_CTX, torch.float32, torch.device("cpu"))


@pytest.mark.parametrize(
    "variant",
    [
        "gpt_neox",
        "mistral, window",
        "qwen2, windows above, yarn",
        "qwen3",
        "phi3, window",
        "gemma2",
        "gemma3",
        "olmo2",
        "granite",
        "smollm3, windows, marked layers",
    ],
)
def test_beams_equal_those_of_transformers_in_every_family(tmp_path: Path, variant: str) -> None:
    network: Any = reference_network(tmp_path, variant)
    ids = random_ids(PROMPT)
    expected = network.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        num_beams=3,
        num_return_sequences=3,
        max_new_tokens=8,
        eos_token_id=None,
        pad_token_id=0,
        output_scores=True,
        return_dict_in_generate=True,
    )
    session, cancel = session_of(loaded(tmp_path)), CancelToken()
    prompt = ids[0].tolist()
    assert list(session.prefill(prompt, cancel))[-1] == PROMPT
    params = SamplingParams(strategy="beam", beams=3)
    decoder = BeamDecoder(
        session,
        params,
        Penalties(params, {}),
        prompt=prompt,
        limit=8,
        ends=(),
        look=lambda _logprobs, _node: None,
    )
    assert decoder.run(cancel)
    ends = decoder.search.tree("r", lambda token: TokenPiece(token, "")).ends
    found = [decoder.search.tokens(end.node) for end in ends]
    assert found == expected.sequences[:, PROMPT:].tolist()
    scores = expected.sequences_scores.tolist()
    assert [end.score for end in ends] == pytest.approx(scores, abs=1e-4)


def test_rows_go_on_from_the_rows_that_were_kept(tmp_path: Path) -> None:
    network = loaded(tiny_llama(tmp_path))
    session, cancel = session_of(network), CancelToken()
    prompt = [5, 6, 7, 8]
    session.read(prompt, cancel)
    branches = session.branch(3, 4)
    branches.read([10, 11, 12], cancel)
    branches.keep([2, 0, 2], 1)
    branches.read([20, 21, 22], cancel)
    branches.keep([1, 1], 2)
    logits = branches.score(branches.read([30, 31], cancel))  # (2, V)
    written = [[*prompt, 10, 21, last] for last in (30, 31)]
    with torch.inference_mode():
        expected = network(torch.tensor(written))[:, -1]
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)


def test_the_session_stays_as_it_was(tmp_path: Path) -> None:
    session, cancel = session_of(loaded(tiny_llama(tmp_path))), CancelToken()
    session.read([5, 6, 7, 8], cancel)
    before = session.next_logits()
    branches = session.branch(2, 3)
    branches.read([10, 11], cancel)
    assert session.length == 4
    assert torch.equal(session.next_logits(), before)


def test_a_stop_in_the_middle_of_a_pass_leaves_the_rows_as_they_were(tmp_path: Path) -> None:
    session, cancel = session_of(loaded(tiny_llama(tmp_path))), CancelToken()
    session.read([5, 6, 7, 8], cancel)
    branches = session.branch(2, 3)
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(StoppedError):
        branches.read([10, 11], stopped)
    fresh = session.branch(2, 3)
    ours = branches.score(branches.read([10, 11], cancel))
    assert torch.equal(ours, fresh.score(fresh.read([10, 11], cancel)))
