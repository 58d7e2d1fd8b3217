"""Search a hub for models: by text, author, or a pasted address; filtered, sorted, page by page.

Talks to the hub through ``hub.Hub`` only, from a worker thread. What the hub cannot filter (base or
instruct, what fits) is filtered here, so a page may ask the hub for more than one of its own.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

import msgspec

from inference.library import kinds
from inference.library.architectures import gguf_objection
from inference.library.catalog import native_knows
from inference.library.fit import Fit, judge_by_size
from inference.library.hub_pages import HubPages, model_entry
from inference.library.quality import rough_bytes
from inference.library.repository import Repository, arrange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inference.library.hub import Hub
    from inference.library.machine import Machine
    from inference.library.remote_header import RemoteFiles

HubKind: TypeAlias = Literal["base", "instruct", "thinking", "unknown"]
HubForm: TypeAlias = Literal["any", "gguf", "safetensors"]
HubSort: TypeAlias = Literal["trending", "downloads", "likes", "new"]

PAGE = 30
"""Models per page."""
_ASKED = 50
"""Models that the hub is asked for at a time."""
_MOST_ASKED = 6
"""Times that a page asks at most for models that pass the filters."""
_SORTS: dict[HubSort, str] = {
    "trending": "trendingScore",
    "downloads": "downloads",
    "likes": "likes",
    "new": "createdAt",
}
_EXPAND = [
    "author", "cardData", "config", "createdAt", "downloads", "gated", "gguf", "lastModified",
    "library_name", "likes", "pipeline_tag", "private", "safetensors", "siblings", "tags",
    "trendingScore",
]  # fmt: skip
_NAME = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_KINDS: tuple[tuple[HubKind, frozenset[str]], ...] = (
    ("thinking", kinds.THINKING),
    ("instruct", kinds.INSTRUCT),
    ("base", kinds.BASE),
)
_WRITERS = frozenset({"text-generation", "image-text-to-text", "any-to-any", "conversational", ""})


class HubQuery(msgspec.Struct, frozen=True):
    """What is looked for.

    Attributes:
        text: Words of the name; ``org/name`` or an address shows that one model.
        author: Only this author's models.
        form: Only GGUF, or only safetensors that the native engine knows.
        kinds: Any of these; ``unknown`` belongs to each of them, the hub does not say.
        licenses: Any of these licence ids, as the hub writes them (``apache-2.0``).
        most_bytes: Only models whose usual download is at most this large; 0 for all.
        without_sign_in: Only models that need no account.
        sort: In which order.
    """

    text: str = ""
    author: str = ""
    form: HubForm = "any"
    kinds: tuple[HubKind, ...] = ()
    licenses: tuple[str, ...] = ()
    most_bytes: int = 0
    without_sign_in: bool = False
    sort: HubSort = "trending"


class HubModel(msgspec.Struct, frozen=True):
    """One search result.

    Attributes:
        repo: ``org/name``.
        author: The first part of it.
        kind: From name and tags; ``unknown`` where they do not say.
        forms: ``gguf`` and ``safetensors``, as far as there are such files.
        architecture: As the hub states it; may be empty.
        parameters: Number of weights; 0 when the hub does not say.
        n_ctx_train: Context in tokens (GGUF); 0 when the hub does not say.
        license: Licence id; may be empty.
        gated: Empty, ``auto`` or ``manual``.
        downloads: In the last 30 days.
        likes: All of them.
        updated: ISO date and time of the last change; may be empty.
        about_bytes: Size of the usual download, from the number of weights; 0 when unknown.
        problem: Why nothing of it can run here, as far as the search tells; empty if nothing does.
    """

    repo: str
    author: str
    kind: HubKind = "unknown"
    forms: tuple[str, ...] = ()
    architecture: str = ""
    parameters: int = 0
    n_ctx_train: int = 0
    license: str = ""
    gated: str = ""
    downloads: int = 0
    likes: int = 0
    updated: str = ""
    about_bytes: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some results; ``more`` tells whether another page may follow."""

    models: tuple[HubModel, ...]
    more: bool


class Search:
    """One search, read page by page as one scrolls; used by one thread at a time.

    Args:
        hub: Whom to ask.
        query: What for.
    """

    def __init__(self, hub: Hub, query: HubQuery) -> None:
        self._hub = hub
        self._query = query
        self._pages = HubPages(hub, _params(query))
        self._waiting: deque[HubModel] = deque()
        self._seen: set[str] = set()

    def next_page(self, count: int = PAGE) -> Page:
        """Return the next results.

        Raises:
            NetworkError: No connection, or trouble at the hub; asking again goes on.
            RepositoryNotFoundError: A pasted address leads to nothing.
        """
        pasted = parse_reference(self._query.text)
        if pasted:
            return Page((look_up(self._hub, pasted),), more=False)
        asked = 0
        while len(self._waiting) < count and self._pages.more and asked < _MOST_ASKED:
            for entry in self._pages.next_page():
                model = describe_entry(entry)
                if model.repo not in self._seen and passes(model, self._query):
                    self._seen.add(model.repo)
                    self._waiting.append(model)
            asked += 1
        taken = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
        return Page(tuple(taken), more=bool(self._waiting) or self._pages.more)


def _params(query: HubQuery) -> list[tuple[str, str]]:
    """Return the query as the hub's address wants it."""
    browsing = not (query.text.strip() or query.author)
    writers_only = query.form == "safetensors" or (browsing and query.form == "any")
    tags: list[str] = [query.form] if query.form != "any" else []
    if len(query.licenses) == 1:
        tags.append(f"license:{query.licenses[0]}")
    wanted = (
        ("search", query.text.strip()),
        ("author", query.author),
        ("pipeline_tag", "text-generation" if writers_only else ""),
        ("sort", _SORTS[query.sort]),
        ("gated", "false" if query.without_sign_in else ""),
        ("limit", str(_ASKED)),
        *(("filter", tag) for tag in tags),
        *(("expand", name) for name in _EXPAND),
    )
    return [(name, value) for name, value in wanted if value]


def parse_reference(text: str) -> str:
    """Return the ``org/name`` that a person pasted, as it is or in an address; else nothing."""
    text = text.strip()
    if "://" in text:
        parts = [unquote(part) for part in urlsplit(text).path.split("/") if part]
        if parts[:1] in (["datasets"], ["spaces"], ["docs"], ["api"]):
            return ""
        text = "/".join(parts[:2])
    elif text.startswith(("hf.co/", "huggingface.co/")):
        text = "/".join(text.split("/")[1:3])
    return text if _NAME.fullmatch(text) else ""


def look_up(hub: Hub, repo: str) -> HubModel:
    """Return one model by its name.

    Raises:
        NetworkError: No connection, or trouble at the hub.
        RepositoryNotFoundError: No such repository, or it is private.
    """
    return describe_entry(model_entry(hub, repo))


def open_repository(
    hub: Hub, repo: str, files: Callable[[Any], RemoteFiles], revision: str = ""
) -> Repository:
    """Return a repository's rows, with config.json read where it has one.

    Args:
        hub: Whom to ask.
        repo: ``org/name``.
        files: Opens the files of a listing, e.g. ``lambda it: RemoteFiles(it, hub.token, cancel)``.
        revision: Branch, tag or commit; empty means the main branch.

    Raises:
        InferenceError: As ``Hub.listing`` does; a config.json that cannot be read is left out.
    """
    listing = hub.listing(repo, revision)
    has_weights = any(file.path.endswith(".safetensors") for file in listing.files)
    config: dict[str, object] | None = None
    if has_weights and any(file.path == "config.json" for file in listing.files):
        if listing.gated:
            hub.check_access(listing)
        with files(listing) as opened:
            config = opened.json("config.json")
    return arrange(listing, config)


def describe_entry(entry: Mapping[str, Any]) -> HubModel:
    """Turn what the hub says about a model into a value; nothing in it is trusted."""
    repo = str(entry["id"])
    found = entry.get("tags")
    tags = tuple(tag for tag in found if isinstance(tag, str)) if isinstance(found, list) else ()
    gguf, config = _object(entry, "gguf"), _object(entry, "config")
    forms = tuple(form for form in ("gguf", "safetensors") if form in tags)
    parameters = _whole(gguf.get("total")) or _whole(_object(entry, "safetensors").get("total"))
    usual = "Q4_K_M" if "gguf" in forms else "BF16"
    model = HubModel(
        repo=repo,
        author=repo.partition("/")[0],
        kind=kind_of(repo, tags),
        forms=forms,
        architecture=str(gguf.get("architecture") or config.get("model_type") or "")[:80],
        parameters=parameters,
        n_ctx_train=_whole(gguf.get("context_length")),
        license=_license(tags),
        gated=str(entry.get("gated") or ""),
        downloads=_whole(entry.get("downloads")),
        likes=_whole(entry.get("likes")),
        updated=str(entry.get("lastModified") or entry.get("createdAt") or ""),
        about_bytes=rough_bytes(parameters, usual) or 0,
    )
    pipeline = str(entry.get("pipeline_tag") or "")
    return msgspec.structs.replace(model, problem=_problem(model, config, tags, pipeline))


def _object(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = entry.get(key)
    return value if isinstance(value, dict) else {}


def kind_of(repo: str, tags: tuple[str, ...]) -> HubKind:
    """Tell what a model is from its name, then from its tags."""
    words = kinds.words_of([repo.partition("/")[2]])
    for kind, marks in _KINDS:
        if words & marks:
            return kind
    return "instruct" if "conversational" in tags else "unknown"


def passes(model: HubModel, query: HubQuery) -> bool:
    """Tell whether a result is one of those that were asked for."""
    if query.kinds and model.kind not in (*query.kinds, "unknown"):
        return False
    if query.licenses and model.license not in query.licenses:
        return False
    if query.most_bytes and model.about_bytes > query.most_bytes:
        return False
    if query.without_sign_in and model.gated:
        return False
    if query.form == "safetensors":
        return "safetensors" in model.forms and not model.problem
    return query.form == "any" or query.form in model.forms


def model_fit(model: HubModel, machine: Machine) -> Fit:
    """Judge a result roughly, by the size of its usual download; unknown where none is told."""
    if model.problem or not model.about_bytes:
        return Fit("unknown")
    return judge_by_size(model.about_bytes, machine)


def _problem(
    model: HubModel, config: Mapping[str, Any], tags: tuple[str, ...], pipeline: str
) -> str:
    if pipeline not in _WRITERS:
        return f"It is not made for writing text ({pipeline[:40]})."
    if "gguf" in model.forms:
        objection = gguf_objection(model.architecture) if model.architecture else ""
        return f"It cannot run here: {objection}." if objection else ""
    if "safetensors" not in model.forms:
        pickled = "pytorch" in tags or "transformers" in tags
        return (
            "Its weights are pickle files, which could run any program; the app does not open them."
            if pickled
            else "It has neither GGUF nor .safetensors files."
        )
    if "custom_code" in tags or config.get("auto_map"):
        return "It needs Python code that comes with the model, which the app does not run."
    if model.architecture and not native_knows(model.architecture):
        return (
            f"The native engine does not know its architecture ({model.architecture}); look for "
            "it as GGUF."
        )
    return ""


def _license(tags: tuple[str, ...]) -> str:
    found = (tag.removeprefix("license:") for tag in tags if tag.startswith("license:"))
    return next(found, "")[:60]


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
