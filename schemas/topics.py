"""The one table of topics: who writes what, keyed how, kept how long. `Topics` gives the names under a prefix."""

from dataclasses import dataclass

from schemas import deadletter, ledger, signals, state, telemetry

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic's declaration.

    partitions
        A number, or None for as many as telemetry has.
    retention_ms
        −1 keeps for ever.
    append_time
        Whether a record's time is the broker's: its readers go by it, so no producer may choose it.
    records
        Classes that may stand on it; anything else is refused by its readers. Empty: not Avro.
    """

    name: str
    key: str
    partitions: int | None
    retention_ms: int
    compacted: bool
    writers: tuple[str, ...]
    records: tuple[type, ...]
    max_bytes: int = 1_048_576
    append_time: bool = False


TOPICS: tuple[Topic, ...] = (
    Topic(
        name="inbound",
        key="none",
        partitions=None,
        retention_ms=7 * DAY_MS,
        compacted=False,
        writers=("anyone",),
        records=(telemetry.Inference,),
    ),
    Topic(
        name="telemetry",
        key="model",
        partitions=None,
        retention_ms=7 * DAY_MS,
        compacted=False,
        writers=("sdk", "intake", "probe"),
        records=(
            telemetry.InferenceBatch,
            telemetry.LabelBatch,
            telemetry.HealthSample,
            telemetry.ScoreBatch,
            telemetry.ProbeResult,
        ),
        max_bytes=1_100_000,
        append_time=True,
    ),
    Topic(
        name="signals",
        key="model",
        partitions=1,
        retention_ms=30 * DAY_MS,
        compacted=False,
        writers=("detect",),
        records=(signals.SignalRaised, signals.SignalCleared, signals.MonitorObserved, signals.SeriesScored),
        append_time=True,
    ),
    Topic(
        name="incidents",
        key="incident",
        partitions=1,
        retention_ms=90 * DAY_MS,
        compacted=False,
        writers=("triage",),
        records=(signals.IncidentOpened, signals.IncidentGrew, signals.IncidentQuieted),
    ),
    Topic(
        name="commands",
        key="incident",
        partitions=1,
        retention_ms=30 * DAY_MS,
        compacted=False,
        writers=("console", "cli", "consumers of the audit topic"),
        records=(ledger.Command,),
        max_bytes=64 * 1024,
    ),
    Topic(
        name="audit",
        key="incident",
        partitions=1,
        retention_ms=-1,
        compacted=False,
        writers=("registrar",),
        records=(ledger.AuditEntry,),
        append_time=True,
    ),
    Topic(
        name="checkpoints",
        key="ledger",
        partitions=1,
        retention_ms=-1,
        compacted=False,
        writers=("registrar", "witness"),
        records=(),
        max_bytes=64 * 1024,
    ),
    Topic(
        name="documents",
        key="sha256",
        partitions=1,
        retention_ms=-1,
        compacted=True,
        writers=("registrar", "people", "consumers of the audit topic"),
        records=(),
    ),
    Topic(
        name="status",
        key="incident",
        partitions=1,
        retention_ms=-1,
        compacted=True,
        writers=("projector",),
        records=(ledger.IncidentStatus,),
    ),
    Topic(
        name="state",
        key="unit",
        partitions=None,
        retention_ms=-1,
        compacted=True,
        writers=("detect", "triage"),
        records=(state.Snapshot, state.Manifest),
        max_bytes=16 * 1_048_576,
    ),
    Topic(
        name="deadletter",
        key="original",
        partitions=4,
        retention_ms=30 * DAY_MS,
        compacted=False,
        writers=("every consumer",),
        records=(deadletter.DeadLetter,),
        max_bytes=4 * 1_048_576,
    ),
)

BY_NAME = {topic.name: topic for topic in TOPICS}


def full_name(prefix: str, name: str) -> str:
    """Kafka's name of a topic: ``<prefix>.<name>.v1``."""
    return f"{prefix}.{BY_NAME[name].name}.v1"
