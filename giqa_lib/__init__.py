"""Quality of each generated image: features, scores, agreement, and what follows from them.

The sub-packages stand in ranks and import only from lower ones::

    checks < {store, checkpoints} < data < features < learning < {scores, iqa, gan, evaluation}
           < applications < {results, figures, collecting} < runner < {cli, distributed} < __main__
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("giqa-lib")
except PackageNotFoundError:  # a source tree on PYTHONPATH, not installed
    __version__ = "0+unknown"
