"""``python -m organelle_widgets`` is ``organelle-widgets``."""

from __future__ import annotations

import sys

from organelle_widgets.cli import main

if __name__ == "__main__":
    sys.exit(main())
