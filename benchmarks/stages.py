"""Seconds and memory of each stage for a 2048 x 2048 field, cold and warm; see ``organelle-widgets benchmark``."""

from __future__ import annotations

import sys

from organelle_widgets.cli import main

if __name__ == "__main__":
    sys.exit(main(["benchmark", *sys.argv[1:]]))
