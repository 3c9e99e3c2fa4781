"""Many fields: find them, run the pipeline over them, survive faults, go on after a stop."""

from __future__ import annotations
