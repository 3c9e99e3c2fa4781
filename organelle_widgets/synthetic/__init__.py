"""Virtual cells: fields of all nineteen classes with their ground truth.

They are the product's sample, its teaching material and its test data: `virtual_field` draws a field, `write_sample`
writes a folder of them, `simulate_protein` draws the protein of a recorded cell. Nothing here reads images.
"""

from __future__ import annotations

from organelle_widgets.synthetic._arguments import ClassChoice
from organelle_widgets.synthetic.simulate import simulate_protein
from organelle_widgets.synthetic.virtual import VirtualField, virtual_field
from organelle_widgets.synthetic.writing import write_sample

__all__ = ["ClassChoice", "VirtualField", "simulate_protein", "virtual_field", "write_sample"]
