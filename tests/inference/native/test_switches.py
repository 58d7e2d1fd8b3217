"""What is switched off is off, and only that: held against transformers with the same cut."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from msgspec.structs import astuple

from inference.cancel import CancelToken
from inference.errors import UnsupportedRequestError
from inference.inside.answering import answer
from inference.inside.questions import (
    AskChanged,
    BlockOff,
    ChangedRun,
    EdgeOff,
    HeadOff,
    NextTokens,
    WrittenStep,
)
from inference.native.inside import NativeSource
from inference.native.kv_cache import KVCache
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from inference.types import TokenPiece
from tests.inference.native.reference import random_ids, reference_network
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LENGTH = 40
IDS = tuple(random_ids(_LENGTH)[0].tolist())


def _any(_ids: Sequence[int]) -> None:
    return None


class Pair:
    """Transformers' network and our source of the same weights."""

    def __init__(self, folder: Path, variant: str) -> None:
        self.theirs = reference_network(folder, variant)
        device = torch.device("cpu")
        network = load_network(open_checkpoint(folder), dtype=torch.float32, device=device)
        session = Session(network, 128, torch.float32, device)
        self.source = NativeSource(network, session, 128, str, _any)

    def ours(self, *changes: Any) -> np.ndarray[Any, Any]:
        return self.source.changed_logits(IDS, changes, CancelToken())

    @torch.inference_mode()
    def their_logits(self) -> np.ndarray[Any, Any]:
        logits: np.ndarray[Any, Any] = self.theirs(torch.tensor([IDS])).logits[0, -1].numpy()
        return logits

    def run(self, *changes: Any, **more: Any) -> ChangedRun:
        question = AskChanged(IDS, changes, **more)
        found = answer(question, self.source, CancelToken())
        assert isinstance(found, ChangedRun)
        return found


@pytest.fixture(params=["llama, grouped heads, untied", "qwen3", "gemma2", "olmo2", "gpt_neox"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    return Pair(tmp_path, request.param)


def test_without_a_change_both_runs_are_the_same(pair: Pair) -> None:
    np.testing.assert_allclose(pair.ours(), pair.their_logits(), atol=1e-4)
    run = pair.run()
    assert run.shift_bits == pytest.approx(0, abs=1e-6)
    assert run.before == run.after
    assert run.before_text == run.after_text != ""


def test_a_head_that_is_off_brings_nothing_over(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "llama, grouped heads, untied")
    before = pair.ours()
    ours = pair.ours(HeadOff(1, 2))
    with torch.no_grad():  # the columns of the output projection that take this head's values
        pair.theirs.model.layers[1].self_attn.o_proj.weight[:, 2 * 8 : 3 * 8] = 0
    np.testing.assert_allclose(ours, pair.their_logits(), atol=1e-4)
    assert np.abs(ours - before).max() > 1e-3
    np.testing.assert_array_equal(pair.ours(), before)  # the hooks are gone


def test_a_part_that_is_off_adds_nothing(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "llama, grouped heads, untied")
    layer = pair.theirs.model.layers[1]
    off = {part: pair.ours(BlockOff(1, part)) for part in ("attention", "forward", "block")}
    with torch.no_grad():
        attention, forward = layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight
        kept = attention.clone()
        attention.zero_()
        np.testing.assert_allclose(off["attention"], pair.their_logits(), atol=1e-4)
        forward.zero_()
        np.testing.assert_allclose(off["block"], pair.their_logits(), atol=1e-4)
        attention.copy_(kept)
    np.testing.assert_allclose(off["forward"], pair.their_logits(), atol=1e-4)


def test_an_edge_that_is_cut_leaves_its_share_to_the_others(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "llama, grouped heads, untied")
    last = _LENGTH - 1
    cut = [EdgeOff(last, target) for target in range(1, last)]
    # Looking at nothing but itself and the first token is what a mask of the last row does.
    mask = torch.full((_LENGTH, _LENGTH), torch.finfo(torch.float32).min).triu(1)
    mask[last, 1:last] = torch.finfo(torch.float32).min
    with torch.inference_mode():
        theirs = pair.theirs(torch.tensor([IDS]), attention_mask=mask[None, None])
    one_by_one = pair.ours(*cut[:1])
    assert np.abs(one_by_one - pair.ours()).max() > 1e-6
    run = pair.run(*cut[:1], length=0)
    assert run.shift_bits > 0
    np.testing.assert_allclose(pair.ours(*cut), theirs.logits[0, -1].numpy(), atol=1e-4)


def test_other_tokens_change_the_text_that_is_written(pair: Pair) -> None:
    changed = (*IDS[:-1], (IDS[-1] + 1) % 97)
    run = pair.run(changed_ids=changed, length=5)
    assert run.shift_bits > 0
    assert run.before.top != run.after.top


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (HeadOff(0, 99), "no head 99"),
        (HeadOff(99, 0), "no layer 99"),
        (BlockOff(99), "no layer 99"),
        (EdgeOff(3, 5), "does not look"),
        (EdgeOff(_LENGTH, 0), "does not look"),
    ],
)
def test_what_does_not_exist_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    pair = Pair(tmp_path, "llama, tied")
    with pytest.raises(UnsupportedRequestError, match=words):
        pair.run(change)


@pytest.mark.parametrize("changes", [(), (HeadOff(1, 2), EdgeOff(_LENGTH - 1, 3), BlockOff(0))])
def test_a_changed_run_that_keeps_what_it_read_writes_what_one_that_reads_anew_writes(
    pair: Pair, changes: tuple[Any, ...]
) -> None:
    run = pair.run(*changes, length=6, temperatures=(0.0, 1.5, 0.7), seed=3)
    written = list(IDS)
    for step in run.after_steps:
        pair.source.changed_logits(IDS[:5], changes[:1], CancelToken())  # forgets the run
        anew = pair.source.changed_logits(written, changes, CancelToken())
        for one in step.top:
            assert one.logit == pytest.approx(float(anew[one.id]), abs=1e-4)
        written.append(step.id)


def test_temperatures_hold_for_their_step_and_the_last_for_all_after_it(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "llama, tied")
    run = pair.run(length=5, temperatures=(2.0, 0.0, 0.5), temperature=1.0, seed=11)
    assert [step.temperature for step in run.after_steps] == [2.0, 0.0, 0.5, 0.5, 0.5]
    assert [step.temperature for step in run.before_steps] == [1.0] * 5
    logits = pair.ours()
    heated = torch.from_numpy(logits / 2.0).double().log_softmax(-1)
    first = run.after_steps[0]
    for one in first.top:
        assert one.logprob == pytest.approx(float(heated[one.id]), abs=1e-4)
    bits = -(heated.exp() * heated).sum() / np.log(2)
    assert first.entropy_bits == pytest.approx(float(bits), abs=1e-3)
    second = run.after_steps[1]
    assert second.id == second.top[0].id  # 0 takes the likeliest
    assert run.shift_bits == pytest.approx(0, abs=1e-6)  # the model itself is as it was


def test_equal_temperatures_and_seeds_write_the_same_and_others_do_not(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "llama, tied")
    same = pair.run(length=12, temperatures=(1.5,), temperature=1.5, seed=1)
    assert same.after_steps == same.before_steps
    other = pair.run(length=12, temperatures=(1.5,), temperature=1.5, seed=2)
    assert other.after_text != same.after_text


@pytest.mark.parametrize("temperature", [-0.1, 5.1, float("nan")])
def test_temperatures_that_nothing_can_be_drawn_at_are_refused(
    tmp_path: Path, temperature: float
) -> None:
    pair = Pair(tmp_path, "llama, tied")
    with pytest.raises(UnsupportedRequestError, match="cannot be drawn"):
        pair.run(temperatures=(temperature,))


def test_a_changed_run_leaves_no_cache_behind(tmp_path: Path) -> None:
    engine: Any = opened("native", tmp_path)

    def caches() -> int:
        gc.collect()
        return sum(type(one) is KVCache for one in gc.get_objects())

    before = caches()
    run = engine.inspect(AskChanged(IDS, (BlockOff(0),), length=3), CancelToken())
    assert len(run.after_steps) == 3
    assert caches() == before
    engine.close()


def test_both_runs_end_where_an_answer_would(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "llama, tied")
    hot = {"length": 12, "temperatures": (1.5,), "temperature": 1.5, "seed": 4}
    free = pair.run(BlockOff(0), **hot)
    for steps, told in ((free.before_steps, "before"), (free.after_steps, "after")):
        assert len(steps) == 12
        end = steps[5].id
        pair.source.ends = (end,)
        ended = pair.run(BlockOff(0), **hot)
        found = ended.before_steps if told == "before" else ended.after_steps
        first = next(n for n, step in enumerate(steps) if step.id == end)
        assert found == steps[: first + 1]  # the token that ends it is told too


def test_both_runs_end_at_a_text_that_ends_a_turn_and_leave_it_out(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "llama, tied")
    hot = {"length": 12, "temperatures": (1.5,), "temperature": 1.5, "seed": 4}
    free = pair.run(BlockOff(0), **hot)
    assert not free.before_ended
    assert not free.after_ended
    stop = free.after_text[4:9]  # tokens are numbers here: the end of one, the beginning of another
    ended = pair.run(BlockOff(0), **hot, stops=("not there", stop))
    assert ended.after_ended
    assert ended.after_text == free.after_text[: free.after_text.index(stop)]
    assert ended.after_steps == free.after_steps[: len(ended.after_steps)]
    assert 0 < len(ended.after_steps) < 12
    assert ended.before_ended == (stop in free.before_text)


def test_what_a_run_wrote_is_read_as_letters_without_the_token_that_ends_it() -> None:
    pieces = (TokenPiece(1, "\ufffd", raw=b"\xc3"), TokenPiece(2, "\ufffd", raw=b"\xa9"))
    steps = tuple(
        WrittenStep(*astuple(piece), temperature=0.0, entropy_bits=0.0, top=())
        for piece in (*pieces, TokenPiece(0, "</s>", special=True))
    )
    nothing = NextTokens((), 0.0)
    assert ChangedRun(nothing, nothing, steps, steps[:1], 0.0).before_text == "é"
