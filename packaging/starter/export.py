"""Trained networks as files: a Hugging Face folder, and GGUF in F16 and Q8_0 made from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from starter.tokenizer import BOS, END, save_tokenizer

from inference.convert import write as gguf_files
from inference.native.weights import save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from inference.convert.write import FileType
    from inference.native.network import Network

_FILE_TYPES: Final[tuple[FileType, ...]] = ("F16", "Q8_0")


@dataclass(frozen=True, slots=True)
class Labels:
    """What the files say about themselves; ``chat`` models get the chat template."""

    file_name: str
    title: str
    description: str
    chat: bool


def export_model(network: Network, tokenizer: Tokenizer, out: Path, labels: Labels) -> None:
    """Write ``out/NAME/`` and ``out/NAME-F16.gguf``, ``out/NAME-Q8_0.gguf``.

    The weights are rounded to float16 once; every file is made from the same rounded numbers.
    """
    folder = out / labels.file_name
    folder.mkdir(parents=True, exist_ok=True)
    context = network.config.context
    end = tokenizer.token_to_id(END if labels.chat else BOS)
    ids = {"bos_token_id": tokenizer.token_to_id(BOS), "eos_token_id": end}
    save_checkpoint(network, folder, dtype=torch.float16, config_extra=ids)
    save_tokenizer(tokenizer, folder, context, chat=labels.chat)
    ends = [end, tokenizer.token_to_id(BOS)] if labels.chat else [end]
    generation = {**ids, "eos_token_id": ends}
    text = json.dumps(generation, indent=2) + "\n"
    (folder / "generation_config.json").write_text(text, encoding="utf-8")
    said = gguf_files.Labels(labels.title, labels.description, "MIT")
    for file_type in _FILE_TYPES:
        path = out / f"{labels.file_name}-{file_type}.gguf"
        gguf_files.convert(folder, path, file_type, said, lambda _done, _total: None)
