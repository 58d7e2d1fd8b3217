"""Facts about a model from its files, whichever form they have. Never loads it."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from inference.errors import CorruptCheckpointError, InferenceError, UnsupportedArchitectureError
from inference.library import checkpoint_folder, split_files
from inference.library.gguf_header import GgufHeader, read_header
from inference.library.kinds import ENCODERS, kind_of_model
from inference.native.config import NetworkConfig
from inference.native.config_reader import quantized_elsewhere
from inference.native.foreign import seen_form
from inference.types import ModelInfo

_ONE_VECTOR = (1, 2, 3)  # llama.cpp's mean, cls and last; 4 ranks
_PROJECTORS = frozenset({"clip", "mmproj"})


def describe(path: Path, called: str = "") -> ModelInfo:
    """Describe a ``.gguf`` file or a checkpoint folder.

    Args:
        path: Where it lies.
        called: What it is called where its file or folder has only a number.

    Never raises for a model that is damaged, missing or unknown: ``problem`` says it, and the
    other facts are as many as could be read. ``id`` is the file's or folder's name.
    """
    return examine(path, called)[0]


def examine(path: Path, called: str = "") -> tuple[ModelInfo, InferenceError | None]:
    """Describe a model, and return the error that keeps it from being loaded, if there is one."""
    path = Path(path).absolute()
    return _examine_gguf(path, called) if is_gguf(path) else _examine_folder(path, called)


def is_gguf(path: Path) -> bool:
    """Tell the two forms apart: a file, or at least something named like one, is GGUF."""
    return path.is_file() or (path.suffix.lower() == ".gguf" and not path.is_dir())


def _with_problem(
    info: ModelInfo, error: InferenceError | None
) -> tuple[ModelInfo, InferenceError | None]:
    if error is None:
        return info, None
    return replace(info, problem=f"{error.message} {error.hint}".strip()), error


def _examine_gguf(path: Path, called: str) -> tuple[ModelInfo, InferenceError | None]:
    path = split_files.first_part(path)
    name = split_files.stem(path)
    files = split_files.parts(path)
    info = ModelInfo(
        id=name, name=name, path=str(path), engine="gguf", size_bytes=sum(map(_file_bytes, files))
    )
    try:
        header = read_header(path)
    except InferenceError as error:
        return _with_problem(info, error)
    info = _gguf_facts(info, header, called)
    try:
        _check_split(header, files)
        others = [read_header(part) for part in files[1:]]
    except InferenceError as error:
        return _with_problem(info, error)
    info = replace(info, parameters=info.parameters + sum(part.parameters for part in others))
    return _with_problem(info, _gguf_problem(info, header))


def _gguf_facts(info: ModelInfo, header: GgufHeader, called: str) -> ModelInfo:
    template = header.text("tokenizer.chat_template")
    words = [info.id, called, header.text("general.name"), header.text("general.finetune")]
    tags = header.metadata.get("general.tags")
    if isinstance(tags, tuple):
        words += [tag for tag in tags if isinstance(tag, str)]
    return replace(
        info,
        name=_own_name(header) or info.name,
        kind=kind_of_model(
            words, template, header.architecture, pools=header.own("pooling_type") in _ONE_VECTOR
        ),
        architecture=header.architecture,
        parameters=header.parameters,
        quantization=header.quantization,
        n_ctx_train=header.own("context_length"),
        n_layers=header.own("block_count"),
        n_vocab=header.n_vocab,
        has_chat_template=bool(template),
        license=header.text("general.license"),
    )


def _own_name(header: GgufHeader) -> str:
    """Return the model's name; some converters write only the architecture there."""
    name = header.text("general.name").strip()
    return "" if name.casefold() == header.architecture.casefold() else name


def _check_split(header: GgufHeader, files: tuple[Path, ...]) -> None:
    missing = [file.name for file in files if not file.is_file()]
    expected = max(header.number("split.count"), 1)
    if missing:
        what = f"{missing[0]} is not beside it" + (
            f", nor are {len(missing) - 1} others" if len(missing) > 1 else ""
        )
    elif expected != len(files):
        what = f"it is one of {expected} files, and its name no longer says so"
    else:
        return
    raise CorruptCheckpointError(
        f"The model {files[0].name} is incomplete: {what}.",
        "Download the missing files into the same folder, under their own names.",
    )


def _gguf_problem(info: ModelInfo, header: GgufHeader) -> InferenceError | None:
    name = Path(info.path).name
    if not info.architecture:
        return CorruptCheckpointError(
            f"The file {name} does not say what architecture it has.", "Download the file again."
        )
    if info.architecture in _PROJECTORS:
        return UnsupportedArchitectureError(
            f"The file {name} is the part of a model that sees pictures, not one that writes.",
            "Choose the language model that belongs to it.",
        )
    if info.architecture in ENCODERS:
        return UnsupportedArchitectureError(
            f"The file {name} is a model that turns texts into numbers, for searching. It writes "
            "nothing.",
            "Choose a base or instruct model to write with.",
        )
    if not info.parameters:
        return CorruptCheckpointError(
            f"The file {name} holds only a vocabulary and no weights.",
            "Choose a file with weights.",
        )
    if header.text("general.type") not in ("", "model"):
        return UnsupportedArchitectureError(
            f"The file {name} is an addition to a model ({header.text('general.type')[:40]}).",
            "Choose the model itself.",
        )
    return None


def _examine_folder(folder: Path, called: str) -> tuple[ModelInfo, InferenceError | None]:
    info = ModelInfo(id=folder.name, name=folder.name, path=str(folder), engine="native")
    try:
        config = checkpoint_folder.read_config(folder)
    except InferenceError as error:
        return _with_problem(info, error)
    architectures = config.get("architectures")
    named = architectures[0] if isinstance(architectures, list) and architectures else ""
    architecture = str(config.get("model_type") or named)[:80]
    info = replace(
        info,
        kind=kind_of_model(
            [folder.name, folder.parent.name, called],
            checkpoint_folder.chat_template(folder),
            architecture,
            pools=(folder / "modules.json").is_file(),
        ),
        architecture=architecture,
        size_bytes=folder_bytes(folder),
        n_ctx_train=_count(config, "max_position_embeddings", "n_positions"),
        n_layers=_count(config, "num_hidden_layers", "n_layer"),
        n_vocab=_count(config, "vocab_size"),
        has_chat_template=checkpoint_folder.has_chat_template(folder),
        license=checkpoint_folder.license_of(folder),
    )
    problem: InferenceError | None = None
    try:
        NetworkConfig.from_dict(config)
    except InferenceError as error:
        problem = error
    try:
        weights = checkpoint_folder.read_weights(folder)
    except InferenceError as error:
        return _with_problem(info, problem or error)
    info = replace(info, parameters=weights.parameters, quantization=weights.dtype)
    if problem is None and (form := seen_form((t.name, t.dtype) for t in weights.tensors)):
        problem = quantized_elsewhere(form)
    if problem is None and not (folder / "tokenizer.json").is_file():
        problem = CorruptCheckpointError(
            f"The folder {folder.name} has no tokenizer.json.",
            "Download the model again, with all its files.",
        )
    if isinstance(problem, UnsupportedArchitectureError):
        # The catalogue weighs its models with what begins here.
        from inference.library.alternatives import gguf_alternative  # noqa: PLC0415

        hint = gguf_alternative(called or folder.name)
        problem = UnsupportedArchitectureError(problem.message, hint, problem.detail)
    return _with_problem(info, problem)


def _count(config: dict[str, object], *keys: str) -> int:
    for key in keys:
        value = config.get(key)
        if isinstance(value, int) and 0 < value < 1 << 31:
            return value
    return 0


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder and below."""
    return sum(_file_bytes(path) for path in folder.rglob("*") if not path.is_dir())


def size_on_disk(path: Path) -> int:
    """Return the size of a file, or of all files in a folder and below."""
    return folder_bytes(path) if path.is_dir() else _file_bytes(path)


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
