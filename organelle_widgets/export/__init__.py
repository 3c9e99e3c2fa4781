"""From results to files that other programs read: one file per format, all behind `Exporter`."""

from __future__ import annotations

from organelle_widgets.export._base import (
    EXPORTERS,
    Exported,
    Exporter,
    default_formats,
    export_field,
    safe_stem,
)

__all__ = ["EXPORTERS", "Exported", "Exporter", "default_formats", "export_field", "safe_stem"]
