"""Readers of image formats: one file per format, all behind `Reader`, plus the reader of label images.

A reader turns one file (or one OME-Zarr folder) into planes, their names and their pixel size. Which plane is
which channel of a field, and whether the planes can be a field at all, is decided one folder up.
"""

from __future__ import annotations

from organelle_widgets.io.readers._base import (
    MAX_PIXELS,
    READERS,
    Header,
    Reader,
    is_image_folder,
    reader_for,
)

__all__ = ["MAX_PIXELS", "READERS", "Header", "Reader", "is_image_folder", "reader_for"]
