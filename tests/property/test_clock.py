"""Properties of a drill's clock, whatever it ran through."""

from hypothesis import given
from hypothesis import strategies as st

from streams.clock import LATEST, MAX_RATE, Course, Segment

_BEGIN = st.integers(1_000_000, 2_000_000_000_000)
_RATE = st.integers(1, 1000).flatmap(lambda per: st.tuples(st.integers(per, per * MAX_RATE), st.just(per)))
_RUNS = st.lists(st.tuples(st.integers(1, 100_000), _RATE), max_size=12)


def _course(real: int, at: int, runs: list[tuple[int, tuple[int, int]]]) -> Course:
    segments = [Segment(real, at, 1, 1)]
    for lasts, (gains, per) in runs:
        real = segments[-1].real + lasts
        segments.append(Segment(real, segments[-1].at(real), gains, per))
    return Course(segments)


@given(_BEGIN, _BEGIN, _RUNS, st.lists(st.integers(-10_000, 1_300_000), min_size=1, max_size=30))
def test_a_clock_only_goes_forward_and_can_be_undone(
    real: int, at: int, runs: list[tuple[int, tuple[int, int]]], steps: list[int]
) -> None:
    """Of two moments the later one has the later time, and from its time each moment is found again."""
    course = _course(real, at, runs)
    moments = sorted({max(real + step, 0) for step in steps} | {segment.real for segment in course.segments})
    told = [course.at(moment) for moment in moments]
    for moment, said, after in zip(moments, told, told[1:], strict=False):
        assert said < after or after in (0, LATEST), (moment, said, after)
    for moment, said in zip(moments, told, strict=True):
        assert said in (0, LATEST) or course.real(said) == moment


@given(_BEGIN, _BEGIN, _RUNS, st.integers(0, 10_000_000))
def test_the_first_moment_of_a_time_is_found(
    real: int, at: int, runs: list[tuple[int, tuple[int, int]]], ahead: int
) -> None:
    """A time that falls between two milliseconds of the machine is found at the first that is not before it."""
    course = _course(real, at, runs)
    found = course.real(at + ahead)
    assert course.at(found) >= min(at + ahead, LATEST) > course.at(found - 1)


@given(_BEGIN, _BEGIN, _RUNS, st.tuples(st.integers(1, 100_000), _RATE))
def test_a_change_of_rate_joins_and_leaves_the_past(
    real: int, at: int, runs: list[tuple[int, tuple[int, int]]], change: tuple[int, tuple[int, int]]
) -> None:
    """With one more segment every moment up to it has the time that it had; from there on its rate counts exactly."""
    before, after = _course(real, at, runs), _course(real, at, [*runs, change])
    joint = after.segments[-1].real
    for moment in (real - 5, real, joint - 1, joint):
        assert after.at(moment) == before.at(moment)
    gains, per = change[1]
    assert after.at(joint + per) == min(after.at(joint) + gains, LATEST)
