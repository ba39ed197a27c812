"""Where scenes are played, and who speaks there: a stack of the drills' own, or a pipeline that runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agents.drills.played import Done
from agents.ledger.case import Case
from agents.ledger.fold import Verified
from schemas.drills import Scenario, Step
from streams.drills.world import World
from streams.settings import Settings
from streams.view.asking import OpenLedger


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A step that is a person's, and what it is about.

    since
        When it could first be said (ms by the drill's clock).
    cases
        Those of the scene, in the order in which they opened.
    """

    scene: str
    step: Step
    since: int
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke:
    """What a person said.

    done
        When, and how it was taken; None where nobody has said it and nobody will.
    told
        A sentence on why it was refused, or on nobody having said it; empty where there is nothing to add.
    """

    done: Done | None
    told: str = ""


class Place(Protocol):
    """Where scenes are played.

    signals_from
        Offset of the topic of signals from which on they are the drills'.
    pipeline
        Name of the running pipeline's ledger; empty where the drills have a stack of their own.
    dropped
        What is not played here, by scene.
    """

    settings: Settings
    scenarios: Mapping[str, Scenario]
    world: World
    signals_from: int
    pipeline: str
    dropped: Mapping[str, tuple[str, ...]]

    def ledger(self) -> OpenLedger:
        """Return the ledger, to be read and asked; whoever asked for it leaves it."""
        ...

    def keep(self) -> None:
        """Start again what has ended, where that is ours to do."""
        ...

    def names(self, scene: str) -> Mapping[str, str]:
        """Return the person behind each principal."""
        ...

    def counts(self, scene: str, found: Verified) -> bool:
        """Whether an entry is the scene's although it speaks of none of its incidents."""
        ...

    def call(self, ledger: OpenLedger, scene: str) -> None:
        """Let the scene's people be paged."""
        ...

    def speak(self, ledger: OpenLedger, turn: Turn) -> Spoke | None:
        """Return what came of a person's step; None while it is waited for."""
        ...

    def run_clock(self, rate: float, until: int | None) -> None:
        """Let the clock run so fast, up to one of its times at most."""
        ...
