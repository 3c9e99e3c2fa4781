"""Statistics of many fields: classes by group, two groups compared, plate maps, quality; and their charts."""

from __future__ import annotations
