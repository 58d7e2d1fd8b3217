"""How a text to look at becomes tokens: as the model had them, where that was kept. Knows no Qt."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, cast

from desktop.inside import Reading, Subject, TextSource
from inference.errors import UnsupportedRequestError
from inference.inside.questions import AskPieces, Pieces
from inference.prompt.digest import prompt_digest

if TYPE_CHECKING:
    from desktop.controllers.engine_worker import EngineClientLike
    from inference.cancel import CancelToken
    from inference.types import LoadedModel, ModelInfo, TokenPiece

    Cut = tuple[tuple[TokenPiece, ...], tuple[TokenPiece, ...]]


def read_text(
    client: EngineClientLike,
    source: TextSource,
    model: ModelInfo,
    loaded: LoadedModel,
    cancel: CancelToken,
) -> Subject:
    """Let the model in memory cut a text into tokens.

    Raises:
        UnsupportedRequestError: There is no text.
        InferenceError: The engine could not do it.
    """
    written = source.written
    if written is not None and written.ids and written.model_id == model.id:
        prompt, answer, reading = _as_written(client, source, loaded, cancel)
    else:
        prompt, answer = _cut_anew(client, source, adds_bos=loaded.adds_bos)
        reading = _why_anew(source, model)
    tokens = (*prompt, *answer)
    if not tokens:
        raise UnsupportedRequestError("This text is empty.", "Write some words first.")
    start = len(prompt)
    return Subject(
        source, model, loaded, tokens, start, max(1, _begin(tokens, start, source)), reading
    )


def _begin(tokens: tuple[TokenPiece, ...], start: int, source: TextSource) -> int:
    """Return the token to begin at; the answer's first one is ``start``."""
    word, nth = source.word, source.occurrence
    if source.question:
        found = _place(tokens, word, nth, source.question + source.answer)
        if found is not None:
            return found
    found = _place(tokens[start:], word, nth)
    return len(tokens) if found is None else start + found


def _why_anew(source: TextSource, model: ModelInfo) -> Reading:
    written = source.written
    if written is None or not source.answer:
        return "own"
    return "cut anew" if written.model_id == model.id else "other model"


def _cut_anew(client: EngineClientLike, source: TextSource, *, adds_bos: bool) -> Cut:
    prompt = _prompt(client, source, adds_bos=adds_bos)
    return prompt, client.tokenize(source.answer) if source.answer else ()


def _as_written(
    client: EngineClientLike, source: TextSource, loaded: LoadedModel, cancel: CancelToken
) -> tuple[tuple[TokenPiece, ...], tuple[TokenPiece, ...], Reading]:
    """Return prompt and answer with the ids that were written.

    An answer that was continued began with text that the model read anew, as it is read here.
    """
    written = source.written
    assert written is not None  # noqa: S101  see the caller
    prompt = _prompt(client, source, adds_bos=loaded.adds_bos)
    begun = source.answer[: written.start]
    read = prompt
    if begun and source.request.messages is None:
        whole = (source.request.text or "") + begun
        read = client.tokenize(whole, add_bos=loaded.adds_bos)
        prompt = read[: len(prompt)]
    elif begun:
        read = (*prompt, *client.tokenize(begun))
    found = cast("Pieces", client.inspect(AskPieces(written.ids), cancel))
    answer = (*read[len(prompt) :], *found.tokens)
    digest = prompt_digest([piece.id for piece in read])
    same = written.prompt_digest in ("", digest)
    return prompt, answer, "as written" if same else "other prompt"


def _prompt(
    client: EngineClientLike, source: TextSource, *, adds_bos: bool
) -> tuple[TokenPiece, ...]:
    request = source.request
    if request.messages is not None:
        return client.render(request.messages, request.template_variables).tokens
    return client.tokenize(request.text or "", add_bos=adds_bos)


def _place(
    tokens: tuple[TokenPiece, ...], word: str, occurrence: int, within: str = ""
) -> int | None:
    """Return the token in which the n-th such word begins, in the newest ``within`` of the text.

    A letter may be cut into several tokens; it begins in the first of them.
    """
    if not word:
        return None
    letters = codecs.getincrementaldecoder("utf-8")("replace")
    text, ends = "", []
    for piece in tokens:
        text += letters.decode(piece.data)
        ends.append(len(text) + bool(letters.getstate()[0]))
    text += letters.decode(b"", final=True)
    within = within.strip() or text  # a template may take white space off its ends
    begin = text.rfind(within)
    if begin < 0:
        return None
    end = begin + len(within)
    exact = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    for pattern in (exact, re.compile(re.escape(word))):
        found = [match.start() for match in pattern.finditer(text, begin, end)]
        if found:
            start = found[min(occurrence, len(found) - 1)]
            return next(index for index, reach in enumerate(ends) if reach > start)
    return None
