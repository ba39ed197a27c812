"""How much people may report, and how long they may silence: parts of the policy document."""

from pydantic import Field

from schemas.documents import Frozen


class ReportPolicy(Frozen):
    """How many suspected failures one person may report."""

    per_person: int = Field(10, ge=1, le=200, description="reports of one person within the time below")
    within_seconds: int = Field(3600, ge=1, le=604_800, description="the time in which those are counted")


class SilencePolicy(Frozen):
    """How long silences and maintenance windows may be."""

    longest_hours: float = Field(72, gt=0, le=720, description="longest silence, and longest window of a rule")
    renew_days: int = Field(90, ge=1, le=366, description="a rule must be renewed after so many days")
    most: int = Field(100, ge=1, le=500, description="silences in force at a time")
