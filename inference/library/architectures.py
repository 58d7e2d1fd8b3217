"""Which architectures the GGUF engine of this version knows, told without starting it.

The names are those in llama.cpp's list of the release that the app is pinned to (``llama-arch.cpp``
of llama-cpp-python 0.3.36); a test holds them against the installed library.
"""

from __future__ import annotations

_EMBEDDING = frozenset(
    {
        "bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2",
        "jina-bert-v3", "eurobert", "gemma-embedding", "llama-embed", "t5encoder",
    }
)  # fmt: skip
_OTHER = {
    "clip": "it is the part of a model that sees pictures, not one that writes",
    "mmproj": "it is the part of a model that sees pictures, not one that writes",
    "wavtokenizer-dec": "it makes sound, not text",
    "qwen3tts": "it makes sound, not text",
    "pockettts": "it makes sound, not text",
    "eagle3": "it only speeds up another model",
    "dflash": "it only speeds up another model",
    "gemma4-assistant": "it only speeds up another model",
}
WRITING = frozenset(
    {
        "afmoe", "apertus", "arcee", "arctic", "arwkv7", "baichuan", "bailingmoe", "bailingmoe2",
        "bailingmoe3", "bitnet", "bloom", "chameleon", "chatglm", "codeshell", "cogvlm", "cohere2",
        "cohere2moe", "command-r", "dbrx", "deci", "deepseek", "deepseek2", "deepseek2-ocr",
        "deepseek32", "deepseek4", "dots1", "dots3note", "dream", "ernie4_5", "ernie4_5-moe",
        "exaone", "exaone-moe", "exaone4", "falcon", "falcon-h1", "gemma", "gemma2", "gemma3",
        "gemma3n", "gemma4", "glm-dsa", "glm4", "glm4moe", "glm5-next", "gpt-oss", "gpt2", "gptj",
        "gptneox", "granite", "granite_swa", "granitehybrid", "granitemoe", "graniteswitch",
        "grok", "grovemoe", "hrm_text", "hunyuan-dense", "hunyuan-moe", "hunyuan_vl", "hy_v3",
        "hy_v4", "internlm2", "jais", "jais2", "jamba", "kimi-k3", "kimi-linear", "laguna", "lfm2",
        "lfm2moe", "llada", "llada-moe", "llama", "llama4", "maincoder", "mamba", "mamba2",
        "maple", "mellum", "mimo2", "minicpm", "minicpm3", "minimax-01", "minimax-m2",
        "minimax-m3", "mistral3", "mistral4", "mpt", "muse-glimmer", "nanbeige", "nemotron",
        "nemotron_h", "nemotron_h_moe", "olmo", "olmo2", "olmoe", "openelm", "orion", "paddleocr",
        "pangu-embedded", "phi2", "phi3", "phimoe", "plamo", "plamo2", "plamo3", "plm", "qwen",
        "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen35", "qwen35moe", "qwen3moe", "qwen3next",
        "qwen3vl", "qwen3vlmoe", "qwen4exp", "refact", "rnd1", "rwkv6", "rwkv6qwen2", "rwkv7",
        "seed_oss", "smallthinker", "smollm3", "spark2_5", "stablelm", "starcoder", "starcoder2",
        "step35", "t5", "talkie", "xverse",
    }
)  # fmt: skip
"""Architectures that write text."""

NEIGHBOURS = frozenset({"llama", "granite", "smollm3"})
"""Architectures whose files hold queries and keys in another order than Hugging Face's folders.

llama.cpp turns neighbouring numbers of a head there, so its converter makes neighbours of the
numbers i and i + R/2, where R numbers of each head turn.
"""


def gguf_objection(architecture: str) -> str:
    """Return why the GGUF engine cannot chat with that architecture; empty if it can.

    The text completes "this model cannot run here: ...".
    """
    if architecture in WRITING:
        return ""
    if architecture in _EMBEDDING:
        return "it turns texts into numbers for searching and does not write"
    if architecture in _OTHER:
        return _OTHER[architecture]
    if not architecture:
        return "its files do not say what architecture it has"
    return (
        f"its architecture, {architecture[:40]!r}, is not known to this version's llama.cpp; an "
        "update of the app may bring it"
    )
