"""Shares of a clock's time: told once each when they are used, and what people see of clocks."""

import pytest
from click.testing import CliRunner

from agents.ledger.case import Case
from agents.regulation.watch import ClockCrossed, Watched, watch
from agents.roles import tell_time
from agents.roles.tell_time import AGAIN_MS
from schemas.case.clocks import Known, ReportClockShare
from streams.__main__ import headgate
from streams.ledger.keyring import Identity
from streams.roles.clocks import Clocks
from streams.view.clock_lines import say, say_ended
from streams.view.counting import clocks_of, span
from tests.clocks import DAY, HOUR, confirm, declared, exclude, fact, happened, submit, toll
from tests.ledgers import START, Ledger, key_of, names, reason

WARNING, NOTIFICATION = "nis2_23.early_warning", "nis2_23.notification"
NAMES = {"p-cleo": "cleo", "p-lea": "lea", "p-eva": "eva"}


def watched(**changes: int) -> Watched:
    """Return a clock of 100 ms."""
    return Watched(**({"incident": "i", "clock": "c", "start": 0, "due": 100, "reached": 0} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reached", "now", "told", "coming"),
    [
        (0, 49, (), 50),
        (0, 50, (50,), 80),
        (50, 79, (), 80),
        (50, 80, (80,), 100),
        (0, 99, (80,), 100),
        (80, 500, (100,), None),
        (100, 500, (), None),
    ],
)
def test_each_share_is_told_when_it_is_used(reached: int, now: int, told: tuple[int, ...], coming: int | None) -> None:
    """Of several at once the highest alone; and the time of the next one is known."""
    found, after = watch([watched(reached=reached)], now)
    assert tuple(one.share for one in found) == told
    assert after == coming


def test_a_clock_that_is_due_at_its_trigger_is_told_as_overdue_at_once() -> None:
    """The law gave no number, so all of its time is used."""
    assert watch([watched(due=0)], 0) == ((ClockCrossed(incident="i", clock="c", share=100, due=0),), None)


def follow(ledger: Ledger) -> Clocks:
    """Return the clocks role, which has read the ledger."""
    role = Clocks(Identity(name="paging", principal="p-paging", key=key_of("paging")))
    role.take(ledger.verified, ledger.state)
    return role


def test_the_clocks_role_has_each_share_of_each_clock_recorded_once() -> None:
    """From half of the early warning's time to the end of both; the ledger's entries are all that it keeps."""
    ledger = declared("nis2_23")
    role = follow(ledger)
    told: list[tuple[str, int]] = []
    for _ in range(73):
        for body in role.proposals(ledger.state, ledger.at):
            assert isinstance(body, ReportClockShare)
            told.append((body.clock, body.share))
            ledger.ask(body, "paging")
            role.take(ledger.verified[-1:], ledger.state)
        ledger.later(3600)
    assert told == [
        *((WARNING, 50), (WARNING, 80), (WARNING, 100)),
        *((NOTIFICATION, 50), (NOTIFICATION, 80), (NOTIFICATION, 100)),
    ]
    assert role.proposals(ledger.state, ledger.at + 99 * DAY) == []


def test_a_share_that_the_registrar_did_not_record_is_asked_for_again() -> None:
    """The same statement for a while, and another one after it: its clock may have been behind."""
    ledger = declared("nis2_23")
    role = follow(ledger)
    half = ledger.at + 12 * HOUR
    assert role.proposals(ledger.state, half - 1) == []
    first = role.proposals(ledger.state, half)
    assert role.proposals(ledger.state, half + AGAIN_MS - 1) == first
    assert role.proposals(ledger.state, half + AGAIN_MS) != first
    assert reason(ledger.ask(first[0], "paging")) == "not_due"


def test_a_trigger_that_moves_earlier_is_told_at_once() -> None:
    """The role looks again at whatever was said of a case."""
    ledger = declared("nis2_23")
    role = follow(ledger)
    assert role.proposals(ledger.state, ledger.at) == []
    ledger.ask(happened("aware", START - 20 * HOUR), "eva")
    role.take(ledger.verified[-1:], ledger.state)
    assert [one.share for one in role.proposals(ledger.state, ledger.at)] == [80]  # type: ignore[attr-defined]
    ledger.ask(exclude("nis2_23"), "cleo")
    assert tell_time.proposals(ledger.case, ledger.at) == ([], None)


def shown(case: Case, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what a person reads of the clocks of a case."""
    for one in clocks_of(case, ledger.control, NAMES, ledger.at):
        (say if one["state"] == "running" else say_ended)(one)
    return capsys.readouterr().out


def test_a_person_reads_what_is_due_to_whom_and_by_whose_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Trigger with who and basis, both due times in words, facts that are unknown, citation, and what was said."""
    ledger = declared("ai_act_art73", "nis2_23", "hipaa_hhs")
    ledger.ask(happened("aware", START - HOUR), "eva")
    ledger.ask(submit(WARNING), "cleo")
    said = shown(ledger.case, ledger, capsys)
    assert "ai_act_art73.report.widespread: due 2023-11-16 20:13:20Z, left: 1 d 22 h, 2 % used" in said
    assert "from    aware 2023-11-14 21:13:20Z; eva: the log" in said
    assert "legal   2023-11-16 22:59:59Z" in said
    assert "counted from Tuesday 14 November 2023 22:13 CET (DE, Europe/Berlin)" in said
    assert "unknown widespread_infringement: Are people in several Member States" in said
    assert "Article 73; Art. 73(3)" in said
    assert "applies from 2027-12-02" in said
    assert "by      provider, deployer where the provider cannot be reached; the operator is declared as both" in said
    assert "cleo says so, receipt R-1: a second person confirms it" in said
    assert "(US-CA, America/New_York)" in said
    assert "discovered (unknown: awareness stands in)" in said


def test_a_person_reads_how_each_clock_ended(capsys: pytest.CaptureFixture[str]) -> None:
    """With receipt and both persons, with the decider and the reason, or with what took its place."""
    ledger = declared("ai_act_art73", "nis2_23", "hipaa_hhs")
    ledger.ask(submit(WARNING), "cleo")
    ledger.ask(confirm(WARNING), "lea")
    ledger.ask(exclude("nis2_23.notification"), "cleo")
    ledger.ask(fact("widespread_infringement"), "eva")
    ledger.ask(toll("hipaa_hhs.notice", START + 70 * DAY), "lea")
    ledger.later(61 * 86_400)
    said = shown(ledger.case, ledger, capsys)
    assert "nis2_23.early_warning: submitted 2023-11-14 22:13:20Z, receipt R-1, says cleo and lea" in said
    assert "nis2_23.notification: not applicable, decided cleo: no device" in said
    assert "gave way to ai_act_art73.report.infrastructure: widespread_infringement is no" in said
    assert "overdue by" in said
    assert "held    until 2024-01-23" in said


def test_without_a_jurisdiction_there_is_no_legal_due_time_and_it_says_why() -> None:
    """An authority of the Union needs a Member State; the strict due time stands alone."""
    ledger = declared("nis2_23")
    control = ledger.control
    object.__setattr__(control.systems.systems["radiator"], "jurisdictions", ("EU",))
    found = clocks_of(ledger.case, control, {}, START)[0]
    assert found["legal"]["due"] is None
    assert "no jurisdiction in the Union is declared (declared: EU)" in found["legal"]["counted"][0]


def test_spans_are_said_in_two_units() -> None:
    """Days and hours, hours and minutes, minutes."""
    assert [span(DAY + HOUR), span(-HOUR - 60_000), span(59_999)] == ["1 d 1 h", "-1 h 1 min", "0 min"]


def test_the_facts_that_people_answer_are_listed() -> None:
    """Questions and triggers, by the names that the other commands take."""
    done = CliRunner().invoke(headgate, ["clocks", "facts"])
    assert done.exit_code == 0, done.output
    assert "Did a person die" in done.stdout
    assert "reportable_aware" in done.stdout
    assert "2h, 3d or 1h30m" in CliRunner().invoke(headgate, ["clocks", "due", "--within", "soon"]).output


def test_sentences_of_clocks_name_what_happened() -> None:
    """The timeline tells clocks in words."""
    from streams.view.sentences import sentence

    ledger = declared("nis2_23")
    events = ledger.ask(fact("death", Known.YES), "eva")
    assert names(events) == ["FactRecorded"]
    assert sentence(events[0]) == "p-eva says, death: yes: the log"
