"""The network of SubCell: a vision transformer, gated attention pooling and small heads, in plain torch.

Parameter names and shapes are those of the published weight files. What the network is asked and what its answers
mean belongs in `organelle_widgets.classification.subcell`; reading weight files does not belong here either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["SubCellNetwork", "SubCellOutput"]

_HEAD_WIDTHS = (512, 256)
_DROPOUT = 0.25  # in training only; its place gives the layers behind it their numbers


class SubCellOutput(NamedTuple):
    """What the network says of a batch.

    Attributes
    ----------
    probabilities : Tensor, shape (N, n_classes)
        Mean over the heads of their sigmoids.
    embedding : Tensor, shape (N, n_pooling_heads * width)
        The patches, weighted by attention.
    attention : Tensor, shape (N, n_pooling_heads, Y / patch, X / patch)
        The weights of the patches; with that of the class token they sum to 1.
    """

    probabilities: Tensor
    embedding: Tensor
    attention: Tensor


@dataclass(frozen=True)
class _Sizes:
    """The part of the configuration that shapes the transformer."""

    width: int
    depth: int
    n_heads: int
    inner: int
    image: int
    patch: int
    channels: int
    epsilon: float
    bias: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> _Sizes:
        """The sizes in a published configuration."""
        return cls(
            width=config["hidden_size"],
            depth=config["num_hidden_layers"],
            n_heads=config["num_attention_heads"],
            inner=config["intermediate_size"],
            image=config["image_size"],
            patch=config["patch_size"],
            channels=config["num_channels"],
            epsilon=float(config["layer_norm_eps"]),
            bias=config["qkv_bias"],
        )


class _Holder(nn.Module):
    """Modules by name; only there so that parameters have the published names."""

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class _Embeddings(nn.Module):
    """Patches as vectors, with the class token before them and their positions added."""

    def __init__(self, sizes: _Sizes) -> None:
        super().__init__()
        width, patch = sizes.width, sizes.patch
        self.side = sizes.image // patch
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position_embeddings = nn.Parameter(torch.zeros(1, self.side**2 + 1, width))
        self.patch_embeddings = _Holder(projection=nn.Conv2d(sizes.channels, width, patch, patch))

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch_embeddings.projection(images)
        positions = self._positions(*patches.shape[2:])
        tokens = patches.flatten(2).transpose(1, 2)
        token = self.cls_token.expand(len(images), -1, -1)
        return torch.cat([token, tokens], dim=1) + positions

    def _positions(self, rows: int, cols: int) -> Tensor:
        """Positions for a grid of patches; the learnt ones are interpolated where it is another one."""
        if rows == cols == self.side:
            return self.position_embeddings
        token, grid = self.position_embeddings[:, :1], self.position_embeddings[:, 1:]
        square = grid.transpose(1, 2).unflatten(2, (self.side, self.side))
        fitted = functional.interpolate(
            square, size=(rows, cols), mode="bicubic", align_corners=False
        )
        return torch.cat([token, fitted.flatten(2).transpose(1, 2)], dim=1)


class _Attention(nn.Module):
    """Multi-head self-attention without its output projection."""

    def __init__(self, sizes: _Sizes) -> None:
        super().__init__()
        self.n_heads = sizes.n_heads
        self.query = nn.Linear(sizes.width, sizes.width, bias=sizes.bias)
        self.key = nn.Linear(sizes.width, sizes.width, bias=sizes.bias)
        self.value = nn.Linear(sizes.width, sizes.width, bias=sizes.bias)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(2, (self.n_heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return mixed.transpose(1, 2).flatten(2)


class _Block(nn.Module):
    """A transformer block with normalisation before attention and before the two dense layers."""

    def __init__(self, sizes: _Sizes) -> None:
        super().__init__()
        width, inner = sizes.width, sizes.inner
        self.attention = _Holder(
            attention=_Attention(sizes), output=_Holder(dense=nn.Linear(width, width))
        )
        self.intermediate = _Holder(dense=nn.Linear(width, inner))
        self.output = _Holder(dense=nn.Linear(inner, width))
        self.layernorm_before = nn.LayerNorm(width, eps=sizes.epsilon)
        self.layernorm_after = nn.LayerNorm(width, eps=sizes.epsilon)

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.attention.attention(self.layernorm_before(x))
        x = x + self.attention.output.dense(mixed)
        inner = functional.gelu(self.intermediate.dense(self.layernorm_after(x)))
        return x + self.output.dense(inner)


class _Transformer(nn.Module):
    """From images to the vectors of the class token and of all patches."""

    def __init__(self, sizes: _Sizes) -> None:
        super().__init__()
        self.embeddings = _Embeddings(sizes)
        self.encoder = _Holder(layer=nn.ModuleList(_Block(sizes) for _ in range(sizes.depth)))
        self.layernorm = nn.LayerNorm(sizes.width, eps=sizes.epsilon)

    def forward(self, images: Tensor) -> Tensor:
        x = self.embeddings(images)
        for block in self.encoder.layer:
            x = block(x)
        return self.layernorm(x)


class _GatedPooling(nn.Module):
    """Weighted means of all vectors, one a head; the weights come from two gates that are multiplied [1]_.

    References
    ----------
    .. [1] Ilse, Tomczak, Welling 2018, doi:10.48550/arXiv.1802.04712, with GELU in place of the sigmoid.
    """

    def __init__(self, width: int, inner: int, n_heads: int) -> None:
        super().__init__()
        self.attention_v = nn.Sequential(nn.Dropout(_DROPOUT), nn.Linear(width, inner), nn.Tanh())
        self.attention_u = nn.Sequential(nn.Dropout(_DROPOUT), nn.Linear(width, inner), nn.GELU())
        self.attention = nn.Linear(inner, n_heads)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.attention(self.attention_v(x) * self.attention_u(x))
        weights = scores.transpose(1, 2).softmax(dim=-1)
        return (weights @ x).flatten(1), weights


def _head(width: int, n_classes: int) -> nn.Sequential:
    """A classifier of embeddings as it was trained: three dense layers with dropout between them."""
    first, second = _HEAD_WIDTHS
    return nn.Sequential(
        nn.Linear(width, first),
        nn.ReLU(),
        nn.Dropout(_DROPOUT),
        nn.Linear(first, second),
        nn.ReLU(),
        nn.Dropout(_DROPOUT),
        nn.Linear(second, n_classes),
    )


class SubCellNetwork(nn.Module):
    """Transformer, pooling and heads.

    Parameters
    ----------
    config : mapping
        ``vit_model``, ``pool_model`` and ``num_classes``, as published with the weights.
    n_heads : int
        How many classifiers of the embedding are averaged.
    """

    def __init__(self, config: Mapping[str, Any], n_heads: int) -> None:
        super().__init__()
        sizes, pool = _Sizes.of(config["vit_model"]), config["pool_model"]
        self.patch = sizes.patch
        self.encoder = _Transformer(sizes)
        self.pool_model = _GatedPooling(pool["dim"], pool["int_dim"], pool["num_heads"])
        width = pool["dim"] * pool["num_heads"]
        self.heads = nn.ModuleList(_head(width, config["num_classes"]) for _ in range(n_heads))

    def forward(self, images: Tensor) -> SubCellOutput:
        """Ask the network.

        Parameters
        ----------
        images : Tensor of float32, shape (N, n_channels, Y, X)
            Y and X are multiples of the patch size.

        Returns
        -------
        SubCellOutput
            Probabilities, embedding and attention.
        """
        embedding, weights = self.pool_model(self.encoder(images))
        said = torch.stack([one(embedding).sigmoid() for one in self.heads]).mean(dim=0)
        rows, cols = (length // self.patch for length in images.shape[2:])
        return SubCellOutput(said, embedding, weights[:, :, 1:].unflatten(2, (rows, cols)))
