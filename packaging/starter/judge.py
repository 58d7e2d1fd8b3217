"""Judges the instruct model: ``python packaging/starter/judge.py --misses``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve()
    # The recipe is the package "starter"; the network it trains lies in the project's root.
    sys.path[:0] = [str(here.parents[1]), str(here.parents[2])]
    importlib.import_module("starter.judging").main()
