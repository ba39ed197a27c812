"""Whatever happens when and where: alarms are never late, and an earlier fact never moves a due time later."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.regulation.due import Calendar, legal_due, strict_due
from agents.regulation.select import Facts, Moment, Submission, running
from schemas.regulation.catalogue import REGIMES
from schemas.regulation.clocks import FACTS, Trigger

CLOCKS = [clock for regime in REGIMES.values() for clock in regime.clocks]
# With daylight saving in both halves of the Earth, at its edges, with odd quarters, and across midnight.
ZONES = (
    *("Europe/Berlin", "Europe/Lisbon", "Atlantic/Azores", "America/New_York", "America/Los_Angeles", "Asia/Beirut"),
    *("Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "Africa/Casablanca"),
    *("America/Santiago", "Australia/Lord_Howe", "Asia/Tehran", "America/St_Johns", "Africa/Cairo", "Pacific/Apia"),
)
FIRST = 1_700_000_000_000
times = st.integers(FIRST, FIRST + 10 * 366 * 86_400_000)
days_off = st.frozensets(st.integers(0, 3650).map(lambda n: date(2023, 11, 1) + timedelta(days=n)), max_size=40)
HOUR = 3_600_000


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(CLOCKS), times, st.sampled_from(ZONES), days_off, st.booleans())
@example(REGIMES["ai_act_art73"].clocks[0], 1_774_045_800_000, "Europe/Berlin", frozenset(), False)
@example(REGIMES["nis2_23"].clocks[2], 1_709_513_100_000, "Atlantic/Azores", frozenset(), False)
def test_the_strict_due_is_never_after_the_legal_one(
    clock: object, at: int, zone: str, off: frozenset[date], exempt: bool
) -> None:
    """In every zone, by every calendar; the examples come late in the evening, before a day of 23 hours."""
    calendar = Calendar(zone=ZoneInfo(zone), days_off=off, name=zone, last_year=2040, exempt=exempt)
    strict = strict_due(clock, at)  # type: ignore[arg-type]
    assert at <= strict <= legal_due(clock, at, calendar)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CLOCKS), times, st.integers(0, 400 * 24))
def test_an_earlier_trigger_never_gives_a_later_due(clock: object, at: int, hours: int) -> None:
    """The strict due time grows with its trigger."""
    assert strict_due(clock, at - hours * HOUR) <= strict_due(clock, at)  # type: ignore[arg-type]


moments = st.dictionaries(st.sampled_from(Trigger), st.integers(0, 60 * 24).map(lambda h: FIRST + h * HOUR))
known = st.dictionaries(st.sampled_from(sorted(FACTS)), st.sampled_from([True, False, None]))
names = sorted({(clock.regime, clock.name) for clock in CLOCKS})
submissions = st.lists(st.tuples(st.sampled_from(names), st.integers(0, 90 * 24)), max_size=4)


@settings(max_examples=100, deadline=None)
@given(moments, known, submissions, st.data())
def test_a_fact_that_moves_earlier_moves_no_due_time_later(
    when: dict[Trigger, int],
    facts: dict[str, bool | None],
    sent: list[tuple[tuple[str, str], int]],
    data: st.DataObject,
) -> None:
    """One recorded moment moves earlier: every clock that still runs is due as before, or earlier.

    Left out is DORA's initial notification, whose own rule (2025/301 Art. 5(2)) gives a late classification four hours.
    """
    opened = Moment(at=FIRST + 30 * 24 * HOUR, who="triage", basis="opened")
    already = [Submission(regime=of, name=name, at=FIRST + h * HOUR) for (of, name), h in sent]

    def due(times: dict[Trigger, int]) -> dict[tuple[str, str], int]:
        recorded = {trigger: Moment(at=at, who="ann", basis="log") for trigger, at in times.items()}
        found = running(REGIMES.values(), Facts(opened=opened, moments=recorded, known=facts), already)
        return {(one.clock.regime, one.clock.name): one.strict_due for one in found}

    before = due(when)
    if when:
        moved = data.draw(st.sampled_from(sorted(when)))
        when = {**when, moved: when[moved] - data.draw(st.integers(0, 40 * 24)) * HOUR}
    after = due(when)
    for key in before.keys() & after.keys() - {("dora_19", "initial")}:
        assert after[key] <= before[key], key


@settings(max_examples=40, deadline=None)
@given(moments, known)
def test_no_clock_is_lost(when: dict[Trigger, int], facts: dict[str, bool | None]) -> None:
    """Whatever is known, each regime that has clocks runs one until something is submitted."""
    recorded = {trigger: Moment(at=at, who="ann", basis="log") for trigger, at in when.items()}
    case = Facts(opened=Moment(at=FIRST, who="triage", basis="opened"), moments=recorded, known=facts)
    for regime in REGIMES.values():
        assert bool(running([regime], case)) is bool(regime.clocks)
