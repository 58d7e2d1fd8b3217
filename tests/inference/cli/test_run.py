from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.processes import gone_within
from tests.inference.cli.conftest import environment, fake_command, real_cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.inference.cli.conftest import Outcome

    Cli = Callable[..., Outcome]


def test_the_answer_is_all_that_standard_output_holds(fake_cli: Cli, instruct: Path) -> None:
    said = fake_cli("run", instruct, "hello", script="text=Good day to you.")
    assert (said.status, said.out, said.err) == (0, "Good day to you.\n", "")


def test_json_events_have_the_fields_of_the_contract(fake_cli: Cli, instruct: Path) -> None:
    said = fake_cli("run", instruct, "hello", "--top", 2, "--json", script="text=Good day.")
    assert said.status == 0
    started, progress, *tokens, finished = said.events
    assert started["event"] == "started"
    assert started["model"] == "tiny-instruct"
    assert started["engine"] == "gguf"
    assert started["context"] > 0
    assert started["prompt_tokens"] == progress["total"] == progress["done"]
    assert started["reused_tokens"] == 0
    assert [token["index"] for token in tokens] == [0, 1]
    assert tokens[0].keys() == {"event", "index", "id", "text", "logprob", "top", "kind"}
    assert tokens[0]["top"][0] == {key: tokens[0][key] for key in ("id", "text", "logprob")}
    assert len(tokens[0]["top"]) == 2
    assert tokens[0]["kind"] == "answer"
    assert finished["event"] == "finished"
    assert finished["reason"] == "stop"
    assert finished["text"] == "".join(token["text"] for token in tokens) == "Good day."
    assert finished["thinking"] == ""
    assert finished["usage"]["completion_tokens"] == 2
    assert finished["usage"]["prompt_tokens"] == started["prompt_tokens"]
    assert finished["timings"].keys() == {
        *("load_s", "prompt_s", "decode_s", "prompt_tokens_per_s", "tokens_per_s")
    }
    assert finished["timings"]["load_s"] > 0


def test_json_tells_the_chance_of_each_token_also_without_alternatives(
    fake_cli: Cli, instruct: Path
) -> None:
    said = fake_cli("run", instruct, "hello", "--json", script="text=Good day.")
    _, _, *tokens, _ = said.events
    assert all(token["logprob"] <= 0 and token["top"] == [] for token in tokens)


def test_the_prompt_may_come_after_options_and_may_begin_with_a_dash(
    fake_cli: Cli, instruct: Path
) -> None:
    said = fake_cli("run", instruct, "--seed", 3, "hello", script="tokens=2")
    assert said.status == 0
    said = fake_cli("run", instruct, "--seed", 3, "--", "-5 + 3", script="tokens=2")
    assert said.status == 0


def test_a_base_model_continues_and_says_so_beside_the_answer(fake_cli: Cli, base: Path) -> None:
    said = fake_cli("run", base, "Once", script="base=1,text= upon a time")
    assert said.out == " upon a time\n"
    assert "tiny-base is a base model: it continues your text" in said.err


def test_raw_text_needs_no_word_about_base_models(fake_cli: Cli, instruct: Path) -> None:
    said = fake_cli("run", instruct, "Once", "--raw", "--json", script="tokens=1")
    assert said.err == ""
    assert said.events[0]["prompt_tokens"] == 2  # BOS and the one word, no template


def test_the_system_message_and_a_conversation_reach_the_prompt(
    fake_cli: Cli, instruct: Path, tmp_path: Path
) -> None:
    file = tmp_path / "talk.json"
    file.write_text(
        json.dumps([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    )
    words = ("--messages", file, "--system", "be kind", "--json")
    said = fake_cli("run", instruct, "and now", *words, script="tokens=1")
    # BOS, then "system: be kind", "user: a", "assistant: b", "user: and now" and the last line end
    assert said.events[0]["prompt_tokens"] == 1 + 3 + 2 + 2 + 3 + 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("nonsense", "is not a conversation"),
        ('[{"role": "king", "content": "x"}]', "is not a conversation"),
        ("[]", "is empty"),
    ],
)
def test_a_conversation_that_is_none_is_a_sentence(
    fake_cli: Cli, instruct: Path, tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "talk.json"
    if content is not None:
        file.write_text(content)
    said = fake_cli("run", instruct, "--messages", file)
    assert said.status == 1
    assert words in said.err


def test_standard_input_is_the_prompt_without_its_last_line_end(
    fake_cli: Cli, instruct: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfone two\r\n"))
    monkeypatch.setattr(sys, "stdin", typed)
    said = fake_cli("run", instruct, "--raw", "--json", script="tokens=1")
    assert said.events[0]["prompt_tokens"] == 3


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--beams", "4"), "--strategy beam"),
        (("--early-stop", "on", "--strategy", "greedy"), "--early-stop"),
        (("--length-penalty", "1"), "--length-penalty"),
        (("--penalty-alpha", "0.5", "--strategy", "beam"), "--strategy contrastive"),
        (("--dry-base", "2"), "--dry-multiplier"),
        (("--xtc-threshold", "0.2"), "--xtc-probability"),
        (("--mirostat-tau", "3"), "--mirostat"),
        (("--strategy", "beam", "--temperature", "1"), "--temperature"),
        (("--strategy", "beam", "--top-k", "5"), "--top-k"),
        (("--strategy", "contrastive", "--top-p", "0.5"), "--top-p"),
        (("--think", "on"), "--think on"),
        (("--think", "off"), "--think off"),
        (("--dtype", "int8"), "--dtype int8"),
        (("--dtype", "float16"), "--dtype"),
        (("--compile", "on"), "--compile on"),
        (("--device", "cuda"), "--device cuda"),
        (("--strategy", "greedy", "--temperature", "1"), "--temperature"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    fake_cli: Cli, instruct: Path, option: tuple[str, ...], words: str
) -> None:
    said = fake_cli("run", instruct, "hello", *option, "--json")
    assert said.status == 1
    assert words in said.err
    assert said.events[-1]["event"] == "failed"
    assert said.events[-1]["error"] == "UnsupportedRequest"
    assert said.events[-1]["hint"]


def test_a_base_model_has_no_place_for_a_system_message(fake_cli: Cli, base: Path) -> None:
    said = fake_cli("run", base, "Once", "--system", "x", script="base=1")
    assert said.status == 1
    assert "--system" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("--top", "21"),
        ("--top", "-1"),
        ("--temperature", "-0.1"),
        ("--temperature", "nan"),
        ("--temperature", "warm"),
        ("--top-p", "1.5"),
        ("--beams", "0"),
        ("--beams", "65"),
        ("--early-stop", "sometimes"),
        ("--mirostat", "1"),
        ("--dry-base", "0.5"),
        ("--logit-bias", "5"),
        ("--logit-bias", "5=200"),
        ("--logit-bias", "-1=2"),
        ("--max-tokens", "0"),
        ("--context", "0"),
        ("--gpu-layers", "some"),
        ("--engine", "other"),
        ("--raw", "--system", "x"),
        ("two", "prompts"),
        ("--nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(fake_cli: Cli, instruct: Path, words: tuple[str, ...]) -> None:
    said = fake_cli("run", instruct, "hello", *words)
    assert said.status == 2
    assert said.err.startswith("usage: glasshouse")


def test_no_prompt_at_all_is_wrong_usage(
    fake_cli: Cli, instruct: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b" \n")))
    said = fake_cli("run", instruct)
    assert said.status == 2
    assert "there is no prompt" in said.err


def test_sampling_options_reach_the_engine(fake_cli: Cli, instruct: Path) -> None:
    said = fake_cli(
        *("run", instruct, "hello", "--json", "--seed", 77, "--max-tokens", 9, "--stop", "day"),
        script="text=Good morning and good day to you",
    )
    assert said.events[0]["seed"] == 77
    assert said.events[-1]["text"] == "Good morning and good "
    said = fake_cli("run", instruct, "hello", "--json", "--max-tokens", 2, script="tokens=50")
    assert said.events[-1]["reason"] == "length"


def test_greedy_is_temperature_zero(fake_cli: Cli, instruct: Path) -> None:
    answers = {
        fake_cli("run", instruct, "hello", *words).out
        for words in (("--strategy", "greedy"), ("--temperature", "0"))
    }
    assert len(answers) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX thing")
def test_an_engine_that_dies_leaves_its_text_and_a_sentence(fake_cli: Cli, instruct: Path) -> None:
    said = fake_cli("run", instruct, "hello", script="crash_at=2,text=Good day to you")
    assert said.status == 1
    assert said.out == "Good day\n"
    assert "signal 9" in said.err
    said = fake_cli("run", instruct, "hello", "--json", script="crash_at=2,text=Good day to you")
    assert said.events[-1]["event"] == "failed"
    assert said.events[-1]["error"] == "EngineCrashed"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is a POSIX thing")
@pytest.mark.parametrize("script", ["rate=50,tokens=5000", "prefill_s=60"])
def test_ctrl_c_keeps_the_partial_answer_and_ends_with_130(instruct: Path, script: str) -> None:
    running = subprocess.Popen(
        fake_command("run", instruct, "hello", "--json"),
        stdout=subprocess.PIPE,
        env=environment(GLASSHOUSE_FAKE=script),
        text=True,
    )
    assert running.stdout is not None
    running.stdout.readline()
    running.stdout.readline()
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=20)
    assert running.returncode == 130
    last = json.loads(rest.splitlines()[-1])
    assert last["event"] == "finished"
    assert last["reason"] == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is a POSIX thing")
def test_ctrl_c_while_loading_ends_with_130_and_without_a_word(instruct: Path) -> None:
    running = subprocess.Popen(
        fake_command("run", instruct, "hello"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(GLASSHOUSE_FAKE="load_s=60"),
        text=True,
    )
    child = None
    import psutil

    while child is None:  # the engine process is there: loading has begun
        child = next(iter(psutil.Process(running.pid).children()), None)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert (out, err) == ("", "")
    assert gone_within(child.pid, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="closed pipes end otherwise there")
def test_a_reader_that_leaves_ends_the_program_quietly(instruct: Path) -> None:
    running = subprocess.Popen(
        fake_command("run", instruct, "hello"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(GLASSHOUSE_FAKE="rate=500,tokens=100000,context=1000000"),
    )
    assert running.stdout is not None
    assert running.stderr is not None
    os.read(running.stdout.fileno(), 10)
    running.stdout.close()
    assert running.wait(20) == 1
    assert running.stderr.read() == b""
    running.stderr.close()


def test_output_is_utf_8_whatever_the_terminal_says(instruct: Path) -> None:
    done = subprocess.run(
        fake_command("run", instruct, "hello"),
        capture_output=True,
        check=True,
        env=environment(GLASSHOUSE_FAKE="text=schön 世界 👋", PYTHONIOENCODING="ascii"),
    )
    assert done.stdout.decode() == "schön 世界 👋\n"


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are Unicode there")
def test_arguments_that_are_no_utf_8_do_no_harm(instruct: Path) -> None:
    done = subprocess.run(
        [*fake_command("run", instruct, "--raw", "--stop"), b"\xff", b"caf\xe9"],
        capture_output=True,
        check=True,
        env=environment(GLASSHOUSE_FAKE="text=fine"),
    )
    assert done.stdout == b"fine\n"


def test_both_ends_are_real_too(instruct: Path) -> None:
    said = real_cli("run", instruct, "hello", "--max-tokens", 4, "--seed", 1, "--json")
    assert said.status == 0
    assert said.events[-1]["event"] == "finished"
    again = real_cli("run", instruct, "--max-tokens", 4, "--seed", 1, "--json", text="hello\n")
    assert again.events[-1]["text"] == said.events[-1]["text"]


def test_too_little_memory_names_the_context_that_would_fit(tmp_path: Path) -> None:
    huge = tiny_gguf(tmp_path / "huge-instruct.gguf", context=(1 << 31) - 1)
    said = real_cli("run", huge, "hi", "--context", str(1 << 30))
    assert said.status == 1
    assert re.search(r"`--context \d+` instead of 1,073,741,824 tokens frees [\d.]+ GB", said.err)
