"""Options of how an answer is decoded, and which of them go together."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from inference.cli.console import clean
from inference.cli.options import LATER, clean_path, number, whole
from inference.errors import UnsupportedRequestError
from inference.sampling_rules import MOST_DRAFTED, MOST_SAMPLES
from inference.types import SamplingParams

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_DEFAULT: Final = SamplingParams()
_EARLY: Final = {"on": True, "off": False, "never": "never"}
_CANDIDATES: Final = 4  # of contrastive search; Su et al. 2022 take 3 to 10
_OF_STRATEGY: Final = {
    "beams": "beam",
    "length_penalty": "beam",
    "early_stop": "beam",
    "penalty_alpha": "contrastive",
}
_NEEDS: Final = {
    "dry_base": "dry_multiplier",
    "dry_allowed_length": "dry_multiplier",
    "dry_window": "dry_multiplier",
    "dry_breaker": "dry_multiplier",
    "xtc_threshold": "xtc_probability",
    "mirostat_tau": "mirostat",
    "mirostat_eta": "mirostat",
}
_OWN: Final = (
    *("beams", "length_penalty", "penalty_alpha", "no_repeat_ngram", "dry_multiplier", "dry_base"),
    *("dry_allowed_length", "dry_window", "xtc_probability", "xtc_threshold", "mirostat"),
    *("mirostat_tau", "mirostat_eta", "samples", "draft_tokens"),
)
_DRAWING: Final = ("temperature", "top_k", "top_p", "min_p", "typical_p")


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """Add how the answer is drawn."""
    group = parser.add_argument_group("how the answer is drawn")
    group.add_argument("--max-tokens", type=whole(1), metavar="N", help="length limit")
    group.add_argument("--temperature", type=number(0), metavar="F", help="0 takes the likeliest")
    _add(group, "top_k", whole(0), "N", "only the N likeliest tokens stay")
    _add(group, "top_p", number(0, 1), "F", "the smallest set that reaches F stays")
    _add(group, "min_p", number(0, 1), "F", "less than F times the likeliest goes")
    _add(group, "typical_p", number(0, 1), "F", "what is about as surprising as expected stays")
    group.add_argument(
        "--repeat-penalty", type=number(0.01), metavar="F", default=_DEFAULT.repeat_penalty
    )
    group.add_argument(
        "--frequency-penalty", type=number(), metavar="F", default=_DEFAULT.frequency_penalty
    )
    group.add_argument(
        "--presence-penalty", type=number(), metavar="F", default=_DEFAULT.presence_penalty
    )
    group.add_argument("--seed", type=whole(0, 2**32 - 1), metavar="N", help="repeatable draws")
    group.add_argument(
        "--stop", action="append", default=[], metavar="TEXT", help="ends the answer; repeatable"
    )
    group.add_argument("--think", choices=("auto", "on", "off"), default="auto")
    group.add_argument(
        "--top", type=whole(0, 20), default=0, metavar="N", help="alternatives shown per token"
    )
    _add_strategies(parser)


def sampling_params(arguments: argparse.Namespace) -> SamplingParams:
    """Return how tokens are drawn.

    Raises:
        UnsupportedRequestError: An option that cannot act, or that no engine here fulfils
            yet; it is named.
    """
    if arguments.think != "auto":
        raise UnsupportedRequestError(f"`--think {arguments.think}` is not available.", LATER)
    temperature = arguments.temperature
    greedy = arguments.strategy == "greedy"
    if greedy and temperature:
        raise UnsupportedRequestError(
            "`--strategy greedy` always takes the likeliest token, so `--temperature` cannot act.",
            "Use one of the two.",
        )
    settings = {
        name: getattr(arguments, name)
        for name in ("temperature", "top_k", "top_p", "min_p", "typical_p")
        if getattr(arguments, name) is not None
    }
    if greedy:
        settings["temperature"] = 0.0
    return SamplingParams(
        **(settings | _settings(arguments)),
        repeat_penalty=arguments.repeat_penalty,
        frequency_penalty=arguments.frequency_penalty,
        presence_penalty=arguments.presence_penalty,
        seed=arguments.seed,
        max_tokens=arguments.max_tokens,
        stop=tuple(clean(text) for text in arguments.stop),
    )


def draft_model(arguments: argparse.Namespace) -> str:
    """Return the model that shall guess tokens, empty for none."""
    speculate: str = getattr(arguments, "speculate", "off")
    return "" if speculate in {"off", "prompt"} else speculate


def _add_strategies(parser: argparse.ArgumentParser) -> None:
    """Add the strategy, and what keeps an answer from repeating itself or from being dull."""
    group = parser.add_argument_group("how tokens are chosen")
    group.add_argument(
        "--strategy", choices=("sample", "greedy", "beam", "contrastive"), default="sample"
    )
    _add(group, "beams", whole(1, 64), "N", "answers followed at once")
    _add(group, "length_penalty", number(-100, 100), "F", "above 0 favours long answers")
    group.add_argument(
        "--early-stop",
        choices=tuple(_EARLY),
        help="end as soon as N beams are complete (on), when a better one is unlikely (off), or "
        "when none can come (never)",
    )
    _add(group, "penalty_alpha", number(0, 1), "F", "weight of likeness, contrastive search")
    _add(group, "no_repeat_ngram", whole(0), "N", "no run of N tokens comes twice; 0 is off")
    group.add_argument(
        "--logit-bias",
        type=_bias,
        action="append",
        default=[],
        metavar="ID=F",
        help="added to a token's logit, -100 to 100; repeatable",
    )
    _add(group, "dry_multiplier", number(0, 100), "F", "strength of DRY; 0 is off")
    _add(group, "dry_base", number(1, 100), "F", "growth with the length of the run")
    _add(group, "dry_allowed_length", whole(1), "N", "runs of that length are free")
    _add(group, "dry_window", whole(0, 1 << 20), "N", "recent tokens looked at")
    group.add_argument(
        "--dry-breaker", action="append", metavar="TEXT", help="runs end there; repeatable"
    )
    _add(group, "xtc_probability", number(0, 1), "F", "how often XTC acts; 0 is off")
    _add(group, "xtc_threshold", number(0, 1), "F", "chance from which tokens are excluded")
    group.add_argument(
        "--mirostat", type=int, choices=(0, 2), help="2 holds the surprise; 0 is off"
    )
    _add(group, "mirostat_tau", number(0, 100), "F", "surprise aimed at, in bits")
    _add(group, "mirostat_eta", number(0, 100), "F", "how fast it is corrected")
    _add(group, "samples", whole(1, MOST_SAMPLES), "N", "answers drawn side by side")
    group.add_argument(
        "--speculate",
        type=clean_path,
        metavar="off|prompt|MODEL",
        default="off",
        help="guess tokens ahead: look them up in the text (prompt), or let a smaller model with "
        "the same tokens write them; the answer stays the same",
    )
    _add(group, "draft_tokens", whole(1, MOST_DRAFTED), "N", "tokens guessed at once, at most")


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of ``SamplingParams`` that were asked for here.

    Raises:
        UnsupportedRequestError: An option that cannot act beside the others; it is named.
    """
    strategy = arguments.strategy
    given = vars(arguments)
    for name, needed in _OF_STRATEGY.items():
        if given[name] is not None and strategy != needed:
            raise _idle(name, f"--strategy {needed}")
    for name, needed in _NEEDS.items():
        if given[name] is not None and not given[needed]:
            raise _idle(name, _option(needed))
    if arguments.draft_tokens is not None and arguments.speculate == "off":
        raise _idle("draft_tokens", "--speculate")
    _check_draw(strategy, given, _DRAWING)
    settings: dict[str, Any] = {name: given[name] for name in _OWN if given[name] is not None}
    settings |= {"strategy": strategy, "logit_bias": tuple(arguments.logit_bias)}
    settings["speculate"] = "draft" if draft_model(arguments) else arguments.speculate
    if arguments.early_stop is not None:
        settings["early_stop"] = _EARLY[arguments.early_stop]
    if arguments.dry_breaker is not None:
        settings["dry_breakers"] = tuple(arguments.dry_breaker)
    if strategy == "contrastive" and arguments.top_k is None:
        settings["top_k"] = _CANDIDATES
    return settings


def _check_draw(strategy: str, given: dict[str, Any], names: Collection[str]) -> None:
    if strategy in {"sample", "greedy"}:
        return
    for name in names:
        # Contrastive search takes its candidates from the top k.
        if given[name] and not (strategy == "contrastive" and name == "top_k"):
            raise UnsupportedRequestError(
                f"`--strategy {strategy}` does not draw, so `{_option(name)}` cannot act.",
                "Use one of the two.",
            )


def _add(
    group: argparse._ArgumentGroup, name: str, kind: Callable[[str], Any], metavar: str, words: str
) -> None:
    # No default, so that what was given can be told from what was not.
    default = getattr(_DEFAULT, name)
    shown = words if "0 is off" in words else f"{words} (default {default:g})"
    group.add_argument(_option(name), type=kind, metavar=metavar, help=shown)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _idle(name: str, needed: str) -> UnsupportedRequestError:
    return UnsupportedRequestError(
        f"`{_option(name)}` acts only with `{needed}`.", f"Add `{needed}`, or leave it out."
    )


def _bias(text: str) -> tuple[int, float]:
    token, equals, amount = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form ID=F, like 42=-5")
    return whole(0)(token), number(-100, 100)(amount)
