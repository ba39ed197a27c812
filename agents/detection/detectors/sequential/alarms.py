"""What stands of each channel of each bank: told at once, or a few windows later where a cause may be told first."""

from dataclasses import dataclass, replace

from agents.detection.detectors.level import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What stands of one channel of one bank.

    told
        Whether it is a level; else it waits for so many window ends (`patience`), where causes are told.
    over
        Whether its rows are back at the baseline; it is still told at one window's end, however short it was.
    windows
        Window ends since, at most as many as patience needs.
    """

    bank: int
    channel: int
    level: Level
    told: bool
    over: bool
    patience: int
    windows: int


class Alarms:
    """The alarms of one detector, in the order in which they were raised."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, int], Alarm] = {}

    def add(self, bank: int, channel: int, level: Level, patience: int) -> None:
        """Raise a level; what was told of the channel before stays told."""
        before = self._held.get((bank, channel))
        told = not patience or (before is not None and before.told)
        self._held[bank, channel] = Alarm(
            bank=bank, channel=channel, level=level, told=told, over=False, patience=patience, windows=0
        )

    def of(self, bank: int, channel: int) -> Level | None:
        """Return the level of what stands and is not over."""
        held = self._held.get((bank, channel))
        return None if held is None or held.over else held.level

    def change(self, bank: int, channel: int, level: Level) -> None:
        """Replace the level of what stands."""
        self._held[bank, channel] = replace(self._held[bank, channel], level=level)

    def end(self, bank: int, channel: int) -> None:
        """Note that a channel is back at its baseline."""
        held = self._held.get((bank, channel))
        if held is not None:
            self._held[bank, channel] = replace(held, over=True)

    def close(self) -> None:
        """End a window: drop what is over and was told, and tell what has waited enough."""
        for key, alarm in list(self._held.items()):
            if alarm.over and alarm.windows >= max(alarm.patience, 1):
                del self._held[key]
                continue
            windows = min(alarm.windows + 1, max(alarm.patience, 1))
            self._held[key] = replace(alarm, told=alarm.told or windows >= alarm.patience, windows=windows)

    def told(self) -> list[tuple[int, int]]:
        """Return the bank and channel of what is told."""
        return [key for key, alarm in self._held.items() if alarm.told]

    def levels(self) -> list[Level]:
        """Return what is told, in a fixed order."""
        return [alarm.level for _, alarm in sorted(self._held.items()) if alarm.told]

    def state(self) -> tuple[Alarm, ...]:
        """Return all that is held."""
        return tuple(self._held.values())

    def restore(self, state: tuple[Alarm, ...]) -> None:
        """Hold exactly that."""
        self._held = {(alarm.bank, alarm.channel): alarm for alarm in state}
