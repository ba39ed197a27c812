"""What a run of drills sees meanwhile: entries of the ledger, what detectors found, and how much they have judged."""

from collections.abc import Collection

from confluent_kafka import Consumer, TopicPartition

from agents.ledger.fold import Verified
from schemas import events as e
from schemas.codec import open_frame
from schemas.oncall import OnCallAdopted
from schemas.signals import MonitorObserved, SignalCleared, SignalRaised
from schemas.topics import BY_NAME, full_name
from streams.demo.timeline import Timeline
from streams.drills.place import Place
from streams.kafka import Clients
from streams.view.incident_view import named
from streams.view.rendering import clean
from streams.view.sentences import sentence

_QUIET = (e.KeyEnrolled, e.RegistrarTookOver, e.PolicyAdopted, e.SystemsAdopted, OnCallAdopted)
_AT_ONCE = 1000
Key = tuple[str, str]
"""A model and a version of it."""


class Watch:
    """Follows a place's ledger and signals, and tells the timeline of those that speak of the scene."""

    def __init__(self, place: Place, timeline: Timeline) -> None:
        self.ledger = place.ledger()
        self.observed: dict[Key, MonitorObserved] = {}
        self.systems: Collection[str] = {name for one in place.scenarios.values() for name in one.systems}
        self.models: Collection[str] = {name for one in place.scenarios.values() for name in one.served}
        self._place = place
        self._timeline = timeline
        self._names = {who: name for scene in place.scenarios for who, name in place.names(scene).items()}
        self._told = len(self.ledger.entries)
        self._signals: Consumer = Clients(place.settings).reader(end_of_partition=False)
        self._signals.assign([TopicPartition(full_name(place.settings.ledger, "signals"), 0, place.signals_from)])

    def close(self) -> None:
        """Leave Kafka."""
        self._signals.close()
        self.ledger.__exit__()

    def listen(self, seconds: float) -> None:
        """Wait at most so long for entries, and take what else has come."""
        self.ledger.poll(seconds)
        for found in self.ledger.entries[self._told :]:
            self._tell(found)
        self._told = len(self.ledger.entries)
        for message in self._signals.consume(_AT_ONCE, 0):
            value = message.value()
            if message.error() is None and isinstance(value, bytes):
                self._hear(open_frame(value, BY_NAME["signals"].records))
        self._place.keep()

    def judged(self, model: str, version: str | None) -> int:
        """Return how many rows of a version were judged in a row with nothing raised; of any, where none is named."""
        found = [one.clear_rows for key, one in self.observed.items() if key[0] == model and version in {None, key[1]}]
        return max(found, default=0)

    def fresh(self, since: int, versions: Collection[tuple[str, str | None]]) -> float:
        """Return the share of versions of which a detector has spoken of rows that came after a time (ms)."""
        spoken = {key: one.at for key, one in self.observed.items() if one.at > since}
        known = [any(m == model and version in {None, v} for m, v in spoken) for model, version in versions]
        return sum(known) / len(known)

    def _tell(self, found: Verified) -> None:
        case = self.ledger.state.cases.get(found.asked.incident) if found.asked is not None else None
        for event in found.events:
            if isinstance(event, _QUIET) or (case is not None and case.system not in self.systems):
                continue
            self._timeline.say(f"entry {found.index}: {clean(named(sentence(event), self._names))}", "ledger")

    def _hear(self, heard: object) -> None:
        match heard:
            case MonitorObserved():
                self.observed[heard.model, heard.version] = heard
            case SignalRaised() if heard.model in self.models:
                self._timeline.signal(heard)
            case SignalCleared() if heard.model in self.models:
                self._timeline.cleared(heard)
