"""`ntm-memory` and `python -m ntm_memory_skill`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    from ntm_memory_skill.hosts.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
