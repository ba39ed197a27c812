"""Drills that were played, made by hand from the ledgers of other tests."""

from dataclasses import replace
from typing import Any

from agents.drills.played import Done, Happened, Played
from schemas import commands as c
from schemas.case import paging as p
from schemas.drills import Scenario, read
from schemas.oncall import AdoptOnCall
from tests import story
from tests.chapters.paging import ONCALL
from tests.ledgers import INCIDENT, START, Ledger, genesis
from tests.play import approve, evidence_kept, finish, incident_opened, proposal, recovery, start

SCENARIO = b"""version = 1
title = "A pipeline exchanges the units of a sensor"
situation = "A radiator is watched by a model.\\nIts sensor was replaced last night."
[systems.radiator]
scope = "Says in which state a radiator is."
tier = "high"
regulations = ["nis2_23"]
[systems.radiator.models.shuttle]
versions = ["1", "2"]
known_good = "1"
traffic = "envoy:shuttle"
registry = "mlflow:shuttle/champion"
[systems.radiator.models.reader]
depends_on = ["shuttle"]
[systems.radiator.models.other]
[served.shuttle.features]
f1 = { mean = 1, weight = 1 }
[served.reader.features]
said = { reads = "shuttle", weight = 1 }
[served.other.features]
f2 = { weight = 1 }
[people.max]
roles = ["ml_manager"]
on_call = true
[people.mia]
roles = ["ml_manager"]
[people.cleo]
roles = ["compliance"]
[[steps]]
name = "units"
faults = [{ kind = "units", model = "shuttle", version = "2", feature = "f1", factor = 10 }]
[[steps]]
name = "ack"
after = "opened"
wait = "3m"
by = "max"
says = "Acknowledge"
fields = { note = "on it" }
[[steps]]
name = "cleo-declares"
after = "ack"
wait = "1m"
by = "cleo"
says = "Declare"
fields = { reason = "it spreads" }
refused = "forbidden"
[[steps]]
name = "mended"
after = "contained"
tells = "The pipeline was put right."
mends = ["units"]
[expect]
category = "data_drift"
severity = "sev2"
affected = ["shuttle:2"]
origin = "shuttle"
escalation = "all"
paged = ["max"]
clocks = ["nis2_23.early_warning", "nis2_23.notification"]
approvals = ["max", "mia"]
effects = ["envoy:shuttle", "mlflow:shuttle/champion"]
within = { detect = "15s", acknowledge = "5m", contain = "15m" }
[expect.due]
"nis2_23.early_warning" = "24h"
"""
NAMES = {"p-max": "max", "p-mia": "mia", "p-cleo": "cleo"}


def scenario() -> Scenario:
    """Return the scenario that the golden ledger could be an answer to."""
    return read(SCENARIO)


def answered() -> Ledger:
    """Return a ledger in which people answer as the scenario expects."""
    ledger = genesis(story.POLICY, story.SYSTEMS)
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    ledger.ask(incident_opened(), "triage")
    ledger.ask(evidence_kept(), "evidence")
    ledger.ask(p.StartPaging(incident=INCIDENT), "paging")
    page = p.ReportPage(
        incident=INCIDENT, step=0, round=0, target="user:max", persons=("max",), important=True, at=ledger.at
    )
    ledger.ask(page, "paging")
    ledger.later(180).ask(c.Acknowledge(incident=INCIDENT, note="on it"), "max")
    ledger.later(60).ask(c.Declare(incident=INCIDENT, reason="it spreads"), "cleo")
    ledger.ask(proposal(), "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    for who in ("max", "mia"):
        approve(ledger.later(120), who)
    for number in range(2):
        start(ledger.later(1), number)
        finish(ledger, number)
    ledger.later(5).ask(recovery(), "recovery")
    return ledger


def played(ledger: Ledger, **changes: Any) -> Played:
    """Return a drill whose ledger this is: of its cases only the first, with all that happened to it."""
    happened = tuple(
        Happened(entry=found.index, at=found.entry.at, incident=INCIDENT, by=found.asked.principal, event=event)
        for found in ledger.verified
        if found.entry is not None and found.asked is not None and found.asked.incident == INCIDENT
        for event in found.events
    )
    one = Played(
        name="units",
        scenario=scenario(),
        faulty=True,
        begun_at=START - 20_000,
        ended_at=ledger.at,
        fault_at=START - 9_000,
        rows=12_000,
        cases=(ledger.case,),
        happened=happened,
        done=(
            Done(step="units", at=START - 9_000),
            Done(step="ack", at=START + 180_000),
            Done(step="cleo-declares", at=START + 240_000, refused="forbidden"),
            Done(step="mended", at=ledger.at),
        ),
        left=(),
        names=NAMES,
    )
    return replace(one, **changes)
