"""Whether a signal is of the fault that an episode is about, or of another one: by time, model and subject."""

import math
from collections.abc import Iterable, Sequence

from agents.triage.cause import LARGE, Kind, extent, kind_of, large, sudden, weight
from agents.triage.episode import Episode
from agents.triage.judge import Judge
from schemas.signals import SignalRaised

WINDOWS = 2
"""A signal's first bad row is known no better than to the rows that showed it; a symptom waits for as many more."""

MAX_EPISODES = 8
"""Episodes of a model at a time; what would begin one more joins the newest."""

_WRONG = frozenset({Kind.FAIRNESS, Kind.PERFORMANCE})
_FOLLOWING = frozenset({*_WRONG, Kind.CONFIDENCE, Kind.OUTPUT_MOVED, Kind.FLIPPED})
_OUTPUTS = frozenset({Kind.FLIPPED, Kind.OUTPUT_MOVED, Kind.CONFIDENCE})
"""What outputs that are known to be wrong show as well, whenever it is seen."""

_SERVING = frozenset({Kind.BROKEN, Kind.ATTACK, Kind.INFRASTRUCTURE, Kind.HUMAN_REPORT})
_MOVING = frozenset({Kind.MOVED, Kind.OUTSIDE, Kind.UNUSUAL, Kind.OUTPUT_MOVED})


def home(signal: SignalRaised, episodes: Iterable[Episode], judge: Judge) -> Episode | None:
    """Return the episode that the signal is part of, of those of its system; None where it is another fault."""
    known = sorted(episodes, key=lambda episode: (episode.began_at, episode.id), reverse=True)
    for episode in known:
        if any(_inherited(signal, other) for other in episode.signals):
            return episode
        again = any(other.signal == signal.signal for other in episode.signals)
        if again and not (_breaks(signal, episode.signals) and _gap(signal, episode, judge) is None):
            return episode
    known = [episode for episode in known if _joins(signal, episode)]
    near = [(gap, place) for place, episode in enumerate(known) if (gap := _gap(signal, episode, judge)) is not None]
    if near:
        return known[min(near)[1]]
    for episode in known:
        if _same_story(signal, episode):
            return episode
    return known[0] if len(known) >= MAX_EPISODES else None


def _inherited(signal: SignalRaised, other: SignalRaised) -> bool:
    """Whether it is a level that stood against the version before, and stands against the next from its first row."""
    level = ("model", "mode", "detector", "subject", "statistic", "baseline", "first_bad_at")
    return signal.version != other.version and all(getattr(signal, name) == getattr(other, name) for name in level)


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
    # Wrong outputs show late: their labels must come, and windows of them must agree.
    follows = kind_of(signal) in _FOLLOWING and signal.first_bad_at >= begin and any(_far_in(s) for s in strong)
    reach = max(judge.policy.join_seconds * 1000, (3 * WINDOWS if follows else WINDOWS) * width)
    return gap if gap <= reach else None


def _far_in(signal: SignalRaised) -> bool:
    """Whether an input broke away so far that wrong outputs are to be expected."""
    return kind_of(signal) in (Kind.MOVED, Kind.OUTSIDE) and sudden(signal) and extent(signal) >= 2 * LARGE


def _breaks(signal: SignalRaised, known: Sequence[SignalRaised]) -> bool:
    """Whether inputs broke away far and suddenly, or what stood is so much worse that it is not the same."""
    before = max((extent(other) for other in known if other.signal == signal.signal), default=math.inf)
    return sudden(signal) or (large(signal) and extent(signal) >= LARGE * before)


def _same_story(signal: SignalRaised, episode: Episode) -> bool:
    """Whether a later signal only tells more of it: of another model, or of inputs that go on moving.

    Real inputs move all the time. Only what breaks away far from the rows just before it is a fault of its own.
    """
    own = [other for other in episode.signals if other.model == signal.model]
    if not own:
        return True
    kinds = {kind_of(other) for other in own}
    if kind_of(signal) in _OUTPUTS and kinds & _WRONG:
        return True
    if kind_of(signal) is Kind.CONFIDENCE and kinds & _MOVING:
        return True  # a model is less sure of inputs that go on moving
    if kind_of(signal) not in _MOVING:
        return any(kind_of(other) is kind_of(signal) and other.subject == signal.subject for other in own)
    recent = signal.first_bad_at - 3 * WINDOWS * (signal.window_to - signal.window_from)
    for other in own:
        times = 2 if other.first_bad_at >= recent else 1
        if other.subject == signal.subject and large(other) and times * extent(other) >= extent(signal):
            return True
    return not _breaks(signal, own) and any(kind_of(other) in _MOVING for other in own)
