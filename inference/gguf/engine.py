"""The GGUF engine: ``open_engine`` and what it returns."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from inference.beam_search import no_beam_tree
from inference.errors import ContextOverflowError, InferenceError
from inference.events import failed
from inference.gguf import probe
from inference.gguf.drafting import DraftContext
from inference.gguf.generation import Generation
from inference.gguf.inside import GgufSource
from inference.gguf.model import GgufModel
from inference.gguf.past import past_work
from inference.gguf.probabilities import Distribution
from inference.gguf.prompts import PromptBuilder
from inference.gguf.session import SCORED_TOKENS, Session, check_options
from inference.gguf.vocabulary import Vocabulary
from inference.inside.answering import answer
from inference.library.template_facts import TemplateFacts
from inference.library.turn_ends import TurnEnds, find_turn_ends
from inference.past.keeper import memory_limit
from inference.paths import app_paths
from inference.prompt.turn_stops import with_turn_stops
from inference.sampling_rules import check_alternatives
from inference.types import LoadedModel, RenderedPrompt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inference.beam_search import BeamSearch
    from inference.cancel import CancelToken
    from inference.engine import LoadSink
    from inference.events import EngineEvent
    from inference.gguf.probe import LoadFlags
    from inference.inside.questions import Finding, Question
    from inference.types import (
        BeamTree,
        Candidate,
        GenerationRequest,
        LoadOptions,
        Message,
        TokenPiece,
    )


def open_engine(options: LoadOptions, progress: LoadSink, cancel: CancelToken) -> GgufEngine:
    """Load a GGUF file; see ``inference.engine.OpenEngine``.

    Raises:
        InferenceError: One of its children; a plain one when ``cancel`` was set.
    """
    began = time.perf_counter()
    check_options(options)
    flags = probe.safe_load_flags(app_paths().cache)
    model = GgufModel(options, flags, progress, cancel)
    try:
        return GgufEngine(model, options, flags, began, cancel)
    except BaseException:
        model.close()
        raise


class GgufEngine:
    """One GGUF model with one context; fulfils ``inference.engine.Engine``.

    Args:
        model: Owned by the engine from now on, if this succeeds.
        options: What it was loaded with.
        flags: From the processor probe.
        began: When loading began, by ``time.perf_counter``.
        cancel: Stops loading a draft model.

    Raises:
        InferenceError: The context could not be made, or the draft model not be loaded.
    """

    def __init__(
        self,
        model: GgufModel,
        options: LoadOptions,
        flags: LoadFlags,
        began: float,
        cancel: CancelToken,
    ) -> None:
        self._closed = False
        self._searched: tuple[str, BeamSearch] | None = None
        self._model = model
        self._vocabulary = Vocabulary(model.handle, model.metadata)
        template = options.chat_template or model.chat_template
        ends = _turn_ends(template, self._vocabulary, model.architecture)
        self._vocabulary.eog_ids = tuple(sorted({*self._vocabulary.eog_ids, *ends.ids}))
        self._prompts = PromptBuilder(self._vocabulary, template)
        self._session = Session(model, options)
        self._past = past_work(self._session, model, options)
        self._inside = GgufSource(
            model, self._session, self._vocabulary, lambda ids: self._past.prepare(ids, "")
        )
        self._draft: DraftContext | None = None
        if options.draft:
            try:
                self._draft = DraftContext(options, flags, self._vocabulary, model.name, cancel)
            except BaseException:
                self._session.close()
                raise
        self._loaded = LoadedModel(
            engine="gguf",
            name=model.name,
            architecture=model.architecture,
            n_ctx=self._session.n_ctx,
            n_ctx_train=model.n_ctx_train,
            n_vocab=self._vocabulary.size,
            n_layers=model.n_layers,
            parameters=model.parameters,
            has_chat_template=bool(template),
            device=model.placement.device,
            gpu_layers=model.placement.gpu_layers,
            device_reason=model.placement.reason,
            dtype=model.quantization,
            threads=self._session.threads,
            load_s=time.perf_counter() - began,
            weights_bytes=model.weights_bytes,
            kv_cache_bytes=self._session.kv_cache_bytes,
            kv_cache_type=options.kv_cache_type,
            buffers_bytes=self._session.buffers_bytes,
            adds_bos=self._vocabulary.adds_bos,
            eos_ids=self._vocabulary.eog_ids,
            turn_stops=ends.texts,
            past_bytes=memory_limit(options.past),
        )
        if self._draft is not None:
            self._loaded = _with_draft(self._loaded, self._draft)

    @property
    def loaded(self) -> LoadedModel:
        """Facts about the loaded model."""
        return self._loaded

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Answer one request; known trouble is a ``Failed`` event."""
        try:
            self._check_open()
            request = with_turn_stops(request, self._loaded.turn_stops)
            prompt = self._prompts.of_request(request)
            generation = Generation(
                self._session,
                self._vocabulary,
                request,
                prompt,
                load_s=self._loaded.load_s,
                draft=self._draft,
            )
            self._inside.release()
            self._past.prepare(prompt, request.cache_key)
            try:
                yield from generation.events(cancel)
            finally:
                if generation.search is not None:
                    self._searched = request.request_id, generation.search
        except InferenceError as exc:
            yield failed(request.request_id, exc)

    def tokenize(
        self, text: str, *, add_bos: bool = False, parse_special: bool = False
    ) -> tuple[TokenPiece, ...]:
        """Split a text into tokens; special tokens are read as such only with ``parse_special``."""
        self._check_open()
        ids = self._vocabulary.tokenize(text, parse_special=parse_special)
        bos = self._vocabulary.bos_id
        if add_bos and bos >= 0 and ids[:1] != [bos]:
            ids.insert(0, bos)
        return self._vocabulary.show(ids)

    def render(
        self,
        messages: tuple[Message, ...],
        template_variables: dict[str, bool | int | str] | None = None,
    ) -> RenderedPrompt:
        """Show the exact prompt a conversation becomes.

        Raises:
            BadChatTemplateError: There is no template, or it refuses the conversation.
        """
        self._check_open()
        text, ids = self._prompts.of_messages(messages, template_variables)
        return RenderedPrompt(text, self._vocabulary.show(ids))

    def score(
        self, token_ids: tuple[int, ...], top_n: int, cancel: CancelToken
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Return the ``top_n`` likeliest next tokens after each position; see ``Engine``.

        Raises:
            ContextOverflowError: There are more tokens than the context holds.
            UnsupportedRequestError: An unknown id, or more than 20 alternatives.
            InferenceError: It was cancelled.
        """
        self._check_open()
        check_alternatives(top_n)
        self._vocabulary.check_ids(token_ids)
        if len(token_ids) > self._session.n_ctx:
            raise ContextOverflowError(
                f"The text has {len(token_ids):,} tokens, and the context holds "
                f"{self._session.n_ctx:,}.",
                "Load the model with a larger context, or shorten the text.",
            )
        self._past.prepare((), "")
        self._session.forget()
        scores: list[tuple[Candidate, ...]] = []
        for start in range(0, len(token_ids), SCORED_TOKENS):
            chunk = token_ids[start : start + SCORED_TOKENS]
            if cancel.cancelled or not self._session.read_all_logits(chunk, cancel):
                raise InferenceError("The calculation was stopped.")
            for index in range(len(chunk)):
                distribution = Distribution.of(self._session.logits(index))
                scores.append(distribution.top(top_n, self._vocabulary.shown))
        return tuple(scores)

    def beam_tree(self, request_id: str) -> BeamTree:
        """Return what the latest beam search looked at; see ``inference.engine.Engine``."""
        if self._searched is None or self._searched[0] != request_id:
            raise no_beam_tree()
        return self._searched[1].tree(request_id, self._vocabulary.shown)

    def forget(self, cache_key: str | None) -> None:
        """Drop what is kept of one chat, or of all; see ``inference.engine.Engine``."""
        self._check_open()
        self._past.forget(cache_key)

    def rest(self, cancel: CancelToken) -> None:
        """Write kept work to the disk; see ``inference.engine.Engine``."""
        self._check_open()
        self._past.rest(cancel)

    def inspect(self, question: Question, cancel: CancelToken) -> Finding:
        """Look inside the model; see ``inference.engine.Engine``."""
        self._check_open()
        return answer(question, self._inside, cancel)

    def close(self) -> None:
        """Write kept work to the disk, and free the memory; closing twice is harmless."""
        if not self._closed:
            self._past.close()
        self._closed = True
        if self._draft is not None:
            self._draft.close()
        self._inside.release()
        self._session.close()
        self._model.close()

    def _check_open(self) -> None:
        # llama.cpp does not look whether a pointer is still good: it would end the process.
        if self._closed:
            raise InferenceError("The model is closed.", "Load it again.")


def _with_draft(loaded: LoadedModel, draft: DraftContext) -> LoadedModel:
    return msgspec.structs.replace(
        loaded,
        draft=draft.name,
        weights_bytes=loaded.weights_bytes + draft.weights_bytes,
        kv_cache_bytes=loaded.kv_cache_bytes + draft.kv_cache_bytes,
        buffers_bytes=loaded.buffers_bytes + draft.buffers_bytes,
    )


def _turn_ends(template: str | None, vocabulary: Vocabulary, architecture: str) -> TurnEnds:
    facts = TemplateFacts(
        template or "",
        vocabulary.bos_text,
        vocabulary.eos_text,
        adds_bos=vocabulary.adds_bos,
        ends=frozenset(map(vocabulary.text_of, vocabulary.eog_ids)),
        specials=frozenset(vocabulary.specials),
        architecture=architecture,
    )
    return find_turn_ends(facts, vocabulary.specials)
