"""A ledger in which every event type and every way of a plan to end occurs: the golden ledger of the rules in force.

`python -m tests.story` writes it to tests/golden/rules_<version>.json. Before the first release of a version that is
how the file follows the rules; after it the file never changes again, and new rules get a version and a file of their
own, because entries of the old version must be executed as they were.
"""

import json
from dataclasses import replace
from pathlib import Path

from agents.ledger import rules
from agents.ledger.decisions.execute import intent_id
from schemas import commands as c
from schemas.case.response import Dismissal
from schemas.codec import frame
from schemas.profiles import AdoptProfile
from schemas.values import Role
from tests.chapters import (
    approval,
    clocks,
    desk,
    drills,
    learning,
    messages,
    paging,
    people,
    response,
    reviews,
    vendors,
)
from tests.ledgers import INCIDENT, Ledger, enrolment, genesis, key_of
from tests.play import (
    AFTER,
    BEFORE,
    approve,
    evidence_kept,
    finish,
    incident_grew,
    incident_opened,
    incident_quieted,
    proposal,
    recovery,
    start,
)

FOLDER = Path(__file__).resolve().parent / "golden"
DRILL = "incident-2"
CHAPTERS = (desk, people, paging, approval, response, clocks, learning, reviews, messages, vendors)
POLICY = b"""version = 1
[[severity]]
name = "high"
severity = "sev2"
tiers = ["high"]
declare = true
[[severity]]
name = "other"
severity = "sev4"
[approval.sev1]
[approval.sev2]
quorum = 2
decide_within = 3600
[approval.sev3]
[approval.sev4]
"""
SYSTEMS = b"""version = 1
[systems.radiator]
scope = "the state of a radiator"
tier = "high"
regulations = ["nis2_23"]
[systems.radiator.models.shuttle]
versions = ["1", "2"]
known_good = "1"
traffic = "envoy:shuttle"
registry = "mlflow:shuttle/champion"
"""
LOW = b"""version = 1
[systems.small]
scope = "a model of little harm"
tier = "low"
[systems.small.models.small]
"""


def _administered(ledger: Ledger) -> None:
    ledger.ask(c.EnrolKey(enrolment=enrolment("max-2", Role.ML_MANAGER, principal="p-max")), "ada")
    ledger.ask(c.RevokeKey(key=key_of("eva").key_id, reason="lost"), "ada")
    final = len(ledger.leaves)
    ledger.write(b"not ours")
    composed = ledger.compose(ledger.statement(c.TakeOver(epoch=1, void_from=final), "registrar"))
    assert composed is not None
    ledger.write(frame(composed))
    ledger.checkpoint()


def _next_plan(ledger: Ledger, number: int) -> None:
    ledger.later(1).ask(proposal(attempt=number), "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")


def _ended(ledger: Ledger) -> None:
    """Let a plan end in each way: denied, expired, revoked, failed."""
    _next_plan(ledger, 1)
    approve(ledger, "approval")
    ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="too early"), "cleo")
    _next_plan(ledger, 2)
    plan = ledger.case.plan
    assert plan is not None
    ledger.later(3600).ask(c.ExpirePlan(incident=INCIDENT, plan=plan.digest, deadline=plan.decide_by), "approval")
    _next_plan(ledger, 3)
    approve(ledger, "max")
    approve(ledger, "max-2")
    approve(ledger, "mia")
    ledger.ask(c.RevokeApproval(incident=INCIDENT, plan=ledger.plan, reason="wait"), "mia")
    _next_plan(ledger, 4)
    approve(ledger, "max")
    approve(ledger, "mia")
    start(ledger)
    finish(ledger, outcome="target_changed", read_back=BEFORE)


def _resolved(ledger: Ledger) -> None:
    _next_plan(ledger, 5)
    approve(ledger, "mia")
    approve(ledger, "max-2")
    start(ledger)
    start(ledger, 1)
    ledger.later(10)
    start(ledger, executor="x-2", attempt=2)
    finish(ledger)
    intent = intent_id(ledger.plan, 0)
    restored = c.ReportRestored(incident=INCIDENT, intent=intent, number=1, found=BEFORE, read_back=AFTER)
    ledger.ask(restored, "remediation")
    start(ledger, 1, repeat=1)
    finish(ledger, 1)
    ledger.ask(recovery(clear_rows=5), "recovery")
    ledger.ask(recovery(observation="o-2"), "recovery")
    paging.end(ledger)
    learning.conclude(ledger)
    response.conclude(ledger)


def _dismissed(ledger: Ledger) -> None:
    ledger.ask(c.AdoptSystems(document=LOW), "ada")
    affected = (replace(incident_opened().affected[0], model="small"),)
    ledger.ask(incident_opened(id=DRILL, affected=affected, recurrence_of=INCIDENT, technique="AML.T0020"), "triage")
    ledger.ask(c.Dismiss(incident=DRILL, reason=Dismissal.TEST, note="a drill"), "max")
    ledger.ask(c.Declare(incident=DRILL, reason="no drill"), "max")


def told() -> Ledger:
    """Return the ledger; each time the same bytes."""
    ledger = genesis(POLICY, SYSTEMS)
    _administered(ledger)
    ledger.later(1).ask(incident_opened(), "triage")
    ledger.ask(incident_grew(), "triage")
    ledger.ask(evidence_kept(), "evidence")
    ledger.ask(AdoptProfile(model="shuttle", version="1", digest="cd" * 32), "max")
    ledger.ask(c.Acknowledge(incident=INCIDENT, note="mine"), "mia")
    for chapter in CHAPTERS:
        chapter.tell(ledger)
    _ended(ledger)
    _resolved(ledger)
    ledger.ask(incident_quieted(), "triage")
    _dismissed(ledger)
    drills.tell(ledger)
    return ledger


def path(version: int) -> Path:
    """Return where the golden ledger of a version of the rules stands."""
    return FOLDER / f"rules_{version}.json"


def write() -> Path:
    """Write the golden ledger of the rules in force."""
    ledger = told()
    document = {"leaves": [leaf.hex() for leaf in ledger.leaves], "notes": ledger.notes}
    FOLDER.mkdir(exist_ok=True)
    path(rules.CURRENT).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path(rules.CURRENT)


if __name__ == "__main__":
    print(write())
