"""Nobody reads the id of who reported a fault: a name where it is known, else somebody; the ledger keeps the id."""

import pytest

from agents.metrics.history import histories
from agents.reports.record import record
from agents.roles.project import status
from agents.triage.reports import reporter_named
from schemas.oncall import read
from schemas.signals import Evidence
from schemas.values import Category
from streams.roles.paging import _title
from streams.view.incident_view import named
from streams.view.post_mortem import template
from streams.view.sentences import sentence
from streams.view.telling import entry_lines
from tests.ledgers import INCIDENT, Ledger, genesis
from tests.play import evidence, incident_opened
from tests.unit.test_told import ONCALL

WHO = "p-max"
SAID = f"reported by {WHO}: answers are wrong"
TITLE = f"Reported fault on shuttle version 2: {SAID}"


def reported() -> Ledger:
    """Return a ledger whose incident a person reported."""
    ledger = genesis()
    found: Evidence = evidence(category=Category.HUMAN_REPORT, detector="person", summary=SAID)
    ledger.ask(incident_opened(title=TITLE, evidence=(found,), category=Category.HUMAN_REPORT), "triage")
    return ledger


LEDGER = reported()


def shown(names: dict[str, str]) -> dict[str, str]:
    """Return what each view shows of the incident to somebody who knows these names."""
    case, entries = LEDGER.case, [one for one in LEDGER.verified if one.asked and one.asked.incident == INCIDENT]
    (opened, *_) = entries[0].events
    return {
        "list": named(case.title, names),
        "watch": named(sentence(opened), names),
        "report": record(case, entries, LEDGER.control, names).named(case.title),
        "post-mortem": template(histories(LEDGER.verified)[0], names),
    }


def test_the_ledger_keeps_the_id() -> None:
    """What is recorded names nobody but by a random id, so that it can stay for ever."""
    assert WHO in LEDGER.case.title
    assert reporter_named("f1 has drifted", {}) == "f1 has drifted"
    assert reporter_named("a cause reported by customers", {}) == "a cause reported by customers"


@pytest.mark.parametrize(("names", "wanted"), [({WHO: "Max Muster"}, "Max Muster"), ({}, "somebody")])
def test_every_view_says_a_name_or_somebody(names: dict[str, str], wanted: str) -> None:
    """In lists, histories, reports and the file of the post-mortem."""
    for view, text in shown(names).items():
        assert f"reported by {wanted}: answers are wrong" in text, view
        assert WHO not in text, view


def test_what_goes_out_names_nobody_by_an_id() -> None:
    """The status topic and the summary of a demonstration say somebody; the audit's sentence too."""
    assert "reported by somebody" in status(LEDGER.case, 1, 1).title
    lines = [line for one in LEDGER.verified if one.asked and one.asked.incident for line in entry_lines(one)]
    assert [line for line in lines if "reported by somebody" in line]
    assert not [line for line in lines if f"reported by {WHO}" in line]


def test_a_page_says_the_name_of_the_on_call_document() -> None:
    """Whom the document does not name is somebody."""
    assert "reported by Max: answers" in _title(LEDGER.case, read(ONCALL))
    stranger = ONCALL.replace(b'"p-max"', b'"p-other"')
    assert "reported by somebody: answers" in _title(LEDGER.case, read(stranger))
