"""Triage: signals in, incidents out; one fault, one incident, however many signals it has."""

from dataclasses import replace

from agents.received import Received
from agents.triage import announce
from agents.triage import episode as episodes
from agents.triage.episode import Episode, attach, conclude, deadline, is_old, is_over, nearness, only_reported, widens
from agents.triage.homes import NO_TOPIC, Homes
from agents.triage.judge import Judge
from agents.triage.kinship import alike, home
from agents.triage.remembered import Memory
from agents.triage.reports import UNKNOWN
from agents.triage.said import Said, read
from agents.triage.settled import late
from schemas.errors import SchemaError
from schemas.signals import MonitorObserved, SignalCleared, SignalRaised

UNIT = "triage"
"""The one unit of state: all episodes of the signals topic."""
MAX_EPISODES = 500
MAX_INSTANCES = 256
_LATEST = 250_000_000_000_000


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
        self._homes = Homes()
        self._deadlines: dict[str, int] = {}
        self._changed = False

    def adopt(self, judge: Judge) -> None:
        """Judge by this from here on; an episode keeps its models, and what a silence held back is looked at again."""
        again = judge.silences != self._judge.silences
        self._judge = judge
        for episode in list(self._memory.episodes.values()):
            held = min(episode.silent_until, self._memory.seen) if again else episode.silent_until
            self._keep(replace(episode, silent_until=held))

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
        return any(at < now_ms for at in (*self._deadlines.values(), *(one.at for one in self._memory.waiting)))

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
        known = {one.incident: one for one in self._memory.episodes.values() if one.sequence}
        episode, into = known.get(incident), known.get(self._judge.into(incident))
        if episode is not None and into is not None and into is not episode:
            self._merge(episode, into)
        elif episode is not None:
            self._memory.settle(episode, self._memory.seen)
            self._end(episode)

    def report(self, signal: SignalRaised, at: int) -> None:
        """Hear a person's report, which the ledger holds at the offset in its source, and decided at `at` (ms).

        It joins the incident under way that it belongs to, or opens one; `step` or `tick` tells so. Heard again it
        changes nothing.
        """
        self._memory.hear(signal, min(max(at, 0), _LATEST))
        self._changed = True

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
        self._homes = Homes()
        self._deadlines.clear()
        self._changed = False

    def _open(self, record: Received) -> Said:
        # The loop asks for the unit and then for the step: the same value is decoded once.
        if self._opened[0] is not record.value or self._opened[1] is None:
            self._opened = (record.value, read(record.value))
        assert self._opened[1] is not None
        return self._opened[1]

    def _raise(self, signal: SignalRaised, at: int) -> list[object]:
        if self._memory.raised.repeats(signal):
            return []
        before = self._memory.episodes.get(self._memory.raised.episode_of(signal)) or self._home(signal, at)
        if before is None:
            self._memory.raised.lift(signal, "")
            return []
        abandoned = self._memory.raised.lift(signal, before.id)
        episode = attach(before, signal, at, self._judge)
        self._keep(episode)
        if abandoned:
            self._rest(abandoned, at)
        return self._told(before, episode, signal, at)

    def _take_up(self, report: SignalRaised, at: int) -> list[object]:
        """Let a person's report join the newest incident of its model, or another episode of it, or begin one."""
        only = self._memory.version_of(report.model)
        signal = replace(report, version=only) if only and report.version == UNKNOWN else report
        every = alike(self._memory.episodes.values(), signal.model, self._judge)
        known = [one for one in every if signal.model in one.models]
        own = Episode(id=signal.id, topic_id=NO_TOPIC, models=self._judge.joined(signal.model))
        before = max(known, key=lambda one: nearness(one, signal), default=own)
        if before is own:
            self._make_room()
        episode = attach(before, signal, at, self._judge)
        self._keep(episode)
        return self._told(before, episode, signal, at)

    def _told(self, before: Episode, episode: Episode, signal: SignalRaised, at: int) -> list[object]:
        """Return the growth of an incident that is told already: now where its scope grew, or else in its time."""
        if not episode.sequence:
            return []
        changed = episodes.cited(episode) != episodes.cited(before)
        due = (changed or episode.pending) and at >= episode.reported_at + self._grow_every
        if due or widens(episode, signal, self._judge):
            found = conclude(episode, self._judge, self._memory.monitored)
            wider = (found.cause.category.value, found.affected) != (episode.attributed, episode.affected)
            if due or wider or only_reported([signal]):
                after, event = announce.grew(episode, found, at)
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

    def _merge(self, episode: Episode, into: Episode) -> None:
        """Let two episodes that people said are one fault be one: what is raised of either belongs to one incident."""
        self._memory.raised.move(episode.id, into.id)
        self._end(episode)
        self._keep(episodes.absorbed(into, episode, self._memory.seen, self._judge))
        if not self._memory.raised.any_of(into.id):
            self._rest(into.id, self._memory.seen)

    def _home(self, signal: SignalRaised, at: int) -> Episode | None:
        """Return the episode under way of the signal's fault, or a new one; None where its fault is resolved."""
        topic_id, joined = signal.source.topic_id, self._judge.joined(signal.model)
        names = self._homes.of(topic_id, (signal.model, *joined))
        known = alike((self._memory.episodes[name] for name in names), signal.model, self._judge)
        # What people reported, and nothing has explained yet, is what is now seen.
        reported = (one for one in known if only_reported(one.signals))
        found = home(signal, known, self._judge, self._memory.raised.episode_of) or next(reported, None)
        if found is not None and is_old(found, self._judge, at):
            self._end(found)  # its case goes on without it; what is raised now recurs
        elif found is not None:
            return replace(found, models=tuple(dict.fromkeys((*found.models, signal.model))))
        elif late(signal, self._memory.settled, self._judge):
            return None
        self._make_room()
        return Episode(id=signal.id, topic_id=topic_id, models=joined)

    def _make_room(self) -> None:
        if len(self._memory.episodes) >= MAX_EPISODES:
            known = self._memory.episodes.values()
            # A candidate goes first; of those none that a silence holds back.
            self._end(min(known, key=lambda one: (one.incident is not None, one.silent_until > 0)))

    @property
    def _grow_every(self) -> int:
        return self._judge.policy.grow_every_seconds * 1000

    def _keep(self, episode: Episode) -> None:
        self._memory.episodes[episode.id] = episode
        self._homes.add(episode)
        at = deadline(episode, self._judge)
        self._deadlines.pop(episode.id, None)
        if at is not None:
            self._deadlines[episode.id] = at

    def _end(self, episode: Episode) -> None:
        self._memory.raised.settle(episode.id)
        del self._memory.episodes[episode.id]
        self._deadlines.pop(episode.id, None)
        self._homes.drop(episode)
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
            said = min(self._memory.waiting, key=lambda report: report.at, default=None)
            heard = now if said is None else said.at
            if min(resolved[0], at, heard) >= now:
                return events
            if said is not None and heard <= min(resolved[0], at):
                self._memory.waiting.remove(said)
                self._memory.seen = max(self._memory.seen, heard)
                events += self._take_up(said.signal, heard)
            elif resolved[0] < at:
                del self._memory.resolved[resolved[1]]
                self._memory.seen = max(self._memory.seen, resolved[0])
                self.resolve(resolved[1])
            else:
                events += self._fire(self._memory.episodes[name], at)
            self._changed = True

    def _fire(self, episode: Episode, at: int) -> list[object]:
        if episode.incident is not None and not episode.sequence:
            after, opened = announce.opened(episode, self._judge, self._memory.monitored, self._memory.ended)
            self._keep(after)
            return [opened]
        if episode.incident is None and 0 < episode.silent_until <= at:
            stands = self._memory.raised.episode_of
            self._keep(episodes.released(episode, at, self._judge, lambda signal: stands(signal) == episode.id))
            return []
        if episode.pending and episode.reported_at + self._grow_every <= at:
            after, grown = announce.grew(episode, conclude(episode, self._judge, self._memory.monitored), at)
            self._keep(after)
            return [grown]
        assert is_over(episode, self._judge, at)
        self._end(episode)
        return [announce.quieted(episode, at)] if episode.sequence else []
