"""Ledgers whose plans wait for persons of several roles."""

from agents.ledger.regions.plan import PlanState
from schemas import commands as c
from schemas.values import Role
from tests.chapters.approval import POLICY, asked
from tests.ledgers import INCIDENT, SYSTEMS, Ledger, enrolment, genesis, names
from tests.play import incident_opened

PLAIN = POLICY[: POLICY.index(b"[[standing]]")]
RISING = b"""version = 1
[[severity]]
name = "loss"
severity = "sev2"
categories = ["performance"]
[[severity]]
name = "other"
severity = "sev3"
declare = true
[approval.sev1]
[approval.sev2]
quorum = 2
step_up = true
[approval.sev3]
[approval.sev4]
"""


def enrol(ledger: Ledger, who: str, *roles: Role, principal: str = "") -> None:
    """Enrol one more key."""
    assert names(ledger.ask(c.EnrolKey(enrolment=enrolment(who, *roles, principal=principal)), "ada")) == [
        "KeyEnrolled"
    ]


def factored(*more: tuple[str, tuple[Role, ...], str], policy: bytes = PLAIN) -> Ledger:
    """Return a ledger whose plan waits for a manager and somebody of compliance; with more keys enrolled."""
    ledger = genesis(policy, SYSTEMS)
    for who, roles, principal in more:
        enrol(ledger, who, *roles, principal=principal)
    ledger.ask(incident_opened(), "triage")
    asked(ledger, INCIDENT)
    return ledger


def state(ledger: Ledger) -> PlanState:
    """Return where the plan stands."""
    assert ledger.case.plan is not None
    return ledger.case.plan.state
