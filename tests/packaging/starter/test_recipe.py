"""The recipe from texts to files, at a size that takes seconds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import torch
from starter.batches import IGNORED, BatchMaker, chat_ids
from starter.corpus import CorpusMaker, read_books
from starter.dialogues import Dialogue
from starter.export import Labels, export_model
from starter.judging import greedy_answer, open_starter
from starter.tokenizer import BOS, END, START, train_tokenizer
from starter.train import Stage, Trainer

from inference.native.config import NetworkConfig
from inference.native.network import Network

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

VOCAB = 512
SMALL = NetworkConfig(
    family="llama",
    vocab_size=VOCAB,
    width=64,
    n_layers=2,
    n_heads=4,
    n_kv_heads=2,
    head_width=16,
    mlp_width=96,
    context=256,
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(1, (), vocab_size=VOCAB, sample_size=2000)


@pytest.fixture
def batches(tokenizer: Tokenizer) -> BatchMaker:
    return BatchMaker.create(tokenizer, 1, ())


def test_vocabulary_keeps_digits_apart(tokenizer: Tokenizer) -> None:
    tokens = list(tokenizer.get_vocab())
    assert len(tokens) == VOCAB
    assert not [token for token in tokens if len(token) > 1 and any(c.isdigit() for c in token)]
    assert tokenizer.encode("12+7", add_special_tokens=False).tokens == ["1", "2", "+", "7"]


def test_any_text_comes_back_from_its_tokens(tokenizer: Tokenizer) -> None:
    text = "Größe 42, 日本 🙂\n\n  it's\tfine"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_chat_ids_are_those_of_the_chat_template_and_only_answers_are_learned(
    tokenizer: Tokenizer,
) -> None:
    ids, marks = chat_ids(tokenizer, Dialogue("Be kind.", (("Hi <|im_end|>", "Hello."),)))
    bos, start, end = (tokenizer.token_to_id(name) for name in (BOS, START, END))
    assert ids[:2] == [bos, start]
    assert ids.count(end) == 3, "what a person types never becomes a special token"
    learned = [token for token, mark in zip(ids, marks, strict=True) if mark]
    assert learned[-1] == end
    assert tokenizer.decode(learned) == "Hello."


def test_a_step_makes_the_same_batch_again(batches: BatchMaker) -> None:
    first = batches.chats(3, 2, 64)
    batches.chats(4, 2, 64)
    again = batches.chats(3, 2, 64)
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)
    assert (first.targets == IGNORED).any()
    asked = first.targets != IGNORED
    assert torch.equal(first.targets[:, :-1][asked[:, :-1]], first.inputs[:, 1:][asked[:, :-1]])


def test_ranks_and_validation_get_other_rows(tokenizer: Tokenizer) -> None:
    first, second = (BatchMaker.create(tokenizer, 1, (), part) for part in (0, 1))
    assert not torch.equal(first.texts(0, 2, 64).inputs, second.texts(0, 2, 64).inputs)
    same = [maker.texts(0, 2, 64, validation=True).inputs for maker in (first, second)]
    assert torch.equal(*same)


def test_books_are_cut_into_paragraphs_and_none_are_needed(tmp_path: Path) -> None:
    paragraph = "Once a man had three sons and a mill, and he was content.\r\n"
    (tmp_path / "tale.txt").write_text(("\r\n" + paragraph) * 60, encoding="utf-8")
    (tmp_path / "SOURCE.txt").write_text("Origin and licence of the books. " * 100)
    books = read_books(tmp_path)
    assert len(books) == 2
    assert all("three sons" in book and "\r" not in book for book in books)
    assert read_books(None) == ()
    assert CorpusMaker(random.Random(1)).text()


def test_training_lowers_the_loss_and_goes_on_where_it_stopped(
    batches: BatchMaker, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    network = Network(SMALL)
    state = tmp_path / "state.pt"
    stage = Stage("test", steps=60, rows=8, length=48, peak_rate=5e-3, warmup_steps=5)
    before = Trainer(network, batches.texts, stage, state, bfloat16=False).validate()
    figures = Trainer(network, batches.texts, stage, state, bfloat16=False).run()
    assert figures.validation_loss < before - 1.0
    assert figures.tokens == 60 * 8 * 48
    again = Trainer(Network(SMALL), batches.texts, stage, state, bfloat16=False).run()
    assert again.validation_loss == pytest.approx(figures.validation_loss, abs=1e-4)
    assert again.training_loss == figures.training_loss


def test_a_time_limit_shortens_the_training(batches: BatchMaker, tmp_path: Path) -> None:
    stage = Stage("test", steps=100_000, rows=2, length=32)
    trainer = Trainer(
        Network(SMALL), batches.texts, stage, tmp_path / "s.pt", bfloat16=False, limit_s=0.05
    )
    trainer.run()
    assert trainer.stage.steps < 1000


@pytest.mark.parametrize("quant", ["F16", "Q8_0"])
def test_exported_files_answer_the_same_with_both_engines(
    tokenizer: Tokenizer, tmp_path: Path, quant: str
) -> None:
    torch.manual_seed(3)
    network = Network(SMALL)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 2:
                parameter.mul_(4.0)  # clear favourites, which rounding does not change
    export_model(network, tokenizer, tmp_path, Labels("small", "Small", "For a test", chat=True))
    answers = []
    for kind, name in (("native", "small"), ("gguf", f"small-{quant}.gguf")):
        engine = open_starter(kind, tmp_path / name)
        answers.append(greedy_answer(engine, "What is a token?", max_tokens=8))
        engine.close()
    assert answers[0] == answers[1]
