"""The template doctor: does a model's chat template do what a chat needs, and what mends it.

Renders a sample conversation and looks at the result: nothing is guessed from the model's name. A
template is somebody else's program; it runs in the sandbox of ``inference.prompt``.
"""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from jinja2 import meta, nodes
from jinja2.exceptions import TemplateError

from inference.errors import BadChatTemplateError
from inference.library.template_facts import TURN_ENDS, TemplateFacts
from inference.prompt.chat_template import ChatTemplate
from inference.prompt.sandbox import TemplateEnvironment
from inference.types import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Verdict: TypeAlias = Literal["fine", "usable", "broken", "missing"]
Code: TypeAlias = Literal[
    "missing", "broken", "drops_user", "drops_assistant", "no_answer_place", "bos_doubled",
    "bos_twice_handled", "end_not_known", "no_system", "alternating", "unknown_variables",
    "thinking",
]  # fmt: skip

_SYSTEM, _USER, _ANSWER, _AGAIN = (
    f"glasshouse-{word}-probe" for word in ("system", "first", "answer", "second")
)
_TALK = (Message("user", _USER), Message("assistant", _ANSWER), Message("user", _AGAIN))
_SWITCHES: Mapping[str, tuple[bool | str, bool | str]] = {
    "enable_thinking": (True, False),
    "thinking": (True, False),
    "think": (True, False),
    "reasoning_effort": ("high", "low"),
}
_USUAL = frozenset(
    {
        "messages", "add_generation_prompt", "bos_token", "eos_token", "unk_token", "pad_token",
        "tools", "documents", "date_string", "builtin_tools", "custom_tools", "xml_tools",
        "python_tools", "tools_in_user_message", "controls", "continue_final_message",
        "add_vision_id", "model_identity", "loop", "today", "current_date", "keep_past_thinking",
        "available_tools", "role_prefix", "system_message", "preserve_thinking", "length",
        "enable_tools", "custom_instructions", "clear_thinking", "citations", "begin_of_text",
    }
)  # fmt: skip
_BY_MARK = (
    ("<|im_start|>", "chatml"),
    ("<|start_header_id|>", "llama3"),
    ("<start_of_turn>", "gemma"),
    ("<|start_of_role|>", "granite"),
    ("<|end|>", "phi3"),
    ("[INST]", "mistral"),
)
_BY_ARCHITECTURE = {
    **dict.fromkeys(("qwen2", "qwen2moe", "qwen3", "qwen3moe", "qwen35", "smollm3"), "chatml"),
    **dict.fromkeys(("gemma", "gemma2", "gemma3", "gemma3_text"), "gemma"),
    **dict.fromkeys(("granite", "granitemoe", "granitehybrid"), "granite"),
    **dict.fromkeys(("mistral", "mixtral"), "mistral"),
    "phi3": "phi3",
}
_TITLES = {
    "chatml": "ChatML",
    "llama3": "Llama 3",
    "gemma": "Gemma",
    "granite": "Granite",
    "phi3": "Phi-3",
    "mistral": "Mistral",
    "zephyr": "Zephyr",
    "plain": "Plain dialogue",
}
BUILT_IN = tuple(_TITLES)
"""Names of the templates inside the app."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen; ``serious`` ones keep a chat from working well."""

    code: Code
    text: str
    serious: bool = False


@dataclass(frozen=True, slots=True)
class ThinkingSwitch:
    """How thinking is switched.

    Attributes:
        variable: Template variable; empty when it cannot be switched.
        on: Its value for thinking.
        off: Its value for not thinking.
        always: The template begins every answer with a thought.
    """

    variable: str = ""
    on: bool | str = True
    off: bool | str = False
    always: bool = False


@dataclass(frozen=True, slots=True)
class Mend:
    """A template inside the app that can stand in.

    Attributes:
        name: One of ``BUILT_IN``.
        title: For people.
        source: Jinja.
        stops: Texts at which an answer has to be ended, because no token does.
    """

    name: str
    title: str
    source: str
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor says.

    Attributes:
        verdict: ``fine``, ``usable`` with notes, ``broken`` or ``missing``.
        sentence: The verdict for people.
        findings: Serious ones first.
        takes_system: Whether a system text is shown as such; else it begins the first message.
        thinking: Whether it thinks aloud and how that is switched; ``None`` when it does not.
        stops: Texts at which answers should be ended as well.
        mend: What can stand in, when something serious was found.
        sample: The sample conversation as the model would read it; empty when it does not render.
    """

    verdict: Verdict
    sentence: str
    findings: tuple[Finding, ...] = ()
    takes_system: bool = False
    thinking: ThinkingSwitch | None = None
    stops: tuple[str, ...] = ()
    mend: Mend | None = None
    sample: str = ""


def examine_template(facts: TemplateFacts, source: str | None = None) -> Diagnosis:
    """Judge a model's template, or one that a person wrote for it.

    Args:
        facts: About the model.
        source: Another template to judge with the same model's tokens.
    """
    source = facts.source if source is None else source
    if not source.strip():
        text = "It has no chat template, so it continues text instead of answering."
        return Diagnosis(
            "missing", text, (Finding("missing", text, serious=True),), mend=mend_for(facts)
        )
    template = ChatTemplate(source, facts.bos, facts.eos)
    try:
        sample = template.render(_TALK)
    except BadChatTemplateError as error:
        return _broken(facts, error)
    findings = [
        *_content_findings(template, sample),
        *_bos_findings(facts, sample),
        *_variable_findings(source),
    ]
    end = _turn_end(facts, sample)
    findings += end.findings
    if not template.takes_system:
        findings.append(
            Finding("no_system", "It has no system role; that text begins the first message.")
        )
    if _wants_turns(template):
        findings.append(Finding("alternating", "It wants questions and answers to take turns."))
    thinking = _thinking(template, source, sample)
    if thinking is not None:
        findings.append(_said_thinking(thinking))
    findings.sort(key=lambda finding: not finding.serious)
    return _diagnosis(facts, template, findings, end.stops, thinking)


def turn_stops(facts: TemplateFacts) -> tuple[str, ...]:
    """Return what the template ends an answer with, where no listed token does; maybe nothing."""
    if not facts.source.strip():
        return ()
    try:
        sample = ChatTemplate(facts.source, facts.bos, facts.eos).render(_TALK)
    except BadChatTemplateError:
        return ()
    return _turn_end(facts, sample).stops


def mend_for(facts: TemplateFacts) -> Mend | None:
    """Choose a built-in template: by the tokens the vocabulary has, else by the architecture."""
    for mark, name in _BY_MARK:
        if mark in facts.specials:
            return built_in(name)
    name = _BY_ARCHITECTURE.get(facts.architecture, "")
    if name and not facts.specials:
        return built_in(name)
    return built_in("plain")


def built_in(name: str) -> Mend:
    """Return one of the templates inside the app; ``name`` is one of ``BUILT_IN``."""
    file = importlib.resources.files("resources") / "chat_templates" / f"{name}.jinja"
    stops = ("\nUser:",) if name == "plain" else ()
    return Mend(name, _TITLES[name], file.read_text(encoding="utf-8"), stops)


def _broken(facts: TemplateFacts, error: BadChatTemplateError) -> Diagnosis:
    text = f"{error.message} {error.detail}".strip()
    finding = Finding("broken", text, serious=True)
    return Diagnosis("broken", error.message, (finding,), mend=mend_for(facts))


def _diagnosis(
    facts: TemplateFacts,
    template: ChatTemplate,
    findings: Sequence[Finding],
    stops: tuple[str, ...],
    thinking: ThinkingSwitch | None,
) -> Diagnosis:
    serious = [finding for finding in findings if finding.serious]
    verdict: Verdict = "broken" if serious else "usable" if stops else "fine"
    sentence = {
        "broken": serious[0].text if serious else "",
        "usable": "The chat template works, with something to know.",
        "fine": "The chat template works.",
    }[verdict]
    sample = template.render(
        (Message("system", "Be brief."), Message("user", "Hello"), Message("assistant", "Hi!"),
         Message("user", "What is a token?"))
    )  # fmt: skip
    return Diagnosis(
        verdict,
        sentence,
        tuple(findings),
        template.takes_system,
        thinking,
        stops,
        mend_for(facts) if serious else None,
        sample,
    )


def _content_findings(template: ChatTemplate, sample: str) -> list[Finding]:
    findings: list[Finding] = []
    if _USER not in sample or _AGAIN not in sample:
        text = "It leaves out what you write."
        findings.append(Finding("drops_user", text, serious=True))
    if _ANSWER not in sample:
        text = "It leaves out earlier answers, so the model does not know what it said."
        findings.append(Finding("drops_assistant", text, serious=True))
    without = template.render(_TALK, add_generation_prompt=False)
    if sample == without and sample.rstrip().endswith(_AGAIN):
        text = "It does not say where an answer begins, so the model may continue your message."
        findings.append(Finding("no_answer_place", text, serious=True))
    return findings


def _bos_findings(facts: TemplateFacts, sample: str) -> list[Finding]:
    if not facts.bos or not sample.startswith(facts.bos):
        return []
    if sample.startswith(facts.bos * 2):
        text = f"It writes {facts.bos} twice at the beginning, which makes answers worse."
        return [Finding("bos_doubled", text, serious=True)]
    if facts.adds_bos:
        text = f"Template and tokenizer would both write {facts.bos}; here it is written once."
        return [Finding("bos_twice_handled", text)]
    return []


@dataclass(frozen=True, slots=True)
class _End:
    findings: tuple[Finding, ...] = ()
    stops: tuple[str, ...] = ()


def _turn_end(facts: TemplateFacts, sample: str) -> _End:
    """Look at what follows an answer: a token that ends it, or a text to stop at."""
    _, found, rest = sample.partition(_ANSWER)
    after = rest.partition(_AGAIN)[0]
    if not found or not after.strip():
        return _End()
    ends = facts.ends | {facts.eos} - {""}
    if any(after.lstrip().startswith(end) for end in ends if end):
        return _End()
    known = [token for token in facts.specials | TURN_ENDS if after.lstrip().startswith(token)]
    stop = max(known, key=len, default="") or _first_line(after)
    text = f"Answers end with {stop!r}, which the files do not list as an end; the app stops there."
    return _End((Finding("end_not_known", text),), (stop,))


def _first_line(text: str) -> str:
    """Return the first line with words, behind the line end that sets it off if there is one."""
    start = len(text) - len(text.lstrip())
    line = text[start:].split("\n", maxsplit=1)[0].rstrip()
    return f"\n{line}" if "\n" in text[:start] else line


def _wants_turns(template: ChatTemplate) -> bool:
    twice = (Message("user", _USER), Message("user", _AGAIN))
    try:
        template.render(twice)
    except BadChatTemplateError:
        return True
    return False


def _variable_findings(source: str) -> list[Finding]:
    environment = TemplateEnvironment()
    try:
        tree = environment.parse(source)
    except TemplateError:  # it rendered, so this does not happen
        return []
    known = _USUAL | set(environment.globals) | set(_SWITCHES)
    # Values set in only one branch, and those asked for with `is defined`, are meant to be absent.
    known |= {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    known |= {
        test.node.name
        for test in tree.find_all(nodes.Test)
        if test.name == "defined" and isinstance(test.node, nodes.Name)
    }
    unknown = sorted(meta.find_undeclared_variables(tree) - known)
    if not unknown:
        return []
    text = f"It asks for values that nobody gives and that count as empty: {', '.join(unknown)}."
    return [Finding("unknown_variables", text)]


def _thinking(template: ChatTemplate, source: str, sample: str) -> ThinkingSwitch | None:
    for variable, (on, off) in _SWITCHES.items():
        if variable in source and _differs(template, variable, on, off):
            return ThinkingSwitch(variable, on, off)
    begins = sample.rstrip().endswith("<think>")
    return ThinkingSwitch(always=True) if begins else None


def _differs(template: ChatTemplate, variable: str, on: bool | str, off: bool | str) -> bool:
    try:
        return template.render(_TALK, {variable: on}) != template.render(_TALK, {variable: off})
    except BadChatTemplateError:
        return False


def _said_thinking(thinking: ThinkingSwitch) -> Finding:
    if thinking.always:
        return Finding("thinking", "It begins every answer with a thought.")
    return Finding("thinking", f"Thinking can be switched ({thinking.variable}).")
