"""Answers what the input vectors of words say: neighbours, sums, maps, and turns by context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import numpy as np
from msgspec.structs import astuple

from inference.errors import UnsupportedRequestError
from inference.inside.questions import (
    AskContext,
    AskMap,
    AskNeighbours,
    AskSum,
    AskVectors,
    Neighbour,
    Neighbours,
    Term,
    WordMap,
)
from inference.inside.reading import (
    array,
    check_positions,
    check_text,
    check_tokens,
    top_places,
    unit,
)
from inference.inside.word_map import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inference.cancel import CancelToken
    from inference.inside.questions import Array, Finding
    from inference.inside.source import Numbers, Source

AboutVectors: TypeAlias = AskNeighbours | AskSum | AskMap | AskContext | AskVectors

_MOST_WORDS: Final = 1000
_MOST_COMPARED: Final = 32  # tokens whose pairs are taken as "any two"
_NOTHING: Final = 1e-4  # length of a sum of unit vectors that rounding alone can leave
_SHORTEST: Final = 3  # letters of a piece that counts as a word


def about_vectors(question: AboutVectors, source: Source, cancel: CancelToken) -> Finding:
    """Return what ``question`` asks for; errors as in ``answering.answer``."""
    finding: Finding
    match question:
        case AskNeighbours() | AskSum():
            finding = neighbours(question, source)
        case AskMap():
            finding = word_map(question, source, cancel)
        case AskContext():
            finding = turned(question, source, cancel)
        case AskVectors():
            check_tokens(question.token_ids, source)
            finding = array(source.vectors(question.token_ids))
        case _:
            assert_never(question)
    return finding


def neighbours(question: AskNeighbours | AskSum, source: Source) -> Neighbours:
    """Return the tokens nearest to a sum of words, by a search through the whole table."""
    terms = _terms(question)
    asked = list(dict.fromkeys(token for term in terms for token in term.token_ids))
    source.check_ids(asked)
    direction = np.zeros(0, np.float32)
    for term in terms:
        step = term.sign * _word(term.token_ids, source)  # (C,)
        direction = step if not direction.size else direction + step
    if float(np.linalg.norm(direction)) < _NOTHING:
        raise UnsupportedRequestError(
            "These words cancel each other out: no direction is left.", "Change one of them."
        )
    direction = unit(direction[None])[0]  # (C,)
    cosines = np.concatenate([unit(rows) @ direction for rows in source.all_vectors()])  # (V,)

    def told(tokens: Sequence[int]) -> tuple[Neighbour, ...]:
        return tuple(
            Neighbour(*astuple(source.piece(token)), cosine=float(scores[token]))
            for token in tokens
        )

    scores = cosines.copy()
    cosines[asked] = -np.inf
    found = top_places(cosines, min(question.top_n, len(cosines) - len(asked)))
    single = len(terms) == 1 and len(asked) == 1
    return Neighbours(told(found), told(asked), "measured" if single else "derived")


def word_map(question: AskMap, source: Source, cancel: CancelToken) -> WordMap:
    """Return a map of words."""
    words = list(dict.fromkeys(word for word in question.words if word))
    if question.frequent > 0:
        known = set(words)
        words += [(t,) for t in _frequent(question.frequent, source) if (t,) not in known]
        if not words:
            raise UnsupportedRequestError(
                "This model's vocabulary has no pieces that begin a word with a space.",
                "Put words of your own on the map.",
            )
    if len(words) > _MOST_WORDS:
        raise UnsupportedRequestError(
            f"A map holds up to {_MOST_WORDS:,} words; these are {len(words):,}.",
            "Choose fewer words.",
        )
    source.check_ids([token for word in words for token in word])
    vectors = np.stack([_word(word, source) for word in words]) if words else np.zeros((0, 1))
    made = lay_out(vectors.astype(np.float32), question.method, cancel)
    names = tuple(_name(word, source) for word in words)
    return WordMap(
        names, array(made.spots), made.spread, made.n_near, made.kept, made.by_chance, made.trust
    )


def turned(question: AskContext, source: Source, cancel: CancelToken) -> Array:
    """Return cosines layer by layer, (2 or 4, L + 1)."""
    first, others = _streams(question.token_ids, question.place, source, cancel)
    rows = [_cosines(first, first[:1])]
    pairs = [others]
    if question.other_ids:
        second, more = _streams(question.other_ids, question.other_place, source, cancel)
        rows += [_cosines(second, second[:1]), _cosines(first, second)]
        pairs.append(more)
    with_pairs = [one for one in pairs if one.shape[1] > 1] or pairs
    rows.append(np.mean([_any_two(one) for one in with_pairs], axis=0))
    return array(np.stack(rows))


# --- parts -----------------------------------------------------------------------------------


def _terms(question: AskNeighbours | AskSum) -> tuple[Term, ...]:
    if isinstance(question, AskNeighbours):
        plus = tuple(Term((token,)) for token in question.plus)
        terms = (*plus, *(Term((token,), -1) for token in question.minus))
    else:
        terms = question.terms
    if not any(term.sign > 0 and term.token_ids for term in terms):
        raise UnsupportedRequestError("A search for neighbours needs at least one token.")
    return tuple(term for term in terms if term.token_ids)


def _word(ids: Sequence[int], source: Source) -> Numbers:
    """Return the mean vector of a word's tokens, scaled to length 1, (C,)."""
    vectors = source.vectors(ids)  # (N, C)
    word: Numbers = unit(vectors.mean(axis=0, keepdims=True, dtype=np.float32))[0]
    return word


def _name(ids: Sequence[int], source: Source) -> str:
    """Return a word's text, or its bytes where it holds less than a whole letter somewhere."""
    data = b"".join(source.piece(token).data for token in ids)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.hex(" ").upper()


def _frequent(count: int, source: Source) -> list[int]:
    """Return tokens that begin a word with some letters, from the start of the vocabulary."""
    found: list[int] = []
    for token in _ids(source):
        text = source.text_of(token)
        letters = text[1:]
        if text[:1] == " " and len(letters) >= _SHORTEST and letters.isalpha():
            found.append(token)
            if len(found) == count:
                break
    return found


def _ids(source: Source) -> Iterator[int]:
    start = 0
    for rows in source.all_vectors():
        yield from range(start, start + len(rows))
        start += len(rows)


def _streams(
    ids: Sequence[int], place: int, source: Source, cancel: CancelToken
) -> tuple[Numbers, Numbers]:
    """Return the stream at a place, (L + 1, C), and at some places of the text, (L + 1, P, C)."""
    check_text(ids, source)
    check_positions((place,), len(ids))
    # The first token is where heads rest: in many models its vector is like no other.
    start = 1 if len(ids) > 2 else 0
    steps = np.linspace(start, len(ids) - 1, min(_MOST_COMPARED, len(ids) - start))
    places = sorted({round(step) for step in steps} | {place})
    stream = source.hidden(ids, places, cancel)  # (L + 1, P, C)
    different = list({ids[at]: n for n, at in enumerate(places) if at >= start}.values())
    return stream[:, places.index(place)], stream[:, different]


def _cosines(first: Numbers, second: Numbers) -> Numbers:
    """Return the cosine of each row of two streams, (L + 1,)."""
    cosines: Numbers = (unit(first) * unit(second)).sum(axis=-1)
    return cosines


def _any_two(stream: Numbers) -> Numbers:
    """Return the mean cosine over pairs of tokens in each layer, (L + 1,); NaN without a pair."""
    count = stream.shape[1]
    if count < 2:
        return np.full(len(stream), np.nan, np.float32)
    sums = unit(stream).sum(axis=1)  # (L + 1, C)
    means: Numbers = (np.square(sums).sum(axis=-1) - count) / (count * (count - 1))
    return means
