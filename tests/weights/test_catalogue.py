"""What the catalogue says of each file is complete, and honest about what is not known."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from organelle_widgets import weights
from organelle_widgets.weights._words import megabytes

FILES = weights.catalogue()


@pytest.mark.parametrize("name", FILES)
def test_an_entry_is_complete(name):
    file = FILES[name]
    assert file.name == name
    assert urlsplit(file.url).scheme == "https"
    assert file.file_name in file.url
    assert re.fullmatch(r"10\.\d{4,}/\S+", file.doi)
    for text in (file.title, file.licence, file.licence_url, file.source, file.card, file.used_by):
        assert text


@pytest.mark.parametrize("name", FILES)
def test_a_checksum_is_whole_or_its_lack_is_said(name):
    file = FILES[name]
    assert re.fullmatch(r"([0-9a-f]{32})?", file.md5)
    assert re.fullmatch(r"([0-9a-f]{64})?", file.sha256)
    assert file.sha256 or "No checksum" in file.unverified
    assert file.size_bytes is not None or "exact size" in file.unverified


def test_names_of_files_are_unique():
    assert len({file.file_name for file in FILES.values()}) == len(FILES)


def test_a_bundle_has_one_maker_licence_and_backend():
    bundles = {file.bundle for file in FILES.values() if file.bundle}
    assert bundles
    assert not bundles & set(FILES)
    for bundle in bundles:
        files = [file for file in FILES.values() if file.bundle == bundle]
        assert len(files) > 1
        assert len({(file.licence, file.source, file.used_by) for file in files}) == 1


def test_a_licence_that_nobody_states_is_not_made_up():
    file = FILES["hpa-inceptionv3"]
    assert "not stated" in file.licence
    assert "states a licence" in file.unverified


def test_the_catalogue_can_not_be_changed_by_accident():
    weights.catalogue().clear()
    assert weights.catalogue() == FILES


def test_sizes_in_words():
    assert [megabytes(n) for n in (None, 0, 599_000, 2_340_000, 559_400_000)] == [
        "unknown size",
        "0 MB",
        "0.6 MB",
        "2.3 MB",
        "559 MB",
    ]
    assert FILES["hpa-nuclei"].size_text == "about 560 MB"
