"""Which versions the registry is asked about, and what is said of them where it knows nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.ledger.case import Case
from agents.roles.lineage import MAX_VERSIONS, Asked, report, summary, wanted
from schemas import systems
from schemas.commands import AttachEvidence
from schemas.evidence import LINEAGE
from schemas.signals import Affected
from streams.view.lineage import say_lineage
from tests.ledgers import INCIDENT, SYSTEMS, genesis
from tests.play import incident_opened

DECLARED = systems.read(SYSTEMS)
KNOWN: dict[str, Any] = {
    "model": "shuttle",
    "version": "2",
    "known_good": False,
    "registered": "shuttle",
    "source": "runs:/r-1/model",
    "signature": "ab" * 32,
    "created_at": 1,
    "card": {"model": "Tells states", "version": "", "tags": {"team": "ops"}, "aliases": ["champion"]},
    "run": {"id": "r-1", "status": "FINISHED", "started_at": 1_700_000_000_000},
    "data": [{"name": "statlog", "digest": "d-1", "source": "", "context": "training"}],
}


@pytest.fixture
def opened() -> Case:
    """A case of version 2 of the shuttle model."""
    ledger = genesis()
    ledger.ask(incident_opened(), "triage")
    return ledger.case


def test_the_registry_is_asked_by_its_own_name_for_the_model(opened: Case) -> None:
    """The systems document names it; an undeclared model is asked about by the name it has."""
    assert wanted(opened, DECLARED) == [Asked("shuttle", "2", "shuttle", "1")]
    ghost = replace(opened, affected=(Affected(model="ghost", version="9"),))
    assert wanted(ghost, DECLARED) == [Asked("ghost", "9", "ghost", "")]


def test_it_is_asked_once_and_again_when_a_version_joins() -> None:
    """The ledger alone says what was asked; a case of many versions asks about the first ones."""
    ledger = genesis()
    ledger.ask(incident_opened(), "triage")
    kept = AttachEvidence(incident=INCIDENT, kind=LINEAGE, digest="ab" * 32, rows=1, summary="")
    ledger.ask(kept, "evidence")
    assert wanted(ledger.case, DECLARED) == []
    many = tuple(Affected(model="shuttle", version=str(number)) for number in range(20))
    wider = replace(ledger.case, affected=many)
    assert len(wanted(wider, DECLARED)) == MAX_VERSIONS
    ledger.ask(replace(kept, digest="cd" * 32, rows=MAX_VERSIONS), "evidence")
    assert wanted(replace(ledger.case, affected=many), DECLARED) == []


def test_what_is_not_known_is_said_to_be_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """No blank: not in the ledger's summary, and not at the terminal."""
    unknown = {"model": "ghost", "version": "9", "known_good": False, "unknown": "no model registry is configured"}
    bare = KNOWN | {"run": {"id": ""}, "data": [], "signature": ""}
    said = summary([KNOWN, unknown, bare])
    assert said.startswith("shuttle version 2: run r-1, data statlog d-1, signature abababababab; ghost version 9: ")
    assert "lineage unknown, no model registry is configured" in said
    assert said.endswith("run unknown, data unknown, signature unknown")
    say_lineage(json.loads(report("i-1", [KNOWN, unknown, bare])))
    told = capsys.readouterr().out
    assert "run        r-1, finished, begun 2023-11-14 22:13:20Z" in told
    assert "tags       team=ops" in told
    assert "run        unknown" in told
    assert "unknown: no model registry is configured" in told


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=3000), st.text(max_size=300))
def test_a_summary_fits_into_the_ledger(name: str, why: str) -> None:
    """Whatever a registry says, the word about it is bounded."""
    one = {"model": name, "version": name, "known_good": False, "unknown": why}
    assert len(summary([one] * MAX_VERSIONS)) <= 2000
