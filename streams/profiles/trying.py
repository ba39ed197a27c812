"""Says whether a monitor can go on from a profile: one is made from it and saved again."""

from agents.detection.monitor import Monitor
from agents.detection.reference import Reference
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds


def try_out(known: Reference) -> None:
    """Make a monitor of the profile; SchemaError where its parts do not fit one another."""
    try:
        again = Monitor.of_state(known.learnt, Thresholds()).state()
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise SchemaError(f"no monitor can go on from the profile: {error}") from None
    if again.profile != known.learnt.profile:
        raise SchemaError("a monitor made from the profile does not hold the same profile")
