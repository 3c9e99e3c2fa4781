"""Weight files of the HPA networks in every form, as others write them, and files that must be refused."""

import json
import os
import pickle
import struct
import sys
import zipfile
from types import ModuleType

import pytest

from organelle_widgets.errors import WeightsError
from organelle_widgets.segmentation import _hpa_weights as reading
from organelle_widgets.segmentation._networks import dpn_unet
from organelle_widgets.segmentation._networks.dpn_unet import DpnUnet

torch = pytest.importorskip("torch")

SIZES = (8, 16, 8, 4, (1, 2, 1, 1), (4, 4, 4, 4))
CLASSES = {
    "unet": {"DPNUnet": DpnUnet},
    "abstract_model": {"ConvBottleneck": dpn_unet._Merge, "UnetDecoderBlock": dpn_unet._Up},
    "dpn": {
        "DualPathBlock": dpn_unet._DualPath,
        "CatBnAct": dpn_unet._Act,
        "BnActConv2d": dpn_unet._ActConv,
    },
}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return DpnUnet(*SIZES).eval()


@pytest.fixture
def image():
    return torch.randn(1, 3, 64, 32, generator=torch.Generator().manual_seed(4))


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Files are compared with a small network instead of the published one."""

    def empty():
        with torch.device("meta"):
            return DpnUnet(*SIZES).eval()

    monkeypatch.setattr(reading, "empty_network", empty)
    monkeypatch.setattr(reading, "_cache", type(reading._cache)())


@pytest.fixture
def foreign(monkeypatch, network):
    """The same network made of classes with the names and attributes of the original, which exist here only."""
    made = {}
    for module, classes in CLASSES.items():
        home = ModuleType(f"pytorch_zoo.{module}")
        monkeypatch.setitem(sys.modules, home.__name__, home)
        for name, own in classes.items():
            made[own] = type(name, (torch.nn.Module,), {"__module__": home.__name__})
            setattr(home, name, made[own])
    monkeypatch.setitem(sys.modules, "pytorch_zoo", ModuleType("pytorch_zoo"))
    model = renamed(network, made)
    model.decoder_block = made[dpn_unet._Up]
    model.bottleneck_type = made[dpn_unet._Merge]
    model.filters = [8, 28]
    return model


def renamed(module, made):
    """A copy of a module with other classes."""
    copy = made.get(type(module), type(module)).__new__(made.get(type(module), type(module)))
    copy.__dict__.update(module.__dict__)
    children = {name: renamed(child, made) for name, child in module.named_children()}
    copy.__dict__["_modules"] = children
    return copy


def same(network, path, image):
    """Whether a file gives the network's own results."""
    with torch.inference_mode():
        found = reading.load_network(path)(image)
        torch.testing.assert_close(found, network(image), rtol=1e-4, atol=1e-5)
    assert found.shape == image.shape
    return True


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")  # torch, while it saves
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("parallel", [False, True], ids=["bare", "DataParallel"])
def test_pickled_networks_of_the_original_classes(
    foreign, network, image, tmp_path, zipped, parallel
):
    path = tmp_path / "network.pth"
    model = torch.nn.DataParallel(foreign) if parallel else foreign
    torch.save(model, path, _use_new_zipfile_serialization=zipped)
    for name in [name for name in sys.modules if name.startswith("pytorch_zoo")]:
        del sys.modules[name]
    assert same(network, path, image)
    assert "pytorch_zoo" not in sys.modules


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts(network, image, tmp_path, prefix, outer, zipped):
    path = tmp_path / "state.pth"
    state = {prefix + name: value for name, value in network.state_dict().items()}
    torch.save(
        {"state_dict": state} if outer else state, path, _use_new_zipfile_serialization=zipped
    )
    assert same(network, path, image)


def test_state_dicts_without_counters_and_of_half_precision(network, image, tmp_path):
    path = tmp_path / "state.pth"
    state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
    torch.save(state, path)
    assert same(network, path, image)
    torch.save({name: value.half() for name, value in state.items()}, path)
    assert all(value.dtype == torch.float32 for value in reading.read_state(path).values())


def test_safetensors(network, image, tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "weights.bin"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    assert same(network, path, image)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_torchscript_gives_its_weights_to_our_network(network, image, tmp_path):
    path = tmp_path / "network.pt"
    torch.jit.trace(network, image).save(str(path))
    assert same(network, path, image)
    assert isinstance(reading.load_network(path), DpnUnet)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_with_other_names_runs_as_it_is(tmp_path, image):
    path = tmp_path / "other.pt"
    torch.jit.trace(torch.nn.Conv2d(3, 3, 1), image).save(str(path))
    found = reading.load_network(path)
    assert isinstance(found, torch.jit.ScriptModule)
    assert found(image).shape == image.shape
    with pytest.raises(WeightsError, match="without 'bottlenecks"):
        reading.load_network(path, "bfloat16")


class Evil:
    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("form", ["pickle", "before 1.6", "zip", "in a module"])
def test_a_pickle_that_would_run_a_command_is_refused_and_runs_nothing(tmp_path, form):
    path, target = tmp_path / "evil.pth", tmp_path / "ran"
    evil = Evil()
    evil.target = target
    if form == "pickle":
        path.write_bytes(pickle.dumps(evil, protocol=2))
    elif form == "in a module":
        module = torch.nn.ReLU()
        module.extra = evil
        torch.save(module, path, _use_new_zipfile_serialization=False)
    else:
        torch.save({"a": evil}, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(
        WeightsError, match=r"was not opened.*(posix|nt)\.system.*could run code"
    ) as caught:
        reading.load_network(path)
    assert not target.exists()
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
def test_files_cut_short_are_refused(network, tmp_path, zipped, share):
    path = tmp_path / "network.pth"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(WeightsError, match=r"network.pth is damaged, cut short or something else"):
        reading.load_network(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"<html>",
        b"PK\x03\x04 no zip",
        bytes(600),
        b"\x80\x02.",
        struct.pack("<Q", 40) + b"{" + b"x" * 39,
        pickle.dumps([1, 2], protocol=2),
    ],
)
def test_anything_else_is_refused(tmp_path, content):
    path = tmp_path / "thing.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"thing.pth"):
        reading.load_network(path)


def test_an_archive_with_no_weights_is_refused(tmp_path):
    path = tmp_path / "thing.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.json", json.dumps({}))
    with pytest.raises(WeightsError, match=r"thing.zip is damaged"):
        reading.load_network(path)


def test_other_networks_are_refused_in_words(network, tmp_path):
    path = tmp_path / "other.pth"
    state = network.state_dict()
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r"expected \d+ names; found 1, without 'bottlenecks\.0"):
        reading.load_network(path)
    torch.save({**state, "more": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"found \d+, among them 'more'"):
        reading.load_network(path)
    torch.save({**state, "final.0.bias": torch.zeros(4)}, path)
    with pytest.raises(WeightsError, match=r"'final.0.bias' of shape \(3,\); found \(4,\)"):
        reading.load_network(path)


def test_a_network_is_loaded_once_until_its_file_changes(network, tmp_path):
    paths = [tmp_path / f"{n}.pth" for n in range(3)]
    for path in paths:
        torch.save(network.state_dict(), path)
    first = reading.cached_network(paths[0])
    assert reading.cached_network(paths[0]) is first
    assert reading.cached_network(paths[0], "bfloat16") is not first
    assert next(reading.cached_network(paths[0], "bfloat16").parameters()).dtype == torch.bfloat16
    os.utime(paths[0], ns=(1, 1))
    changed = reading.cached_network(paths[0])
    assert changed is not first
    for path in paths[1:]:
        reading.cached_network(path)
    assert len(reading._cache) == 2, "a third network pushes out the one used longest ago"
    assert reading.cached_network(paths[0]) is not changed
