"""`python -m shgat.worker`: the training child, without the rest of the command line."""

import sys

from .child import main

if __name__ == "__main__":
    sys.exit(main())
