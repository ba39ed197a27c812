"""How detection judges what labels say: the part of its thresholds that concerns predictions and their labels."""

from typing import Annotated

from pydantic import Field

from schemas.amounts import Factor, Rows, Share
from schemas.documents import Frozen


class Labels(Frozen):
    """Which predictions wait for their labels, and for how long."""

    sample: float = Field(
        1.0,
        gt=0,
        le=1,
        description="largest share of predictions kept, chosen by a hash of the prediction id; halved while the "
        "budget is full of predictions that wait",
    )
    budget: int = Field(
        4096, ge=0, le=65_536, description="most predictions of a model that wait at a time; 0 keeps none"
    )
    early: int = Field(
        256, ge=0, le=4096, description="most labels of a model that wait for a prediction that has not come yet"
    )
    horizon_seconds: int = Field(
        86_400, ge=1, le=31_536_000, description="a label this much later than its prediction is late"
    )
    window: Rows = Field(200, description="joined labels that are judged together")


class Performance(Frozen):
    """When predictions are worse than what their labels have shown before."""

    learn_windows: int = Field(4, ge=2, le=100, description="windows of labels before the first that is judged")
    fitted_rows: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="labels of rows that the model may be fitted to; learn_windows after them teach as well",
    )
    memory_windows: int = Field(
        20, ge=4, le=100, description="windows without a finding that say how far errors wander by themselves"
    )
    together: tuple[Annotated[int, Field(ge=2, le=100)], ...] = Field(
        (4, 8),
        max_length=8,
        description="windows that are looked at together, for a rise that no single one is sure of; more than half "
        "of memory_windows are not",
    )
    wander: float = Field(
        2.0,
        ge=1,
        le=100,
        description="factor of how far the remembered windows wander, until labels have been watched for long: of "
        "what wanders slowly they show a part",
    )
    error_rise: Share = Field(
        0.05, description="share of wrong predictions above the highest that windows before reached by themselves"
    )
    slow_rise: Share = Field(
        0.4, description="share of wrong predictions above the first labels' that is an incident however slowly it came"
    )
    residual_factor: Factor = Field(
        1.3, description="factor of the mean absolute residual over the highest that windows before reached"
    )
    group_windows: int = Field(
        4, ge=0, le=100, description="windows that wait for fairness to speak first where one group explains the rise"
    )


class Calibration(Frozen):
    """What confidence must promise: judged on labels, and used for an estimate while labels are missing."""

    learn: int = Field(
        800,
        ge=100,
        le=1_000_000,
        description="labels that say what accuracy a confidence stands for; fewer say nothing",
    )
    window: int = Field(400, ge=50, le=1_000_000, description="labels that are judged together")
    gap: Share = Field(
        0.1,
        description="promised less real accuracy, beyond what windows before reached, where confidence moved itself",
    )
    fall: Share = Field(
        0.05, description="fall of the estimated accuracy below what windows before reached; judged without labels only"
    )
    fall_incident: Share = Field(0.15, description="fall of the estimated accuracy that is an incident by itself")


class Fairness(Frozen):
    """When outcomes or errors of one group depart from those of the others by more than they did in the reference."""

    favourable: str = Field(
        "", max_length=256, description="the outcome that is favourable; empty: the rarer of two, or a high number"
    )
    groups: tuple[str, ...] = Field((), max_length=8, description="group columns that are judged; empty: all")
    window: Rows = Field(
        500, description="rows that are judged together (labels: labels.window); reference_rows are learnt from first"
    )
    least: int = Field(50, ge=10, le=1_000_000, description="fewer rows of a group than this are not enough data")
    ratio: Share = Field(
        0.8, description="least selection rate of a group over the highest (four-fifths rule, 29 CFR 1607.4(D))"
    )
    gap: Share = Field(
        0.1, description="gap in selection rate, error rate or true positive rate beyond the reference's"
    )
    max_groups: int = Field(
        32, ge=2, le=256, description="groups told apart; later ones, and crossings beyond it, are not judged"
    )
