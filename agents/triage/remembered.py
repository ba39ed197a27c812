"""All that triage remembers, and its bytes."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from agents.triage.episode import Episode
from agents.triage.raised import LastWord, Raised
from schemas.avro import Millis, decode, encode
from schemas.errors import SchemaError
from schemas.signals import SignalRaised

MAX_ENDED = 2_000
MAX_RESOLVED = 4_096
MAX_SETTLED = 64
_SETTLED_SIGNALS = 8
MAX_MONITORS = 2_000
MAX_WAITING = 1_000
_FORMAT = b"\x03"

Name = TypeVar("Name")
Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last incident of a system, category, model and version that is over."""

    system: str
    category: str
    model: str
    version: str
    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An incident whose case was resolved at a time that the signals have not reached yet."""

    incident: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An episode whose case was resolved at a time: what is only now said of rows up to then is no new fault."""

    episode: Episode
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """The instances of a model version."""

    model: str
    version: str
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A person's report that is taken in when time has come to `at`."""

    signal: SignalRaised
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageState:
    """All that triage remembers; version 3."""

    seen: Millis
    episodes: tuple[Episode, ...]
    raised: tuple[LastWord, ...]
    cleared: tuple[LastWord, ...]
    ended: tuple[Ended, ...]
    resolved: tuple[Resolved, ...]
    settled: tuple[Settled, ...]
    monitored: tuple[Monitored, ...]
    waiting: tuple[Waiting, ...]
    reported: int


@dataclass(slots=True)
class Memory:
    """What triage knows as of a record of the signals topic.

    offset, seen
        The last record taken in (−1: none), and the latest time that records or resolutions bore, in ms.
    ended
        The last incident of each (system, category, model, version) that is over.
    resolved
        Times at which cases ended, of incidents whose signals have not been read that far.
    settled
        Episodes of resolved cases, the newest last, with their weightiest signals.
    monitored
        Instances of each (model, version).
    waiting, reported
        Reports of people that are still to be taken in, and the ledger's index of the last that was heard of.
    """

    offset: int = -1
    seen: int = 0
    episodes: dict[str, Episode] = field(default_factory=dict)
    raised: Raised = field(default_factory=Raised)
    ended: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    resolved: dict[str, int] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    monitored: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    reported: int = -1

    def end(self, key: tuple[str, str, str, str], incident: str) -> None:
        """Remember the last incident of a key."""
        _put(self.ended, key, incident, MAX_ENDED)

    def resolve(self, incident: str, at: int) -> None:
        """Remember that a case ends at a time that the signals have not reached."""
        _put(self.resolved, incident, at, MAX_RESOLVED)

    def settle(self, episode: Episode, at: int) -> None:
        """Remember an episode whose case was resolved at a time."""
        kept = replace(episode, signals=episode.signals[:_SETTLED_SIGNALS])
        self.settled = [*self.settled, Settled(episode=kept, at=at)][-MAX_SETTLED:]

    def monitor(self, model: str, version: str, instances: tuple[str, ...]) -> None:
        """Remember the instances of a model version."""
        _put(self.monitored, (model, version), instances, MAX_MONITORS)

    def hear(self, signal: SignalRaised, at: int) -> None:
        """Remember a report to be taken in at its time, or as soon as can be; one that was heard of is known."""
        if signal.source.offset <= self.reported:
            return
        self.reported = signal.source.offset
        at = max(at, self.seen)
        # Their number is bounded by the policy's limit for each person; beyond the bound the oldest wait no longer.
        self.waiting = [*self.waiting, Waiting(signal=signal, at=at)][-MAX_WAITING:]

    def version_of(self, model: str) -> str:
        """Return the only version of a model that is monitored; empty where there are several or none."""
        known = {version for name, version in self.monitored if name == model}
        return next(iter(known)) if len(known) == 1 else ""

    def state(self) -> bytes:
        """Return all but the offset, exactly."""
        raised, cleared = self.raised.state()
        state = TriageState(
            seen=self.seen,
            episodes=tuple(self.episodes.values()),
            raised=raised,
            cleared=cleared,
            ended=tuple(
                Ended(system=key[0], category=key[1], model=key[2], version=key[3], incident=incident)
                for key, incident in self.ended.items()
            ),
            resolved=tuple(Resolved(incident=incident, at=at) for incident, at in self.resolved.items()),
            settled=tuple(self.settled),
            monitored=tuple(
                Monitored(model=model, version=version, instances=instances)
                for (model, version), instances in self.monitored.items()
            ),
            waiting=tuple(self.waiting),
            reported=self.reported,
        )
        return _FORMAT + encode(state)

    @classmethod
    def of_state(cls, offset: int, body: bytes) -> "Memory":
        """Return what `state` wrote; SchemaError where the bytes are no state of this program."""
        if body[:1] != _FORMAT:
            raise SchemaError("this is no state of triage that this version reads")
        state = decode(TriageState, body[1:])
        return cls(
            offset=offset,
            seen=state.seen,
            episodes={episode.id: episode for episode in state.episodes},
            raised=Raised(state.raised, state.cleared),
            ended={(e.system, e.category, e.model, e.version): e.incident for e in state.ended},
            resolved={resolved.incident: resolved.at for resolved in state.resolved},
            settled=list(state.settled),
            monitored={(m.model, m.version): m.instances for m in state.monitored},
            waiting=list(state.waiting),
            reported=state.reported,
        )


def _put(known: dict[Name, Fact], name: Name, fact: Fact, most: int) -> None:
    known.pop(name, None)
    known[name] = fact
    if len(known) > most:
        del known[next(iter(known))]
