"""What a row of a download looks like and offers in each of its states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from desktop.download_values import DownloadRow
    from desktop.widgets.download_charts import Look

ICONS: Final = {
    "asking": ("download", "accent_text"),
    "queued": ("grip-vertical", "text3"),
    "checking": ("shield-check", "info"),
    "downloading": ("download", "accent_text"),
    "waiting": ("hourglass", "warn"),
    "paused": ("circle-pause", "text2"),
    "failed": ("circle-alert", "bad"),
    "aside": ("shield-alert", "bad"),
    "finished": ("circle-check", "ok"),
}
LOOKS: Final[dict[str, Look]] = {
    "downloading": "running",
    "checking": "hatched",
    "failed": "bad",
}
LINKS: Final[dict[str, tuple[str, ...]]] = {
    "HashMismatch": ("details",),
    "GatedModel": ("page", "token"),
    "Network": ("mirror",),
}
OPPOSITE: Final = {"pause": "resume", "resume": "pause"}


def offers(row: DownloadRow, *, can_rise: bool) -> tuple[str, ...]:
    """Return what can be done, in the order of the buttons."""
    if row.state == "finished":
        return ("open", "remove")
    if row.state in {"failed", "aside"}:
        return ("again", "remove")
    rise = ("up",) if can_rise else ()
    if row.state == "paused":
        return (*rise, "resume", "remove")
    return (*rise, "pause", "remove")
