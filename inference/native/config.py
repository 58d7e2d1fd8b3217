"""What a network looks like: the facts of a Hugging Face ``config.json``, checked.

Knows the two families built here and the keys they are described by. Anything a family's network
would not compute exactly is refused by name, never ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from inference.errors import CorruptCheckpointError, UnsupportedArchitectureError

if TYPE_CHECKING:
    from collections.abc import Mapping

Family = Literal["llama", "gpt2"]

_ARCHITECTURES: dict[Family, str] = {"llama": "LlamaForCausalLM", "gpt2": "GPT2LMHeadModel"}
_GGUF_HINT = "Look for a GGUF file of this model under Models: the GGUF engine knows many more."
_DOWNLOAD_HINT = "Download the model again, or ask its author for a sound config.json."


@dataclass(frozen=True, slots=True)
class RopeScaling:
    """How Llama 3.1 and later stretch the rotary embedding beyond the context of pre-training.

    Attributes:
        factor: Long wavelengths become this many times longer.
        low_freq_factor: Wavelengths over ``original_context / low_freq_factor`` take all of it.
        high_freq_factor: Wavelengths under ``original_context / high_freq_factor`` stay.
        original_context: Context of pre-training, in tokens.
    """

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_context: int


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The shape of one network.

    Attributes:
        family: Which network: ``llama`` or ``gpt2``.
        vocab_size: Number of token ids, V.
        width: Numbers per position between the blocks, C.
        n_layers: Number of blocks.
        n_heads: Query heads, H.
        n_kv_heads: Key and value heads, shared by ``n_heads / n_kv_heads`` query heads each.
        head_width: Numbers per head, D.
        mlp_width: Numbers inside the MLP, F.
        context: Positions the network was trained for.
        norm_eps: Keeps the norm from dividing by zero.
        rope_theta: Base of the rotary wavelengths (llama).
        rope_scaling: Stretching of those wavelengths (llama), if any.
        tied_output: The output projection is the token embedding.
        attention_bias: Query, key, value and output projections have a bias.
        mlp_bias: The MLP's projections have a bias.
    """

    family: Family
    vocab_size: int
    width: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_width: int
    mlp_width: int
    context: int
    norm_eps: float = 1e-5
    rope_theta: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    tied_output: bool = True
    attention_bias: bool = False
    mlp_bias: bool = False

    def __post_init__(self) -> None:
        """Refuse shapes that contradict themselves.

        Raises:
            CorruptCheckpointError: Heads do not divide, or rotary halves would not be equal.
        """
        if self.n_heads % self.n_kv_heads:
            raise _corrupt(f"{self.n_heads} heads cannot share {self.n_kv_heads} key-value heads")
        if self.family == "gpt2" and self.head_width * self.n_heads != self.width:
            raise _corrupt(f"{self.n_heads} heads cannot divide a width of {self.width}")
        if self.family == "llama" and self.head_width % 2:
            raise _corrupt(f"the head width {self.head_width} is odd, so it has no two halves")

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> NetworkConfig:
        """Read the contents of a ``config.json``.

        Args:
            config: The parsed JSON object, as found in the folder; nothing in it is trusted.

        Raises:
            UnsupportedArchitectureError: Another architecture, or a variant computed differently.
            CorruptCheckpointError: A needed value is missing or cannot be true.
        """
        family = _family(config)
        reader = _Reader(config)
        return _llama(reader) if family == "llama" else _gpt2(reader)

    def to_dict(self) -> dict[str, Any]:
        """Return the ``config.json`` that other programs read; the inverse of ``from_dict``."""
        common: dict[str, Any] = {
            "architectures": [_ARCHITECTURES[self.family]],
            "model_type": self.family,
            "vocab_size": self.vocab_size,
            "tie_word_embeddings": self.tied_output,
        }
        if self.family == "gpt2":
            return common | {
                "n_embd": self.width,
                "n_layer": self.n_layers,
                "n_head": self.n_heads,
                "n_inner": self.mlp_width,
                "n_positions": self.context,
                "layer_norm_epsilon": self.norm_eps,
                "activation_function": "gelu_new",
            }
        scaling = self.rope_scaling
        return common | {
            "hidden_size": self.width,
            "intermediate_size": self.mlp_width,
            "num_hidden_layers": self.n_layers,
            "num_attention_heads": self.n_heads,
            "num_key_value_heads": self.n_kv_heads,
            "head_dim": self.head_width,
            "max_position_embeddings": self.context,
            "rms_norm_eps": self.norm_eps,
            "rope_theta": self.rope_theta,
            "rope_scaling": scaling
            and {
                "rope_type": "llama3",
                "factor": scaling.factor,
                "low_freq_factor": scaling.low_freq_factor,
                "high_freq_factor": scaling.high_freq_factor,
                "original_max_position_embeddings": scaling.original_context,
            },
            "attention_bias": self.attention_bias,
            "mlp_bias": self.mlp_bias,
            "hidden_act": "silu",
        }


def _corrupt(what: str) -> CorruptCheckpointError:
    return CorruptCheckpointError(
        f"The model's config.json cannot be used: {what}.", _DOWNLOAD_HINT
    )


def _unsupported(what: str) -> UnsupportedArchitectureError:
    return UnsupportedArchitectureError(
        f"The native engine cannot run this model: {what}.", _GGUF_HINT
    )


class _Reader:
    """Typed access to untrusted JSON; every complaint names the key."""

    __slots__ = ("_config",)

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def raw(self, key: str) -> Any:  # noqa: ANN401 - JSON, of any type until looked at
        return self._config.get(key)

    def count(self, key: str, default: int | None = None, *, most: int) -> int:
        value = self._config.get(key)
        if value is None:
            value = default
        if value is None:
            raise _corrupt(f"it does not say {key}")
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise _corrupt(f"{key} is {value!r:.40}, where a number from 1 to {most} belongs")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        value = self._config.get(key)
        if value is None:
            value = default
        if value is None:
            raise _corrupt(f"it does not say {key}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _corrupt(f"{key} is {value!r:.40}, where a number belongs")
        if not (isfinite(value) and 0 < value <= 1e12):
            raise _corrupt(f"{key} is {value!r:.40}, where a number above zero belongs")
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._config.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise _corrupt(f"{key} is {value!r:.40}, where true or false belongs")
        return value

    def only(self, key: str, allowed: tuple[object, ...], why: str) -> None:
        """Refuse a variant whose computation the network does not have."""
        value = self._config.get(key)
        if value is not None and value not in allowed:
            raise _unsupported(f"{why} ({key}: {value!r:.40})")


def _family(config: object) -> Family:
    if not isinstance(config, dict):
        raise _corrupt("it holds no JSON object")
    if config.get("auto_map"):
        raise _unsupported("it needs Python code that comes with the model")
    if config.get("quantization_config"):
        raise _unsupported("its weights are quantized")
    named = config.get("architectures")
    if named is not None and not (
        isinstance(named, list) and all(isinstance(name, str) for name in named)
    ):
        raise _corrupt("architectures is not a list of names")
    model_type = config.get("model_type")
    for family, architecture in _ARCHITECTURES.items():
        if model_type in (family, None) and named and architecture in named:
            return family
        if model_type == family and not named:
            return family
    if not named and not isinstance(model_type, str):
        raise _corrupt("it does not name an architecture")
    name = named[0] if named else model_type
    raise _unsupported(f"its architecture, {name!r:.60}, is neither Llama nor GPT-2")


def _llama(reader: _Reader) -> NetworkConfig:
    reader.only("hidden_act", ("silu", "swish"), "its activation is not SiLU")
    width = reader.count("hidden_size", most=1 << 16)
    n_heads = reader.count("num_attention_heads", most=1 << 10)
    if reader.raw("head_dim") is None and width % n_heads:
        raise _corrupt(f"{n_heads} heads cannot divide a width of {width}")
    theta, scaling = _rope(reader)
    return NetworkConfig(
        family="llama",
        vocab_size=reader.count("vocab_size", most=1 << 21),
        width=width,
        n_layers=reader.count("num_hidden_layers", most=1 << 10),
        n_heads=n_heads,
        n_kv_heads=reader.count("num_key_value_heads", n_heads, most=1 << 10),
        head_width=reader.count("head_dim", width // n_heads, most=1 << 12),
        mlp_width=reader.count("intermediate_size", most=1 << 18),
        context=reader.count("max_position_embeddings", 2048, most=1 << 24),
        norm_eps=reader.number("rms_norm_eps", 1e-6),
        rope_theta=theta,
        rope_scaling=scaling,
        tied_output=reader.flag("tie_word_embeddings", default=False),
        attention_bias=reader.flag("attention_bias", default=False),
        mlp_bias=reader.flag("mlp_bias", default=False),
    )


def _rope(reader: _Reader) -> tuple[float, RopeScaling | None]:
    """Read theta and scaling; transformers 5 keeps both in ``rope_parameters``."""
    key = "rope_scaling" if reader.raw("rope_parameters") is None else "rope_parameters"
    found = reader.raw(key)
    theta = reader.number("rope_theta", 10_000.0)
    if found is None:
        return theta, None
    if not isinstance(found, dict):
        raise _corrupt(f"{key} is not an object")
    rope = _Reader(found)
    theta = rope.number("rope_theta", theta)
    kind = rope.raw("rope_type") or rope.raw("type") or "default"
    if kind == "default":
        return theta, None
    if kind != "llama3":
        raise _unsupported(f"its rotary embedding is scaled in another way ({kind!r:.40})")
    scaling = RopeScaling(
        factor=rope.number("factor"),
        low_freq_factor=rope.number("low_freq_factor"),
        high_freq_factor=rope.number("high_freq_factor"),
        original_context=rope.count("original_max_position_embeddings", most=1 << 24),
    )
    if scaling.high_freq_factor <= scaling.low_freq_factor:
        raise _corrupt(f"{key} has its low and high frequency factors the wrong way round")
    return theta, scaling


def _gpt2(reader: _Reader) -> NetworkConfig:
    reader.only(
        "activation_function", ("gelu_new", "gelu_pytorch_tanh"), "its activation is not GELU-new"
    )
    reader.only("scale_attn_weights", (True,), "its attention is not scaled")
    reader.only("scale_attn_by_inverse_layer_idx", (False,), "its attention is scaled by layer")
    reader.only("add_cross_attention", (False,), "it has cross-attention")
    width = reader.count("n_embd", most=1 << 16)
    n_heads = reader.count("n_head", most=1 << 10)
    return NetworkConfig(
        family="gpt2",
        vocab_size=reader.count("vocab_size", most=1 << 21),
        width=width,
        n_layers=reader.count("n_layer", most=1 << 10),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        head_width=max(1, width // n_heads),
        mlp_width=reader.count("n_inner", 4 * width, most=1 << 18),
        context=reader.count("n_positions", 1024, most=1 << 24),
        norm_eps=reader.number("layer_norm_epsilon", 1e-5),
        tied_output=reader.flag("tie_word_embeddings", default=True),
        attention_bias=True,
        mlp_bias=True,
    )
