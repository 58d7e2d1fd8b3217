"""The settings: one frozen value, kept in one JSON file. A bad value costs only itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from desktop.store.failures import store_error
from desktop.store.files import write_atomically
from inference.types import SamplingParams

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)
_PLACE = "the settings file"
SCHEMA_VERSION = 1

Theme = Literal["system", "light", "dark"]
Motion = Literal["system", "reduced"]
Measure = Literal[560, 640]
AtStart = Literal["chosen", "last", "none"]
FontSize = Annotated[int, msgspec.Meta(ge=13, le=22)]


class EngineOptions(msgspec.Struct, frozen=True):
    """How models are loaded unless something else is chosen; ``None`` lets the engine decide.

    ``unload_after_min``: minutes without use after which a model gives its memory back; ``None`` =
    never.
    ``past_disk_mb``: megabytes of disk for what models have read, 0 = nothing is kept.
    """

    n_ctx: Annotated[int, msgspec.Meta(ge=128, le=1 << 22)] | None = None
    gpu_layers: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    threads: Annotated[int, msgspec.Meta(ge=1, le=1_024)] | None = None
    unload_after_min: Annotated[int, msgspec.Meta(ge=1, le=10_080)] | None = None
    past_disk_mb: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 4_000


class DownloadSettings(msgspec.Struct, frozen=True):
    """How models are fetched. The access token is in the system's keyring, never here.

    Attributes:
        parallel: Files fetched at once.
        go_on: Whether downloads that were under way go on by themselves after a start.
        endpoint: Address of the hub or a mirror; empty = ``HF_ENDPOINT`` or the public one.
        proxy: Address of an HTTP proxy; empty = as the system says.
        limit_bytes_per_s: All downloads together take no more; 0 = no limit.
    """

    parallel: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    go_on: bool = False
    endpoint: str = ""
    proxy: str = ""
    limit_bytes_per_s: Annotated[int, msgspec.Meta(ge=0)] = 0


class Settings(msgspec.Struct, frozen=True):
    """Everything a person can set.

    Attributes:
        schema_version: Form of the file.
        theme: Follows the system unless chosen.
        default_model: Id of the model that is loaded at start, where ``at_start`` says so.
        at_start: The chosen model, the last one used, or none until the first message.
        last_model: Id of the model that was loaded last.
        sampling: What new chats start with.
        system_prompt: What new chats start with.
        font_size: Reading text, logical pixels.
        measure: Width of the reading column, logical pixels.
        motion: Whether things move.
        engine: Load options.
        downloads: How models are fetched.
        window_geometry: Qt's own bytes in base64; empty = never placed.
        splitters: Sizes in logical pixels by splitter name.
        starred: Keys of curated models that come first on Discover.
    """

    schema_version: int = SCHEMA_VERSION
    theme: Theme = "system"
    default_model: str = "starter-instruct"
    at_start: AtStart = "chosen"
    last_model: str = ""
    sampling: SamplingParams = SamplingParams()
    system_prompt: str = ""
    font_size: FontSize = 16
    measure: Measure = 640
    motion: Motion = "system"
    engine: EngineOptions = EngineOptions()
    downloads: DownloadSettings = DownloadSettings()
    window_geometry: str = ""
    splitters: dict[str, tuple[int, ...]] = {}
    starred: tuple[str, ...] = ()


# Ranges the panel offers; the types alone would let a negative temperature through.
_SAMPLING_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0.0, 5.0),
    "top_k": (0, 1_000_000),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "typical_p": (0.0, 1.0),
    "repeat_penalty": (0.01, 10.0),
    "frequency_penalty": (-10.0, 10.0),
    "presence_penalty": (-10.0, 10.0),
    "penalty_window": (0, 1_000_000),
    "seed": (0, 2**64 - 1),
    "max_tokens": (1, 1 << 30),
}


class SettingsFile:
    """The file; keeps what it does not understand.

    Args:
        path: The JSON file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unknown: dict[str, Any] = {}

    def load(self) -> Settings:
        """Read the file; what is absent or bad becomes the default, with a line in the log.

        Raises:
            StoreError: The file is there but cannot be read at all.
        """
        raw = self._read()
        known = {name: value for name, value in raw.items() if name in Settings.__struct_fields__}
        self._unknown = {name: value for name, value in raw.items() if name not in known}
        return msgspec.convert(_good_values(Settings, known, ""), Settings)

    def save(self, settings: Settings) -> None:
        """Write the file whole.

        Raises:
            DiskFullError: There is no space left; the old file stays.
            ReadOnlyFolderError: The folder cannot be written.
        """
        values = self._unknown | msgspec.to_builtins(settings)
        data = msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n"
        write_atomically(self._path, data, _PLACE)

    def _read(self) -> dict[str, Any]:
        try:
            data = self._path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as exc:
            raise store_error(exc, _PLACE) from exc
        try:
            return msgspec.json.decode(data, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            _log.warning("settings file is damaged, defaults are used: %s", exc)
            self._keep_damaged(data)
            return {}

    def _keep_damaged(self, data: bytes) -> None:
        aside = self._path.with_name(self._path.name + ".damaged")
        try:
            aside.write_bytes(data)
        except OSError as exc:
            _log.info("no copy of the damaged settings file: %s", exc)


def _good_values(form: type[msgspec.Struct], raw: dict[str, Any], prefix: str) -> dict[str, Any]:
    good: dict[str, Any] = {}
    for field in msgspec.structs.fields(form):
        if field.name not in raw:
            continue
        value = raw[field.name]
        part = _struct_type(field.type)
        if part is not None and isinstance(value, dict):
            good[field.name] = _good_values(part, value, f"{prefix}{field.name}.")
            continue
        try:
            msgspec.convert(value, field.type)
            _check_range(form, field.name, value)
        except (msgspec.ValidationError, ValueError) as exc:
            _log.warning("setting %s%s is not usable, default: %s", prefix, field.name, exc)
        else:
            good[field.name] = value
    return good


def _struct_type(form: object) -> type[msgspec.Struct] | None:
    return form if isinstance(form, type) and issubclass(form, msgspec.Struct) else None


def _check_range(form: type[msgspec.Struct], name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    if form is SamplingParams and name in _SAMPLING_RANGES and value is not None:
        low, high = _SAMPLING_RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{value} is outside {low} to {high}")
