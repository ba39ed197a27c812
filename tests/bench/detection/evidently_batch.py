"""A whole batch at once, against a reference: Evidently's drift report beside our histograms and PSI.

`python -m tests.bench.detection.evidently_batch ROWS COLUMNS` prints JSON: seconds, rows and drifted columns of each.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.detection.detectors.psi import stability
from agents.detection.guard import Runs, count_bad
from agents.detection.profile import Facet, learn
from schemas.thresholds import Thresholds

SHIFTED = 3


def tables(rows: int, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return reference and current rows, columns first; some columns of the second are shifted by one deviation."""
    rng = np.random.default_rng(5)
    before, now = rng.normal(size=(2, columns, rows))
    now[:SHIFTED] += 1.0
    return before, now


def ours(before: NDArray[np.float64], now: NDArray[np.float64]) -> list[int]:
    """Learn the reference and return the columns whose PSI is beyond the default policy's."""
    policy = Thresholds()
    facets = tuple(Facet(name=f"f{n:02}", role="feature", text=False) for n in range(len(before)))
    _, pairs = Runs(len(facets)).longest(before)
    profile, _ = learn(facets, before, count_bad(None, len(facets)), pairs, policy)
    psi, _ = stability(profile.histogram(now), profile.counts, profile.used, profile.inflation)
    return [int(i) for i in np.flatnonzero(psi > policy.psi)]


def evidently(before: NDArray[np.float64], now: NDArray[np.float64]) -> list[int]:
    """Return the columns that Evidently's PSI calls drifted, at the same threshold."""
    warnings.simplefilter("ignore")
    import pandas as pd
    from evidently import Report
    from evidently.metrics import ValueDrift

    names = [f"f{n:02}" for n in range(len(before))]
    frames = [pd.DataFrame(dict(zip(names, data, strict=True))) for data in (now, before)]
    limit = Thresholds().psi
    report = Report([ValueDrift(column=name, method="psi", threshold=limit) for name in names])
    result = report.run(*frames)
    return [n for n, metric in enumerate(result.dict()["metrics"]) if float(metric["value"]) > limit]


def timed(work: Callable[..., list[int]], *given: Any) -> dict[str, Any]:
    """Return CPU seconds of a second call, and what it found."""
    work(*given)
    since = time.process_time()
    found = work(*given)
    return {"cpu": time.process_time() - since, "drifted": found}


if __name__ == "__main__":
    data = tables(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps({"ours": timed(ours, *data), "evidently": timed(evidently, *data)}))
