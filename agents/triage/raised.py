"""Which signals are raised, of which episode, and which repeats are known for what they are."""

from dataclasses import dataclass, replace

from schemas.ids import derive
from schemas.signals import SignalCleared, SignalRaised

MAX_RAISED = 10_000
"""Levels that may be raised at a time; beyond it the oldest is no longer waited for."""
MAX_CLEARED = 5_000
"""Cleared levels that are remembered, so that a repeat of what raised them raises nothing."""
_MAX_IDS = 16
_MAX_SIGNAL = 200

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWord:
    """What was last said of one level.

    partition, offset
        The telemetry record that caused it; what an earlier one caused is a repeat.
    ids
        What that very record caused, the newest last.
    episode
        Which one waits for it to clear; empty once it is cleared, or settled with a resolved incident.
    """

    topic_id: str
    signal: str
    partition: int
    offset: int
    ids: tuple[str, ...]
    episode: str = ""


class Raised:
    """Levels by telemetry topic and signal, in bounded memory."""

    def __init__(self, raised: tuple[LastWord, ...] = (), cleared: tuple[LastWord, ...] = ()) -> None:
        self._raised = {(level.topic_id, level.signal): level for level in raised}
        self._cleared = {(level.topic_id, level.signal): level for level in cleared}
        self._members: dict[str, set[Key]] = {}
        for key, level in self._raised.items():
            if level.episode:
                self._members.setdefault(level.episode, set()).add(key)

    def state(self) -> tuple[tuple[LastWord, ...], tuple[LastWord, ...]]:
        """Return the raised and the cleared levels, as the constructor takes them."""
        return tuple(self._raised.values()), tuple(self._cleared.values())

    def repeats(self, said: SignalRaised | SignalCleared) -> bool:
        """Whether a signal was taken in before, or is older than what was."""
        level = self._find(said)
        if level is None or level.partition != said.source.partition:
            return False
        return said.source.offset < level.offset or (said.source.offset == level.offset and said.id in level.ids)

    def episode_of(self, said: SignalRaised | SignalCleared) -> str:
        """Return the episode that waits for the level to clear, or an empty string."""
        level = self._raised.get(_key(said))
        return level.episode if level else ""

    def any_of(self, episode: str) -> bool:
        """Whether a level of the episode is raised."""
        return episode in self._members

    def lift(self, said: SignalRaised, episode: str) -> str:
        """Raise a level for an episode (empty: for none); return the episode of a level forgotten for it, or empty."""
        level = self._next(said, episode)
        key = _key(said)
        self._cleared.pop(key, None)
        self._leave(key)
        self._raised[key] = level
        if episode:
            self._members.setdefault(episode, set()).add(key)
        if len(self._raised) <= MAX_RAISED:
            return ""
        oldest = next(iter(self._raised))
        return self._leave(oldest)

    def lower(self, said: SignalCleared) -> None:
        """Clear a level; one that is not known stays unknown."""
        key = _key(said)
        if self._find(said) is None:
            return
        level = self._next(said, "")
        self._leave(key)
        self._cleared.pop(key, None)
        self._cleared[key] = level
        if len(self._cleared) > MAX_CLEARED:
            del self._cleared[next(iter(self._cleared))]

    def move(self, episode: str, into: str) -> None:
        """Let another episode wait for all levels of one."""
        for key in self._members.pop(episode, ()):
            self._raised[key] = replace(self._raised[key], episode=into)
            self._members.setdefault(into, set()).add(key)

    def settle(self, episode: str) -> None:
        """Wait no longer for the episode's levels: they stay raised, and open nothing until they are raised anew."""
        for key in self._members.pop(episode, ()):
            self._raised[key] = replace(self._raised[key], episode="")

    def _find(self, said: SignalRaised | SignalCleared) -> LastWord | None:
        key = _key(said)
        return self._raised.get(key) or self._cleared.get(key)

    def _next(self, said: SignalRaised | SignalCleared, episode: str) -> LastWord:
        level, source = self._find(said), said.source
        same = level is not None and (level.partition, level.offset) == (source.partition, source.offset)
        earlier = level.ids if level is not None and same else ()
        return LastWord(
            topic_id=source.topic_id,
            signal=_short(said.signal),
            partition=source.partition,
            offset=source.offset,
            ids=(*earlier, said.id)[-_MAX_IDS:],
            episode=episode,
        )

    def _leave(self, key: Key) -> str:
        level = self._raised.pop(key, None)
        if level is None or not level.episode:
            return ""
        members = self._members[level.episode]
        members.discard(key)
        if not members:
            del self._members[level.episode]
        return level.episode


def _key(said: SignalRaised | SignalCleared) -> Key:
    return (said.source.topic_id, _short(said.signal))


def _short(signal: str) -> str:
    """Return a name as it is remembered: by its digest where it is long."""
    return signal if len(signal) <= _MAX_SIGNAL else derive("signal", signal)
