"""Answers one question of the Inside page, in the worker thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from desktop.controllers.thinking import has_switch, run_chat
from desktop.inside import FindSwitch, ReadAnatomy, ReadWords, RunChat
from inference.inside.decodings import RunDecodings, run_decoding
from inference.library.anatomy import anatomy
from inference.library.as_loaded import check_as_loaded
from inference.tokenizing.job import build_tokens, cut_texts, tell_languages
from inference.tokenizing.orders import BuildTokens, CutText, TellLanguages

if TYPE_CHECKING:
    from desktop.controllers.engine_worker import EngineClientLike
    from desktop.inside import Inquiry, Result
    from inference.cancel import CancelToken
    from inference.library.scan import Stamp
    from inference.types import ModelInfo


def answer(
    client: EngineClientLike,
    question: Inquiry,
    model: ModelInfo,
    stamp: Stamp,
    cancel: CancelToken,
) -> Result:
    """Ask whoever knows: the files, the engine, or a tokenizer.

    Args:
        client: The engine.
        question: To one of them.
        model: That is in memory.
        stamp: Of its files when they were loaded; others tell nothing of it.
        cancel: Looked at on the way.

    Raises:
        InferenceError: There is no answer, or it was given up.
    """
    if isinstance(question, ReadAnatomy | BuildTokens):
        check_as_loaded(Path(model.path), stamp)
    result: Result
    match question:
        case ReadAnatomy():
            result = anatomy(model)
        case ReadWords():
            result = tuple(client.tokenize(word) for word in question.words)
        case RunDecodings():
            result = run_decoding(client, question, cancel)
        case FindSwitch():
            result = has_switch(client, question)
        case RunChat():
            result = run_chat(client, question, cancel)
        case BuildTokens():
            result = build_tokens(question, cancel)
        case TellLanguages():
            result = tell_languages(question, cancel)
        case CutText():
            result = tuple(cut_texts(question, cancel))
        case _:
            result = client.inspect(question, cancel)
    return result
