"""What the Discover tab shows: plain frozen values. Knows neither Qt nor threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from desktop.values import Problem
    from inference.library.catalog_search import CatalogSort
    from inference.library.fit import Fit
    from inference.library.hub_search import HubForm, HubSort
    from inference.types import EngineKind

FoundKind = Literal["base", "instruct", "thinking", "unknown"]
FitOrigin = Literal["header", "catalogue", "config", "size", ""]
"""Where the sum behind a fit comes from."""
HubStatus = Literal["idle", "asking", "more", "end", "failed"]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a person looks for; an empty field looks for everything.

    Attributes:
        text: Words, ``org/name`` or an address.
        kinds: Any of these.
        form: GGUF, or safetensors that the native engine can run.
        licenses: Any of these licence ids, lower case.
        fits: Only what this computer can load.
        without_sign_in: Only what needs no account.
        sort: Order of the curated models.
        hub_sort: Order of the hub's.
    """

    text: str = ""
    kinds: tuple[FoundKind, ...] = ()
    form: HubForm = "any"
    licenses: tuple[str, ...] = ()
    fits: bool = False
    without_sign_in: bool = False
    sort: CatalogSort = "recommended"
    hub_sort: HubSort = "trending"


@dataclass(frozen=True, slots=True)
class FoundModel:
    """One row of the list.

    Attributes:
        key: ``catalog:ID`` or ``hub:ORG/NAME``.
        name: For people.
        kinds: Base first.
        author: Who made it.
        license: Its id, or empty.
        size_bytes: Smallest download, or the usual one of a hub's model; 0 when not known.
        from_size: Whether there are larger ones.
        gated: Whether every form wants an account.
        problem: Why nothing of it runs here; empty if nothing speaks against it.
        words: Lower case, what a typed text is looked for in.
        forms: ``gguf``, ``safetensors``.
    """

    key: str
    name: str
    kinds: tuple[FoundKind, ...]
    author: str
    license: str = ""
    size_bytes: int = 0
    from_size: bool = False
    gated: bool = False
    problem: str = ""
    words: str = ""
    forms: tuple[str, ...] = ()

    @property
    def is_curated(self) -> bool:
        """Whether it is in the catalogue."""
        return self.key.startswith("catalog:")


@dataclass(frozen=True, slots=True)
class HubState:
    """How the search on the hub stands.

    Attributes:
        status: ``idle`` before anybody asked; ``more`` when another page may follow.
        text: What was looked for.
        found: Models so far, filters left out.
        problem: What went wrong with the last page.
    """

    status: HubStatus = "idle"
    text: str = ""
    found: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class FoundVersion:
    """One row of the table: a form of a model that can be downloaded by itself.

    Attributes:
        id: Unique on its page.
        kind: Which model of the pair.
        engine: Which engine runs it.
        label: ``Q4_K_M`` ...
        size_bytes: 0 when not known.
        quality: In the library's words.
        parts: Number of weight files.
        fit: On this computer, for the context chosen.
        origin: Where the fit comes from.
        repo: ``org/name``.
        wanted: What to ask that repository for.
        revision: Commit, or empty for the newest.
        gated: Whether the hub wants an account.
        neighbour: Key of the page and id of the version without a gate; empty without one.
        problem: Why it cannot run here.
        note: A sentence to know before downloading.
        recommended: Preselected for a person without a wish.
        installed_id: Id of the installed model, or empty.
    """

    id: str
    kind: FoundKind
    engine: EngineKind
    label: str
    size_bytes: int
    quality: str
    fit: Fit
    origin: FitOrigin
    repo: str
    wanted: str = ""
    revision: str = ""
    parts: int = 1
    gated: bool = False
    neighbour: tuple[str, str] = ("", "")
    problem: str = ""
    note: str = ""
    recommended: bool = False
    installed_id: str = ""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model; 0 and empty where it is not.

    Attributes:
        architecture: As its files name it.
        experts: Per layer; 0 for a dense network.
        n_ctx_train: Longest context in tokens.
        kv_bytes_per_token: What each token of context costs in an f16 cache.
        n_vocab: Pieces.
        thinking: ``on`` and ``off`` can be switched, ``always``; empty where it does not or
            nobody says.
        parameters: Number of weights.
        n_layers: Blocks.
    """

    architecture: str = ""
    experts: int = 0
    n_ctx_train: int = 0
    kv_bytes_per_token: float = 0.0
    n_vocab: int = 0
    thinking: str = ""
    parameters: int = 0
    n_layers: int = 0


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One model opened.

    Attributes:
        key: As in ``FoundModel``.
        name: For people.
        author: Who made it.
        license: Its id, or empty.
        about: One sentence, or empty.
        gated: Whether each form wants an account.
        kinds: Which models there are; a pair has two.
        kind: The one whose versions are shown.
        versions: All versions of that kind, GGUF first.
        partner: The version to fetch for the other model of the pair, by version id.
        facts: Of that kind.
        n_ctx: The context that memory is reckoned with.
        contexts: What can be chosen.
        reason: Why nothing runs here.
        repo: Whose model card is shown.
        busy: Whether the hub is being asked.
        problem: What went wrong when it was asked.
        can_read_header: Whether a header can make the sum exact.
    """

    key: str
    name: str
    author: str = ""
    license: str = ""
    about: str = ""
    gated: bool = False
    kinds: tuple[FoundKind, ...] = ()
    kind: FoundKind = "unknown"
    versions: tuple[FoundVersion, ...] = ()
    partner: dict[str, FoundVersion] = field(default_factory=dict)
    facts: ModelFacts = ModelFacts()
    n_ctx: int = 4_096
    contexts: tuple[int, ...] = ()
    reason: str = ""
    repo: str = ""
    busy: bool = False
    problem: Problem | None = None
    can_read_header: bool = False

    def version(self, version_id: str) -> FoundVersion | None:
        """Return a row of the table."""
        return next((one for one in self.versions if one.id == version_id), None)

    @property
    def recommended(self) -> str:
        """Id of the row to begin with; empty without rows."""
        marked = [one.id for one in self.versions if one.recommended]
        return next(iter(marked or [one.id for one in self.versions]), "")


@dataclass(frozen=True, slots=True)
class CardView:
    """A model card, or why there is none.

    Attributes:
        repo: Whose.
        markdown: Safe to show: no HTML, pictures or unsafe links.
        page: Address of the model's page, for a browser.
        images: How many pictures were left out.
        shortened: Whether it was longer than can be shown.
        busy: Whether it is being read.
        problem: Why it cannot be shown.
    """

    repo: str
    markdown: str = ""
    page: str = ""
    images: int = 0
    shortened: bool = False
    busy: bool = False
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class MemoryPart:
    """One part of the memory bar: ``weights``, ``context``, ``buffers``, ``free`` or ``over``."""

    name: Literal["weights", "context", "buffers", "free", "over"]
    size_bytes: int


def memory_parts(fit: Fit) -> tuple[MemoryPart, ...]:
    """Return what a model takes and what stays; nothing where that is not known."""
    memory = fit.memory
    if memory is None:
        return ()
    parts = (
        MemoryPart("weights", memory.weights_bytes),
        MemoryPart("context", memory.kv_cache_bytes),
        MemoryPart("buffers", memory.buffers_bytes),
    )
    if fit.verdict == "too_large":
        return (*parts, MemoryPart("over", fit.over_bytes))
    return (*parts, MemoryPart("free", fit.stays_free_bytes))
