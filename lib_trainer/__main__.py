"""`python3 -m lib_trainer COMMAND`."""

from __future__ import annotations

import sys

from lib_trainer.cli import main

if __name__ == "__main__":
    sys.exit(main())
