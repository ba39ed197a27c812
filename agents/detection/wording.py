"""Changes as events: what a signal is called, and the sentence that says what was seen."""

from collections import Counter
from dataclasses import replace
from urllib.parse import quote

from agents.detection.arrays import pack
from agents.detection.columns import Rows
from agents.detection.detectors.level import Level
from agents.detection.monitor import Monitor
from agents.detection.series.watch import Told
from agents.detection.standing import Change, Open
from agents.received import Received
from schemas.ids import derive
from schemas.signals import LabelCounts, MonitorObserved, SeriesScored, SignalCleared, SignalRaised
from schemas.values import Mode

_BASELINES = {"reference": "the reference", "rolling": "what was before", "limit": "the fixed limit"}


def signal_name(topic_id: str, model: str, monitor: tuple[str, Mode], found: Open | Change) -> str:
    """Return the name that raises and clears one level; parts are quoted, so that none runs into the next."""
    level = found.level
    version, mode = monitor
    what = (level.detector, level.statistic, level.baseline, level.subject)
    parts = (topic_id, model, version, mode.value, found.instance, *what, "backfill" if found.backfill else "")
    return "/".join(quote(part, safe="") for part in parts)


def said(change: Change, model: str, monitor: Monitor, record: Received, policy: str) -> SignalRaised | SignalCleared:
    """Return the event that a change is."""
    name = signal_name(record.topic_id, model, (monitor.version, monitor.mode), change)
    # One record may hold many windows, and a level may come and go among them.
    cause = (record.topic_id, record.partition, record.offset, name, change.level.window_from, change.level.window_to)
    if not change.raised:
        return SignalCleared(
            id=derive(*cause, "cleared"),
            signal=name,
            at=record.timestamp,
            model=model,
            version=monitor.version,
            source=record.position,
        )
    level = change.level
    return SignalRaised(
        id=derive(*cause, "raised"),
        signal=name,
        at=record.timestamp,
        model=model,
        version=monitor.version,
        instance=change.instance,
        mode=monitor.mode,
        category=level.category,
        detector=level.detector,
        subject=level.subject,
        statistic=level.statistic,
        value=level.value,
        threshold=level.threshold,
        score=level.score,
        baseline=level.baseline,
        first_bad_at=level.first_bad_at,
        window_from=level.window_from,
        window_to=level.window_to,
        rows=level.rows,
        technique=level.technique,
        policy=policy,
        source=record.position,
        summary=summary(level, change),
        backfill=change.backfill,
        material=level.material,
        rule=monitor.rule,
    )


def told_apart(events: list[object]) -> list[object]:
    """Return the events of one record, each with an id of its own: a level may come and go twice in a millisecond."""
    seen: Counter[str] = Counter()
    apart: list[object] = []
    for event in events:
        if isinstance(event, SignalRaised | SignalCleared):
            seen[event.id] += 1
            again = seen[event.id] - 1
            apart.append(replace(event, id=derive(event.id, again)) if again else event)
        else:
            apart.append(event)
    return apart


def observed(model: str, monitor: Monitor, record: Received, labels: LabelCounts) -> MonitorObserved:
    """Return a monitor's regular word; the labels are those of all the model's monitors."""
    key = (monitor.version, monitor.mode)
    return MonitorObserved(
        id=derive(record.topic_id, record.partition, record.offset, model, *key, "observed"),
        at=record.timestamp,
        model=model,
        version=monitor.version,
        mode=monitor.mode,
        rows=monitor.rows,
        clear_rows=monitor.clear_rows,
        raised=tuple(sorted(signal_name(record.topic_id, model, key, standing) for standing in monitor.standing)),
        instances=monitor.instances,
        source=record.position,
        findings=monitor.findings + monitor.series.findings,
        labels=None if labels == LabelCounts() else labels,
    )


def scored(rows: Rows, told: Told, record: Received) -> SeriesScored:
    """Return a metric's scores over the rows of a batch."""
    return SeriesScored(
        id=derive(record.topic_id, record.partition, record.offset, rows.model, told.name, "scored"),
        at=record.timestamp,
        model=rows.model,
        version=rows.version,
        mode=rows.mode,
        instance=rows.instance,
        name=told.name,
        first_at=told.first_at,
        rows_from=rows.source,
        first_position=rows.first_position,
        threshold=told.threshold,
        scores=pack(told.scores),
        skipped=told.skipped,
        source=record.position,
    )


def summary(level: Level, change: Change) -> str:
    """Return one sentence: subject, statistic, value, limit, against what, over how many rows, where."""
    where = f" on instance {change.instance[:80]!r} alone" if change.instance else ""
    late = " (late rows only)" if change.backfill else ""
    side = "above" if level.value >= level.threshold else "below"
    more = f"; {level.note}" if level.note else ""
    return (
        f"{level.statistic} of {level.subject[:80]} is {level.value:.4g}, {side} the limit {level.threshold:.4g}, "
        f"against {_BASELINES[level.baseline]}, over {level.rows} rows{where}{late}{more}"
    )
