"""Entries of the ledger as a short list of ranges."""

from collections.abc import Sequence
from itertools import groupby

_MOST = 4


def places(entries: Sequence[int]) -> str:
    """Return sorted entries as ranges, the first four of them."""
    runs = []
    for _, group in groupby(enumerate(sorted(set(entries))), lambda pair: pair[1] - pair[0]):
        run = [entry for _, entry in group]
        runs.append(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}")
    return ", ".join(runs[:_MOST]) + (", …" if len(runs) > _MOST else "")
