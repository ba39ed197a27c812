"""Which incidents each fault raises on each data set: `python tests/bench/faults.py [--only NAME] [--fault NAME]`.

A dot is as it should be: nothing but data drift without a fault, and exactly one incident of the right category with
one. Anything else is told below. `--trained first` trains each model on the first quarter of its rows alone.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults import FAULTS, judged, opened, verdict
from tests.frames import BUNDLED, Frame, elec2
from tests.lookalikes import GENERATED


def frames(options: argparse.Namespace) -> list[Frame]:
    """Return the data sets asked for."""
    given = [make() for make in (*BUNDLED, *GENERATED)]
    data = options.data or os.environ.get("HEADGATE_TEST_DATA")
    if data:
        given += [elec2(Path(data)), elec2(Path(data), 20_000, 8_000)]
    return [frame for frame in given if not options.only or frame.name in options.only]


def main() -> int:
    """Print the matrix; 1 where anything is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--trained", choices=("all", "first"), default="all")
    options = parser.parse_args()
    faults = options.fault or list(FAULTS)
    complaints, cells = [], 0
    print(f"{'':12}{'rows':>7}{'none':>6}" + "".join(f"{name[:8]:>9}" for name in faults))
    with tempfile.TemporaryDirectory() as folder:
        for frame in frames(options):
            began = time.perf_counter()
            usual = opened(judged(frame, None, Path(folder), trained=options.trained))
            said = verdict(usual, [], None, frame.rows)
            line, cells = f"{frame.name:12}{frame.rows:7}{'X' if said else f'{len(usual)}':>6}", cells + 1
            complaints += [f"{frame.name} without a fault: {said}"] if said else []
            for name in faults:
                if len(frame.numbers) < 2 and name in ("units", "inches", "fahrenheit", "stuck", "swapped", "nan"):
                    line += f"{'-':>9}"
                    continue
                found = opened(judged(frame, name, Path(folder), trained=options.trained))
                said, cells = verdict(found, usual, name, frame.rows), cells + 1
                line += f"{'X' if said else '.':>9}"
                complaints += [f"{frame.name} {name}: {said}"] if said else []
            print(f"{line}  {time.perf_counter() - began:5.1f} s", flush=True)
    print(f"\n{cells - len(complaints)} of {cells} as they should be")
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
