"""From errors to what a person reads: a title, what it means, what to do, what was kept."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.values import COMPLETION_TOKENS, Offer, Problem
from inference.errors import InferenceError, wire_name

if TYPE_CHECKING:
    from inference.events import Failed
    from inference.library.smaller import Smaller
    from inference.types import LoadedModel

_NOT_KEPT = "You can chat, but this window keeps nothing."
_KEPT = "The app and your chat are untouched."

# Titles by the error's wire name: while a model is loaded, and while it answers.
_LOADING = {
    "ModelNotFound": "This model is not there.",
    "CorruptCheckpoint": "This model's files are damaged.",
    "UnsupportedArchitecture": "This kind of model is not known here.",
    "BackendUnavailable": "The engine for this model is not available.",
    "OutOfMemory": "There is not enough memory for this model.",
    "BadChatTemplate": "This model's chat template does not work.",
    "EngineCrashed": "The engine stopped while loading the model.",
}
_ANSWERING = {
    "OutOfMemory": "Memory ran out while the model was writing.",
    "ContextOverflow": "This chat is longer than the model's context.",
    "BadChatTemplate": "The chat template does not accept this chat.",
    "UnsupportedRequest": "This engine cannot do what was asked.",
    "EngineCrashed": "The engine stopped while the model was writing.",
}
# Where the same again cannot go well with the same model; another one may take the question.
_OTHER_MODEL = frozenset({"OutOfMemory", "BadChatTemplate", "UnsupportedRequest"})
_PROMPT_TOKENS = re.compile(r"prompt_tokens=(\d+)")
_STORE = {
    "DatabaseTooNew": "Your chats were saved by a newer version.",
    "DatabaseLocked": "Another window is using your chats.",
    "DiskFull": "The disk is full.",
    "ReadOnlyFolder": "The data folder cannot be written.",
}
_DOWNLOAD = {
    "Network": "The network does not bring it.",
    "RepositoryNotFound": "The hub does not have this.",
    "GatedModel": "The authors ask for something first.",
    "HashMismatch": "The file is not what its author published.",
    "UnsafeName": "This repository has unsafe file names.",
    "NothingRunnable": "Nothing here can run this.",
    "NoSpace": "There is too little space on the disk.",
    "Store": "The system's keyring does not answer.",
}
# Where a token goes: in a terminal into the environment, in the window into the settings.
_TOKEN = (
    ("HF_TOKEN or the token in the settings", "the token in Settings, Network"),
    ("the token in HF_TOKEN or the settings", "the token in Settings, Network"),
    ("HF_TOKEN or Settings", "in Settings, Network"),
    ("a token in HF_TOKEN", "a token: put it into Settings, Network"),
)
_LOOKING = {
    "OutOfMemory": "There is not enough memory to show this.",
    "ContextOverflow": "This text is too long to show.",
    "EngineCrashed": "The engine stopped while it was looked into.",
}
_HINTS = {
    "OutOfMemory": "Close other programs, or choose a smaller model or a shorter context.",
}


def loading_problem(error: InferenceError, smaller: Smaller | None = None) -> Problem:
    """A model could not be loaded; ``smaller`` is a way that needs less memory."""
    name = wire_name(error)
    problem = Problem(
        _LOADING.get(name, "The model could not be loaded."),
        error.message,
        error.hint or _HINTS.get(name, "Choose another model."),
        error.detail,
        offers=("choose_model",),
    )
    return _offer_smaller(problem, smaller)


def shelf_problem(error: InferenceError) -> Problem:
    """The list of installed models could not be read or changed."""
    title = _LOADING.get(wire_name(error)) or _STORE.get(wire_name(error))
    return Problem(
        title or "The list of models could not be changed.",
        error.message,
        hub_hint(error.hint),
        error.detail,
        can_retry=False,
    )


def making_problem(error: InferenceError) -> Problem:
    """Another version of a model was not made."""
    return Problem(
        "The new version was not made.", error.message, error.hint, error.detail, can_retry=False
    )


def hub_problem(error: InferenceError) -> Problem:
    """The hub could not be asked: its sentence is the title."""
    return Problem(error.message, "", hub_hint(error.hint), error.detail)


def hub_hint(hint: str) -> str:
    """Say a next step of the hub's as it is taken in the window."""
    for terminal, window in _TOKEN:
        hint = hint.replace(terminal, window)
    return hint


def idle_problem(error: InferenceError, smaller: Smaller | None = None) -> Problem:
    """The engine process went away while nothing was asked of it."""
    problem = Problem(
        "The engine stopped.",
        f"{error.message} {_KEPT}",
        "The model is loaded again with your next message.",
        error.detail,
    )
    return _offer_smaller(problem, smaller)


def answer_problem(
    failed: Failed, loaded: LoadedModel | None = None, smaller: Smaller | None = None
) -> Problem:
    """An answer could not go on; ``loaded`` is the model as it was in memory."""
    crashed = failed.error == "EngineCrashed"
    problem = Problem(
        _ANSWERING.get(failed.error, "The answer could not be finished."),
        f"{failed.message} {_KEPT}" if crashed else failed.message,
        failed.hint or _HINTS.get(failed.error, "Try again."),
        failed.detail,
        offers=("choose_model",) if failed.error in _OTHER_MODEL else (),
    )
    if failed.error == "ContextOverflow":
        return _overflow(problem, loaded)
    return _offer_smaller(problem, smaller)


def _offer_smaller(problem: Problem, smaller: Smaller | None) -> Problem:
    """Offer to load the same model with less memory, and say what that frees."""
    if smaller is None:
        return problem
    options, freed = smaller.options, f"{smaller.frees_bytes / 1e9:.1f} GB"
    if smaller.frees_bytes < 1e8:
        freed = f"{max(1, round(smaller.frees_bytes / 1e6))} MB"
    if smaller.n_ctx < smaller.n_ctx_before:
        hint = (
            f"A context of {smaller.n_ctx:,} tokens instead of {smaller.n_ctx_before:,} "
            f"frees {freed}."
        )
        words = f"Load with {smaller.n_ctx:,} tokens"
    elif options.kv_cache_type.startswith("q"):
        hint = f"Keeping the context in 8 bits a number frees {freed}."
        words = "Load with a smaller cache"
    elif options.dtype == "bfloat16":
        hint, words = f"Weights in 16 bits free {freed}.", "Load in 16 bits"
    else:
        hint = f"With {options.gpu_layers} layers on the GPU, {freed} more stay free there."
        words = f"Load with {options.gpu_layers} GPU layers"
    offers: tuple[Offer, ...] = ("load_smaller", *problem.offers)
    return replace(problem, hint=hint, offers=offers, smaller=options, smaller_words=words)


def _overflow(problem: Problem, loaded: LoadedModel | None) -> Problem:
    """The same again cannot fit: offer more room where the model was trained for it."""
    found = _PROMPT_TOKENS.search(problem.detail)
    needed = int(found[1]) + COMPLETION_TOKENS if found else 0
    larger = 0
    if loaded is not None and loaded.n_ctx < loaded.n_ctx_train:
        larger = 2 * loaded.n_ctx
        while larger < needed:
            larger *= 2
        larger = min(larger, loaded.n_ctx_train)
    if larger < needed:
        larger = 0
    offers: tuple[Offer, ...] = ("larger_context", "new_chat") if larger else ("new_chat",)
    hint = "A new chat begins with an empty context."
    if larger:
        hint = f"With a context of {larger:,} tokens there is room; it takes more memory."
    return replace(
        problem, hint=hint, detail="", can_retry=False, offers=offers, larger_context=larger
    )


def store_problem(error: InferenceError, *, is_kept: bool = True) -> Problem:
    """Something could not be kept or read; ``is_kept`` tells whether the next thing may be."""
    title = _STORE.get(wire_name(error), "Your chats could not be saved or read.")
    message = error.message if is_kept else f"{error.message} {_NOT_KEPT}"
    return Problem(title, message, error.hint, error.detail, can_retry=False)


def download_title(error: str) -> str:
    """Say in a few words what stopped a download, by the error's wire name."""
    return _DOWNLOAD.get(error, "The download stopped.")


def refused(title: str, message: str, hint: str = "", *offers: Offer) -> Problem:
    """A command that makes no sense now."""
    return Problem(title, message, hint, can_retry=False, offers=offers)


INTERRUPTED = Problem(
    "Glasshouse ended while this answer was being written.",
    "The text up to there is kept.",
    "Continue the answer, or try again.",
)


def looking_problem(error: InferenceError) -> Problem:
    """Say why the inside of a model cannot be shown."""
    title = _LOOKING.get(wire_name(error), "This cannot be shown.")
    return Problem(title, error.message, error.hint, error.detail, can_retry=False)
