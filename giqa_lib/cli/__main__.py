"""``python -m giqa_lib.cli``, the same as ``giqa``."""

import sys

from giqa_lib.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
