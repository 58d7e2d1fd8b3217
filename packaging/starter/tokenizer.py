"""The vocabulary: byte-level BPE trained on the recipe's own texts, and the chat template.

No merge holds a digit, so every digit is a token of its own and sums are seen digit by digit.
The split before merging is GPT-2's, which llama.cpp knows by the name ``gpt-2``.
"""

from __future__ import annotations

import json
import random
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from starter.corpus import CorpusMaker
from starter.dialogues import SYSTEM_PROMPTS, DialogueMaker
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOS = "<|endoftext|>"
START = "<|im_start|>"
END = "<|im_end|>"
SPECIALS = (BOS, START, END)
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def train_tokenizer(
    seed: int, books: tuple[str, ...], *, vocab_size: int, sample_size: int = 60_000
) -> Tokenizer:
    """Learn the merges from a sample of what the models will read.

    Args:
        seed: Of the sample.
        books: Chunks of public-domain books, or none.
        vocab_size: Special tokens and the 256 bytes included.
        sample_size: Number of texts looked at.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(islice(_sample(seed, books), sample_size), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer


def special_id(tokenizer: Tokenizer, name: str) -> int:
    """Return the id of a special token.

    Raises:
        KeyError: The vocabulary has no such token.
    """
    found = tokenizer.token_to_id(name)
    if found is None:
        raise KeyError(name)
    return found


def _sample(seed: int, books: tuple[str, ...]) -> Iterator[str]:
    corpus = CorpusMaker(random.Random(f"{seed} vocabulary of texts"), books)
    dialogues = DialogueMaker(random.Random(f"{seed} vocabulary of dialogues"))
    yield from SYSTEM_PROMPTS
    yield "system\nuser\nassistant\n"
    while True:
        yield _without_digits(corpus.text())
        for _ in range(3):
            for question, answer in dialogues.dialogue().turns:
                yield _without_digits(f"{question}\n{answer}")


def _without_digits(text: str) -> str:
    return re.sub(r"[0-9]+", "\n", text)


def tokenizer_config(context: int, *, chat: bool) -> dict[str, Any]:
    """Return the contents of ``tokenizer_config.json``; a base model gets no chat template."""
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": END if chat else BOS,
        "unk_token": None,
        "pad_token": None,
        "add_bos_token": True,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
    }
    return config | {"chat_template": CHAT_TEMPLATE} if chat else config


def save_tokenizer(tokenizer: Tokenizer, folder: Path, context: int, *, chat: bool) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json`` into a folder that exists."""
    tokenizer.save(str(folder / "tokenizer.json"))
    text = json.dumps(tokenizer_config(context, chat=chat), indent=2) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
