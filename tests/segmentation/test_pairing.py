"""Nuclei take the ids of the cells that hold them."""

import numpy as np

from organelle_widgets.segmentation._pairing import pair_nuclei


def labels(text):
    return np.array([[int(c) for c in row] for row in text.split()], np.int32)


def test_a_nucleus_belongs_to_the_cell_with_most_of_it_and_is_cut_to_it():
    nuclei = labels("0055500 0055500 0000000")
    cells = labels("7778880 7778880 7778880")
    assert pair_nuclei(nuclei, cells).tolist() == labels("0008800 0008800 0000000").tolist()


def test_several_nuclei_share_a_cell():
    nuclei = labels("1100220 0000000")
    cells = labels("4444444 4444444")
    assert pair_nuclei(nuclei, cells).tolist() == labels("4400440 0000000").tolist()


def test_a_nucleus_mostly_on_background_is_dropped():
    nuclei = labels("1111000 0000022")
    cells = labels("0009999 9999999")
    assert pair_nuclei(nuclei, cells).tolist() == labels("0000000 0000099").tolist()


def test_wide_gaps_between_ids_and_no_nuclei():
    cells = np.full((4, 5), 2**30, np.int32)
    nuclei = np.zeros((4, 5), np.int32)
    assert not pair_nuclei(nuclei, cells).any()
    nuclei[1, 2] = 2**30 - 7
    paired = pair_nuclei(nuclei, cells)
    assert paired[1, 2] == 2**30
    assert np.count_nonzero(paired) == 1
    assert not pair_nuclei(nuclei, np.zeros_like(cells)).any()
