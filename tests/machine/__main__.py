"""`python -m tests.machine STEPS [SEED]`: the state machine of a case at length."""

import sys

from tests.machine.machine import run_long

if __name__ == "__main__":
    run_long(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
