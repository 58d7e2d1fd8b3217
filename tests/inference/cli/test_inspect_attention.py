"""``glasshouse inspect`` shows attention in ways that agree with each other, on both engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from inference.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "The sky is blue, and the"
ENGINES = pytest.mark.parametrize("engine", ["gguf", "native"])


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def inspect(what: str, *words: str) -> dict[str, Any]:
        assert main(["inspect", "starter-instruct", TEXT, "--json", "--what", what, *words]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return inspect


@ENGINES
def test_rollout_multiplies_the_mean_attention_of_each_layer_with_half_the_stream(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    found = figure("rollout", "--engine", engine)
    flow = np.eye(len(found["tokens"]))
    for layer in range(4):
        words = ("--engine", engine, "--layer", str(layer))
        flow = (np.array(figure("attention", *words)["weights"]) / 2 + np.eye(len(flow)) / 2) @ flow
    assert found["origin"] == "derived"
    np.testing.assert_allclose(found["weights"], flow, atol=2e-3)


@ENGINES
def test_each_head_is_told_by_the_means_of_its_rows(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    rows = figure("heads", "--engine", engine)["heads"]
    assert [(row["layer"], row["head"]) for row in rows] == [
        (layer, head) for layer in range(4) for head in range(4)
    ]
    words = ("--engine", engine, "--layer", "1", "--head", "2")
    weights = np.array(figure("attention", *words)["weights"])
    told, at = rows[1 * 4 + 2], np.arange(2, len(weights))
    assert told["itself"] == pytest.approx(weights[at, at].mean(), abs=2e-3)
    assert told["previous"] == pytest.approx(weights[at, at - 1].mean(), abs=2e-3)
    assert told["first"] == pytest.approx(weights[at, 0].mean(), abs=2e-3)
    logs = np.log2(np.where(weights > 0, weights, 1))
    entropy = -(weights * logs)[2:].sum(axis=1).mean()
    assert told["entropy_bits"] == pytest.approx(entropy, abs=1e-2)


@ENGINES
def test_the_softmax_of_the_scores_is_the_row_of_the_attention(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    where = ("--engine", engine, "--layer", "1", "--head", "2")
    found = figure("scores", *where, "--place", "4")
    powers = np.exp(found["scores"])
    row = np.array(figure("attention", *where)["weights"])[4, :5]
    np.testing.assert_allclose(powers / powers.sum(), row, atol=5e-3)
    products = np.array(found["keys"]) @ np.array(found["query"]) * found["scale"]
    np.testing.assert_allclose(products, found["scores"], atol=1e-3)


@ENGINES
@pytest.mark.parametrize("what", ["rollout", "heads", "scores"])
def test_a_person_gets_lines_to_read(
    engine: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "starter-instruct", TEXT, "--engine", engine, "--what", what]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--what", "scores", "--head", "mean"), "one head"),
        (("--what", "next", "--place", "1"), "--place goes with --what scores"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    words: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["inspect", "starter-instruct", TEXT, *words])
    assert stopped.value.code == 2
    assert reason in capsys.readouterr().err


def test_a_place_after_the_text_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--what", "scores", "--place", "99")
    assert main(["inspect", "starter-instruct", TEXT, *words]) == 1
    assert "has no token 99" in capsys.readouterr().err
