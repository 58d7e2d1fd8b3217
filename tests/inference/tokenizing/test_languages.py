"""The real detector on sentences written for these tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.tokenizing.language_names import FAMILIES, NAMES, UNSPACED
from inference.tokenizing.languages import NO_WORDS, NOT_TOLD, detector, languages_of, teller

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.tokenizing.languages import Told

    Teller = Callable[[str], tuple[Told, ...]]

STORIES = {
    "en": "Once upon a time there was a small house at the edge of the forest. "
    "An old woman lived in it with her cat.",
    "de": "Es war einmal ein kleines Haus am Rande des Waldes. "
    "Darin wohnte eine alte Frau mit ihrer Katze.",
    "zh": "从前，森林边上有一座小房子。里面住着一位老奶奶和她的猫。",
    "ja": "昔々、森のはずれに小さな家がありました。そこにはおばあさんが猫と一緒に住んでいました。",
    "ko": "옛날 옛적에 숲 가장자리에 작은 집이 있었습니다. 그 집에는 할머니가 살았습니다.",
    "ru": "Жила-была в маленьком доме на краю леса старая женщина. У неё была кошка.",
    "uk": "Жила собі в маленькій хатинці на краю лісу стара жінка. У неї був кіт.",
    "bg": "Имало едно време една малка къща в края на гората. В нея живееше стара жена.",
    "sr": "Била једном једна мала кућа на крају шуме. У њој је живела стара жена са мачком.",
    "be": "Жыла-была ў маленькай хатцы на краі лесу старая жанчына. У яе быў кот.",
    "fr": "Il était une fois une petite maison au bord de la forêt. Une vieille y vivait.",
    "es": "Érase una vez una casita al borde del bosque. Allí vivía una anciana con su gato.",
    "pt": "Era uma vez uma casinha à beira da floresta. Lá vivia uma velhinha com o seu gato.",
    "th": "กาลครั้งหนึ่งนานมาแล้ว มีบ้านหลังเล็กอยู่ริมป่า หญิงชราอาศัยอยู่กับแมวของเธอ",
    "ar": "كان يا ما كان، كان هناك بيت صغير على حافة الغابة. عاشت فيه امرأة عجوز.",
    "tr": "Bir varmış bir yokmuş, ormanın kenarında küçük bir ev varmış.",
    "da": "Der var engang et lille hus ved kanten af skoven. Der boede en gammel kone.",
    "hi": "एक समय की बात है, जंगल के किनारे एक छोटा सा घर था। उसमें एक बूढ़ी औरत रहती थी।",
}
MIXED = "\n\n".join(STORIES.values())


@pytest.fixture(scope="module")
def tell() -> Teller:
    return teller()


@pytest.mark.parametrize("language", STORIES)
def test_a_paragraph_alone_is_told(tell: Teller, language: str) -> None:
    assert {one.language for one in tell(STORIES[language])} == {language}


def test_paragraphs_of_a_mixed_text_are_told_apart(tell: Teller) -> None:
    told = tell(MIXED)
    assert "".join(MIXED[one.start : one.end] for one in told) == MIXED
    assert list(dict.fromkeys(one.language for one in told)) == list(STORIES)


def test_sentences_of_one_line_are_told_apart(tell: Teller) -> None:
    text = "Diese Zeile beginnt auf Deutsch. And it goes on in English, as one can see."
    assert [one.language for one in tell(text)] == ["de", "en"]
    text = "This is my old friend from school 这是我的老朋友和他的猫"
    assert [one.language for one in tell(text)] == ["en", "zh"]


@pytest.mark.parametrize("text", ["cat", "Ja.", "Berlin", "да", "кот", "casa", "user"])
def test_what_is_too_short_is_not_told(tell: Teller, text: str) -> None:
    assert [one.language for one in tell(text)] == [NOT_TOLD]


@pytest.mark.parametrize(
    "text", ["...", "42 + 7 = 49", "\n\n", "```\nthe cat sat there\n```", "🍵"]
)
def test_code_numbers_and_signs_are_in_no_language(tell: Teller, text: str) -> None:
    assert [one.language for one in tell(text)] == [NO_WORDS]


def test_a_short_sentence_takes_the_language_around_it(tell: Teller) -> None:
    assert [one.language for one in tell("Yes.")] == [NOT_TOLD]
    assert {one.language for one in tell(f"{STORIES['en']} Yes.")} == {"en"}
    lists = "For this soup you will need these things from the market:\n- milk\n- eggs\n- bread\n"
    assert {one.language for one in tell(lists)} == {"en"}


def test_a_short_sentence_between_two_languages_is_not_told(tell: Teller) -> None:
    told = tell(f"{STORIES['en']}\n\nOK\n\n{STORIES['de']}")
    assert [one.language for one in told] == ["en", "en", NOT_TOLD, "de", "de"]


def test_a_sentence_that_speaks_against_it_does_not_take_the_language_around_it(
    tell: Teller,
) -> None:
    text = f"{STORIES['en']} Собака спит."
    assert tell(text)[-1].language == NOT_TOLD
    assert {one.language for one in tell(text)[:-1]} == {"en"}


def test_near_languages_share_a_name_where_a_passage_leaves_them_open(tell: Teller) -> None:
    (told,) = tell("Bila jednom jedna mala kuća na rubu šume.")
    assert NAMES[told.language] == "Bosnian, Croatian or Serbian"
    assert [one.language for one in tell("狗在桌子底下睡觉。")] == ["zh"]


def test_everything_that_can_be_told_has_a_name(tell: Teller) -> None:
    codes = {code for code, _chance in detector().rank("x")} - {"zxx"}
    assert codes <= NAMES.keys()
    assert set(FAMILIES) <= NAMES.keys()
    assert {code for family in FAMILIES.values() for code in family} <= codes
    assert codes >= UNSPACED
    assert len(set(NAMES.values())) == len(NAMES)


def test_a_passage_is_in_the_surest_language_only_from_six_chances_in_ten() -> None:
    class Says:
        def __init__(self, *chances: tuple[str, float]) -> None:
            self.chances = list(chances)

        def rank(self, text: str) -> list[tuple[str, float]]:
            assert text
            return self.chances

    def told(*chances: tuple[str, float]) -> str:
        return languages_of("words", Says(*chances))[0].language

    assert told(("en", 0.61), ("de", 0.39)) == "en"
    assert told(("en", 0.59), ("de", 0.41)) == NOT_TOLD
    assert told(("hr", 0.4), ("sr", 0.4), ("sl", 0.2)) == "hbs"
    assert told(("yue", 0.5), ("zh", 0.2), ("ja", 0.3)) == "zh"
    assert told(("zxx", 0.9), ("en", 0.1)) == NO_WORDS
