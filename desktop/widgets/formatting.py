"""Numbers as a person reads them here: grouped, with sensible digits and a no-break space."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QLocale

NBSP: Final = "\u00a0"
_UNITS: Final = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def count(number: int) -> str:
    """Return a whole number with its thousands grouped, e.g. ``1,912``."""
    return QLocale().toString(number)


def decimal(number: float, digits: int) -> str:
    """Return a number with a fixed number of digits after the point."""
    rounded = round(float(number), digits) + 0.0  # no minus before a zero
    return QLocale().toString(rounded, "f", digits)


def signed(number: float, digits: int) -> str:
    """Return a number with its sign, e.g. ``+1.30`` or ``-0.20``; 0 has none."""
    sign = "+" if round(float(number), digits) > 0 else ""
    return f"{sign}{decimal(number, digits)}"


def size(size_bytes: int) -> str:
    """Return a size of memory or disk in decimal units, e.g. ``2.50 GB`` or ``9.1 MB``."""
    for unit, factor in _UNITS:
        if size_bytes >= factor:
            digits = 2 if unit == "GB" and size_bytes < 1e10 else 1
            value = size_bytes / factor
            if value >= 100 or unit == "kB":
                digits = 0
            return f"{decimal(value, digits)}{NBSP}{unit}"
    return f"{count(size_bytes)}{NBSP}B"


def round_size(size_bytes: int) -> str:
    """Return a size that changes all the time, e.g. ``118 GB`` or ``9.8 GB``: few digits."""
    if size_bytes >= 1e12:
        return f"{decimal(size_bytes / 1e12, 1)}{NBSP}TB"
    if size_bytes >= 1e9:
        return f"{decimal(size_bytes / 1e9, 0 if size_bytes >= 1e10 else 1)}{NBSP}GB"
    return f"{decimal(size_bytes / 1e6, 0)}{NBSP}MB"


def gigabytes(size_bytes: int) -> str:
    """Return a size that a forecast tells, e.g. ``3.1 GB``; below a tenth of that ``60 MB``."""
    if size_bytes < 100_000_000:
        return f"{decimal(max(1, round(size_bytes / 1e6)), 0)}{NBSP}MB"
    return f"{decimal(size_bytes / 1e9, 1)}{NBSP}GB"


def small_size(size_bytes: float) -> str:
    """Return a size that may be well below a megabyte, e.g. ``36.9 kB``."""
    if size_bytes >= 1e6:
        return size(round(size_bytes))
    if size_bytes >= 1e3:
        return f"{decimal(size_bytes / 1e3, 1)}{NBSP}kB"
    return f"{decimal(size_bytes, 0)}{NBSP}B"


def speed(tokens_per_s: float) -> str:
    """Return a measured speed, e.g. ``41.2 tokens/s``; no digits from 100 on."""
    return f"{decimal(tokens_per_s, 0 if tokens_per_s >= 100 else 1)}{NBSP}tokens/s"


def seconds(duration_s: float) -> str:
    """Return a measured duration, e.g. ``0.21 s``."""
    digits = 2 if duration_s < 10 else 1
    return f"{decimal(duration_s, digits)}{NBSP}s"


def minutes(number: int) -> str:
    """Return a time of whole minutes or hours, e.g. ``15 minutes`` or ``2 hours``."""
    hours, rest = divmod(number, 60)
    words, amount = ("hour", hours) if hours and not rest else ("minute", number)
    return f"{count(amount)}{NBSP}{words}{'' if amount == 1 else 's'}"


def seconds_left(duration_s: int) -> str:
    """Return whole seconds, e.g. ``39 s``."""
    return f"{count(duration_s)}{NBSP}s"


def percent(share: float) -> str:
    """Return a share of 1 in percent, e.g. ``5 %``; one digit where it says more."""
    value = share * 100
    digits = 0 if abs(value - round(value)) < 0.05 else 1
    return f"{decimal(value, digits)}{NBSP}%"


def chance(share: float) -> str:
    """Return a chance in percent with one digit, so that a column of them lines up."""
    if 0 < share < 0.0005:
        return f"<{NBSP}{decimal(0.1, 1)}{NBSP}%"
    return f"{decimal(share * 100, 1)}{NBSP}%"


def parameters(number: int) -> str:
    """Return a number of weights in words, e.g. ``4.0 billion`` or ``7.4 million``."""
    for word, factor in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if number >= factor:
            amount = number / factor
            return f"{decimal(amount, 1 if amount < 100 else 0)}{NBSP}{word}"
    return count(number)


def engine(kind: str) -> str:
    """Return an engine's name in a list of facts."""
    return "GGUF" if kind == "gguf" else kind


def tail(text: str, most: int = 48) -> str:
    """Return the end of the last line, from a word on; longer ones after an ellipsis."""
    line = text.rstrip().rpartition("\n")[2]
    if len(line) <= most:
        return line
    cut = line[-most:]
    return f"… {cut.partition(' ')[2] or cut}"
