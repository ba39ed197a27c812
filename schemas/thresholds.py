"""How detection judges: the part of the policy document that detectors and monitors read."""

from typing import Self

from pydantic import Field, model_validator

from schemas.amounts import Factor, Rows, Share
from schemas.atlas import TechniqueId
from schemas.documents import Frozen
from schemas.label_thresholds import Calibration, Fairness, Labels, Performance
from schemas.values import Category


class Quality(Frozen):
    """When values that cannot be used are too many, and when a sensor is stuck."""

    rise: Share = Field(0.02, description="share of bad cells above the reference's own share that raises a signal")
    reach: Factor = Field(
        10.0, description="a value further from the reference than this many of its ranges is out of range"
    )
    most: Share = Field(
        0.5, description="share of values out of range that is always told: no tail of a column that wanders by itself"
    )
    stuck_rows: int = Field(40, ge=5, le=4096, description="fewest equal values in a row that may be called stuck")


class Streams(Frozen):
    """How far the mean of a stream must move before a change that river found is raised."""

    latency_factor: Factor = Field(3.0, description="factor between the geometric means of latency before and now")
    latency_floor_ms: float = Field(5.0, ge=0, le=3_600_000, description="and at least this many milliseconds more")
    confidence_shift: float = Field(0.5, gt=0, le=10, description="standard deviations of confidence before the change")
    score_shift: float = Field(0.5, gt=0, le=10, description="standard deviations of a judge's scores")
    failure_rise: Share = Field(0.05, description="rise of the share of failed requests")
    failure_limit: Share = Field(0.2, description="share of failed requests that is too many whatever it was before")


class Drift(Frozen):
    """The sequential watch over each column: what its findings must be for an incident, and its baseline."""

    scale: Factor = Field(1.5, description="factor between the deviations before and now that makes an incident")
    correlation: float = Field(0.2, gt=0, le=2, description="change of a correlation that makes an incident")
    exchanged: Share = Field(
        0.5, description="share of the usual evidence against an exchange of two columns that evidence for one reaches"
    )
    jump: Factor = Field(
        2.0, description="factor over the largest known step from row to row beyond which a wandering column jumped"
    )
    baseline_rows: Rows = Field(65_536, description="rows that the running baseline remembers")


class Forest(Frozen):
    """The half-space trees over the whole feature vector."""

    trees: int = Field(10, ge=1, le=50, description="number of trees")
    height: int = Field(6, ge=2, le=10, description="levels of each tree")
    sample: int = Field(128, ge=16, le=4096, description="most rows scored of one batch, evenly spaced")
    every: int = Field(8, ge=1, le=4096, description="at most one row of so many is scored")
    features: int = Field(32, ge=1, le=128, description="most features of the vector; the first by name are taken")
    shift: float = Field(0.5, gt=0, le=10, description="standard deviations of the reference's scores")


class Attacks(Frozen):
    """When what callers send looks like an attack; each finding is a hypothesis, with its MITRE ATLAS technique."""

    learn_windows: int = Field(4, ge=1, le=100, description="windows that teach what callers usually send")
    every: int = Field(
        8, ge=1, le=1000, description="rows that name no caller are looked at for probing in one window of so many"
    )
    duplicate_share: Share = Field(
        0.1, description="share of rows nearly equal to another whose prediction differs, above the usual share"
    )
    margin_share: Share = Field(0.3, description="share of rows of low confidence, above the usual share")
    step_share: Share = Field(
        0.3, description="share of rows that differ from the row before in one feature alone, above the usual share"
    )
    outlier_share: Share = Field(
        0.05, description="share of rows far from the reference and yet predicted with high confidence, above the usual"
    )
    caller_share: Share = Field(0.3, description="share of rows of one caller, where the reference has nobody like it")
    flood_factor: Factor = Field(10.0, description="requests a second, as a multiple of the usual highest rate")
    flood_factor_anonymous: Factor = Field(20.0, description="the same where the rows name no caller")
    flood_per_second: float = Field(10.0, gt=0, le=1e9, description="and at least so many requests a second")
    flood_seconds: int = Field(5, ge=0, le=86_400, description="and for so long: a short burst is no flood")
    cost_factor: Factor = Field(5.0, description="cost of a request, as a multiple of the usual highest mean")
    contradiction_share: Share = Field(
        0.05, description="share of feedback equal to another row's whose label differs, above the usual share"
    )
    repeat_share: Share = Field(0.2, description="share of feedback that is one and the same row, above the usual")
    flip_share: Share = Field(
        0.25, description="rise of the share of labels that contradict the prediction in one region, or of one source"
    )
    judges: dict[str, TechniqueId] = Field(
        default_factory=dict,
        max_length=8,
        description="judges whose scores are a suspicion of an attack, and the ATLAS technique that they speak of",
    )


class Safety(Frozen):
    """When the scores of guardrails and judges are too many or too bad."""

    severe: float = Field(0.9, gt=0, le=1, description="a single score of at least this raises at once")
    clear_after: int = Field(200, ge=1, le=1_000_000, description="harmless scores in a row that clear a severe one")
    limit: float = Field(0.5, gt=0, le=1, description="a score of at least this counts as unsafe")
    rise: Share = Field(0.02, description="share of unsafe scores above the usual share that raises a signal")
    rate_limit: Share = Field(0.1, description="share of unsafe scores that is too many whatever it was before")
    window: Rows = Field(200, description="scores of a judge that are judged together")


class Serving(Frozen):
    """When instances are saturated, fall silent, or answer requests of which no prediction arrives."""

    saturation: float = Field(0.9, gt=0, le=1_000, description="saturation of an instance that is too high")
    saturation_samples: int = Field(3, ge=1, le=1000, description="health samples in a row that must show it")
    silent_rows: Rows = Field(4000, description="rows of the other instances after which a silent one is missed")
    orphan_share: Share = Field(0.2, description="share of answered requests of which no prediction arrived")
    orphan_requests: Rows = Field(500, description="requests that are compared with predictions together")


class Series(Frozen):
    """The watch over single series: metrics of a model server, and `headgate backtest series`."""

    rows_between_false_alarms: Rows = Field(
        1600, ge=10, description="expected rows of a series between false alarms; a score at or above its log10 alarms"
    )
    quiet_rows: int = Field(
        100, ge=1, le=10_000, description="rows after an alarm in which only a still newer row alarms; all calm ends it"
    )
    memory_rows: int = Field(
        4096, ge=256, le=1_000_000, description="rows back to which a series remembers what it looked like"
    )
    points: int = Field(256, ge=16, le=4096, description="most points remembered in each view of a series")
    max_series: int = Field(
        64, ge=0, le=4096, description="series of a monitor that are watched; one more waits until another is silent"
    )
    category: Category = Field(Category.INFRASTRUCTURE, description="the category of a metric's signals")


class Canary(Frozen):
    """When the answers to signed probes say that a model was exchanged behind its version."""

    learn_runs: int = Field(3, ge=2, le=100, description="runs of the probes that teach what a version answers")
    changed_share: Share = Field(
        0.1, description="share of probes answered otherwise, above the usual share of an unsteady model"
    )
    clear_runs: int = Field(2, ge=1, le=100, description="runs in a row with the learnt answers that clear a signal")


class Thresholds(Frozen):
    """How detection judges one monitor: a model version in one mode."""

    rows_between_false_alarms: Rows = Field(
        20_000_000,
        description="expected rows between false alarms of the whole monitor, shared over all its statistics",
    )
    reference_rows: int = Field(2000, ge=200, le=20_000, description="clean rows that the reference is learnt from")
    reference_seconds: int = Field(
        0,
        ge=0,
        le=31_536_000,
        description="least time from the first row of the reference to its last, as far as reference_cells allows",
    )
    reference_shift: float = Field(
        1.0, gt=0, le=100, description="population stability index between its halves that tells against a reference"
    )
    reference_tries: int = Field(
        1, ge=0, le=100, description="how often the older half of such a reference is dropped for newer rows"
    )
    reference_cells: int = Field(
        65_536, ge=1000, le=1_000_000, description="most cells held while learning; many features shorten the reference"
    )
    window_rows: int = Field(500, ge=50, le=1_000_000, description="rows that are judged together")
    floor_rows: int = Field(300, ge=20, le=1_000_000, description="fewer rows than this are not enough data")
    bins: int = Field(10, ge=3, le=50, description="bins of a feature's histogram")
    psi: float = Field(
        0.15, gt=0, le=10, description="population stability index above which a distribution has drifted"
    )
    rolling_windows: int = Field(4, ge=1, le=100, description="earlier windows that make up the rolling baseline")
    confirm_windows: int = Field(
        2, ge=1, le=100, description="windows in a row before a symptom (not a cause) is raised"
    )
    clear_windows: int = Field(2, ge=1, le=100, description="windows in a row without a finding that clear a signal")
    observe_every_rows: Rows = Field(500, description="rows between a monitor's regular words")
    late_seconds: int = Field(3600, ge=1, le=604_800, description="a row this much older than its record is backfill")
    max_monitors: int = Field(
        1000, ge=1, le=1_000_000, description="monitors a partition; the next is refused and flagged"
    )
    max_instances: int = Field(
        16, ge=1, le=256, description="instances of a monitor told apart; the longest silent one is forgotten"
    )
    max_sources: int = Field(256, ge=1, le=65_536, description="sources of a model whose positions are remembered")
    max_features: int = Field(64, ge=1, le=512, description="features of a monitor; the first by name are judged")
    attribution_rows: Rows = Field(8000, description="rows after which a silent instance is no longer waited for")
    quality: Quality = Quality()
    streams: Streams = Streams()
    drift: Drift = Drift()
    forest: Forest = Forest()
    labels: Labels = Labels()
    series: Series = Series()
    performance: Performance = Performance()
    calibration: Calibration = Calibration()
    fairness: Fairness = Fairness()
    attacks: Attacks = Attacks()
    safety: Safety = Safety()
    serving: Serving = Serving()
    canary: Canary = Canary()

    @model_validator(mode="after")
    def _enough_data(self) -> Self:
        if self.floor_rows > self.window_rows:
            raise ValueError("floor_rows is above window_rows: no window would ever be enough data")
        return self
