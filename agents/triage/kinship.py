"""Whether a signal is of the fault that an episode is about, or of another one: by time, model and subject."""

from collections.abc import Iterable

from agents.triage.cause import Kind, extent, kind_of, large, sudden, weight
from agents.triage.episode import Episode
from agents.triage.judge import Judge
from schemas.signals import SignalRaised

WINDOWS = 2
"""A signal's first bad row is known no better than to the rows that showed it; a symptom waits for as many more."""

MAX_EPISODES = 8
"""Episodes of a model at a time; what would begin one more joins the newest."""

_SERVING = frozenset({Kind.BROKEN, Kind.ATTACK, Kind.INFRASTRUCTURE, Kind.HUMAN_REPORT})
_MOVING = frozenset({Kind.MOVED, Kind.OUTSIDE, Kind.UNUSUAL, Kind.OUTPUT_MOVED})


def home(signal: SignalRaised, episodes: Iterable[Episode], judge: Judge) -> Episode | None:
    """Return the episode that the signal is part of, of those of its system; None where it is another fault."""
    known = sorted(episodes, key=lambda episode: (episode.began_at, episode.id), reverse=True)
    for episode in known:
        again = any(other.signal == signal.signal for other in episode.signals)
        if again and not (sudden(signal) and _gap(signal, episode, judge) is None):
            return episode
    known = [episode for episode in known if _joins(signal, episode)]
    near = [(gap, place) for place, episode in enumerate(known) if (gap := _gap(signal, episode, judge)) is not None]
    if near:
        return known[min(near)[1]]
    for episode in known:
        if _same_story(signal, episode):
            return episode
    return known[0] if len(known) >= MAX_EPISODES else None


def _joins(signal: SignalRaised, episode: Episode) -> bool:
    """Whether one cause may be behind both: what serving loses and how inputs move never have one, on one model."""
    kinds = {kind_of(other) for other in episode.signals if other.model == signal.model}
    kind = kind_of(signal)
    if kind is Kind.INFRASTRUCTURE:
        return not kinds or bool(kinds & _SERVING)
    return not (kind in _MOVING and kinds == {Kind.INFRASTRUCTURE})


def _gap(signal: SignalRaised, episode: Episode, judge: Judge) -> int | None:
    """Return how far the signal's first bad row is from the episode's; None where that is too far.

    What goes on moving slowly may join an episode for ever; it does not make whatever happens then a part of it.
    """
    strong = [s for s in episode.signals if weight(s) >= judge.policy.promote_score] or episode.signals
    first = min(strong, key=lambda s: s.first_bad_at, default=None)
    if first is None:
        return 0
    width = max(s.window_to - s.window_from for s in (signal, first))
    begin = first.first_bad_at if episode.first_bad_at is None else episode.first_bad_at
    gap = abs(signal.first_bad_at - begin)
    return gap if gap <= max(judge.policy.join_seconds * 1000, WINDOWS * width) else None


def _same_story(signal: SignalRaised, episode: Episode) -> bool:
    """Whether a later signal only tells more of it: of another model, or of inputs that go on moving.

    Real inputs move all the time. Only what breaks away far from the rows just before it is a fault of its own.
    """
    own = [other for other in episode.signals if other.model == signal.model]
    if not own:
        return True
    if kind_of(signal) not in _MOVING:
        return any(kind_of(other) is kind_of(signal) and other.subject == signal.subject for other in own)
    subject = (signal.version, signal.subject)
    told = [other for other in own if (other.version, other.subject) == subject and kind_of(other) in _MOVING]
    if any(2 * extent(other) >= extent(signal) for other in told if large(other)):
        return True
    return not sudden(signal) and any(kind_of(other) in _MOVING for other in own)
