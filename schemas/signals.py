"""What detection and triage found: signals, and incidents as they were detected."""

from dataclasses import dataclass

from schemas.avro import Millis
from schemas.values import Category, Mode, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRaised:
    """A statistic of a model version now differs from what it was; level-triggered: it stays raised until cleared.

    signal
        Names the level: the same string is cleared later (model, version, mode, instance, detector, subject and
        the telemetry topic's id).
    score
        −log10 of the probability of a value at least as extreme without a fault; one scale for all statistics.
    baseline
        Which comparison broke: ``reference`` (drift from what was accepted), ``rolling`` (a sudden change) or
        ``limit`` (a fixed bound of policy).
    instance
        The one replica that shows it, or empty when all do.
    backfill
        Whether only rows that came late show it: it is judged and recorded, never paged.
    material
        Whether the change is as large as policy asks of an incident; a smaller one stays a candidate.
    rule
        Names of the rules of policy that selected the thresholds, in order; ``default`` where none speaks of the model.
    """

    id: str
    signal: str
    at: Millis
    model: str
    version: str
    instance: str
    mode: Mode
    category: Category
    detector: str
    subject: str
    statistic: str
    value: float
    threshold: float
    score: float
    baseline: str
    first_bad_at: Millis
    window_from: Millis
    window_to: Millis
    rows: int
    technique: str | None
    policy: str
    source: Position
    summary: str
    backfill: bool = False
    material: bool = True
    rule: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalCleared:
    """The newest rows no longer differ."""

    id: str
    signal: str
    at: Millis
    model: str
    version: str
    source: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """Labels of a model so far: used, come before their prediction, too late, again, of no prediction, unreadable.

    missing
        Predictions whose label did not come within the horizon.
    """

    joined: int = 0
    early: int = 0
    late: int = 0
    repeated: int = 0
    unmatched: int = 0
    unreadable: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorObserved:
    """A monitor's regular word that it is alive: how many rows it has judged, and what is raised.

    rows
        Rows judged since the monitor began, each counted once.
    clear_rows
        Rows judged in a row while nothing was raised; 0 while anything is.
    findings
        What tells against the reference that it judges by, and what is not watched: each a sentence.
    labels
        What came of labels, over all versions of the model together; None where none came, and none was missed.
    """

    id: str
    at: Millis
    model: str
    version: str
    mode: Mode
    rows: int
    clear_rows: int
    raised: tuple[str, ...]
    instances: tuple[str, ...]
    source: Position
    findings: tuple[str, ...] = ()
    labels: LabelCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesScored:
    """What one metric of an instance was worth in the rows of one batch, as `headgate backtest series` would say.

    first_at
        The first row's own time, or the record's where it has none.
    rows_from, first_position
        Who counted the rows, and the position of the first.
    threshold
        A score at or above it is an alarm.
    scores
        A little-endian double a row: −log10 of a tail probability, 0 where the row tells nothing new.
    skipped
        Rows that held no number that could be used.
    """

    id: str
    at: Millis
    model: str
    version: str
    mode: Mode
    instance: str
    name: str
    first_at: int
    rows_from: str
    first_position: int
    threshold: float
    scores: bytes
    skipped: int
    source: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reason to believe in an incident: a signal, in the order of its weight."""

    signal: str
    model: str
    version: str
    instance: str
    category: Category
    detector: str
    subject: str
    statistic: str
    value: float
    threshold: float
    score: float
    baseline: str
    first_bad_at: Millis
    window_from: Millis
    window_to: Millis
    rows: int
    summary: str
    rule: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A model version that an incident touches; no instances named means all of them."""

    model: str
    version: str
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A model that a fault reaches, or could: the dependency map leads to it from where the fault began.

    depth
        Steps downstream of the origin; 0 is the origin.
    seen
        Whether it shows signals; else it only could be touched.
    """

    model: str
    depth: int
    seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened:
    """A fault was detected: all that a responder needs in one record; the origin of a cascade stands first."""

    id: str
    sequence: int
    at: Millis
    system: str
    category: Category
    title: str
    affected: tuple[Affected, ...]
    evidence: tuple[Evidence, ...]
    first_bad_at: Millis
    recommended: str
    owner_role: str
    technique: str | None
    recurrence_of: str | None
    policy: str
    blast_radius: tuple[Reached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentGrew:
    """More is known of an incident, or it reaches further; the newest facts replace the earlier.

    technique
        ATLAS id of the attack that is suspected now; None takes no earlier suspicion back.
    title
        What it is called from now on, where another category explains it; empty, the title stays.
    """

    id: str
    sequence: int
    at: Millis
    category: Category
    affected: tuple[Affected, ...]
    evidence: tuple[Evidence, ...]
    blast_radius: tuple[Reached, ...] = ()
    technique: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuieted:
    """Nothing of an incident is raised any more, and has not been for the quiet period."""

    id: str
    sequence: int
    at: Millis
    last_signal_at: Millis


RECORDS = (SignalRaised, SignalCleared, MonitorObserved, SeriesScored, IncidentOpened, IncidentGrew, IncidentQuieted)
