from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.library.describe import describe
from inference.library.kinds import kind_of_model
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import CHAT_TEMPLATE, tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

SWITCH = CHAT_TEMPLATE + "{% if enable_thinking is false %}<think>\n\n</think>{% endif %}"
ALWAYS = CHAT_TEMPLATE + "<think>\n"


@pytest.mark.parametrize(
    ("name", "template", "expected"),
    [
        ("Qwen3-8B-Base", SWITCH, "base"),
        ("Qwen3-8B", SWITCH, "instruct"),
        ("Qwen3-4B-Thinking-2507", ALWAYS, "thinking"),
        ("Qwen3-4B-Instruct-2507", CHAT_TEMPLATE, "instruct"),
        ("DeepSeek-R1-Distill-Qwen-1.5B", ALWAYS, "thinking"),
        ("some-model", ALWAYS, "thinking"),
        ("some-model", CHAT_TEMPLATE, "unknown"),
        ("some-model-it", CHAT_TEMPLATE, "instruct"),
        ("some-model-instruct", "", "base"),
        ("Qwen3-Embedding-0.6B", CHAT_TEMPLATE, "embedding"),
    ],
)
def test_name_and_template_tell_the_kind(name: str, template: str, expected: str) -> None:
    assert kind_of_model([name], template) == expected


def test_architecture_and_pooling_tell_an_embedding_model() -> None:
    assert kind_of_model(["all-minilm"], "", "bert") == "embedding"
    assert kind_of_model(["all"], CHAT_TEMPLATE, "qwen3", pools=True) == "embedding"


def test_files_are_described_with_their_kind(tmp_path: Path) -> None:
    thinking = tiny_gguf(tmp_path / "some.gguf", chat_template=ALWAYS)
    assert describe(thinking).kind == "thinking"
    folder = tiny_llama(tmp_path / "folder")
    assert describe(folder).kind != "embedding"
    (folder / "modules.json").write_text("[]")
    assert describe(folder).kind == "embedding"


def test_a_file_that_only_reads_says_that_it_writes_nothing(tmp_path: Path) -> None:
    info = describe(tiny_gguf(tmp_path / "reads.gguf", architecture="bert", chat_template=None))
    assert info.kind == "embedding"
    assert "writes nothing" in info.problem
