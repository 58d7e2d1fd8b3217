"""The curated models inside the package: what is known of each, with no network.

``resources/catalog.json`` pairs base with instruct models (a *family*) and the native with the GGUF
form of the same weights (``weights``). Sizes, hashes and revisions are what public sources state;
what is not known is ``None`` and is asked of the Hub at download time. Knows nothing of what is
installed or of this computer; see ``fit``.
"""

from __future__ import annotations

import importlib.resources
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from inference.errors import InferenceError, UnsupportedArchitectureError
from inference.library.fit import Plan
from inference.library.memory_shape import MemoryShape
from inference.library.quality import rough_bytes
from inference.native.config import NetworkConfig
from inference.types import EngineKind

if TYPE_CHECKING:
    from collections.abc import Iterator

CatalogKind: TypeAlias = Literal["base", "instruct", "thinking"]
Thinking: TypeAlias = Literal["on", "off", "always"]
Form: TypeAlias = Literal["gguf", "safetensors"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_REPO = re.compile(r"[\w.-]+/[\w.-]+")
_FILE = re.compile(r"[\w.-]+\.(gguf|safetensors|json)")
_ID = re.compile(r"[a-z0-9._-]+")


class CatalogFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of an entry.

    Attributes:
        name: In the repository; ``None``: the one of the entry's version, found by listing it.
        size_bytes: Exact size.
        sha256: Of the whole file.
        about_bytes: A rounded size, for people and forecasts only.
    """

    name: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    about_bytes: int | None = None


class CatalogEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One download: a form of the weights of one model.

    Attributes:
        id: Unique in the catalogue.
        kind: Base continues text, instruct answers, thinking always thinks first.
        form: What the files are.
        version: ``Q4_K_M``, ``BF16`` ...
        repo: ``org/name`` on the Hub.
        weights: Repository of the original: entries that share it hold the same weights.
        engines: Which engines run this form.
        revision: Commit; ``None`` is the newest at download time.
        files: The weights; none for several parts whose number is not known here.
        small_files: Known configuration files; others are listed at download time.
        about_bytes: Rounded size of all parts, where ``files`` is empty.
        architecture: As the files name it.
        n_ctx_train: Context in tokens; 0 when not known.
        thinking: Whether it thinks aloud by default, and whether that can be switched.
        gated: The Hub wants an account and an agreement.
        neighbour: Id of an entry without a gate, for a gated one.
        min_engine: Oldest engine release this was checked to be known to.
        note: A sentence to know before downloading.
    """

    id: str
    kind: CatalogKind
    form: Form
    version: str
    repo: str
    weights: str
    engines: tuple[EngineKind, ...]
    revision: str | None = None
    files: tuple[CatalogFile, ...] = ()
    small_files: tuple[CatalogFile, ...] = ()
    about_bytes: int | None = None
    architecture: str | None = None
    n_ctx_train: int = 0
    thinking: Thinking | None = None
    gated: bool = False
    neighbour: str | None = None
    min_engine: str | None = None
    note: str = ""

    @property
    def size_bytes(self) -> int | None:
        """Exact size of the weights, if every file's is known."""
        sizes = [file.size_bytes for file in self.files]
        if not sizes or None in sizes:
            return None
        return sum(size for size in sizes if size is not None)

    @property
    def roughly_bytes(self) -> int | None:
        """The size for people: exact where known, else rounded, else ``None``."""
        if not self.files:
            return self.about_bytes
        sizes = [file.size_bytes or file.about_bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def wanted(self) -> str:
        """What to ask a repository's listing for: a file, a version, or nothing for a folder."""
        if self.form == "safetensors":
            return ""
        return next((file.name for file in self.files if file.name), self.version)

    @property
    def can_run(self) -> bool:
        """Whether an engine of this version of the app knows the architecture."""
        return "gguf" in self.engines or native_knows(self.architecture or "")


class CatalogShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The widths of a family's networks, from the published config.json."""

    n_layers: int
    width: int
    n_heads: int
    n_kv_heads: int
    head_width: int
    mlp_width: int
    n_vocab: int
    experts: int = 0
    experts_used: int = 0


class CatalogLicense(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A licence; ``verified`` is false where it is known in general, not read from the card."""

    id: str
    url: str
    verified: bool


class CatalogFamily(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Models of one name and size: base and instruct, in all forms.

    Attributes:
        id: Unique.
        name: For people: ``Qwen3 4B``.
        author: Who made it.
        about: One sentence.
        license: Of all its entries.
        parameters: Number of weights; ``None`` when not known.
        shape: ``None`` when not known: the header says it.
        entries: In the order of recommendation within each kind.
    """

    id: str
    name: str
    author: str
    about: str
    license: CatalogLicense
    parameters: int | None = None
    shape: CatalogShape | None = None
    entries: tuple[CatalogEntry, ...] = ()

    @property
    def kinds(self) -> tuple[CatalogKind, ...]:
        """Which kinds there are, base first."""
        order: tuple[CatalogKind, ...] = ("base", "instruct", "thinking")
        have = {entry.kind for entry in self.entries}
        return tuple(kind for kind in order if kind in have)

    @property
    def smallest_bytes(self) -> int | None:
        """Size of the smallest download of known size."""
        sizes = [self.roughly_bytes(entry) for entry in self.entries]
        return min((size for size in sizes if size is not None), default=None)

    @property
    def gated(self) -> bool:
        """Whether each of its downloads wants an account."""
        return all(entry.gated for entry in self.entries)

    def roughly_bytes(self, entry: CatalogEntry) -> int | None:
        """Return an entry's size for people; where no source says it, from its weights."""
        return entry.roughly_bytes or rough_bytes(self.parameters or 0, entry.version)

    def memory_shape(self, entry: CatalogEntry) -> MemoryShape | None:
        """Return what an entry's memory depends on; ``None`` when not known."""
        shape = self.shape
        if shape is None:
            return None
        return MemoryShape(
            n_layers=shape.n_layers,
            n_ctx_train=entry.n_ctx_train,
            n_vocab=shape.n_vocab,
            width=shape.width,
            mlp_width=shape.mlp_width * max(1, shape.experts_used),
            n_heads=shape.n_heads,
            kv_width=2 * shape.n_layers * shape.n_kv_heads * shape.head_width,
            experts=shape.experts,
            experts_used=shape.experts_used,
        )

    def plan(
        self, entry: CatalogEntry, n_ctx: int | None = None, kv_cache_type: str = "f16"
    ) -> Plan | None:
        """Return what ``fit.judge`` wants; ``None`` when size or shape are not known."""
        shape, size = self.memory_shape(entry), self.roughly_bytes(entry)
        if shape is None or size is None:
            return None
        engine: EngineKind = "gguf" if entry.form == "gguf" else "native"
        return Plan(engine, shape, size, self.parameters or 0, n_ctx, kv_cache_type)


class Catalog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All families, in the order of recommendation."""

    schema_version: int
    about: str
    families: tuple[CatalogFamily, ...]

    def entries(self) -> Iterator[tuple[CatalogFamily, CatalogEntry]]:
        """Yield every entry with its family."""
        for family in self.families:
            for entry in family.entries:
                yield family, entry

    def find(self, entry_id: str) -> tuple[CatalogFamily, CatalogEntry] | None:
        """Return the entry of that id, if there is one."""
        return next((pair for pair in self.entries() if pair[1].id == entry_id), None)

    def family(self, family_id: str) -> CatalogFamily | None:
        """Return the family of that id, if there is one."""
        return next((family for family in self.families if family.id == family_id), None)

    def same_weights(self, entry: CatalogEntry) -> tuple[CatalogEntry, ...]:
        """Return the other forms of the same weights: native beside GGUF, other versions."""
        return tuple(
            other
            for _, other in self.entries()
            if other.weights == entry.weights and other.id != entry.id
        )

    def partner(self, entry: CatalogEntry) -> CatalogEntry | None:
        """Return the base model of an instruct one or the reverse: same form and version if any."""
        family = next(family for family, other in self.entries() if other.id == entry.id)
        others = [
            other
            for other in family.entries
            if (other.kind == "base") != (entry.kind == "base") and other.form == entry.form
        ]
        same = [other for other in others if other.version == entry.version]
        return next(iter(same or others), None)


@lru_cache(maxsize=1)
def load_catalog() -> Catalog:
    """Return the catalogue of this version of the app."""
    source = importlib.resources.files("resources") / "catalog.json"
    return read_catalog(source.read_bytes())


def read_catalog(content: bytes) -> Catalog:
    """Read and check a catalogue.

    Raises:
        ValueError: It contradicts itself; the text names the entry. A mistake of whoever wrote it.
    """
    catalog = msgspec.json.decode(content, type=Catalog)
    seen: set[str] = set()
    for _, entry in catalog.entries():
        _check(entry)
        if entry.id in seen:
            raise ValueError(f"{entry.id} occurs twice")
        seen.add(entry.id)
    for _, entry in catalog.entries():
        if entry.neighbour is not None:
            found = catalog.find(entry.neighbour)
            if found is None or found[1].gated:
                raise ValueError(f"{entry.id}: its neighbour is missing or gated")
    return catalog


def _check(entry: CatalogEntry) -> None:
    wrong = [
        what
        for what, is_right in (
            ("id", _ID.fullmatch(entry.id)),
            ("repository", _REPO.fullmatch(entry.repo) and _REPO.fullmatch(entry.weights)),
            ("revision", entry.revision is None or _REVISION.fullmatch(entry.revision)),
            ("engine", entry.engines == (("gguf",) if entry.form == "gguf" else ("native",))),
            ("files", entry.files or entry.form == "safetensors"),
            ("neighbour", not entry.gated or entry.neighbour),
            ("file", all(map(_is_right, (*entry.files, *entry.small_files)))),
        )
        if not is_right
    ]
    if wrong:
        raise ValueError(f"{entry.id}: wrong {', '.join(wrong)}")


def _is_right(file: CatalogFile) -> bool:
    return (
        (file.name is None or _FILE.fullmatch(file.name) is not None)
        and (file.size_bytes is None or file.size_bytes > 0)
        and (file.sha256 is None or _SHA256.fullmatch(file.sha256) is not None)
    )


@lru_cache(maxsize=64)
def native_knows(model_type: str) -> bool:
    """Tell whether the native engine of this version builds networks of that ``model_type``."""
    if not model_type:
        return False
    try:
        NetworkConfig.from_dict({"model_type": model_type})
    except UnsupportedArchitectureError:
        return False
    except InferenceError:  # it asks for the widths: it knows the architecture
        return True
    return True
