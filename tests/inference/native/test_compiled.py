from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import torch._dynamo.utils

from inference.cancel import CancelToken
from inference.errors import InferenceError, UnsupportedRequestError
from inference.native.compiled import NotCompiledError
from inference.native.engine import open_engine
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from inference.types import LoadOptions
from tests.helpers.checkpoints import tiny_llama
from tests.inference.native.answers import events, ids_of, opened, request
from tests.inference.native.reference import random_ids, reference_network

if TYPE_CHECKING:
    from pathlib import Path

    from inference.native.network import Network

CPU = torch.device("cpu")
# Dynamo without a code generator: the same static cache, traced the same way, in a second or two.
TRACED = "eager"
# PyTorch's code generator imports parts of PyTorch that PyTorch calls out of date.
OWN_WARNINGS = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _fresh_compiler() -> None:
    torch.compiler.reset()


def network_of(folder: Path, variant: str) -> Network:
    reference_network(folder, variant)
    return load_network(open_checkpoint(folder), dtype=torch.float32, device=CPU)


def greedy(session: Session, prompt: list[int], count: int) -> list[int]:
    kept = session.reuse(prompt)
    list(session.prefill(prompt[kept:], CancelToken()))
    found = []
    for _ in range(count):
        found.append(int(session.next_logits().argmax()))
        session.read(found[-1:], CancelToken())
    return found


@pytest.mark.parametrize(
    "variant", ["llama, grouped heads, untied", "gpt2, tied", "gemma2", "gemma3", "mistral, window"]
)
def test_a_static_cache_gives_the_same_logits(variant: str, tmp_path: Path) -> None:
    network = network_of(tmp_path, variant)
    plain, compiled = (Session(network, 160, torch.float32, CPU) for _ in range(2))
    compiled.compile(TRACED)
    for length in (90, 40):  # past the windows; then over what the longer text left behind
        ids = random_ids(length)[0].tolist()
        for session in (plain, compiled):
            session.reuse(ids, 0)
            session.read(ids[:-5], CancelToken())
        for token in ids[-5:]:
            for session in (plain, compiled):
                session.read([token], CancelToken())
            torch.testing.assert_close(
                compiled.next_logits(), plain.next_logits(), atol=1e-4, rtol=0
            )


def test_a_prompt_read_again_goes_on_from_what_compiled_steps_left(tmp_path: Path) -> None:
    network = network_of(tmp_path, "llama, tied")
    plain, compiled = (Session(network, 128, torch.float32, CPU) for _ in range(2))
    compiled.compile(TRACED)
    prompt = random_ids(9)[0].tolist()
    answer = greedy(plain, prompt, 20)
    assert greedy(compiled, prompt, 20) == answer
    longer = [*prompt, *answer, 5, 6]
    assert compiled.reuse(longer) == len(longer) - 2
    assert greedy(compiled, longer, 10) == greedy(plain, longer, 10)


@pytest.mark.parametrize(("variant", "kinds"), [("llama, grouped heads, untied", 1), ("gemma3", 2)])
def test_blocks_that_are_alike_are_compiled_once(variant: str, kinds: int, tmp_path: Path) -> None:
    found = torch._dynamo.utils.counters["stats"]
    session = Session(network_of(tmp_path, variant), 64, torch.float32, CPU)
    before = found["unique_graphs"]
    session.compile(TRACED)
    assert found["unique_graphs"] - before == 2 + kinds  # the way in, the way out, and the blocks


def test_the_room_looked_at_grows_with_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.native.layer_cache._FIRST_ROOM", 16)
    network = network_of(tmp_path, "llama, tied")
    plain, compiled = (Session(network, 100, torch.float32, CPU) for _ in range(2))
    compiled.compile(TRACED)
    prompt = random_ids(9)[0].tolist()
    assert greedy(compiled, prompt, 70) == greedy(plain, prompt, 70)


@OWN_WARNINGS
def test_compiled_by_inductor_it_answers_the_same(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path, n_layers=1, context=64)
    plain = opened(folder)
    expected = ids_of(events(plain, request(text="The sky")))
    plain.close()
    engine = opened(folder, compile="on")
    if "without being compiled" in engine.loaded.device_reason:
        engine.close()
        pytest.skip(engine.loaded.device_reason)
    assert engine.loaded.device_reason.endswith("It reads single tokens compiled.")
    assert ids_of(events(engine, request(text="The sky"))) == expected
    engine.close()


@OWN_WARNINGS
def test_without_a_compiler_it_answers_all_the_same_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch._inductor.config as settings

    monkeypatch.setattr(settings.cpp, "cxx", ("no-such-compiler",))
    folder = tiny_llama(tmp_path, n_layers=1, context=48)
    # By the library's own way: what monkeypatch puts back is not what was there.
    with torch.compiler.config.patch(force_disable_caches=True):
        engine = opened(folder, compile="on")
    assert "without being compiled, because" in engine.loaded.device_reason
    assert len(ids_of(events(engine, request(text="The sky")))) > 0
    engine.close()


def test_compiling_tells_how_far_it_is_and_stops_between_the_pieces(tmp_path: Path) -> None:
    network = network_of(tmp_path, "llama, tied")
    told: list[float] = []
    session = Session(network, 64, torch.float32, CPU)
    session.compile(TRACED, told.append)
    assert told == sorted(set(told))
    assert (told[0], told[-1]) == (0.0, 1.0)

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise InferenceError("Loading was stopped.")

    prompt = random_ids(9)[0].tolist()
    expected = greedy(session, prompt, 5)
    stopped = Session(network, 64, torch.float32, CPU)
    with pytest.raises(InferenceError, match="stopped"):
        stopped.compile(TRACED, stop)
    assert stopped.length == 0
    assert greedy(stopped, prompt, 5) == expected


def test_a_load_that_is_cancelled_once_the_weights_are_there_compiles_nothing(
    tmp_path: Path,
) -> None:
    cancel, steps = CancelToken(), []

    def note(fraction: float, step: str = "reading", /) -> None:
        steps.append(step)
        if fraction == 1.0:
            cancel.cancel()

    options = LoadOptions(path=str(tiny_llama(tmp_path)), engine="native", compile="on")
    with pytest.raises(InferenceError, match="stopped"):
        open_engine(options, note, cancel)
    assert set(steps) == {"reading"}


def test_positions_that_depend_on_the_whole_text_are_not_compiled(tmp_path: Path) -> None:
    network = network_of(tmp_path, "llama, dynamic rope scaling")
    session = Session(network, 64, torch.float32, CPU)
    with pytest.raises(NotCompiledError, match="length of the text"):
        session.compile(TRACED)
    session.read([1, 2, 3], CancelToken())


def test_a_choice_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRequestError, match="maybe"):
        opened(tiny_llama(tmp_path), compile="maybe")
