"""Which model comes first, how it is loaded by the general settings, and why one cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from desktop.controllers.problems import refused
from inference.types import LoadOptions, PastOptions

if TYPE_CHECKING:
    from desktop.store.settings import EngineOptions, Settings
    from desktop.values import Problem
    from inference.library.notes import ModelNote
    from inference.types import GenerationRequest, ModelInfo

_PAST_MEMORY_BYTES = 256_000_000
STARTERS = ("starter-instruct", "starter-instruct-native")


def start_order(settings: Settings) -> tuple[str, ...]:
    """Return the ids of the models to begin with, the first that is installed counts."""
    last = (settings.last_model,) if settings.last_model and settings.at_start != "chosen" else ()
    return (*last, settings.default_model, *STARTERS)


def starting_with(settings: Settings, note: ModelNote | None) -> Settings:
    """Return the settings that a new chat with a model begins with."""
    if note is None:
        return settings
    defaults = note.defaults
    prompt = defaults.system_prompt
    return msgspec.structs.replace(
        settings,
        sampling=defaults.sampling or settings.sampling,
        system_prompt=settings.system_prompt if prompt is None else prompt,
    )


def general_options(info: ModelInfo, engine: EngineOptions) -> LoadOptions:
    """Return how any model is loaded by the general settings."""
    return LoadOptions(
        info.path,
        info.engine,
        n_ctx=engine.n_ctx,
        gpu_layers=engine.gpu_layers,
        threads=engine.threads,
        past=_past_options(engine),
    )


def request_to_send(request: GenerationRequest, engine: EngineOptions) -> GenerationRequest:
    """Return a request of which nothing is kept, where that was switched off."""
    if engine.past_disk_mb:
        return request
    return msgspec.structs.replace(request, cache_key="")


def _past_options(engine: EngineOptions) -> PastOptions:
    if not engine.past_disk_mb:
        return PastOptions()
    return PastOptions(_PAST_MEMORY_BYTES, engine.past_disk_mb * 1_000_000)


def not_loadable(model_id: str, info: ModelInfo | None) -> Problem | None:
    """Say why a model cannot be loaded; ``None`` where it may be tried."""
    if info is None:
        return refused(
            "This model is not there.",
            f"No installed model is called “{model_id}”.",
            "Choose another model.",
            "choose_model",
        )
    if info.problem:
        return refused(
            "This model cannot be loaded.", info.problem, "Choose another model.", "choose_model"
        )
    return None
