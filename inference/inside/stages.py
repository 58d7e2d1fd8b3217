"""From a model's scores to the chances a token is drawn with, stage by stage, without a new pass.

The order is that of both engines (``SamplingParams``): the cuts see the model's own chances, the
temperature comes last. Derived from measured scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from inference.inside.questions import NextTokens
    from inference.types import SamplingParams

Cut = Literal["top_k", "typical_p", "top_p", "min_p"]
CUTS: Final[tuple[Cut, ...]] = ("top_k", "typical_p", "top_p", "min_p")


@dataclass(frozen=True, slots=True)
class Stages:
    """What each stage leaves.

    Attributes:
        order: Token ids, likeliest first, (V,); equal ones by id.
        own: The model's own chances in that order, (V,).
        drawn: Chances after all stages in that order, (V,); 0 for what was cut.
        left: Tokens still in play after each cut, by its name, in order.
        decisive: The cut that takes the likeliest of all tokens taken; ``None`` if none cuts.
        limit: The chance of the likeliest token that was cut; 0 if none was.
    """

    order: npt.NDArray[np.integer]
    own: npt.NDArray[np.float64]
    drawn: npt.NDArray[np.float64]
    left: dict[Cut, int]
    decisive: Cut | None
    limit: float


@dataclass(frozen=True, slots=True)
class Sorted:
    """The scores of one position, sorted once; sliders then cost little."""

    order: npt.NDArray[np.integer]
    scores: npt.NDArray[np.float64]
    own: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls, logits: npt.NDArray[np.float32], order: npt.NDArray[np.integer] | None = None
    ) -> Sorted:
        """Sort scores, (V,), unless their order is known."""
        if order is None:
            order = likeliest_first(logits)
        scores = logits[order].astype(np.float64)
        return cls(order, scores, _softmax(scores))

    @classmethod
    def found_in(cls, finding: NextTokens) -> Sorted:
        """Take scores of the whole vocabulary in the order that came with them."""
        scores, order = finding.logits, finding.order
        return cls.of(np.frombuffer(scores, np.float32), np.frombuffer(order, np.uint32))

    def stages(self, sampling: SamplingParams) -> Stages:
        """Apply the settings."""
        size = len(self.order)
        kept = np.arange(size)  # places in ``order``, in order
        left: dict[Cut, int] = {}
        decisive: Cut | None = None
        first_cut = size
        for cut in CUTS:
            kept = _cut(cut, self.own, kept, sampling)
            left[cut] = len(kept)
            gone = _first_gone(kept)
            if gone < first_cut:
                first_cut, decisive = gone, cut
        limit = float(self.own[first_cut]) if first_cut < size else 0.0
        drawn = self._drawn(kept, sampling)
        return Stages(self.order, self.own, drawn, left, decisive, limit)

    def _drawn(
        self, kept: npt.NDArray[np.intp], sampling: SamplingParams
    ) -> npt.NDArray[np.float64]:
        drawn = np.zeros(len(self.order))
        if sampling.temperature <= 0 or sampling.strategy == "greedy":
            drawn[0] = 1.0
        else:
            drawn[kept] = _softmax(self.scores[kept] / sampling.temperature)
        return drawn


def draw(stages: Stages, chance: float) -> int:
    """Return the token id that a random number from 0 to 1 stands for."""
    sums = np.cumsum(stages.drawn)
    place = int(np.searchsorted(sums, chance * sums[-1], side="right"))
    return int(stages.order[min(place, int(np.flatnonzero(stages.drawn)[-1]))])


def likeliest_first(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.uint32]:
    """Return the places of scores, (V,), largest first, equal ones by place.

    It takes some 10 ms for 128,000 scores: too long for a window.
    """
    return np.argsort(-logits, kind="stable").astype(np.uint32)


def _first_gone(kept: npt.NDArray[np.intp]) -> int:
    """Return the first place that is missing in places that rise from 0."""
    missing = np.flatnonzero(kept != np.arange(len(kept)))
    return int(missing[0]) if len(missing) else len(kept)


def _cut(
    cut: Cut,
    own: npt.NDArray[np.float64],
    kept: npt.NDArray[np.intp],
    sampling: SamplingParams,
) -> npt.NDArray[np.intp]:
    """Return what is left of the places ``kept`` after one cut; likeliest first."""
    if not _is_on(cut, sampling):
        return kept
    if cut == "top_k":
        return kept[: sampling.top_k]
    chances: npt.NDArray[np.float64] = own[kept] / own[kept].sum()
    enough: npt.NDArray[np.bool_]
    if cut == "typical_p":
        enough = _typical(chances, sampling.typical_p)
    elif cut == "top_p":
        enough = np.cumsum(chances) - chances < sampling.top_p
    else:
        enough = chances >= sampling.min_p * chances[0]
    return kept[enough]


def _is_on(cut: Cut, sampling: SamplingParams) -> bool:
    return {
        "top_k": sampling.top_k > 0,
        "typical_p": sampling.typical_p < 1,
        "top_p": sampling.top_p < 1,
        "min_p": sampling.min_p > 0,
    }[cut]


def _typical(chances: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.bool_]:
    """Keep tokens whose surprise is nearest to the average one (Meister et al. 2022, eq. 8)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = np.where(chances > 0, -np.log(chances), np.inf)
        entropy = float(np.where(chances > 0, chances * surprise, 0).sum())
        distance = np.abs(surprise - entropy)
    order = np.argsort(distance, kind="stable")
    before = np.cumsum(chances[order]) - chances[order]
    chosen = np.zeros(len(chances), bool)
    chosen[order[before < share]] = True
    return chosen


def _softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    spread = np.exp(scores - scores.max())
    chances: npt.NDArray[np.float64] = spread / spread.sum()
    return chances
