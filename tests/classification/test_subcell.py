"""SubCell: the published names and numbers, its classes among ours, its weight files."""

from __future__ import annotations

import json
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from organelle_widgets import weights
from organelle_widgets.classification import make_classifier
from organelle_widgets.classification._subcell_weights import cached_network, load, read_tensors
from organelle_widgets.classification.subcell import (
    SUBCELL_CLASSES,
    SUBCELL_CONFIG,
    SubCell,
    build_network,
)
from organelle_widgets.core.labels import CLASS_NAMES, class_index
from organelle_widgets.errors import ClassificationError, SettingsError, WeightsError

torch = pytest.importorskip("torch")


@pytest.mark.data
def test_answers_are_those_of_the_original(data):
    folder = data / "parity" / "subcell"
    network = build_network(json.loads((folder / "config.json").read_text()), n_heads=2)
    assert not network.training
    load(network, folder / "encoder.pth", [folder / f"classifier_s{seed}.pth" for seed in (0, 1)])
    expected = np.load(folder / "expected.npz")
    with torch.inference_mode():
        said = network(torch.from_numpy(expected["input"]))
    for name in ("probabilities", "embedding", "attention"):
        assert np.abs(getattr(said, name).numpy() - expected[name]).max() < 1e-5, name


def test_the_published_size():
    with torch.device("meta"):
        network = build_network(n_heads=1)
    count = {
        part: sum(p.numel() for name, p in network.named_parameters() if name.startswith(part))
        for part in ("encoder.", "pool_model.", "heads.0.")
    }
    file = weights.catalogue()["subcell-vit-encoder"]
    bytes_of_numbers = 4 * (count["encoder."] + count["pool_model."])
    assert 0 < file.size_bytes - bytes_of_numbers < 100_000  # the rest of the file are names
    about = weights.catalogue()["subcell-vit-head-0"].about_bytes
    assert abs(4 * count["heads.0."] - about) < 50_000


def test_the_classes_among_ours():
    assert len(SUBCELL_CLASSES) == len(set(SUBCELL_CLASSES)) == SUBCELL_CONFIG["num_classes"] == 31
    assert SubCell().known_classes().all()
    from organelle_widgets.classification.subcell import _MAP

    found = {
        name: CLASS_NAMES[index]
        for name, index in zip(_MAP.own, _MAP.ours, strict=True)
        if index is not None and CLASS_NAMES[index] != name
    }
    vesicles = "Vesicles and punctate cytosolic patterns"
    assert found == {
        "Cell Junctions": "Plasma membrane",
        "Centriolar satellite": "Centrosome",
        "Cytoplasmic bodies": vesicles,
        "Endosomes": vesicles,
        "Focal adhesion sites": "Actin filaments",
        "Lipid droplets": vesicles,
        "Lysosomes": vesicles,
        "Nucleoli rim": "Nucleoli",
        "Peroxisomes": vesicles,
        "Vesicles": vesicles,
    }
    nowhere = {
        name for name, index in zip(SUBCELL_CLASSES, _MAP.ours, strict=True) if index is None
    }
    assert nowhere == {"Cytokinetic bridge", "Midbody", "Mitotic chromosome"}


def test_it_shows_its_own_classes_and_ours(toys, disc_field, disc_masks):
    answers = SubCell().answer(disc_field, disc_masks)
    assert answers.own_classes == SUBCELL_CLASSES
    assert answers.own_probabilities.shape == (3, 31)
    assert answers.embedding.shape == (3, 32)
    index = SUBCELL_CLASSES.index
    np.testing.assert_array_equal(
        answers.probabilities[:, class_index("Mitochondria")],
        answers.own_probabilities[:, index("Mitochondria")],
    )
    np.testing.assert_array_equal(
        answers.probabilities[:, class_index("Centrosome")],
        answers.own_probabilities[:, [index("Centrosome"), index("Centriolar satellite")]].max(1),
    )


def test_neighbours_matter_only_if_they_are_shown(toys, disc_field, disc_masks):
    alone = disc_field.pixels * (disc_masks.cells == 2)
    field = type(disc_field)(alone, "alone", 0.32, "given")

    def differs(**settings):
        judge = SubCell(**settings)
        pair = [judge.classify(one, disc_masks)[0] for one in (field, disc_field)]
        return bool(np.abs(pair[0] - pair[1]).max() > 1e-3)

    assert differs(neighbours=True)
    assert not differs(neighbours=False)


def test_heads_are_averaged(toys, disc_field, disc_masks):
    crops = np.random.default_rng(1).random((2, 4, 64, 64)).astype(np.float32)
    encoder, *heads = (weights.locate(name) for name in SubCell().files)
    from organelle_widgets.classification import subcell

    def said(paths):
        network = cached_network(subcell.SUBCELL_CONFIG, encoder, paths)
        with torch.inference_mode():
            return network(torch.from_numpy(crops)).probabilities.numpy()

    each = [said([path]) for path in heads]
    assert np.abs(each[0] - each[1]).max() > 1e-3
    np.testing.assert_allclose(said(heads), np.mean(each, axis=0), atol=1e-6)


def test_files_are_an_encoder_and_its_heads():
    for kind in ("vit", "mae"):
        files = SubCell(encoder=kind).files
        assert files[0] == f"subcell-{kind}-encoder"
        assert len(files) >= 3
        assert all(name.startswith(f"subcell-{kind}-head-") for name in files[1:])
    with pytest.raises(SettingsError, match=r"encoder: expected one of vit, mae; found 'dino'"):
        make_classifier("subcell", encoder="dino")


def test_what_fetches_all_missing_files_is_said(tmp_path, monkeypatch, disc_field, disc_masks):
    monkeypatch.setenv("ORGANELLE_WIDGETS_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="models download subcell-mae") as caught:
        SubCell(encoder="mae").answer(disc_field, disc_masks)
    assert caught.value.weights == "subcell-mae-encoder"
    assert caught.value.source == "discs"
    assert SubCell(encoder="mae").provenance()["weights"] == {}


def test_provenance_names_every_file(toys):
    said = SubCell().provenance()
    assert said["name"] == "subcell"
    assert said["settings"] == {"encoder": "vit", "neighbours": False}
    assert said["weights"] == {name: f"sum of {name}" for name in SubCell().files}


def test_several_threads_share_one_network(toys, disc_field, disc_masks):
    expected = SubCell().classify(disc_field, disc_masks)
    with ThreadPoolExecutor(3) as threads:
        jobs = [threads.submit(SubCell().classify, disc_field, disc_masks) for _ in range(6)]
        for job in jobs:
            np.testing.assert_allclose(job.result(timeout=60), expected, atol=1e-6)


class Malicious:
    def __reduce__(self):
        return (sys.exit, (3,))


def test_pickles_of_anything_but_tensors_are_not_opened(tmp_path):
    path = tmp_path / "all.pth"
    path.write_bytes(pickle.dumps({"x": Malicious()}))
    with pytest.raises(
        WeightsError, match=r"all\.pth is damaged, cut short or holds something else"
    ):
        read_tensors(path)
    torch.save({"x": Malicious()}, path)
    with pytest.raises(WeightsError, match=r"weights only; all\.pth"):
        read_tensors(path)
    torch.save([torch.zeros(3)], path)
    with pytest.raises(WeightsError, match=r"Expected tensors by name; all\.pth holds list"):
        read_tensors(path)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            lambda s: s.pop("encoder.layernorm.bias"),
            r"1 of \d+ are missing, such as 'encoder.layer",
        ),
        (
            lambda s: s.update({"encoder.more": torch.zeros(1)}),
            "1 don't belong to it.*'encoder.more",
        ),
        (
            lambda s: s.update({"encoder.layernorm.bias": torch.zeros(5)}),
            r"'encoder.layernorm.bias' of shape \(16,\); found \(5,\)",
        ),
    ],
)
def test_other_weights_are_refused(toys, tmp_path, spoil, text):
    from organelle_widgets.classification import subcell

    encoder, *heads = (weights.locate(name) for name in SubCell().files)
    state = torch.load(encoder, weights_only=True)
    spoil(state)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=text):
        cached_network(subcell.SUBCELL_CONFIG, tmp_path / "other.pth", heads)


def test_what_a_training_kept_besides_is_left_aside(toys, tmp_path):
    from organelle_widgets.classification import subcell

    encoder, *heads = (weights.locate(name) for name in SubCell().files)
    state = torch.load(encoder, weights_only=True)
    torch.save({"state_dict": {**state, "decoder.x": torch.zeros(2)}}, tmp_path / "run.pth")
    network = cached_network(subcell.SUBCELL_CONFIG, tmp_path / "run.pth", heads)
    assert torch.equal(network.encoder.layernorm.bias, state["encoder.layernorm.bias"])


def test_a_failing_network_is_told(toys, monkeypatch, disc_field, disc_masks):
    def out_of_memory(*_):
        message = "out of memory"
        raise RuntimeError(message)

    monkeypatch.setattr(torch, "from_numpy", out_of_memory)
    with pytest.raises(ClassificationError, match="for 3 cells; found an error: out of memory"):
        SubCell().classify(disc_field, disc_masks)


def test_an_incomplete_configuration_is_refused():
    with pytest.raises(WeightsError, match="configuration of SubCell with 'pool_model'"):
        build_network({"vit_model": SUBCELL_CONFIG["vit_model"]})
