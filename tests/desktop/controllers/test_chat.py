"""Chatting through the whole house: stream, stop, versions, find, delete, come back tomorrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.store.chats import Chats
from desktop.store.settings import EngineOptions
from desktop.values import ChatDetail, MessageView
from inference.types import SamplingParams
from tests.desktop.controllers.house import model

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.desktop.controllers.house import House


def _heard(house: House) -> list[tuple[str, object]]:
    heard: list[tuple[str, object]] = []
    for name in ("message_added", "message_changed", "branch_changed", "chat_opened"):
        getattr(house.chat, name).connect(lambda value, name=name: heard.append((name, value)))
    house.chat.answering_changed.connect(lambda value: heard.append(("answering", value)))
    return heard


def test_an_answer_streams_in_pieces_that_make_its_text(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=200,rate=400"))
    house.load()
    pieces: list[str] = []
    stats: list[object] = []
    heard = _heard(house)
    house.chat.text_received.connect(lambda _id, text: pieces.append(text))
    house.chat.stats_changed.connect(stats.append)
    answer = house.ask("Tell me a story")

    changes = [value for name, value in heard if name == "message_changed"]
    states = [view.state for view in changes if isinstance(view, MessageView)]
    assert list(dict.fromkeys(states)) == ["waiting", "reading", "streaming", "complete"]
    streaming = next(v for v in changes if isinstance(v, MessageView) and v.state == "streaming")
    assert streaming.text + "".join(pieces) == answer.text
    assert len(answer.text.split()) == 200
    assert 3 < len(pieces) < 60  # batched, not one signal per token
    assert len(stats) >= 2
    assert answer.stats is not None
    assert answer.stats.completion_tokens == 200
    assert answer.stats.context_used == answer.stats.prompt_tokens + 200
    assert answer.stats.context_total == 32_768
    assert answer.stats.first_token_s > 0
    assert [value for name, value in heard if name == "answering"] == [True, False]


def test_the_first_message_names_the_chat_and_loads_the_model(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "load_s=0.3,text=Fine."))
    assert house.chat.chats() == ()
    assert house.chat.send("Why does bread need salt, and what happens if I forget it entirely?")
    assert house.answer.state == "waiting"
    assert house.chat.chats()[0].answering
    assert house.end().text == "Fine."
    (row,) = house.chat.chats()
    assert row.title == "Why does bread need salt, and what happens if I…"
    assert not row.answering
    assert house.answer.model_name == "Starter-Instruct"


def test_stop_keeps_the_text_and_the_model(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=100000,rate=200"))
    house.load()
    house.chat.send("Go on for ever")
    house.wait_for_text(20)
    house.chat.stop()
    answer = house.end()
    assert answer.state == "stopped"
    assert answer.problem is None
    assert len(answer.text) >= 20
    assert Chats(house.database).message(answer.id).text == answer.text
    assert house.engine.state().status == "ready"


def test_stop_while_the_model_is_loading_leaves_it_loading(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "load_s=0.5"))
    house.chat.send("Hello")
    house.until(lambda: house.engine.state().status == "loading")
    house.chat.stop()
    assert house.answer.state == "stopped"
    house.until(lambda: house.engine.state().status == "ready")
    assert house.answer.text == ""


def test_sending_during_an_answer_is_refused_and_loses_nothing(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "tokens=100000,rate=200"))
    house.load()
    house.chat.send("One")
    assert not house.chat.send("Two")
    assert house.problems[0].title == "An answer is still being written."
    assert house.problems[0].is_passing
    assert len(house.messages) == 2
    house.chat.stop()
    house.end()


def test_regenerate_and_edit_make_versions_to_step_through(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "tokens=5"))
    first = house.ask("One")
    branches: list[ChatDetail] = []
    house.chat.branch_changed.connect(branches.append)
    house.chat.regenerate(first.id)
    second = house.end()
    assert (second.version, second.versions) == (2, 2)
    assert second.text != first.text  # another seed
    follow = house.ask("And then")
    question = house.messages[0]
    house.chat.edit(question.id, "One, edited")
    house.end()
    assert [m.text for m in house.messages][:1] == ["One, edited"]
    assert len(house.messages) == 2
    house.chat.show_version(house.messages[0].id, -1)
    assert [m.id for m in house.messages] == [
        question.id,
        second.id,
        house.messages[2].id,
        follow.id,
    ]
    house.chat.show_version(second.id, -1)
    assert [m.id for m in house.messages] == [question.id, first.id]
    assert len(branches) == 4


def test_an_edited_answer_is_a_version_and_asks_nothing(make_house: Callable[..., House]) -> None:
    house = make_house()
    answer = house.ask()
    house.chat.edit(answer.id, "My own words")
    assert house.answer.text == "My own words"
    assert (house.answer.version, house.answer.versions) == (2, 2)
    assert not house.chat.answering


def test_continue_writes_on_behind_the_text(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=3,text=one two three"))
    before = house.ask()
    prompt = before.stats.prompt_tokens if before.stats else 0
    house.chat.continue_answer(before.id)
    after = house.end()
    assert after.id == before.id
    assert after.text == "one two threeone two three"
    assert after.stats is not None
    assert after.stats.prompt_tokens == prompt + 3  # the text so far is part of the prompt


def test_settings_seed_and_model_are_kept_with_the_answer(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=3"))
    house.settings.update(engine=EngineOptions(n_ctx=4096, threads=2))
    house.chat.set_system_prompt("Be brief.")
    house.chat.set_sampling(SamplingParams(temperature=0.2, top_k=5))
    answer = house.ask()
    record = Chats(house.database).message(answer.id)
    assert record.model_id == "starter-instruct"
    assert record.settings is not None
    assert record.settings.system_prompt == "Be brief."
    assert record.settings.sampling.top_k == 5
    assert record.settings.sampling.seed is not None
    assert record.settings.options is not None
    assert record.settings.options.n_ctx == record.settings.n_ctx == 4096
    # the same seed again gives the same words
    house.chat.set_sampling(record.settings.sampling)
    house.chat.regenerate(answer.id)
    assert house.end().text == answer.text


def test_settings_belong_to_their_chat(make_house: Callable[..., House]) -> None:
    house = make_house()
    changed: list[ChatDetail] = []
    house.chat.settings_changed.connect(changed.append)
    house.chat.set_system_prompt("Be brief.")
    assert changed[-1].system_prompt == "Be brief."
    house.ask()
    first = house.chat.current().id
    house.chat.new_chat()
    assert house.chat.current().system_prompt == ""
    house.chat.open_chat(first)
    assert house.chat.current().system_prompt == "Be brief."


def test_a_base_model_continues_the_whole_text(make_house: Callable[..., House]) -> None:
    base = model(
        "starter-base", "base=1,text= there was a house.", kind="base", has_chat_template=False
    )
    house = make_house(base)
    house.load("starter-base")
    answer = house.ask("Once upon a time")
    assert answer.is_completion
    assert answer.text == " there was a house."
    assert answer.stats is not None
    assert answer.stats.prompt_tokens == 5  # BOS and four words: no template
    again = house.ask("Then")
    assert again.stats is not None
    assert again.stats.prompt_tokens == 1 + 4 + 4 + 1


def test_a_chat_deleted_in_the_last_run_leaves_the_file(make_house: Callable[..., House]) -> None:
    house = make_house()
    house.ask("Forget this")
    house.chat.delete_chat(house.chat.chats()[0].id)
    house.close()
    again = make_house()
    again.until(lambda: again.database.rows("SELECT count(*) FROM messages") == [(0,)])
    again.ask("Keep this")
    again.chat.delete_chat(again.chat.chats()[0].id)
    again.chat.undo_delete()
    assert [row.title for row in again.chat.chats()] == ["Keep this"]


def test_delete_can_be_undone_and_stops_its_answer(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=100000,rate=200"))
    house.load()
    house.chat.send("Something to keep")
    house.wait_for_text()
    chat_id = house.chat.current().id
    with house.qtbot.waitSignal(house.chat.chat_deleted) as told:
        house.chat.delete_chat(chat_id)
    assert told.args == [chat_id, "Something to keep"]
    assert house.chat.chats() == ()
    assert house.chat.current().messages == ()
    house.until(lambda: not house.chat.answering)
    house.chat.undo_delete()
    assert house.chat.current().id == chat_id
    assert house.answer.state == "stopped"
    assert house.answer.text != ""


def test_rename_pin_and_find(make_house: Callable[..., House]) -> None:
    house = make_house()
    house.ask("The first one about gardens")
    first = house.chat.current().id
    house.chat.new_chat()
    house.ask("The second one")
    house.chat.rename_chat(first, "  Tulips  ")
    house.chat.pin_chat(first, True)
    assert [(row.title, row.pinned) for row in house.chat.chats()] == [
        ("Tulips", True),
        ("The second one", False),
    ]
    with house.qtbot.waitSignal(house.chat.find_results_changed) as found:
        house.chat.find("gard")
    assert [row.id for row in found.args[0]] == [first]
    assert "gardens" in found.args[0][0].snippet
    with house.qtbot.waitSignal(house.chat.find_results_changed) as found:
        house.chat.find("")
    assert found.args == [()]


def test_an_answer_goes_on_while_another_chat_is_open(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=60,rate=100"))
    house.load()
    house.chat.send("Long one")
    house.wait_for_text()
    chat_id = house.chat.current().id
    house.chat.new_chat()
    assert house.chat.current().messages == ()
    house.chat.open_chat(chat_id)
    assert house.answer.state == "streaming"
    assert house.answer.text != ""
    assert len(house.end().text.split()) == 60


def test_chats_are_there_tomorrow(make_house: Callable[..., House]) -> None:
    house = make_house()
    answer = house.ask("Remember me")
    house.close()
    again = make_house()
    (row,) = again.chat.chats()
    again.chat.open_chat(row.id)
    assert [m.text for m in again.messages] == ["Remember me", answer.text]
    assert again.answer.model_name == "Starter-Instruct"


def test_closing_in_mid_answer_keeps_the_text(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=100000,rate=300"))
    house.load()
    house.chat.send("Go on")
    house.wait_for_text(50)
    seen = house.answer.text
    house.close()
    again = make_house()
    again.chat.open_chat(again.chat.chats()[0].id)
    assert again.answer.state == "stopped"
    assert again.answer.text.startswith(seen)
