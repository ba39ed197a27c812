"""Decisions of an incident as the evidence role would have frozen them."""

import json

import numpy as np

from agents.archive.choose import INCIDENT as WHY
from agents.detection.columns import decode
from schemas.values import Mode
from streams.archive import parquet
from streams.archive.evidence import evidence_store
from streams.archive.parquet import Kept
from streams.archive.store import SealedStore
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from tests.ledgers import START
from tests.traffic import batch, column

CONFIDENCE = (0.99, 0.55, 0.99, 0.3, 0.99, np.nan)
RISK = (0.1, 0.1, 0.9, 0.7, np.nan, 0.2)


def freeze(settings: Settings, incident: str) -> tuple[SealedStore, str]:
    """Keep six decisions and one in shadow mode; return the store and the manifest's digest."""
    store = evidence_store(settings, archive_key(settings.keys_directory))
    columns = {
        "prediction_id": [f"p-{i}" for i in range(6)],
        "prediction": ["yes", "no", "yes", "no", "yes", "no"],
        "confidence": np.array(CONFIDENCE),
        "risk": column("risk", np.array(RISK), role="risk"),
        "at": START + np.arange(6),
    }
    real = decode(batch(columns, model="shuttle", version="2"))
    shadow = decode(batch({**columns, "prediction_id": ["s-0"] * 6}, model="shuttle", version="2", mode=Mode.SHADOW))
    files = []
    for rows in (real, shadow):
        data = parquet.write([Kept(rows, np.full(6, WHY, dtype=np.uint8), START)])
        files.append({"digest": store.put(data, incident), "rows": 6, "bytes": len(data)})
    window = {"model": "shuttle", "version": "2", "signals": ["s-1"], "files": files}
    return store, store.put(json.dumps({"windows": [window]}).encode(), incident)
