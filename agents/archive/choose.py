"""Which rows of a batch are kept in the archive, and why: pure, so that it can be said afterwards of any prediction."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Cells, Rows
from schemas.policy import ArchivePolicy
from schemas.values import Flag, Mode

SAMPLE, RISK, SHADOW, TIER, RELEVANT, INCIDENT = 1, 2, 4, 8, 16, 32
REASONS = {
    SAMPLE: "sample",
    RISK: "risk",
    SHADOW: "shadow",
    TIER: "tier",
    RELEVANT: "relevant to an incident",
    INCIDENT: "in the window of an incident",
}

Why = NDArray[np.uint8]


def sampled(identifier: str, share: float) -> bool:
    """Whether the hash of a prediction id falls into the sample; the same answer for ever."""
    return crc32(identifier.encode("utf-8", "surrogatepass")) < share * 2**32


def choose(rows: Rows, policy: ArchivePolicy, tier: str) -> Why:
    """Return for each row the sum of the reasons to keep it, 0 where there is none."""
    why = np.zeros(rows.rows, dtype=np.uint8)
    if tier in policy.tiers:
        why |= TIER
    if policy.shadow and rows.mode is Mode.SHADOW:
        why |= SHADOW
    risk = rows.with_role("risk")
    if risk is not None:
        why |= np.where(_risky(risk, policy), RISK, 0).astype(np.uint8)
    return why | np.where(_sampled(rows, policy.sample), SAMPLE, 0).astype(np.uint8)


def reasons(why: int) -> tuple[str, ...]:
    """Return the words for a sum of reasons."""
    return tuple(word for bit, word in REASONS.items() if why & bit)


def _risky(risk: Cells, policy: ArchivePolicy) -> NDArray[np.bool_]:
    if risk.text:
        words = np.array([text.lower() in policy.risks for text in risk.dictionary])
        found = words[risk.values]
    else:
        found = risk.values >= policy.risk
    # A risk that cannot be read may be a high one.
    return found if risk.flags is None else found | (risk.flags == Flag.WRONG_TYPE)


def _sampled(rows: Rows, share: float) -> NDArray[np.bool_]:
    ids = rows.with_role("prediction_id")
    if ids is not None and ids.text:
        chosen = np.array([sampled(text, share) for text in ids.dictionary])
        return np.asarray(chosen[ids.values])
    names = (f"{rows.source}/{position}" for position in rows.positions().tolist())
    return np.array([sampled(name, share) for name in names])
