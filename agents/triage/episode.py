"""An episode: the signals of one fault of one system, from the first until all of them have been quiet for a while."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from agents.triage.cause import Attribution, attribute, kind_of, weight
from agents.triage.judge import Judge
from agents.triage.narrative import clip, recommend, title
from schemas.avro import Millis, encode
from schemas.ids import derive
from schemas.signals import Affected, Evidence, IncidentGrew, IncidentOpened, IncidentQuieted, Reached, SignalRaised

KEPT = 32
"""Signals that an episode remembers whole, the weightiest of all."""
MAX_EVIDENCE = 20
MAX_AFFECTED = 64
MAX_REACHED = 64
MAX_BYTES = 20_000
"""Bytes of an incident's record: the ledger holds it twice in one entry of 65,535, as command and as event."""
_RULE = 200
_SUMMARY = 300
_STATISTIC = ("model", "version", "mode", "detector", "subject", "statistic", "baseline", "backfill")

Told = TypeVar("Told", IncidentOpened, IncidentGrew)

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
    pairs = [(touched.model, touched.version) for touched in episode.touched]
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
    deciding = [signal for signal in strong if kind_of(signal) is kind_of(strong[0])]
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
    touched = Touched(model=signal.model, version=signal.version)
    if touched not in known.touched and len(known.touched) < MAX_AFFECTED:
        known = replace(known, touched=(*known.touched, touched))
    first = signal.first_bad_at if known.first_bad_at is None else min(known.first_bad_at, signal.first_bad_at)
    if known.incident is None:
        incident = derive("incident", signal.id)
        known = replace(known, incident=incident, open_at=at + judge.policy.gather_ms)
    return replace(known, first_bad_at=first)


def _replaces(signal: SignalRaised, known: SignalRaised) -> bool:
    """Whether the newer signal says of one instance what the older said of all, or of all what it said of one."""
    same = all(getattr(signal, name) == getattr(known, name) for name in _STATISTIC)
    return same and (signal.instance == "") != (known.instance == "")


def deadline(episode: Episode, judge: Judge) -> int | None:
    """Return when time alone next brings something about: opening, growth or the end; None while it brings nothing."""
    quiet = None if episode.quiet_since is None else episode.quiet_since + judge.policy.quiet_seconds * 1000
    if episode.incident is not None and not episode.sequence:
        return episode.open_at
    grow = episode.reported_at + judge.policy.grow_every_seconds * 1000 if episode.pending else None
    return min((at for at in (grow, quiet) if at is not None), default=None)


def is_over(episode: Episode, judge: Judge, now: int) -> bool:
    """Whether nothing has been raised for the quiet period by `now`."""
    since = episode.quiet_since
    return since is not None and since + judge.policy.quiet_seconds * 1000 <= now


def opened(
    episode: Episode, judge: Judge, instances: Instances, ended: Mapping[tuple[str, str, str, str], str]
) -> tuple[Episode, IncidentOpened]:
    """Open the incident at the end of gathering; `ended` knows the last incident of each key."""
    found = conclude(episode, judge, instances)
    cause, origin = found.cause, found.affected[0]
    assert episode.incident is not None
    assert episode.first_bad_at is not None
    after = replace(
        episode,
        sequence=1,
        system=judge.system_of(origin.model),
        attributed=cause.category.value,
        affected=found.affected,
        reported_at=episode.open_at,
        pending=False,
    )
    record = IncidentOpened(
        id=episode.incident,
        sequence=1,
        at=episode.open_at,
        system=after.system,
        category=cause.category,
        title=title(cause.category, found.affected, cause.ranked),
        affected=found.affected,
        evidence=tuple(evidence(signal) for signal in found.evidence),
        first_bad_at=episode.first_bad_at,
        recommended=recommend(found.affected, judge),
        owner_role=judge.owner_of(origin.model).value,
        technique=next((signal.technique for signal in cause.ranked if signal.technique), None),
        recurrence_of=ended.get(after.key),
        policy=judge.digest,
        blast_radius=found.reached,
    )
    return after, _fitted(record)


def grew(episode: Episode, found: Conclusion, at: int) -> tuple[Episode, IncidentGrew]:
    """Tell the newest facts of an incident."""
    assert episode.incident is not None
    at = max(at, episode.reported_at)
    after = replace(
        episode,
        sequence=episode.sequence + 1,
        attributed=found.cause.category.value,
        affected=found.affected,
        reported_at=at,
        pending=False,
    )
    record = IncidentGrew(
        id=episode.incident,
        sequence=after.sequence,
        at=at,
        category=found.cause.category,
        affected=found.affected,
        evidence=tuple(evidence(signal) for signal in found.evidence),
        blast_radius=found.reached,
    )
    return after, _fitted(record)


def quieted(episode: Episode, at: int) -> IncidentQuieted:
    """Tell that nothing of an incident has been raised for the quiet period, which ended at `at`."""
    assert episode.incident is not None
    return IncidentQuieted(
        id=episode.incident,
        sequence=episode.sequence + 1,
        at=max(at, episode.reported_at),
        last_signal_at=episode.last_at,
    )


def evidence(signal: SignalRaised) -> Evidence:
    """Return a signal as an incident cites it."""
    return Evidence(
        signal=signal.signal,
        model=signal.model,
        version=signal.version,
        instance=signal.instance,
        category=signal.category,
        detector=signal.detector,
        subject=signal.subject,
        statistic=signal.statistic,
        value=signal.value,
        threshold=signal.threshold,
        score=signal.score,
        baseline=signal.baseline,
        first_bad_at=signal.first_bad_at,
        window_from=signal.window_from,
        window_to=signal.window_to,
        rows=signal.rows,
        summary=clip(signal.summary, _SUMMARY),
        rule=clip(signal.rule, _RULE),
    )


def _fitted(record: Told) -> Told:
    """Return the record with as much evidence, reach, models and instances as its size allows, one each at least."""
    while len(encode(record)) > MAX_BYTES:
        if len(record.evidence) > 1:
            record = replace(record, evidence=record.evidence[: len(record.evidence) // 2])
        elif len(record.blast_radius) > 1:
            record = replace(record, blast_radius=record.blast_radius[: len(record.blast_radius) // 2])
        elif len(record.affected) > 1:
            record = replace(record, affected=record.affected[: len(record.affected) // 2])
        elif len(record.affected[0].instances) > 1:
            (only,) = record.affected
            record = replace(record, affected=(replace(only, instances=only.instances[: len(only.instances) // 2]),))
        else:
            break
    return record
