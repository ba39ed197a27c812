"""Levels: what is raised and stays so until the newest rows no longer show it."""

from dataclasses import dataclass, replace

from schemas.avro import Millis
from schemas.values import Category

CAP = 300.0
"""The highest score: a probability below 1e-300 is not told from 0 in a double."""

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One statistic of one subject beyond its limit.

    score
        −log10 of the probability of a value at least as extreme without a fault.
    symptom
        Whether a cause may explain it: a symptom waits a window longer, so that its cause is named first.
    material
        Whether it is as large as policy asks of an incident.
    technique
        MITRE ATLAS id of the hypothesis, where there is one.
    note
        What else a reader of the signal should know, in a few words; empty for most.
    """

    detector: str
    subject: str
    statistic: str
    baseline: str
    category: Category
    value: float
    threshold: float
    score: float
    first_bad_at: Millis
    window_from: Millis
    window_to: Millis
    rows: int
    symptom: bool
    material: bool = True
    technique: str | None = None
    note: str = ""

    @property
    def key(self) -> Key:
        """What the level is about, whatever its value."""
        return (self.detector, self.statistic, self.baseline, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A level with how many windows in a row showed it (`up`) or did not (`down`)."""

    level: Level
    up: int
    down: int
    raised: bool


class Levels:
    """Turns the findings of each window into levels: raised after `confirm` windows, cleared after `clear`.

    Parameters
    ----------
    confirm
        Windows in a row that must show a symptom; a cause needs one.
    clear
        Windows in a row that must not show it before it is cleared.
    """

    def __init__(self, confirm: int, clear: int) -> None:
        self._confirm = confirm
        self._clear = clear
        self._held: dict[Key, Held] = {}

    def judge(self, findings: list[Level]) -> None:
        """Take in all findings of one closed window."""
        if not findings and not self._held:
            return
        found = {level.key: level for level in findings}
        for key in list(self._held):
            if key not in found:
                self._miss(key)
        for key, level in found.items():
            self._hit(key, level)

    def raised(self) -> list[Level]:
        """Return what is raised, in a fixed order."""
        return [held.level for _, held in sorted(self._held.items()) if held.raised] if self._held else []

    def holds(self, key: Key) -> bool:
        """Whether the newest window showed it."""
        held = self._held.get(key)
        return held is not None and held.down == 0

    def state(self) -> tuple[Held, ...]:
        """Return all that is remembered."""
        return tuple(held for _, held in sorted(self._held.items()))

    def restore(self, state: tuple[Held, ...]) -> None:
        """Remember exactly this."""
        self._held = {held.level.key: held for held in state}

    def _hit(self, key: Key, level: Level) -> None:
        held = self._held.get(key)
        up = 1 if held is None or (held.down and not held.raised) else held.up + 1
        first = level.first_bad_at if held is None else held.level.first_bad_at
        raised = (held is not None and held.raised) or up >= (self._confirm if level.symptom else 1)
        self._held[key] = Held(level=replace(level, first_bad_at=first), up=up, down=0, raised=raised)

    def _miss(self, key: Key) -> None:
        held = self._held[key]
        down = held.down + 1
        if not held.raised or down >= self._clear:
            del self._held[key]
        else:
            self._held[key] = replace(held, up=0, down=down)
