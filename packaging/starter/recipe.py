"""The whole recipe: texts, vocabulary, pre-training, fine-tuning, files.

``make.py`` runs it; README.md beside it has the commands.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

import torch
from starter.batches import BatchMaker
from starter.card import write_card
from starter.corpus import read_books
from starter.export import Labels, export_model
from starter.judging import greedy_answer, judge, open_starter, read_questions, shares
from starter.team import join_team, leave_team
from starter.tokenizer import train_tokenizer
from starter.train import Figures, Stage, Trainer, bfloat16_pays
from tokenizers import Tokenizer

from inference.native.config import NetworkConfig
from inference.native.network import Network

SEED = 20
VOCAB_SIZE = 2048
SHAPE = NetworkConfig(
    family="llama",
    vocab_size=VOCAB_SIZE,
    width=256,
    n_layers=4,
    n_heads=4,
    n_kv_heads=2,
    head_width=64,
    mlp_width=512,
    context=1024,
)
PRE_TRAINING = Stage("pre-training", steps=540)
FINE_TUNING = Stage("fine-tuning", steps=4800, peak_rate=1.5e-3, warmup_steps=40)
BASE = Labels(
    "starter-base",
    "Glasshouse Starter Base",
    "Tiny demonstration model that continues a text. Made by the Glasshouse project's recipe.",
    chat=False,
)
INSTRUCT = Labels(
    "starter-instruct",
    "Glasshouse Starter Instruct",
    "Tiny demonstration model that answers questions. Made by the Glasshouse project's recipe.",
    chat=True,
)


def main() -> None:
    """Run the recipe, or the rest of it: what is already in the work folder is kept."""
    options = _options()
    work: Path = options.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    _tokenizer(work / "tokenizer.json", read_books(options.public_domain))
    meeting = work / f"meeting-{time.time_ns()}"
    if options.processes == 1:
        train_and_export(0, options, meeting)
    else:
        _run_together(options, meeting)


def _run_together(options: argparse.Namespace, meeting: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=train_and_export, args=(rank, options, meeting))
        for rank in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        sys.exit("A training process broke off; the same command goes on from the last state.")


def train_and_export(rank: int, options: argparse.Namespace, meeting: Path) -> None:
    """Do one process's part of both stages; the first process writes the files."""
    torch.manual_seed(SEED)
    torch.set_num_threads(options.threads)
    team = join_team(rank, options.processes, meeting)
    books = read_books(options.public_domain)
    tokenizer = _tokenizer(meeting.parent / "tokenizer.json", books)
    batches = BatchMaker.create(tokenizer, SEED, books, rank)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = Network(SHAPE).to(device)
    bfloat16 = bool(team.agree(bfloat16_pays(device)))
    if team.leads:
        count = sum(p.numel() for p in network.parameters())
        print(
            f"{count:,} weights on {device}, {len(books)} chunks of books, {bfloat16=}", flush=True
        )
    figures: dict[str, Figures] = {}
    all_steps = PRE_TRAINING.steps + FINE_TUNING.steps
    for stage, make, labels in (
        (PRE_TRAINING, batches.texts, BASE),
        (FINE_TUNING, batches.chats, INSTRUCT),
    ):
        limit_s = options.minutes * 60 * stage.steps / all_steps
        state = meeting.parent / f"{stage.name}.pt"
        trainer = Trainer(network, make, stage, state, team, bfloat16, limit_s=limit_s)
        figures[stage.name] = trainer.run()
        if team.leads:
            export_model(network, tokenizer, options.out, labels)
            _write_card(options.out, labels, figures, with_books=bool(books))
    leave_team(team)


def _write_card(
    out: Path, labels: Labels, figures: dict[str, Figures], *, with_books: bool
) -> None:
    judged = None
    if labels.chat:
        engine = open_starter("native", out / labels.file_name)
        judged = shares(judge(lambda asked: greedy_answer(engine, asked), read_questions()))
        engine.close()
        for name, (right, asked) in judged.items():
            print(f"{name}: {right} of {asked} right", flush=True)
    path = out / labels.file_name / "README.md"
    write_card(path, labels.title, figures, with_books=with_books, judged=judged)


def _tokenizer(path: Path, books: tuple[str, ...]) -> Tokenizer:
    if not path.is_file():
        train_tokenizer(SEED, books, vocab_size=VOCAB_SIZE).save(str(path))
    return Tokenizer.from_file(str(path))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the starter models.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished models")
    parser.add_argument("--public-domain", type=Path, help="folder of .txt books to mix in")
    parser.add_argument("--minutes", type=float, default=60.0, help="most minutes to train")
    parser.add_argument("--processes", type=int, default=2, help="processes that share the work")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    return parser.parse_args()
