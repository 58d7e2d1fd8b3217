"""Quick against thinking, on tiny random checkpoints: what the switch does is the template's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop.controllers.thinking import has_switch, run_chat, split_thought
from desktop.inside import FindSwitch, RunChat
from inference.cancel import CancelToken
from inference.errors import InferenceError
from inference.host.client import EngineClient
from inference.types import LoadOptions
from tests.helpers.assets import asset
from tests.helpers.checkpoints import CHAT_TEMPLATE, tiny_llama

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SWITCHED = (
    CHAT_TEMPLATE + "{% if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}"
)
OPENED = CHAT_TEMPLATE + "{% if enable_thinking %}{{ '<think>\n' }}{% endif %}"
QUESTION = "How many sheep are left?"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., EngineClient]]:
    clients: list[EngineClient] = []

    def open_with(template: str | None, **more: Any) -> EngineClient:
        client = EngineClient()
        clients.append(client)
        tiny_llama(tmp_path / str(len(clients)), chat_template=template)
        client.load(LoadOptions(str(tmp_path / str(len(clients))), "native", n_ctx=256, **more))
        return client

    yield open_with
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("template", "switches"), [(CHAT_TEMPLATE, False), (SWITCHED, True), (OPENED, True)]
)
def test_the_switch_is_found_where_the_template_writes_another_prompt(
    opened: Callable[..., EngineClient], template: str, switches: bool
) -> None:
    assert has_switch(opened(template), FindSwitch(QUESTION)) is switches


def test_a_base_model_has_no_switch(opened: Callable[..., EngineClient]) -> None:
    assert not has_switch(opened(None), FindSwitch(QUESTION))


@pytest.mark.parametrize(
    ("name", "switches"),
    [
        ("Qwen-Qwen3-0.6B.jinja", True),
        ("HuggingFaceTB-SmolLM3-3B.jinja", True),
        ("Qwen-Qwen2.5-7B-Instruct.jinja", False),
        ("google-gemma-2-2b-it.jinja", False),
    ],
)
def test_real_templates_tell_whether_there_is_a_switch(
    opened: Callable[..., EngineClient], name: str, switches: bool
) -> None:
    template = asset(f"chat-templates/templates/{name}").read_text(encoding="utf-8")
    assert has_switch(opened(template), FindSwitch(QUESTION)) is switches


def test_both_answers_are_written_and_measured(opened: Callable[..., EngineClient]) -> None:
    client = opened(OPENED)
    quick = run_chat(client, RunChat(QUESTION, False, 6), CancelToken())
    slow = run_chat(client, RunChat(QUESTION, True, 6), CancelToken())
    for run in (quick, slow):
        assert 0 < run.tokens <= 6
        assert run.seconds > 0
        assert run.is_cut == (run.tokens == 6)
        assert not run.problem
    assert quick.thought == ""
    # A random network never closes the thought that its prompt has opened.
    assert slow.answer == ""


def test_an_answer_that_the_context_ends_is_cut_as_well(
    opened: Callable[..., EngineClient],
) -> None:
    run = run_chat(opened(OPENED), RunChat(QUESTION, True, 512), CancelToken())
    assert run.tokens < 256
    assert run.is_cut


def test_an_answer_that_is_given_up_is_no_answer(opened: Callable[..., EngineClient]) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(InferenceError, match="given up"):
        run_chat(opened(SWITCHED), RunChat(QUESTION, True, 64), cancel)


@pytest.mark.parametrize(
    ("text", "begun", "parts"),
    [
        ("<think>\nAll but 9.\n</think>\n\nNine.", False, ("All but 9.", "Nine.")),
        ("All but 9.\n</think>\n\nNine.", True, ("All but 9.", "Nine.")),
        ("All but", True, ("All but", "")),
        ("<think> All but", False, ("All but", "")),
        ("Nine.", False, ("", "Nine.")),
    ],
)
def test_thoughts_are_parted_from_answers(text: str, begun: bool, parts: tuple[str, str]) -> None:
    assert split_thought(text, begun=begun) == parts
