"""The control state follows from the events."""

from dataclasses import replace

from agents.ledger.control import Control, evolve
from schemas import commands as c
from tests.ledgers import INCIDENT, established, genesis
from tests.play import TARGET, authorised, contained, finish, incident_opened, start


def test_it_begins_empty() -> None:
    """Before the first entry nothing is trusted, judged or watched."""
    assert (Control().keys, Control().policy, Control().systems.systems, Control().genesis) == ({}, None, {}, "")


def test_an_event_of_a_case_leaves_it_as_it_is() -> None:
    """Only what it knows changes it, and an object that is no event changes nothing."""
    control = genesis().control
    assert evolve(control, incident_opened()) is control
    assert evolve(control, object()) is control


def test_a_lease_is_held_from_intent_to_outcome() -> None:
    """A target is leased for as long as policy says, and free once the outcome is known."""
    ledger = authorised()
    start(ledger)
    lease = ledger.control.leases[TARGET]
    assert (lease.executor, lease.until) == ("x-1", ledger.at + 10_000)
    finish(ledger)
    assert ledger.control.leases == {}


def test_an_outcome_frees_only_its_own_target() -> None:
    """The lease of another intent on the same target stands."""
    ledger = authorised()
    start(ledger)
    lease = ledger.control.leases[TARGET]
    other = replace(ledger.control, leases={TARGET: replace(lease, intent="other")})
    finished = next(event for event in finish(ledger) if type(event).__name__ == "ActionFinished")
    assert TARGET in evolve(other, finished).leases


def test_it_knows_what_was_read_of_each_source() -> None:
    """The next offset to read of a topic is one past the newest command decided, and time never goes back."""
    ledger = contained()
    assert ledger.control.read == {"T": len(ledger.leaves)}
    assert ledger.control.next_index == len(ledger.leaves)
    before = ledger.control.at
    ledger.at -= 60_000
    ledger.ask(c.Acknowledge(incident=INCIDENT, note=""), "eva")
    assert ledger.control.at == before


def test_a_source_without_a_topic_is_not_remembered() -> None:
    """A registrar's own take-over was read nowhere."""
    ledger = established()
    entry = ledger.verified[0].entry
    asked = ledger.verified[0].asked
    assert entry is not None
    assert asked is not None
    nowhere = replace(entry, source=replace(entry.source, topic_id=""))
    ledger.state.apply(nowhere, asked, list(ledger.verified[0].events), ledger.leaves[0])
    assert ledger.control.read == {"T": 1}
