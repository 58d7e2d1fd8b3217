"""One answer from prompt ids to its last event: reuse, prefill, decode."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import msgspec
import torch

from inference.beam_search import PROMPT
from inference.drafters import ModelDrafter, PromptLookup
from inference.events import Finished, PromptProgress, Started
from inference.native.beam import BeamDecoder
from inference.native.contrastive import contrastive_tokens
from inference.native.device import memory_errors_translated
from inference.native.drafting import NetworkReader
from inference.native.penalties import Penalties
from inference.native.samples import NetworkRows
from inference.native.sampling import Sampler
from inference.native.session import Session, StoppedError
from inference.prompt.digest import prompt_digest
from inference.samples import Drawn, SampleBatch
from inference.sampling_rules import check_draft, check_params, is_greedy, pick_seed
from inference.speculation import Speculation
from inference.text.answer import AnswerStream
from inference.types import Candidate, Timings, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from torch import Tensor

    from inference.beam_search import BeamSearch
    from inference.cancel import CancelToken
    from inference.events import EngineEvent, TokenEvent
    from inference.native.drafting import DraftNetwork
    from inference.native.tokenizer import CheckpointTokenizer
    from inference.repetition import Breakers
    from inference.speculation import Drafter
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
        draft: The smaller network beside it, if one is loaded.

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
        draft: DraftNetwork | None = None,
    ) -> None:
        check_params(request.sampling, loaded.n_vocab)
        check_draft(request.sampling, loaded.draft)
        self._draft = draft
        self._request = request
        self._ids = ids
        self._session = session
        self._tokenizer = tokenizer
        self._loaded = loaded
        self._seed = pick_seed(request.sampling)
        params = request.sampling
        self._breakers = breakers(params.dry_breakers) if params.dry_multiplier else {}
        room = loaded.n_ctx - len(ids)
        self._limit = room if params.max_tokens is None else min(params.max_tokens, room)
        self._contrastive = params.strategy == "contrastive"
        self._prompt_streams: list[Tensor] = []
        self.search: BeamSearch | None = None
        self._batch: SampleBatch | None = None
        self._drafter: Drafter | None = None
        self._speculation: Speculation[Tensor] | None = None
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
        # Contrastive search compares with every token of the prompt, so each has to be read.
        most = 0 if self._contrastive else None
        self._reused = self._session.reuse(self._ids, most)
        digest = prompt_digest(self._ids)
        yield Started(request_id, self._loaded.n_ctx, total, self._reused, self._seed, digest)
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
        keep = self._prompt_streams.append if self._contrastive else None
        for done in self._session.prefill(self._ids[self._reused :], cancel, keep):
            self._prompt_s += perf_counter() - started
            self._read = done
            yield PromptProgress(request_id, self._reused + done, total)
            started = perf_counter()
        self._drafter = self._new_drafter(cancel)
        if self._drafter is not None:
            self._drafter.prepare(self._ids)
        self._prompt_s += perf_counter() - started

    def _new_drafter(self, cancel: CancelToken) -> Drafter | None:
        """Return who guesses tokens for this answer; ``None`` where nobody shall."""
        params = self._request.sampling
        if params.speculate == "off":
            return None
        if params.speculate == "prompt" or self._draft is None:
            return PromptLookup()
        self._draft.watch(cancel)
        # Excluding the likeliest by chance would only make the guesses worse.
        plain = msgspec.structs.replace(params, xtc_probability=0.0)
        return ModelDrafter(
            self._draft,
            Sampler(plain, self._seed, self._ids, self._breakers),
            greedy=is_greedy(params),
            seed=self._seed,
            ends=self._loaded.eos_ids,
        )

    def _decode(self, cancel: CancelToken) -> Generator[EngineEvent, None, FinishReason]:
        if self._limit < 1:
            return "length"
        if self._request.sampling.strategy == "beam":
            return (yield from self._search(cancel))
        if self._request.sampling.samples > 1:
            return (yield from self._draw_samples(cancel))
        return (yield from self._write(cancel))

    def _write(self, cancel: CancelToken) -> Generator[EngineEvent, None, FinishReason]:
        """Choose token after token until something ends the answer; return the reason."""
        tokens = self._tokens(cancel)
        while self._written < self._limit:
            if cancel.cancelled:
                return "cancelled"
            started = perf_counter()
            token, logits = next(tokens)
            self._steps = self._written  # the first comes from the prompt's pass
            if token in self._loaded.eos_ids:
                self._decode_s += perf_counter() - started
                return "stop"
            events, stopped = self._push(token, *self._shown(token, logits))
            self._decode_s += perf_counter() - started
            yield from events
            if stopped:
                return "stop"
        return "length"

    def _tokens(self, cancel: CancelToken) -> Iterator[tuple[int, Tensor]]:
        """Return tokens without end, each with the logits it was chosen by, (V,)."""
        params, session = self._request.sampling, self._session
        if not self._contrastive:
            sampler = Sampler(params, self._seed, self._ids, self._breakers)
            if self._drafter is None:
                return self._sampled(sampler, cancel)
            self._speculation = Speculation(
                NetworkReader(session, cancel),
                sampler,
                self._drafter,
                prompt=self._ids,
                seed=self._seed,
                limit=self._limit,
                most=params.draft_tokens,
                ends=self._loaded.eos_ids,
            )
            return self._speculation.tokens()
        streams = torch.cat(self._prompt_streams, dim=1)  # (1, S, C)
        return contrastive_tokens(
            session,
            params,
            Penalties(params, self._breakers),
            session.represent(streams)[0],
            prompt=self._ids,
            limit=self._limit,
            cancel=cancel,
        )

    def _sampled(self, sampler: Sampler, cancel: CancelToken) -> Iterator[tuple[int, Tensor]]:
        session = self._session
        while True:
            if sampler.greedy:
                session.begin(None)
            logits = session.next_logits()  # (V,)
            token = sampler.pick(logits)
            session.begin(token)
            yield token, logits
            session.read((token,), cancel)

    def _search(self, cancel: CancelToken) -> Generator[EngineEvent, None, FinishReason]:
        """Follow several answers at once; then tell the best one."""
        started = perf_counter()
        tops: dict[int, tuple[Candidate, ...]] = {}
        top_n = self._request.top_n

        def look(logprobs: Tensor, node: int) -> None:
            if top_n:
                tops[node] = candidates(logprobs, top_n, self._tokenizer)

        params = self._request.sampling
        decoder = BeamDecoder(
            self._session,
            params,
            Penalties(params, self._breakers),
            prompt=self._ids,
            limit=self._limit,
            ends=self._loaded.eos_ids,
            look=look,
        )
        search = self.search = decoder.search
        complete = decoder.run(cancel)
        self._steps = max(0, search.length - 1)
        self._decode_s = perf_counter() - started
        path = search.path(search.winner)
        for node, before, token in zip(
            path, (PROMPT, *path), search.tokens(search.winner), strict=False
        ):
            if token in self._loaded.eos_ids:
                return "stop"
            logprob = search.logprob(node) if top_n else None
            events, stopped = self._push(token, logprob, tops.get(before, ()))
            yield from events
            if stopped:
                return "stop"
        return "length" if complete else "cancelled"

    def _draw_samples(self, cancel: CancelToken) -> Generator[EngineEvent, None, FinishReason]:
        """Draw several answers side by side."""
        batch = self._batch = SampleBatch(
            self._request,
            self._seed,
            limit=self._limit,
            ends=self._loaded.eos_ids,
            drops_space=self._drop_space,
        )
        params = self._request.sampling
        samplers = [Sampler(params, seed, self._ids, self._breakers) for seed in batch.seeds]
        rows = NetworkRows(self._session, samplers, self._limit, self._tell, cancel)
        reason = yield from batch.events(rows, cancel)
        self._written, self._steps, self._decode_s = batch.written, batch.steps, batch.decode_s
        return reason

    def _tell(self, token: int, logits: Tensor) -> Drawn:
        return Drawn(token, self._tokenizer.piece(token), *self._shown(token, logits))

    def _shown(self, token: int, logits: Tensor) -> tuple[float | None, tuple[Candidate, ...]]:
        top_n = self._request.top_n
        if not top_n:
            return None, ()
        logprobs = logits.log_softmax(0)  # (V,)
        return float(logprobs[token]), candidates(logprobs, top_n, self._tokenizer)

    def _push(
        self, token: int, logprob: float | None, top: tuple[Candidate, ...]
    ) -> tuple[list[TokenEvent], bool]:
        piece = self._tokenizer.piece(token)
        if self._drop_space and piece:
            piece, self._drop_space = piece.removeprefix(b" "), False
        self._written += 1
        return self._stream.push(token, piece, logprob, top)

    def _usage(self) -> Usage:
        guesses = self._speculation
        return Usage(
            prompt_tokens=len(self._ids),
            completion_tokens=self._written,
            reused_tokens=self._reused,
            drafted_tokens=0 if guesses is None else guesses.drafted,
            accepted_tokens=0 if guesses is None else guesses.accepted,
        )

    def _finished(self, reason: FinishReason) -> Finished:
        return Finished(
            request_id=self._request.request_id,
            reason=reason,
            usage=self._usage(),
            timings=Timings(
                load_s=self._loaded.load_s,
                prompt_s=self._prompt_s,
                decode_s=self._decode_s,
                prompt_tokens_per_s=_rate(self._read, self._prompt_s),
                # The first token comes from the prompt's pass, so it is no step of its own.
                tokens_per_s=_rate(self._steps, self._decode_s),
            ),
            samples=() if self._batch is None else self._batch.ends,
        )


def candidates(
    logprobs: Tensor, top_n: int, tokenizer: CheckpointTokenizer
) -> tuple[Candidate, ...]:
    """Return the ``top_n`` likeliest tokens of one distribution, (V,), likeliest first."""
    best, ids = logprobs.topk(min(top_n, logprobs.numel()))  # (n,) each
    return tuple(
        Candidate(*msgspec.structs.astuple(tokenizer.shown(token)), logprob=logprob)
        for token, logprob in zip(ids.tolist(), best.tolist(), strict=True)
    )


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
