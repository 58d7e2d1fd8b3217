"""A template that a person chose is the one that both engines use, and its turns end answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inference.cancel import CancelToken
from inference.events import Finished, TokenEvent
from inference.host.client import EngineClient
from inference.library.template_doctor import BUILT_IN, built_in
from inference.types import GenerationRequest, LoadOptions, Message, SamplingParams
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import CHAT_TEMPLATE, bpe_vocabulary, tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from inference.types import EngineKind

OWN = (
    "{% for m in messages %}<|im_start|>{{ m.role | upper }}: {{ m.content }}<|im_end|>"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>ASSISTANT:{% endif %}"
)
TALK = (Message("user", "Hello"), Message("assistant", "Hi"), Message("user", "Again"))
GREEDY = SamplingParams(temperature=0, max_tokens=12)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., EngineClient]]:
    """Load tiny models in engine processes of their own."""
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    clients: list[EngineClient] = []

    def load_one(engine: EngineKind, template: str, **shape: Any) -> EngineClient:
        make = tiny_gguf if engine == "gguf" else tiny_llama
        path = make(tmp_path / ("tiny.gguf" if engine == "gguf" else "tiny"), **shape)
        clients.append(EngineClient())
        clients[-1].load(LoadOptions(str(path), engine, threads=1, chat_template=template))
        return clients[-1]

    yield load_one
    for client in clients:
        client.close()


@pytest.mark.parametrize("engine", ["gguf", "native"])
def test_the_chosen_template_makes_the_prompt(
    engine: EngineKind, load: Callable[..., EngineClient]
) -> None:
    client = load(engine, OWN)
    text = client.render(TALK).text.removeprefix("<|endoftext|>")
    assert text == (
        "<|im_start|>USER: Hello<|im_end|><|im_start|>ASSISTANT: Hi<|im_end|>"
        "<|im_start|>USER: Again<|im_end|><|im_start|>ASSISTANT:"
    )
    started = next(client.generate(GenerationRequest("r", messages=TALK), CancelToken()))
    assert started.prompt_tokens == len(client.render(TALK).tokens)  # type: ignore[union-attr]


@pytest.mark.parametrize("engine", ["gguf", "native"])
def test_without_a_choice_the_models_own_template_is_used(
    engine: EngineKind, load: Callable[..., EngineClient]
) -> None:
    text = load(engine, "").render(TALK[:1]).text
    assert text.removeprefix("<|endoftext|>") == (
        "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize("engine", ["gguf", "native"])
@pytest.mark.parametrize("name", BUILT_IN)
def test_a_model_without_a_template_talks_with_each_one_of_the_app(
    engine: EngineKind, name: str, load: Callable[..., EngineClient]
) -> None:
    client = load(engine, built_in(name).source, chat_template=None)
    assert client.loaded.has_chat_template
    text = client.render(TALK).text
    assert all(message.content in text for message in TALK)
    request = GenerationRequest("r", messages=TALK, sampling=GREEDY)
    assert isinstance(list(client.generate(request, CancelToken()))[-1], Finished)


@pytest.mark.parametrize("engine", ["gguf", "native"])
def test_plain_turns_end_an_answer_by_their_text(
    engine: EngineKind, load: Callable[..., EngineClient]
) -> None:
    client = load(engine, built_in("plain").source, chat_template=None)
    assert client.loaded.turn_stops == ("\nUser:",)


def test_an_answer_ends_at_a_token_that_only_the_template_ends_turns_with(
    load: Callable[..., EngineClient],
) -> None:
    """``<|user|>`` is no end by the file, so the model would go on: A, B, <|user|>, C, C, ..."""
    tokens = bpe_vocabulary()[0]
    a, b, c = (tokens.index(letter) for letter in "ABC")
    newline = tokens.index("\u010a")  # GPT-2's stand-in for the line end behind "assistant"
    user = tokens.index("<|user|>")
    follows = {newline: a, a: b, b: user, user: c, c: c}
    template = CHAT_TEMPLATE.replace("<|im_end|>", "<|user|>")
    client = load("gguf", template, successors=follows)
    assert user in client.loaded.eos_ids
    request = GenerationRequest("r", messages=TALK[:1], sampling=GREEDY)
    events = list(client.generate(request, CancelToken()))
    assert "".join(event.text for event in events if isinstance(event, TokenEvent)) == "AB"
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "stop"


def test_an_answer_ends_at_a_text_that_only_the_template_ends_turns_with(
    load: Callable[..., EngineClient],
) -> None:
    tokens = bpe_vocabulary()[0]
    a, b, c, bar = (tokens.index(letter) for letter in "ABC|")
    newline = tokens.index("\u010a")
    template = CHAT_TEMPLATE.replace("<|im_end|>", "|")
    client = load("gguf", template, successors={newline: a, a: b, b: bar, bar: c, c: c})
    assert client.loaded.turn_stops == ("|",)
    request = GenerationRequest("r", messages=TALK[:1], sampling=GREEDY)
    events = list(client.generate(request, CancelToken()))
    assert "".join(event.text for event in events if isinstance(event, TokenEvent)) == "AB"
    raw = GenerationRequest("raw", text="A", sampling=GREEDY)
    events = list(client.generate(raw, CancelToken()))
    assert "|" in "".join(event.text for event in events if isinstance(event, TokenEvent))
