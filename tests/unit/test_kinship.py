"""Which fault a signal is of: by when its rows went bad, by model and subject, and by how far it broke away."""

from typing import Any

import pytest

from agents.triage.episode import Episode, attach
from agents.triage.kinship import MAX_EPISODES, home
from schemas.signals import IncidentGrew, IncidentOpened, IncidentQuieted, SignalRaised
from schemas.values import Category, Position
from tests.feed import T0, TELEMETRY, Feed, cleared, judge, raised

JUDGE = judge()
HOUR = 3_600_000


def _episode(*signals: SignalRaised) -> Episode:
    episode = Episode(id=signals[0].id, topic_id="T", models=("shuttle",))
    for signal in signals:
        episode = attach(episode, signal, T0, JUDGE)
    return episode


def _later(subject: str = "f2", category: Category = Category.DATA_DRIFT, **given: Any) -> SignalRaised:
    times = {"first_bad_at": T0 + HOUR, "window_from": T0 + HOUR, "window_to": T0 + HOUR + 1000}
    return raised(subject, category, **times, **given)


DRIFT = _episode(raised("f1"))


@pytest.mark.parametrize(
    "signal",
    [
        raised("f2"),
        raised("confidence", Category.CONFIDENCE, first_bad_at=T0 + 200_000),
        _later("f2", baseline="reference"),
        _later("f2", baseline="rolling", value=0.3),
        _later("f1", baseline="reference", value=2.2),
        _later("error", Category.PERFORMANCE, model="letters"),
    ],
    ids=["at once", "soon", "slowly", "a little", "the same again", "another model"],
)
def test_what_is_near_or_slow_or_elsewhere_is_more_of_the_same(signal: SignalRaised) -> None:
    """Signals whose rows went bad together are one fault; so is what goes on moving, and what other models show."""
    assert home(signal, [DRIFT], JUDGE) is DRIFT


@pytest.mark.parametrize(
    "signal",
    [
        _later("f2", baseline="rolling", value=2.1),
        _later("f1", baseline="rolling", value=2.2),
        _later("f2", detector="jump", statistic="jump", baseline="rolling", value=3.0, threshold=2.0),
        _later("f3", Category.DATA_QUALITY),
        _later("error", Category.PERFORMANCE),
        raised("error", Category.PERFORMANCE, first_bad_at=T0 + 200_000),
        raised("latency", Category.INFRASTRUCTURE),
    ],
    ids=["sudden", "sudden again", "a jump", "broken", "wrong", "wrong soon", "slow"],
)
def test_what_begins_later_and_far_away_is_another_fault(signal: SignalRaised) -> None:
    """A sudden change, a broken sensor or wrong predictions an hour later are no part of a drift that stands."""
    assert home(signal, [DRIFT], JUDGE) is None


def test_columns_that_went_together_otherwise_may_turn_out_to_be_exchanged() -> None:
    """An exchange is of the fault that moved a pair with one of its columns, not of one that moved a column alone."""
    exchanged = _later("f1, f2", Category.DATA_QUALITY, statistic="exchanged")
    pair = _episode(raised("f2, f3", statistic="correlation"))
    assert home(exchanged, [pair], JUDGE) is pair
    assert home(exchanged, [DRIFT], JUDGE) is None


def test_a_column_that_broke_plainly_away_may_turn_out_to_be_exchanged() -> None:
    """What a column holds that is plainly another one's goes with the others otherwise, and is no second fault."""
    exchanged = _later("f1, f2", Category.DATA_QUALITY, statistic="exchanged")
    episode = _episode(raised("f1", baseline="rolling", value=2.0))
    assert home(exchanged, [episode], JUDGE) is episode
    assert home(exchanged, [_episode(raised("f3", baseline="rolling", value=2.0))], JUDGE) is None
    assert home(exchanged, [_episode(raised("f1", baseline="rolling", value=1.0))], JUDGE) is None


def test_a_column_that_broke_plainly_away_brings_gaps_of_its_own_but_no_flood_of_them() -> None:
    """A few missing cells more are of what moved the column far away; many, or of another column, are another fault."""
    episode = _episode(raised("f1", baseline="rolling", value=2.0))
    gaps = {"statistic": "null", "threshold": 0.02}
    assert home(_later("f1", Category.DATA_QUALITY, value=0.05, **gaps), [episode], JUDGE) is episode
    assert home(_later("f1", Category.DATA_QUALITY, value=0.3, **gaps), [episode], JUDGE) is None
    assert home(_later("f2", Category.DATA_QUALITY, value=0.05, **gaps), [episode], JUDGE) is None


def test_rows_that_lie_far_apart_are_near_all_the_same() -> None:
    """Where a window takes hours, two windows later is still the same fault."""
    hours = {"window_from": T0, "window_to": T0 + HOUR}
    episode = _episode(raised("f1", **hours))
    assert home(_later("error", Category.PERFORMANCE), [episode], JUDGE) is episode


def test_a_level_that_is_raised_again_belongs_where_it_was() -> None:
    """The same level finds its own episode among several, whenever it comes."""
    other = _episode(_later("f3", Category.DATA_QUALITY))
    again = _later("f1", baseline="reference")
    assert home(again, [other, DRIFT], JUDGE) is DRIFT


def test_the_nearest_of_several_faults_is_chosen_and_their_number_is_bounded() -> None:
    """A signal joins the fault whose rows went bad closest to its own; beyond the bound it joins the newest."""
    near = _episode(_later("f3", Category.DATA_QUALITY))
    assert home(_later("error", Category.PERFORMANCE), [DRIFT, near], JUDGE) is near
    many = [
        _episode(raised(f"f{n}", Category.DATA_QUALITY, first_bad_at=T0 + n * HOUR)) for n in range(2, MAX_EPISODES + 2)
    ]
    far = raised("error", Category.PERFORMANCE, first_bad_at=T0 + 99 * HOUR)
    assert home(far, many, JUDGE) is many[-1]


def _windows(after: int, subject: str, category: Category = Category.DATA_DRIFT, **given: Any) -> SignalRaised:
    """Return a signal whose rows went bad so many windows (of an hour) after the start."""
    at = T0 + after * HOUR
    return raised(subject, category, **({"first_bad_at": at, "window_from": at, "window_to": at + HOUR} | given))


def test_a_plain_break_explains_what_labels_show_windows_later_and_what_wandered_before_does_not() -> None:
    """Wrong rows soon after a break of the inputs are its effect, though drift came first; later ones are another."""
    wander = _windows(0, "f1", value=1.0)
    episode = _episode(wander, _windows(20, "f1", baseline="rolling", value=3.0))
    dated = {"category": Category.PERFORMANCE, "detector": "performance"}
    assert home(_windows(23, "error", **dated), [episode], JUDGE) is episode
    assert home(_windows(24, "error", **dated), [episode], JUDGE) is None
    assert home(_windows(24, "sex=f", Category.FAIRNESS), [episode], JUDGE) is None
    assert home(_windows(27, "accuracy", Category.PERFORMANCE), [episode], JUDGE) is episode
    assert home(_windows(27, "confidence", Category.CONFIDENCE), [episode], JUDGE) is episode
    assert home(_windows(5, "error", Category.PERFORMANCE), [_episode(wander)], JUDGE) is None


@pytest.mark.parametrize(
    ("subject", "category"),
    [("error", Category.PERFORMANCE), ("sex=f", Category.FAIRNESS), ("confidence", Category.CONFIDENCE)],
)
def test_outputs_that_are_wrong_while_an_input_still_is_broken_are_its_effect(subject: str, category: Category) -> None:
    """However late labels show it; not where the input was repaired, broke only later, or moved, nor for an attack."""
    late = _windows(99, subject, category)
    broken = _episode(_windows(0, "f1", Category.DATA_QUALITY))
    assert home(late, [broken], JUDGE, lambda _: broken.id) is broken
    assert home(late, [broken], JUDGE) is None
    after = _episode(_windows(200, "f1", Category.DATA_QUALITY))
    assert home(late, [after], JUDGE, lambda _: after.id) is None
    if category is not Category.CONFIDENCE:
        moved = _episode(_windows(0, "f1", baseline="rolling", value=3.0))
        assert home(late, [moved], JUDGE, lambda _: moved.id) is None
    flips = _windows(99, "queries", Category.ATTACK, detector="boundary", statistic="flips")
    assert home(flips, [broken], JUDGE, lambda _: broken.id) is None


def test_what_is_nearer_than_a_broken_input_explains_wrong_outputs() -> None:
    """An effect is of the break right before it, though a sensor that failed long ago still stands."""
    broken = _episode(_windows(0, "f1", Category.DATA_QUALITY))
    moved = _episode(_windows(98, "f2", baseline="rolling", value=3.0))
    late = _windows(99, "error", Category.PERFORMANCE)
    assert home(late, [broken, moved], JUDGE, lambda _: broken.id) is moved


def test_wrong_outputs_are_of_a_broken_input_until_it_is_cleared() -> None:
    """Labels that show it much later open no second incident while the sensor fails; after its repair they do."""
    late, offset = T0 + 24 * HOUR, Position(topic_id=TELEMETRY, partition=0, offset=300)
    times = {"first_bad_at": late, "window_from": late, "window_to": late + 1000}
    for repaired, told in ((False, [IncidentOpened, IncidentGrew]), (True, [IncidentOpened, IncidentOpened])):
        feed, stuck = Feed(), raised("f1", Category.DATA_QUALITY)
        feed.say(stuck)
        feed.tick(2000)
        if repaired:
            feed.say(cleared(stuck), at=24 * HOUR)
        feed.say(raised("error", Category.PERFORMANCE, source=offset, **times), at=24 * HOUR + 1000)
        feed.tick(24 * HOUR + 62_000)
        assert [type(one) for one in feed.told if not isinstance(one, IncidentQuieted)] == told


def test_a_break_is_together_with_wander_only_where_both_began_within_a_window() -> None:
    """Inputs that move a little in the fault's first rows are its beginning; what moved two windows before is not."""
    wander = _episode(_windows(0, "f1", value=0.3))
    assert home(_windows(1, "f1", baseline="rolling", value=3.0), [wander], JUDGE) is wander
    assert home(_windows(2, "f1", baseline="rolling", value=3.0), [wander], JUDGE) is None


def test_a_break_no_further_than_what_stands_is_no_other_fault() -> None:
    """A feature that stands far away and moves as far again has not broken anew; another feature has."""
    episode = _episode(_windows(0, "f1", value=3.0))
    assert home(_windows(9, "f1", baseline="rolling", value=2.0), [episode], JUDGE) is episode
    assert home(_windows(9, "f2", baseline="rolling", value=2.0), [episode], JUDGE) is None


def test_what_was_broken_moves_once_more_when_it_is_repaired() -> None:
    """The end of a flood of nulls moves its column, and pairs with it, suddenly: that is no second fault."""
    episode = _episode(_windows(0, "f1", Category.DATA_QUALITY))
    assert home(_windows(9, "f1", baseline="rolling", value=3.0), [episode], JUDGE) is episode
    assert home(_windows(9, "f1, f2", baseline="rolling", value=3.0), [episode], JUDGE) is episode
    assert home(_windows(9, "f2", baseline="rolling", value=3.0), [episode], JUDGE) is None


def test_a_crossing_of_a_group_that_is_treated_unfairly_tells_more_of_it() -> None:
    """A crossing, or the other group, is sure long after its group is, and is the same fault; other columns are not."""
    episode = _episode(_windows(0, "sex=f", Category.FAIRNESS))
    assert home(_windows(9, "sex=f and race=b", Category.FAIRNESS), [episode], JUDGE) is episode
    assert home(_windows(9, "sex=m", Category.FAIRNESS), [episode], JUDGE) is episode
    assert home(_windows(9, "race=b", Category.FAIRNESS), [episode], JUDGE) is None


def test_alike_rows_of_a_broken_input_are_no_attack_of_their_own() -> None:
    """A stuck sensor makes rows alike, which looks like probing; a flood has nothing to do with it."""
    stuck = _episode(_windows(0, "f1", Category.DATA_QUALITY))
    alike = _windows(9, "queries", Category.ATTACK, detector="probing", statistic="steps")
    assert home(alike, [stuck], JUDGE) is stuck
    assert home(_windows(9, "requests", Category.ATTACK, detector="flood", statistic="rate"), [stuck], JUDGE) is None


def test_one_answer_to_inputs_that_broke_away_is_their_effect_however_late() -> None:
    """A model that says one thing of inputs far from all it knows is no other fault; of inputs that wander, it is."""
    same = _windows(20, "prediction", Category.PERFORMANCE, detector="psi", statistic="collapse")
    broken = _episode(_windows(0, "f1", baseline="rolling", value=3.0))
    assert home(same, [broken], JUDGE) is broken
    assert home(same, [_episode(_windows(0, "f1", value=1.0))], JUDGE) is None


def _moved(*, value: float = 1.0, subject: str = "f1", **given: Any) -> SignalRaised:
    """Return inputs that moved in the second half of a window of 200 rows, a second each."""
    times = {"first_bad_at": T0 + 100_000, "window_from": T0, "window_to": T0 + 199_000}
    return raised(subject, value=value, **({"threshold": 0.5, "baseline": "rolling"} | times | given))


def _wrong(at: int, rows: int = 50) -> SignalRaised:
    """Return residuals that were too large from a second on, in a window of so many rows."""
    times = {"first_bad_at": T0 + at * 1000, "window_from": T0 + at * 1000, "window_to": T0 + (at + rows - 1) * 1000}
    return raised(
        "residual", Category.PERFORMANCE, detector="performance", statistic="mean", baseline="rolling", **times
    )


@pytest.mark.parametrize("value", [1.0, 3.0], ids=["a little", "far"])
def test_what_was_seen_to_move_before_outputs_were_wrong_is_not_how_they_began(value: float) -> None:
    """Movement that a window had shown before is another story, even within the policy's seconds; overlap is one."""
    moved = _episode(_moved(value=value))
    assert home(_wrong(300), [moved], JUDGE) is None
    assert home(_wrong(200), [moved], JUDGE) is moved
    assert home(_wrong(300, rows=150), [moved], JUDGE) is moved


def test_what_breaks_after_inputs_were_seen_to_wander_is_another_fault() -> None:
    """A sensor is stuck from the first row of its window; wander that an earlier window showed is no part of it."""
    wander = _episode(_moved())
    stuck = {"window_from": T0 + 200_000, "window_to": T0 + 399_000}
    assert home(raised("f2", Category.DATA_QUALITY, first_bad_at=T0 + 200_000, **stuck), [wander], JUDGE) is None
    assert home(raised("f2", Category.DATA_QUALITY, first_bad_at=T0 + 150_000, **stuck), [wander], JUDGE) is wander


def test_a_few_rows_show_what_a_window_dates_later() -> None:
    """Inputs that broke away within 50 ms, failures in the next word on health, and the column stuck: one fault."""
    quick = {"first_bad_at": T0, "window_from": T0, "window_to": T0 + 50, "baseline": "rolling", "threshold": 0.3}
    broke = _episode(raised("f1", value=2.4, **quick))
    later = {"first_bad_at": T0 + 600, "window_from": T0 + 600, "window_to": T0 + 2100}
    assert home(raised("requests", Category.INFRASTRUCTURE, **later), [broke], JUDGE) is broke
    stuck = raised("f1", Category.DATA_QUALITY, statistic="stuck", value=500.0, threshold=40.0, **later)
    assert home(stuck, [broke], JUDGE) is broke
