"""Makes the recipe importable as ``starter``; the folder ``packaging`` is no package."""

from __future__ import annotations

import sys

from tests.helpers.assets import REPO

_RECIPES = str(REPO / "packaging")
if _RECIPES not in sys.path:
    sys.path.append(_RECIPES)
