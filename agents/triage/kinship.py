"""Whether a signal is of the fault that an episode is about, or of another one: by time, model and subject."""

from collections.abc import Iterable

from agents.triage.cause import Kind, kind_of, weight
from agents.triage.episode import Episode
from agents.triage.judge import Judge
from schemas.signals import SignalRaised

WINDOWS = 2
"""A signal's first bad row is known no better than to the rows that showed it; a symptom waits for as many more."""

MAX_EPISODES = 8
"""Episodes of a model at a time; what would begin one more joins the newest."""

_MOVING = frozenset({Kind.MOVED, Kind.OUTSIDE, Kind.UNUSUAL, Kind.OUTPUT_MOVED})


def home(signal: SignalRaised, episodes: Iterable[Episode], judge: Judge) -> Episode | None:
    """Return the episode that the signal is part of, of those of its system; None where it is another fault."""
    known = sorted(episodes, key=lambda episode: (episode.began_at, episode.id), reverse=True)
    for episode in known:
        if any(other.signal == signal.signal for other in episode.signals):
            return episode
    near = [(gap, place) for place, episode in enumerate(known) if (gap := _gap(signal, episode, judge)) is not None]
    if near:
        return known[min(near)[1]]
    for episode in known:
        if _same_story(signal, episode):
            return episode
    return known[0] if len(known) >= MAX_EPISODES else None


def _gap(signal: SignalRaised, episode: Episode, judge: Judge) -> int | None:
    """Return how far the signal's first bad row is from the nearest of the episode's; None where that is too far."""
    strong = [s for s in episode.signals if weight(s) >= judge.policy.promote_score] or episode.signals
    gaps = []
    for other in strong:
        width = max(s.window_to - s.window_from for s in (signal, other))
        reach = judge.policy.join_seconds * 1000 + WINDOWS * max(width, 0)
        gap = abs(signal.first_bad_at - other.first_bad_at)
        if gap <= reach:
            gaps.append(gap)
    return min(gaps, default=None)


def _same_story(signal: SignalRaised, episode: Episode) -> bool:
    """Whether a later signal only tells more of it: of another model, or of inputs that go on moving slowly.

    What broke away from the rows just before it is sudden, and so a fault of its own.
    """
    own = [other for other in episode.signals if other.model == signal.model]
    if not own:
        return True
    if {(other.version, other.subject) for other in own} >= {(signal.version, signal.subject)}:
        return signal.baseline != "rolling" and any(
            other.category is signal.category and other.subject == signal.subject for other in own
        )
    slow = signal.baseline == "reference" and kind_of(signal) in _MOVING
    return slow and min(kind_of(other) for other in own) in _MOVING
