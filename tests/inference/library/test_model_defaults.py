from __future__ import annotations

import pytest

from inference.library.model_defaults import OWN, ModelDefaults, TemplateChoice, with_defaults
from inference.library.template_doctor import BUILT_IN, built_in
from inference.types import LoadOptions, ModelInfo

FILE = ModelInfo("one", "One", "/one.gguf", "gguf")
FOLDER = ModelInfo("two", "Two", "/two", "native")
ALL = ModelDefaults(
    n_ctx=8192, gpu_layers=12, kv_cache_type="q8_0", flash_attention=True, threads=3,
    device="cpu", dtype="bfloat16",
)  # fmt: skip


def test_what_was_set_for_a_model_stands_in_place_of_the_general_settings() -> None:
    general = LoadOptions("/one.gguf", "gguf", n_ctx=2048, gpu_layers=4, threads=1)
    assert with_defaults(general, FILE, ModelDefaults()) == general
    assert with_defaults(general, FILE, ModelDefaults(n_ctx=8192)) == LoadOptions(
        "/one.gguf", "gguf", n_ctx=8192, gpu_layers=4, threads=1
    )


def test_each_engine_gets_only_what_means_something_to_it() -> None:
    file = with_defaults(LoadOptions("/one.gguf", "gguf"), FILE, ALL)
    assert (file.gpu_layers, file.kv_cache_type, file.flash_attention) == (12, "q8_0", True)
    assert (file.device, file.dtype) == ("auto", "auto")
    folder = with_defaults(LoadOptions("/two", "native"), FOLDER, ALL)
    assert (folder.device, folder.dtype, folder.n_ctx, folder.threads) == (
        "cpu", "bfloat16", 8192, 3,
    )  # fmt: skip
    assert (folder.gpu_layers, folder.kv_cache_type, folder.flash_attention) == (None, "f16", None)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_template_of_the_app_is_loaded_by_its_name(name: str) -> None:
    chosen = ModelDefaults(template=TemplateChoice(name, own="mine"))
    options = with_defaults(LoadOptions("/one.gguf", "gguf"), FILE, chosen)
    assert options.chat_template == built_in(name).source


def test_ones_own_template_is_used_only_while_it_is_chosen() -> None:
    assert TemplateChoice(OWN, "mine").source == "mine"
    assert TemplateChoice("", "mine").source == ""
    assert TemplateChoice("from a later version", "mine").source == ""
