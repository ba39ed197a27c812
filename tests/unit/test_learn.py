"""What is learnt of a case: the fault tree, the post-mortem and its acceptance, ratings, verdicts and corrections."""

from dataclasses import replace

import pytest

from agents.ledger.decisions.learn import MAX_CAUSES, MAX_PART, MAX_POST_MORTEM, MAX_TEXT
from schemas import commands as c
from schemas.case import learning as s
from schemas.case.learning import CauseKind, Finding, Milestone, MissedControl
from schemas.case.people import AddTask
from schemas.values import Role
from tests.learnt import POST_MORTEM, answer_everything, cause, root, write
from tests.ledgers import INCIDENT, START, Ledger, enrolment, key_of, names, reason
from tests.play import evidence, incident_grew, incident_opened, opened, resolved

REPLAY = s.AttachReplay(incident=INCIDENT, digest="ef" * 32, policy="12" * 32, sentence="found 90 s earlier")
JUDGE = s.JudgeSignal(incident=INCIDENT, signal="s-1", finding=Finding.FALSE, note="a backfill")
RATE = s.RateResponse(incident=INCIDENT, score=4, comment="quick")
CORRECT = s.CorrectMilestone(incident=INCIDENT, milestone=Milestone.OCCURRED, at=START - 1, reason="the release")
LONG = "x" * (MAX_TEXT + 1)


def accept(ledger: Ledger, who: str = "mia", **changes: object) -> list[object]:
    """Accept the newest post-mortem."""
    body = s.AcceptPostMortem(incident=INCIDENT, digest=ledger.case.learning.written)
    return ledger.ask(replace(body, **changes), who)


def written() -> Ledger:
    """Return a resolved case with a root cause, an answered checklist and max's post-mortem."""
    ledger = resolved()
    ledger.ask(root(), "max")
    answer_everything(ledger, "max")
    ledger.ask(write(), "max")
    return ledger


def test_five_whys_are_a_chain_and_several_roots_a_tree() -> None:
    """Each why names what it explains; a case may have as many root causes as it has."""
    ledger = opened()
    for number, kind in enumerate([CauseKind.TRIGGER, *[CauseKind.CONTRIBUTING] * 3, CauseKind.ROOT]):
        parent = f"why-{number - 1}" if number else None
        assert names(ledger.ask(cause(cause=f"why-{number}", kind=kind, parent=parent), "eva")) == ["CauseRecorded"]
    ledger.ask(root(parent="why-1", code=MissedControl.CANARY_RELEASE), "max")
    assert ledger.case.learning.roots == ("why-4", "r-1")
    assert ledger.case.learning.causes["r-1"].code is MissedControl.CANARY_RELEASE


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (cause(cause="a b"), "bad_cause"),
        (cause(cause="n", text=""), "bad_cause"),
        (cause(cause="n", text=LONG), "bad_cause"),
        (cause(cause="n", parent="nobody"), "unknown_parent"),
        (cause(cause="n", parent="n"), "unknown_parent"),
        (cause(cause="c-1", parent="c-1"), "cycle"),
        (cause(cause="c-1", parent="c-2"), "cycle"),
        (cause(cause="n", parent="r-1"), "below_root"),
        (cause(cause="c-1", kind=CauseKind.ROOT), "below_root"),
        (replace(REPLAY, digest="ef"), "bad_evidence"),
        (replace(REPLAY, policy="the other"), "bad_replay"),
        (replace(REPLAY, sentence=""), "bad_replay"),
        (replace(REPLAY, sentence=LONG), "bad_evidence"),
        (write(text=replace(POST_MORTEM, importance=" ")), "incomplete"),
        (write(text=replace(POST_MORTEM, impact="x" * (MAX_PART + 1))), "too_long"),
        (
            write(text=replace(POST_MORTEM, **dict.fromkeys(["impact", "lucky", "drift", "lessons"], "x" * MAX_PART))),
            "too_long",
        ),
        (RATE, "not_over"),
        (replace(JUDGE, signal="s-9"), "unknown_signal"),
        (replace(JUDGE, note=LONG), "bad_note"),
        (replace(CORRECT, at=START + 1), "bad_time"),
        (replace(CORRECT, at=0), "bad_time"),
        (replace(CORRECT, reason=""), "bad_reason"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(body: object, why: str) -> None:
    """A refused word changes nothing of what is learnt."""
    assert 4 * MAX_PART > MAX_POST_MORTEM
    ledger = opened()
    ledger.ask(cause(), "max")
    ledger.ask(cause(cause="c-2", parent="c-1"), "max")
    ledger.ask(root(parent="c-2"), "max")
    before = ledger.case.learning
    assert reason(ledger.ask(body, "max")) == why
    assert ledger.case.learning == before


def test_a_case_has_a_bounded_number_of_causes() -> None:
    """One more is refused, while one that is known can still be amended."""
    ledger = opened()
    for number in range(MAX_CAUSES):
        ledger.ask(cause(cause=f"c-{number}"), "max")
    assert reason(ledger.ask(cause(cause="n"), "max")) == "too_much"
    assert names(ledger.ask(cause(cause="c-1", text="otherwise"), "max")) == ["CauseRecorded"]


def test_a_replay_is_kept_as_evidence_too() -> None:
    """Its digest is one of the case's evidence, so whatever verifies or packs that has it; once."""
    ledger = opened()
    assert names(ledger.ask(REPLAY, "max")) == ["EvidenceAttached", "ReplayAttached"]
    assert [kept.kind for kept in ledger.case.evidence] == ["replay"]
    assert reason(ledger.ask(replace(REPLAY, sentence="again"), "max")) == "attached"


def test_a_post_mortem_is_accepted_by_somebody_who_did_not_write_it() -> None:
    """No author of any of its versions accepts it, and whoever does binds its exact bytes."""
    ledger = written()
    first = ledger.case.learning.written
    ledger.ask(write(text=replace(POST_MORTEM, lucky="nobody looked")), "eva")
    assert reason(accept(ledger, "max")) == "own_work"
    assert reason(accept(ledger, digest=first)) == "unknown_digest"
    assert reason(accept(ledger, "eva")) == "wrong_role"
    assert not ledger.case.learning.accepted
    assert names(accept(ledger)) == ["PostMortemAccepted"]
    assert ledger.case.learning.accepted
    assert reason(accept(ledger, repeat=1)) == "accepted"
    assert reason(ledger.ask(cause(cause="n"), "max")) == "accepted"


def test_a_new_version_is_accepted_anew() -> None:
    """What was accepted does not vouch for what is written later."""
    ledger = written()
    accept(ledger)
    ledger.ask(write(text=replace(POST_MORTEM, lucky="nobody looked")), "max")
    assert not ledger.case.learning.accepted
    assert names(accept(ledger)) == ["PostMortemAccepted"]


def test_a_validator_may_accept_it() -> None:
    """The role validator is enough."""
    ledger = written()
    ledger.ask(c.EnrolKey(enrolment=enrolment("val", Role.VALIDATOR)), "ada")
    assert names(accept(ledger, "val")) == ["PostMortemAccepted"]


def test_nothing_is_accepted_of_which_the_cause_or_the_checklist_is_missing() -> None:
    """Without a root cause, with an open item, or a task of somebody who can no longer act, it is unfinished."""
    ledger = resolved()
    ledger.ask(write(), "max")
    (refused,) = accept(ledger)
    assert "no root cause" in refused.detail  # type: ignore[attr-defined]
    assert "who-is-harmed" in refused.detail  # type: ignore[attr-defined]
    ledger.ask(root(), "max")
    assert reason(accept(ledger, repeat=1)) == "unfinished"
    answer_everything(ledger, "max")
    ledger.ask(AddTask(incident=INCIDENT, task="t-1", title="Look", owner="p-eva", due_at=START), "max")
    ledger.ask(c.RevokeKey(key=key_of("eva").key_id, reason="left"), "ada")
    (refused,) = accept(ledger, repeat=2)
    assert "t-1" in refused.detail  # type: ignore[attr-defined]
    ledger.ask(c.EnrolKey(enrolment=enrolment("eva-2", Role.ML_ENGINEER, principal="p-eva")), "ada")
    assert names(accept(ledger, repeat=3)) == ["PostMortemAccepted"]


def test_a_post_mortem_is_accepted_only_when_the_response_is_over() -> None:
    """While anything is still to be done, there is nothing to conclude."""
    ledger = opened()
    ledger.ask(root(), "max")
    answer_everything(ledger, "max")
    ledger.ask(write(), "max")
    assert reason(accept(ledger)) == "not_over"


def test_a_resolution_asks_how_the_response_was_and_each_person_has_one_rating() -> None:
    """The question stands in the entry of the resolution, for the owner's role and the staff; the newest counts."""
    ledger = resolved()
    asked = [event for found in ledger.verified for event in found.events if isinstance(event, s.RatingAsked)]
    assert [event.roles for event in asked] == [(Role.ML_MANAGER, Role.STAFF)]
    ledger.ask(RATE, "mia")
    ledger.ask(replace(RATE, score=2), "mia")
    ledger.ask(RATE, "max")
    assert ledger.case.learning.ratings == {"p-mia": 2, "p-max": 4}
    assert reason(ledger.ask(replace(RATE, score=6), "max")) == "bad_score"
    assert reason(ledger.ask(replace(RATE, score=0), "max")) == "bad_score"
    assert reason(ledger.ask(RATE, "eva")) == "wrong_role"


def test_every_signal_of_a_case_can_be_judged_also_when_it_is_over() -> None:
    """The signals that it opened with and those that it grew by; the newest word on each counts."""
    ledger = opened()
    ledger.ask(incident_grew(evidence=(evidence(signal="s-2"),)), "triage")
    ledger.ask(JUDGE, "eva")
    ledger.ask(replace(JUDGE, finding=Finding.BENIGN), "eva")
    ledger.ask(replace(JUDGE, signal="s-2", finding=Finding.TRUE), "max")
    assert ledger.case.learning.verdicts == {"s-1": Finding.BENIGN, "s-2": Finding.TRUE}
    over = resolved()
    assert names(over.ask(JUDGE, "eva")) == ["SignalJudged"]


def test_a_milestone_is_corrected_beside_what_was_recorded() -> None:
    """The correction says who and why, and leaves the recorded event as it is."""
    ledger = opened()
    assert names(ledger.ask(CORRECT, "eva")) == ["MilestoneCorrected"]
    assert ledger.case.opened_at == START
    assert incident_opened().first_bad_at == START
