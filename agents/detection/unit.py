"""A unit of state: all that is remembered of one model in one partition."""

from dataclasses import dataclass

from agents.detection.guard import Mark, Marks
from agents.detection.labels import LabelState, LabelStore
from agents.detection.monitor import Monitor
from agents.detection.monitor_state import MonitorState
from agents.detection.reference import monitor_of
from agents.detection.standard import Standard
from agents.detection.succession import successor
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.selection import Selected
from schemas.values import Mode

FORMAT = b"\x01"
"""The first byte of a unit's state; another one is another program's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """A model's monitors, the positions seen of its sources, and the predictions that wait for labels.

    policy, since
        Digest of the policy that judges, and the offset of the first record that it judged.
    """

    model: str
    policy: str
    since: int
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
    standard
        What it is judged by.
    """

    def __init__(self, model: str, standard: Standard) -> None:
        thresholds = standard.select(model).thresholds
        self.model = model
        self.offset = -1
        self.policy = ""
        self.since = -1
        self.marks = Marks(thresholds.max_sources)
        self.labels = LabelStore(thresholds.labels)
        self.monitors: dict[tuple[str, Mode], Monitor] = {}
        self._standard = standard

    def judge_from(self, offset: int) -> None:
        """Note that the policy in force judges from this record on, where another one judged before."""
        if self.policy != self._standard.policy:
            self.policy, self.since = self._standard.policy, offset

    def has(self, version: str, mode: Mode) -> bool:
        """Whether there is a monitor of a version in a mode."""
        return (version, mode) in self.monitors

    def monitor(self, version: str, mode: Mode) -> Monitor:
        """Return the monitor of a version in a mode, new where there is none, or where another profile is adopted."""
        known = self.monitors.get((version, mode))
        adopted = self._standard.profiles.get((self.model, version))
        if known is not None and (adopted is None or known.reference == adopted.digest):
            return known
        selected = self._standard.select(self.model, mode)
        if adopted is None:
            made = self._following(version, mode, selected)
        else:
            made = monitor_of(adopted, version, mode, selected, known)
        self.monitors[version, mode] = made
        return made

    def _following(self, version: str, mode: Mode, selected: Selected) -> Monitor:
        """Return a monitor that goes by the newest one of another version in this mode, or learns for itself."""
        others = [monitor for (_, other), monitor in self.monitors.items() if other is mode]
        heirs = (successor(before, version, selected.thresholds, selected.rule) for before in reversed(others))
        found = next((heir for heir in heirs if heir is not None), None)
        return found or Monitor(version, mode, selected.thresholds, selected.rule)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        state = UnitState(
            model=self.model,
            policy=self.policy,
            since=self.since,
            marks=self.marks.state(),
            repeated=self.marks.repeated,
            monitors=tuple(monitor.state() for monitor in self.monitors.values()),
            labels=self.labels.state(),
        )
        return FORMAT + encode(state)

    @classmethod
    def of_state(cls, offset: int, body: bytes, standard: Standard) -> "Unit":
        """Return the unit that goes on exactly where that one stood; SchemaError where the bytes are none."""
        if body[:1] != FORMAT:
            raise SchemaError("the saved state has another format than this program writes")
        state = decode(UnitState, body[1:])
        unit = cls(state.model, standard)
        unit.offset, unit.policy, unit.since = offset, state.policy, state.since
        unit.marks.restore(state.marks, state.repeated)
        unit.labels.restore(state.labels)
        for saved in state.monitors:
            selected = standard.select(state.model, saved.mode)
            unit.monitors[saved.version, saved.mode] = Monitor.of_state(saved, selected.thresholds, selected.rule)
        return unit
