from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.library.template_doctor import (
    BUILT_IN,
    Diagnosis,
    built_in,
    examine_template,
    mend_for,
)
from inference.library.template_facts import TemplateFacts, template_facts
from inference.prompt.chat_template import ChatTemplate
from inference.types import Message
from tests.helpers.assets import asset
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

CHATML = built_in("chatml").source
IM = frozenset({"<|im_start|>", "<|im_end|>", "<|endoftext|>"})


def facts(source: str, **known: object) -> TemplateFacts:
    return TemplateFacts(source, **{"eos": "<|im_end|>", "specials": IM, **known})  # type: ignore[arg-type]


def codes(diagnosis: Diagnosis) -> set[str]:
    return {finding.code for finding in diagnosis.findings}


def test_a_sound_template_is_fine() -> None:
    diagnosis = examine_template(facts(CHATML))
    assert (diagnosis.verdict, diagnosis.sentence) == ("fine", "The chat template works.")
    assert diagnosis.takes_system
    assert diagnosis.findings == ()
    assert diagnosis.mend is None
    assert "What is a token?" in diagnosis.sample


def test_a_model_without_a_template_is_offered_one_by_its_tokens() -> None:
    diagnosis = examine_template(facts(""))
    assert diagnosis.verdict == "missing"
    assert diagnosis.mend is not None
    assert diagnosis.mend.name == "chatml"


@pytest.mark.parametrize(
    ("specials", "architecture", "name"),
    [
        ({"<|im_start|>"}, "llama", "chatml"),
        ({"<|start_header_id|>", "<|eot_id|>"}, "llama", "llama3"),
        ({"<start_of_turn>"}, "gemma3", "gemma"),
        ({"<|user|>", "<|end|>"}, "phi3", "phi3"),
        ({"[INST]", "</s>"}, "llama", "mistral"),
        (set(), "qwen2", "chatml"),
        ({"<s>", "</s>"}, "llama", "plain"),
        (set(), "strange", "plain"),
    ],
)
def test_the_mend_follows_vocabulary_and_architecture(
    specials: set[str], architecture: str, name: str
) -> None:
    known = TemplateFacts("", specials=frozenset(specials), architecture=architecture)
    mend = mend_for(known)
    assert mend is not None
    assert mend.name == name


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_template_passes_the_doctor(name: str) -> None:
    mend = built_in(name)
    known = TemplateFacts(
        mend.source, bos="<s>", eos="</s>", ends=frozenset({"</s>", "<|im_end|>", "<|eot_id|>",
        "<end_of_turn>", "<|end|>", "<|end_of_text|>"})
    )  # fmt: skip
    diagnosis = examine_template(known)
    assert diagnosis.verdict == ("usable" if name == "plain" else "fine"), diagnosis.findings
    assert diagnosis.mend is None


def test_a_syntax_error_is_broken_with_its_line_and_a_mend() -> None:
    diagnosis = examine_template(facts("{% for m in messages %}{{ m.content }}"))
    assert diagnosis.verdict == "broken"
    assert diagnosis.mend is not None
    assert "line" in diagnosis.findings[0].text


def test_an_unknown_filter_is_named() -> None:
    diagnosis = examine_template(facts("{{ messages | frobnicate }}"))
    assert diagnosis.verdict == "broken"
    assert "frobnicate" in diagnosis.findings[0].text


def test_a_doubled_bos_is_serious_and_one_that_both_write_is_a_note() -> None:
    twice = "{{ bos_token }}{{ bos_token }}" + CHATML
    serious = examine_template(facts(twice, bos="<s>"))
    assert serious.verdict == "broken"
    assert "bos_doubled" in codes(serious)
    note = examine_template(facts("{{ bos_token }}" + CHATML, bos="<s>", adds_bos=True))
    assert note.verdict == "fine"
    assert codes(note) == {"bos_twice_handled"}


def test_an_end_of_turn_that_the_files_do_not_list_becomes_a_stop() -> None:
    source = CHATML.replace("<|im_end|>", "<|done|>")
    diagnosis = examine_template(facts(source))
    assert diagnosis.verdict == "usable"
    assert codes(diagnosis) == {"end_not_known"}
    assert diagnosis.stops == ("<|done|>",)
    listed = examine_template(facts(source, ends=frozenset({"<|done|>"})))
    assert listed.verdict == "fine"


def test_what_is_left_out_is_serious() -> None:
    deaf = "{% for m in messages %}<|im_start|>{{ m.role }}<|im_end|>{% endfor %}"
    assert "drops_user" in codes(examine_template(facts(deaf)))
    forgetful = (
        "{% for m in messages if m.role != 'assistant' %}<|im_start|>{{ m.role }} {{ m.content }}"
        "<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant{% endif %}"
    )
    assert codes(examine_template(facts(forgetful))) == {"drops_assistant"}


def test_a_template_without_a_place_for_the_answer_is_serious() -> None:
    source = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
    diagnosis = examine_template(facts(source))
    assert diagnosis.verdict == "broken"
    assert "no_answer_place" in codes(diagnosis)


def test_a_missing_system_role_and_strict_turns_are_notes() -> None:
    gemma = asset("chat-templates/templates/google-gemma-2-2b-it.jinja").read_text()
    diagnosis = examine_template(
        TemplateFacts(gemma, "<bos>", "<eos>", ends=frozenset({"<end_of_turn>"}))
    )
    assert diagnosis.verdict == "fine"
    assert not diagnosis.takes_system
    assert {"no_system", "alternating"} <= codes(diagnosis)


def test_unknown_variables_are_named() -> None:
    source = "{{ weather_report }}{{ strftime_now('%Y') }}" + CHATML
    (finding,) = examine_template(facts(source)).findings
    assert finding.code == "unknown_variables"
    assert finding.text.endswith(": weather_report.")


@pytest.mark.parametrize(
    ("file", "variable", "always"),
    [
        ("Qwen-Qwen3-0.6B.jinja", "enable_thinking", False),
        ("Qwen3.5-4B.jinja", "enable_thinking", False),
        ("HuggingFaceTB-SmolLM3-3B.jinja", "enable_thinking", False),
        ("openai-gpt-oss-120b.jinja", "reasoning_effort", False),
        ("ibm-granite-granite-3.3-2B-Instruct.jinja", "thinking", False),
        ("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", "enable_thinking", False),
        ("Qwen-Qwen2.5-7B-Instruct.jinja", None, False),
        ("microsoft-Phi-3.5-mini-instruct.jinja", None, False),
    ],
)
def test_thinking_is_found_by_rendering(file: str, variable: str | None, *, always: bool) -> None:
    source = asset(f"chat-templates/templates/{file}").read_text()
    thinking = examine_template(TemplateFacts(source, "<s>", "</s>")).thinking
    if variable is None:
        assert thinking is None
    else:
        assert thinking is not None
        assert (thinking.variable, thinking.always) == (variable, always)


def test_real_templates_are_not_called_broken() -> None:
    folder = asset("chat-templates/templates")
    verdicts = {
        file.name: examine_template(TemplateFacts(file.read_text(), "<s>", "</s>")).verdict
        for file in sorted(folder.glob("*.jinja"))
    }
    assert len(verdicts) == 11
    assert set(verdicts.values()) <= {"fine", "usable"}, verdicts


def test_real_templates_ask_for_nothing_unknown() -> None:
    for file in sorted(asset("chat-templates/templates").glob("*.jinja")):
        diagnosis = examine_template(TemplateFacts(file.read_text(), "<s>", "</s>"))
        assert "unknown_variables" not in codes(diagnosis), (file.name, diagnosis.findings)


def test_facts_are_read_from_a_gguf_file(tmp_path: Path) -> None:
    found = template_facts(tiny_gguf(tmp_path / "tiny.gguf"))
    assert (found.bos, found.eos, found.adds_bos) == ("<|endoftext|>", "<|im_end|>", True)
    assert {"<|im_start|>", "<|im_end|>"} <= found.specials
    assert "<|im_end|>" in found.ends
    assert "<|user|>" not in found.specials
    assert examine_template(found).verdict == "fine"


def test_facts_of_a_long_vocabulary_are_found_where_they_lie() -> None:
    found = template_facts(asset("gguf-vocab/ggml-vocab-gpt-2.gguf"))
    assert found.bos == found.eos == "<|endoftext|>"
    assert found.source == ""
    assert found.specials == {"<|endoftext|>"}


def test_facts_are_read_from_a_folder(tmp_path: Path) -> None:
    found = template_facts(tiny_llama(tmp_path / "tiny", add_bos=True))
    assert (found.bos, found.eos) == ("<|endoftext|>", "<|im_end|>")
    assert found.specials == {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}
    assert examine_template(found).verdict == "fine"


def test_the_built_in_chatml_renders_what_qwen_does_without_its_default_system_text() -> None:
    talk = (Message("system", "S"), Message("user", "U"), Message("assistant", "A"))
    real = asset("chat-templates/templates/Qwen-Qwen2.5-7B-Instruct.jinja").read_text()
    assert ChatTemplate(CHATML, "", "").render(talk) == ChatTemplate(real, "", "").render(talk)
