"""What stands in the topic without counting: void leaves, and take-overs that name them."""

from dataclasses import replace

import pytest

from agents.ledger.fold import open_entry
from schemas import commands as c
from schemas.codec import frame
from tests.ledgers import INCIDENT, names, read, reason, resigned
from tests.play import authorised, incident_opened, opened
from tests.tampering import first_bad, forged, take_over, took_over


@pytest.mark.parametrize("leaf", [b"", b"\0", b"garbage" * 20_000, b"\0" * 40])
def test_a_leaf_that_is_no_entry_is_void(leaf: bytes) -> None:
    """Whatever stands on an open broker counts for nothing, and what comes after it still does."""
    ledger = opened()
    assert ledger.append(leaf)[0].void
    assert names(ledger.ask(c.Acknowledge(incident=INCIDENT, note=""), "eva")) == ["CaseAcknowledged"]
    assert read(ledger.leaves, ledger.notes) == ledger.verified
    assert read(ledger.leaves, ledger.notes[-1:]) == ledger.verified


def test_an_entry_that_stands_elsewhere_is_void() -> None:
    """An index other than the offset counts for nothing: a copy, and one that another record overtook."""
    ledger = opened()
    assert "names index 3" in ledger.append(ledger.leaves[3])[0].void
    late = ledger.compose(ledger.statement(c.Acknowledge(incident=INCIDENT, note=""), "eva"))
    assert late is not None
    ledger.append(b"overtakes")
    assert "names index 5" in ledger.append(frame(late))[0].void
    assert not ledger.case.acknowledged
    assert ledger.ask(c.Acknowledge(incident=INCIDENT, note=""), "eva")


def test_an_entry_decided_without_the_one_before_is_void() -> None:
    """A registrar that was replaced knows nothing of what the other one made final."""
    ledger = opened()
    stale = ledger.compose(ledger.statement(c.Acknowledge(incident=INCIDENT, note="stale"), "max"))
    assert stale is not None
    ledger.ask(c.Acknowledge(incident=INCIDENT, note=""), "eva")
    verified = ledger.append(frame(replace(stale, index=len(ledger.leaves))))
    assert "without knowing" in verified[0].void
    assert names(ledger.ask(c.Declare(incident=INCIDENT, reason=""), "max")) == ["Refused"]
    assert read(ledger.leaves, ledger.notes) == ledger.verified


def test_nothing_above_a_checkpoint_counts() -> None:
    """An intent forged into an open topic is read and moves nobody."""
    ledger = authorised()
    ledger.write(forged(ledger))
    assert ledger.fold.size == len(ledger.leaves) - 1
    assert ledger.fold.names_itself(ledger.fold.size)
    assert ledger.fold.leaf(ledger.fold.size) == ledger.leaves[-1]
    ledger.write(b"garbage")
    assert not ledger.fold.names_itself(ledger.fold.size + 1)
    assert ledger.case.actions == {}


def test_a_take_over_names_what_it_found_void() -> None:
    """Entries that were forged, or written and never made final, count for nothing; later ones do."""
    ledger = authorised()
    final = len(ledger.leaves)
    ledger.write(forged(ledger))
    unfinished = ledger.compose(ledger.statement(c.Acknowledge(incident=INCIDENT, note="lost"), "eva"))
    assert unfinished is not None
    ledger.write(frame(unfinished))
    take_over(ledger, 1, final)
    verified = ledger.checkpoint()
    assert [each.void for each in verified] == ["a later registrar named it void"] * 2 + [""]
    assert ledger.control.epoch == 1
    assert ledger.ask(c.Acknowledge(incident=INCIDENT, note="lost"), "eva")
    assert read(ledger.leaves, ledger.notes, ledger.trust) == ledger.verified


def test_two_take_overs_are_found_by_a_reader_of_one_checkpoint() -> None:
    """Who reads only the newest checkpoint finds the same entries void as who read them all."""
    ledger = opened()
    for epoch in (1, 2):
        final = len(ledger.leaves)
        ledger.write(forged(ledger))
        take_over(ledger, epoch, final)
        ledger.checkpoint()
        ledger.ask(incident_opened(id=f"other-{epoch}"), "triage")
    assert read(ledger.leaves, ledger.notes[-1:], ledger.trust) == ledger.verified
    assert sum(1 for each in ledger.verified if each.void) == 2


def test_a_take_over_that_is_void_itself_names_nothing() -> None:
    """A forged take-over is named void by the genuine one, and what it named stays."""
    ledger = opened()
    final = len(ledger.leaves)
    ledger.write(forged(ledger, events=(took_over(1),), outcome="accepted"))
    take_over(ledger, 1, final)
    assert [bool(each.void) for each in ledger.checkpoint()] == [True, False]
    assert read(ledger.leaves, ledger.notes[-1:], ledger.trust) == ledger.verified


@pytest.mark.parametrize("void_from", [-(2**62), -5, 0, 1, 3])
def test_what_is_final_cannot_be_made_void(void_from: int) -> None:
    """Asked for it is refused; written nevertheless, and honestly signed, it breaks the ledger there."""
    ledger = opened()
    index = len(ledger.leaves)
    asked = ledger.ask(c.TakeOver(epoch=1, void_from=void_from), "registrar")
    assert reason(asked) == "final"
    honest = open_entry(ledger.leaves[index], index)
    lie = replace(honest, outcome="accepted", events=(took_over(void_from),))
    leaves = [*ledger.leaves[:index], frame(lie)]
    assert first_bad(leaves, resigned(leaves), ledger.trust) == index


def test_a_take_over_from_beyond_itself_names_nothing() -> None:
    """Only what stands before it can be void."""
    ledger = opened()
    take_over(ledger, 1, 10**9)
    assert [each.void for each in ledger.checkpoint()] == [""]
    assert ledger.ask(incident_opened(id="next"), "triage")


@pytest.mark.parametrize("leaf", ["RegistrarTookOver", "note"])
def test_a_leaf_that_only_speaks_of_a_take_over_names_nothing(leaf: str) -> None:
    """The name of the event in other bytes, or in somebody's words, voids nothing."""
    ledger = opened()
    if leaf == "note":
        ledger.ask(c.Acknowledge(incident=INCIDENT, note="RegistrarTookOver"), "eva")
    else:
        ledger.append(b"RegistrarTookOver")
    assert [each.index for each in read(ledger.leaves, ledger.notes[-1:]) if each.entry] == [
        each.index for each in ledger.verified if each.entry
    ]
