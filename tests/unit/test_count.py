"""Statutory clocks of a case: which start with the declaration, what moves them, how each ends, and each refusal."""

from datetime import UTC, datetime

import pytest

from agents.ledger.closing import unfinished
from schemas import commands as c
from schemas.case import response as r
from schemas.case.clocks import Known
from schemas.errors import PolicyError
from schemas.regulation.catalogue import CATALOGUE_VERSION, digest, edition
from schemas.signals import Affected
from tests.clocks import (
    DAY,
    HOUR,
    confirm,
    declared,
    due,
    exclude,
    fact,
    happened,
    regulate,
    reopen,
    states,
    submit,
    systems,
)
from tests.ledgers import INCIDENT, START, Ledger, genesis, names, reason
from tests.play import evidence, incident_grew, incident_opened
from tests.story import LOW

ART_73 = "ai_act_art73.report"
WARNING, NOTIFICATION, FINAL = "nis2_23.early_warning", "nis2_23.notification", "nis2_23.final"


def ms(text: str) -> int:
    """Return a point in time in milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def file(ledger: Ledger, clock: str, at: int = 0, receipt: str = "R-1") -> list[object]:
    """Let two persons say that a report was sent."""
    ledger.ask(submit(clock, at, receipt=receipt, repeat=ledger.at), "cleo")
    return ledger.ask(confirm(clock, receipt=receipt, repeat=ledger.at), "lea")


def test_a_declared_case_starts_the_clocks_of_its_systems_regimes_in_the_same_entry() -> None:
    """Unknown facts start the strictest tier, from the opening, with the digest of the catalogue that says so."""
    ledger = genesis(systems=systems("ai_act_art73", "gdpr_33", "sox_deficiency"))
    events = ledger.ask(incident_opened(), "triage")
    assert names(events)[-6:] == ["CaseRegulated"] * 3 + ["ClockStarted"] * 3
    assert due(ledger) == {
        f"{ART_73}.widespread": START + 2 * DAY - HOUR,
        "gdpr_33.authority": START + 72 * HOUR,
        "gdpr_33.controller": START,
    }
    assert {one.catalogue for one in ledger.case.clocks.counted} == {digest()}


def test_a_candidate_starts_its_clocks_when_a_person_declares_it() -> None:
    """Nothing runs in triage; what runs then counts from the opening, which is earlier than the declaration."""
    ledger = genesis(systems=systems("nis2_23").replace(b'tier = "high"', b'tier = "low"'))
    ledger.ask(incident_opened(), "triage")
    assert due(ledger) == {}
    assert "ClockStarted" in names(ledger.later(3600).ask(c.Declare(incident=INCIDENT, reason="it is"), "max"))
    assert due(ledger) == {WARNING: START + 24 * HOUR, NOTIFICATION: START + 72 * HOUR}


def test_a_case_that_grows_into_another_system_gets_its_clocks() -> None:
    """The regimes of a system that is touched later speak of the case from then on, each once."""
    more = b'[systems.b]\nscope = "b"\ntier = "low"\nregulations = ["nis2_23", "gdpr_33"]\n[systems.b.models.other]\n'
    ledger = genesis(systems=systems("nis2_23") + more)
    ledger.ask(incident_opened(), "triage")
    assert set(due(ledger)) == {WARNING, NOTIFICATION}
    grew = incident_grew(affected=(Affected(model="shuttle", version="2"), Affected(model="other", version="1")))
    assert names(ledger.ask(grew, "triage")).count("CaseRegulated") == 1
    assert {"gdpr_33.authority", WARNING} <= set(due(ledger))


def test_facts_choose_the_tier_and_the_earliest_binds() -> None:
    """What is known not to be so gives way to the next tier; a later death makes the clock due earlier again."""
    ledger = declared("ai_act_art73")
    ledger.ask(fact("widespread_infringement"), "eva")
    ledger.ask(fact("critical_infrastructure"), "eva")
    assert due(ledger) == {f"{ART_73}.death": START + 10 * DAY - HOUR}
    assert names(ledger.ask(fact("death"), "cleo")) == ["FactRecorded", "ClockSuperseded", "ClockStarted"]
    assert due(ledger) == {f"{ART_73}.general": START + 15 * DAY - HOUR}
    ledger.ask(fact("death", Known.YES), "cleo")
    assert due(ledger) == {f"{ART_73}.death": START + 10 * DAY - HOUR}
    assert states(ledger)[f"{ART_73}.general"] == "superseded"


def test_a_fact_against_the_only_clock_of_a_report_does_not_keep_it_from_starting() -> None:
    """Nothing is ever not required by itself: a person says that it is not applicable."""
    ledger = declared()
    ledger.ask(fact("presents_risk"), "eva")
    ledger.ask(regulate("ai_act_art26_5"), "eva")
    assert set(due(ledger)) == {"ai_act_art26_5.risk", "ai_act_art26_5.serious"}


def test_a_trigger_that_moves_earlier_moves_the_clock() -> None:
    """The earliest awareness counts, with who said so; nobody can be aware later than with the opening."""
    ledger = declared("gdpr_33")
    events = ledger.ask(happened("aware", START - 5 * HOUR), "eva")
    assert names(events) == ["FactRecorded", "ClockMoved", "ClockMoved"]
    assert due(ledger)["gdpr_33.authority"] == START + 67 * HOUR
    assert not any(one.assumed for one in ledger.case.clocks.running)
    ledger.later(60)
    assert reason(ledger.ask(happened("aware", START + 1), "eva")) == "too_late"
    ledger.ask(fact("aware", Known.UNKNOWN), "eva")
    assert due(ledger)["gdpr_33.authority"] == START + 72 * HOUR


@pytest.mark.parametrize(
    ("regime", "clock", "aware", "strict"),
    [
        # Awareness on a Friday before the European Easter: days run through the weekend, strictly.
        ("ai_act_art73", f"{ART_73}.widespread", "2026-04-03T16:00:00+02:00", "2026-04-05T15:00:00+02:00"),
        # A local day of 23 hours on the way: the strict reading has taken its hour away already.
        ("ai_act_art73", f"{ART_73}.widespread", "2026-03-28T16:00:00+01:00", "2026-03-30T15:00:00+01:00"),
        # Hours run through daylight saving.
        ("gdpr_33", "gdpr_33.authority", "2026-03-28T16:00:00+01:00", "2026-03-31T17:00:00+02:00"),
        # Across 29 February.
        ("ai_act_art73", f"{ART_73}.widespread", "2028-02-28T12:00:00+00:00", "2028-03-01T11:00:00+00:00"),
        # Four business days over a weekend, ending first where the Earth's day ends first.
        ("sec_8k_105", "sec_8k_105.report", "2026-01-30T12:00:00+00:00", "2026-02-05T08:59:59.999+00:00"),
    ],
)
def test_strict_due_times_across_weekends_leap_days_and_daylight_saving(
    regime: str, clock: str, aware: str, strict: str
) -> None:
    """From the command to the state, in integers alone."""
    ledger = declared(regime, at=ms(aware) + HOUR)
    ledger.ask(happened("aware", ms(aware)), "eva")
    assert datetime.fromtimestamp(due(ledger)[clock] / 1000, UTC) == datetime.fromisoformat(strict)


def test_a_month_from_a_submission_at_the_end_of_january_ends_with_february() -> None:
    """The final report counts from the notification, and its month ends with a leap year's 29 February."""
    ledger = declared("nis2_23", at=ms("2028-01-31T12:00:00Z"))
    assert names(file(ledger, NOTIFICATION)) == ["ReportSubmitted", "ClockStarted"]
    strict = datetime.fromtimestamp(due(ledger)[FINAL] / 1000, UTC)
    assert (strict.month, strict.day, strict.hour) == (
        2,
        29,
        11,
    )  # where the day still was 31 January, and ends first; less the hour


def test_a_report_is_submitted_by_two_persons_who_name_the_same_receipt() -> None:
    """The first word proposes; the same person, another receipt or nobody's word confirm nothing."""
    ledger = declared("nis2_23")
    assert reason(ledger.ask(confirm(WARNING), "lea")) == "not_proposed"
    assert names(ledger.ask(submit("nis2_23.early_warning"), "cleo")) == ["ReportProposed"]
    assert reason(ledger.ask(confirm(WARNING), "cleo")) == "same_person"
    assert reason(ledger.ask(confirm(WARNING, receipt="R-2"), "lea")) == "not_proposed"
    assert states(ledger)[WARNING] == "running"
    (sent,) = ledger.ask(confirm(WARNING, repeat=1), "lea")
    assert (sent.principals, sent.late) == (("p-cleo", "p-lea"), False)  # type: ignore[attr-defined]
    assert states(ledger) == {WARNING: "submitted", NOTIFICATION: "running"}
    assert reason(ledger.ask(submit(WARNING, repeat=1), "cleo")) == "not_running"


def test_one_person_is_enough_where_the_policy_says_so() -> None:
    """Policy regulation.two_persons_file is the case's own, and a late report says that it is."""
    ledger = declared("nis2_23", one_files=True).later(25 * 3600)
    (sent,) = ledger.ask(submit(WARNING), "dan")
    assert (sent.submitted_at, sent.late) == (ledger.at, True)  # type: ignore[attr-defined]
    assert ledger.case.clocks.counted[0].ended_by == ("p-dan",)


def test_what_is_due_at_once_is_never_late() -> None:
    """Where the law gives no number there is none to be later than."""
    ledger = declared("gdpr_34", one_files=True).later(3600)
    (sent,) = ledger.ask(submit("gdpr_34.persons"), "dan")
    assert sent.late is False  # type: ignore[attr-defined]


def test_a_report_that_is_due_again_gets_another_clock_until_the_last_one_is_sent() -> None:
    """Interim reports follow each other; once the final report is submitted the interim one gives way to it."""
    ledger = declared("gpai_art55", one_files=True)
    ledger.ask(submit("gpai_art55.initial"), "dan")
    first = due(ledger)["gpai_art55.interim"]
    ledger.later(7 * 86_400).ask(submit("gpai_art55.interim"), "dan")
    assert due(ledger)["gpai_art55.interim"] == first + 7 * DAY
    assert names(ledger.ask(happened("resolved", ledger.at), "eva")) == ["FactRecorded", "ClockStarted"]
    assert names(ledger.ask(submit("gpai_art55.final"), "dan")) == ["ReportSubmitted", "ClockSuperseded"]
    assert due(ledger) == {}
    assert ledger.case.clocks.counted[-2].ended_by == ("gpai_art55.final",)


def test_new_information_asks_for_another_report_each_time() -> None:
    """A supplement is due for each new fact, and a report sent before it does not answer it."""
    ledger = declared("sec_8k_105", one_files=True)
    ledger.ask(submit("sec_8k_105.report"), "dan")
    ledger.later(60).ask(happened("new_information", ledger.at), "eva")
    assert set(due(ledger)) == {"sec_8k_105.amendment"}
    assert reason(ledger.ask(submit("sec_8k_105.amendment", START), "dan")) == "bad_time"
    ledger.ask(submit("sec_8k_105.amendment"), "dan")
    assert due(ledger) == {}
    ledger.later(60).ask(happened("new_information", ledger.at), "eva")
    assert set(due(ledger)) == {"sec_8k_105.amendment"}


def test_a_started_clock_outlives_the_fact_that_started_it() -> None:
    """A trigger that is taken back ends nothing: a person says that it is not applicable."""
    ledger = declared("gpai_art55")
    ledger.ask(happened("resolved", START), "eva")
    ledger.ask(fact("resolved"), "eva")
    assert "gpai_art55.final" in due(ledger)
    ledger.ask(exclude("gpai_art55.final"), "cleo")
    assert "gpai_art55.final" not in due(ledger)


def test_what_is_not_applicable_has_a_named_decider_and_can_be_reopened() -> None:
    """A tier gives way to the next, a report to none, a regime takes all; reopening brings each back as it is now."""
    ledger = declared("ai_act_art73", "gdpr_33")
    assert names(ledger.ask(exclude(f"{ART_73}.widespread"), "cleo")) == ["ClockNotApplicable", "ClockStarted"]
    assert f"{ART_73}.infrastructure" in due(ledger)
    ledger.ask(exclude("gdpr_33"), "lea")
    assert set(due(ledger)) == {f"{ART_73}.infrastructure"}
    ended = next(one for one in ledger.case.clocks.counted if one.clock == "gdpr_33.authority")
    assert (ended.ended_by, ended.why, ended.decided) == (("p-lea",), "no device", "gdpr_33")
    assert reason(ledger.ask(exclude("gdpr_33.authority"), "cleo")) == "as_it_was"
    assert reason(ledger.ask(reopen("gdpr_33.authority"), "cleo")) == "covered"
    ledger.ask(happened("aware", START - HOUR), "eva")
    assert names(ledger.ask(reopen("gdpr_33"), "dan")) == ["ClockReopened", "ClockMoved", "ClockMoved"]
    assert due(ledger)["gdpr_33.authority"] == START + 71 * HOUR
    assert names(ledger.ask(reopen(f"{ART_73}.widespread"), "cleo"))[0] == "ClockReopened"
    assert len([one for one in ledger.case.clocks.running if one.report == ART_73]) == 1


def test_a_submission_that_was_wrong_can_be_taken_back() -> None:
    """The clock runs on from its own trigger; while another clock of that report runs, it cannot."""
    ledger = declared("nis2_23")
    assert reason(ledger.ask(reopen(WARNING), "cleo")) == "not_ended"
    file(ledger, WARNING)
    assert names(ledger.ask(reopen(WARNING, repeat=1), "cleo")) == ["ClockReopened"]
    assert due(ledger)[WARNING] == START + 24 * HOUR


def test_a_case_is_not_closed_while_a_clock_runs() -> None:
    """Each region says what is open: running clocks, and regimes that the catalogue does not know."""
    ledger = declared("nis2_23", "moon_law")
    said = " ".join(unfinished(ledger.control, ledger.case))
    assert WARNING in said
    assert "moon_law" in said
    for name in ("nis2_23", "moon_law"):
        ledger.ask(exclude(name), "cleo")
    assert "clock" not in " ".join(unfinished(ledger.control, ledger.case))


def test_what_is_split_off_counts_from_the_awareness_of_the_case_that_it_left() -> None:
    """A split gains nobody time."""
    ledger = genesis(systems=systems("nis2_23"))
    ledger.ask(incident_opened(evidence=(evidence(), evidence(signal="s-2"))), "triage")
    ledger.ask(happened("aware", START - HOUR), "eva")
    ledger.later(50 * 3600).ask(r.Split(incident=INCIDENT, signals=("s-2",), reason="another sensor"), "max")
    other = ledger.case.course.splits[0]
    assert "FactRecorded" in names(ledger.ask(r.OpenSplit(incident=other, origin=INCIDENT), "max"))
    found = {one.clock: one.due for one in ledger.state.cases[other].clocks.running}
    assert found == {WARNING: START + 23 * HOUR, NOTIFICATION: START + 71 * HOUR}


def test_clocks_of_a_merged_case_still_end_by_a_persons_word() -> None:
    """Merging loses no clock: commands about clocks are taken until the case is closed."""
    ledger = declared("nis2_23")
    ledger.ask(incident_opened(id="incident-2"), "triage")
    ledger.ask(r.Merge(incident=INCIDENT, into="incident-2", reason="the same"), "max")
    assert ledger.case.phase.final
    ledger.ask(exclude("nis2_23", reason="reported with incident-2"), "cleo")
    assert due(ledger) == {}


def test_a_regulated_candidate_that_is_dismissed_keeps_its_clocks() -> None:
    """A dismissal is no word on a report."""
    ledger = genesis(systems=LOW)
    ledger.ask(incident_opened(affected=(Affected(model="small", version="2"),)), "triage")
    assert names(ledger.ask(regulate("nis2_23"), "max"))[0] == "CaseRegulated"
    ledger.ask(c.Dismiss(incident=INCIDENT, reason=r.Dismissal.BENIGN, note=""), "max")
    assert set(due(ledger)) == {WARNING, NOTIFICATION}
    assert names(ledger.ask(exclude("nis2_23"), "cleo")) == ["ClockNotApplicable"]


def test_rules_are_pinned_to_an_edition_of_the_catalogue() -> None:
    """The edition in force is named by version and digest; one that is not there is not guessed."""
    assert edition(CATALOGUE_VERSION).digest == digest()
    assert edition().clock("nis2_23.final") is not None
    assert edition().clock("no_such.final") is None
    with pytest.raises(PolicyError, match="no edition"):
        edition("1999-01-01")
