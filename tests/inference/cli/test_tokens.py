from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from inference.library.model_defaults import OWN, ModelDefaults, TemplateChoice
from inference.library.notes import FILE, ModelNotes
from inference.types import ModelInfo
from tests.helpers.assets import asset
from tests.helpers.processes import gone_within
from tests.inference.cli.conftest import environment, fake_command, real_cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.inference.cli.conftest import Outcome

    Cli = Callable[..., Outcome]


def test_ids_and_pieces_of_a_text_are_shown_with_bos(fake_cli: Cli, instruct: Path) -> None:
    said = fake_cli("tokens", instruct, "one two", "--json")
    value = json.loads(said.out)
    assert value["model"] == "tiny-instruct"
    assert value["count"] == 3
    assert [piece["text"] for piece in value["tokens"]] == ["<bos>", "one", " two"]
    assert [piece["special"] for piece in value["tokens"]] == [True, False, False]
    alone = json.loads(fake_cli("tokens", instruct, "--no-bos", "one two", "--json").out)
    assert alone["tokens"] == value["tokens"][1:]


def test_a_table_for_people_quotes_what_cannot_be_seen(fake_cli: Cli, instruct: Path) -> None:
    said = fake_cli("tokens", instruct, "a\n b")
    assert '"\\n b"' in said.out
    assert said.out.endswith("3 tokens\n")


def test_render_shows_the_exact_prompt_of_a_chat(instruct: Path) -> None:
    said = real_cli("tokens", instruct, "hello", "--render", "--system", "be kind", "--json")
    value = json.loads(said.out)
    assert value["text"] == (  # BOS first: this file asks for it
        "<|endoftext|><|im_start|>system\nbe kind<|im_end|>\n"
        "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
    )
    assert "".join(piece["text"] for piece in value["tokens"]) == value["text"]
    assert sum(piece["special"] for piece in value["tokens"]) >= 5


@pytest.mark.parametrize(
    ("option", "text"), [("--render", "hello"), ("--special", "<|im_start|>hello")]
)
def test_another_model_is_held_against_the_very_text_that_is_shown(
    instruct: Path, option: str, text: str
) -> None:
    told = json.loads(
        real_cli("tokens", instruct, text, option, "--against", instruct, "--json").out
    )
    written = told["tokens"]
    if option == "--special":
        written = written[1:]  # BOS is put before the text, not part of it
    ids = [piece["id"] for piece in written]
    assert sum(piece["special"] for piece in written) >= 1
    for one in told["models"]:
        assert [piece["id"] for piece in one["tokens"]] == ids
        assert one["count"] == len(ids)


@pytest.mark.parametrize("command", ["tokens", "run"])
def test_the_template_chosen_for_a_model_is_used_here_too(
    instruct: Path, home: Path, command: str
) -> None:
    own = "{% for m in messages %}<|im_start|>{{ m.content | upper }}<|im_end|>{% endfor %}"
    info = ModelInfo("tiny-instruct", "", str(instruct), "gguf")
    chosen = ModelDefaults(n_ctx=256, template=TemplateChoice(OWN, own))
    ModelNotes(home / "data" / FILE).change(info, defaults=chosen)
    if command == "tokens":
        value = json.loads(real_cli("tokens", instruct, "hello", "--render", "--json").out)
        assert value["text"] == "<|endoftext|><|im_start|>HELLO<|im_end|>"
        return
    started = real_cli("run", instruct, "hello", "--max-tokens", "1", "--json").events[0]
    assert (started["prompt_tokens"], started["context"]) == (8, 256)
    asked = real_cli("run", instruct, "hi", "--max-tokens", "1", "--context", "128", "--json")
    assert asked.events[0]["context"] == 128


def test_typed_special_tokens_stay_text_unless_asked_for(instruct: Path) -> None:
    plain = json.loads(real_cli("tokens", instruct, "<|im_end|>", "--no-bos", "--json").out)
    assert plain["count"] > 1
    words = ("<|im_end|>", "--no-bos", "--special", "--json")
    special = json.loads(real_cli("tokens", instruct, *words).out)
    assert [piece["special"] for piece in special["tokens"]] == [True]


@pytest.mark.parametrize(
    "words", [("--render", "--special"), ("--render", "--no-bos"), ("--system", "x")]
)
def test_options_that_contradict_each_other_are_wrong_usage(
    fake_cli: Cli, instruct: Path, words: tuple[str, ...]
) -> None:
    assert fake_cli("tokens", instruct, "hello", *words).status == 2


def test_both_engines_cut_a_text_alike() -> None:
    gguf, native = asset("stories260K/stories260K.gguf"), asset("stories260K-hf")
    text = "Once upon a time, a café opened."
    cut = [json.loads(real_cli("tokens", path, text, "--json").out) for path in (gguf, native)]
    assert [p["id"] for p in cut[0]["tokens"]] == [p["id"] for p in cut[1]["tokens"]]


def test_merges_are_told_step_by_step(home: Path) -> None:
    del home
    said = real_cli("tokens", "starter-instruct", "rainbow", "--merges", "--json")
    value = json.loads(said.out)
    assert [one["id"] for one in value["merges"]] == [piece["id"] for piece in value["tokens"]]
    made = [one for one in value["merges"] if one["how"] == "merged"]
    assert made
    for one in made:
        ranks = [step["merge"] for step in one["steps"]]
        assert all(rank > 0 for rank in ranks)
        assert len(one["steps"][-1]["parts"]) == 1
    plain = real_cli("tokens", "starter-instruct", "rainbow", "--merges")
    assert "Byte-level BPE" in plain.out
    assert "(merge " in plain.out


def test_other_models_are_counted_beside_it(home: Path) -> None:
    del home
    text = "Rain and tea"
    arguments = ("tokens", "starter-instruct", text, "--against", "starter-base")
    rows = json.loads(real_cli(*arguments, "--json").out)["models"]
    assert [row["model"] for row in rows] == ["starter-instruct", "starter-base"]
    assert rows[0]["count"] == rows[1]["count"] == len(rows[0]["tokens"])
    assert "".join(piece["text"] for piece in rows[1]["tokens"]) == text
    assert "characters a token" in real_cli(*arguments).out
    assert real_cli("tokens", "starter-base", text, "--against", "nobody").status == 1


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is a POSIX thing")
def test_ctrl_c_while_other_tokenizers_are_read_ends_with_130_and_without_a_word(
    instruct: Path,
) -> None:
    running = subprocess.Popen(
        fake_command("tokens", instruct, "hello", "--against", instruct),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    reader = None
    while reader is None:
        for child in psutil.Process(running.pid).children():
            with suppress(psutil.Error):
                reader = child if "--tokens" in child.cmdline() else reader
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert (out, err) == ("", "")
    assert gone_within(reader.pid, 3)


def test_what_each_language_costs_is_told_when_asked_for(instruct: Path) -> None:
    text = (
        "Once upon a time there was a small house at the edge of the forest. "
        "Es war einmal ein kleines Haus am Rande des Waldes."
    )
    value = json.loads(real_cli("tokens", instruct, text, "--languages", "--json").out)
    languages = {one["language"]: one for one in value["languages"]}
    assert {"en", "de"} <= languages.keys()
    assert languages["en"]["words"] == 15
    assert languages["en"]["characters"] == languages["en"]["bytes"] == 68
    assert sum(one["tokens"] for one in value["languages"]) == value["count"]
    assert "languages" not in json.loads(real_cli("tokens", instruct, text, "--json").out)
    words = ("tokens", instruct, text, "--render", "--languages", "--against", instruct)
    chat = json.loads(real_cli(*words, "--json").out)
    assert chat["languages"][-1]["name"] == "marks of the chat"
    assert chat["models"][0]["languages"] == chat["languages"]
    said = real_cli(*words).out
    assert "py3langid" in said
    assert "German" in said
