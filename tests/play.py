"""Ledgers at each stage of one incident, and the commands that lead from one to the next."""

from dataclasses import replace
from typing import Any

from agents.ledger.decisions.execute import intent_id
from schemas import commands as c
from schemas.signals import Affected, Evidence, IncidentGrew, IncidentOpened, IncidentQuieted
from schemas.values import Category
from tests.ledgers import INCIDENT, START, Ledger, genesis

TARGET, ALIAS = "envoy:shuttle", "mlflow:shuttle/champion"
BEFORE, AFTER = '{"1":50,"2":50}', '{"1":100,"2":0}'


def evidence(**changes: Any) -> Evidence:
    """Return one reason to believe."""
    found = Evidence(
        signal="s-1",
        model="shuttle",
        version="2",
        instance="",
        category=Category.DATA_DRIFT,
        detector="psi",
        subject="f1",
        statistic="psi",
        value=1.5,
        threshold=0.15,
        score=9.0,
        baseline="reference",
        first_bad_at=START,
        window_from=START,
        window_to=START + 500,
        rows=500,
        summary="f1 has drifted",
    )
    return replace(found, **changes)


def incident_opened(**changes: Any) -> IncidentOpened:
    """Return a detected incident of version 2 of the shuttle model."""
    opened = IncidentOpened(
        id=INCIDENT,
        sequence=0,
        at=START,
        system="radiator",
        category=Category.DATA_DRIFT,
        title="shuttle 2 sees other data",
        affected=(Affected(model="shuttle", version="2"),),
        evidence=(evidence(),),
        first_bad_at=START,
        recommended="roll back to 1",
        owner_role="ml_manager",
        technique=None,
        recurrence_of=None,
        policy="",
    )
    return replace(opened, **changes)


def incident_grew(**changes: Any) -> IncidentGrew:
    """Return more of the incident."""
    grew = IncidentGrew(
        id=INCIDENT,
        sequence=1,
        at=START,
        category=Category.DATA_DRIFT,
        affected=(Affected(model="shuttle", version="2"),),
        evidence=(evidence(),),
    )
    return replace(grew, **changes)


def incident_quieted(**changes: Any) -> IncidentQuieted:
    """Return the end of its signals."""
    return replace(IncidentQuieted(id=INCIDENT, sequence=2, at=START, last_signal_at=START), **changes)


def step(**changes: Any) -> c.Step:
    """Return the step that moves the traffic."""
    moved = c.Step(
        target=TARGET, purpose="contain", desired=AFTER, observed=BEFORE, precondition="0" * 64, summary="all to 1"
    )
    return replace(moved, **changes)


STEPS = (step(), step(target=ALIAS, purpose="remediate", desired='{"version":"1"}', observed='{"version":"2"}'))


def proposal(**changes: Any) -> c.ProposePlan:
    """Return the plan: traffic first, then the alias."""
    return replace(c.ProposePlan(incident=INCIDENT, attempt=1, steps=STEPS, dry_run="both move"), **changes)


def opened(**changes: Any) -> Ledger:
    """Return a ledger with the incident open and declared."""
    ledger = genesis()
    ledger.ask(incident_opened(**changes), "triage")
    return ledger


def proposed(**changes: Any) -> Ledger:
    """Return a ledger whose case has a plan."""
    ledger = opened()
    ledger.ask(proposal(**changes), "remediation")
    return ledger


def requested() -> Ledger:
    """Return a ledger whose plan waits for two persons."""
    ledger = proposed()
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    return ledger


def agreed(plan: str, at: int, **changes: Any) -> c.Approve:
    """Return the word of a person who has seen the plan and confirms it anew at `at`."""
    body = c.Approve(incident=INCIDENT, plan=plan, reason="looks right", confirmed=plan[:8], confirmed_at=at)
    return replace(body, **changes)


def approve(ledger: Ledger, who: str, **changes: Any) -> list[object]:
    """Approve the case's plan."""
    return ledger.ask(replace(agreed(ledger.plan, ledger.at), **changes), who)


def authorised() -> Ledger:
    """Return a ledger whose plan two persons agreed to, with its evidence frozen."""
    ledger = requested()
    ledger.ask(evidence_kept(), "evidence")
    approve(ledger, "max")
    approve(ledger, "mia")
    return ledger


def start(ledger: Ledger, number: int = 0, **changes: Any) -> list[object]:
    """Ask to start a step of the case's plan."""
    body = c.StartAction(incident=INCIDENT, plan=ledger.plan, step=number, executor="x-1", attempt=1)
    return ledger.ask(replace(body, **changes), "remediation")


def finish(ledger: Ledger, number: int = 0, **changes: Any) -> list[object]:
    """Report that a step is done."""
    body = c.ReportOutcome(
        incident=INCIDENT,
        intent=intent_id(ledger.plan, number),
        outcome="done",
        read_back=STEPS[number].desired,
        detail="",
    )
    return ledger.ask(replace(body, **changes), "remediation")


def contained() -> Ledger:
    """Return a ledger whose traffic has moved."""
    ledger = authorised()
    start(ledger)
    finish(ledger)
    return ledger


def recovering() -> Ledger:
    """Return a ledger whose plan is done."""
    ledger = contained()
    start(ledger, 1)
    finish(ledger, 1)
    return ledger


def recovery(**changes: Any) -> c.ReportRecovery:
    """Return the report that version 1 is clear."""
    body = c.ReportRecovery(incident=INCIDENT, model="shuttle", version="1", clear_rows=1000, observation="o-1")
    return replace(body, **changes)


def evidence_kept(**changes: Any) -> c.AttachEvidence:
    """Return the word that rows of the incident are kept."""
    body = c.AttachEvidence(
        incident=INCIDENT, kind="window", digest="ab" * 32, rows=40, summary="40 predictions of version 2"
    )
    return replace(body, **changes)


def resolved() -> Ledger:
    """Return a ledger whose case is over."""
    ledger = recovering()
    ledger.ask(recovery(), "recovery")
    return ledger
