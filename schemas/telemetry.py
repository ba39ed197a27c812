"""What model servers say: batches of predictions in columns, labels, health and scores.

A batch is columnar because a stream framework costs far more per message than a detector does per value.
"""

from dataclasses import dataclass

from schemas.avro import Millis
from schemas.values import Mode

MAX_ROWS = 4096
MAX_COLUMNS = 512
MAX_CATEGORIES = 1000
MAX_BATCH_BYTES = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a batch.

    role
        feature, prediction, confidence, group, risk, latency, score, prediction_id, trace_id, at, explanation,
        position, …
    kind
        ``double``: `values` holds `rows` little-endian IEEE 754 doubles and `dictionary` is empty.
        ``long``: `values` holds `rows` little-endian signed 64-bit integers and `dictionary` is empty.
        ``string``: `values` holds `rows` little-endian unsigned 16-bit codes into `dictionary`.
    flags
        Empty when every cell is present, else one byte a row (schemas.values.Flag); the value of a cell whose
        flag is not PRESENT means nothing (NaN or code 0).
    """

    name: str
    role: str
    kind: str
    values: bytes
    dictionary: tuple[str, ...] = ()
    flags: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceBatch:
    """Predictions of one instance of one model version, in columns of equal length.

    source, first_position
        Who counted the rows and the position of the first: row i is (source, first_position + i), so that a
        repeat of the batch counts once. Where the rows of a source do not follow one another, a column of kind
        ``long`` and role ``position`` states the position of each; they rise, and begin with first_position.
    dropped
        Rows that the recorder dropped since its last batch, so that a detector knows its sample shrank.
    """

    model: str
    version: str
    instance: str
    mode: Mode
    source: str
    first_position: int
    rows: int
    columns: tuple[Column, ...]
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelBatch:
    """What turned out to be true of predictions made earlier; `at` says when each label was known."""

    model: str
    source: str
    first_position: int
    prediction_ids: tuple[str, ...]
    labels: tuple[str, ...]
    at: tuple[Millis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSample:
    """What an instance says of itself over the last interval, or a prober of it."""

    model: str
    version: str
    instance: str
    at: Millis
    requests: int
    failures: int
    saturation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBatch:
    """Scores of guardrails or judges over outputs, 0 (harmless) to 1."""

    model: str
    version: str
    instance: str
    judge: str
    prediction_ids: tuple[str, ...]
    at: tuple[Millis, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """How a model answered a set of canary probes, in their order.

    probe_set
        SHA-256 of the probe set, hexadecimal.
    fingerprint
        SHA-256 over the answers' digests: equal where all answers are.
    exact, coarse
        Of each answer 16 digits of its digest, and its form (agents/fingerprint.py); empty where none came.
    """

    model: str
    version: str
    at: Millis
    probe_set: str
    fingerprint: str
    exact: tuple[str, ...]
    coarse: tuple[str, ...]
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One named value of a single prediction: exactly one of number and text is given, or neither (null)."""

    name: str
    role: str
    number: float | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """A single prediction, for senders that cannot batch; intake packs them into batches."""

    model: str
    version: str
    instance: str
    mode: Mode
    prediction_id: str
    at: Millis
    values: tuple[Value, ...]


RECORDS = (InferenceBatch, LabelBatch, HealthSample, ScoreBatch, Inference, ProbeResult)
