"""What triage reads of the signals topic: records of detection, within bounds, and nothing that people must sign."""

from dataclasses import fields

from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.signals import MonitorObserved, SeriesScored, SignalCleared, SignalRaised
from schemas.values import Category

MAX_TEXT = 300
_LONG = {"signal": 2_000, "summary": 16_384}
"""Characters of a name, and of the two texts that are longer: one signal's names, in four bytes a character, must fit
into an incident that the ledger can hold."""

Said = SignalRaised | SignalCleared | MonitorObserved | SeriesScored


def read(value: bytes) -> Said:
    """Return what a record says; SchemaError where it is none of detection's, or beyond the bounds."""
    said: Said = open_frame(value, (SignalRaised, SignalCleared, MonitorObserved, SeriesScored))
    _check(said)
    return said


def _check(said: Said) -> None:
    """Refuse names that no monitor has: what is remembered must stay small, and what is told must fit the ledger."""
    if isinstance(said, SignalRaised) and said.category is Category.HUMAN_REPORT:
        raise SchemaError("people report failures with a signed command (`headgate report-failure`), not with a signal")
    texts = [(field.name, value) for field in fields(said) if isinstance(value := getattr(said, field.name), str)]
    if isinstance(said, MonitorObserved):
        texts += [("instance", name) for name in said.instances]
    for name, text in texts:
        if len(text) > _LONG.get(name, MAX_TEXT):
            raise SchemaError(f"{name} in {type(said).__name__} has more than {_LONG.get(name, MAX_TEXT)} characters")
