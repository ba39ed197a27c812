"""The clock catalogue says what its articles say, and nothing in it hangs in the air."""

from dataclasses import FrozenInstanceError
from datetime import date

import pytest

from schemas.errors import PolicyError
from schemas.regulation import us
from schemas.regulation.catalogue import CATALOGUE_VERSION, REGIMES, digest, edition, regime_named
from schemas.regulation.clocks import FACTS, LATER, Clock, Offset, Roll, Trigger, Unit
from tests.quoted import says

CLOCKS = [clock for regime in REGIMES.values() for clock in regime.clocks]
NUMBERED = [clock for clock in CLOCKS if clock.offset is not None]
PINNED = {"2026-11-21": "818665213dfdd26307d3bf21037dc20f6a221bd5c42334903d8305d1423d264d"}


@pytest.mark.parametrize("clock", NUMBERED, ids=lambda clock: clock.key)
def test_a_quote_carries_the_number_and_the_unit_of_its_clock(clock: Clock) -> None:
    """The article's words contain the clock's number, in digits or in words, with its unit."""
    assert clock.offset is not None
    assert says(clock.quote, clock.offset), f"{clock.key}: {clock.offset} is not in {clock.quote!r}"


@pytest.mark.parametrize("clock", NUMBERED, ids=lambda clock: clock.key)
def test_no_quote_carries_another_number_or_unit(clock: Clock) -> None:
    """One more or one less, or the same number of another unit, is not what the article says."""
    assert clock.offset is not None
    number, unit = clock.offset.number, clock.offset.unit
    assert not says(clock.quote, Offset(number=number + 1, unit=unit))
    assert not says(clock.quote, Offset(number=number - 1, unit=unit))
    for other in set(Unit) - {unit}:
        assert not says(clock.quote, Offset(number=number, unit=other))


@pytest.mark.parametrize("clock", [clock for clock in CLOCKS if clock.offset is None], ids=lambda clock: clock.key)
def test_a_clock_without_a_number_is_due_at_once_by_its_words(clock: Clock) -> None:
    """Where there is no number, the article says immediately or without undue delay."""
    assert "immediately" in clock.quote or "without undue delay" in clock.quote


@pytest.mark.parametrize(
    ("quote", "number", "unit", "said"),
    [
        ("within fifteen days", 15, Unit.CALENDAR_DAYS, True),
        ("within seventy-two hours", 72, Unit.HOURS, True),
        ("every four weeks", 28, Unit.CALENDAR_DAYS, True),
        ("one month after", 1, Unit.MONTHS, True),
        ("within 15 days", 5, Unit.CALENDAR_DAYS, False),
        ("within 15 business days", 15, Unit.CALENDAR_DAYS, False),
        ("within 24 hours of a month", 1, Unit.MONTHS, False),
    ],
)
def test_numbers_are_read_in_digits_and_in_words(quote: str, number: int, unit: Unit, *, said: bool) -> None:
    """A number stands for itself only, and a day is not a business day."""
    assert says(quote, Offset(number=number, unit=unit)) is said


def test_every_regime_that_was_asked_for_is_there() -> None:
    """The categories of reports are complete, and Colorado, whose rule was repealed, is not among them."""
    asked = (
        "ai_act_art73 ai_act_art26_5 gpai_art55 gdpr_33 gdpr_34 nis2_23 dora_19 cra_14 hipaa_individual hipaa_media "
        "hipaa_hhs hipaa_annual hipaa_ba sec_8k_105 fda_803_30 fda_803_5 fda_803_user_facility mdr_87 sb53 raise "
        "osha_1904_39 sox_deficiency customer_contract internal_audit"
    )
    assert set(REGIMES) == set(asked.split())
    assert {name for name, regime in REGIMES.items() if not regime.clocks} == {
        "sox_deficiency",
        "customer_contract",
        "internal_audit",
    }


def test_keys_are_unique_and_name_their_regime() -> None:
    """A clock is found by its key, belongs to the regime that lists it, and tiers of a report stand together."""
    assert len({clock.key for clock in CLOCKS}) == len(CLOCKS)
    for regime in REGIMES.values():
        names = [clock.name for clock in regime.clocks]
        assert sorted(set(names), key=names.index) == [n for i, n in enumerate(names) if i == 0 or names[i - 1] != n]
        for clock in regime.clocks:
            assert clock.regime == regime.name
            assert edition().clock(clock.key) is clock


def test_every_fact_and_every_stage_that_is_named_exists() -> None:
    """Facts have a question, each question is asked by a clock, and `after` names an earlier report of the regime."""
    named = {fact for clock in CLOCKS for fact in (*clock.needs, *clock.unless)}
    assert named == set(FACTS)
    for regime in REGIMES.values():
        for clock in regime.clocks:
            assert clock.after is None or clock.after in {other.name for other in regime.clocks}
            assert clock.after is not None or clock.trigger is not Trigger.PRIOR_SUBMISSION
            assert clock.after is None or clock.trigger in {Trigger.PRIOR_SUBMISSION, *LATER}


def test_only_days_and_months_of_the_union_roll_over() -> None:
    """Regulation 1182/71 moves no hours and no law of the United States; DORA has its own rule."""
    rolling = {clock.regime for clock in CLOCKS if clock.roll is not Roll.NONE}
    assert rolling == {"ai_act_art73", "nis2_23", "dora_19", "cra_14", "mdr_87"}
    assert all(clock.offset and clock.offset.unit is not Unit.HOURS for clock in CLOCKS if clock.roll is Roll.EU)


def test_what_was_read_in_summaries_only_says_so() -> None:
    """A quote that is not the article's own wording is marked, and such a regime has a note."""
    unread = {clock.regime for clock in CLOCKS if not clock.verbatim}
    assert unread == {"gpai_art55", "hipaa_hhs", "fda_803_30", "mdr_87", "osha_1904_39"}
    assert all(REGIMES[name].note for name in unread)


def test_dates_of_application_are_those_of_the_law() -> None:
    """High-risk duties of the AI Act, CRA reporting and the RAISE Act begin when their laws say."""
    assert REGIMES["ai_act_art73"].applies_from == REGIMES["ai_act_art26_5"].applies_from == date(2027, 12, 2)
    assert REGIMES["cra_14"].applies_from == date(2026, 9, 11)
    assert REGIMES["raise"].applies_from == date(2027, 1, 1)


def test_data_does_not_change_under_its_version() -> None:
    """The digest of this version is pinned: a change to the data needs a new version, and a new line here."""
    assert PINNED[CATALOGUE_VERSION] == digest()


def test_the_catalogue_cannot_be_changed_while_it_runs() -> None:
    """Records are frozen and the table is read-only."""
    with pytest.raises(FrozenInstanceError):
        CLOCKS[0].name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        REGIMES["new"] = us.SOX  # type: ignore[index]


def test_an_unknown_name_is_one_sentence() -> None:
    """Neither an unknown regime nor an unknown clock is a crash."""
    with pytest.raises(PolicyError, match="headgate clocks list"):
        regime_named("colorado")
    assert [edition().clock(key) for key in ("gdpr_33.other", "")] == [None, None]
