"""The network of the HPA Cell Segmentator: a U-Net on a DPN-92 encoder, in plain torch.

Parameter names, order and shapes are those of the published weight files. What is done to run it faster, without
changing what it computes, stands here too; reading weight files does not.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["DpnUnet"]

_EPSILON = 0.001  # of every batch normalisation
_WORTH_SUMMING = (
    1024  # pixels of a small image from which summing weights takes less time than it saves
)


class _ActConv(nn.Module):
    """Batch normalisation, ReLU and a convolution without bias, in this order."""

    def __init__(
        self, inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(inputs, eps=_EPSILON)
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.relu_(self.bn(x)))


class _Act(nn.Module):
    """Batch normalisation and ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu_(self.bn(x))


class _DualPath(nn.Module):
    """A dual path block: the first `width` channels are summed as in a ResNet, the others grow as in a DenseNet."""

    def __init__(
        self, inputs: int, middle: int, width: int, growth: int, groups: int, projection: str = ""
    ) -> None:
        super().__init__()
        stride = 2 if projection.endswith("s2") else 1
        self.width = width
        self.projection = projection
        if projection:
            setattr(self, projection, _ActConv(inputs, width + 2 * growth, stride=stride))
        self.c1x1_a = _ActConv(inputs, middle)
        self.c3x3_b = _ActConv(middle, middle, 3, stride, groups)
        self.c1x1_c = _ActConv(middle, width + growth)

    def forward(self, x: Tensor) -> Tensor:
        new = self.c1x1_c(self.c3x3_b(self.c1x1_a(x)))
        old = getattr(self, self.projection)(x) if self.projection else x
        width = self.width
        return torch.cat([old[:, :width] + new[:, :width], old[:, width:], new[:, width:]], dim=1)


class _Up(nn.Module):
    """Every pixel is doubled along both axes; then a 3 x 3 convolution and ReLU.

    The convolution sees each pixel several times, so each of the four output pixels of an input pixel is a
    2 x 2 convolution of the small image with sums of weights: the same result for 4/9 of the multiplications.
    The sums are made anew each time, because they would take more memory than the weights.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        conv = self.layer[1]
        count, _, rows, cols = x.shape
        if rows * cols < _WORTH_SUMMING:
            return functional.relu_(conv(self.layer[0](x)))
        shape = (count, conv.out_channels, 2 * rows, 2 * cols)
        out = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
        for row in (0, 1):
            by_row = _summed(conv.weight, 2, row)
            for col in (0, 1):
                weight = _summed(by_row, 3, col)
                quarter = functional.conv2d(x, weight, conv.bias, padding=1)
                out[:, :, row::2, col::2] = quarter[:, :, row : row + rows, col : col + cols]
        return functional.relu_(out)


def _summed(weight: Tensor, axis: int, phase: int) -> Tensor:
    """Three taps along an axis as the two that fall on different pixels of the small image."""
    first, second, third = weight.unbind(axis)
    pair = [first, second + third] if phase == 0 else [first + second, third]
    return torch.stack(pair, axis)


class _Merge(nn.Module):
    """Joins the decoder's channels with the encoder's of the same size; a 3 x 3 convolution and ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.ReLU())

    def forward(self, decoded: Tensor, encoded: Tensor) -> Tensor:
        return functional.relu_(self.seq[0](torch.cat([decoded, encoded], dim=1)))


class DpnUnet(nn.Module):
    """A U-Net whose encoder is a dual path network.

    Parameters
    ----------
    stem : int
        Channels after the first convolution.
    base : int
        Channels of the summed path in the second stage; they double with every stage.
    middle : int
        Channels between the convolutions of a block in the second stage; they double too.
    groups : int
        Groups of the 3 x 3 convolutions in the encoder.
    depths : sequence of int
        Blocks of each stage.
    growths : sequence of int
        Channels that each block of a stage adds to its dense path.

    Notes
    -----
    Takes tensors of float32, shape (N, 3, Y, X), sides multiples of 32, and returns logits of the
    same shape. The defaults are those of the published networks, 139,108,867 parameters.

    References
    ----------
    Chen et al. 2017, https://arxiv.org/abs/1707.01629 (dual path networks); Ronneberger, Fischer and Brox 2015,
    doi:10.1007/978-3-319-24574-4_28 (U-Net).
    """

    def __init__(
        self,
        stem: int = 64,
        base: int = 256,
        middle: int = 96,
        groups: int = 32,
        depths: Sequence[int] = (3, 4, 20, 3),
        growths: Sequence[int] = (16, 32, 24, 128),
    ) -> None:
        super().__init__()
        first = [
            nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(stem, eps=_EPSILON),
            nn.ReLU(inplace=True),
        ]
        stages, widths = [nn.Sequential(*first)], [stem]
        for number, (depth, growth) in enumerate(zip(depths, growths, strict=True)):
            blocks: list[nn.Module] = [] if number else [nn.MaxPool2d(3, stride=2, padding=1)]
            width, inputs = base << number, widths[-1]
            for block in range(depth):
                projection = ("c1x1_w_s2" if number else "c1x1_w_s1") if block == 0 else ""
                blocks.append(
                    _DualPath(inputs, middle << number, width, growth, groups, projection)
                )
                inputs = width + 3 * growth if block == 0 else inputs + growth
            stages.append(nn.Sequential(*blocks))
            widths.append(inputs)
        stages[-1].append(_Act(widths[-1]))
        steps = list(pairwise(widths))
        self.bottlenecks = nn.ModuleList(_Merge(width) for width in reversed(widths[:-1]))
        self.decoder_stages = nn.ModuleList(_Up(large, small) for small, large in steps)
        self.last_upsample = _Up(stem, stem)
        self.final = nn.Sequential(nn.Conv2d(stem, 3, 3, padding=1))
        self.encoder_stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of an image; see the class."""
        encoded = []
        for stage in self.encoder_stages:
            x = stage(x)
            encoded.append(x)
        encoded.pop()
        for up, merge in zip(reversed(self.decoder_stages), self.bottlenecks, strict=True):
            x = merge(up(x), encoded.pop())
        return self.final(self.last_upsample(x))

    def prepare(self) -> DpnUnet:
        """Make it ready to run, in place: normalisations folded where possible, weights in channels-last order.

        Returns
        -------
        DpnUnet
            The network itself, in eval mode. Its state dict no longer has the published keys.
        """
        self.eval().requires_grad_(requires_grad=False)
        for module in self.modules():
            if isinstance(module, _DualPath):
                _fold(module.c1x1_a, module.c3x3_b)
                _fold(module.c3x3_b, module.c1x1_c)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                module.to(memory_format=torch.channels_last)
        return self


def _fold(before: _ActConv, after: _ActConv) -> None:
    """Put the normalisation of `after` into the convolution of `before`, which alone feeds it."""
    if isinstance(after.bn, nn.Identity):
        return
    before.conv = nn.utils.fusion.fuse_conv_bn_eval(before.conv, after.bn)
    after.bn = nn.Identity()
