from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import torch

from inference.cancel import CancelToken
from inference.native.kv_cache import KVCache
from inference.native.network import Network
from inference.native.past import SessionHolder
from inference.native.scaling import DynamicScaling, LongRopeScaling
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from inference.past.file_format import read_snapshot, write_snapshot
from inference.past.identity import Identity
from tests.inference.native.reference import VARIANTS, random_ids, reference_network

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = 200  # beyond the 64 positions that the scaled variant was "trained" for


FEW = pytest.mark.parametrize(
    "pair", ["llama, grouped heads, untied", "gpt2, tied", "gpt_neox", "gemma3"], indirect=True
)


@pytest.fixture(scope="module", params=VARIANTS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Network]:
    folder = tmp_path_factory.mktemp("reference")
    theirs = reference_network(folder, request.param)
    checkpoint = open_checkpoint(folder)
    ours = load_network(checkpoint, dtype=torch.float32, device=torch.device("cpu"))
    return theirs, ours


@torch.inference_mode()
def test_logits_equal_transformers(pair: tuple[Any, Network]) -> None:
    theirs, ours = pair
    ids = random_ids(LENGTH)
    expected = theirs(ids).logits
    assert expected.std() > 0.5  # a network that says nothing would agree with anything
    torch.testing.assert_close(ours(ids), expected, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_64_greedy_tokens_equal_transformers(pair: tuple[Any, Network]) -> None:
    theirs, ours = pair
    prompt = random_ids(9)
    expected = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=64, do_sample=False
    )[0].tolist()
    session = Session(ours, 128, torch.float32, torch.device("cpu"))
    ids = prompt[0].tolist()
    session.read(ids, CancelToken())
    while len(ids) < 9 + 64:
        ids.append(int(session.next_logits().argmax()))
        session.read(ids[-1:], CancelToken())
    assert ids == expected


@pytest.mark.parametrize(("before", "after"), [(50, 60), (50, 150), (150, 60), (130, 131)])
@torch.inference_mode()
def test_a_prefix_kept_from_another_text_changes_nothing(
    pair: tuple[Any, Network], before: int, after: int
) -> None:
    ours = pair[1]
    session = Session(ours, 256, torch.float32, torch.device("cpu"))
    first, second = random_ids(before)[0].tolist(), random_ids(after)[0].tolist()
    second[:40] = first[:40]
    session.reuse(first)
    list(session.prefill(first, CancelToken()))
    kept = session.reuse(second)
    list(session.prefill(second[kept:], CancelToken()))
    expected = ours(torch.tensor([second]), last_only=True)[0, 0]
    torch.testing.assert_close(session.next_logits(), expected, atol=1e-4, rtol=0)


def restored(session: Session, network: Network, length: int, folder: Path) -> Session:
    """Return a new session that holds what another one has read, by way of a file.

    Args:
        session: Where it comes from.
        network: Theirs.
        length: Of the text that is to be read; some scalings allow nothing to be kept for it.
        folder: For the file.
    """
    ours = Identity("native", "tiny", "1", "float32")
    path = folder / "past"
    assert write_snapshot(path, SessionHolder(session).copy_out(), ours, "chat", CancelToken())
    snapshot = read_snapshot(path, ours)
    fresh = Session(network, 256, torch.float32, torch.device("cpu"))
    holder = SessionHolder(fresh)
    count = holder.usable(session.length, snapshot.facts, session.length, length)
    if count:
        holder.copy_in(snapshot, count)
    return fresh


def may_be_kept(network: Network, read: int, length: int) -> bool:
    """Whether a beginning read by itself has the keys that it has in the longer text."""
    scaling = network.config.rope_scaling
    if isinstance(scaling, DynamicScaling):
        return length <= scaling.original_context
    border = getattr(scaling, "original_context", 0)
    return not isinstance(scaling, LongRopeScaling) or (read > border) == (length > border)


@torch.inference_mode()
def test_logits_over_128_positions_equal_transformers_with_the_cache_restored_from_disk(
    pair: tuple[Any, Network], tmp_path: Path
) -> None:
    theirs, ours = pair
    ids = random_ids(LENGTH)[0].tolist()
    first = Session(ours, 256, torch.float32, torch.device("cpu"))
    first.reuse(ids[:72])
    list(first.prefill(ids[:72], CancelToken()))
    session = restored(first, ours, LENGTH, tmp_path)
    kept = session.reuse(ids)
    assert kept == (72 if may_be_kept(ours, 72, LENGTH) else 0)
    streams: list[torch.Tensor] = []
    list(session.prefill(ids[kept:], CancelToken(), streams.append))
    logits = ours.score(torch.cat(streams, dim=1))[:, -128:]
    expected = theirs(torch.tensor([ids])).logits[:, -128:]
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_64_greedy_tokens_equal_transformers_with_the_cache_restored_from_disk(
    pair: tuple[Any, Network], tmp_path: Path
) -> None:
    theirs, ours = pair
    prompt = random_ids(40)
    expected = theirs.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=64, do_sample=False
    )[0].tolist()
    ids = prompt[0].tolist()
    first = Session(ours, 256, torch.float32, torch.device("cpu"))
    first.reuse(ids[:36])
    list(first.prefill(ids[:36], CancelToken()))
    session = restored(first, ours, len(ids), tmp_path)
    assert session.reuse(ids) == 36
    list(session.prefill(ids[36:], CancelToken()))
    while len(ids) < 40 + 64:
        ids.append(int(session.next_logits().argmax()))
        session.read(ids[-1:], CancelToken())
    assert ids == expected


@torch.inference_mode()
def test_in_bfloat16_rounding_costs_no_more_than_in_transformers(pair: tuple[Any, Network]) -> None:
    theirs, ours = pair
    ids = random_ids(400).view(4, 100)
    theirs(ids[:, :8])  # a short text: dynamic scaling forgets the longest that came before
    exact = theirs(ids).logits
    their_rounded = copy.deepcopy(theirs).to(torch.bfloat16)(ids).logits.float()
    our_rounded = copy.deepcopy(ours).to(torch.bfloat16)(ids).float()
    their_error = (their_rounded - exact).abs().mean()
    assert (our_rounded - exact).abs().mean() < 1.1 * their_error
    # Random weights often have two favourites: only where one leads can both choose alike.
    best, second = exact.topk(2, dim=-1).values.unbind(-1)
    leads = best - second > 6 * their_error
    alike = our_rounded.argmax(-1) == their_rounded.argmax(-1)
    assert leads.float().mean() > 0.5
    assert alike[leads].float().mean() >= 0.99


@pytest.mark.parametrize("sizes", [(200,), (1, 199), (50, 50, 100), (199, 1), (3, 1, 1, 195)])
@torch.inference_mode()
def test_reading_in_chunks_equals_reading_whole(
    pair: tuple[Any, Network], sizes: tuple[int, ...]
) -> None:
    ours = pair[1]
    ids = random_ids(LENGTH)
    cache = KVCache(ours.config, LENGTH)
    cache.expected = LENGTH
    parts = [ours(chunk, cache) for chunk in ids.split(sizes, dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), ours(ids), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_a_shortened_cache_continues_as_if_the_rest_was_never_read(
    pair: tuple[Any, Network],
) -> None:
    ours = pair[1]
    ids = random_ids(60)
    cache = KVCache(ours.config, 100)
    ours(random_ids(80, seed=2), cache)
    cache.truncate(0)
    cache.expected = 60
    ours(ids[:, :40], cache)
    ours(random_ids(10, seed=3), cache)
    cache.truncate(40)
    rest = ours(ids[:, 40:], cache)
    torch.testing.assert_close(rest, ours(ids)[:, 40:], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_sequences_side_by_side_do_not_mix(pair: tuple[Any, Network]) -> None:
    ours = pair[1]
    first, second = random_ids(30), random_ids(30, seed=5)
    both = ours(torch.cat((first, second)))
    torch.testing.assert_close(both[:1], ours(first), atol=1e-4, rtol=0)
    torch.testing.assert_close(both[1:], ours(second), atol=1e-4, rtol=0)


@FEW
@torch.inference_mode()
def test_last_only_gives_the_last_row(pair: tuple[Any, Network]) -> None:
    ours = pair[1]
    ids = random_ids(20)
    last = ours(ids, last_only=True)
    assert last.shape == (1, 1, 97)
    torch.testing.assert_close(last, ours(ids)[:, -1:], atol=1e-5, rtol=0)


@FEW
def test_a_full_cache_refuses_more(pair: tuple[Any, Network]) -> None:
    ours = pair[1]
    with pytest.raises(ValueError, match="11 positions"):
        ours(random_ids(11), KVCache(ours.config, 10))


@FEW
def test_training_makes_the_next_token_likelier(pair: tuple[Any, Network]) -> None:
    network = Network(pair[1].config)
    ids = random_ids(64)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)

    def loss() -> torch.Tensor:
        logits = network(ids[:, :-1])
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[0, 1:])

    before = loss()
    assert before.item() == pytest.approx(4.57, abs=0.3)  # ln 97: an untrained network guesses
    for _ in range(20):
        optimizer.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]  # torch ships it untyped
        optimizer.step()
    assert loss().item() < before.item() - 1
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_saved_network_is_read_by_transformers(pair: tuple[Any, Network], tmp_path: Path) -> None:
    import transformers

    from inference.native.weights import save_checkpoint

    ours = pair[1]
    save_checkpoint(ours, tmp_path, config_extra={"pad_token_id": None})
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, dtype=torch.float32, attn_implementation="eager"
    )
    ids = random_ids(50)
    with torch.inference_mode():
        torch.testing.assert_close(theirs(ids).logits, ours(ids), atol=1e-4, rtol=0)


@pytest.mark.parametrize("pair", ["llama, tied"], indirect=True)
def test_rotary_frequencies_survive_a_cast_of_the_weights(pair: tuple[Any, Network]) -> None:
    network = Network(pair[1].config).to(torch.bfloat16)
    assert network.rotary is not None
    assert network.rotary.frequencies.dtype == torch.float32
