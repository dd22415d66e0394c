"""The program ``pullback``, also as ``python -m pullback``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded ends it quietly."""
    try:
        from pullback.cli import main as run  # noqa: PLC0415  # what takes time is in here
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
