"""One file per network family: how its ``config.json`` is read and what sets it apart. No torch."""
