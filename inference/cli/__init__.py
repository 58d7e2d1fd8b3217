"""``glasshouse run | models | tokens | bench | doctor``: the program without a window."""
