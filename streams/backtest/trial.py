"""One policy on trial: the live processors of detection and triage over records, with event time as their clock."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter

from agents.detection.detect import Detect
from agents.detection.reference import Adopted
from agents.detection.standard import Standard
from agents.received import Received
from agents.triage.judge import Judge
from agents.triage.triage import Triage
from schemas.codec import frame
from schemas.errors import SchemaError
from schemas.policy import Policy
from schemas.signals import IncidentGrew, IncidentOpened, IncidentQuieted, SignalCleared, SignalRaised
from schemas.systems import STRICTEST_TIER, Systems

SIGNALS = "signals"

_FITTED = (
    *(f"detection.{name}" for name in ("window_rows", "floor_rows", "reference_rows", "late_seconds")),
    *(f"detection.{name}" for name in ("labels.sample", "labels.window", "fairness.window")),
    *(f"detection.performance.{name}" for name in ("learn_windows", "fitted_rows")),
    *(f"triage.{name}" for name in ("quiet_seconds", "max_episode_hours")),
)
_LEAST = 100
"""Rows below which no window of a short table is cut."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A policy as a backtest judges by it, with its digest, and what was fitted to a table (empty for a topic)."""

    policy: Policy
    digest: str
    fitted: tuple[str, ...] = ()


@dataclass(slots=True)
class Signal:
    """A signal and when it was cleared, if it was."""

    raised: SignalRaised
    cleared_at: int | None = None


@dataclass(slots=True)
class Incident:
    """An incident: how it was opened, what is known of it last, when it became quiet."""

    opened: IncidentOpened
    last: IncidentOpened | IncidentGrew
    quieted_at: int | None = None


@dataclass(slots=True)
class Trial:
    """Takes records in the order of time; `signals` and `incidents` are what would have been.

    Parameters
    ----------
    judged
        The policy.
    systems
        What is watched; a model that it does not declare is judged by the strictest tier.
    profiles
        References by model and version.
    """

    judged: Judged
    systems: Systems
    profiles: Mapping[tuple[str, str], Adopted] = field(default_factory=dict)
    signals: list[Signal] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _detect: dict[tuple[str, int], Detect] = field(default_factory=dict)
    _triage: Triage = field(init=False)
    _standing: dict[str, Signal] = field(default_factory=dict)
    _open: dict[str, Incident] = field(default_factory=dict)
    _said: int = 0
    _now: int = 0

    def __post_init__(self) -> None:
        policy, digest = self.judged.policy, self.judged.digest
        self._triage = Triage(Judge(digest, policy.triage, self.systems))

    def take(self, record: Received) -> None:
        """Judge a record; one that live detection would put into the dead-letter topic is kept in `refused`."""
        place = (record.topic_id, record.partition)
        if place not in self._detect:
            standard = Standard(self.judged.digest, self.judged.policy.detection, self.systems, self.profiles)
            self._detect[place] = Detect(standard)
        try:
            said = self._detect[place].step(record)
        except SchemaError as error:
            self.refused.append(f"{record.topic} {record.partition}/{record.offset}: {error}")
            return
        self._now = max(self._now, record.timestamp)
        for event in said:
            self._note(event)
            signal = Received(
                topic=SIGNALS,
                topic_id=SIGNALS,
                partition=0,
                offset=self._said,
                timestamp=self._now,
                key=record.key,
                value=frame(event),
            )
            self._said += 1
            self._hear(self._triage.step(signal))

    def end(self) -> None:
        """Let gathering end, so that what was raised last is told; nothing is quieted by the end of the data."""
        self._hear(self._triage.tick(self._now + self.judged.policy.triage.gather_ms + 1))

    def severity(self, incident: Incident) -> str:
        """Return an incident's severity by the policy's rules and its system's tier."""
        found = self.systems.find(incident.last.affected[0].model)
        return self.judged.policy.judge(incident.last.category, found[1].tier if found else STRICTEST_TIER).severity

    def _note(self, event: object) -> None:
        if isinstance(event, SignalRaised):
            self._standing[event.signal] = signal = Signal(event)
            self.signals.append(signal)
        elif isinstance(event, SignalCleared) and event.signal in self._standing:
            self._standing.pop(event.signal).cleared_at = event.at

    def _hear(self, events: Iterable[object]) -> None:
        for event in events:
            match event:
                case IncidentOpened():
                    self._open[event.id] = incident = Incident(event, event)
                    self.incidents.append(incident)
                case IncidentGrew():
                    self._open[event.id].last = event
                case IncidentQuieted():
                    self._open[event.id].quieted_at = event.at


def fit(
    judged: Judged, rows: int, step_ms: float, reference_rows: int | None = None, *, labelled: bool = False
) -> Judged:
    """Return the policy fitted to a table: what it says in seconds, and what it expects of endless traffic.

    Seconds of the policy are meant for live traffic; where rows lie further apart, a fault would be forgotten between
    two of its windows. A short table leaves no room for a long reference. All its labels are at hand.

    Parameters
    ----------
    rows, step_ms
        How many rows there are, and the typical time between two.
    reference_rows
        Rows that precede the table and are the reference; None where the first rows of the table are.
    labelled
        Whether those rows have labels: they may be what the model was fitted to.
    """
    before, triage = judged.policy.detection, judged.policy.triage
    floor = min(before.floor_rows, max(_LEAST, rows // 5))
    window = min(before.window_rows, max(floor, rows // 20))
    reference = min(before.reference_rows, max(200, rows // 5)) if reference_rows is None else reference_rows
    labels = min(before.labels.window, max(_LEAST // 2, rows // 20))
    # A short table teaches from less, but not from much less than its first two fifths.
    taught = min(before.labels.window * before.performance.learn_windows, rows * 2 // 5)
    learn = min(max(before.performance.learn_windows, taught // labels), before.performance.memory_windows)
    errors = {"learn_windows": learn} | ({"fitted_rows": reference_rows} if labelled else {})
    changes = {
        "window_rows": window,
        "floor_rows": floor,
        "reference_rows": min(max(reference, 200), 20_000),
        "late_seconds": 604_800,
        "labels": before.labels.model_copy(update={"sample": 1.0, "window": labels}),
        "fairness": before.fairness.model_copy(update={"window": min(before.fairness.window, window)}),
        "performance": before.performance.model_copy(update=errors),
    }
    after = type(before).model_validate(before.model_copy(update=changes).model_dump())
    # Weeks of a table may be few rows: within it, what stands is one incident.
    hours = max(triage.max_episode_hours, math.ceil(rows * step_ms / 3_600_000) + 1)
    quiet = min(max(triage.quiet_seconds, round(4 * window * step_ms / 1000)), 86_400 * 30)
    spans = triage.model_copy(update={"quiet_seconds": quiet, "max_episode_hours": hours})
    policy = judged.policy.model_copy(update={"detection": after, "triage": spans})
    return replace(judged, policy=policy, fitted=tuple(_told(judged.policy, policy)))


def _told(before: Policy, after: Policy) -> Iterator[str]:
    for name in _FITTED:
        was, now = attrgetter(name)(before), attrgetter(name)(after)
        if was != now:
            yield f"{name.removeprefix('detection.')} {was} → {now}"
