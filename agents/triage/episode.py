"""An episode: the signals of one fault of one system, from the first until all of them have been quiet for a while."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter

from agents.triage.cause import CATEGORY, Attribution, attribute, kind_of, weight
from agents.triage.judge import Judge
from schemas.avro import Millis
from schemas.ids import derive
from schemas.signals import Affected, Reached, SignalRaised
from schemas.values import Category

KEPT = 32
"""Signals that an episode remembers whole, the weightiest of all."""
MAX_EVIDENCE = 20
MAX_AFFECTED = 64
MAX_REACHED = 64
_STATISTIC = attrgetter("model", "version", "mode", "detector", "subject", "statistic", "baseline", "backfill")

Instances = Mapping[tuple[str, str], tuple[str, ...]]
"""The instances known of each model and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A model version that the episode's strong signals name."""

    model: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What is known of one fault.

    id
        The first signal's.
    models
        Models that the dependency map joined when it began; it keeps them until it ends.
    signals
        The newest of each level, the weightiest first.
    incident
        Its incident's id, derived from the signal that promoted it; None while all are candidates.
    open_at
        When signals of the same cause have been waited for.
    sequence
        Of the last record about the incident; 0 before it is opened.
    system, affected, attributed
        As last reported; `attributed` is the category.
    reported_at
        Time of the last record that told how far it reaches.
    pending
        Whether the evidence has changed since.
    quiet_since
        When the last raised signal was cleared; None while any is raised.
    silent_until
        While no incident: when the silence ends that kept a strong signal from promoting it; 0 without one.
    """

    id: str
    topic_id: str
    models: tuple[str, ...]
    signals: tuple[SignalRaised, ...] = ()
    touched: tuple[Touched, ...] = ()
    first_bad_at: Millis | None = None
    incident: str | None = None
    open_at: Millis = 0
    sequence: int = 0
    system: str = ""
    attributed: str = ""
    affected: tuple[Affected, ...] = ()
    reported_at: Millis = 0
    pending: bool = False
    last_at: Millis = 0
    quiet_since: Millis | None = None
    silent_until: Millis = 0

    @property
    def began_at(self) -> int:
        """Time of the newest first bad row among its signals."""
        return max((signal.first_bad_at for signal in self.signals), default=0)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What recurs: system, category, and the model version where it began."""
        return (self.system, self.attributed, self.affected[0].model, self.affected[0].version)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What the signals of an episode say together."""

    cause: Attribution
    affected: tuple[Affected, ...]
    reached: tuple[Reached, ...]

    @property
    def evidence(self) -> tuple[SignalRaised, ...]:
        """The signals that an incident cites."""
        return self.cause.ranked[:MAX_EVIDENCE]


def conclude(episode: Episode, judge: Judge, instances: Instances) -> Conclusion:
    """Return the cause of an episode that was promoted, and how far it reaches, the origin first."""
    cause = attribute(episode.signals, judge.depths, judge.policy.promote_score)
    strong = [signal for signal in cause.ranked if weight(signal) >= judge.policy.promote_score]
    best: dict[tuple[str, str], list[SignalRaised]] = {}
    for signal in strong:
        best.setdefault((signal.model, signal.version), []).append(signal)
    order = {pair: place for place, pair in enumerate(best)}
    detected = {signal.model for signal in strong if not _reported(signal)}
    pairs = [(touched.model, touched.version) for touched in episode.touched]
    # A version that only people named stands for its model until detection names one.
    named = {pair for pair, own in best.items() if pair[0] in detected and all(_reported(signal) for signal in own)}
    pairs = [pair for pair in pairs if pair not in named]
    pairs.sort(key=lambda pair: (pair[0] != cause.origin, judge.depths.get(pair[0], 0), order.get(pair, KEPT), pair))
    affected = tuple(_affected(pair, best.get(pair, []), instances) for pair in pairs)
    return Conclusion(cause, affected, _reached(affected[0].model, episode, judge))


def _reached(origin: str, episode: Episode, judge: Judge) -> tuple[Reached, ...]:
    """Follow the dependency map from the origin; those that show signals are kept first where there are too many."""
    seen = {touched.model for touched in episode.touched} | {signal.model for signal in episode.signals}
    steps = judge.downstream(origin)
    kept = sorted(steps, key=lambda model: (model not in seen, steps[model], model))[:MAX_REACHED]
    return tuple(
        Reached(model=model, depth=steps[model], seen=model in seen)
        for model in sorted(kept, key=lambda model: (steps[model], model))
    )


def _affected(pair: tuple[str, str], strong: list[SignalRaised], instances: Instances) -> Affected:
    """Name the instances where each signal of the cause names one, and not all that are known are named."""
    cause = kind_of(strong[0]) if strong else None
    deciding = [signal for signal in strong if kind_of(signal) is cause]
    named = {signal.instance for signal in deciding}
    every = not named or "" in named or named >= set(instances.get(pair, ("",)))
    return Affected(model=pair[0], version=pair[1], instances=() if every else tuple(sorted(named)))


def attach(episode: Episode, signal: SignalRaised, at: int, judge: Judge) -> Episode:
    """Return the episode with a signal raised at a time; a strong one promotes it."""
    others = [known for known in episode.signals if known.signal != signal.signal and not _replaces(signal, known)]
    ranked = attribute([*others, signal], judge.depths, judge.policy.promote_score).ranked[:KEPT]
    known = replace(episode, signals=ranked, last_at=max(at, episode.last_at), quiet_since=None)
    if weight(signal) < judge.policy.promote_score:
        return known
    silent = judge.silent_until(signal, at) if known.incident is None else None
    if silent is not None:
        return replace(known, silent_until=max(silent, known.silent_until))
    touched = Touched(model=signal.model, version=signal.version)
    spoken_of = any(other.model == signal.model for other in known.touched)
    if not (spoken_of and _reported(signal)) and touched not in known.touched and len(known.touched) < MAX_AFFECTED:
        known = replace(known, touched=(*known.touched, touched))
    first = signal.first_bad_at if known.first_bad_at is None else min(known.first_bad_at, signal.first_bad_at)
    if known.incident is None:
        incident = derive("incident", signal.id)
        known = replace(known, incident=incident, open_at=at + judge.policy.gather_ms)
    return replace(known, first_bad_at=first)


def released(episode: Episode, at: int, judge: Judge, standing: Callable[[SignalRaised], bool]) -> Episode:
    """Return the episode at the end of a silence: what still stands raised is taken in anew, the weightiest first."""
    known = replace(episode, silent_until=0)
    for signal in episode.signals:
        if weight(signal) >= judge.policy.promote_score and standing(signal):
            known = replace(attach(known, signal, at, judge), last_at=episode.last_at)
    return known


def _replaces(signal: SignalRaised, known: SignalRaised) -> bool:
    """Whether the newer signal says of one instance what the older said of all, or of all what it said of one."""
    return (signal.instance == "") != (known.instance == "") and _STATISTIC(signal) == _STATISTIC(known)


def deadline(episode: Episode, judge: Judge) -> int | None:
    """Return when time alone next brings something about: opening, growth or the end; None while it brings nothing."""
    quiet = None if episode.quiet_since is None else episode.quiet_since + judge.policy.quiet_seconds * 1000
    if episode.incident is not None and not episode.sequence:
        return episode.open_at
    if episode.incident is None and episode.silent_until:
        return min(episode.silent_until, episode.silent_until if quiet is None else quiet)
    grow = episode.reported_at + judge.policy.grow_every_seconds * 1000 if episode.pending else None
    return min((at for at in (grow, quiet) if at is not None), default=None)


def only_reported(signals: Iterable[SignalRaised]) -> bool:
    """Whether people reported it, and no detector has said anything of it."""
    return all(_reported(signal) for signal in signals)


def cited(episode: Episode) -> list[str]:
    """Return the ids of the signals that its incident would cite."""
    return [signal.id for signal in episode.signals[:MAX_EVIDENCE]]


def widens(episode: Episode, signal: SignalRaised, judge: Judge) -> bool:
    """Whether a signal may change the scope that was told: not where its model, version, instance and cause were."""
    if _reported(signal):
        return True
    if weight(signal) < judge.policy.promote_score:
        return False
    origin = episode.affected[0].model
    known = next((one for one in episode.affected if (one.model, one.version) == (signal.model, signal.version)), None)
    if known is None or signal.model != origin or CATEGORY[kind_of(signal)].value != episode.attributed:
        return True
    return signal.instance not in (known.instances or ("",))


def _reported(signal: SignalRaised) -> bool:
    return signal.category is Category.HUMAN_REPORT


def nearness(episode: Episode, report: SignalRaised) -> tuple[bool, bool, bool, int, str]:
    """Return how near an episode is to a person's report: open, of its version, of its model, the newest."""
    strong = {(touched.model, touched.version) for touched in episode.touched}
    own = any(model == report.model for model, _ in strong)
    named = (report.model, report.version) in strong
    return (episode.incident is not None, named, own, episode.began_at, episode.id)


def absorbed(episode: Episode, other: Episode, at: int, judge: Judge) -> Episode:
    """Return an open incident's episode with all of another one that people merged into it; its growth is to be told.

    Whether anything of the two is raised is for the caller to say.
    """
    models = tuple(dict.fromkeys((*episode.models, *other.models)))
    known = replace(episode, models=models, pending=True)
    for signal in other.signals:
        known = attach(known, signal, at, judge)
    touched = tuple(dict.fromkeys((*known.touched, *other.touched)))[:MAX_AFFECTED]
    return replace(known, touched=touched)


def is_old(episode: Episode, judge: Judge, at: int) -> bool:
    """Whether its incident opened so long ago that nothing new joins it."""
    return episode.sequence > 0 and at >= episode.open_at + judge.policy.max_episode_hours * 3_600_000


def is_over(episode: Episode, judge: Judge, now: int) -> bool:
    """Whether nothing has been raised for the quiet period by `now`."""
    since = episode.quiet_since
    return since is not None and since + judge.policy.quiet_seconds * 1000 <= now
