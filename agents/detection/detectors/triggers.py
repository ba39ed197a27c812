"""river's incremental change detectors as triggers: fed clean values, saved as plain records.

A trigger says that something changed; the shift detector then judges how far, and when it is over.
"""

from dataclasses import dataclass
from typing import Protocol

import river
from river.drift import ADWIN

from agents.detection.columns import Floats
from schemas.avro import decode, encode
from schemas.errors import SchemaError


class Trigger(Protocol):
    """Says whether a stream changed; `name` is the detector's in signals."""

    name: str

    def feed(self, values: Floats) -> bool:
        """Take in values in order; whether a change was found among them."""

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiverState:
    """A river detector: its own bytes or its plain numbers, and the river that wrote them."""

    river: str
    found: bool
    body: bytes


class Adwin:
    """ADWIN (Bifet and Gavaldà, 2007): the mean of a window that shrinks where it changed.

    Parameters
    ----------
    delta
        Probability of a false cut.
    """

    name = "adwin"

    def __init__(self, delta: float) -> None:
        self._delta = delta
        self._detector = ADWIN(delta=delta)

    def feed(self, values: Floats) -> bool:
        """Take in values in order; whether a change was found among them."""
        detector = self._detector
        found, left = False, values.tolist()
        while left:
            if detector.drift_detected:
                detector._reset()
            # What river's own update does, without a Python call a value; what was fed to the window behind a change
            # is lost with that window, and fed to the new one.
            changed = list(map(detector._helper.update, left))
            detector._drift_detected = any(changed)
            if not detector._drift_detected:
                break
            found, left = True, left[changed.index(True) + 1 :]
        return found

    def state(self) -> bytes:
        """Return river's bytes."""
        detector = self._detector
        body = detector._helper.__getstate__()
        return encode(RiverState(river=river.__version__, found=bool(detector.drift_detected), body=body))

    def restore(self, state: bytes) -> None:
        """Remember exactly that; another river's bytes do not fit, so its window begins anew."""
        saved = decode(RiverState, state)
        self._detector = ADWIN(delta=self._delta)
        if saved.river != river.__version__:
            return
        try:
            self._detector._helper.__setstate__(saved.body)
        except BaseException as error:
            # Rust panics arrive as a BaseException of a class that cannot be imported.
            if type(error).__name__ != "PanicException":
                raise
            raise SchemaError("the saved state of ADWIN is not river's") from None
        self._detector._drift_detected = saved.found
