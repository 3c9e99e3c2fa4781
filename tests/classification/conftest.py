"""Toy weights for the backends whose weights are downloaded or a person's own: same files, same names, small."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from organelle_widgets import weights
from organelle_widgets.classification import subcell
from organelle_widgets.errors import WeightsError

TOY_SUBCELL = {
    "vit_model": {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 24,
        "layer_norm_eps": 1e-12,
        "image_size": 64,
        "patch_size": 16,
        "num_channels": 4,
        "qkv_bias": True,
    },
    "pool_model": {"dim": 16, "int_dim": 12, "num_heads": 2},
    "num_classes": 31,
}
TOY_CARD = {
    "classes": ["Nucleoplasm", "Golgi", "Peroxisomes", "Lysosomes", "Debris"],
    "maps_to": {"Debris": None},
    "channels": ["blue", "green"],
    "size_px": 32,
    "pixel_size_um": 0.64,
    "output": "softmax",
}


def write_subcell(folder: Path, names: tuple[str, ...], config: dict = TOY_SUBCELL) -> None:
    """Encoder and heads as they are published: state dicts of `torch.save`."""
    import torch

    torch.manual_seed(3)
    state = subcell.build_network(config, len(names) - 1).state_dict()
    noise = {key: 0.05 if key.startswith("heads.") else 0.5 for key in state}
    noisy = {key: value + noise[key] * torch.randn_like(value) for key, value in state.items()}
    encoder = {key: value for key, value in noisy.items() if not key.startswith("heads.")}
    torch.save(encoder, folder / weights.catalogue()[names[0]].file_name)
    for index, name in enumerate(names[1:]):
        start = f"heads.{index}."
        one = {key.removeprefix(start): v for key, v in noisy.items() if key.startswith(start)}
        torch.save(one, folder / weights.catalogue()[name].file_name)


def write_onnx(path: Path, batch: int | str = "N", n_classes: int = 19) -> None:
    """A network of the published one's input and outputs: means of the channels through one layer each."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(5)
    widths = {"classes": n_classes, "features": 2048}
    constants = [
        numpy_helper.from_array(rng.normal(0, 9, (4, width)).astype(np.float32), f"{name}_weight")
        for name, width in widths.items()
    ]
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "classes_weight"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["classes"]),
        helper.make_node("MatMul", ["flat", "features_weight"], ["features"]),
    ]
    value = helper.make_tensor_value_info
    inputs = [value("image", TensorProto.FLOAT, [batch, 4, 128, 128])]
    outputs = [value(name, TensorProto.FLOAT, [batch, width]) for name, width in widths.items()]
    graph = helper.make_graph(nodes, "toy", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


def write_keras(path: Path, shape: tuple[int, ...], n_classes: int, last: str | None) -> None:
    """A model of crops of that shape, and nothing beside it."""
    from organelle_widgets.classification._keras import quiet_start

    with quiet_start(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Keras as it saves
        import keras

        wide = keras.initializers.RandomNormal(stddev=5.0, seed=1)
        axis = "channels_last" if shape[-1] <= 4 else "channels_first"
        layers = keras.layers
        pooled = layers.GlobalAveragePooling2D(data_format=axis)
        dense = layers.Dense(n_classes, activation=last, kernel_initializer=wide)
        keras.Sequential([keras.Input(shape), pooled, dense]).save(path)


@pytest.fixture(scope="session")
def make_onnx() -> Callable[..., None]:
    """Writes a toy of bestfitting's network to a path."""
    return write_onnx


@pytest.fixture(scope="session")
def make_keras() -> Callable[..., None]:
    """Writes a toy Keras model to a path."""
    return write_keras


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy weights, under their names in the model store."""
    folder = tmp_path_factory.mktemp("toys")
    write_subcell(folder, subcell.SubCell().files)
    write_onnx(folder / weights.catalogue()["hpa-inceptionv3"].file_name)
    return folder


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Keras model of a person's own, with its card beside it."""
    path = tmp_path_factory.mktemp("own") / "mine.keras"
    write_keras(path, (32, 32, 2), 5, "softmax")
    path.with_suffix(".json").write_text(json.dumps(TOY_CARD), encoding="utf-8")
    return path


@pytest.fixture
def toys(toy_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The backends find the toy weights in place of their own."""

    def locate(name: str) -> Path:
        path = toy_folder / weights.catalogue()[name].file_name
        if not path.is_file():
            message = f"{name} is not here."
            raise WeightsError(message, weights=name)
        return path

    monkeypatch.setattr(weights, "locate", locate)
    monkeypatch.setattr(weights, "is_here", lambda name: locate(name).is_file())
    monkeypatch.setattr(weights, "checksum", lambda name: f"sum of {name}")
    monkeypatch.setattr(subcell, "SUBCELL_CONFIG", TOY_SUBCELL)
    return toy_folder
