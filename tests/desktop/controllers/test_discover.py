"""What can be found: the real catalogue, and a real client on a hub of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop.controllers.discover import DiscoverController
from desktop.discover_values import CardView, Filters, FoundPage
from desktop.values import Computer, InstalledModel, Models
from inference.library.machine import Gpu, Machine
from inference.types import ModelInfo
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

MACHINE = Machine(16_000_000_000, 32_000_000_000, (), 40e9)
QWEN = {"gguf": {"total": 4_022_468_096, "architecture": "qwen3", "context_length": 40_960}}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with LocalHub() as local:
        yield local


@pytest.fixture
def endpoint() -> list[str]:
    return ["http://127.0.0.1:9"]


@pytest.fixture
def discover(qtbot: QtBot, endpoint: list[str]) -> Iterator[DiscoverController]:
    controller = DiscoverController(lambda: endpoint[0])
    controller.set_computer(Computer(MACHINE))
    with qtbot.waitSignal(controller.judged_again, timeout=20_000):
        controller.begin()
    yield controller
    controller.shutdown()


def names(controller: DiscoverController) -> list[str]:
    return [model.name for model in controller.curated()]


def search(qtbot: QtBot, controller: DiscoverController, **filters: Any) -> None:
    controller.set_filters(Filters(**filters))
    controller.search_hub()
    qtbot.waitUntil(lambda: controller.hub_state().status != "asking", timeout=20_000)


def open_page(qtbot: QtBot, controller: DiscoverController, key: str) -> FoundPage:
    controller.open(key)
    qtbot.waitUntil(lambda: settled(controller) is not None, timeout=20_000)
    page = settled(controller)
    assert page is not None
    return page


def settled(controller: DiscoverController) -> FoundPage | None:
    page = controller.pages.page()
    return page if page is not None and not page.busy else None


def test_the_catalogue_is_there_and_nothing_is_asked(
    discover: DiscoverController, hub: LocalHub, endpoint: list[str]
) -> None:
    endpoint[0] = hub.endpoint
    assert len(discover.curated()) > 30
    first = discover.curated()[0]
    fit = discover.fit(first)
    assert fit is not None
    assert fit.verdict == "processor"
    discover.set_filters(Filters(text="qwen3-4b"))
    assert set(names(discover)) == {"Qwen3 4B", "Qwen3 4B 2507"}
    discover.open("catalog:qwen3-4b")
    assert hub.requests == []
    assert discover.hub_state().status == "idle"


def test_filters_of_the_catalogue(discover: DiscoverController) -> None:
    discover.set_filters(Filters(kinds=("base",), licenses=("mit",)))
    assert set(names(discover)) == {"GPT-2 124M", "GPT-2 Medium 355M"}
    discover.set_filters(Filters(form="safetensors"))
    assert "TinyLlama 1.1B" in names(discover)
    assert "Qwen3 8B" not in names(discover)
    discover.set_filters(Filters(sort="name"))
    assert names(discover) == sorted(names(discover), key=str.casefold)
    discover.set_filters(Filters(fits=True))
    before = len(discover.curated())
    discover.set_computer(Computer(replace_free(1_000_000_000)))
    assert 0 < len(discover.curated()) < before


def replace_free(free_bytes: int) -> Machine:
    return Machine(free_bytes, 32_000_000_000, (), 40e9)


def test_a_pair_is_one_page_with_two_kinds(discover: DiscoverController) -> None:
    discover.open("catalog:qwen3-4b")
    page = discover.pages.page()
    assert page is not None
    assert (page.kinds, page.kind) == (("instruct", "base"), "instruct")
    assert [one.label for one in page.versions] == ["Q4_K_M", "Q8_0"]
    chosen = page.version(page.recommended)
    assert chosen is not None
    assert (chosen.label, chosen.origin, chosen.quality) == ("Q4_K_M", "catalogue", "Good")
    assert page.partner[chosen.id].kind == "base"
    discover.pages.set_kind("base")
    page = discover.pages.page()
    assert page is not None
    assert [(one.engine, one.label) for one in page.versions] == [
        ("gguf", "Q4_K_M"), ("native", "BF16"),
    ]  # fmt: skip


def test_a_longer_context_takes_more_memory(discover: DiscoverController) -> None:
    discover.open("catalog:qwen3-4b")
    before = discover.pages.page()
    discover.pages.set_context(16_384)
    after = discover.pages.page()
    assert before is not None
    assert after is not None
    assert (before.n_ctx, after.n_ctx) == (4_096, 16_384)
    first, second = (page.versions[0].fit.memory for page in (before, after))
    assert first is not None
    assert second is not None
    assert second.kv_cache_bytes == 4 * first.kv_cache_bytes


def test_a_gpu_decides_what_fits(discover: DiscoverController) -> None:
    gpu = Gpu("CUDA: Big", 8_000_000_000, 8_000_000_000)
    discover.set_computer(Computer(replace_gpu(gpu)))
    discover.open("catalog:qwen3-4b")
    page = discover.pages.page()
    assert page is not None
    assert page.versions[0].fit.verdict == "gpu"


def test_versions_wait_for_this_computer_until_it_was_looked_at(qtbot: QtBot) -> None:
    controller = DiscoverController(lambda: "http://127.0.0.1:9")
    try:
        with qtbot.waitSignal(controller.judged_again, timeout=20_000):
            controller.begin()
        controller.open("catalog:qwen3-4b")
        before = controller.pages.page()
        controller.set_computer(Computer(MACHINE))
        after = controller.pages.page()
    finally:
        controller.shutdown()
    assert before is not None
    assert after is not None
    assert {version.fit.verdict for version in before.versions} == {"waiting"}
    assert {version.fit.words for version in before.versions} == {"Looking at this computer …"}
    assert not {version.fit.verdict for version in after.versions} & {"waiting", "unknown"}


def replace_gpu(gpu: Gpu) -> Machine:
    return Machine(16_000_000_000, 32_000_000_000, (gpu,), 40e9)


def test_a_small_move_of_free_memory_judges_nothing_again(
    discover: DiscoverController, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(discover.judged_again):
        discover.set_computer(Computer(replace_free(MACHINE.free_bytes + 1_000_000)))


def test_a_gated_version_names_a_neighbour(discover: DiscoverController) -> None:
    discover.open("catalog:llama-3.2-1b")
    page = discover.pages.page()
    assert page is not None
    gated = [one for one in page.versions if one.gated]
    assert gated
    assert gated[0].neighbour == (
        "catalog:llama-3.2-1b", "bartowski-llama-3.2-1b-instruct-q4_k_m",
    )  # fmt: skip
    assert not next(one for one in page.versions if one.recommended).gated
    assert page.repo not in {one.repo for one in gated}


def test_what_is_installed_is_marked(discover: DiscoverController, qtbot: QtBot) -> None:
    path = "/m/Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf"
    info = ModelInfo("mine", "Mine", path, "gguf")
    with qtbot.waitSignal(discover.judged_again):
        discover.set_models(Models((InstalledModel(info),)))
    row = next(model for model in discover.curated() if model.key == "catalog:qwen3-4b")
    assert discover.installed(row)
    discover.open("catalog:qwen3-4b")
    page = discover.pages.page()
    assert page is not None
    assert [one.installed_id for one in page.versions] == ["mine", ""]


def test_a_version_that_two_people_offer_is_one_row_the_installed_one_first(
    discover: DiscoverController, qtbot: QtBot
) -> None:
    discover.open("catalog:qwen3-0.6b")
    page = discover.pages.page()
    assert page is not None
    assert [one.label for one in page.versions].count("Q8_0") == 1
    first = page.versions[0].repo
    other = {"Qwen/Qwen3-0.6B-GGUF", "unsloth/Qwen3-0.6B-GGUF"} - {first}
    path = f"/m/{other.pop()}/Qwen3-0.6B-Q8_0.gguf"
    with qtbot.waitSignal(discover.judged_again):
        discover.set_models(Models((InstalledModel(ModelInfo("mine", "Mine", path, "gguf")),)))
    page = discover.pages.page()
    assert page is not None
    rows = [one for one in page.versions if one.label == "Q8_0"]
    assert [one.installed_id for one in rows] == ["mine"]
    assert rows[0].repo != first


def test_the_hub_is_searched_page_by_page(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str]
) -> None:
    endpoint[0] = hub.endpoint
    for number in range(70):
        hub.add(f"org/Model-{number:02d}-GGUF", {"m.gguf": b"GGUF%d" % number}, extra=QWEN)
    search(qtbot, discover, text="model")
    assert len(discover.hub_rows()) == 30
    assert discover.hub_state().status == "more"
    for expected in (60, 70):
        discover.more()
        qtbot.waitUntil(lambda: discover.hub_state().status != "asking", timeout=20_000)
        assert len(discover.hub_rows()) == expected
    assert discover.hub_state().status == "end"
    assert len({row.key for row in discover.hub_rows()}) == 70


def test_filters_act_on_what_the_hub_gave_without_asking_it_again(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str]
) -> None:
    endpoint[0] = hub.endpoint
    hub.add("a/Small-Instruct-GGUF", {"m.gguf": b"GGUF1"},
            extra={"gguf": {"total": 1_000_000_000, "architecture": "llama"}})  # fmt: skip
    hub.add("b/Huge-Base-GGUF", {"m.gguf": b"GGUF2"}, license="mit", gated="auto",
            extra={"gguf": {"total": 400_000_000_000, "architecture": "llama"}})  # fmt: skip
    search(qtbot, discover)
    asked = len(hub.requests)

    def left(**filters: Any) -> list[str]:
        discover.set_filters(Filters(**filters))
        return [row.name for row in discover.hub_rows()]

    both = {"Small-Instruct-GGUF", "Huge-Base-GGUF"}
    assert set(left()) == both
    assert left(kinds=("base",)) == ["Huge-Base-GGUF"]
    assert left(fits=True) == ["Small-Instruct-GGUF"]
    assert left(licenses=("mit",)) == ["Huge-Base-GGUF"]
    assert left(without_sign_in=True) == ["Small-Instruct-GGUF"]
    assert left(form="safetensors") == []
    assert left(text="small") == ["Small-Instruct-GGUF"]
    assert discover.hub_state().found == 2
    assert len(hub.requests) == asked


def test_no_network_is_a_sentence_and_the_catalogue_stays(
    discover: DiscoverController, qtbot: QtBot
) -> None:
    search(qtbot, discover, text="qwen3")
    state = discover.hub_state()
    assert state.status == "failed"
    assert state.problem is not None
    assert state.problem.title == "The hub cannot be reached."
    assert "Check the network" in state.problem.hint
    assert len(discover.curated()) > 3


def test_after_trouble_the_same_page_is_asked_for_again(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str]
) -> None:
    search(qtbot, discover, text="model")
    hub.add("org/Model-GGUF", {"m.gguf": b"GGUF"}, extra=QWEN)
    endpoint[0] = hub.endpoint
    discover.more()
    qtbot.waitUntil(lambda: discover.hub_state().status == "end", timeout=20_000)
    assert [row.name for row in discover.hub_rows()] == ["Model-GGUF"]


def test_a_repository_is_opened_with_every_quantisation(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str], tmp_path: Path
) -> None:
    endpoint[0] = hub.endpoint
    content = tiny_gguf(tmp_path / "m.gguf", architecture="qwen3").read_bytes()
    files: dict[str, bytes | Path] = {
        f"m-{quant}.gguf": content for quant in ("Q2_K", "Q4_K_M", "Q8_0")
    }
    files |= {f"big-F16-0000{n}-of-00003.gguf": content for n in (1, 2, 3)}
    hub.add("org/Model-GGUF", files, extra=QWEN)
    search(qtbot, discover, text="org/Model-GGUF")
    page = open_page(qtbot, discover, "hub:org/Model-GGUF")
    assert sorted((one.label, one.parts) for one in page.versions) == [
        ("F16", 3), ("Q2_K", 1), ("Q4_K_M", 1), ("Q8_0", 1),
    ]  # fmt: skip
    assert page.recommended == "Q4_K_M"
    assert page.can_read_header
    chosen = page.version("Q4_K_M")
    assert chosen is not None
    assert (chosen.origin, chosen.fit.rough) == ("size", True)
    assert chosen.revision == hub.repos["org/Model-GGUF"].head
    sent = hub.bytes_sent
    discover.pages.read_header("Q4_K_M")
    qtbot.waitUntil(lambda: not shown(discover).can_read_header, timeout=20_000)
    exact = shown(discover).version("Q4_K_M")
    assert exact is not None
    assert (exact.origin, exact.fit.rough) == ("header", False)
    assert shown(discover).facts.n_layers == 2
    assert 0 < hub.bytes_sent - sent <= 70_000


def shown(controller: DiscoverController) -> FoundPage:
    page = controller.pages.page()
    assert page is not None
    return page


def test_a_repository_with_nothing_runnable_says_why(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str]
) -> None:
    endpoint[0] = hub.endpoint
    hub.add("org/Pickle", {"pytorch_model.bin": b"x", "config.json": b"{}"}, tags=("pytorch",))
    search(qtbot, discover, text="org/Pickle")
    (row,) = discover.hub_rows()
    assert "pickle" in row.problem
    discover.open(row.key)
    assert "pickle" in shown(discover).reason
    assert not shown(discover).versions


def test_a_repository_that_cannot_be_read_can_be_tried_again(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str]
) -> None:
    endpoint[0] = hub.endpoint
    hub.add("org/Model-GGUF", {"m-Q8_0.gguf": b"GGUF"}, extra=QWEN)
    search(qtbot, discover, text="org/Model-GGUF")
    endpoint[0] = "http://127.0.0.1:9"
    page = open_page(qtbot, discover, "hub:org/Model-GGUF")
    assert page.problem is not None
    assert page.problem.title == "The hub cannot be reached."
    endpoint[0] = hub.endpoint
    discover.pages.try_again()
    qtbot.waitUntil(lambda: bool(shown(discover).versions), timeout=20_000)
    assert shown(discover).problem is None


def test_the_header_of_an_entry_of_unknown_shape_makes_its_sum_exact(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str], tmp_path: Path
) -> None:
    endpoint[0] = hub.endpoint
    discover.open("catalog:granite-4.0-micro")
    before = shown(discover).versions[0]
    assert before.origin == "size"
    content = tiny_gguf(tmp_path / "m.gguf", architecture="qwen3").read_bytes()
    name = before.wanted if before.wanted.endswith(".gguf") else f"m-{before.wanted}.gguf"
    repo = hub.add(before.repo, {name: content}, extra=QWEN)
    if before.revision:
        repo.commits[before.revision] = repo.commits.pop(repo.head)
    discover.pages.read_header(before.id)
    qtbot.waitUntil(lambda: shown(discover).versions[0].origin == "header", timeout=20_000)
    after = shown(discover).versions[0]
    assert after.size_bytes == len(content)
    assert not after.fit.rough


def test_a_file_that_the_hub_has_no_more_is_a_sentence(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str]
) -> None:
    endpoint[0] = hub.endpoint
    discover.open("catalog:granite-4.0-micro")
    before = shown(discover).versions[0]
    repo = hub.add(before.repo, {"other-IQ1_S.gguf": b"GGUF"})
    if before.revision:
        repo.commits[before.revision] = repo.commits.pop(repo.head)
    discover.pages.read_header(before.id)
    qtbot.waitUntil(lambda: shown(discover).problem is not None, timeout=20_000)
    problem = shown(discover).problem
    assert problem is not None
    assert problem.title == f"{before.repo} has no {before.label} any more."


def test_a_card_is_fetched_when_it_is_asked_for(
    discover: DiscoverController, qtbot: QtBot, hub: LocalHub, endpoint: list[str]
) -> None:
    endpoint[0] = hub.endpoint
    text = (
        b"---\nlicense: mit\n---\n# Hello\n![x](https://pictures.example/x.png)\n<script>1</script>"
    )
    hub.add("org/Model-GGUF", {"m-Q8_0.gguf": b"GGUF", "README.md": text}, extra=QWEN)
    search(qtbot, discover, text="org/Model-GGUF")
    open_page(qtbot, discover, "hub:org/Model-GGUF")
    assert not hub.asked("README")
    cards: list[CardView] = []
    discover.pages.card_changed.connect(cards.append)
    discover.pages.read_card()
    qtbot.waitUntil(lambda: len(cards) == 2, timeout=20_000)
    assert cards[0] == CardView("org/Model-GGUF", busy=True)
    assert cards[1].markdown.startswith("# Hello")
    assert "script" not in cards[1].markdown
    assert cards[1].images == 1
    assert cards[1].page == f"{hub.endpoint}/org/Model-GGUF"
    endpoint[0] = "http://127.0.0.1:9"
    discover.pages.read_card()
    qtbot.waitUntil(lambda: len(cards) == 4, timeout=20_000)
    assert cards[3].problem is not None


def test_what_is_asked_is_not_told_after_the_end(
    discover: DiscoverController, qtbot: QtBot
) -> None:
    discover.search_hub()
    discover.shutdown()
    with qtbot.assertNotEmitted(discover.rows_changed, wait=200):
        pass
