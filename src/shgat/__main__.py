"""`shgat` and `python -m shgat`. The training child starts without the rest of the command line, which would double its start."""

import sys


def main() -> int:
    """Runs one command; returns its exit code."""
    if sys.argv[1:2] == ["worker"]:
        from .worker import child

        return child.main(sys.argv[2:])
    from . import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
