"""The canary probes of a drill's model: a few rows, drawn once, whose answers are the same until it is replaced."""

import numpy as np

from agents.drills import formula
from schemas.probing import ProbeSet
from streams.drills.hosting import Hosted
from streams.serving.protocol import tensor

PROBES = 20


def probe_set(hosted: Hosted) -> ProbeSet:
    """Return the probes of a model, one row each; what is compared is the chance it tells."""
    served, dice = hosted.served, hosted.chance("probes")
    reads = {name: np.full(PROBES, 0.5) for name, feature in served.features.items() if feature.reads}
    drawn = formula.draw(served, PROBES, reads, dice)
    probes = tuple(
        {
            "id": f"probe-{row}",
            "parameters": {"probe": True},
            "inputs": [
                tensor(name, [str(cells[row])] if isinstance(cells, list) else [round(float(cells[row]), 6)])
                for name, cells in drawn.items()
            ],
        }
        for row in range(PROBES)
    )
    return ProbeSet(version=1, model=hosted.model, output="outputs.2.data", probes=probes)
