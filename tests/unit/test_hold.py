"""Evidence is held from the declaration of a case of high tier until two persons, one of them legal, let it go."""

from dataclasses import replace
from pathlib import Path

import pytest

from agents.archive.held import END, HeldWindow, windows
from agents.ledger.case import Phase
from schemas import commands as c
from schemas.case.hold import HeldVersion, ReleaseHold
from schemas.profiles import AdoptProfile
from schemas.signals import Affected
from schemas.values import Role
from streams.archive.index import ArchiveIndex, NewFile
from tests import play, story
from tests.ledgers import INCIDENT, START, Ledger, enrolment, genesis, names, reason


def agree(ledger: Ledger, who: str, repeat: int = 0) -> list[object]:
    """Let a person agree to release the evidence."""
    return ledger.ask(ReleaseHold(incident=INCIDENT, reason="no claim", repeat=repeat), who)


def resolved() -> Ledger:
    """Return a ledger whose case is resolved, with a second lawyer."""
    ledger = play.resolved()
    for who in ("lea", "leo"):
        ledger.ask(c.EnrolKey(enrolment=enrolment(who, Role.LEGAL)), "ada")
    return ledger


def test_the_declaration_of_a_high_tier_case_holds_what_decided_and_by_what() -> None:
    """Versions with their profiles, the window from the first bad row, and the documents in force, in one entry."""
    ledger = genesis()
    ledger.ask(AdoptProfile(model="shuttle", version="2", digest="ab" * 32), "max")
    found = ledger.ask(play.incident_opened(first_bad_at=START - 5), "triage")
    assert names(found) == ["CaseOpened", "CaseDeclared", "EvidenceHeld"]
    hold = ledger.case.hold
    assert hold.held == (HeldVersion(model="shuttle", version="2", profile="ab" * 32),)
    assert (hold.stands, hold.since) == (True, START - 5)
    held = found[2]
    assert held.policy == ledger.control.policy_digest  # type: ignore[attr-defined]
    assert held.systems == ledger.control.systems_digest  # type: ignore[attr-defined]


def test_a_low_tier_case_holds_nothing() -> None:
    """A person declares it, and nothing follows."""
    ledger = genesis(story.POLICY, story.LOW)
    ledger.ask(play.incident_opened(affected=(Affected(model="small", version="2"),)), "triage")
    assert names(ledger.ask(c.Declare(incident=INCIDENT, reason="it is one"), "eva")) == ["CaseDeclared"]
    assert windows(ledger.case) == ()


def test_a_hold_widens_as_the_case_grows_and_asks_anew_who_would_release_it() -> None:
    """Another version joins: it is held too; growth that says nothing new adds nothing."""
    ledger = play.opened()
    assert names(ledger.ask(play.incident_grew(), "triage")) == ["CaseGrew"]
    more = (Affected(model="shuttle", version="2"), Affected(model="shuttle", version="3"))
    assert names(ledger.ask(play.incident_grew(sequence=2, affected=more), "triage")) == ["CaseGrew", "EvidenceHeld"]
    assert [each.version for each in ledger.case.hold.held] == ["2", "3"]


def test_two_persons_release_it_one_of_them_legal() -> None:
    """Not one person twice, not two without legal; with legal, the second word ends it."""
    ledger = resolved()
    assert names(agree(ledger, "max")) == ["ReleaseAgreed"]
    assert reason(agree(ledger, "max", 1)) == "same_person"
    assert names(agree(ledger, "cleo")) == ["ReleaseAgreed"]
    assert ledger.case.hold.stands
    assert names(agree(ledger, "lea")) == ["ReleaseAgreed", "HoldReleased"]
    assert not ledger.case.hold.stands
    assert reason(agree(ledger, "leo")) == "no_hold"


def test_an_engineer_does_not_release_it() -> None:
    """The table of authority names who may."""
    assert reason(agree(resolved(), "eva")) == "wrong_role"
    assert reason(agree(resolved(), "recovery")) == "wrong_role"


def test_what_is_held_outlives_its_days(tmp_path: Path) -> None:
    """Retention leaves the files of a held window, and takes them once the hold is released."""
    ledger = resolved()
    (window,) = windows(ledger.case)
    assert window == HeldWindow(model="shuttle", since=START, until=ledger.case.course.over_at)
    assert windows(play.opened().case)[0].until == END
    assert windows(replace(ledger.case, phase=Phase.MERGED))[0].until == END
    index = ArchiveIndex(tmp_path, b"k" * 32, write=True)
    days = {"before": START - 10, "inside": START + 10, "other": START + 10}
    files = [
        NewFile(
            digest=name,
            kind="rows",
            model="other" if name == "other" else "shuttle",
            day="d",
            size=1,
            first_at=at,
            last_at=at,
            ids=[],
        )
        for name, at in days.items()
    ]
    index.add(files, [], [], {})
    late = START + 10**12
    assert {digest for _, _, digest in index.expire(late, 0, windows(play.opened().case))} == {"before", "other"}
    assert [digest for _, _, digest in index.expire(late, 0)] == ["inside"]
    index.close()


@pytest.mark.parametrize("who", ["lea", "max"])
def test_the_evidence_of_a_running_response_is_not_released(who: str) -> None:
    """Whoever asks."""
    ledger = play.opened()
    ledger.ask(c.EnrolKey(enrolment=enrolment("lea", Role.LEGAL)), "ada")
    assert reason(agree(ledger, who)) == "illegal_transition"
