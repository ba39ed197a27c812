"""A unit of state: all that is remembered of one model in one partition."""

from dataclasses import dataclass

from agents.detection.guard import Mark, Marks
from agents.detection.labels import LabelState, LabelStore
from agents.detection.monitor import Monitor, MonitorState
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds
from schemas.values import Mode

FORMAT = b"\x01"
"""The first byte of a unit's state; another one is another program's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """A model's monitors, the positions seen of its sources, and the predictions that wait for labels."""

    model: str
    marks: tuple[Mark, ...]
    repeated: int
    monitors: tuple[MonitorState, ...]
    labels: LabelState


class Unit:
    """The monitors of a model, by version and mode, and what they share.

    Parameters
    ----------
    model
        Its id.
    thresholds
        How to judge.
    """

    def __init__(self, model: str, thresholds: Thresholds) -> None:
        self.model = model
        self.offset = -1
        self.marks = Marks(thresholds.max_sources)
        self.labels = LabelStore(thresholds.labels)
        self.monitors: dict[tuple[str, Mode], Monitor] = {}
        self._thresholds = thresholds

    def has(self, version: str, mode: Mode) -> bool:
        """Whether there is a monitor of a version in a mode."""
        return (version, mode) in self.monitors

    def monitor(self, version: str, mode: Mode) -> Monitor:
        """Return the monitor of a version in a mode, new where there is none."""
        if (version, mode) not in self.monitors:
            self.monitors[version, mode] = Monitor(version, mode, self._thresholds)
        return self.monitors[version, mode]

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        state = UnitState(
            model=self.model,
            marks=self.marks.state(),
            repeated=self.marks.repeated,
            monitors=tuple(monitor.state() for monitor in self.monitors.values()),
            labels=self.labels.state(),
        )
        return FORMAT + encode(state)

    @classmethod
    def of_state(cls, offset: int, body: bytes, thresholds: Thresholds) -> "Unit":
        """Return the unit that goes on exactly where that one stood; SchemaError where the bytes are none."""
        if body[:1] != FORMAT:
            raise SchemaError("the saved state has another format than this program writes")
        state = decode(UnitState, body[1:])
        unit = cls(state.model, thresholds)
        unit.offset = offset
        unit.marks.restore(state.marks, state.repeated)
        unit.labels.restore(state.labels)
        for saved in state.monitors:
            unit.monitors[saved.version, saved.mode] = Monitor.of_state(saved, thresholds)
        return unit
