"""``python -m inference``: the command line without the window."""

from __future__ import annotations

import sys

from inference.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
