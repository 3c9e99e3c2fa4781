"""A checkpoint that can't be read ends in a sentence, and none of its code is run."""

from __future__ import annotations

import os
import pickle

import pytest

from organelle_widgets.errors import InputError
from organelle_widgets.training.scene_fit import FitSettings, _read_checkpoint, _take_up


class Evil:
    """A pickle that would run a command."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


def _content(kind, folder):
    import torch

    whole = folder / "whole"
    torch.save({"settings": {}}, whole)
    return {
        "empty": b"",
        "random": b"mzk\x00\xff" * 100,
        "cut short": whole.read_bytes()[:300],
        "code": pickle.dumps(Evil(folder / "mark"), protocol=2),
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "random", "cut short", "code"])
def test_a_damaged_checkpoint_is_refused_in_words(tmp_path, kind):
    path = tmp_path / "base.checkpoint"
    path.write_bytes(_content(kind, tmp_path))
    with pytest.raises(InputError, match="Expected a checkpoint of this training") as caught:
        _take_up(path, {}, FitSettings())
    assert "Delete it" in caught.value.hint
    assert not (tmp_path / "mark").exists()


def test_a_file_of_other_weights_is_no_checkpoint(tmp_path):
    import torch

    path = tmp_path / "base.checkpoint"
    torch.save({"a": torch.zeros(2)}, path)
    with pytest.raises(InputError, match="something else"):
        _read_checkpoint(path)
