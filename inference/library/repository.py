"""The files of one repository as rows a person can choose from, or the reason why there is none.

Every quantisation is a row; the parts of a split GGUF, and sharded safetensors, are one row. Works
on listings and on what ``remote_header`` read; asks nobody itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from inference.errors import InferenceError
from inference.library import split_files
from inference.library.architectures import gguf_objection
from inference.library.checkpoint_folder import PICKLES
from inference.library.download.selection import checkpoint_choice, gguf_choices
from inference.library.fit import Fit, Plan, judge, judge_by_size
from inference.library.memory_shape import MemoryShape, shape_of_config, shape_of_header
from inference.library.quality import RECOMMENDED, Quality, quality_of, version_in
from inference.native.config import NetworkConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inference.library.catalog import CatalogEntry
    from inference.library.download.selection import Choice
    from inference.library.download.values import Listing, RemoteFile
    from inference.library.gguf_header import GgufHeader
    from inference.library.machine import Machine
    from inference.types import EngineKind

_DTYPES = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}
_FOREIGN = frozenset({".onnx", ".tflite", ".mlmodel", ".mlpackage", ".h5", ".msgpack"})
_LOOK_FOR_GGUF = "Look for the same model as GGUF; its name often ends in -GGUF."


@dataclass(frozen=True, slots=True)
class Version:
    """One row: a form of the model that can be downloaded by itself.

    Attributes:
        engine: Which engine it is for.
        label: ``Q4_K_M``, ``BF16`` ...; unique within a repository.
        files: Everything to download.
        main: The file that stands for it; empty for a checkpoint folder.
        weights_bytes: Bytes of the weights; -1 when the listing does not say.
        quality: In words, with a rank.
        parts: Number of weight files.
        problem: Why it cannot run here, a sentence; empty if nothing is known against it.
    """

    engine: EngineKind
    label: str
    files: tuple[RemoteFile, ...]
    main: str
    weights_bytes: int
    quality: Quality
    parts: int = 1
    problem: str = ""

    @property
    def sha256(self) -> str:
        """Of the one weight file; empty for several."""
        weights = [file for file in self.files if _is_weights(file.path)]
        return weights[0].sha256 if len(weights) == 1 else ""


@dataclass(frozen=True, slots=True)
class Repository:
    """What a page shows of a repository.

    Attributes:
        listing: The commit.
        versions: Rows, GGUF first, from small to large.
        reason: Why nothing in it runs here, two sentences; empty if something does.
        config: Its config.json, as far as it was read.
    """

    listing: Listing
    versions: tuple[Version, ...]
    reason: str = ""
    config: Mapping[str, object] | None = None

    @property
    def runnable(self) -> tuple[Version, ...]:
        """The rows that nothing speaks against."""
        return tuple(version for version in self.versions if not version.problem)

    def shape(self, version: Version, header: GgufHeader | None = None) -> MemoryShape | None:
        """Return what a version's memory depends on; ``None`` before anything was read.

        Args:
            version: One of the rows.
            header: Of any GGUF file of this repository: quantisations share their widths.
        """
        if version.engine == "gguf" and header is not None:
            return shape_of_header(header)
        if self.config is not None and version.engine == "native":
            return shape_of_config(self.config)
        return None


def arrange(listing: Listing, config: Mapping[str, object] | None = None) -> Repository:
    """Group a listing into rows and find out what speaks against them.

    Args:
        listing: All files of a commit.
        config: Its config.json, if it has one and it was read: it tells the architecture.
    """
    versions = [_gguf_version(choice) for choice in gguf_choices(listing)]
    versions = _distinct(versions)
    versions.sort(key=lambda version: (version.weights_bytes, version.label))
    checkpoint = checkpoint_choice(listing)
    if checkpoint is not None:
        versions.append(_native_version(checkpoint, config))
    return _with_reason(Repository(listing, tuple(versions), config=config))


def with_architecture(repository: Repository, architecture: str) -> Repository:
    """Add what a GGUF header says: an architecture that the engine does not know."""
    objection = gguf_objection(architecture)
    if not objection:
        return repository
    sentence = f"This model cannot run here: {objection}."
    versions = tuple(
        replace(version, problem=sentence) if version.engine == "gguf" else version
        for version in repository.versions
    )
    return _with_reason(replace(repository, versions=versions))


def version_fit(
    repository: Repository,
    version: Version,
    machine: Machine,
    header: GgufHeader | None = None,
    *,
    n_ctx: int | None = None,
    kv_cache_type: str = "f16",
    header_bytes: int = 0,
) -> Fit:
    """Judge a row; roughly while no header was read.

    Args:
        repository: Where the row is.
        version: The row.
        machine: What is free.
        header: Of any GGUF file of the repository.
        n_ctx: Context; ``None`` takes the model's own, at most 4,096.
        kv_cache_type: ``f16`` ...
        header_bytes: Part of the file that is no weights.
    """
    shape = repository.shape(version, header)
    size = version.weights_bytes - header_bytes
    if shape is None or not shape.known:
        if version.engine == "gguf":
            return judge_by_size(version.weights_bytes, machine)
        return Fit("unknown")
    parameters = 0
    if version.engine == "native":
        parameters = size // (4 if version.label == "F32" else 2)
    return judge(Plan(version.engine, shape, size, parameters, n_ctx, kv_cache_type), machine)


def version_of(repository: Repository, entry: CatalogEntry) -> Version | None:
    """Return the row that a catalogue entry means: by hash, by file name, else by its label."""
    hashes = {file.sha256 for file in entry.files if file.sha256}
    rows = [row for row in repository.versions if (row.engine == "gguf") == (entry.form == "gguf")]
    for row in rows:
        if row.sha256 in hashes or row.main == entry.wanted:
            return row
    if entry.form == "safetensors":
        return next(iter(rows), None)
    labelled = [row for row in rows if row.label.upper() == entry.version.upper()]
    return labelled[0] if len(labelled) == 1 else None


def recommended(versions: Sequence[Version], fits: Mapping[str, Fit]) -> Version | None:
    """Return the row to preselect: the usual compromise, or the best that runs.

    Args:
        versions: The rows.
        fits: By label, as far as they are known.
    """
    open_rows = [version for version in versions if not version.problem]
    running = [row for row in open_rows if row.label not in fits or fits[row.label].runs]
    for name in RECOMMENDED:
        for row in running:
            if row.engine == "gguf" and row.label.removeprefix("UD-") == name:
                return row
    return max(running, key=lambda row: (row.engine == "gguf", row.quality.rank), default=None)


def _gguf_version(choice: Choice) -> Version:
    name = PurePosixPath(choice.main)
    label = version_in(name.name) or version_in(name.parent.name)
    sizes = [file.size_bytes for file in choice.files]
    return Version(
        engine="gguf",
        label=label or split_files.stem_of(name.name),
        files=choice.files,
        main=choice.main,
        weights_bytes=sum(sizes) if min(sizes) >= 0 else -1,
        quality=quality_of(label),
        parts=len(choice.files),
    )


def _distinct(versions: list[Version]) -> list[Version]:
    """Name rows by their file where a repository has a version twice (several models in one)."""
    labels = [version.label for version in versions]
    return [
        replace(version, label=_place(version.main)) if labels.count(version.label) > 1 else version
        for version in versions
    ]


def _place(path: str) -> str:
    """Return a file's place in its repository without ending and part number."""
    place = PurePosixPath(path)
    return str(place.with_name(split_files.stem_of(place.name)))


def _native_version(choice: Choice, config: Mapping[str, object] | None) -> Version:
    weights = [file for file in choice.files if _is_weights(file.path)]
    stored = str((config or {}).get("dtype") or (config or {}).get("torch_dtype") or "")
    label = _DTYPES.get(stored, "safetensors")
    sizes = [file.size_bytes for file in weights]
    return Version(
        engine="native",
        label=label,
        files=choice.files,
        main="",
        weights_bytes=sum(sizes) if min(sizes) >= 0 else -1,
        quality=quality_of(label) if label in _DTYPES.values() else quality_of("BF16"),
        parts=len(weights),
        problem=_native_problem(choice, config),
    )


def _native_problem(choice: Choice, config: Mapping[str, object] | None) -> str:
    if not any(file.path == "tokenizer.json" for file in choice.files):
        return f"The native engine needs a tokenizer.json, and there is none. {_LOOK_FOR_GGUF}"
    if config is None:
        return ""
    try:
        NetworkConfig.from_dict(config)
    except InferenceError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


def _with_reason(repository: Repository) -> Repository:
    if repository.runnable:
        return replace(repository, reason="")
    problems = [version.problem for version in repository.versions]
    if problems:
        return replace(repository, reason=problems[0])
    return replace(repository, reason=f"{_nothing_runnable(repository)} {_LOOK_FOR_GGUF}")


def _nothing_runnable(repository: Repository) -> str:
    names = {file.path for file in repository.listing.files}
    endings = {PurePosixPath(name).suffix.lower() for name in names}
    pickles = sorted(name for name in names if PurePosixPath(name).suffix.lower() in PICKLES)
    pickle = pickles[0] if pickles else ""
    reasons = (
        ("adapter_config.json" in names, ("This is an addition to another model (an adapter), not "
         "a model by itself.")),
        ("model_index.json" in names, "This makes pictures, not text."),
        (".gguf" in endings, "The GGUF files here are not whole models: parts are missing."),
        (".safetensors" in endings, ("The weights here are not laid out as a model with a "
         "config.json.")),
        (bool(pickles), (f"The weights are in {pickle}, a pickle file. Opening one can run any "
         "program, so the app does not.")),
        (bool(endings & _FOREIGN), "This model is stored for other programs (ONNX or the like)."),
        (True, "There are no weights here, neither GGUF nor .safetensors files."),
    )  # fmt: skip
    return next(reason for applies, reason in reasons if applies)


def _is_weights(path: str) -> bool:
    return path.endswith((".gguf", ".safetensors"))
