"""A demonstration that did not end as it should says why, and fails."""

from typing import Any

import pytest

from streams.demo.faults import Fault
from streams.demo.outcome import shortfalls

GOOD: dict[str, Any] = {
    "requests": {"total": 1200, "failed": 0},
    "audit": {"entries": 28, "root": "00", "verified": True},
    "incidents": [{"id": "i1", "category": "data_drift"}],
    "resolved": ["i1"],
    "seconds": {"fault_to_incident": 0.5, "approval_to_effect": 0.1},
    "evidence": {"files": 91, "manifest_sha256": "00", "verified": True},
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"requests": {"total": 1200, "failed": 3}}, "3 requests failed"),
        ({"audit": {"verified": False}}, "the ledger does not verify"),
        ({"evidence": {"verified": False}}, "the evidence package does not verify"),
        ({"incidents": []}, "0 incidents instead of one"),
        ({"incidents": [{"id": "i1", "category": "attack"}]}, "the category is attack, not data_drift"),
        ({"resolved": []}, "the incident is not resolved"),
        ({"seconds": {"fault_to_incident": 16.0, "approval_to_effect": 0.1}}, "fault to incident took 16.0 s"),
        ({"seconds": {"fault_to_incident": 0.5, "approval_to_effect": None}}, "approval to effect took None s"),
    ],
)
def test_each_way_to_fall_short_is_said(changed: dict[str, Any], said: str) -> None:
    """One sentence for what is wrong, and none where nothing is."""
    assert shortfalls(GOOD | changed, Fault.UNITS) == ([said] if said else [])


def test_without_a_fault_nothing_may_be_found() -> None:
    """An incident without a fault falls short; none needs no evidence package."""
    quiet = {name: value for name, value in GOOD.items() if name != "evidence"} | {"incidents": []}
    assert shortfalls(quiet, Fault.NONE) == []
    assert shortfalls(GOOD, Fault.NONE) == ["1 incidents without a fault"]
