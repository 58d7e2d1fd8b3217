"""Where things live on this computer: data, settings, cache, models.

``GLASSHOUSE_HOME`` puts every folder under one place; without it platformdirs decides.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_APP = "Glasshouse"


@dataclass(frozen=True, slots=True)
class AppPaths:
    """Absolute folders; none of them is created by reading this value."""

    data: Path
    config: Path
    cache: Path
    models: Path
    log: Path

    @property
    def database(self) -> Path:
        """The chats database."""
        return self.data / "chats.sqlite3"

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.config / "settings.json"

    @property
    def past(self) -> Path:
        """The folder of kept work, so that coming back to a chat is quick."""
        return self.cache / "past"


def app_paths() -> AppPaths:
    """Return the folders for this person on this computer."""
    home = os.environ.get("GLASSHOUSE_HOME")
    if home:
        root = Path(home).expanduser().absolute()
        return AppPaths(
            root / "data", root / "config", root / "cache", root / "models", root / "log"
        )
    dirs = platformdirs.PlatformDirs(_APP, appauthor=False)
    data = Path(dirs.user_data_dir)
    return AppPaths(
        data=data,
        config=Path(dirs.user_config_dir),
        cache=Path(dirs.user_cache_dir),
        models=data / "models",
        log=Path(dirs.user_log_dir),
    )
