"""What a network looks like: the facts of a Hugging Face ``config.json``, checked.

Which families there are and how each is described stands in ``families/``. Anything a network
would not compute exactly is refused by name, never ignored. No torch: the library asks here which
models the native engine can run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inference.native.config_reader import (
    ConfigReader,
    corrupt,
    quantized_elsewhere,
    unsupported,
)
from inference.native.foreign import told_form
from inference.native.scaling import DynamicScaling, LongRopeScaling, RopeScaling, YarnScaling

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The shape of one network.

    Attributes:
        family: Which family it belongs to, as ``model_type`` says.
        vocab_size: Number of token ids, V.
        width: Numbers per position between the blocks, C.
        n_layers: Number of blocks.
        n_heads: Query heads, H.
        n_kv_heads: Key and value heads, shared by ``n_heads / n_kv_heads`` query heads each.
        head_width: Numbers per head, D.
        mlp_width: Numbers inside the MLP, F.
        context: Positions the network was trained or stretched for.
        norm_eps: Keeps the norm from dividing by zero.
        rope_theta: Base of the rotary wavelengths.
        rope_scaling: Stretching of those wavelengths, if any.
        rotary_width: Numbers per head that turn, R; None is all of them.
        local_theta: Base of unscaled wavelengths for the layers that have a window, if their own.
        unrotated: Layers whose heads do not turn.
        windows: For every layer how many positions it sees, its own included; None is all. Empty
            where every layer sees all.
        tied_output: The output projection is the token embedding.
        attention_bias: Query, key and value projections have a bias.
        attention_output_bias: The attention's output projection has one.
        mlp_bias: The MLP's projections have one.
        parallel: Attention and MLP read the same stream, not one after the other.
        attention_scale: What scores are multiplied by; None is ``1 / sqrt(D)``.
        attention_cap: Scores are pressed softly between this and its negative.
        logit_cap: So are the logits.
        embedding_scale: What the token embedding is multiplied by.
        residual_scale: What is added to the stream is multiplied by this.
        logit_divisor: What the logits are divided by.
    """

    family: str
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
    rotary_width: int | None = None
    local_theta: float | None = None
    unrotated: tuple[int, ...] = ()
    windows: tuple[int | None, ...] = ()
    tied_output: bool = True
    attention_bias: bool = False
    attention_output_bias: bool = False
    mlp_bias: bool = False
    parallel: bool = False
    attention_scale: float | None = None
    attention_cap: float | None = None
    logit_cap: float | None = None
    embedding_scale: float = 1.0
    residual_scale: float = 1.0
    logit_divisor: float = 1.0

    def __post_init__(self) -> None:
        """Refuse shapes that contradict themselves.

        Raises:
            CorruptCheckpointError: Heads do not divide, or rotary halves would not be equal.
        """
        if self.n_heads % self.n_kv_heads:
            raise corrupt(f"{self.n_heads} heads cannot share {self.n_kv_heads} key-value heads")
        turning = self.turning_width
        if turning % 2 or turning > self.head_width:
            raise corrupt(f"{turning} of {self.head_width} numbers per head cannot turn in pairs")
        scaling = self.rope_scaling
        if isinstance(scaling, LongRopeScaling):
            for factors in (scaling.short_factors, scaling.long_factors):
                if len(factors) != turning // 2:
                    raise corrupt(f"{len(factors)} rotary factors do not fit {turning // 2} pairs")
        if isinstance(scaling, YarnScaling) and self.rope_theta <= 1:
            raise corrupt(f"{self.rope_theta:g} is no base of rotary wavelengths")
        if isinstance(scaling, DynamicScaling) and turning < 4:
            raise corrupt(f"{turning} turning numbers per head are too few for dynamic scaling")

    @property
    def turning_width(self) -> int:
        """Numbers per head that turn with position, R."""
        return self.head_width if self.rotary_width is None else self.rotary_width

    def window(self, layer: int) -> int | None:
        """Return how many positions a layer sees, its own included; None is all."""
        return self.windows[layer] if self.windows else None

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> NetworkConfig:
        """Read the contents of a ``config.json``.

        Args:
            config: The parsed JSON object, as found in the folder; nothing in it is trusted.

        Raises:
            UnsupportedArchitectureError: Another architecture, or a variant computed differently.
            CorruptCheckpointError: A needed value is missing or cannot be true.
        """
        # The families make values of this class, so they cannot be there before it.
        from inference.native.registry import family_described  # noqa: PLC0415

        _check(config)
        return family_described(config).read(ConfigReader(config))

    def to_dict(self) -> dict[str, Any]:
        """Return the ``config.json`` that other programs read; the inverse of ``from_dict``."""
        from inference.native.registry import family_of  # noqa: PLC0415 - as above

        family = family_of(self)
        return {
            "architectures": [family.architecture],
            "model_type": self.family,
            "vocab_size": self.vocab_size,
            "tie_word_embeddings": self.tied_output,
        } | family.write(self)


def _check(config: object) -> None:
    """Refuse what no family can be read from."""
    if not isinstance(config, dict):
        raise corrupt("it holds no JSON object")
    if config.get("auto_map"):
        raise unsupported("it needs Python code that comes with the model")
    if form := told_form(config):
        raise quantized_elsewhere(form)
    named = config.get("architectures")
    if named is not None and not (
        isinstance(named, list) and all(isinstance(name, str) for name in named)
    ):
        raise corrupt("architectures is not a list of names")
    if not named and not isinstance(config.get("model_type"), str):
        raise corrupt("it does not name an architecture")
