"""`python -m tfenv` is the command `tfenv`."""

from __future__ import annotations

from tfenv.cli import main

if __name__ == "__main__":
    main()
