"""Lines over a number, as an SVG file that any browser shows; needs nothing but Python."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 150, 40, 50
_COLOURS = ("#1f6feb", "#d1570a", "#2a7d3f", "#8250df")


def write_plot(
    path: Path,
    across: str,
    up: str,
    places: Sequence[float],
    lines: Mapping[str, Sequence[float]],
) -> None:
    """Write the plot of lines over the same places; both axes begin at 0.

    Args:
        path: Its folder is made where it is absent.
        across: What the places are.
        up: What the lines show.
        places: In rising order, above 0.
        lines: By name; as many numbers each as places.
    """
    most = max(max(line) for line in lines.values())
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(place: float, value: float) -> tuple[float, float]:
        return _LEFT + wide * place / places[-1], _HEIGHT - _BOTTOM - high * value / most

    parts = [_text(_LEFT, _TOP - 16, up), _text(_LEFT + wide / 2, _HEIGHT - 10, across, "middle")]
    for step in range(5):
        value, place = most * step / 4, places[-1] * step / 4
        x, y = at(place, value)
        parts += [
            f'<path d="M{_LEFT} {y:.1f}H{_LEFT + wide}" stroke="#d0d7de"/>',
            _text(_LEFT - 8, y + 4, f"{value:.0f}", "end"),
            _text(x, _HEIGHT - _BOTTOM + 18, f"{place:,.0f}", "middle"),
        ]
    for (name, line), colour in zip(lines.items(), _COLOURS, strict=False):
        points = [at(place, value) for place, value in zip(places, line, strict=True)]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        x, y = points[-1]
        parts.append(_text(x + 8, y + 4, name, colour=colour))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n',
        encoding="utf-8",
    )


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "#24292f") -> str:
    start = f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
    return f"{start}{escape(text)}</text>"
