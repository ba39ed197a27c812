"""What triage judges by: the policy in force, and what the systems document says of each model."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from agents.triage import silence
from schemas.case.silences import SilenceAdded
from schemas.policy import TriagePolicy
from schemas.signals import SignalRaised
from schemas.systems import Model, Systems
from schemas.values import Role


@dataclass(frozen=True)
class Judge:
    """The policy's digest, its part on triage, systems, silences and merges; replaced as a whole."""

    digest: str
    policy: TriagePolicy
    systems: Systems
    silences: tuple[SilenceAdded, ...] = ()
    merged: Mapping[str, str] = field(default_factory=dict)

    def into(self, incident: str) -> str:
        """Return the incident that people merged this one into, at the end of a chain; itself where they did not."""
        seen = {incident}
        while (following := self.merged.get(incident)) is not None and following not in seen:
            seen.add(following)
            incident = following
        return incident

    def silent_until(self, signal: SignalRaised, at: int) -> int | None:
        """Return until when (ms) a silence keeps a signal from opening an incident at `at`; None where none does."""
        return silence.until(silence.facts_of(signal, self.systems), self.silences, at)

    def system_of(self, model: str) -> str:
        """Return the name of the system that declares a model; an undeclared model is a system of its own."""
        found = self.systems.find(model)
        return found[0] if found else f"undeclared/{model}"

    def owner_of(self, model: str) -> Role:
        """Return the role that owns a model's incidents."""
        found = self.systems.find(model)
        return found[1].owner if found else Role.ML_MANAGER

    def apart(self, model: str, others: Iterable[str]) -> bool:
        """Whether a model is a drill's and any of the others is real, or the reverse: they share no fault."""
        drill = self.systems.is_drills(model)
        return any(self.systems.is_drills(other) is not drill for other in others)

    def declared(self, model: str) -> Model | None:
        """Return what the systems document says of a model."""
        found = self.systems.find(model)
        return found[2] if found else None

    def fallback_of(self, model: str) -> str:
        """Return what does a model's work while it is out of service, or its vendor's word."""
        found = self.systems.find(model)
        if found is None:
            return ""
        return found[2].fallback or (found[1].vendor.fallback if found[1].vendor else "")

    def joined(self, model: str) -> tuple[str, ...]:
        """Return the models that the dependency map joins with this one, itself among them, by name."""
        return self._joined.get(model, (model,))

    def downstream(self, model: str) -> Mapping[str, int]:
        """Return how many steps downstream of a model each model is that its output reaches, itself at 0."""
        steps, waiting = {model: 0}, deque([model])
        while waiting:
            known = waiting.popleft()
            for reader in self._readers.get(known, ()):
                if reader not in steps:
                    steps[reader] = steps[known] + 1
                    waiting.append(reader)
        return steps

    @cached_property
    def depths(self) -> Mapping[str, int]:
        """How far downstream each declared model is: 0 for one that reads no other's output."""
        left = {model: set(upstream) for model, upstream in self._upstream.items()}
        depths: dict[str, int] = {}
        level = 0
        while left:
            # Models that depend on each other in a circle have no first; they are taken together.
            ready = [model for model, upstream in left.items() if not upstream & left.keys()] or list(left)
            for model in ready:
                depths[model] = level
                del left[model]
            level += 1
        return depths

    @cached_property
    def _upstream(self) -> dict[str, tuple[str, ...]]:
        return {
            model: declared.depends_on
            for system in self.systems.systems.values()
            for model, declared in system.models.items()
        }

    @cached_property
    def _readers(self) -> dict[str, list[str]]:
        readers: dict[str, list[str]] = {}
        for model, upstream in self._upstream.items():
            for other in upstream:
                readers.setdefault(other, []).append(model)
        return readers

    @cached_property
    def _joined(self) -> dict[str, tuple[str, ...]]:
        beside: dict[str, set[str]] = {model: set(upstream) for model, upstream in self._upstream.items()}
        for model, upstream in self._upstream.items():
            for other in upstream:
                beside[other].add(model)
        joined: dict[str, tuple[str, ...]] = {}
        for model in beside:
            if model not in joined:
                reached = _reach(model, beside)
                joined.update(dict.fromkeys(reached, reached))
        return joined


def _reach(start: str, beside: dict[str, set[str]]) -> tuple[str, ...]:
    reached, waiting = {start}, deque([start])
    while waiting:
        new = beside[waiting.popleft()] - reached
        reached |= new
        waiting.extend(new)
    return tuple(sorted(reached))
