"""Seconds and memory of segmenting a 2048 x 2048 field: hpa, the straightforward way of the same, and unet.

Every way runs in processes of its own, in turn, with random weights in the published form: neither the time nor the
memory of the networks depends on their values. Labelling is timed on predictions of a virtual field's true cells, or
on those of ``--predictions`` (an .npz with nuclei_prediction and cell_prediction, 2048 x 2048 x 3).

Straightforward means: scikit-image's rescale, both networks as torch builds them, layer by layer in the default
memory layout, and labels at full size.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

WAYS = ("straightforward", "hpa", "hpa bfloat16", "unet")
STAGES = ("input", "nuclei network", "cell network", "labelling")
FILES = ("dpn_unet_nuclei_v1.pth", "dpn_unet_cell_3ch_v1.pth")
SIZE = 2048


def prepare(folder: Path, predictions: str | None) -> None:
    """The field, the maps that are labelled, and random weights."""
    import torch

    from organelle_widgets.segmentation.hpa import build_network
    from organelle_widgets.synthetic import virtual_field

    made = virtual_field((SIZE, SIZE), seed=1)
    np.save(folder / "field.npy", made.field.pixels)
    if predictions:
        given = np.load(predictions)
        pair = (given["nuclei_prediction"], given["cell_prediction"])
        maps = np.stack([image[..., n] for image in pair for n in (1, 2)])
        maps = np.rint(maps.reshape(4, SIZE // 4, 4, SIZE // 4, 4).mean((2, 4)))
    else:
        maps = true_maps(made.masks)
    np.save(folder / "maps.npy", maps.astype(np.uint8))
    for seed, name in enumerate(FILES):
        torch.manual_seed(seed)
        torch.save(build_network().state_dict(), folder / name)


def true_maps(masks) -> np.ndarray:
    """What perfect networks would say of cells: borders where two cells meet, all of it a little blurred."""
    from scipy import ndimage as ndi

    nuclei, cells = (labels[2::4, 2::4] for labels in (masks.nuclei, masks.cells))
    lowest = ndi.minimum_filter(np.where(cells > 0, cells, cells.max() + 1), 3)
    border = (ndi.maximum_filter(cells, 3) != lowest) & (lowest <= cells.max())
    planes = (np.zeros(cells.shape), nuclei > 0, border, (cells > 0) & ~border)
    return np.rint([255 * ndi.gaussian_filter(plane.astype(float), 0.7) for plane in planes])


def straightforward(folder: Path, field, maps):
    """The steps of the published program, as one would write them down."""
    import torch
    from skimage.transform import rescale

    from organelle_widgets.segmentation import _hpa_input as given
    from organelle_widgets.segmentation._hpa_labels import Limits, exact
    from organelle_widgets.segmentation._networks import dpn_unet
    from organelle_widgets.segmentation.hpa import build_network

    dpn_unet._Up.forward = lambda self, x: self.layer(x)
    dpn_unet._Merge.forward = lambda self, x: self.seq(x)
    networks = []
    for name in FILES:
        networks.append(build_network())
        networks[-1].load_state_dict(torch.load(folder / name, weights_only=True))

    def shrunk():
        return np.stack([rescale(field.channel(key), 0.25) for key in ("red", "yellow", "blue")])

    def network(number, image):
        seen = image[[2, 2, 2]] if number == 0 else image
        x = torch.from_numpy(given.pad(given.normalised(seen.astype(np.float32))))[None]
        with torch.no_grad():
            return networks[number](x).softmax(1)[0].numpy()

    def labels():
        return exact(maps.repeat(4, 1).repeat(4, 2), 0.08, Limits())

    return shrunk, network, labels


def ours(folder: Path, field, maps, precision: str):
    """The backend's own steps."""
    from organelle_widgets.core.maps import ProbabilityMaps
    from organelle_widgets.segmentation import _hpa_input
    from organelle_widgets.segmentation._hpa_run import run
    from organelle_widgets.segmentation._hpa_weights import cached_network
    from organelle_widgets.segmentation.hpa import MAP_NAMES, Hpa

    segmenter = Hpa(precision=precision)
    kept = ProbabilityMaps(maps, MAP_NAMES, field.shape, "given")

    def network(number, image):
        seen = image[[2, 2, 2]] if number == 0 else image
        return run(cached_network(folder / FILES[number], precision), seen)

    return (
        lambda: _hpa_input.planes(field),
        network,
        lambda: segmenter._label(field, kept),
    )


def small(field):
    """The package's own network: input and network count as one step."""
    from organelle_widgets.segmentation import make_segmenter

    segmenter = make_segmenter("unet")
    maps = segmenter.predict(field)

    def network(number, image):
        return segmenter.predict(image) if number == 0 else None

    return (lambda: field), network, (lambda: segmenter.label(field, maps))


def measure(way: str, folder: Path, threads: int) -> dict:
    """Seconds of each step of a second pass, and the peak memory of the process."""
    import torch

    from organelle_widgets.core.field import Field
    from organelle_widgets.evaluation.speed import _peak_mib

    torch.set_num_threads(threads)
    field = Field(np.load(folder / "field.npy"))
    maps = np.load(folder / "maps.npy")
    if way == "unet":
        shrunk, network, labels = small(field)
    elif way == "straightforward":
        shrunk, network, labels = straightforward(folder, field, maps)
    else:
        shrunk, network, labels = ours(
            folder, field, maps, "bfloat16" if "bfloat16" in way else "float32"
        )
    for _ in range(2):
        wall, cpu = [time.perf_counter()], [time.process_time()]
        image = shrunk()
        for step in (None, partial(network, 0, image), partial(network, 1, image), labels):
            if step:
                step()
            wall.append(time.perf_counter())
            cpu.append(time.process_time())
    steps = {
        kind: dict(zip(STAGES, np.diff(clock).tolist(), strict=True))
        for kind, clock in (("wall_s", wall), ("cpu_s", cpu))
    }
    return {**steps, "memory_mib": _peak_mib()}


def figures(options: argparse.Namespace) -> dict:
    """Medians over the rounds, by way."""
    found: dict[str, list[dict]] = {way: [] for way in options.ways}
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), options.predictions)
        for _ in range(options.rounds):
            for way in options.ways:
                command = [sys.executable, __file__, "--measure", way, "--folder", folder]
                command += ["--threads", str(options.threads)]
                threads = {"OMP_NUM_THREADS": str(options.threads)}
                ran = subprocess.run(
                    command, check=True, stdout=subprocess.PIPE, env={**os.environ, **threads}
                )
                found[way].append(json.loads(ran.stdout))
    return {way: medians(runs) for way, runs in found.items()}


def medians(runs: list[dict]) -> dict:
    """Medians of the steps' seconds, their sum, and the largest memory."""
    out: dict = {"memory_mib": max(run["memory_mib"] for run in runs)}
    for kind in ("wall_s", "cpu_s"):
        out[kind] = {stage: statistics.median(run[kind][stage] for run in runs) for stage in STAGES}
        out[kind]["all"] = sum(out[kind].values())
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--predictions", help="an .npz of predictions to label")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.folder, options.threads)))
        return
    measured = figures(options)
    if options.json:
        print(json.dumps(measured, indent=2))
        return
    print(f"{SIZE} x {SIZE} px, {options.threads} threads, second pass, median of {options.rounds}")
    print("| way | " + " | ".join(f"{s}, s" for s in STAGES) + " | all, s | CPU s | peak, MiB |")
    print("|---|" + "---:|" * (len(STAGES) + 3))
    for way, row in measured.items():
        steps = " | ".join(f"{row['wall_s'][s]:.2f}" for s in (*STAGES, "all"))
        print(f"| {way} | {steps} | {row['cpu_s']['all']:.2f} | {row['memory_mib']:.0f} |")


if __name__ == "__main__":
    main()
