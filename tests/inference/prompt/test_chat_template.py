from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest

from inference.errors import BadChatTemplateError
from inference.prompt import sandbox
from inference.prompt.chat_template import ChatTemplate, fold_system
from inference.types import Message
from tests.helpers.assets import asset

_CHAT = (
    Message("system", "Be brief."),
    Message("user", "What is the capital of Chile?"),
    Message("assistant", "<think>\nEasy.\n</think>\n\nSantiago."),
    Message("user", "  And of Peru?  "),
)


def _cases(group: str) -> list[dict[str, Any]]:
    expected = json.loads(asset("chat-templates/expected.json").read_text(encoding="utf-8"))
    cases: list[dict[str, Any]] = expected[group]["cases"]
    return cases


def _render(source: str, *messages: Message, **variables: bool | int | str) -> str:
    return ChatTemplate(source, "<s>", "</s>").render(messages, variables)


def test_conversations_become_the_published_prompts() -> None:
    cases = _cases("llama_cpp")
    assert len(cases) == 16
    for case in cases:
        template = ChatTemplate(case["chat_template"], case["bos_token"], case["eos_token"])
        messages = [Message(turn["role"], turn["content"]) for turn in case["messages"]]
        assert template.render(messages) == case["expected"], case["name"]


def test_templates_with_any_variables_give_the_published_prompts() -> None:
    cases = _cases("huggingface_js")
    assert len(cases) == 26
    for case in cases:
        # One of the templates writes the date, and was recorded on this day.
        template = ChatTemplate(case["chat_template"], "", "", now=lambda: datetime(2025, 7, 10))
        assert template.render_values(case["data"]) == case["expected"], case["name"]


def test_every_real_template_renders_as_transformers_does() -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    files = sorted(asset("chat-templates/templates").glob("*.jinja"))
    assert len(files) == 11
    for file in files:
        source = file.read_text(encoding="utf-8")
        template = ChatTemplate(source, "<s>", "</s>")
        messages = _CHAT if template.takes_system else _CHAT[1:]
        rendered = render_jinja_template(
            conversations=[[{"role": turn.role, "content": turn.content} for turn in messages]],
            chat_template=source,
            add_generation_prompt=True,
            bos_token="<s>",
            eos_token="</s>",
        )
        (theirs,) = list(rendered[0])
        assert template.render(messages) == theirs, file.name


def test_a_system_text_is_never_lost() -> None:
    for file in sorted(asset("chat-templates/templates").glob("*.jinja")):
        prompt = _render(file.read_text(encoding="utf-8"), *_CHAT)
        assert "Be brief." in prompt, file.name


def test_a_refused_system_message_is_folded_into_the_first_user_message() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
        "{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    )
    template = ChatTemplate(source, "", "")
    assert not template.takes_system
    prompt = template.render((Message("system", "Be brief."), Message("user", "Hi")))
    assert prompt == "[user]Be brief.\nHi"


def test_folding_keeps_a_system_text_without_a_user_message() -> None:
    assert fold_system((Message("system", "Rules"),)) == (Message("user", "Rules"),)


def test_a_refusal_says_what_the_template_said() -> None:
    with pytest.raises(BadChatTemplateError) as caught:
        _render("{{ raise_exception('roles must alternate') }}", Message("user", "Hi"))
    assert "roles must alternate" in caught.value.message
    assert caught.value.hint


def test_a_syntax_error_names_its_line_in_the_detail_only() -> None:
    with pytest.raises(BadChatTemplateError) as caught:
        _render("one\n{% for %}", Message("user", "Hi"))
    assert "line 2" in caught.value.detail
    assert "line 2" not in caught.value.message


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.append(1) }}",
        "{{ ''.__class__.__mro__ }}",
        "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
        "{{ namespace(_x=1) }}",
        "{{ 1 / 0 }}",
        "{{ messages[0].nothing.deeper }}",
        "{{ {}['a'] + 1 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_forbidden_or_failing_code_is_a_sentence(source: str) -> None:
    with pytest.raises(BadChatTemplateError) as caught:
        _render(source, Message("user", "Hi"))
    assert caught.value.message.endswith(".")
    assert caught.value.detail


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% set n = namespace(s='x') %}{% for a in range(60) %}{% set n.s=n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s='x') %}{% for a in range(60) %}{% set n.s=n.s + n.s %}{% endfor %}",
        "{% for a in range(99999) %}{{ 'x' * 999 }}{% endfor %}",
        "{{ 'x' * 10**10 }}",
        "{{ [0] * 10**10 }}",
        "{{ 9 ** 999 }}",
        "{{ 'x'.ljust(10000000000) }}",
        "{{ '%10000000000d' % 1 }}",
        "{{ ('x' * 7000000).replace('x', 'y' * 7000000) }}",
    ],
)
def test_a_template_that_wants_too_much_is_stopped(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "MAX_STEPS", sandbox.MAX_STEPS // 20)  # sooner there
    before = time.perf_counter()
    with pytest.raises(BadChatTemplateError, match="too much time or memory"):
        _render(source, Message("user", "Hi"))
    assert time.perf_counter() - before < 60


def test_limits_count_one_rendering_not_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_STEPS", 5_000)
    source = "{% for a in range(600) %}{% endfor %}{{ messages[0].content }}"
    template = ChatTemplate(source, "", "")
    for _ in range(9):
        assert template.render((Message("user", "Hi"),)) == "Hi"


def test_generation_tags_show_their_content() -> None:
    source = "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"
    assert _render(source, Message("user", "Hi")) == "Hi"


def test_loop_controls_work_in_counted_loops() -> None:
    source = (
        "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}"
        "{% if loop.index == 4 %}{% break %}{% endif %}{{ i }}/{{ loop.length }} {% endfor %}"
    )
    assert _render(source, Message("user", "Hi")) == "0/9 2/9 "


def test_json_keeps_letters_and_html() -> None:
    assert _render("{{ messages[0].content | tojson }}", Message("user", "é<b>")) == '"é<b>"'
    assert _render("{{ {'a': 1} | tojson(indent=2) }}", Message("user", "Hi")) == '{\n  "a": 1\n}'


def test_variables_reach_the_template_but_cannot_replace_the_messages() -> None:
    source = "{{ messages[0].content }} {{ enable_thinking }} {{ tools is none }}"
    prompt = _render(source, Message("user", "Hi"), enable_thinking=False, messages="other")
    assert prompt == "Hi False True"
