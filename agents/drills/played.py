"""What happened in a drill: moments by the drill's clock, each from an entry of the ledger or a step of the file."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.ledger.case import Case
from schemas.drills import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One event of an entry: `at` in milliseconds by the drill's clock; `by` is the principal who asked for it."""

    entry: int
    at: int
    incident: str
    by: str
    event: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step that was taken; `refused` is the word of the registrar's refusal, empty where there was none."""

    step: str
    at: int
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A drill from its first request to its end.

    pipeline, dropped
        The ledger of the running pipeline that it was played on, and what could not be played there; empty where it
        had a stack of its own.
    names
        The person behind each principal; whoever is missing is a service.
    faulty
        Whether its faults were let in; without them nothing must open.
    fault_at
        When the first of them began, by the drill's clock, or None.
    left
        Steps that were never due, because what they wait for did not come.
    """

    name: str
    scenario: Scenario
    faulty: bool
    begun_at: int
    ended_at: int
    fault_at: int | None
    rows: int
    cases: tuple[Case, ...]
    happened: tuple[Happened, ...]
    done: tuple[Done, ...]
    left: tuple[str, ...]
    names: Mapping[str, str]
    pipeline: str = ""
    dropped: tuple[str, ...] = ()
