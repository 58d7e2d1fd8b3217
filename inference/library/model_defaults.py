"""What one model is loaded and asked with unless something else is chosen.

Kept in the model's note (``notes``). A field that is ``None`` follows the general settings. The
window and the command line read the same values; it knows no file and no engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import msgspec

from inference.types import SamplingParams

if TYPE_CHECKING:
    from inference.types import LoadOptions, ModelInfo

CacheType: TypeAlias = Literal["f32", "f16", "q8_0", "q4_0"]
Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
Dtype: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]
Context: TypeAlias = Annotated[int, msgspec.Meta(ge=128, le=1 << 30)]
Layers: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Threads: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1_024)]

_SHARED = ("n_ctx", "threads")
_GGUF = ("gpu_layers", "kv_cache_type", "flash_attention")
_NATIVE = ("device", "dtype")
OWN = "own"
"""Name of a template that a person wrote."""


class TemplateChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which chat template a model is used with.

    Attributes:
        name: Empty = the one in its files; a name of ``template_doctor.BUILT_IN``; or ``own``.
        own: Jinja that the person wrote; kept while another one is chosen.
    """

    name: str = ""
    own: str = ""

    @property
    def source(self) -> str:
        """Jinja in place of the model's own; empty = the one in its files."""
        if self.name == OWN:
            return self.own
        if not self.name:
            return ""
        from inference.library.template_doctor import BUILT_IN, built_in  # noqa: PLC0415  Jinja

        return built_in(self.name).source if self.name in BUILT_IN else ""


class ModelDefaults(msgspec.Struct, frozen=True, omit_defaults=True):
    """``None`` = as the general settings say.

    Attributes:
        n_ctx: Context in tokens.
        gpu_layers: Layers on the GPU (gguf).
        kv_cache_type: Of the context (gguf).
        flash_attention: On or off (gguf).
        threads: Processor threads.
        device: Where it runs (native).
        dtype: Type to compute in (native).
        sampling: How new chats with it draw their words.
        system_prompt: What new chats with it are told first.
        template: Which chat template it is used with.
    """

    n_ctx: Context | None = None
    gpu_layers: Layers | None = None
    kv_cache_type: CacheType | None = None
    flash_attention: bool | None = None
    threads: Threads | None = None
    device: Device | None = None
    dtype: Dtype | None = None
    sampling: SamplingParams | None = None
    system_prompt: str | None = None
    template: TemplateChoice = TemplateChoice()


def load_fields(info: ModelInfo) -> tuple[str, ...]:
    """Return the names of the load options that mean something to a model's engine."""
    return _SHARED + (_GGUF if info.engine == "gguf" else _NATIVE)


def with_defaults(options: LoadOptions, info: ModelInfo, defaults: ModelDefaults) -> LoadOptions:
    """Return load options with what was set for this model in place of the general settings."""
    wanted = {name: getattr(defaults, name) for name in load_fields(info)}
    chosen = {name: value for name, value in wanted.items() if value is not None}
    template = defaults.template.source
    return msgspec.structs.replace(options, **chosen, chat_template=template)
