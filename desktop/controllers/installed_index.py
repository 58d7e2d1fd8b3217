"""Which models of a hub are on this computer already, found by where their files lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.types import EngineKind, ModelInfo

_CACHED = "models--"


class InstalledIndex:
    """Installed models by repository.

    A model lies in ``org/name/file`` or ``org/name`` of a models folder, or in a cache's
    ``models--org--name``. What lies elsewhere is not recognised: its origin is not known.

    Args:
        models: Everything installed.
    """

    def __init__(self, models: Iterable[ModelInfo] = ()) -> None:
        self._by_repo: dict[str, list[tuple[str, EngineKind, str]]] = {}
        for info in models:
            if info.problem or info.bundled:
                continue
            repo, name = _place(info.path, info.engine)
            self._by_repo.setdefault(repo, []).append((name, info.engine, info.id))

    def has(self, repo: str) -> bool:
        """Whether any form of a repository is here."""
        return repo.casefold() in self._by_repo

    def find(self, repo: str, engine: EngineKind, wanted: str = "") -> str:
        """Return the id of an installed form, or nothing.

        Args:
            repo: ``org/name``.
            engine: Which engine runs it.
            wanted: For GGUF: the file, or a part of its name such as ``Q4_K_M``.
        """
        wanted = wanted.rpartition("/")[2].casefold()
        for name, runs_on, model_id in self._by_repo.get(repo.casefold(), ()):
            if runs_on == engine and (engine == "native" or wanted in name):
                return model_id
        return ""


def _place(path: str, engine: EngineKind) -> tuple[str, str]:
    """Return repository and file name of a path, lower case."""
    parts = path.replace("\\", "/").casefold().rstrip("/").split("/")
    for part in parts:
        if part.startswith(_CACHED):
            return part.removeprefix(_CACHED).replace("--", "/"), parts[-1]
    folder = parts if engine == "native" else parts[:-1]
    return "/".join(folder[-2:]), parts[-1]
