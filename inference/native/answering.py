"""One answer from prompt ids to its last event: reuse, prefill, decode."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from inference.events import Finished, PromptProgress, Started
from inference.native.device import memory_errors_translated
from inference.native.sampling import Sampler
from inference.native.session import Session, StoppedError
from inference.sampling_rules import check_params, pick_seed
from inference.text.answer import AnswerStream
from inference.types import Candidate, Timings, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.events import EngineEvent, TokenEvent
    from inference.native.tokenizer import CheckpointTokenizer
    from inference.repetition import Breakers
    from inference.types import FinishReason, GenerationRequest, LoadedModel


class Answer:
    """The work on one request.

    Times count what is computed here, not how long the reader of the events takes.

    Args:
        request: Checked by the engine, except its sampling settings.
        ids: The prompt; shorter than the context.
        session: The network's cache, with whatever is in it.
        tokenizer: Of the same checkpoint.
        loaded: Facts about it.
        breakers: Finds where DRY's runs end, for the texts given.

    Raises:
        UnsupportedRequestError: A sampling setting is out of range.
    """

    def __init__(
        self,
        request: GenerationRequest,
        ids: Sequence[int],
        session: Session,
        tokenizer: CheckpointTokenizer,
        loaded: LoadedModel,
        *,
        breakers: Callable[[Sequence[str]], Breakers],
    ) -> None:
        check_params(request.sampling, loaded.n_vocab)
        self._request = request
        self._ids = ids
        self._session = session
        self._tokenizer = tokenizer
        self._loaded = loaded
        self._seed = pick_seed(request.sampling)
        self._sampler = Sampler(
            request.sampling,
            self._seed,
            ids,
            breakers(request.sampling.dry_breakers) if request.sampling.dry_multiplier else None,
        )
        self._stream = AnswerStream(request.request_id, request.sampling.stop)
        self._drop_space = tokenizer.drops_space_after(ids)
        self._reused = self._read = self._written = self._steps = 0
        self._prompt_s = self._decode_s = 0.0

    def events(self, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Yield ``Started``, progress, tokens and ``Finished``.

        Raises:
            InferenceError: The answer cannot go on; the caller makes it ``Failed``.
        """
        request_id, total = self._request.request_id, len(self._ids)
        self._reused = self._session.reuse(self._ids)
        yield Started(request_id, self._loaded.n_ctx, total, self._reused, self._seed)
        reason: FinishReason
        try:
            with memory_errors_translated("reading the prompt"):
                yield from self._prefill(cancel)
            with memory_errors_translated("writing the answer"):
                reason = yield from self._decode(cancel)
        except StoppedError:
            reason = "cancelled"
        yield from self._stream.finish()
        yield self._finished(reason)

    def _prefill(self, cancel: CancelToken) -> Iterator[EngineEvent]:
        request_id, total = self._request.request_id, len(self._ids)
        started = perf_counter()
        for done in self._session.prefill(self._ids[self._reused :], cancel):
            self._prompt_s += perf_counter() - started
            self._read = done
            yield PromptProgress(request_id, self._reused + done, total)
            started = perf_counter()

    def _decode(self, cancel: CancelToken) -> Generator[EngineEvent, None, FinishReason]:
        room = self._loaded.n_ctx - len(self._ids)
        asked = self._request.sampling.max_tokens
        most = room if asked is None else min(asked, room)
        token: int | None = None
        while self._written < most:
            if cancel.cancelled:
                return "cancelled"
            started = perf_counter()
            if token is not None:
                self._session.read((token,), cancel)
                self._steps += 1
            logits = self._session.next_logits()  # (V,)
            token = self._sampler.pick(logits)
            ended = token in self._loaded.eos_ids
            events, stopped = ([], True) if ended else self._push(token, logits)
            self._decode_s += perf_counter() - started
            yield from events
            if stopped:
                return "stop"
        return "length"

    def _push(self, token: int, logits: Tensor) -> tuple[list[TokenEvent], bool]:
        piece = self._tokenizer.piece(token)
        if self._drop_space and piece:
            piece, self._drop_space = piece.removeprefix(b" "), False
        logprob: float | None = None
        top: tuple[Candidate, ...] = ()
        if self._request.top_n:
            logprobs = logits.log_softmax(0)  # (V,)
            logprob = float(logprobs[token])
            top = candidates(logprobs, self._request.top_n, self._tokenizer)
        self._written += 1
        return self._stream.push(token, piece, logprob, top)

    def _finished(self, reason: FinishReason) -> Finished:
        return Finished(
            request_id=self._request.request_id,
            reason=reason,
            usage=Usage(len(self._ids), self._written, self._reused),
            timings=Timings(
                load_s=self._loaded.load_s,
                prompt_s=self._prompt_s,
                decode_s=self._decode_s,
                prompt_tokens_per_s=_rate(self._read, self._prompt_s),
                # The first token comes from the prompt's pass, so it is no step of its own.
                tokens_per_s=_rate(self._steps, self._decode_s),
            ),
        )


def candidates(
    logprobs: Tensor, top_n: int, tokenizer: CheckpointTokenizer
) -> tuple[Candidate, ...]:
    """Return the ``top_n`` likeliest tokens of one distribution, (V,), likeliest first."""
    best, ids = logprobs.topk(min(top_n, logprobs.numel()))  # (n,) each
    return tuple(
        Candidate(token, tokenizer.text(token), logprob)
        for token, logprob in zip(ids.tolist(), best.tolist(), strict=True)
    )


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
