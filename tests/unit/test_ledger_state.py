"""An entry is made of a command in one way, and adds up to the same state wherever it is read."""

from dataclasses import replace

import pytest

from agents.ledger.state import compose
from schemas import commands as c
from schemas.codec import frame
from schemas.errors import SchemaError
from schemas.ledger import MAX_COMMAND_BYTES, MAX_ENTRY_BYTES, AuditEntry
from schemas.values import Position
from tests.ledgers import INCIDENT, genesis, read, reason
from tests.play import authorised, evidence, incident_opened, opened, resolved

NOTE = c.Acknowledge(incident=INCIDENT, note="on it")


def test_the_same_command_at_the_same_place_is_the_same_entry() -> None:
    """Two registrars of one state make the same bytes."""
    one, other = opened(), opened()
    command = one.statement(NOTE, "eva")
    first, second = one.compose(command), other.compose(command)
    assert first is not None
    assert second is not None
    assert frame(first) == frame(second)


def test_an_entry_names_what_it_follows() -> None:
    """Its index, the last entry that counts, the policy before it and the outcome."""
    ledger = authorised()
    entries = [read_.entry for read_ in ledger.verified if read_.entry]
    assert [entry.index for entry in entries] == list(range(len(entries)))
    assert [entry.follows for entry in entries] == list(range(-1, len(entries) - 1))
    assert [bool(entry.policy) for entry in entries[:3]] == [False, False, True]
    assert {entry.outcome for entry in entries} == {"accepted"}
    ledger.ask(NOTE, "approval")
    assert ledger.verified[-1].entry.outcome == "refused"  # type: ignore[union-attr]


def test_the_clock_never_goes_back() -> None:
    """Where it did, the entry takes the time of the last."""
    ledger = opened()
    ledger.at -= 1_000_000
    entry = ledger.compose(ledger.statement(NOTE, "eva"))
    assert entry is not None
    assert entry.at == ledger.control.at


@pytest.mark.parametrize("who", ["max", "approval"])
def test_a_statement_is_decided_once_accepted_or_refused(who: str) -> None:
    """Sent again it makes no entry."""
    ledger = opened()
    command = ledger.statement(NOTE, who)
    assert ledger.submit(command)
    assert ledger.compose(command) is None
    assert ledger.submit(command) == []


def test_a_statement_about_no_case_is_decided_once_too() -> None:
    """Also where the case comes to be later."""
    ledger = genesis()
    command = ledger.statement(NOTE, "eva")
    assert reason(ledger.submit(command)) == "unknown_incident"
    ledger.ask(incident_opened(), "triage")
    assert ledger.submit(command) == []


def test_a_decision_that_would_not_fit_is_refused() -> None:
    """An entry repeats what it was asked, and a leaf has a limit: every reader finds the same refusal."""
    ledger = genesis()
    large = incident_opened(evidence=(evidence(summary="x" * 31_500),), title="y" * 900)
    command = ledger.statement(large, "triage")
    assert len(command) < MAX_COMMAND_BYTES + 1024
    assert reason(ledger.submit(command)) == "too_large"
    assert all(len(leaf) <= MAX_ENTRY_BYTES for leaf in ledger.leaves)
    assert len(read(ledger.leaves, ledger.notes)) == len(ledger.leaves)
    smaller = replace(large, evidence=(evidence(summary="x" * 30_000),))
    assert reason(ledger.ask(smaller, "triage")) == ""
    assert len(ledger.leaves[-1]) <= MAX_ENTRY_BYTES


def test_a_command_that_is_none_makes_no_entry() -> None:
    """Bytes that do not decode are for the dead letters."""
    with pytest.raises(SchemaError):
        genesis().state.ask(b"\xff" * 10)


def test_active_are_the_cases_that_are_not_over() -> None:
    """Readers look at those alone."""
    assert opened().state.active == {INCIDENT}
    assert resolved().state.active == set()
    assert set(resolved().state.cases) == {INCIDENT}


def test_composing_changes_nothing() -> None:
    """Only an entry that was read back is applied."""
    ledger = opened()
    before = (ledger.control, dict(ledger.state.cases), set(ledger.state.decided))
    asked = ledger.state.ask(ledger.statement(NOTE, "eva"))
    composed = compose(ledger.state, asked, b"", Position(topic_id="", partition=0, offset=0), 9, ledger.at)
    assert composed is not None
    assert isinstance(composed[0], AuditEntry)
    assert (ledger.control, ledger.state.cases, ledger.state.decided) == before
