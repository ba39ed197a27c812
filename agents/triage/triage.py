"""Triage: signals in, incidents out; one fault, one incident, however many signals it has."""

from dataclasses import fields, replace

from agents.received import Received
from agents.triage import episode as episodes
from agents.triage.episode import Episode, attach, conclude, deadline, is_over
from agents.triage.judge import Judge
from agents.triage.kinship import home
from agents.triage.remembered import Memory
from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.signals import MonitorObserved, SeriesScored, SignalCleared, SignalRaised
from schemas.values import Category

UNIT = "triage"
"""The one unit of state: all episodes of the signals topic."""
MAX_EPISODES = 500
MAX_INSTANCES = 256
MAX_TEXT = 300
_LONG = {"signal": 2_000, "summary": 16_384}
"""Characters of a name, and of the two texts that are longer: one signal's names, in four bytes a character, must fit
into an incident that the ledger can hold."""
_LATEST = 250_000_000_000_000

Said = SignalRaised | SignalCleared | MonitorObserved | SeriesScored


class Triage:
    """Episodes of all systems; a Processor of the signals topic that also has a `tick`.

    Parameters
    ----------
    judge
        The policy and the systems in force.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._opened: tuple[bytes, Said | None] = (b"", None)
        self._memory = Memory()
        self._homes: dict[tuple[str, str], dict[str, None]] = {}
        self._deadlines: dict[str, int] = {}
        self._changed = False

    def adopt(self, judge: Judge) -> None:
        """Judge by another policy and other systems from here on; an episode keeps its models until it ends."""
        self._judge = judge
        for episode in list(self._memory.episodes.values()):
            self._keep(episode)

    def unit_of(self, record: Received) -> str:
        """Return the one unit; SchemaError where the record is no signal."""
        self._open(record)
        return UNIT

    def step(self, record: Received) -> list[object]:
        """Take in a signal, after what was due before the record's own time."""
        said = self._open(record)
        if record.offset <= self._memory.offset:
            return []
        at = min(max(record.timestamp, 0), _LATEST)
        events = self._due(at)
        match said:
            case SignalRaised():
                events += self._raise(said, at)
            case SignalCleared():
                self._clear(said, at)
            case MonitorObserved():
                self._memory.monitor(said.model, said.version, said.instances[:MAX_INSTANCES])
        self._memory.offset, self._memory.seen = record.offset, max(self._memory.seen, at)
        self._changed = True
        return events

    def due(self, now_ms: int) -> bool:
        """Whether time alone has brought anything about."""
        return any(at <= now_ms for at in self._deadlines.values())

    def tick(self, now_ms: int) -> list[object]:
        """Return what time alone has brought about; each event bears its deadline's time.

        To be called only when the partition has been read up to its end as of `now_ms`: what is due then knows all
        signals up to its deadline, before and after a crash alike.
        """
        return self._due(min(now_ms, _LATEST))

    def resolve(self, incident: str, at: int | None = None) -> None:
        """End an incident's episode, because its case is over; its signals open nothing until they are raised anew.

        Parameters
        ----------
        incident
            Its id; one that is not known, or over already, changes nothing.
        at
            When the case ended (the ledger's time). Signals up to then still belong to it when they are read again
            after a crash. Without it the episode ends at once.
        """
        if at is not None and at > self._memory.seen:
            self._memory.resolve(incident, min(at, _LATEST))
            self._changed = True
            return
        for episode in list(self._memory.episodes.values()):
            if episode.sequence and episode.incident == incident:
                self._memory.settle(episode, self._memory.seen)
                self._end(episode)

    def dirty(self) -> list[tuple[str, int, bytes]]:
        """Return the unit, the last offset taken in and all that is remembered, where it changed."""
        if not self._changed or self._memory.offset < 0:
            return []
        self._changed = False
        return [(UNIT, self._memory.offset, self._memory.state())]

    def restore(self, unit: str, offset: int, body: bytes) -> None:
        """Go on where that state stood; SchemaError where the bytes are no state of this program."""
        if unit != UNIT:
            raise SchemaError(f"triage has one unit of state, {UNIT}, not {unit[:80]!r}")
        memory = Memory.of_state(offset, body)
        self.forget()
        self._memory = memory
        for episode in list(memory.episodes.values()):
            self._keep(episode)

    def forget(self, unit: str | None = None) -> None:
        """Drop everything; `unit` can only be the one there is."""
        if unit not in (None, UNIT):
            return
        self._memory = Memory()
        self._homes.clear()
        self._deadlines.clear()
        self._changed = False

    def _open(self, record: Received) -> Said:
        # The loop asks for the unit and then for the step: the same value is decoded once.
        if self._opened[0] is not record.value or self._opened[1] is None:
            said: Said = open_frame(record.value, (SignalRaised, SignalCleared, MonitorObserved, SeriesScored))
            _check(said)
            self._opened = (record.value, said)
            return said
        return self._opened[1]

    def _raise(self, signal: SignalRaised, at: int) -> list[object]:
        if self._memory.raised.repeats(signal):
            return []
        before = self._memory.episodes.get(self._memory.raised.episode_of(signal)) or self._home(signal)
        if before is None:
            self._memory.raised.lift(signal, "")
            return []
        abandoned = self._memory.raised.lift(signal, before.id)
        episode = attach(before, signal, at, self._judge)
        self._keep(episode)
        if abandoned:
            self._rest(abandoned, at)
        if not episode.sequence:
            return []
        found = conclude(episode, self._judge, self._memory.monitored)
        wider = (found.cause.category.value, found.affected) != (episode.attributed, episode.affected)
        changed = _ids(found.evidence) != _ids(before.signals[: episodes.MAX_EVIDENCE])
        if wider or ((changed or episode.pending) and at >= episode.reported_at + self._grow_every):
            after, event = episodes.grew(episode, found, at)
            self._keep(after)
            return [event]
        self._keep(replace(episode, pending=episode.pending or changed))
        return []

    def _clear(self, signal: SignalCleared, at: int) -> None:
        if self._memory.raised.repeats(signal):
            return
        episode = self._memory.raised.episode_of(signal)
        self._memory.raised.lower(signal)
        self._rest(episode, at)

    def _rest(self, name: str, at: int) -> None:
        """Begin the quiet period of an episode of which nothing is raised any more."""
        episode = self._memory.episodes.get(name)
        if episode is None:
            return
        resting = None if self._memory.raised.any_of(name) else at
        self._keep(replace(episode, last_at=max(at, episode.last_at), quiet_since=resting))

    def _late(self, signal: SignalRaised) -> bool:
        """Whether a signal tells of rows from before its fault was resolved, as labels do that come late."""
        source = signal.source.topic_id
        return any(
            signal.window_to <= settled.at
            and (settled.episode.topic_id, signal.model in settled.episode.models) == (source, True)
            and home(signal, [settled.episode], self._judge) is not None
            for settled in self._memory.settled
        )

    def _home(self, signal: SignalRaised) -> Episode | None:
        """Return the episode under way of the signal's fault, or a new one; None where its fault is resolved."""
        topic_id, joined = signal.source.topic_id, self._judge.joined(signal.model)
        names = {name: None for model in (signal.model, *joined) for name in self._homes.get((topic_id, model), ())}
        found = home(signal, [self._memory.episodes[name] for name in names], self._judge)
        if found is not None:
            missing = () if signal.model in found.models else (signal.model,)
            return replace(found, models=found.models + missing)
        if signal.category is Category.HUMAN_REPORT:  # a person's report has no telemetry topic of its own
            for known in self._memory.episodes.values():
                if signal.model in known.models:
                    return known
        elif self._late(signal):
            return None
        if len(self._memory.episodes) >= MAX_EPISODES:
            candidates = (known for known in self._memory.episodes.values() if known.incident is None)
            self._end(next(candidates, next(iter(self._memory.episodes.values()))))
        return Episode(id=signal.id, topic_id=topic_id, models=joined)

    @property
    def _grow_every(self) -> int:
        return self._judge.policy.grow_every_seconds * 1000

    def _keep(self, episode: Episode) -> None:
        self._memory.episodes[episode.id] = episode
        for model in episode.models:
            self._homes.setdefault((episode.topic_id, model), {})[episode.id] = None
        at = deadline(episode, self._judge)
        self._deadlines.pop(episode.id, None)
        if at is not None:
            self._deadlines[episode.id] = at

    def _end(self, episode: Episode) -> None:
        self._memory.raised.settle(episode.id)
        del self._memory.episodes[episode.id]
        self._deadlines.pop(episode.id, None)
        for model in episode.models:
            beside = self._homes.get((episode.topic_id, model), {})
            beside.pop(episode.id, None)
            if not beside:
                self._homes.pop((episode.topic_id, model), None)
        if episode.sequence and episode.incident is not None:
            self._memory.end(episode.key, episode.incident)
        self._changed = True

    def _due(self, now: int) -> list[object]:
        """Bring about all that was due before `now`, in the order of the deadlines."""
        events: list[object] = []
        while True:
            resolved = min(((at, incident) for incident, at in self._memory.resolved.items()), default=(now, ""))
            name = min(self._deadlines, key=lambda name: (self._deadlines[name], name), default="")
            at = self._deadlines.get(name, now)
            if min(resolved[0], at) >= now:
                return events
            if resolved[0] < at:
                del self._memory.resolved[resolved[1]]
                self._memory.seen = max(self._memory.seen, resolved[0])
                self.resolve(resolved[1])
            else:
                events += self._fire(self._memory.episodes[name], at)
            self._changed = True

    def _fire(self, episode: Episode, at: int) -> list[object]:
        if episode.incident is not None and not episode.sequence:
            after, opened = episodes.opened(episode, self._judge, self._memory.monitored, self._memory.ended)
            self._keep(after)
            return [opened]
        if episode.pending and episode.reported_at + self._grow_every <= at:
            after, grown = episodes.grew(episode, conclude(episode, self._judge, self._memory.monitored), at)
            self._keep(after)
            return [grown]
        assert is_over(episode, self._judge, at)
        self._end(episode)
        return [episodes.quieted(episode, at)] if episode.sequence else []


def _ids(signals: tuple[SignalRaised, ...]) -> list[str]:
    return [signal.id for signal in signals]


def _check(said: Said) -> None:
    """Refuse names that no monitor has: what is remembered must stay small, and what is told must fit the ledger."""
    texts = [(field.name, value) for field in fields(said) if isinstance(value := getattr(said, field.name), str)]
    if isinstance(said, MonitorObserved):
        texts += [("instance", name) for name in said.instances]
    for name, text in texts:
        if len(text) > _LONG.get(name, MAX_TEXT):
            raise SchemaError(f"{name} in {type(said).__name__} has more than {_LONG.get(name, MAX_TEXT)} characters")
