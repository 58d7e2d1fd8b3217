"""Speculative decoding through networks: the one that answers, and a smaller one that guesses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inference.draft_rules import check_same_tokens
from inference.native.device import choose_precision
from inference.native.loading import load_with
from inference.native.session import Session
from inference.native.tokenizer import CheckpointTokenizer
from inference.native.weights import open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.types import LoadOptions


class NetworkReader:
    """Fulfils ``inference.speculation.Reader``; a stop raises ``StoppedError``.

    Args:
        session: It has read the prompt.
        cancel: Ends a pass in its middle.
    """

    def __init__(self, session: Session, cancel: CancelToken) -> None:
        self._session = session
        self._cancel = cancel

    def start(self) -> Tensor:
        """Return the logits after the prompt, (V,)."""
        return self._session.next_logits()

    def most_ahead(self, wanted: int) -> int:
        """Return how many guesses may be read in one pass; see ``Reader``."""
        return self._session.most_ahead(wanted)

    def read(self, tokens: Sequence[int]) -> Sequence[Tensor]:
        """Read tokens in one pass; return the logits after each, (V,)."""
        scores = self._session.scores(self._session.read(tokens, self._cancel))  # (T, V)
        return scores.unbind()

    def take_back(self, count: int) -> None:
        """Forget the newest tokens."""
        self._session.take_back(count)


class DraftNetwork:
    """A smaller network beside the one that answers; fulfils ``inference.drafters.DraftReader``.

    Args:
        options: ``draft``, the device, the type of the weights and the context are read.
        tokenizer: Of the network that answers.
        n_ctx: Its context; that of this network may be shorter.
        device: Where to compute.
        cancel: Stops loading.

    Raises:
        InferenceError: One of its children; ``UnsupportedRequestError`` where the tokens differ.
    """

    def __init__(
        self,
        options: LoadOptions,
        tokenizer: CheckpointTokenizer,
        n_ctx: int,
        device: torch.device,
        cancel: CancelToken,
    ) -> None:
        checkpoint = open_checkpoint(Path(options.draft))
        config = checkpoint.config
        self.name = checkpoint.folder.name
        own = CheckpointTokenizer(checkpoint.folder, checkpoint.config_json)
        check_same_tokens(
            Path(options.path).name,
            self.name,
            (tokenizer.size, own.size),
            (tokenizer.identity, own.identity),
        )
        precision = choose_precision(options.dtype, checkpoint.dtype, checkpoint.parameters, device)
        network, self.weights_bytes = load_with(precision, checkpoint, device, cancel=cancel)
        self._n_ctx = min(n_ctx, config.context)
        self._n_vocab = min(config.vocab_size, tokenizer.size)
        self._session = Session(network, self._n_ctx, precision.cache, device)
        self._cancel = cancel
        self.kv_cache_bytes = self._session.cache_bytes

    def watch(self, cancel: CancelToken) -> None:
        """Look at this token from now on; a stop raises ``StoppedError``."""
        self._cancel = cancel

    def follow(self, history: Sequence[int]) -> Tensor | None:
        """Read what is new in a text; see ``DraftReader``."""
        if len(history) > self._n_ctx:
            return None
        kept = self._session.reuse(history)
        new = history[kept:]
        if max(new) >= self._n_vocab:
            return None
        for _ in self._session.prefill(new, self._cancel):
            pass
        return self._session.next_logits()[: self._n_vocab]  # (V,)

    def step(self, token: int) -> Tensor | None:
        """Read one token more; see ``DraftReader``."""
        if self._session.length >= self._n_ctx:
            return None
        self._session.read((token,), self._cancel)
        return self._session.next_logits()[: self._n_vocab]  # (V,)
