"""What the parts of a network bring to the scores adds up to them, and equals transformers'."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from inference.cancel import CancelToken
from inference.errors import UnsupportedRequestError
from inference.inside.answering import answer
from inference.inside.pushes import AskPushes, AskVotes, Pushes, Votes
from inference.inside.questions import AskHidden, AskNext
from inference.inside.reading import StoppedLookError
from inference.native.inside import NativeSource
from inference.native.scaling import DynamicScaling
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from tests.inference.native.reference import VARIANTS, VOCAB_SIZE, random_ids, reference_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from inference.inside.questions import Question

    Numbers = npt.NDArray[np.float64]

_LENGTH = 90  # past every window, and past the 64 positions of the scaled variants
_PLACE = 70
IDS = tuple(random_ids(_LENGTH)[0].tolist())
_ADDING = {
    "llama, biases": ("layers", "self_attn", "mlp"),
    "gpt2, tied": ("h", "attn", "mlp"),
    "gpt_neox": ("layers", "attention", "mlp"),
    "gemma2": ("layers", "post_attention_layernorm", "post_feedforward_layernorm"),
    "olmo2": ("layers", "post_attention_layernorm", "post_feedforward_layernorm"),
    "granite": ("layers", "self_attn", "mlp"),
}
"""Where each family's blocks are, and the modules whose outputs reach the stream."""


class Pair:
    """Transformers' network and our source of the same weights."""

    def __init__(self, theirs: Any, source: NativeSource) -> None:
        self.theirs = theirs
        self.source = source

    def ask(self, question: Question) -> Any:
        return answer(question, self.source, CancelToken())


def _any(_ids: Sequence[int]) -> None:
    return None


@pytest.fixture(scope="module", params=VARIANTS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _pair(tmp_path_factory.mktemp("reference"), request.param)


def _pair(folder: Any, variant: str) -> Pair:
    theirs = reference_network(folder, variant)
    device = torch.device("cpu")
    network = load_network(open_checkpoint(folder), dtype=torch.float32, device=device)
    session = Session(network, 128, torch.float32, device)
    return Pair(theirs, NativeSource(network, session, 128, str, _any))


def _rises(found: Pushes) -> Numbers:
    """What each part does to every token, where all were asked for, (P, V)."""
    rises = np.full((len(found.parts), VOCAB_SIZE), np.nan)
    for row, part in enumerate(found.parts):
        for one in part.promoted:
            rises[row, one.id] = one.rise
    return rises


def test_the_parts_add_up_to_the_scores(pair: Pair) -> None:
    found = pair.ask(AskPushes(IDS, top_n=VOCAB_SIZE))
    assert isinstance(found, Pushes)
    assert found.origin == "derived"
    n_layers = pair.source.n_layers
    assert [(part.kind, part.layer) for part in found.parts] == [
        ("embedding", -1),
        *((kind, n) for n in range(n_layers) for kind in ("attention", "forward")),
        ("rest", -1),
    ]
    sums = _rises(found).sum(axis=0)  # (V,)
    cap = pair.source.head.cap
    scores = cap * np.tanh(sums / cap) if cap else sums
    with torch.inference_mode():
        expected = pair.theirs(torch.tensor([IDS]), use_cache=False).logits[0, -1].numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-4, rtol=0)
    has_bias = hasattr(pair.source._network.final_norm, "bias")
    rest = np.abs(_rises(found)[-1]).max()
    assert rest > 0.01 if has_bias else rest < 1e-4


def test_votes_are_the_rises_of_two_tokens_and_of_the_mean(pair: Pair) -> None:
    rises = _rises(pair.ask(AskPushes(IDS, top_n=VOCAB_SIZE)))  # (P, V)
    found = pair.ask(AskVotes(IDS, 5, 9))
    assert isinstance(found, Votes)
    assert (found.token.id, found.rival and found.rival.id) == (5, 9)
    told = np.array([(vote.rise, vote.rival, vote.mean) for vote in found.votes], float)
    expected = np.stack([rises[:, 5], rises[:, 9], rises.mean(axis=1)], axis=1)
    np.testing.assert_allclose(told, expected, atol=2e-5)
    assert found.score == pytest.approx(rises[:, 5].sum(), abs=1e-4)
    assert found.lead == pytest.approx((rises[:, 5] - rises[:, 9]).sum(), abs=1e-4)
    alone = pair.ask(AskVotes(IDS, 5))
    assert alone.rival is None
    assert alone.lead == pytest.approx((rises[:, 5] - rises.mean(axis=1)).sum(), abs=1e-4)


def test_lists_begin_with_the_largest_rise_and_with_the_largest_fall(pair: Pair) -> None:
    every = pair.ask(AskPushes(IDS, (1,), top_n=VOCAB_SIZE))
    few = pair.ask(AskPushes(IDS, (1,), top_n=4))
    assert [(part.kind, part.layer) for part in few.parts] == [("attention", 1), ("forward", 1)]
    for short, rises in zip(few.parts, _rises(every), strict=True):
        assert [one.id for one in short.promoted] == np.argsort(-rises)[:4].tolist()
        assert [one.id for one in short.suppressed] == np.argsort(rises)[:4].tolist()
        assert short.mean == pytest.approx(rises.mean(), abs=1e-5)


def test_a_place_in_the_text_is_that_of_the_text_up_to_it(pair: Pair) -> None:
    whole = _rises(pair.ask(AskPushes(IDS, top_n=VOCAB_SIZE, position=_PLACE)))
    cut = _rises(pair.ask(AskPushes(IDS[: _PLACE + 1], top_n=VOCAB_SIZE)))
    np.testing.assert_array_equal(whole, cut)


def test_a_text_in_the_cache_is_not_read_again_and_gives_the_same(pair: Pair) -> None:
    fresh = pair.source.parts(IDS, CancelToken())
    pair.ask(AskNext(IDS[::-1]))
    pair.ask(AskNext(IDS))  # the session holds it now
    blocks = pair.source._network.blocks
    lengths: list[int] = []
    handle = blocks[0].register_forward_pre_hook(lambda _, given: lengths.append(given[0].shape[1]))
    behind = pair.source.parts(IDS, CancelToken())
    handle.remove()
    # Keys of the dynamic form turn with the length of the whole text: it is read anew.
    is_dynamic = isinstance(pair.source._network.config.rope_scaling, DynamicScaling)
    assert lengths == [_LENGTH if is_dynamic else 1]
    np.testing.assert_allclose(behind, fresh, atol=2e-4, rtol=1e-4)
    stream = pair.ask(AskHidden(IDS, (_LENGTH - 1,))).numbers()[:, 0]  # (L + 1, C)
    np.testing.assert_allclose(behind[0], stream[0], atol=1e-5)
    np.testing.assert_allclose(behind[-1], stream[-1], atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("variant", _ADDING)
def test_rises_equal_those_of_transformers_modules(variant: str, tmp_path: Any) -> None:
    pair = _pair(tmp_path, variant)
    with torch.inference_mode():
        added, stream = _their_parts(pair.theirs, *_ADDING[variant])
    expected = _their_rises(pair.theirs, added, stream)  # (P - 1, V)
    ours = _rises(pair.ask(AskPushes(IDS, top_n=VOCAB_SIZE)))[:-1]
    np.testing.assert_allclose(ours, expected, atol=1e-4, rtol=0)
    assert np.abs(expected[1:]).max() > 0.05  # the blocks do bring something


def _their_parts(theirs: Any, blocks: str, *modules: str) -> tuple[Numbers, Numbers]:
    """What their modules add at the last place, the embedding first, and the whole stream."""
    inner = theirs.base_model
    scale = getattr(theirs.config, "residual_multiplier", 1.0)
    seen: list[Numbers] = []
    normed: list[Numbers] = []

    def numbers(output: Any) -> Numbers:
        tensor = output[0] if isinstance(output, tuple) else output
        return tensor[0, -1].double().numpy()  # type: ignore[no-any-return]

    layers = getattr(inner, blocks)
    handles = [
        layers[0].register_forward_pre_hook(lambda _, given: seen.append(numbers(given[0]))),
        *(
            layer.get_submodule(name).register_forward_hook(
                lambda _, __, output: seen.append(numbers(output) * scale)
            )
            for layer in layers
            for name in modules
        ),
        _their_norm(theirs).register_forward_pre_hook(
            lambda _, given: normed.append(numbers(given[0]))
        ),
    ]
    theirs(torch.tensor([IDS]), use_cache=False)
    for handle in handles:
        handle.remove()
    return np.stack(seen), normed[0]


def _their_norm(theirs: Any) -> Any:
    inner = theirs.base_model
    return next(
        getattr(inner, name)
        for name in ("norm", "ln_f", "final_layer_norm")
        if hasattr(inner, name)
    )


def _their_rises(theirs: Any, added: Numbers, stream: Numbers) -> Numbers:
    """The parts through norm and head in float64, the norm's scale that of the whole stream."""
    norm = _their_norm(theirs)
    weight = norm.weight.detach().double().numpy()
    if isinstance(norm, torch.nn.LayerNorm):
        added = added - added.mean(axis=1, keepdims=True)
        size = math.sqrt(stream.var() + norm.eps)
    else:
        eps = getattr(norm, "variance_epsilon", None) or norm.eps
        size = math.sqrt((stream**2).mean() + eps)
        if "Gemma" in type(norm).__name__:
            weight = 1 + weight
    head = theirs.get_output_embeddings().weight.detach().double().numpy()
    divisor = getattr(theirs.config, "logits_scaling", 1.0)
    rises: Numbers = added / size * weight @ head.T / divisor
    return rises


def test_nonsense_is_refused_and_a_stop_ends_it(tmp_path: Any) -> None:
    pair = _pair(tmp_path, "llama, tied")
    for nonsense, words in (
        (AskPushes(IDS, (3,)), "no layer 3"),
        (AskPushes(IDS, top_n=0), "at least one"),
        (AskPushes(IDS, position=_LENGTH), "no position"),
        (AskVotes((), 3), "no token"),
    ):
        with pytest.raises(UnsupportedRequestError, match=words):
            pair.ask(nonsense)
    cancel = CancelToken()
    cancel.cancel()
    for read in (False, True):  # then the parts are known, and the head stops
        if read:
            pair.ask(AskVotes(IDS, 3))
        with pytest.raises(StoppedLookError):
            answer(AskPushes(IDS), pair.source, cancel)
