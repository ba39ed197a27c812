"""Several factors, deputies, recounts, standing approvals, broken glasses, sign-off and the reviews of it all."""

from collections.abc import Iterator
from dataclasses import replace

from agents.ledger.decisions.execute import intent_id
from schemas import commands as c
from schemas.case import approval as a
from schemas.case import glass as g
from schemas.case.glass import Justified
from schemas.delegation import Delegate, RevokeDelegation
from schemas.events import PolicyAdopted
from schemas.signals import Affected
from schemas.values import Role
from tests.ledgers import Ledger, enrolment, key_of
from tests.play import STEPS, agreed, incident_grew, incident_opened, proposal

FIRST, SECOND = "incident-a", "incident-b"
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
factors = [{role = "ml_manager"}, {role = "compliance"}]
denials = 2
step_up = true
[approval.sev3]
[approval.sev4]
[[standing]]
name = "shed"
severities = ["sev2"]
target_kinds = ["envoy"]
per_day = 1
[break_glass]
roles = ["ml_manager"]
[remediation]
evidence_first = ["high"]
[recovery]
sign_off = ["sev2"]
"""


def plan_of(ledger: Ledger, incident: str) -> str:
    """Return the digest of the plan of an incident."""
    plan = ledger.state.cases[incident].plan
    assert plan is not None
    return plan.digest


def asked(ledger: Ledger, incident: str, number: int = 1, steps: tuple[c.Step, ...] = STEPS) -> str:
    """Have a plan proposed and people asked; return its digest."""
    ledger.ask(proposal(incident=incident, attempt=number, steps=steps), "remediation")
    digest = plan_of(ledger, incident)
    ledger.ask(c.RequestApproval(incident=incident, plan=digest), "approval")
    return digest


def agree(ledger: Ledger, incident: str, who: str) -> list[object]:
    """Have a person agree to the plan of an incident."""
    return ledger.ask(agreed(plan_of(ledger, incident), ledger.at, incident=incident), who)


def carry_out(ledger: Ledger, incident: str, step: int = 0) -> Iterator[list[object]]:
    """Start a step and report it done; yield the events of each."""
    digest, case = plan_of(ledger, incident), ledger.state.cases[incident]
    assert case.plan is not None
    yield ledger.ask(c.StartAction(incident=incident, plan=digest, step=step, executor="x-1", attempt=1), "remediation")
    shown = case.plan.steps[step].desired
    report = c.ReportOutcome(
        incident=incident, intent=intent_id(digest, step), outcome="done", read_back=shown, detail=""
    )
    yield ledger.ask(report, "remediation")


def _enrolled(ledger: Ledger) -> None:
    for who, role in (("bob", Role.ML_MANAGER), ("val", Role.VALIDATOR), ("vic", Role.VALIDATOR)):
        ledger.ask(c.EnrolKey(enrolment=enrolment(who, role)), "ada")


def _standing(ledger: Ledger) -> None:
    """Contain by a standing approval; the rest is refused by two, asked for again, and approved after a recount."""
    ledger.ask(incident_opened(id=FIRST), "triage")
    ledger.ask(proposal(incident=FIRST), "remediation")
    list(carry_out(ledger, FIRST))
    first = plan_of(ledger, FIRST)
    ledger.ask(c.RequestApproval(incident=FIRST, plan=first), "approval")
    for who in ("cleo", "mia"):
        ledger.ask(c.Deny(incident=FIRST, plan=first, reason="show that version 1 is sound"), who)
    ledger.ask(a.AskForPlan(incident=FIRST, reason="version 1 was validated"), "max")
    digest = asked(ledger, FIRST, 2, STEPS[1:])
    ledger.ask(a.ExcludePerson(incident=FIRST, principal="p-max", reason="released version 2"), "mia")
    agree(ledger, FIRST, "bob")
    agree(ledger, FIRST, "cleo")
    ledger.ask(c.RevokeKey(key=key_of("bob").key_id, reason="lost"), "ada")
    ledger.ask(a.RecountApprovals(incident=FIRST, plan=digest), "approval")
    ledger.ask(Delegate(to="p-val", until=ledger.at + 3_600_000, reason="on leave"), "mia")
    agree(ledger, FIRST, "val")
    ledger.ask(a.KeepNothing(incident=FIRST, reason="no predictions were made"), "mia")
    list(carry_out(ledger, FIRST))
    ledger.ask(a.SignOff(incident=FIRST, plan=digest, note="validated on last week's data"), "vic")
    ledger.ask(RevokeDelegation(to="p-val", reason="back"), "mia")
    review = g.ReviewStanding(incident=FIRST, number=1, verdict=Justified.JUSTIFIED, note="as meant")
    ledger.ask(review, "mia")


def _glass(ledger: Ledger) -> None:
    """Break the glass where the day's standing approvals are used up; then the case grows beyond its plan."""
    ledger.ask(incident_opened(id=SECOND), "triage")
    digest = asked(ledger, SECOND)
    broken = g.BreakGlass(incident=SECOND, plan=digest, step=0, reason="harm is under way", minutes=15)
    ledger.ask(broken, "mia")
    list(carry_out(ledger, SECOND))
    late = g.ReportGlassOverdue(incident=SECOND, number=1, standing=False)
    ledger.ask(late, "paging")
    ledger.later(86_400).ask(replace(late, repeat=1), "paging")
    review = g.ReviewBreakGlass(incident=SECOND, number=1, verdict=Justified.NOT_JUSTIFIED, note="nobody was harmed")
    ledger.ask(review, "cleo")
    further = (*incident_grew().affected, Affected(model="shuttle", version="3"))
    ledger.ask(replace(incident_grew(), id=SECOND, affected=further), "triage")


def tell(ledger: Ledger) -> None:
    """Play it on two incidents of its own, under a policy of its own."""
    found = [event for each in ledger.verified for event in each.events if isinstance(event, PolicyAdopted)]
    _enrolled(ledger)
    ledger.ask(c.AdoptPolicy(document=POLICY), "ada")
    _standing(ledger)
    _glass(ledger)
    ledger.ask(c.AdoptPolicy(document=found[-1].document, repeat=1), "ada")
