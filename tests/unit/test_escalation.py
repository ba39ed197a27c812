"""Escalation: nobody answering climbs, nobody reached is said and passed, and an answer stops what it should."""

from dataclasses import replace

import pytest

from agents.oncall.decide import Refusal, decide
from agents.oncall.escalation import advance, deadline, resolved, start
from agents.oncall.paging import Paging, evolve
from agents.oncall.targets import resolver
from schemas import oncall
from schemas.avro import decode, encode
from schemas.case.paging import (
    COMMANDS,
    EVENTS,
    AcknowledgeExpired,
    AcknowledgePage,
    Command,
    EscalationExhausted,
    PageReachedNobody,
    PageSent,
    PageSkipped,
    PagingState,
    ReportAcknowledgeExpired,
    ReportExhausted,
    ReportNobodyReached,
    ReportPage,
    ReportPageSkipped,
)
from schemas.escalation import CaseFacts
from schemas.values import Category, Severity
from streams.settings import DEPLOY
from tests.paging import FACTS, MINUTE, START, Case, policy, step, told

TWO = policy(step("user:ada"), step("user:grace", after_seconds=300), repeat=1)


def test_nobody_answering_climbs_every_step_of_every_round_and_ends_at_the_final_role() -> None:
    """Two steps, twice, each after its time; then the boss is told, and time alone does nothing more."""
    case = Case(TWO)
    events = case.play()
    assert told(events) == [("ada",), ("grace",), ("ada",), ("grace",), ("role.boss",)]
    assert [(event.at - START) // MINUTE for event in events if hasattr(event, "at")] == [0, 5, 15, 20, 30]
    assert isinstance(events[-1], EscalationExhausted)
    assert (case.paging.state, deadline(case.paging)) == (PagingState.EXHAUSTED, None)


def test_a_step_that_reaches_nobody_is_said_and_passed_at_once() -> None:
    """A gap in the schedule costs no time: the next step pages in the same moment, and the record says why."""
    case = Case(policy(step("schedule:week"), step("user:grace", after_seconds=900)), {"schedule:week": ()})
    missed, sent = case.turn()
    assert isinstance(missed, PageReachedNobody)
    assert missed.why == "nobody is on call in this schedule"
    assert isinstance(sent, PageSent)
    assert (sent.persons, sent.at) == (("grace",), START)


def test_a_round_that_reaches_nobody_goes_to_the_final_role_at_once() -> None:
    """Paging an empty house again would only lose time."""
    case = Case(policy(step("schedule:week"), step("role:legal", after_seconds=60), repeat=5))
    case.persons = {"schedule:week": (), "role:legal": ()}
    assert [type(event) for event in case.turn()] == [PageReachedNobody, PageReachedNobody, EscalationExhausted]


def test_a_final_role_without_anybody_is_said_too() -> None:
    """Nobody anywhere: the record holds that the final role reached nobody before it says that nobody is left."""
    case = Case(policy(step("user:ada")), {"user:ada": (), "role:boss": ()})
    assert [getattr(event, "target", "") for event in case.turn()] == ["user:ada", "role:boss", ""]
    assert case.paging.final == ()


def test_a_webhook_is_told_and_is_nobody() -> None:
    """A step of a webhook and a gap passes at once; a step of a webhook alone waits, as it was declared."""
    mixed = policy(step("webhook:siem", "schedule:week"), step("user:ada", after_seconds=60))
    assert told(Case(mixed, {"schedule:week": ()}).turn()) == [("webhook:siem",), ("PageReachedNobody",), ("ada",)]
    alone = policy(step("webhook:siem"), step("user:ada", after_seconds=60))
    assert told(Case(alone).turn()) == [("webhook:siem",)]


def test_one_answer_stops_a_step_that_asks_any() -> None:
    """Who acknowledges stops the climb, whoever it is; the record says until when it counts."""
    case = Case(TWO)
    case.turn()
    case.acknowledge("eve")
    assert case.paging.state is PagingState.ACKNOWLEDGED
    assert deadline(case.paging) == START + 60 * MINUTE


def test_one_answer_does_not_stop_the_others_of_a_step_that_asks_all() -> None:
    """Legal has answered, ethics has not: ethics is paged again, legal is not, and ethics' answer stops it."""
    case = Case(policy(step("user:legal", "user:ethics", ack="all"), repeat=1))
    case.turn()
    case.acknowledge("legal")
    case.acknowledge("eve")
    assert case.paging.state is PagingState.TRIGGERED
    skipped, sent = case.wait()
    assert isinstance(skipped, PageSkipped)
    assert isinstance(sent, PageSent)
    assert (skipped.target, sent.persons) == ("user:legal", ("ethics",))
    assert case.acknowledge("legal") == Refusal(
        "already_acknowledged", "legal has acknowledged; it still waits for ethics"
    )
    case.acknowledge("ethics")
    assert case.paging.state is PagingState.ACKNOWLEDGED


def test_a_quick_answer_does_not_spare_those_who_are_to_be_paged_in_the_same_moment() -> None:
    """On call answers before legal's page is reported: legal is still paged, and still awaited."""
    case = Case(policy(step("user:ada"), step("role:legal", ack="all"), step("user:grace", after_seconds=600)))
    first = advance(case.paging, case.policy, FACTS, case.now, case.resolve)[0]
    case.happened([first])
    case.acknowledge("ada")
    assert case.paging.state is PagingState.TRIGGERED
    assert told(case.turn()) == [("role.legal",)]
    case.acknowledge("role.legal")
    assert case.paging.state is PagingState.ACKNOWLEDGED


def test_an_answer_that_is_not_followed_up_counts_no_more_and_the_step_pages_again() -> None:
    """An hour after the acknowledgement the step where it stood pages again, and the climb goes on from there."""
    case = Case(TWO)
    case.turn()
    case.wait()
    case.acknowledge("grace")
    expired, sent = case.wait()
    assert isinstance(expired, AcknowledgeExpired)
    assert (expired.persons, expired.at) == (("grace",), START + 65 * MINUTE)
    assert isinstance(sent, PageSent)
    assert (sent.step, sent.round, sent.persons) == (1, 0, ("grace",))
    assert told(case.play()) == [("ada",), ("grace",), ("role.boss",)]


def test_the_final_role_answers_for_all_and_is_told_again_when_it_forgets() -> None:
    """After the end the boss's word stops it, nobody else's while some are awaited; forgotten, it is told again."""
    case = Case(policy(step("user:legal", "user:ethics", ack="all")))
    case.play()
    case.acknowledge("legal")
    assert case.paging.state is PagingState.EXHAUSTED
    case.acknowledge("role.boss")
    assert case.paging.state is PagingState.ACKNOWLEDGED
    assert told(case.wait()) == [("legal", "role.boss"), ("role.boss",)]
    assert case.paging.state is PagingState.EXHAUSTED


def test_a_step_whose_condition_does_not_hold_is_skipped_and_said() -> None:
    """Outside the hours, or with too few signals, the step is recorded as skipped and takes no time of its own."""
    office = {"hours": {"days": ["mon"], "start": "09:00", "end": "10:00"}, "zone": "Europe/Berlin"}
    many = {"signals": 3, "within_seconds": 60}
    later = step("user:alan", after_seconds=60)
    case = Case(policy(step("user:ada", only_if=office), step("user:grace", only_if=many), later))
    first, second = case.turn()
    assert isinstance(first, PageSkipped)
    assert first.why == "outside its hours (09:00 to 10:00 in Europe/Berlin)"
    assert isinstance(second, PageSkipped)
    assert second.why == "0 signals in 60 s; it needs 3"
    assert told(case.wait()) == [("alan",)]
    recent = CaseFacts(
        severity=Severity.SEV1, category=Category.ATTACK, tier="high", signals=(START - 1, START, START - 2)
    )
    monday = 1_799_654_400_000  # Monday 2027-01-11 08:00Z, 09:00 in Berlin
    assert told(Case(policy(step("user:ada", only_if=office)), now=monday).turn()) == [("ada",)]
    assert told(Case(policy(step("user:grace", only_if=many)), facts=recent).turn()) == [("grace",)]


def test_only_signals_within_the_time_count() -> None:
    """A signal exactly as old as the time, and one of the future, are none of those that a step asks for."""
    facts = replace(FACTS, signals=(START - 60_000, START - 59_999, START, START + 1))
    asked = step("user:grace", only_if={"signals": 3, "within_seconds": 60})
    skipped, _ = Case(policy(asked), facts=facts).turn()
    assert isinstance(skipped, PageSkipped)
    assert skipped.why == "2 signals in 60 s; it needs 3"


def test_who_had_to_answer_and_did_is_not_awaited_again_when_a_later_step_pages_again() -> None:
    """Legal answered while the second step paged; an hour later that step pages ada again, whose word is enough."""
    case = Case(policy(step("user:legal", ack="all"), step("user:ada", after_seconds=60)))
    case.turn()
    case.wait()
    case.acknowledge("legal")
    assert told(case.wait()) == [("legal",), ("ada",)]
    assert case.paging.awaited == ()
    case.acknowledge("ada")
    assert case.paging.state is PagingState.ACKNOWLEDGED


def test_a_case_keeps_the_policy_that_it_began_with() -> None:
    """Paging begins with the name and the digest of what was in force; only those say what counts for it."""
    document = oncall.read((DEPLOY / "oncall.toml").read_bytes())
    (began,) = start(document, "digest", FACTS, incident="i", subject="", at=START)
    paging = evolve(Paging(incident="i"), document.policies[0], began)
    assert (paging.policy, paging.digest, paging.state) == ("fairness", "digest", PagingState.TRIGGERED)
    chosen = document.policy(paging.policy)
    assert chosen is not None
    events = advance(paging, chosen, FACTS, START, resolver(document, START))
    assert told(events) == [("alan",), ("alan",), ("grace",)]
    (ended,) = resolved(paging, "ada", "fixed", START)
    over = evolve(paging, chosen, ended)
    assert (deadline(over), resolved(over, "ada", "again", START)) == (None, [])


def test_paging_survives_its_encoding() -> None:
    """State, events and commands are records: the bytes give back exactly what was written."""
    case = Case(policy(step("user:legal", "schedule:week", ack="all")), {"schedule:week": ()})
    case.turn()
    case.acknowledge("legal")
    case.wait()
    for record in (case.paging, *case.said):
        assert decode(type(record), encode(record)) == record
    names = {record.__name__ for record in (*EVENTS, *COMMANDS)}
    assert len(names) == len(EVENTS) + len(COMMANDS)


def page(**more: object) -> ReportPage:
    """Return a report that ada was paged by the first step."""
    said = {"step": 0, "round": 0, "target": "user:ada", "persons": ("ada",), "important": True, "at": START}
    return ReportPage(incident="i", **{**said, **more})  # type: ignore[arg-type]


SKIP = ReportPageSkipped(incident="i", step=0, round=0, target="", persons=(), why="no", at=START)
NOBODY = ReportNobodyReached(incident="i", step=0, round=0, target="user:ada", why="x" * 3000, at=START)
EXHAUSTED = ReportExhausted(incident="i", role="boss", persons=("eve",), why="no", at=START)
EXPIRED = ReportAcknowledgeExpired(incident="i", step=0, round=0, at=START)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (page(at=START - 1), "not_due"),
        (page(step=1), "wrong_step"),
        (page(round=1), "wrong_step"),
        (page(target="user:grace"), "wrong_target"),
        (page(persons=()), "reached_nobody"),
        (page(persons=("ada", "ada")), "unsound"),
        (page(persons=("\x1b[2J",)), "unsound"),
        (page(important=False), "wrong_step"),
        (SKIP, "not_conditional"),
        (NOBODY, "too_long"),
        (EXHAUSTED, "wrong_step"),
        (EXPIRED, "not_paging"),
        (AcknowledgePage(incident="i", note="x" * 3000), "too_long"),
    ],
)
def test_a_report_that_does_not_fit_is_refused(asked: Command, reason: str) -> None:
    """Too early, another step, nobody, somebody unsound, a skip without a condition: each has its reason."""
    refusal = decide(Case(TWO).paging, TWO, asked, "ada", START)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, bool(refusal.detail)) == (reason, True)


def test_nobody_acknowledges_what_is_not_paged_and_nobody_who_sleeps_is_left_out() -> None:
    """Before paging began an acknowledgement is refused; only persons who know may be skipped."""
    before = decide(Paging(incident="i"), TWO, AcknowledgePage(incident="i", note=""), "ada", START)
    assert isinstance(before, Refusal)
    asleep = ReportPageSkipped(incident="i", step=0, round=0, target="user:ada", persons=("ada",), why="", at=START)
    unaware = decide(Case(TWO).paging, TWO, asleep, "paging", START)
    assert isinstance(unaware, Refusal)
    assert (before.reason, unaware.reason) == ("not_paging", "not_aware")


def test_the_end_is_reported_for_the_final_role_and_after_it_reached_nobody_if_so() -> None:
    """Another role, or nobody without having said so, is refused at the end; a wrong place of an expiry too."""
    case = Case(policy(step("user:ada")), {"role:boss": ()})
    case.turn()
    late = START + 600_000
    other = ReportExhausted(incident="i", role="eve", persons=("eve",), why="", at=late)
    silent = ReportExhausted(incident="i", role="boss", persons=(), why="", at=late)
    paged = ReportPage(incident="i", step=1, round=0, target="role:boss", persons=("eve",), important=True, at=late)
    refusals = [decide(case.paging, case.policy, asked, "paging", late) for asked in (other, silent, paged)]
    assert [getattr(refusal, "reason", "") for refusal in refusals] == ["wrong_target", "reached_nobody", "wrong_step"]
    case.acknowledge("ada")
    hour = START + 3_600_000
    expired = ReportAcknowledgeExpired(incident="i", step=3, round=0, at=hour)
    misplaced = decide(case.paging, case.policy, expired, "paging", hour)
    assert isinstance(misplaced, Refusal)
    assert misplaced.reason == "wrong_step"


def test_categories_that_no_policy_of_clocks_speaks_of_start_nothing() -> None:
    """A clock that has run for a tenth pages nobody."""
    document = oncall.read((DEPLOY / "oncall.toml").read_bytes())
    early = CaseFacts(severity=Severity.SEV1, category=Category.FAIRNESS, tier="high", clock_percent=10)
    assert start(document, "d", early, incident="i", subject="clock:gdpr_33", at=START) == []
