"""From files to fields: find the fields of a folder and read them, whatever format they come in.

Only reading is done here, and only of images: tables and results are written elsewhere. Importing this package
loads no image library; each reader imports its own when it is used.
"""

from __future__ import annotations

from organelle_widgets.io.discover import discover_fields
from organelle_widgets.io.field_list import is_field_list, read_field_list
from organelle_widgets.io.read import find_field, read_field
from organelle_widgets.io.readers.masks import read_mask
from organelle_widgets.io.sources import FieldSource

__all__ = [
    "FieldSource",
    "discover_fields",
    "find_field",
    "is_field_list",
    "read_field",
    "read_field_list",
    "read_mask",
]
