"""Batches to learn segmentation from: crops of scenes, changed at random, and what the network should say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from organelle_widgets.training.scenes import Scene

__all__ = ["SceneMixture", "change", "crop", "targets"]

_SCALE = 1 / 160  # of a scene's bytes
_CONTACT = 2  # pixels on each side of a line between cells that count as their border
_CYTOPLASM, _NUCLEI = [0, 2], 1


@dataclass(frozen=True, eq=False)
class SceneMixture:
    """Scenes of several kinds and how they are mixed.

    Parameters
    ----------
    kinds : mapping of str to sequence of Scene
        By name.
    shares : mapping of str to float
        Relative share of each kind in a batch.
    """

    kinds: Mapping[str, Sequence[Scene]]
    shares: Mapping[str, float]

    def draw(self, size: int, side: int, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        """A batch.

        Parameters
        ----------
        size : int
            Number of crops.
        side : int
            Their rows and columns, pixels.
        rng : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        image : torch.Tensor of float32, shape (size, 3, side, side)
            The network's input.
        truth : torch.Tensor of float32, shape (size, 4, side, side)
            See `targets`.
        known : torch.Tensor of bool, shape (size, 4, 1, 1)
            Whether each plane of the truth is known.
        """
        import torch

        names = [name for name in self.kinds if self.kinds[name]]
        share = np.array([self.shares[name] for name in names], float)
        picks = rng.choice(len(names), size, p=share / share.sum())
        scenes = [(kind := self.kinds[names[pick]])[int(rng.integers(len(kind)))] for pick in picks]
        planes = torch.stack([crop(scene, side, rng) for scene in scenes])
        truth = targets(planes[:, 3], planes[:, 4], planes[:, 5])
        known = torch.ones((size, 4, 1, 1), dtype=torch.bool)
        known[[scene.cells is None for scene in scenes], 2:] = False
        image = torch.stack(
            [change(p[:3], s.cells is not None, rng) for p, s in zip(planes, scenes, strict=True)]
        )
        return image, truth, known


def crop(scene: Scene, side: int, rng: np.random.Generator) -> Any:
    """A square of a scene, turned, flipped and zoomed at random.

    Parameters
    ----------
    scene : Scene
        What to cut from.
    side : int
        Rows and columns, pixels.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    torch.Tensor of float32, shape (6, side, side)
        Image (3), depth in the nuclei, labels of nuclei, labels of cells (0 where unknown). Outside of the scene
        all is 0.
    """
    import torch
    from torch.nn.functional import grid_sample

    zoom = np.exp(rng.uniform(*np.log(scene.zoom)))
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.integers(4) * np.pi / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    turn *= rng.choice([-1, 1], size=(1, 2)) * rng.uniform(0.88, 1.13, size=(1, 2))
    size = np.array(scene.nuclei.shape)
    spare = np.maximum(size - side / zoom, 0) / 2
    middle = size / 2 + rng.uniform(-1, 1, 2) * spare
    reach = int(np.ceil(side / zoom * 0.85)) + 2
    start = np.clip(middle.astype(int) - reach, 0, size)
    stop = np.clip(middle.astype(int) + reach, 0, size)
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    steps = np.arange(side) - (side - 1) / 2
    rows, cols = np.meshgrid(steps, steps, indexing="ij")
    at = np.stack([rows, cols], -1) @ turn.T + middle - start
    at = (2 * at / (stop - start) - 1)[..., ::-1]
    grid = torch.from_numpy(np.ascontiguousarray(at, np.float32))[None]
    smooth = np.concatenate([scene.image[:, *box], scene.centre[None, *box]])
    cells = np.zeros_like(scene.nuclei[box]) if scene.cells is None else scene.cells[box]
    exact = np.stack([scene.nuclei[box], cells])
    out = []
    for part, mode in ((smooth, "bilinear"), (exact, "nearest")):
        source = torch.from_numpy(part.astype(np.float32))[None]
        out.append(
            grid_sample(source, grid, mode=mode, padding_mode="zeros", align_corners=False)[0]
        )
    joined = torch.cat(out)
    joined[:3] *= _SCALE
    return joined


def targets(depth: Any, nuclei: Any, cells: Any) -> Any:
    """What the network should say.

    Parameters
    ----------
    depth : torch.Tensor of float32, shape (N, Y, X)
        Depth in the nuclei, 0 to 255.
    nuclei, cells : torch.Tensor of float32, shape (N, Y, X)
        Labels.

    Returns
    -------
    torch.Tensor of float32, shape (N, 4, Y, X)
        Nucleus, depth in the nucleus, cell, border between cells; each in [0, 1].
    """
    import torch
    from torch.nn.functional import max_pool2d

    window = 2 * _CONTACT + 1
    most = cells.max() + 1
    high = max_pool2d(cells, window, 1, _CONTACT)
    low = most - max_pool2d(
        torch.where(cells > 0, most - cells, torch.zeros_like(cells)), window, 1, _CONTACT
    )
    border = (high != low) & (low < most) & (high > 0)
    planes = [nuclei > 0, (depth / 255) * (nuclei > 0), cells > 0, border]
    return torch.stack([plane.to(torch.float32) for plane in planes], dim=1)


def change(image: Any, has_cells: bool, rng: np.random.Generator) -> Any:
    """Change intensities as stains, exposure, focus and missing channels would.

    Parameters
    ----------
    image : torch.Tensor of float32, shape (3, Y, X)
        The network's input.
    has_cells : bool
        Whether the cytoplasm stains matter.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    torch.Tensor of float32, shape (3, Y, X)
        Changed.
    """
    import torch

    if has_cells:
        image = _missing(image, rng)
    if rng.random() < 0.3:
        image = _blurred(image, float(rng.uniform(0.4, 1.8)))
    linear = image.square()
    if rng.random() < 0.3:  # unevenly lit, or cells of different brightness
        linear = linear * _uneven(image.shape[1:], rng)
    if rng.random() < 0.35:  # haze out of focus
        linear = linear + _blurred(linear, float(rng.uniform(5, 14))) * float(rng.uniform(0.1, 0.6))
    empty = image.amax(dim=(1, 2), keepdim=True) == 0
    gain = torch.from_numpy(rng.lognormal(0, 0.35, (3, 1, 1)).astype(np.float32))
    offset = torch.from_numpy((rng.random((3, 1, 1)) ** 3 * 0.12).astype(np.float32))
    linear = linear * gain + torch.where(empty, 0, offset)
    if rng.random() < 0.5:  # few photons
        level = float(np.exp(rng.uniform(np.log(0.01), np.log(0.15))))
        noise = torch.from_numpy(rng.standard_normal(image.shape, np.float32))
        linear = linear + torch.where(empty, 0, noise * level * (0.3 + linear.clamp(min=0).sqrt()))
    if rng.random() < 0.2:  # few grey levels
        levels = float(rng.integers(8, 60))
        linear = (linear * levels).round() / levels
    power = torch.from_numpy(np.exp(rng.normal(0, 0.22, (3, 1, 1))).astype(np.float32))
    return linear.clamp(0, 1.5).pow(0.5 * power)


def _missing(image: Any, rng: np.random.Generator) -> Any:
    """Leave out ER, microtubules or both, or exchange them."""
    import torch

    image = image.clone()
    dice = rng.random()
    if dice < 0.15:
        image[2] = 0
    elif dice < 0.25:
        image[0] = 0
    elif dice < 0.30:  # one stain of the cytoplasm, as where the protein's stain must do
        image[0], image[2] = image[int(rng.choice(_CYTOPLASM))].clone(), torch.zeros_like(image[2])
    elif dice < 0.40:
        image[_CYTOPLASM] = image[_CYTOPLASM[::-1]]
    return image


def _blurred(image: Any, sigma: float) -> Any:
    """Gaussian blur; a wide one at a quarter of the resolution."""
    import torch
    from torch.nn.functional import avg_pool2d, conv2d, interpolate

    if sigma > 4:
        small = _blurred(avg_pool2d(image, 4), sigma / 4)
        return interpolate(small[None], scale_factor=4, mode="bilinear")[0]
    radius = int(np.ceil(3 * sigma))
    taps = torch.exp(
        -torch.arange(-radius, radius + 1, dtype=torch.float32).square() / (2 * sigma**2)
    )
    taps = taps / taps.sum()
    out = conv2d(image[:, None], taps[None, None, :, None], padding=(radius, 0))
    return conv2d(out, taps[None, None, None], padding=(0, radius))[:, 0]


def _uneven(shape: Sequence[int], rng: np.random.Generator) -> Any:
    """Smooth random gains about 1, another for each plane."""
    import torch
    from torch.nn.functional import interpolate

    size = int(rng.integers(3, 9))
    field: NDArray[np.float32] = rng.normal(0, 0.5, (1, 3, size, size)).astype(np.float32)
    return interpolate(torch.from_numpy(field), size=tuple(shape), mode="bicubic")[0].exp()
