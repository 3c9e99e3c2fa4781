"""A small U-Net for nuclei and cells that works at half resolution inside and answers at full resolution."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["SmallUNet"]


class ConvBlock(nn.Module):
    """Two 3x3 convolutions with batch norm and ReLU around a shortcut.

    Shape: (N, in_channels, Y, X) -> (N, out_channels, Y, X).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve."""
        first = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(first)) + first)

    def fold(self) -> None:
        """Fold the batch norms into the convolutions; for eval mode only."""
        self.conv1 = fuse_conv_bn_eval(self.conv1, self.norm1)
        self.conv2 = fuse_conv_bn_eval(self.conv2, self.norm2)
        self.norm1, self.norm2 = nn.Identity(), nn.Identity()


class SmallUNet(nn.Module):
    """U-Net on squares of 2 x 2 pixels.

    The input's squares of 2 x 2 pixels become channels, the encoder halves the grid at every further stage, the decoder
    doubles it with bilinear interpolation and adds what the encoder saw, and the last convolution's channels
    become squares of 2 x 2 pixels again (Shi et al. 2016, doi:10.1109/CVPR.2016.207). All of it runs at half
    resolution or less, which is what makes it quick.

    Shape: (N, in_channels, Y, X) -> (N, out_channels, Y, X), logits; Y and X multiples of `stride`.

    Parameters
    ----------
    in_channels, out_channels : int
        Planes in and out.
    widths : sequence of int
        Channels of each stage, finest first.

    References
    ----------
    Ronneberger, Fischer and Brox 2015, doi:10.1007/978-3-319-24574-4_28 (U-Net).
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 4,
        widths: tuple[int, ...] = (40, 72, 128, 160, 192),
    ) -> None:
        super().__init__()
        self.stride = 2 ** len(widths)
        self.encoder = nn.ModuleList(
            ConvBlock(before, after)
            for before, after in zip((4 * in_channels, *widths), widths, strict=False)
        )
        self.lateral = nn.ModuleList(
            nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths)
        )
        self.decoder = nn.ModuleList(ConvBlock(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 4 * out_channels, 3, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits of every plane.

        Parameters
        ----------
        image : torch.Tensor of float32, shape (N, in_channels, Y, X)
            Y and X multiples of `stride`.

        Returns
        -------
        torch.Tensor of float32, shape (N, out_channels, Y, X)
            Logits.
        """
        x = functional.pixel_unshuffle(image, 2)
        skips = []
        for depth, block in enumerate(self.encoder):
            x = block(functional.max_pool2d(x, 2) if depth else x)
            skips.append(x)
        for depth in reversed(range(len(self.decoder))):
            x = functional.interpolate(self.lateral[depth](x), scale_factor=2, mode="bilinear")
            x = self.decoder[depth](torch.cat([skips[depth], x], dim=1))
        return functional.pixel_shuffle(self.head(x), 2)

    def fused(self) -> SmallUNet:
        """Itself in eval mode with batch norms folded in: the same answers, sooner; it can't be trained then.

        Returns
        -------
        SmallUNet
            The same object.
        """
        self.eval()
        for block in (*self.encoder, *self.decoder):
            block.fold()
        return self
