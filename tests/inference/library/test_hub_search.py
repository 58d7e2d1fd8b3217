from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from inference.cancel import CancelToken
from inference.errors import GatedModelError, NetworkError, RepositoryNotFoundError
from inference.library.hub import Hub
from inference.library.hub_pages import HubPages
from inference.library.hub_search import (
    HubModel,
    HubQuery,
    Search,
    kind_of,
    look_up,
    model_fit,
    open_repository,
    parse_reference,
)
from inference.library.machine import Machine
from inference.library.remote_header import RemoteFiles
from tests.helpers.assets import asset
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator

GGUF = {"gguf": {"total": 4_022_468_096, "architecture": "qwen3", "context_length": 40_960}}


@pytest.fixture
def local() -> Iterator[LocalHub]:
    with LocalHub() as hub:
        yield hub


def client(local: LocalHub, token: str = "") -> Hub:
    return Hub(local.endpoint, token)


def add_gguf(local: LocalHub, repo: str, **facts: Any) -> None:
    local.add(repo, {"m-Q4_K_M.gguf": b"GGUF" + repo.encode()}, extra=GGUF, **facts)


def search(local: LocalHub, **query: Any) -> list[str]:
    page = Search(client(local), HubQuery(**query)).next_page()
    assert not page.more
    return [model.repo for model in page.models]


def files_of(listing: Any) -> RemoteFiles:
    return RemoteFiles(listing, "", CancelToken())


def test_text_and_author_narrow_a_search(local: LocalHub) -> None:
    add_gguf(local, "Qwen/Qwen3-4B-GGUF")
    add_gguf(local, "unsloth/Qwen3-4B-GGUF")
    add_gguf(local, "unsloth/Llama-3.2-1B-GGUF")
    assert set(search(local, text="qwen3")) == {"Qwen/Qwen3-4B-GGUF", "unsloth/Qwen3-4B-GGUF"}
    assert search(local, text="qwen3", author="unsloth") == ["unsloth/Qwen3-4B-GGUF"]
    assert search(local, text="nothing like it") == []


def test_a_result_carries_what_a_row_shows(local: LocalHub) -> None:
    add_gguf(local, "Qwen/Qwen3-4B-Instruct-GGUF", downloads=7, likes=3, gated="auto")
    (model,) = Search(client(local), HubQuery("qwen3")).next_page().models
    assert model.author == "Qwen"
    assert model.kind == "instruct"
    assert model.forms == ("gguf",)
    assert (model.architecture, model.parameters) == ("qwen3", 4_022_468_096)
    assert (model.downloads, model.likes, model.gated) == (7, 3, "auto")
    assert model.license == "apache-2.0"
    assert model.about_bytes == pytest.approx(2.5e9, rel=0.05)
    assert model.updated.startswith("2025-")
    assert model.problem == ""


@pytest.mark.parametrize(
    ("sort", "first"), [("downloads", "a/many"), ("likes", "a/liked"), ("trending", "a/rising")]
)
def test_sorting_is_the_hubs(local: LocalHub, sort: str, first: str) -> None:
    add_gguf(local, "a/many", downloads=1_000)
    add_gguf(local, "a/liked", likes=1_000)
    add_gguf(local, "a/rising", trending=1_000)
    assert search(local, form="gguf", sort=sort)[0] == first


def test_the_newest_come_first_when_asked(local: LocalHub) -> None:
    add_gguf(local, "a/old", age_days=50)
    add_gguf(local, "a/new", age_days=1)
    assert search(local, form="gguf", sort="new") == ["a/new", "a/old"]


def test_pages_follow_one_another_without_repeating(local: LocalHub) -> None:
    local.page_size = 10
    for number in range(35):
        add_gguf(local, f"a/model-{number:02}", downloads=number)
    running = Search(client(local), HubQuery(form="gguf", sort="downloads"))
    pages = []
    while not pages or pages[-1].more:
        pages.append(running.next_page(12))
    names = [model.repo for page in pages for model in page.models]
    assert names == [f"a/model-{number:02}" for number in reversed(range(35))]
    assert len(local.asked("/api/models?")) == 4


def test_only_the_pages_looked_at_are_asked_for(local: LocalHub) -> None:
    local.page_size = 10
    for number in range(100):
        add_gguf(local, f"a/model-{number:02}")
    page = Search(client(local), HubQuery(form="gguf")).next_page(8)
    assert page.more
    assert len(local.asked("/api/models?")) == 1


def test_filters_that_the_hub_lacks_are_applied_here(local: LocalHub) -> None:
    add_gguf(local, "a/small-Base-GGUF")
    add_gguf(local, "a/small-Instruct-GGUF")
    add_gguf(local, "a/locked-Instruct-GGUF", gated="manual")
    add_gguf(local, "a/free-Instruct-GGUF", license="mit")
    assert search(local, form="gguf", kinds=("base",)) == ["a/small-Base-GGUF"]
    assert "a/locked-Instruct-GGUF" not in search(local, form="gguf", without_sign_in=True)
    assert search(local, form="gguf", licenses=("mit",)) == ["a/free-Instruct-GGUF"]
    assert search(local, form="gguf", licenses=("mit", "bsd")) == ["a/free-Instruct-GGUF"]
    assert search(local, form="gguf", most_bytes=1_000_000_000) == []
    assert len(search(local, form="gguf", most_bytes=3_000_000_000)) == 4


def test_safetensors_means_those_that_the_native_engine_runs(local: LocalHub) -> None:
    def add(repo: str, config: dict[str, Any], **facts: Any) -> None:
        local.add(repo, {"model.safetensors": repo.encode()}, extra={"config": config}, **facts)

    add("a/llama", {"model_type": "llama"})
    add("a/strange", {"model_type": "strange"})
    add("a/coded", {"model_type": "llama", "auto_map": {"AutoModel": "x.Y"}})
    add("a/tagged", {"model_type": "llama"}, tags=("custom_code",))
    assert search(local, form="safetensors") == ["a/llama"]
    problems = {
        model.repo: model.problem
        for model in Search(client(local), HubQuery("a/")).next_page().models
    }
    assert problems["a/llama"] == ""
    assert "strange" in problems["a/strange"]
    assert "Python code" in problems["a/coded"]
    assert "Python code" in problems["a/tagged"]


def test_what_cannot_run_says_so_in_the_row(local: LocalHub) -> None:
    local.add("a/pickled", {"pytorch_model.bin": b"x"})
    local.add("a/painter", {"m.safetensors": b"y"}, pipeline_tag="text-to-image")
    strange = {"gguf": {"architecture": "strange1", "total": 5}}
    local.add("a/new", {"m.gguf": b"GGUF"}, extra=strange)
    rows = {m.repo: m.problem for m in Search(client(local), HubQuery("a/")).next_page().models}
    assert "pickle" in rows["a/pickled"]
    assert "text-to-image" in rows["a/painter"]
    assert "'strange1'" in rows["a/new"]


@pytest.mark.parametrize(
    ("text", "repo"),
    [
        ("Qwen/Qwen3-4B-GGUF", "Qwen/Qwen3-4B-GGUF"),
        ("  https://huggingface.co/Qwen/Qwen3-4B-GGUF ", "Qwen/Qwen3-4B-GGUF"),
        ("https://huggingface.co/Qwen/Qwen3-4B/tree/main?x=1", "Qwen/Qwen3-4B"),
        ("https://hf.co/Qwen/Qwen3-4B/blob/main/m-Q4_0.gguf", "Qwen/Qwen3-4B"),
        ("hf.co/Qwen/Qwen3-4B", "Qwen/Qwen3-4B"),
        ("https://huggingface.co/datasets/a/b", ""),
        ("https://huggingface.co/Qwen", ""),
        ("https://huggingface.co/../../etc/passwd", ""),
        ("qwen3 4b", ""),
        ("a/b/c", ""),
        ("", ""),
    ],
)
def test_a_pasted_name_or_address_means_one_model(text: str, repo: str) -> None:
    assert parse_reference(text) == repo


def test_a_pasted_address_shows_that_model(local: LocalHub) -> None:
    add_gguf(local, "Qwen/Qwen3-4B-GGUF")
    add_gguf(local, "Qwen/Qwen3-4B-GGUF-other")
    assert search(local, text="https://huggingface.co/Qwen/Qwen3-4B-GGUF") == ["Qwen/Qwen3-4B-GGUF"]
    with pytest.raises(RepositoryNotFoundError):
        search(local, text="Qwen/Missing")


def test_a_renamed_repository_is_found_under_its_old_name(local: LocalHub) -> None:
    add_gguf(local, "new/Model-GGUF")
    local.renamed["old/Model-GGUF"] = "new/Model-GGUF"
    assert look_up(client(local), "old/Model-GGUF").repo == "new/Model-GGUF"


def test_trouble_at_the_hub_is_a_sentence_and_the_search_goes_on(local: LocalHub) -> None:
    local.page_size = 5
    for number in range(10):
        add_gguf(local, f"a/model-{number}")
    running = Search(client(local), HubQuery(form="gguf"))
    first = running.next_page(5).models
    local.faults.next(Fault("status", "api", status=503))
    with pytest.raises(NetworkError, match="503"):
        running.next_page()
    rest = running.next_page()
    assert not rest.more
    assert len({model.repo for model in (*first, *rest.models)}) == 10


def test_no_hub_is_a_sentence(local: LocalHub) -> None:
    with pytest.raises(NetworkError, match="cannot be reached"):
        Search(Hub("http://127.0.0.1:9", ""), HubQuery("x")).next_page()


def test_the_token_does_not_follow_the_list_to_another_host(local: LocalHub) -> None:
    local.page_size = 1
    add_gguf(local, "a/one-GGUF")
    add_gguf(local, "a/two-GGUF")
    with LocalHub() as mirror:
        mirror.page_size = 1
        mirror.repos = local.repos
        pages = HubPages(Hub(mirror.endpoint, "hf_secret"), [("search", "a/")])
        assert len(pages.next_page()) == 1
        pages._url = pages._url.replace(mirror.endpoint, local.endpoint)
        assert len(pages.next_page()) == 1
        assert all("authorization" in seen.headers for seen in mirror.requests)
    assert local.requests
    assert all("authorization" not in seen.headers for seen in local.requests)


def test_a_repository_opens_with_its_rows_and_config(local: LocalHub) -> None:
    config = asset("configs/HuggingFaceTB__SmolLM2-360M-Instruct.json").read_bytes()
    local.add(
        "org/both",
        {
            "model.safetensors": b"0" * 1_000,
            "config.json": config,
            "tokenizer.json": b"{}",
            "m-Q4_K_M.gguf": b"GGUF",
        },
    )
    repository = open_repository(client(local), "org/both", files_of)
    assert [version.label for version in repository.versions] == ["Q4_K_M", "F16"]
    assert repository.reason == ""
    shape = repository.shape(repository.versions[1])
    assert shape is not None
    assert shape.n_layers == 32
    assert repository.listing.revision == local.repos["org/both"].head


def test_a_gated_repository_is_explained_before_anything_is_read(local: LocalHub) -> None:
    files = {"model.safetensors": b"0", "config.json": json.dumps({}).encode()}
    local.add("org/gated", files, gated="manual")
    with pytest.raises(GatedModelError, match="terms"):
        open_repository(client(local), "org/gated", files_of)


@pytest.mark.parametrize(
    ("repo", "tags", "kind"),
    [
        ("Qwen/Qwen3-0.6B-Base", (), "base"),
        ("google/gemma-3-1b-pt", (), "base"),
        ("google/gemma-3-1b-it", (), "instruct"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", (), "instruct"),
        ("unsloth/Qwen3-4B-Thinking-2507-GGUF", (), "thinking"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", (), "thinking"),
        ("Qwen/Qwen3-4B", ("conversational",), "instruct"),
        ("openai-community/gpt2", (), "unknown"),
        ("base/Llama", (), "unknown"),
    ],
)
def test_the_kind_comes_from_name_and_tags(repo: str, tags: tuple[str, ...], kind: str) -> None:
    assert kind_of(repo, tags) == kind


def test_a_result_is_judged_by_its_usual_download() -> None:
    large = HubModel("a/b", "a", forms=("gguf",), about_bytes=40 * 10**9)
    laptop = Machine(7 * 10**9, 8 * 10**9)
    assert model_fit(large, laptop).verdict == "too_large"
    small = msgspec.structs.replace(large, about_bytes=2 * 10**9)
    assert model_fit(small, laptop).verdict == "processor"
    assert model_fit(msgspec.structs.replace(small, problem="No."), laptop).verdict == "unknown"
    assert model_fit(msgspec.structs.replace(small, about_bytes=0), laptop).verdict == "unknown"


def test_results_are_values(local: LocalHub) -> None:
    add_gguf(local, "a/b-GGUF")
    (model,) = Search(client(local), HubQuery("b")).next_page().models
    assert isinstance(model, HubModel)
    assert hash(model)
