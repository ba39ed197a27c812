"""Which single decisions people look at while an incident runs, and until when: a part of the policy document."""

from pydantic import Field, model_validator

from schemas.approving import Seconds
from schemas.documents import Frozen
from schemas.values import Severity


class ReviewPolicy(Frozen):
    """Which decisions of an incident's window go to a person; the bound of risk is the archive's."""

    uncertain_from: float = Field(0.0, ge=0, le=1, description="confidence from which on a decision is uncertain")
    uncertain_to: float = Field(0.6, ge=0, le=1, description="and up to which it is")
    reliability: float = Field(
        0.9,
        ge=0,
        le=1,
        description="a model whose accuracy, measured or estimated, is lower has each high-risk decision reviewed",
    )
    most_open: int = Field(20, ge=0, le=500, description="reviews of an incident that wait at a time; 0 asks for none")
    most_per_incident: int = Field(200, ge=0, le=2000, description="reviews of an incident in all")
    anyone: bool = Field(
        default=True, description="whoever may review may decide; otherwise only the reviewer who was named"
    )
    due_seconds: dict[Severity, Seconds] = Field(
        default_factory=lambda: {
            Severity.SEV1: 900,
            Severity.SEV2: 3600,
            Severity.SEV3: 14_400,
            Severity.SEV4: 86_400,
        },
        description="time to decide on one, by the severity of the incident as it is queued",
    )

    @model_validator(mode="after")
    def _whole(self) -> "ReviewPolicy":
        if self.uncertain_from > self.uncertain_to:
            raise ValueError("uncertain_from lies above uncertain_to")
        missing = [severity.value for severity in Severity if severity not in self.due_seconds]
        if missing:
            raise ValueError(f"due_seconds says nothing for {', '.join(missing)}")
        return self
