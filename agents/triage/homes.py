"""Which episodes there are of a model, by the telemetry topic that their signals come from."""

from collections.abc import Iterable
from itertools import product

from agents.triage.episode import Episode

NO_TOPIC = ""
"""In place of the telemetry topic's id in an episode that a person's report began: signals of any topic explain it."""


class Homes:
    """An index of episodes by topic and model, in the order in which they came."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], dict[str, None]] = {}

    def add(self, episode: Episode) -> None:
        """Find the episode by each of its models from now on."""
        for model in episode.models:
            self._names.setdefault((episode.topic_id, model), {})[episode.id] = None

    def drop(self, episode: Episode) -> None:
        """Find it no longer."""
        for model in episode.models:
            beside = self._names.get((episode.topic_id, model), {})
            beside.pop(episode.id, None)
            if not beside:
                self._names.pop((episode.topic_id, model), None)

    def of(self, topic_id: str, models: Iterable[str]) -> list[str]:
        """Return the ids of the episodes of any of these models, of this topic or of none."""
        places = product((topic_id, NO_TOPIC), models)
        return list({name: None for place in places for name in self._names.get(place, ())})
