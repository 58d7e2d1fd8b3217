"""Models that other apps keep on this computer: found where they are, never copied, never changed.

Known are the Hugging Face cache, LM Studio, Ollama (manifests and blobs), GPT4All and Jan. Nothing
is opened for writing here, and nothing is read before the person agreed: ``find_places`` only looks
whether folders exist.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from inference.library import split_files
from inference.library.checkpoint_folder import is_checkpoint_folder
from inference.library.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

App: TypeAlias = Literal["huggingface", "lmstudio", "ollama", "gpt4all", "jan"]
NAMES: Mapping[App, str] = {
    "huggingface": "Hugging Face cache",
    "lmstudio": "LM Studio",
    "ollama": "Ollama",
    "gpt4all": "GPT4All",
    "jan": "Jan",
}
_MOST_MANIFEST_BYTES = 1_000_000
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_OLLAMA_MODEL = "application/vnd.ollama.image.model"
_CACHED_REPO = re.compile(r"models--(?P<org>[\w.-]+?)--(?P<name>[\w.-]+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MODEL_PATH = re.compile(r"^model_path:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
_INI_PATH = re.compile(r"^modelPath=(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which another app keeps models."""

    app: App
    folder: Path

    @property
    def name(self) -> str:
        """The app's name, for people."""
        return NAMES[self.app]


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A model of another app.

    Attributes:
        id: ``ollama/qwen3:4b``, ``huggingface/org/name`` ...; unique among all places.
        name: As that app calls it.
        path: The ``.gguf`` file (Ollama's have no ending) or the checkpoint folder.
    """

    id: str
    name: str
    path: Path


def find_places(
    environ: Mapping[str, str] | None = None, home: Path | None = None
) -> tuple[Place, ...]:
    """Return the folders that exist; looks at nothing inside them.

    Args:
        environ: Environment; ``None`` takes this process's.
        home: The person's folder; ``None`` takes this person's.
    """
    environ = os.environ if environ is None else environ
    home = Path.home() if home is None else home
    found: dict[Path, Place] = {}
    for app, folder in _candidates(environ, home):
        try:
            if folder.is_dir():
                found.setdefault(folder.resolve(), Place(app, folder))
        except OSError:  # not ours to look at
            continue
    return tuple(found.values())


def models_in(place: Place) -> tuple[ForeignModel, ...]:
    """Return the models of a place, whole ones only; an unreadable place has none."""
    found: dict[str, ForeignModel] = {}
    try:
        for model in _LISTERS[place.app](place.folder):
            found.setdefault(model.id, model)
    except OSError:
        return tuple(found.values())
    return tuple(sorted(found.values(), key=lambda model: model.id))


def _candidates(environ: Mapping[str, str], home: Path) -> Iterator[tuple[App, Path]]:
    def named(variable: str) -> Path | None:
        return Path(environ[variable]).expanduser() if environ.get(variable) else None

    cache = named("XDG_CACHE_HOME") or home / ".cache"
    hf_home = named("HF_HOME") or cache / "huggingface"
    yield "huggingface", named("HF_HUB_CACHE") or hf_home / "hub"
    yield from (("lmstudio", folder) for folder in _lmstudio(home))
    yield "ollama", named("OLLAMA_MODELS") or home / ".ollama" / "models"
    yield "ollama", Path("/usr/share/ollama/.ollama/models")
    data = _data_folders(environ, home)
    for folder in data:
        for ini in (folder / "nomic.ai" / "GPT4All.ini", home / ".config/nomic.ai/GPT4All.ini"):
            yield from (("gpt4all", path) for path in _said(ini, _INI_PATH))
        yield "gpt4all", folder / "nomic.ai" / "GPT4All"
        yield "jan", folder / "Jan" / "data"
    yield "jan", home / ".config" / "Jan" / "data"
    yield "jan", home / "jan"


def _data_folders(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Return where apps of this system keep their data."""
    if sys.platform == "win32":
        known = (environ.get("LOCALAPPDATA"), environ.get("APPDATA"))
        return tuple(Path(folder) for folder in known if folder)
    if sys.platform == "darwin":
        return (home / "Library" / "Application Support",)
    return (Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share"),)


def _lmstudio(home: Path) -> Iterator[Path]:
    roots = [home / ".lmstudio", home / ".cache" / "lm-studio"]
    pointer = _text(home / ".lmstudio-home-pointer").strip()
    if pointer:
        roots.insert(0, Path(pointer))
    for root in roots:
        settings = _json(root / "settings.json")
        chosen = settings.get("downloadsFolder")
        if isinstance(chosen, str) and chosen:
            yield Path(chosen)
        yield root / "models"


def _huggingface(folder: Path) -> Iterator[ForeignModel]:
    for repo in sorted(folder.iterdir()):
        match = _CACHED_REPO.fullmatch(repo.name)
        snapshot = _snapshot(repo) if match else None
        if match is None or snapshot is None:
            continue
        name = f"{match['org']}/{match['name']}"
        has_gguf = False
        for model in _scanned(snapshot, f"huggingface/{name}"):
            has_gguf = True
            yield model
        if not has_gguf and _is_whole_checkpoint(snapshot):
            yield ForeignModel(f"huggingface/{name}", name, snapshot)


def _snapshot(repo: Path) -> Path | None:
    """Return the newest commit that is there: what ``main`` says, else the latest folder."""
    main = _text(repo / "refs" / "main").strip()
    snapshots = repo / "snapshots"
    if _COMMIT.fullmatch(main) and (snapshots / main).is_dir():
        return snapshots / main
    folders = [path for path in _entries(snapshots) if path.is_dir()]
    return max(folders, key=lambda path: path.stat().st_mtime_ns, default=None)


def _is_whole_checkpoint(folder: Path) -> bool:
    return is_checkpoint_folder(folder) and any(
        path.suffix == ".safetensors" and path.exists() for path in _entries(folder)
    )


def _scanned(folder: Path, prefix: str) -> Iterator[ForeignModel]:
    for found in scan(folder).models:
        if found.path.is_dir():
            if _is_whole_checkpoint(found.path):
                yield ForeignModel(f"{prefix}/{found.id}", found.id, found.path)
        elif all(part.is_file() for part in split_files.parts(found.path)):
            yield ForeignModel(f"{prefix}/{found.id}", found.id, found.path)


def _ollama(folder: Path) -> Iterator[ForeignModel]:
    manifests = folder / "manifests"
    for manifest in sorted(path for path in manifests.rglob("*") if path.is_file()):
        parts = manifest.relative_to(manifests).parts
        blob = _ollama_blob(manifest, folder / "blobs")
        if blob is None or len(parts) < 3:
            continue
        *where, name, tag = parts
        own = where in (["registry.ollama.ai", "library"],)
        full = name if own else "/".join([*where, name]).removeprefix("registry.ollama.ai/")
        yield ForeignModel(f"ollama/{full}:{tag}", f"{full}:{tag}", blob)


def _ollama_blob(manifest: Path, blobs: Path) -> Path | None:
    """Return the file with the weights; ``None`` when it is missing or not whole."""
    layers = _json(manifest).get("layers")
    for layer in layers if isinstance(layers, list) else ():
        if not isinstance(layer, dict) or layer.get("mediaType") != _OLLAMA_MODEL:
            continue
        digest = _DIGEST.fullmatch(str(layer.get("digest")))
        if digest is None:
            return None
        blob = blobs / f"sha256-{digest[1]}"
        if blob.is_file() and blob.stat().st_size == layer.get("size"):
            return blob
    return None


def _gpt4all(folder: Path) -> Iterator[ForeignModel]:
    for path in _entries(folder):
        unfinished = path.name.startswith("incomplete-")
        if path.suffix.lower() == ".gguf" and path.is_file() and not unfinished:
            yield ForeignModel(f"gpt4all/{path.stem}", path.stem, path)


def _jan(folder: Path) -> Iterator[ForeignModel]:
    """Read Jan's own list (``model.yml`` says where a linked file is), then its folder."""
    listed: set[Path] = set()
    for models in (folder / "llamacpp" / "models", folder / "models"):
        for note in sorted(models.rglob("model.yml")) if models.is_dir() else ():
            for said in _said(note, _MODEL_PATH):
                path = said if said.is_absolute() else folder / said
                if path.suffix.lower() == ".gguf" and path.is_file():
                    name = note.parent.relative_to(models).as_posix()
                    listed.add(path.resolve())
                    yield ForeignModel(f"jan/{name}", name, path)
        for model in _scanned(models, "jan"):
            if model.path.resolve() not in listed:
                yield model


_LISTERS: Mapping[App, Callable[[Path], Iterator[ForeignModel]]] = {
    "huggingface": _huggingface,
    "lmstudio": lambda folder: _scanned(folder, "lmstudio"),
    "ollama": _ollama,
    "gpt4all": _gpt4all,
    "jan": _jan,
}


def _entries(folder: Path) -> tuple[Path, ...]:
    try:
        return tuple(sorted(folder.iterdir()))
    except OSError:
        return ()


def _said(file: Path, pattern: re.Pattern[str]) -> Iterator[Path]:
    yield from (Path(match[1].strip()) for match in pattern.finditer(_text(file)))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_MANIFEST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _json(file: Path) -> dict[str, object]:
    try:
        found = msgspec.json.decode(_text(file))
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
