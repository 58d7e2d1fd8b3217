from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.helpers.gguf_files import tiny_gguf
from tests.inference.cli.conftest import real_cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.inference.cli.conftest import Outcome

    Cli = Callable[..., Outcome]


def ids(said: Outcome) -> list[str]:
    return [row["id"] for row in said.events]


def test_a_file_is_added_shown_removed_and_brought_back(fake_cli: Cli, instruct: Path) -> None:
    before = ids(fake_cli("models", "list", "--json"))
    added = fake_cli("models", "add", instruct)
    assert added.status == 0
    assert f"It stays at {instruct}" in added.out
    assert ids(fake_cli("models", "list", "--json")) == [*before, "tiny-instruct"]
    shown = json.loads(fake_cli("models", "show", "tiny-ins", "--json").out)
    assert shown["path"] == str(instruct)
    assert shown["engine"] == "gguf"
    assert shown["origin"] == "added"
    assert shown["estimate_bytes"] > 0
    removed = fake_cli("models", "remove", "tiny-instruct")
    assert "untouched" in removed.out
    assert "models restore tiny-instruct" in removed.out
    assert ids(fake_cli("models", "list", "--json")) == before
    assert instruct.exists()
    assert fake_cli("models", "restore", "tiny-instruct").status == 0
    assert "tiny-instruct" in ids(fake_cli("models", "list", "--json"))


def test_removing_from_the_models_folder_says_what_it_frees(fake_cli: Cli, home: Path) -> None:
    (home / "models").mkdir(parents=True)
    path = tiny_gguf(home / "models" / "mine.gguf")
    size = path.stat().st_size
    removed = json.loads(fake_cli("models", "remove", "mine", "--json").out)
    assert removed == {"id": "mine", "path": str(path), "freed_bytes": size}
    assert not path.exists()
    assert json.loads(fake_cli("models", "restore", "mine", "--json").out)["path"] == str(path)
    assert path.stat().st_size == size
    told = fake_cli("models", "remove", "mine").out
    assert "in the trash" in told
    assert "The window empties the trash for good when it closes." in told
    assert "`glasshouse models restore mine` brings it back until then." in told


def test_lists_and_facts_for_people_name_the_model_and_its_kind(fake_cli: Cli, base: Path) -> None:
    fake_cli("models", "add", base)
    listed = fake_cli("models", "list")
    row = next(line for line in listed.out.splitlines() if line.startswith("tiny-base"))
    assert row.split()[1:3] == ["base", "gguf"]
    shown = fake_cli("models", "show", base).out
    assert "base: continues text" in shown
    assert "no: it continues text only" in shown


def test_a_damaged_file_is_listed_with_its_problem_and_not_added(
    fake_cli: Cli, home: Path, tmp_path: Path
) -> None:
    (home / "models").mkdir(parents=True)
    (home / "models" / "broken.gguf").write_bytes(b"GGUF nonsense")
    row = next(
        line for line in fake_cli("models", "list").out.splitlines() if line.startswith("broken")
    )
    assert row.endswith("cannot be loaded")
    (tmp_path / "bad.gguf").write_bytes(b"nonsense")
    refused = fake_cli("models", "add", tmp_path / "bad.gguf")
    assert refused.status == 1
    assert len(refused.err.splitlines()) == 2


def test_models_needs_a_command(fake_cli: Cli) -> None:
    assert fake_cli("models").status == 2


def test_show_says_whether_the_chat_template_works(tmp_path: Path) -> None:
    broken = tiny_gguf(tmp_path / "broken-instruct.gguf", chat_template="{% if %}")
    said = real_cli("models", "show", broken)
    assert "an error in it" in said.out
    assert "The window can put ChatML in its place." in said.out
    told = real_cli("models", "show", broken, "--json").events[0]["template"]
    assert (told["verdict"], told["mend"]) == ("broken", "chatml")
    good = real_cli("models", "show", tiny_gguf(tmp_path / "good-instruct.gguf"))
    assert "The chat template works." in good.out
