"""The values that cross rooms: messages, settings, requests, facts about models.

Frozen and slotted; they know neither torch nor Qt, and travel between processes as msgpack.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

Role = Literal["system", "user", "assistant"]
EngineKind = Literal["gguf", "native"]
ModelKind = Literal["base", "instruct", "thinking", "embedding", "unknown"]
LoadStep = Literal["reading", "compiling"]
FinishReason = Literal["stop", "length", "cancelled"]
TokenKind = Literal["answer", "thinking", "tool"]
Strategy = Literal["sample", "greedy", "beam", "contrastive"]
Speculate = Literal["off", "prompt", "draft"]
BeamState = Literal["kept", "pruned", "finished"]


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation."""

    role: Role
    content: str


class SamplingParams(msgspec.Struct, frozen=True):
    """How the next token is drawn; the same meaning on both engines.

    Order of application: logit bias, penalties (repeat, frequency, presence), DRY, tokens ruled out
    by ``no_repeat_ngram``; temperature 0 means greedy; otherwise top-k, typical-p, top-p, min-p,
    XTC, temperature, draw (the order of llama.cpp's default chain). With mirostat: temperature and
    mirostat's draw in place of everything from top-k on. Beam search and contrastive search do not
    draw: what comes before the temperature acts on them, the rest does not, but for ``top_k``,
    which is the number of candidates of contrastive search.

    Attributes:
        temperature: 0 is greedy; otherwise the logits are divided by it.
        top_k: Only the k likeliest tokens stay; 0 switches it off.
        top_p: Smallest set of tokens whose probability reaches p stays; 1 switches it off.
        min_p: Tokens below p times the likeliest one's probability go; 0 switches it off.
        typical_p: Locally typical sampling; 1 switches it off.
        repeat_penalty: Divides positive, multiplies negative logits of recent tokens; 1 is off.
        frequency_penalty: Subtracted once per earlier occurrence; 0 is off.
        presence_penalty: Subtracted once when the token occurred; 0 is off.
        penalty_window: How many recent tokens (prompt included) the penalties look at.
        seed: Makes a draw repeatable; ``None`` picks one, which ``Started`` then reports.
        max_tokens: Length limit of the answer in tokens; ``None`` means until the context is full.
        stop: Texts that end the answer; they are not part of it.
        strategy: ``sample`` draws; ``greedy`` takes the likeliest, whatever the temperature;
            ``beam`` follows several answers at once and gives the likeliest; ``contrastive`` weighs
            likelihood against likeness to what was said (Su et al. 2022).
        no_repeat_ngram: No run of that many tokens occurs twice (prompt included); 0 is off.
        logit_bias: Pairs of token id and what is added to its logit, -100 to 100.
        dry_multiplier: Strength of DRY, against repeated runs of tokens of any length; 0 is off.
        dry_base: How fast its penalty grows with the length of the run.
        dry_allowed_length: Runs up to that length are free.
        dry_window: How many recent tokens (prompt included) DRY looks at.
        dry_breakers: Texts that a run cannot reach across.
        xtc_probability: How often the likeliest tokens are excluded (XTC); 0 is off.
        xtc_threshold: All tokens this likely or more go, but for the least likely of them.
        mirostat: 2 keeps the surprise near ``mirostat_tau`` (Basu et al. 2020); 0 is off.
        mirostat_tau: Surprise aimed at, in bits.
        mirostat_eta: How fast it is corrected.
        beams: How many answers beam search follows.
        length_penalty: Beam scores are divided by length to this power; above 0 favours long ones.
        early_stop: ``True`` ends as soon as ``beams`` answers are complete, ``False`` when a better
            one is unlikely, ``"never"`` when none can come.
        penalty_alpha: Weight of the likeness in contrastive search, 0 (none) to 1.
        samples: How many answers are drawn side by side, from one reading of the prompt. Number i
            is drawn as a request of its own with the seed ``seed + i`` would be.
        speculate: Who guesses tokens ahead, so that one pass of the model can judge several:
            ``prompt`` looks the newest tokens up in the text so far, ``draft`` asks the smaller
            model loaded beside it (``LoadOptions.draft``). What an answer may be and how likely
            it is stays the same.
        draft_tokens: Tokens guessed per pass, at most.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    penalty_window: int = 64
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    strategy: Strategy = "sample"
    no_repeat_ngram: int = 0
    logit_bias: tuple[tuple[int, float], ...] = ()
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_window: int = 1024
    dry_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    beams: int = 4
    length_penalty: float = 1.0
    early_stop: bool | Literal["never"] = False
    penalty_alpha: float = 0.6
    samples: int = 1
    speculate: Speculate = "off"
    draft_tokens: int = 8


class GenerationRequest(msgspec.Struct, frozen=True):
    """What to generate from: exactly one of ``messages``, ``text`` and ``token_ids`` is given.

    Attributes:
        request_id: Repeated in every event of this answer.
        messages: A conversation; the engine renders it with the model's chat template.
        text: Raw text to continue. BOS is put before it where the model wants one; special tokens
            written in it stay text.
        token_ids: Exact prompt ids; nothing is added.
        sampling: How tokens are drawn.
        top_n: Alternatives reported per token, 0 to 20.
        template_variables: Extra variables for the chat template, e.g. ``enable_thinking``.
        cache_key: The chat that the text belongs to; what was read of it is kept as
            ``LoadOptions.past`` says, and dropped by ``Engine.forget``. Empty = not kept.
    """

    request_id: str
    messages: tuple[Message, ...] | None = None
    text: str | None = None
    token_ids: tuple[int, ...] | None = None
    sampling: SamplingParams = SamplingParams()
    top_n: int = 0
    template_variables: dict[str, bool | int | str] = {}
    cache_key: str = ""


class PastOptions(msgspec.Struct, frozen=True):
    """How much of what was read is kept, so that coming back to a chat is quick; 0 is nothing.

    Attributes:
        memory_bytes: Copies in memory; a share of the computer's memory is never exceeded.
        disk_bytes: All files together, of every model.
    """

    memory_bytes: int = 0
    disk_bytes: int = 0


class LoadOptions(msgspec.Struct, frozen=True):
    """How a model is brought into memory.

    Attributes:
        path: A ``.gguf`` file or a checkpoint folder (config.json and safetensors).
        engine: Which engine; ``.gguf`` files need ``gguf``, folders ``native``.
        n_ctx: Context in tokens; ``None`` takes the model's own, at most 4,096.
        gpu_layers: ``None`` = as many as fit (auto); 0 = none.
        flash_attention: ``None`` lets the engine decide.
        kv_cache_type: ``f16``, ``f32``, ``q8_0`` or ``q4_0`` (gguf).
        mmap: Map the file instead of reading it (gguf).
        threads: ``None`` = one per physical core, one for tiny models.
        device: ``auto``, ``cpu``, ``cuda``, ``mps`` (native).
        dtype: ``auto``, ``float32``, ``bfloat16``, ``float16``, ``int8`` (native).
        chat_template: Jinja that takes the place of the model's own; empty = its own.
        past: How much of what was read is kept.
        draft: A smaller model with the same tokens, of the same form, to be loaded beside it for
            ``SamplingParams.speculate``; empty for none.
        compile: Compile the reading of single tokens: ``on``, ``off``, or ``auto``, which is on for
            large networks on CUDA; small ones are recorded there as they are. What was done, and
            why not more, ``LoadedModel.device_reason`` says (native).
    """

    path: str
    engine: EngineKind
    n_ctx: int | None = None
    gpu_layers: int | None = None
    flash_attention: bool | None = None
    kv_cache_type: str = "f16"
    mmap: bool = True
    threads: int | None = None
    device: str = "auto"
    dtype: str = "auto"
    chat_template: str = ""
    past: PastOptions = PastOptions()
    draft: str = ""
    compile: str = "auto"


class ModelInfo(msgspec.Struct, frozen=True):
    """Facts about an installed checkpoint, read from its files without loading it.

    Attributes:
        id: Stable and unique among installed models, e.g. ``starter-instruct``.
        name: For people, e.g. ``Glasshouse Starter Instruct``.
        path: Absolute path of the ``.gguf`` file or the checkpoint folder.
        engine: The engine that runs this form of the weights.
        kind: Base continues text, instruct answers, thinking always thinks before it answers,
            embedding turns texts into numbers and writes none.
        architecture: As the file names it, e.g. ``llama``.
        parameters: Number of weights, 0 when unknown.
        size_bytes: Size on disk of everything that belongs to it.
        quantization: ``F16``, ``Q4_K_M``, ``float32`` ...
        n_ctx_train: Context it was trained for, in tokens; 0 when unknown.
        n_layers: Number of blocks.
        n_vocab: Vocabulary size.
        has_chat_template: Whether the files bring one.
        bundled: Shipped with the app (starter models), cannot be removed.
        origin: ``starter``, ``models folder``, ``added``, or the other app it belongs to.
        license: SPDX name or empty.
        problem: Empty, or a sentence why it cannot be loaded.
        absent: Its folder is on a drive that is away; the facts are those of the last time.
    """

    id: str
    name: str
    path: str
    engine: EngineKind
    kind: ModelKind = "unknown"
    architecture: str = ""
    parameters: int = 0
    size_bytes: int = 0
    quantization: str = ""
    n_ctx_train: int = 0
    n_layers: int = 0
    n_vocab: int = 0
    has_chat_template: bool = False
    bundled: bool = False
    origin: str = ""
    license: str = ""
    problem: str = ""
    absent: bool = False

    @property
    def is_foreign(self) -> bool:
        """Whether it belongs to another app, which alone may change or remove it."""
        return self.origin not in ("", "starter", "models folder", "added")


class LoadedModel(msgspec.Struct, frozen=True):
    """What an engine says about the model it holds, after loading.

    Attributes:
        engine: Which engine.
        name: The model's own name, or the file's.
        architecture: As the file names it.
        n_ctx: Context in tokens that this engine really has.
        n_ctx_train: Context the model was trained for.
        n_vocab: Vocabulary size.
        n_layers: Number of blocks.
        parameters: Number of weights.
        has_chat_template: ``False`` = completion only.
        device: For people: ``CPU``, ``CUDA: NVIDIA H200`` ...
        gpu_layers: Layers on the GPU.
        device_reason: One sentence: why this device and this many layers.
        dtype: Weights' type: ``float32``, ``Q4_K_M`` ...
        threads: Threads used for decoding.
        load_s: Seconds that loading took.
        weights_bytes: Memory of the weights.
        kv_cache_bytes: Memory of the KV cache at full context.
        kv_cache_type: How GGUF's cache keeps its numbers; empty = as the network computes.
        adds_bos: Whether the tokenizer puts BOS before a raw text.
        eos_ids: Ids that end an answer.
        buffers_bytes: Memory set aside to compute in, as measured; 0 when it was not.
        turn_stops: Texts at which answers in a conversation are ended as well, because the chat
            template ends turns with them and no token does.
        past_bytes: Memory that copies of earlier texts may take; one larger than that stays until
            it is on the disk.
        draft: Name of the draft model loaded beside it, empty for none; the bytes above count it.
    """

    engine: EngineKind
    name: str
    architecture: str
    n_ctx: int
    n_ctx_train: int
    n_vocab: int
    n_layers: int
    parameters: int
    has_chat_template: bool
    device: str
    gpu_layers: int
    device_reason: str
    dtype: str
    threads: int
    load_s: float
    weights_bytes: int
    kv_cache_bytes: int
    adds_bos: bool
    eos_ids: tuple[int, ...]
    buffers_bytes: int = 0
    turn_stops: tuple[str, ...] = ()
    past_bytes: int = 0
    draft: str = ""
    kv_cache_type: str = ""


class TokenPiece(msgspec.Struct, frozen=True, omit_defaults=True):
    """One token as an id and its text; ``text`` shows incomplete UTF-8 as U+FFFD.

    ``raw`` are its bytes where the text cannot tell them; ``data`` are they in every case.
    """

    id: int
    text: str
    special: bool = False
    raw: bytes = b""

    @property
    def data(self) -> bytes:
        """The bytes that the token stands for."""
        return self.raw or self.text.encode()


class RenderedPrompt(msgspec.Struct, frozen=True):
    """A conversation as the model reads it: the exact text and the exact tokens."""

    text: str
    tokens: tuple[TokenPiece, ...]


class Candidate(TokenPiece, frozen=True, kw_only=True):
    """A possible next token; ``logprob`` is the natural log of the unmodified distribution."""

    logprob: float

    @property
    def chance(self) -> float:
        """Its probability, 0 to 1."""
        return math.exp(self.logprob)


class BeamNode(TokenPiece, frozen=True, kw_only=True):
    """A token that beam search looked at.

    Attributes:
        parent: Place of the token before it in ``BeamTree.nodes``; -1 is the prompt.
        logprob: Natural log of the unmodified distribution.
        score: Sum of the log-probabilities from the prompt to it, after the penalties.
        state: ``kept`` went on, ``finished`` completed an answer, ``pruned`` was given up.
    """

    parent: int
    logprob: float
    score: float
    state: BeamState


class BeamEnd(msgspec.Struct, frozen=True):
    """A complete answer: its last node, and its score with the length penalty."""

    node: int
    score: float


class BeamTree(msgspec.Struct, frozen=True):
    """All that beam search looked at for one answer.

    Attributes:
        request_id: The answer's.
        nodes: Step by step, best first within a step; parents come before their children.
        winner: Place of the answer's last node; -1 if there is none.
        ends: The best complete answers, at most ``beams``, best first.
    """

    request_id: str
    nodes: tuple[BeamNode, ...]
    winner: int
    ends: tuple[BeamEnd, ...]


class SampleEnd(msgspec.Struct, frozen=True):
    """How one of several samples ended; ``seed`` alone would draw it again."""

    sample: int
    seed: int
    reason: FinishReason
    completion_tokens: int


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one answer, or of all its samples; ``reused_tokens`` came from the cache.

    With speculation ``drafted_tokens`` were guessed, and ``accepted_tokens`` of them were taken.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reused_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0


class Timings(msgspec.Struct, frozen=True):
    """Seconds from a monotonic clock, and what follows from them; 0 where nothing was measured.

    ``prompt_tokens_per_s`` counts tokens that were really computed, not the reused ones.
    """

    load_s: float = 0.0
    prompt_s: float = 0.0
    decode_s: float = 0.0
    prompt_tokens_per_s: float = 0.0
    tokens_per_s: float = 0.0
