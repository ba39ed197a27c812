"""What the Faust loop asks of an agent that keeps statistics of a partition."""

from typing import Protocol, runtime_checkable

from agents.received import Received


class Processor(Protocol):
    """One partition's agent: units (a monitor, an episode) that each remember what they have seen.

    A unit's state is a function of the records of its partition up to one offset. `step` of a record at or below the
    offset that the unit has seen changes nothing and returns nothing, so that a replay counts each record once.
    """

    def unit_of(self, record: Received) -> str:
        """Return the unit that the record belongs to, changing nothing; SchemaError where it cannot be decoded."""
        ...

    def step(self, record: Received) -> list[object]:
        """Judge the record and return its events; a SchemaError is raised before anything has changed."""
        ...

    def dirty(self) -> list[tuple[str, int, bytes]]:
        """Return (unit, offset of the last record seen, state) of each unit that changed since the last call."""
        ...

    def restore(self, unit: str, offset: int, body: bytes) -> None:
        """Put a unit back to what `dirty` returned."""
        ...

    def forget(self, unit: str | None = None) -> None:
        """Drop one unit, or all of them."""
        ...


@runtime_checkable
class Ticking(Protocol):
    """A processor that also acts when nothing comes."""

    def due(self, now: int) -> bool:
        """Whether a tick would bring anything about by `now` (ms); asked often, and answered at once."""
        ...

    def tick(self, now: int) -> list[object]:
        """Return what time alone has brought about by `now` (ms); every id and time in it comes from its deadline.

        It is called when every record that Kafka had a moment after `now` is judged.
        """
        ...
