"""Whether a demonstration ended as it should."""

from collections.abc import Mapping
from typing import Any

from schemas.values import Category
from streams.demo.faults import Fault

EXPECTED = {
    Fault.UNITS: Category.DATA_DRIFT,
    Fault.SWAPPED: Category.DATA_DRIFT,
    Fault.STUCK: Category.DATA_QUALITY,
    Fault.LATENCY: Category.INFRASTRUCTURE,
}
MAX_FAULT_TO_INCIDENT = 15.0
MAX_APPROVAL_TO_EFFECT = 1.0


def shortfalls(document: Mapping[str, Any], fault: Fault) -> list[str]:
    """Return a sentence for each way in which the summary is not what the fault should lead to."""
    found, incidents = [], document["incidents"]
    if document["requests"]["failed"]:
        found.append(f"{document['requests']['failed']} requests failed")
    if not document["audit"]["verified"]:
        found.append("the ledger does not verify")
    if not document.get("evidence", {"verified": True})["verified"]:
        found.append("the evidence package does not verify")
    if fault is Fault.NONE:
        return found + ([f"{len(incidents)} incidents without a fault"] if incidents else [])
    if len(incidents) != 1:
        return [*found, f"{len(incidents)} incidents instead of one"]
    if incidents[0]["category"] != EXPECTED[fault].value:
        found.append(f"the category is {incidents[0]['category']}, not {EXPECTED[fault].value}")
    if incidents[0]["id"] not in document["resolved"]:
        found.append("the incident is not resolved")
    seconds = document["seconds"]
    if seconds["fault_to_incident"] is None or seconds["fault_to_incident"] > MAX_FAULT_TO_INCIDENT:
        found.append(f"fault to incident took {seconds['fault_to_incident']} s")
    if seconds["approval_to_effect"] is None or seconds["approval_to_effect"] > MAX_APPROVAL_TO_EFFECT:
        found.append(f"approval to effect took {seconds['approval_to_effect']} s")
    return found
