"""A person reports a suspected failure: the command, and the event that triage takes up."""

from dataclasses import dataclass

from schemas.avro import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFailure:
    """Say that a model seems to fail.

    version, prediction
        Where the person knows them; else empty.
    what
        What was seen, in a person's words.
    happened_at
        When it was first seen, in ms; 0 for now.
    """

    model: str
    version: str
    what: str
    prediction: str
    happened_at: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReported:
    """A person reported a suspected failure; triage lets it join the incident it belongs to, or opens one.

    report
        Its id, derived from the signed statement.
    """

    report: str
    model: str
    version: str
    what: str
    prediction: str
    happened_at: Millis
    reported_at: Millis
    principal: str


COMMANDS = (ReportFailure,)
EVENTS = (FailureReported,)
