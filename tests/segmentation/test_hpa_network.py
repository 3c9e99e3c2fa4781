"""The HPA Cell Segmentator's network: the published names and numbers, and the same result when made ready to run."""

import json
import zlib

import numpy as np
import pytest

from organelle_widgets.segmentation._networks import dpn_unet
from organelle_widgets.segmentation._networks.dpn_unet import DpnUnet
from organelle_widgets.segmentation.hpa import build_network

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(1)
    return DpnUnet(8, 16, 8, 4, (1, 2, 2, 1), (4, 4, 4, 4)).eval()


def drawn(key, shape):
    """The weights that the expected logits were computed with."""
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    rng = np.random.default_rng(zlib.crc32(("a" + key).encode()))
    noise = rng.standard_normal(shape).astype(np.float32)
    if key.endswith("running_var"):
        return 1 + np.float32(0.1) * np.abs(noise)
    if len(shape) == 4:
        return noise * np.float32(np.sqrt(2 / np.prod(shape[1:]))) * np.float32(0.5)
    scaled = np.float32(0.1) * noise
    return 1 + scaled if key.endswith("weight") else scaled


@pytest.mark.data
def test_logits_are_those_of_the_original(data):
    folder = data / "parity" / "dpn92_unet"
    shapes = json.loads((folder / "state_dict_shapes.json").read_text())
    network = build_network()
    assert not network.training
    state = network.state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == shapes
    assert list(state) == list(shapes)
    assert sum(p.numel() for p in network.parameters()) == 139_108_867
    for key, value in state.items():
        value.copy_(torch.from_numpy(np.asarray(drawn(key, tuple(value.shape)))))
    expected = np.load(folder / "expected.npz")
    image = torch.from_numpy(expected["input"])
    with torch.inference_mode():
        plain = network(image).numpy()
        ready = network.prepare()(image).numpy()
    assert np.abs(plain - expected["logits"]).max() < 1e-4
    assert np.abs(ready - expected["logits"]).max() < 1e-4


@pytest.mark.parametrize("sides", [(1, 1), (5, 7), (48, 3), (101, 33)])
def test_doubling_and_convolution_are_the_same_done_at_once(sides):
    torch.manual_seed(2)
    up = dpn_unet._Up(6, 4)
    image = torch.randn(2, 6, *sides)
    with torch.inference_mode():
        found, expected = up(image), up.layer(image)
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [2, 600])
def test_merging_is_a_convolution_for_small_and_large_images(channels):
    torch.manual_seed(2)
    merge = dpn_unet._Merge(channels)
    images = torch.randn(2, 2 * channels, 13, 20)
    with torch.inference_mode():
        found, expected = merge(images), merge.seq(images)
    assert expected.abs().max() > 0.1
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_made_ready_it_computes_the_same(tiny):
    for module in tiny.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        before = tiny(image)
        after = tiny.prepare()(image.contiguous(memory_format=torch.channels_last))
        again = tiny.prepare()(image)
    assert before.shape == (1, 3, 64, 96)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(again, before, rtol=1e-4, atol=1e-5)


def test_two_images_do_not_mix(tiny):
    images = torch.randn(2, 3, 32, 64)
    with torch.inference_mode():
        both = tiny(images)
        alone = tiny(images[1:])
    torch.testing.assert_close(both[1:], alone, rtol=1e-4, atol=1e-5)


def test_it_also_runs_where_gradients_are_recorded():
    network = DpnUnet(8, 16, 8, 4, (1, 1, 1, 1), (4, 4, 4, 4)).eval()
    image = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        expected = network(image)
    found = network(image)
    assert found.requires_grad
    torch.testing.assert_close(found.detach(), expected, rtol=1e-4, atol=1e-5)
