"""The questions and answers to fine-tune on."""

from __future__ import annotations

import random
import re

import pytest
from starter.dialogues import KINDS, DialogueMaker, bare
from starter.judging import count_sentences, is_right, read_questions
from starter.phrasing import vary
from starter.stories import Thing, any_thing, long_story, story_about
from starter.sums import sums
from starter.topics import read_lists, read_topics
from starter.unknown import decline, unknown_question


@pytest.fixture
def maker() -> DialogueMaker:
    return DialogueMaker(random.Random(7))


def test_same_seed_gives_the_same_dialogues(maker: DialogueMaker) -> None:
    again = DialogueMaker(random.Random(7))
    assert [maker.dialogue() for _ in range(50)] == [again.dialogue() for _ in range(50)]


def test_no_question_of_the_judge_is_in_the_training_dialogues(maker: DialogueMaker) -> None:
    judged = {bare(question.question) for question in read_questions()}
    asked = {bare(maker.turn()[0]) for _ in range(60_000)}
    assert not judged & asked


def test_no_question_of_the_judge_is_written_in_the_texts() -> None:
    judged = {bare(question.question) for question in read_questions()}
    topics = [t for name in ("app", "models", "facts", "greetings") for t in read_topics(name)]
    assert not judged & {bare(question) for topic in topics for question in topic.questions}


def test_judge_has_enough_known_and_unknown_questions() -> None:
    questions = read_questions()
    assert len({question.question for question in questions}) == len(questions)
    assert sum(question.category != "unknown" for question in questions) >= 150
    assert sum(question.category == "unknown" for question in questions) >= 50
    assert {question.category for question in questions} == set(KINDS)


def test_no_question_has_two_answers() -> None:
    answers: dict[str, str] = {}
    for name in ("app", "models", "facts", "greetings"):
        for topic in read_topics(name):
            for question in topic.questions:
                known = answers.setdefault(bare(question), topic.answer)
                assert known == topic.answer, question


@pytest.mark.parametrize("name", ["app", "models", "facts", "greetings"])
def test_every_topic_can_be_asked_in_several_ways(name: str) -> None:
    for topic in read_topics(name):
        assert len(topic.questions) + len(topic.clauses) + len(topic.nouns) >= 3, topic.answer
        assert len(topic.answer) <= 200, topic.answer
        assert topic.answer[-1] in ".?", topic.answer


def test_every_sum_is_right() -> None:
    rng = random.Random(1)
    for _ in range(3000):
        question, answer = sums(rng)
        found = re.fullmatch(r"(\d+) ([+x-]) (\d+) = (\d+)\.", answer)
        assert found is not None, answer
        a, sign, b, result = int(found[1]), found[2], int(found[3]), int(found[4])
        assert {"+": a + b, "-": a - b, "x": a * b}[sign] == result
        assert question


def test_slips_of_the_keyboard_leave_digits_alone() -> None:
    rng = random.Random(2)
    assert all("1234567" in vary("what is 1234567 called", rng) for _ in range(500))


def test_every_short_story_has_four_sentences_and_names_its_thing() -> None:
    rng = random.Random(3)
    for _ in range(2000):
        thing = any_thing(rng)
        story = story_about(thing, rng)
        assert count_sentences(story) == 4, story
        assert thing.later.removeprefix("the ").lower() in story.lower()
        assert "{" not in story


def test_many_things_get_the_plural_verb() -> None:
    rng = random.Random(4)
    kites = Thing("kites", "some kites", "the kites", many=True)
    stories = " ".join(story_about(kites, rng) for _ in range(200))
    assert "kites were" in stories
    assert (
        re.search(r"(?<!of )the kites was", stories) is None
    )  # "the song of the kites was" is right


def test_long_stories_are_complete() -> None:
    rng = random.Random(5)
    for _ in range(300):
        story = long_story(rng)
        assert re.search(r"[{}]|\ba a\b|\bthe a\b", story) is None, story
        assert count_sentences(story) >= 4


def test_unknown_questions_fill_every_slot_and_differ() -> None:
    rng = random.Random(6)
    questions = [unknown_question(rng) for _ in range(4000)]
    assert not any("{" in question or "|" in question for question in questions)
    assert len(set(questions)) > 2500
    assert "templates" in read_lists("unknown")


def test_declining_points_to_models_and_counts_as_declining() -> None:
    rng = random.Random(8)
    unknown = next(q for q in read_questions() if q.category == "unknown")
    for _ in range(30):
        answer = decline(rng)
        assert "Models" in answer
        assert is_right(unknown, answer)


def test_declining_a_known_question_is_never_right() -> None:
    known = next(q for q in read_questions() if q.category == "app")
    assert not is_right(known, "I do not know that. Open Models to get a larger one.")
