"""How soon drift is found, and how often where there is none: `python tests/bench/drift [--seed N] [--quick]`.

The directory can be run as such, or as `python -m tests.bench.drift`; see run.py.
"""

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    sys.exit(import_module("tests.bench.drift.run").main())
