"""One answer: read the prompt, then draw and compute token by token, as events.

Knows nothing of messages, templates or files.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final

import msgspec

from inference.beam_search import PROMPT
from inference.drafters import ModelDrafter, PromptLookup
from inference.errors import UnsupportedRequestError
from inference.events import Finished, PromptProgress, Started
from inference.gguf.beam import BeamDecoder
from inference.gguf.drafting import ContextReader, check_takes_back
from inference.gguf.probabilities import Distribution, check_finite
from inference.gguf.sampler import Sampler
from inference.gguf.samples import SequenceRows
from inference.gguf.session import BATCH_TOKENS
from inference.prompt.context import check_fits
from inference.prompt.digest import prompt_digest
from inference.samples import Drawn, SampleBatch
from inference.sampling_rules import (
    check_alternatives,
    check_draft,
    check_params,
    is_greedy,
    pick_seed,
)
from inference.speculation import Speculation
from inference.text.answer import AnswerStream
from inference.types import Timings, Usage

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from inference.beam_search import BeamSearch
    from inference.cancel import CancelToken
    from inference.events import EngineEvent
    from inference.gguf.drafting import DraftContext
    from inference.gguf.probabilities import Logits
    from inference.gguf.session import Session
    from inference.gguf.vocabulary import Vocabulary
    from inference.speculation import Drafter
    from inference.types import Candidate, FinishReason, GenerationRequest, SamplingParams

_STOPPED: Final = (-1, None)
_NOT_WITH_BEAMS: Final = {
    "repeat_penalty": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "dry_multiplier": 0,
    "no_repeat_ngram": 0,
    "logit_bias": (),
}


class Generation:
    """The work on one request; made for it and thrown away.

    Args:
        session: The context; what it holds from earlier requests is reused.
        vocabulary: The model's.
        request: Sampling, alternatives and stops are read from it.
        prompt: Its ids, at least one.
        load_s: Seconds the model took to load, for the timings.
        draft: The smaller model beside it, if one is loaded.

    Raises:
        UnsupportedRequestError: A setting has no meaning.
        ContextOverflowError: The prompt does not fit.
    """

    def __init__(
        self,
        session: Session,
        vocabulary: Vocabulary,
        request: GenerationRequest,
        prompt: Sequence[int],
        *,
        load_s: float,
        draft: DraftContext | None = None,
    ) -> None:
        check_alternatives(request.top_n)
        check_params(request.sampling, vocabulary.size)
        _check_strategy(request.sampling)
        if request.sampling.speculate != "off":
            check_draft(request.sampling, draft.name if draft else "")
            check_takes_back(session.model)
        self._draft = draft
        self._guesses: Speculation[Logits] | None = None
        check_fits(len(prompt), session.n_ctx)
        self._session = session
        self._vocabulary = vocabulary
        self._request = request
        self._prompt = prompt
        self._load_s = load_s
        self._eog = frozenset(vocabulary.eog_ids)
        room = session.n_ctx - len(prompt)
        asked = request.sampling.max_tokens
        self._limit = room if asked is None else min(asked, room)
        self.search: BeamSearch | None = None
        self._batch: SampleBatch | None = None
        self._reused = 0
        self._read = 0
        self._drawn = 0
        self._steps = 0
        self._prompt_s = 0.0
        self._decode_s = 0.0
        # SentencePiece writes the space before a word into the word; at the very beginning of a
        # text, or after a special token, no space is meant.
        self._drops_space = vocabulary.adds_space and vocabulary.is_control(prompt[-1])

    def events(self, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Yield the events from ``Started`` to ``Finished``; breaking off ends the work.

        Raises:
            InferenceError: llama.cpp could not go on; what the cache holds stays sound.
        """
        request = self._request
        seed = pick_seed(request.sampling)
        self._reused = self._session.reuse(self._prompt)
        yield Started(
            request.request_id,
            self._session.n_ctx,
            len(self._prompt),
            self._reused,
            seed,
            prompt_digest(self._prompt),
        )
        reason: FinishReason = "cancelled"
        if (yield from self._read_prompt(cancel)):
            reason = yield from self._write(seed, cancel)
        samples = () if self._batch is None else self._batch.ends
        yield Finished(request.request_id, reason, self._usage(), self._timings(), samples)

    def _write(self, seed: int, cancel: CancelToken) -> Generator[EngineEvent, None, FinishReason]:
        params = self._request.sampling
        if self._limit < 1:
            return "length"
        if params.strategy == "beam":
            return (yield from self._search(cancel))
        if params.samples > 1:
            return (yield from self._draw_samples(seed, cancel))
        with ExitStack() as stack:
            sampler = stack.enter_context(closing(self._sampler(params, seed)))
            if params.speculate == "off":
                return (yield from self._answer(self._tokens(sampler, cancel), cancel))
            began = time.perf_counter()
            drafter = stack.enter_context(closing(self._drafter(seed, cancel)))
            drafter.prepare(self._prompt)
            self._prompt_s += time.perf_counter() - began
            self._guesses = Speculation(
                ContextReader(self._session, cancel),
                sampler,
                drafter,
                prompt=self._prompt,
                seed=seed,
                limit=self._limit,
                most=params.draft_tokens,
                ends=self._eog,
            )
            return (yield from self._answer(self._guesses.tokens(), cancel))

    def _drafter(self, seed: int, cancel: CancelToken) -> Drafter:
        """Return who guesses tokens for this answer."""
        params = self._request.sampling
        if params.speculate == "prompt" or self._draft is None:
            return PromptLookup()
        self._draft.watch(cancel)
        # Excluding the likeliest by chance would only make the guesses worse.
        plain = msgspec.structs.replace(params, xtc_probability=0.0)
        return ModelDrafter(
            self._draft,
            self._sampler(plain, seed),
            greedy=is_greedy(params),
            seed=seed,
            ends=self._eog,
        )

    def _sampler(self, params: SamplingParams, seed: int) -> Sampler:
        return Sampler(params, seed, self._vocabulary, self._prompt)

    def _read_prompt(self, cancel: CancelToken) -> Generator[EngineEvent, None, bool]:
        """Read what is new of the prompt in chunks; return whether it was read to its end."""
        total = len(self._prompt)
        for start in range(self._reused, total, BATCH_TOKENS):
            if cancel.cancelled:
                return False
            began = time.perf_counter()
            chunk = self._prompt[start : start + BATCH_TOKENS]
            complete = self._session.read(chunk, cancel)
            self._prompt_s += time.perf_counter() - began
            if not complete:
                return False
            self._read += len(chunk)
            yield PromptProgress(self._request.request_id, start + len(chunk), total)
        return True

    def _answer(
        self, tokens: Iterator[tuple[int, Logits]], cancel: CancelToken
    ) -> Generator[EngineEvent, None, FinishReason]:
        """Take tokens until something ends the answer; return the reason."""
        stream = AnswerStream(self._request.request_id, self._request.sampling.stop)
        reason = yield from self._take_tokens(tokens, stream, cancel)
        yield from stream.finish()
        return reason

    def _tokens(self, sampler: Sampler, cancel: CancelToken) -> Iterator[tuple[int, Logits]]:
        """Yield tokens, each with the logits it was chosen by, (V,); the end is a stop."""
        session = self._session
        complete = True
        while complete:
            logits = session.logits()
            check_finite(logits)
            token = sampler.sample(session.context, logits)
            yield token, logits
            complete = session.read((token,), cancel)

    def _take_tokens(
        self, tokens: Iterator[tuple[int, Logits]], stream: AnswerStream, cancel: CancelToken
    ) -> Generator[EngineEvent, None, FinishReason]:
        while self._drawn < self._limit:
            if cancel.cancelled:
                return "cancelled"
            began = time.perf_counter()
            token, logits = next(tokens, _STOPPED)
            if logits is None:
                return "cancelled"
            self._steps = self._drawn  # the first comes from the prompt's pass
            if token in self._eog:
                self._decode_s += time.perf_counter() - began
                return "stop"
            shown = self._shown(token, logits)
            self._drawn += 1
            events, stopped = stream.push(token, self._piece(token), *shown)
            self._decode_s += time.perf_counter() - began
            yield from events
            if stopped:
                return "stop"
        return "length"

    def _draw_samples(
        self, seed: int, cancel: CancelToken
    ) -> Generator[EngineEvent, None, FinishReason]:
        """Draw several answers side by side."""
        batch = self._batch = SampleBatch(
            self._request, seed, limit=self._limit, ends=self._eog, drops_space=self._drops_space
        )
        with ExitStack() as stack:
            params = self._request.sampling
            samplers = [
                stack.enter_context(closing(self._sampler(params, own))) for own in batch.seeds
            ]
            rows = SequenceRows(self._session, samplers, self._limit, self._tell, cancel)
            stack.callback(rows.close)
            reason = yield from batch.events(rows, cancel)
        self._drawn, self._steps, self._decode_s = batch.written, batch.steps, batch.decode_s
        return reason

    def _tell(self, token: int, logits: Logits) -> Drawn:
        return Drawn(token, self._vocabulary.piece(token), *self._shown(token, logits))

    def _shown(self, token: int, logits: Logits) -> tuple[float | None, tuple[Candidate, ...]]:
        if not self._request.top_n:
            return None, ()
        distribution = Distribution.of(logits)
        top = distribution.top(self._request.top_n, self._vocabulary.shown)
        return distribution.logprob(token), top

    def _search(self, cancel: CancelToken) -> Generator[EngineEvent, None, FinishReason]:
        """Follow several answers at once; then tell the best one."""
        began = time.perf_counter()
        tops: dict[int, tuple[Candidate, ...]] = {}
        top_n = self._request.top_n

        def look(distribution: Distribution, node: int) -> None:
            tops[node] = distribution.top(top_n, self._vocabulary.shown)

        decoder = BeamDecoder(
            self._session, self._request.sampling, limit=self._limit, ends=self._eog, look=look
        )
        search = self.search = decoder.search
        complete = decoder.run(cancel)
        self._steps = max(0, search.length - 1)
        self._decode_s = time.perf_counter() - began
        stream = AnswerStream(self._request.request_id, self._request.sampling.stop)
        path = search.path(search.winner)
        tokens = search.tokens(search.winner)
        reason: FinishReason = "length" if complete else "cancelled"
        for node, before, token in zip(path, (PROMPT, *path), tokens, strict=False):
            stopped = token in self._eog
            if not stopped:
                self._drawn += 1
                logprob = search.logprob(node) if top_n else None
                events, stopped = stream.push(token, self._piece(token), logprob, tops[before])
                yield from events
            if stopped:
                reason = "stop"
                break
        yield from stream.finish()
        return reason

    def _piece(self, token: int) -> bytes:
        piece = self._vocabulary.piece(token)
        if self._drops_space and self._drawn == 1:
            return piece.removeprefix(b" ")
        return piece

    def _usage(self) -> Usage:
        guesses = self._guesses
        return Usage(
            prompt_tokens=len(self._prompt),
            completion_tokens=self._drawn,
            reused_tokens=self._reused,
            drafted_tokens=0 if guesses is None else guesses.drafted,
            accepted_tokens=0 if guesses is None else guesses.accepted,
        )

    def _timings(self) -> Timings:
        return Timings(
            load_s=self._load_s,
            prompt_s=self._prompt_s,
            decode_s=self._decode_s,
            prompt_tokens_per_s=self._read / self._prompt_s if self._prompt_s else 0.0,
            tokens_per_s=self._steps / self._decode_s if self._decode_s else 0.0,
        )


def _check_strategy(params: SamplingParams) -> None:
    if params.strategy == "contrastive":
        raise UnsupportedRequestError(
            "The GGUF engine has no contrastive search.",
            "Choose another strategy, or load the model's folder with the native engine.",
        )
    if params.strategy != "beam":
        return
    for name, off in _NOT_WITH_BEAMS.items():
        if getattr(params, name) != off:
            raise UnsupportedRequestError(
                f"The GGUF engine has no {name.replace('_', ' ')} in beam search.",
                "Leave it out, or load the model's folder with the native engine.",
            )
