"""A drill beside real incidents: flagged by its models alone, and never one with what is real."""

from dataclasses import replace

from schemas import commands as c
from schemas.case import response as r
from schemas.signals import Affected
from tests.ledgers import INCIDENT, Ledger
from tests.play import evidence, incident_grew, incident_opened

EXERCISE, AGAIN, BESIDE = "incident-5", "incident-6", "incident-7"
PLAYED = (Affected(model="played", version="1"),)
BOTH = b"""version = 1
[systems.small]
scope = "a model of little harm"
tier = "low"
[systems.small.models.small]
[systems.exercise]
scope = "a model that nobody uses"
drill = true
[systems.exercise.models.played]
"""
"""A real system and a drill's."""


def tell(ledger: Ledger) -> None:
    """Let a drill open twice, beside a real incident that it is kept apart from."""
    ledger.ask(c.AdoptSystems(document=BOTH), "ada")
    ledger.ask(c.AdoptSystems(document=BOTH.replace(b"drill = true\n", b"")), "ada")
    real = (Affected(model="small", version="1"),)
    both = (evidence(model="played", version="1"), evidence(signal="s-2", model="played", version="1"))
    opened = incident_opened(id=EXERCISE, affected=PLAYED, evidence=both, recurrence_of=INCIDENT)
    ledger.ask(opened, "triage")
    ledger.ask(replace(opened, id=AGAIN, recurrence_of=EXERCISE), "triage")
    ledger.ask(replace(opened, id=BESIDE, affected=(*PLAYED, *real), recurrence_of=EXERCISE), "triage")
    ledger.ask(incident_grew(id=EXERCISE, affected=(*PLAYED, *real)), "triage")
    ledger.ask(incident_grew(id=EXERCISE, affected=PLAYED, technique="AML.T0024.002"), "triage")
    ledger.ask(r.Merge(incident=AGAIN, into=BESIDE, reason="the same"), "max-2")
    ledger.ask(r.Split(incident=EXERCISE, signals=("s-1",), reason="another fault"), "mia")
    ledger.ask(r.Merge(incident=AGAIN, into=EXERCISE, reason="the same"), "max-2")
