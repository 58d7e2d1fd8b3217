"""``glasshouse models convert | quantize``: a folder as a GGUF file, and smaller files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.meter import Meter
from inference.cli.options import add_json, add_model
from inference.cli.session import INTERRUPTED, find_model, interruptible
from inference.convert.job import MakingStopped, make_file
from inference.convert.orders import CONVERTED, QUANTIZED
from inference.convert.places import conversion, own_type, place_of, reduction
from inference.errors import UnsupportedRequestError
from inference.library.installed import Library
from inference.paths import app_paths

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.convert.job import MadeFile
    from inference.convert.orders import Action, Order
    from inference.types import ModelInfo

_WORDS: dict[str, str] = {"convert": "writing", "quantize": "making it smaller"}


def add_parsers(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two commands to ``models``."""
    converted = actions.add_parser(
        "convert",
        help="write a checkpoint folder as a GGUF file",
        description="Write a checkpoint folder as one GGUF file with its tokenizer and chat "
        "template, for the gguf engine and other programs. The tokens of the new file are held "
        "against the folder's; what GGUF or llama.cpp cannot say is refused by name.",
    )
    add_model(converted)
    converted.add_argument(
        "--type",
        choices=("auto", *CONVERTED),
        type=_type_name,
        default="auto",
        help="type of the matrices (auto: BF16 for such weights, else F16)",
    )
    converted.set_defaults(handler=convert)
    reduced = actions.add_parser(
        "quantize",
        help="make a smaller version of a model",
        description="Make a smaller version of a GGUF file with llama.cpp's own quantiser, or of "
        "a checkpoint folder, which is converted on the way.",
    )
    add_model(reduced)
    reduced.add_argument(
        "--type",
        choices=QUANTIZED,
        type=_type_name,
        default="Q4_K_M",
        help="type of most matrices (default: Q4_K_M)",
    )
    reduced.add_argument(
        "--again", action="store_true", help="also of a file that is quantised already"
    )
    reduced.set_defaults(handler=quantize)
    for action in (converted, reduced):
        action.add_argument(
            "--output", type=Path, metavar="PATH", help="the new file (default: beside its model)"
        )
        action.add_argument("--force", action="store_true", help="replace a file of that name")
        add_json(action)


def convert(arguments: argparse.Namespace) -> int:
    """Write a folder as a GGUF file."""
    info = _source(arguments.model, prefer_folder=True)
    file_type = own_type(info) if arguments.type == "auto" else arguments.type
    return _make(arguments, info, conversion(info, file_type), file_type)


def quantize(arguments: argparse.Namespace) -> int:
    """Make a smaller version."""
    info = _source(arguments.model, prefer_folder=False)
    return _make(
        arguments, info, reduction(info, arguments.type, again=arguments.again), arguments.type
    )


def _type_name(text: str) -> str:
    return text if text.lower() == "auto" else text.upper()


def _source(name: str, *, prefer_folder: bool) -> ModelInfo:
    """Return the model; of the shipped ones the form that something can be made of."""
    info = find_model(name)
    if info.bundled and info.engine == "gguf" and (prefer_folder or info.quantization == "Q8_0"):
        return Library(app_paths()).find(name, "native")
    return info


def _make(
    arguments: argparse.Namespace, info: ModelInfo, steps: Sequence[Order], file_type: str
) -> int:
    target = _target(arguments.output, info, file_type)
    cancel = CancelToken()
    meter = Meter(as_json=arguments.json)
    try:
        with interruptible(cancel):
            made = make_file(
                steps,
                target,
                lambda action, done, total: _tell(meter, target.name, action, done, total),
                cancel,
                replace=arguments.force,
            )
    except MakingStopped:
        meter.clear()
        console.note("Stopped. Nothing is left of it.")
        return INTERRUPTED
    finally:
        meter.clear()
    _say_made(made, file_type, as_json=arguments.json)
    return 0


def _target(output: Path | None, info: ModelInfo, file_type: str) -> Path:
    usual = place_of(info, Library(app_paths()).folders, file_type)
    if output is None:
        return usual
    path = output.expanduser().absolute()
    if path.is_dir():
        return path / usual.name
    if path.suffix.lower() != ".gguf":
        raise UnsupportedRequestError(
            f"{path.name} is no name for a GGUF file.", "Let it end with .gguf, or name a folder."
        )
    return path


def _tell(meter: Meter, name: str, action: Action, done: int, total: int) -> None:
    meter.tell(
        f"{name}  {_WORDS[action]}, {done / max(1, total):.0%}",
        {"event": "progress", "step": action, "file": name, "done": done, "total": total},
    )


def _say_made(made: MadeFile, file_type: str, *, as_json: bool) -> None:
    info = Library(app_paths()).find(str(made.path))
    listed = bool(info.origin)
    if as_json:
        console.json_line(
            {
                "event": "finished",
                "path": str(made.path),
                "id": info.id if listed else "",
                "type": file_type,
                "size_bytes": made.size_bytes,
                "notes": made.notes,
            }
        )
        return
    for note in made.notes:
        console.note(note)
    console.line(f"Written: {made.path}, {console.size_text(made.size_bytes)}.")
    command = f"run {info.id}" if listed else f"models add {made.path}"
    console.line(
        f"`{console.PROGRAM} {command}` {'starts it' if listed else 'puts it on the list'}."
    )
