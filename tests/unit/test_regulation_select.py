"""Which clocks run: unknown facts start them, the earliest tier binds, and a machine never says 'not required'."""

from dataclasses import replace

from agents.regulation.due import strict_due
from agents.regulation.select import Facts, Moment, Running, Submission, awareness, running
from schemas.regulation.catalogue import REGIMES
from schemas.regulation.clocks import Regime, Trigger
from tests.clocks import clock_named

HOUR = 3_600_000
DAY = 24 * HOUR
T0 = 1_775_000_000_000
OPENED = Facts(opened=Moment(at=T0, who="triage", basis="the case was opened"))


def _at(at: int) -> Moment:
    return Moment(at=at, who="ann", basis="log")


def _facts(moments: dict[Trigger, int] | None = None, **known: bool | None) -> Facts:
    times = {trigger: _at(at) for trigger, at in (moments or {}).items()}
    return replace(OPENED, moments=times, known=known)


def _one(regime: str, facts: Facts, *sent: Submission, name: str = "") -> Running:
    found = running([REGIMES[regime]], facts, sent)
    (only,) = [one for one in found if name in {"", one.clock.name}]
    return only


def _names(regime: Regime, facts: Facts, *sent: Submission) -> list[str]:
    return [one.clock.name for one in running([regime], facts, sent)]


def test_with_nothing_known_the_strictest_tier_runs_from_the_opening() -> None:
    """Death, widespread infringement and infrastructure are unknown: two days, counted from the earliest awareness."""
    found = _one("ai_act_art73", OPENED)
    assert found.clock.key == "ai_act_art73.report.widespread"
    assert found.trigger == OPENED.opened
    assert found.assumed
    assert found.unknown == ("widespread_infringement",)
    assert found.strict_due == T0 + 2 * DAY - HOUR


def test_facts_that_are_known_select_the_tier() -> None:
    """With no widespread infringement and no infrastructure, a death binds at ten days, and nothing at fifteen."""
    no = {"widespread_infringement": False, "critical_infrastructure": False}
    aware = {Trigger.AWARE: T0}
    assert _one("ai_act_art73", _facts(aware, **no)).clock.tier == "death"
    assert _one("ai_act_art73", _facts(aware, **no, death=True)).strict_due == T0 + 10 * DAY - HOUR
    assert _one("ai_act_art73", _facts(aware, **no, death=False)).clock.tier == "general"
    assert _one("ai_act_art73", _facts(aware, **no, death=True)).unknown == ()


def test_a_patient_who_dies_later_moves_the_due_time_earlier() -> None:
    """A new fact recomputes: fifteen days become ten, from the same awareness."""
    no = {"widespread_infringement": False, "critical_infrastructure": False}
    before = _one("ai_act_art73", _facts({Trigger.AWARE: T0}, **no, death=False))
    after = _one("ai_act_art73", _facts({Trigger.AWARE: T0}, **no, death=True))
    assert after.strict_due == before.strict_due - 5 * DAY


def test_an_earlier_awareness_moves_the_due_time_earlier() -> None:
    """A log that shows that somebody knew six hours before is a new trigger."""
    later = _one("gdpr_33", _facts({Trigger.AWARE: T0}), name="authority")
    earlier = _one("gdpr_33", _facts({Trigger.AWARE: T0 - 6 * HOUR}), name="authority")
    assert earlier.strict_due == later.strict_due - 6 * HOUR
    assert not earlier.assumed


def test_awareness_of_another_kind_stands_in_for_an_unknown_one() -> None:
    """Discovered but not recorded as aware: the clock counts from the discovery, or the opening if that is earlier."""
    facts = _facts({Trigger.DISCOVERED: T0 - DAY})
    found = _one("nis2_23", facts, name="early_warning")
    assert (found.trigger.at, found.assumed) == (T0 - DAY, True)
    assert awareness(_facts({Trigger.DISCOVERED: T0 + DAY})) == OPENED.opened


def test_no_fact_ends_a_clock() -> None:
    """Facts that speak against the last clock of a report are named, for a person to decide; the clock runs on."""
    found = _one("gdpr_34", _facts(high_risk_to_persons=False))
    assert found.against == ("high_risk_to_persons",)
    assert found.strict_due == T0
    injury = _one(
        "osha_1904_39",
        _facts(worker_hospitalized=False, worker_amputation=False, worker_eye_loss=False),
        name="severe_injury",
    )
    assert injury.against == ("worker_hospitalized",)
    large = _one("hipaa_annual", _facts(affected_500_or_more=True))
    assert large.against == ("affected_500_or_more",)


def test_the_next_report_counts_from_the_one_that_was_sent() -> None:
    """NIS2: the final report runs once the notification is submitted, a month from that, and ends with its own."""
    regime = REGIMES["nis2_23"]
    assert _names(regime, OPENED) == ["early_warning", "notification"]
    warned = Submission(regime="nis2_23", name="early_warning", at=T0 + HOUR)
    sent = Submission(regime="nis2_23", name="notification", at=T0 + 2 * DAY)
    assert _names(regime, OPENED, warned) == ["notification"]
    final = _one("nis2_23", OPENED, warned, sent)
    assert final.clock.name == "final"
    assert final.strict_due == strict_due(clock_named("nis2_23.final"), T0 + 2 * DAY)
    assert _names(regime, OPENED, warned, sent, Submission(regime="nis2_23", name="final", at=T0 + 9 * DAY)) == []
    assert _names(regime, OPENED, Submission(regime="cra_14", name="notification", at=T0)) == [
        "early_warning",
        "notification",
    ]


def test_dora_counts_from_classification_and_at_most_from_awareness() -> None:
    """Four hours from classification within the 24 from awareness; not classified, the 24; classified later, four."""
    aware = {Trigger.AWARE: T0}
    assert _one("dora_19", _facts(aware)).strict_due == T0 + 24 * HOUR
    assert _one("dora_19", _facts({**aware, Trigger.CLASSIFIED_MAJOR: T0 + 3 * HOUR})).strict_due == T0 + 7 * HOUR
    assert _one("dora_19", _facts({**aware, Trigger.CLASSIFIED_MAJOR: T0 + 23 * HOUR})).strict_due == T0 + 24 * HOUR
    late = _one("dora_19", _facts({**aware, Trigger.CLASSIFIED_MAJOR: T0 + 30 * HOUR}))
    assert (late.clock.tier, late.strict_due) == ("classified", T0 + 34 * HOUR)


def test_dora_final_counts_from_the_latest_intermediate() -> None:
    """An updated intermediate report moves the final one."""
    sent = [Submission(regime="dora_19", name=name, at=T0) for name in ("initial", "intermediate")]
    updated = Submission(regime="dora_19", name="intermediate", at=T0 + 5 * DAY)
    assert _one("dora_19", OPENED, *sent).trigger.at == T0
    assert _one("dora_19", OPENED, *sent, updated).trigger.at == T0 + 5 * DAY


def test_an_interim_report_is_due_again_until_the_final_one() -> None:
    """Every four weeks from the last, from the initial report on; the final one ends them, and waits for resolution."""
    regime = REGIMES["gpai_art55"]
    initial = Submission(regime="gpai_art55", name="initial", at=T0)
    interim = Submission(regime="gpai_art55", name="interim", at=T0 + 20 * DAY)
    final = Submission(regime="gpai_art55", name="final", at=T0 + 40 * DAY)
    assert _names(regime, OPENED) == ["initial"]
    assert _one("gpai_art55", OPENED, initial).strict_due == T0 + 28 * DAY - HOUR
    assert _one("gpai_art55", OPENED, initial, interim).strict_due == T0 + 48 * DAY - HOUR
    resolved = _facts({Trigger.RESOLVED: T0 + 30 * DAY})
    assert _names(regime, resolved, initial, interim) == ["interim", "final"]
    assert _names(regime, resolved, initial, interim, final) == []


def test_what_has_not_happened_starts_nothing() -> None:
    """A fix that does not exist yet and information that did not arrive count from when they do."""
    sent = Submission(regime="sec_8k_105", name="report", at=T0)
    assert _names(REGIMES["sec_8k_105"], OPENED, sent) == []
    news = _facts({Trigger.NEW_INFORMATION: T0 + 9 * DAY})
    assert _names(REGIMES["sec_8k_105"], news) == ["report"]
    assert _names(REGIMES["sec_8k_105"], news, sent) == ["amendment"]
    amended = Submission(regime="sec_8k_105", name="amendment", at=T0 + 10 * DAY)
    assert _names(REGIMES["sec_8k_105"], news, sent, amended) == []
    again = _facts({Trigger.NEW_INFORMATION: T0 + 12 * DAY})
    assert _names(REGIMES["sec_8k_105"], again, sent, amended) == ["amendment"]
    assert "vulnerability_final" not in _names(REGIMES["cra_14"], OPENED)


def test_materiality_that_nobody_determined_counts_from_awareness() -> None:
    """The clock of the SEC does not wait for a determination that nobody makes; a determination replaces it."""
    assumed = _one("sec_8k_105", OPENED)
    assert assumed.assumed
    material = _one("sec_8k_105", _facts({Trigger.MATERIAL: T0 + 2 * DAY}))
    assert not material.assumed
    assert material.strict_due > assumed.strict_due


def test_the_year_of_the_discovery_is_the_year_that_ends() -> None:
    """HIPAA's log counts from the end of the year in which the breach was discovered."""
    found = _one("hipaa_annual", _facts({Trigger.DISCOVERED: T0}))
    assert not found.assumed
    assert found.strict_due == strict_due(clock_named("hipaa_annual.log"), T0)


def test_a_regime_without_clocks_runs_none_and_every_other_runs_one() -> None:
    """Nothing known at all: every regime with a clock has one that runs."""
    for regime in REGIMES.values():
        assert bool(running([regime], OPENED)) is bool(regime.clocks), regime.name


def test_where_facts_rule_out_every_tier_the_last_one_due_runs_on() -> None:
    """Of a report with two tiers, both spoken against, the longer one waits for a person's decision."""
    general, death = REGIMES["ai_act_art73"].clocks[:2]
    regime = replace(REGIMES["ai_act_art73"], clocks=(death, replace(general, needs=("serious_incident",))))
    (found,) = running([regime], _facts(death=False, serious_incident=False))
    assert (found.clock.tier, found.against) == ("general", ("serious_incident",))
