"""What triage tells of an episode: its incident opened, grew, went quiet, each in a record that fits the ledger."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from agents.triage.episode import Conclusion, Episode, Instances, conclude
from agents.triage.judge import Judge
from agents.triage.narrative import clip, recommend, title
from schemas.avro import encode
from schemas.signals import Evidence, IncidentGrew, IncidentOpened, IncidentQuieted, SignalRaised

MAX_BYTES = 20_000
"""Bytes of an incident's record: the ledger holds it twice in one entry of 65,535, as command and as event."""
_RULE = 200
_SUMMARY = 300

Told = TypeVar("Told", IncidentOpened, IncidentGrew)


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
        technique=_technique(found),
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
        technique=_technique(found),
        title=_renamed(episode, found),
    )
    return after, _fitted(record)


def _renamed(episode: Episode, found: Conclusion) -> str:
    """Return the title under the cause that explains it now; empty where that is the one it was told with."""
    cause = found.cause
    if cause.category.value == episode.attributed:
        return ""
    return title(cause.category, found.affected, cause.ranked)


def _technique(found: Conclusion) -> str | None:
    """Return the technique that the weightiest signal of the cause which names one suspects."""
    return next((signal.technique for signal in found.cause.ranked if signal.technique), None)


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
