"""The network of the HPA Cell Segmentator: a U-Net on a DPN-92 encoder, in plain torch.

Parameter names, order and shapes are those of the published weight files. What is done to run it faster, without
changing what it computes, stands here too; reading weight files does not.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

__all__ = ["DpnUnet"]

_EPSILON = 0.001  # of every batch normalisation
_STRIP = 48  # rows that are doubled at a time


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

    Each of the nine weights of the convolution meets each pixel of the small image once, and the four output pixels
    of an input pixel are sums of these products: the same result for a quarter of the multiplications.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        count, _, rows, cols = x.shape
        out = x.new_empty(count, 2 * rows, 2 * cols, self.layer[1].out_channels)
        for start in range(0, rows, _STRIP):  # strips keep what is between small
            stop, above = min(rows, start + _STRIP), min(start, 1)
            strip = self._strip(x[:, :, start - above : stop + 1])
            out[:, 2 * start : 2 * stop] = strip[:, 2 * above : 2 * (above + stop - start)]
        return functional.relu_(out).permute(0, 3, 1, 2)

    def _strip(self, x: Tensor) -> Tensor:
        """The convolution of some rows, doubled: (N, C, Y, X) gives (N, 2 Y, 2 X, K)."""
        conv = self.layer[1]

        def tap(row: int, column: int) -> Tensor:
            return _product(x, conv.weight[:, :, row, column])

        def column(number: int) -> Tensor:
            return _doubled(partial(tap, column=number), 1)

        return _doubled(column, 2).add_(conv.bias)


def _product(x: Tensor, weight: Tensor) -> Tensor:
    """A 1 x 1 convolution: (N, C, Y, X) with (K, C) gives (N, Y, X, K)."""
    pixels = x.permute(0, 2, 3, 1)
    return torch.mm(pixels.reshape(-1, x.shape[1]), weight.t()).view(*pixels.shape[:3], -1)


def _doubled(product: Callable[[int], Tensor], axis: int) -> Tensor:
    """The convolution of doubled pixels along one axis, from the products with its three weights, made one by one.

    The first of a pair of output pixels sees the pixel before and twice its own, the second twice its own and the
    pixel after; outside is zero.
    """
    own = product(1)
    shape = list(own.shape)
    pairs = torch.stack([own, own], axis + 1)
    del own
    first, second = (pairs.movedim(axis, 0).select(axis + 1, n) for n in (0, 1))
    before = product(0).movedim(axis, 0)
    first[1:] += before[:-1]
    second += before
    del before
    after = product(2).movedim(axis, 0)
    first += after
    second[:-1] += after[1:]
    shape[axis] *= 2
    return pairs.view(shape)


class _Merge(nn.Module):
    """A 3 x 3 convolution of the decoder's channels and the encoder's, joined, and ReLU.

    For small images it is done weight by weight, because torch's convolution would first rearrange a copy of the
    weights, which are then many times larger than the image.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        conv = self.seq[0]
        count, channels, rows, cols = x.shape
        if rows * cols > 4 * conv.out_channels:
            return functional.relu_(conv(x))
        padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
        out = conv.bias.repeat(count * rows * cols, 1)
        for row in range(3):
            for col in range(3):
                seen = padded[:, row : row + rows, col : col + cols].reshape(-1, channels)
                out.addmm_(seen, conv.weight[:, :, row, col].t())
        return functional.relu_(out).view(count, rows, cols, -1).permute(0, 3, 1, 2)


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
        """Logits of images.

        Parameters
        ----------
        x : Tensor of float32, shape (N, 3, Y, X)
            Normalised images; sides are multiples of 32.

        Returns
        -------
        Tensor of float32, shape (N, 3, Y, X)
            Logits of unused, border and body.
        """
        encoded = []
        for stage in self.encoder_stages:
            x = stage(x)
            encoded.append(x)
        encoded.pop()
        for up, merge in zip(reversed(self.decoder_stages), self.bottlenecks, strict=True):
            x = torch.cat([up(x), encoded.pop()], dim=1)
            x = merge(x)
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
