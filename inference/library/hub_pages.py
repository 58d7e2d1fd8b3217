"""The hub's list of models, one page per call, through huggingface_hub's own session.

``HfApi.list_models`` tries five times over some 23 s before it says that there is no network, and
its iterator ends at the first trouble. A person who scrolls wants to know at once, and to go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from inference.errors import NetworkError
from inference.library.download.wire import origin
from inference.library.hub import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.library.hub import Hub

_TIMEOUT_S = 20.0


class HubPages:
    """The pages of one search; used by one thread at a time.

    Args:
        hub: Whom to ask.
        params: The query, as the hub's address wants it.

    Attributes:
        more: Whether another page may follow.
    """

    def __init__(self, hub: Hub, params: Iterable[tuple[str, str]]) -> None:
        self._hub = hub
        self._url = f"{hub.endpoint}/api/models"
        self._params = tuple(params)
        self.more = True

    def next_page(self) -> list[dict[str, Any]]:
        """Return the next entries as the hub writes them; after trouble, ask again.

        Raises:
            NetworkError: No connection, or trouble at the hub.
        """
        if not self.more:
            return []
        answer, following = _get(self._hub, self._url, self._params)
        self.more = bool(following) and following != self._url
        self._url, self._params = following, ()
        if not isinstance(answer, list):
            raise NetworkError("The hub's answer is no list of models.", "Try again later.")
        return [one for one in answer if isinstance(one, dict) and isinstance(one.get("id"), str)]


def model_entry(hub: Hub, repo: str) -> dict[str, Any]:
    """Return what the hub says about one model, as it writes it.

    Raises:
        NetworkError: No connection, or trouble at the hub.
        RepositoryNotFoundError: No such repository, or it is private.
    """
    answer, _ = _get(hub, f"{hub.endpoint}/api/models/{quote(repo)}", (), repo)
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
        raise NetworkError("The hub's answer is no model.", "Try again later.")
    return answer


def _get(
    hub: Hub, url: str, params: tuple[tuple[str, str], ...], repo: str = ""
) -> tuple[Any, str]:
    """Return the answer and the address of the next page, or nothing."""
    import huggingface_hub

    headers = {"user-agent": "glasshouse"}
    # A mirror may name the public hub as the next page's place: no token goes there.
    if hub.token and origin(url) == origin(hub.endpoint):
        headers["authorization"] = f"Bearer {hub.token}"
    with translated(repo):
        response = huggingface_hub.get_session().get(
            url, params=params or None, headers=headers, timeout=_TIMEOUT_S
        )
        huggingface_hub.hf_raise_for_status(response)
        return response.json(), response.links.get("next", {}).get("url", "")
