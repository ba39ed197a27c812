"""Whether a signal is of the fault that an episode is about, or of another one: one model of how faults follow.

1. A *break* is where a fault begins: inputs that cannot be used, an attack, failing serving, or inputs that are
   suddenly far from what they were. All other movement of inputs is *wander*: real inputs do it all the time.
2. Signals are *together* where their rows went bad at the same time, known no better than to the windows that showed
   them. A break is together with what begins with it; what wandered before it is not its cause. Where outputs are wrong
   or inputs broken only after others were seen to move, the spans do not overlap, and they have no one beginning.
3. An effect (outputs that are wrong, unfair, unsure or other) is *explained* by a break upstream of it that is plain,
   for as many windows as it takes to be sure of it; whatever else moved is its story only where both began together.
   Where nothing nearer explains it, it is of a broken input that still is broken, however late labels show it.
4. What is left tells *more* of a story that stands: the same level, another model, the same subject and no worse,
   wander among what moves, other outputs where they are known to be wrong, what is wrong where outputs alone moved,
   groups of the same column, rows that a broken input makes alike.
5. Anything else is another fault.
"""

from collections.abc import Callable, Iterable, Sequence

from agents.triage.cause import (
    EFFECTS,
    FAR,
    INPUTS,
    MOVING,
    OUTPUTS,
    WRONG,
    Kind,
    breaks,
    extent,
    kind_of,
    large,
    weight,
    width,
)
from agents.triage.episode import Episode
from agents.triage.judge import Judge
from schemas.signals import SignalRaised

TOGETHER = 2
"""Windows within which the first bad rows of one fault lie: that of the one signal, and that of the other."""

PLAIN = 2 * FAR
"""Times its limit that inputs must have broken away for what comes after them, and not only with them, to be theirs."""

PATIENCE = 6
"""Windows until what outputs show is sure to be raised, where it is not known when it began."""

MAX_EPISODES = 8
"""Episodes of a model at a time; what would begin one more joins the newest."""

ERRORS = "performance"
"""The detector of errors and residuals, which knows in which of its windows a rise began."""

COLLAPSE = "collapse"
"""The statistic of outputs that are all the same."""

EXCHANGED, PAIR = "exchanged", ", "
"""The statistic of two columns in each other's place, and what stands between the two names of a pair."""

PROBING, QUERIES = "probing", "queries"
"""The detector and subject of rows that are alike, as those of somebody who probes a model are."""

CROSSING = " and "
"""Between the groups of a crossing."""

_DATED = WRONG | {Kind.BROKEN}
"""Faults whose first window is known to be the first that shows them: what wanders has no such beginning."""

_SUFFERING = EFFECTS - {Kind.FLIPPED}
"""What comes of an input for as long as it is broken; who flips outputs by small steps needs no broken input."""

Standing = Callable[[SignalRaised], str]
"""Tells of which episode a signal's level is still raised; empty where it is not."""

_SERVING = frozenset({Kind.BROKEN, Kind.ATTACK, Kind.INFRASTRUCTURE, Kind.HUMAN_REPORT})
_LEVEL = ("model", "mode", "detector", "subject", "statistic", "baseline", "first_bad_at")


def home(
    signal: SignalRaised, episodes: Iterable[Episode], judge: Judge, stands: Standing = lambda _: ""
) -> Episode | None:
    """Return the episode that the signal is part of, of those of its system; None where it is another fault."""
    known = sorted(episodes, key=lambda episode: (episode.began_at, episode.id), reverse=True)
    for episode in known:
        if any(_inherited(signal, other) for other in episode.signals):
            return episode
        again = any(other.signal == signal.signal for other in episode.signals)
        if again and (not _anew(signal, episode) or _gap(signal, episode, judge) is not None):
            return episode
    known = [episode for episode in known if _possible(signal, episode, judge)]
    near = [(gap, place) for place, episode in enumerate(known) if (gap := _gap(signal, episode, judge)) is not None]
    if near:
        return known[min(near)[1]]
    for episode in known:
        if _more(signal, episode):
            return episode
    for episode in known:
        raised = [other for other in episode.signals if stands(other) == episode.id]
        if any(_endured(signal, other, judge) for other in raised):
            return episode
    return known[0] if len(known) >= MAX_EPISODES else None


def alike(episodes: Iterable[Episode], model: str, judge: Judge) -> list[Episode]:
    """Return the episodes whose models are a drill's if this one is, and real if it is: others share no fault."""
    return [episode for episode in episodes if not judge.apart(model, episode.models)]


def _inherited(signal: SignalRaised, other: SignalRaised) -> bool:
    """Whether it is a level that stood against the version before, and stands against the next from its first row."""
    return signal.version != other.version and all(getattr(signal, name) == getattr(other, name) for name in _LEVEL)


def _possible(signal: SignalRaised, episode: Episode, judge: Judge) -> bool:
    """Whether one cause may be behind both.

    What serving loses and how inputs move have none on one model, but for defaults that an outage puts in: inputs that
    broke away in the very window in which serving failed.
    """
    own = [other for other in episode.signals if other.model == signal.model]
    kinds = {kind_of(other) for other in own}
    kind = kind_of(signal)
    if kind is Kind.INFRASTRUCTURE:
        return not kinds or bool(kinds & _SERVING) or any(_fell_back(other, signal, judge) for other in own)
    if kind in MOVING and kinds == {Kind.INFRASTRUCTURE}:
        return any(_fell_back(signal, other, judge) for other in own)
    return True


def _fell_back(moved: SignalRaised, failing: SignalRaised, judge: Judge) -> bool:
    """Whether inputs broke away within the window that showed serving to fail, or the other way round."""
    window = max(width(moved), width(failing), judge.policy.join_seconds * 1000)
    return breaks(moved) and abs(moved.first_bad_at - failing.first_bad_at) <= window


def _gap(signal: SignalRaised, episode: Episode, judge: Judge) -> int | None:
    """Return how far the signal's first bad row is from what it is together with, or explained by; None if neither."""
    strong = [s for s in episode.signals if weight(s) >= judge.policy.promote_score] or episode.signals
    first = min(strong, key=lambda s: s.first_bad_at, default=None)
    if first is None:
        return 0
    least = judge.policy.join_seconds * 1000
    begin = first.first_bad_at if episode.first_bad_at is None else episode.first_bad_at
    wandered = (
        kind_of(signal) in (*INPUTS, Kind.BROKEN) and breaks(signal) and not any(breaks(other) for other in strong)
    )
    window = max(width(signal), width(first))
    gaps: list[tuple[int, int]] = []
    if not _after(signal, strong):
        gaps.append((abs(signal.first_bad_at - begin), (1 if wandered else TOGETHER) * window))
    for other in strong:
        after = signal.first_bad_at - other.first_bad_at
        if after >= 0 and _explains(other, signal):
            gaps.append((after, width(other) + _patience(signal) * width(signal)))
    return min((gap for gap, reach in gaps if gap <= max(reach, least)), default=None)


def _until(signal: SignalRaised) -> int:
    """Return the last moment at which its rows can have begun to be bad: they were seen by then."""
    return min(signal.window_to, signal.first_bad_at + width(signal))


def _after(signal: SignalRaised, moved: Sequence[SignalRaised]) -> bool:
    """Whether a fault can only have begun after it was seen that inputs or outputs move.

    Wrong outputs may have begun in the window before, too late to show there; what is broken shows in its first rows.
    """
    kind = kind_of(signal)
    if any(breaks(other) and _shared(signal, other) for other in moved):
        return False  # a few rows show that a column broke away, a whole window that it is stuck
    since = signal.first_bad_at - (width(signal) if kind in WRONG else 0)
    wander = kind in _DATED and all(kind_of(other) in MOVING for other in moved)
    return wander and since > min(_until(other) for other in moved)


def _patience(signal: SignalRaised) -> int:
    """Return within how many of its own windows after a break a signal is of it: labels date it, or a group's rows."""
    if kind_of(signal) is Kind.FAIRNESS:
        return 1
    return TOGETHER if signal.detector == ERRORS else PATIENCE


def _explains(cause: SignalRaised, signal: SignalRaised) -> bool:
    """Whether an effect is to be expected of a break upstream of it, whenever its labels come."""
    upstream = kind_of(cause) < kind_of(signal) and kind_of(signal) in EFFECTS
    return upstream and breaks(cause) and (kind_of(cause) not in INPUTS or extent(cause) >= PLAIN)


def _endured(signal: SignalRaised, broken: SignalRaised, judge: Judge) -> bool:
    """Whether outputs are wrong or unsure since an input broke, which still is broken: that may take long to be sure.

    Inputs that moved, however far, are no such cause: real ones stay where they went, and later faults are others.
    """
    plain = kind_of(broken) is Kind.BROKEN and weight(broken) >= judge.policy.promote_score
    since = signal.first_bad_at >= broken.first_bad_at and signal.model == broken.model
    return plain and since and kind_of(signal) in _SUFFERING


def _anew(signal: SignalRaised, episode: Episode) -> bool:
    """Whether a level that is raised again broke again, or is so much worse that it is not the same."""
    before = max(extent(other) for other in episode.signals if other.signal == signal.signal)
    return kind_of(signal) in MOVING and (breaks(signal) or (large(signal) and extent(signal) >= FAR * before))


def _more(signal: SignalRaised, episode: Episode) -> bool:
    """Whether a later signal only tells more of a story that stands."""
    own = [other for other in episode.signals if other.model == signal.model]
    if not own or _follows(signal, own):
        return True
    kind, kinds = kind_of(signal), {kind_of(other) for other in own}
    if kind not in MOVING:
        same = any(kind_of(other) is kind and other.subject == signal.subject for other in own)
        return same or any(_moved(signal, other) for other in own)
    if any(kind_of(other) is Kind.BROKEN and _shared(signal, other) for other in own):
        return True  # what was broken moves once more when it is repaired
    if breaks(signal):
        # What stands so far away already has not broken again.
        stands = [extent(other) for other in own if other.subject == signal.subject and large(other)]
        return max(stands, default=0.0) >= extent(signal)
    return bool(kinds & MOVING)


def _follows(signal: SignalRaised, own: Sequence[SignalRaised]) -> bool:
    """Whether it is what comes of such a story, whenever it is seen."""
    kind, kinds = kind_of(signal), {kind_of(other) for other in own}
    if kind in OUTPUTS and kinds & WRONG:
        return True
    if kind is Kind.CONFIDENCE and kinds & MOVING:
        return True  # a model is less sure of inputs that go on moving
    if kind is Kind.FAIRNESS:
        return any(kind_of(other) is kind and _compared(signal, other) for other in own)
    if signal.statistic == COLLAPSE:  # of inputs that stay far away a model may come to say one thing at any time
        return any(kind_of(other) in INPUTS and breaks(other) for other in own)
    if signal.statistic == EXCHANGED:  # their columns go with the others otherwise before it is sure why
        return any((PAIR in other.subject or _plain(other)) and _shared(signal, other) for other in own)
    # An input that is stuck or missing makes rows alike, as probes are.
    return signal.detector == PROBING and signal.subject == QUERIES and Kind.BROKEN in kinds


def _compared(signal: SignalRaised, other: SignalRaised) -> bool:
    """Whether two signals compare groups of the same column, crossed with others or not."""
    own, theirs = ({group.split("=")[0] for group in one.subject.split(CROSSING)} for one in (signal, other))
    return bool(own & theirs)


def _moved(signal: SignalRaised, other: SignalRaised) -> bool:
    """Whether a column that a signal is about broke plainly away before, and what is broken of it now is little.

    What it holds since then has gaps and repeats of its own.
    """
    little = kind_of(signal) is Kind.BROKEN and not large(signal)
    return little and _plain(other) and signal.subject == other.subject


def _plain(moved: SignalRaised) -> bool:
    """Whether a column broke so plainly away that it now holds something else."""
    return kind_of(moved) is Kind.MOVED and breaks(moved) and extent(moved) >= PLAIN


def _shared(signal: SignalRaised, other: SignalRaised) -> bool:
    """Whether two signals are about the same column, or a pair with it."""
    return bool(set(signal.subject.split(PAIR)) & set(other.subject.split(PAIR)))
