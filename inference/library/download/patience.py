"""When to try again, and how long to wait before: back-off, ``Retry-After``, rate limits."""

from __future__ import annotations

import email.utils
import random
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BUSY = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
"""Status codes that pass by themselves."""

_LIMIT = re.compile(r'"[^"]*"\s*;\s*r\s*=\s*(?P<left>\d+)\s*;\s*t\s*=\s*(?P<seconds>\d+)')


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a network.

    Attributes:
        tries: Attempts in a row that bring no new byte before it is an error.
        first_wait_s: Wait after the first of them; doubled each time.
        longest_wait_s: Never wait longer, unless the server asks for it.
        longest_asked_s: A server that asks for more is an error.
        connect_s: Time to connect.
        stall_s: Silence that counts as a broken connection.
        stall_bytes: Fewer bytes than these in ``stall_s`` count as silence.
    """

    tries: int = 10
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    longest_asked_s: float = 3_600.0
    connect_s: float = 15.0
    stall_s: float = 30.0
    stall_bytes: int = 1_024

    def wait_s(self, failures: int) -> float:
        """Return the wait after so many failures in a row, spread by a fifth."""
        wait: float = min(
            self.longest_wait_s, self.first_wait_s * 2 ** min(max(0, failures - 1), 20)
        )
        return wait * random.uniform(0.9, 1.1)  # noqa: S311  spreads load, keeps no secret


class StoppedError(Exception):
    """The person asked to stop; no trouble at all."""


class TryAgainError(Exception):
    """An attempt failed in a way that may pass.

    Args:
        reason: A sentence for the person.
        detail: For the log.
        asked_s: Seconds that the server asks to wait; ``None`` leaves it to the back-off.
        most: Times in a row that this is borne; ``None`` means ``Patience.tries``.
    """

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        asked_s: float | None = None,
        most: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.asked_s = asked_s
        self.most = most


def asked_wait_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait that a server asks for, in seconds.

    Args:
        headers: Names in lower case. ``Retry-After`` is seconds or a date (RFC 9110, 10.2.3);
            ``RateLimit`` counts only when nothing is left of it.
    """
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    if value:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except ValueError:
            pass
        else:
            return max(0.0, moment.timestamp() - time.time())
    match = _LIMIT.search(headers.get("ratelimit", ""))
    if match and match["left"] == "0":
        return float(match["seconds"]) + 1.0
    return None
