"""Where drills are played: a stack of their own, with a ledger, a clock and people that nothing else shares."""

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import tomlkit

from agents.drills.played import Done
from agents.drills.saying import Spoken, said
from agents.ledger.fold import Verified
from schemas import systems
from schemas.commands import AdoptPolicy, AdoptSystems
from schemas.documents import MAX_DOCUMENT_BYTES, digest
from schemas.drills import Scenario
from schemas.errors import HeadgateError, PolicyError
from schemas.oncall import AdoptOnCall
from streams import clock
from streams.clock import DRILL, ClockFile, machine_seconds, now_ms
from streams.drills.people import Cast, cast, on_call
from streams.drills.place import Spoke, Turn
from streams.drills.world import World
from streams.ledger.genesis import ask, key_of, read_document
from streams.local.stack import Stack
from streams.settings import DEPLOY, Settings
from streams.view.asking import OpenLedger

_FIRST = ("registrar", "detect", "triage")
_THEN = (
    "remediation",
    "approval,recovery,evidence,output_audit,lineage,reviews,clocks,paging,projector",
)
_WITHIN = 60.0
_KEPT = ("log", "reports", "ledger", "trust.json")


def own(settings: Settings, now: float | None = None) -> Settings:
    """Return settings for drills of their own: a ledger named by the second, below var/drills, and a clock file."""
    name = f"{DRILL}{int(machine_seconds() if now is None else now)}"
    directory = (settings.var / "drills" / name).absolute()
    return settings.model_copy(
        update={"var": directory, "ledger": name, "archive": None, "receivers": None, "clock": directory / "clock.json"}
    )


def require_apart(scenarios: Mapping[str, Scenario]) -> None:
    """Raise PolicyError where two scenarios declare the same system or model, so that they cannot share a stack."""
    owner: dict[str, str] = {}
    for name, scenario in scenarios.items():
        for what in (*scenario.systems, *scenario.served):
            other = owner.setdefault(what, name)
            if other != name:
                raise PolicyError(f"{other} and {name} both declare {what}; play them in two runs, or rename one")


class Cluster:
    """The running stack of a run of drills; a context manager that starts it, and stops it in the end.

    Parameters
    ----------
    settings
        The drills' own, as `own` returns them; their ledger is new.
    scenarios
        The drills to be played, by name.
    report
        Gets a line for each step.
    """

    def __init__(
        self, settings: Settings, scenarios: Mapping[str, Scenario], report: Callable[[str], None] = lambda _: None
    ) -> None:
        require_apart(scenarios)
        self.settings = settings
        self.scenarios = scenarios
        self.casts: dict[str, Cast] = {}
        self.signals_from = 0
        self.pipeline = ""
        self.dropped: Mapping[str, tuple[str, ...]] = {}
        self._report = report
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.settings.var.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            opened.callback(_tidy, self.settings.var)
            self._begin(opened)
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def keep(self) -> None:
        """Start again what has ended; HeadgateError where a role ends again and again."""
        self.stack.keep()

    def ledger(self) -> OpenLedger:
        """Return the ledger, to be read and asked."""
        return OpenLedger(self.settings, self.trust)

    def names(self, scene: str) -> Mapping[str, str]:
        """Return the person behind each principal of a scene."""
        return self.casts[scene].names

    def counts(self, scene: str, found: Verified) -> bool:
        """Whether one of the scene's people asked for it."""
        return found.asked is not None and found.asked.principal in self.casts[scene].names

    def call(self, ledger: OpenLedger, scene: str) -> None:
        """Adopt the scene's on-call document."""
        document = on_call(self.scenarios[scene], self.casts[scene])
        verdict = ledger.ask(key_of(self.settings, "admin"), AdoptOnCall(document=document))
        if verdict.refusal is not None and verdict.refusal.reason != "in_force":
            raise HeadgateError(f"the on-call document of {scene} was refused: {verdict.refusal.detail}")

    def speak(self, ledger: OpenLedger, turn: Turn) -> Spoke:
        """Sign what a person says, ask it, and return how it was taken."""
        players, step = self.casts[turn.scene], turn.step
        silences = tuple(ledger.state.control.desk.silences)
        silence = silences[-1] if silences else ""
        spoken = Spoken(now=now_ms(), principals=players.principals, cases=turn.cases, silence=silence)
        refusal = ledger.ask(players.identities[str(step.by)], said(step, spoken)).refusal
        if refusal is None:
            return Spoke(done=Done(step=step.name, at=now_ms()))
        told = f"{step.by}: {step.says} is refused ({refusal.reason}): {refusal.detail}"
        return Spoke(done=Done(step=step.name, at=now_ms(), refused=refusal.reason), told=told)

    def run_clock(self, rate: float, until: int | None) -> None:
        """Let the drills' clock run so fast, up to one of its times at most."""
        self.clock.run(rate, until)

    def _begin(self, opened: ExitStack) -> None:
        self.stack = opened.enter_context(Stack(self.settings, report=self._report))
        self.stack.start_broker()
        self._report(f"Kafka runs on {self.settings.brokers}")
        self.clock = ClockFile(self.settings.clock or self.settings.var / "clock.json")
        self.clock.begin()
        opened.callback(clock.install, self.settings.model_copy(update={"clock": None}))
        clock.install(self.settings)
        self.trust = self.stack.begin_ledger()
        self._report(f"ledger {self.settings.ledger} begun; its clock runs as fast as life")
        self.stack.environ = {"HEADGATE_CLOCK": str(self.clock.path), "HEADGATE_ARCHIVE": "", "HEADGATE_RECEIVERS": ""}
        self.stack.start_roles(_FIRST)
        self.world = opened.enter_context(World(self.settings, self.settings.var / "world", self.scenarios))
        self.world.serve()
        self._report(f"{_counted(self.scenarios)} served behind Envoy, their versions in MLflow")
        self.stack.environ = {**self.stack.environ, **self.world.environ}
        self.stack.start_roles((*_THEN, *(("probe",) if self.world.probes else ())))
        self._declare()
        self._report("policy and systems are adopted, and everybody is enrolled with a key of their own")

    def _declare(self) -> None:
        """Adopt the policy and all systems, enrol everybody, and wait until that is so."""
        document, policy = self._systems(), read_document(DEPLOY / "policy.toml")
        bodies: list[object] = [AdoptPolicy(document=policy), AdoptSystems(document=document)]
        for name, scenario in self.scenarios.items():
            self.casts[name], enrolments = cast(self.settings, name, scenario)
            bodies += enrolments
        ask(self.settings, self.trust, key_of(self.settings, "admin"), bodies)
        principals = {one for each in self.casts.values() for one in each.names}
        deadline = time.monotonic() + _WITHIN
        with self.ledger() as ledger:
            while True:
                control = ledger.state.control
                enrolled = principals <= control.roles.keys() and control.policy_digest == digest(policy)
                if enrolled and control.systems_digest == digest(document):
                    return
                if time.monotonic() > deadline:
                    raise HeadgateError(
                        f"the registrar did not take the drills' documents; its log is in {self.settings.var}/log"
                    )
                ledger.poll(0.1)
                self.keep()

    def _systems(self) -> bytes:
        """Return the systems of all scenarios as one document; PolicyError where they are too many."""
        made: dict[str, object] = {}
        for scenario in self.scenarios.values():
            for name, system in scenario.systems.items():
                made[name] = self.world.probed(system).model_dump(mode="json", exclude_defaults=True)
        document = tomlkit.dumps({"version": 1, "systems": made}).encode()
        if len(document) > MAX_DOCUMENT_BYTES:
            raise PolicyError(f"{len(self.scenarios)} drills are too many for one stack; play them in several runs")
        systems.read(document, "the drills' systems")
        return document


def _counted(scenarios: Mapping[str, Scenario]) -> str:
    models = sum(len(scenario.served) for scenario in scenarios.values())
    return "one model is" if models == 1 else f"{models} models are"


def _tidy(directory: Path) -> None:
    """Remove what a run needs no more: Kafka's data, keys and state."""
    for path in directory.iterdir() if directory.is_dir() else ():
        if path.name in _KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
