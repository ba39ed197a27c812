"""How bad it is, what is of it and what is not, the hold on its evidence, and its end, review and return."""

from dataclasses import replace

from schemas import commands as c
from schemas.case import assessment as a
from schemas.case import response as r
from schemas.case.assessment import Dimension, Modifier, Priority, Reportability
from schemas.case.hold import ReleaseHold
from schemas.signals import Affected
from schemas.values import Role, Severity
from tests.ledgers import INCIDENT, Ledger, enrolment
from tests.play import approve, evidence, finish, incident_grew, incident_opened, proposal, start

THIRD = Affected(model="shuttle", version="3")
SAME, MIXED = "incident-3", "incident-4"


def tell(ledger: Ledger) -> None:
    """Let people judge the incident, merge one into it, and split another."""
    ledger.ask(c.EnrolKey(enrolment=enrolment("lea", Role.LEGAL)), "ada")
    worse = a.AssessHarm(incident=INCIDENT, dimension=Dimension.RIGHTS, level=Severity.SEV1, reason="one group")
    ledger.ask(worse, "max-2")
    ledger.ask(replace(worse, level=Severity.SEV3, reason="no decision was taken"), "max-2")
    ledger.ask(replace(worse, level=Severity.SEV3, reason="no decision was taken"), "mia")
    undone = a.SetModifier(incident=INCIDENT, modifier=Modifier.IRREVERSIBLE, applies=True, reason="letters went out")
    ledger.ask(undone, "max-2")
    ledger.ask(replace(undone, applies=False, reason="they had not"), "mia")
    ledger.ask(a.SetSeverity(incident=INCIDENT, severity=Severity.SEV1, evidence="it spreads"), "mia")
    ledger.ask(a.SetSeverity(incident=INCIDENT, severity=Severity.SEV2, evidence="it does not"), "mia")
    ledger.ask(a.SetPriority(incident=INCIDENT, priority=Priority.P1, reason="the season begins"), "max-2")
    answer = a.SetReportability(
        incident=INCIDENT, regime="gdpr_33", answer=Reportability.NOT_REPORTABLE, reason="no personal data"
    )
    ledger.ask(answer, "max-2")
    ledger.ask(answer, "cleo")
    _merged(ledger)
    _split(ledger)


def _merged(ledger: Ledger) -> None:
    ledger.ask(incident_opened(id=SAME), "triage")
    ledger.ask(r.Merge(incident=SAME, into="incident-9", reason="the same sensor"), "max-2")
    ledger.ask(r.Merge(incident=SAME, into=INCIDENT, reason="the same sensor"), "max-2")
    ledger.ask(r.Absorb(incident=INCIDENT, merged=SAME), "max-2")


def _split(ledger: Ledger) -> None:
    both = (evidence(), evidence(signal="s-2", subject="f2", summary="f2 has drifted"))
    ledger.ask(incident_opened(id=MIXED, evidence=both), "triage")
    ledger.ask(r.Split(incident=MIXED, signals=("s-2",), reason="another sensor"), "mia")
    into = ledger.state.cases[MIXED].course.splits[0]
    ledger.ask(r.OpenSplit(incident=into, origin=MIXED), "mia")
    later = evidence(signal="s-3", version="3", subject="f2", summary="f2 has drifted", window_to=both[0].window_to + 1)
    grew = incident_grew(id=MIXED, evidence=(*both, later), affected=(*incident_grew().affected, THIRD))
    ledger.ask(grew, "triage")
    ledger.ask(r.TakeFollowing(incident=into, origin=MIXED), "approval")


def conclude(ledger: Ledger) -> None:
    """Let people review and close the incident, and take it up again in vain."""
    ledger.ask(r.BeginReview(incident=INCIDENT, note="tomorrow at nine"), "mia")
    ledger.ask(r.Close(incident=INCIDENT, note=""), "mia")
    ledger.ask(ReleaseHold(incident=INCIDENT, reason="nothing is claimed"), "mia")
    ledger.ask(ReleaseHold(incident=INCIDENT, reason="nothing is claimed"), "lea")
    ledger.ask(r.Close(incident=INCIDENT, note="learnt", repeat=1), "mia")
    ledger.ask(r.Reopen(incident=INCIDENT, reason="it is back"), "mia")
    ledger.ask(r.Investigate(incident=INCIDENT, reason="what did we miss?"), "mia")
    ledger.later(1).ask(proposal(attempt=ledger.case.plans + 1), "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    approve(ledger, "mia")
    approve(ledger, "max-2")
    for number in range(2):
        start(ledger, number)
        finish(ledger, number)
    report = r.ReportRegression(incident=INCIDENT, model="shuttle", version="2", observation="o-3", reason="it drifts")
    ledger.ask(report, "recovery")
    ledger.ask(replace(report, version="1"), "recovery")
    ledger.ask(r.Regress(incident=INCIDENT, reason="nothing gets better"), "mia")
