"""Drills on the pipeline that runs for these settings: in real time, with people who are real. Only where told to."""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from confluent_kafka import OFFSET_END

from agents.drills.here import fitted, untargeted
from agents.drills.played import Done
from agents.drills.saying import case_of, speaks_of
from agents.ledger.case import Case
from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from schemas.commands import AdoptSystems
from schemas.documents import digest
from schemas.drills import Scenario
from schemas.errors import BrokerError, HeadgateError, KeyRefusedError
from schemas.events import Refused, SystemsAdopted
from streams.clock import machine_seconds
from streams.drills.cluster import require_apart
from streams.drills.declared import joined, parted
from streams.drills.place import Spoke, Turn
from streams.drills.world import World
from streams.ledger.keyring import Identity, read_trust, trust_path
from streams.settings import Settings
from streams.view.asking import OpenLedger, registrar_runs
from streams.view.signing_in import names_of, sign_in

PATIENCE = 600.0
"""Seconds for which people are waited for."""
_SETTLE = 4.0
_SAME = {"Acknowledge": frozenset({"Acknowledge", "AcknowledgePage"})}


def runs(settings: Settings) -> bool:
    """Whether a pipeline runs for these settings: a ledger that this machine trusts, and a registrar."""
    try:
        return trust_path(settings).exists() and registrar_runs(settings)
    except BrokerError:
        return False


def directory_of(settings: Settings) -> Path:
    """Return a directory below var/drills for a run that begins now."""
    return (settings.var / "drills" / f"here-{int(machine_seconds())}").absolute()


def administrator(settings: Settings) -> Identity:
    """Return the administrator's key of this machine; HeadgateError says what can be done where there is none."""
    if not trust_path(settings).exists():
        raise HeadgateError(
            f"no pipeline runs for these settings: {settings.var} has no trust file; `headgate up --bare` starts one, "
            "or leave --here out: then the drill has a stack of its own"
        )
    if not (settings.keys_directory / "admin.pem").exists():
        raise KeyRefusedError(
            f"a drill's systems are declared with the key admin, which is not in {settings.keys_directory}; play it "
            "where that key is, or leave --here out: then the drill has a stack of its own"
        )
    return sign_in(settings, "admin")


class Here:
    """The running pipeline, and the drills' models beside it; a context manager that leaves it as it was.

    Parameters
    ----------
    settings
        The pipeline's.
    directory
        Where the drills keep their files.
    admin
        The key that declares the drills' systems, and takes them out again.
    patience
        Seconds for which people are waited for at each step.
    """

    def __init__(
        self,
        settings: Settings,
        scenarios: Mapping[str, Scenario],
        directory: Path,
        admin: Identity,
        report: Callable[[str], None] = lambda _: None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        require_apart(scenarios)
        self.settings = settings
        self.signals_from = OFFSET_END
        self.pipeline = settings.ledger
        self.trust = read_trust(trust_path(settings))
        self._directory = directory
        self._admin = admin
        self._report = report
        self._patience = patience
        self._open = ExitStack()
        self._asked: dict[str, float] = {}
        self._used: dict[str, set[int]] = {name: set() for name in scenarios}
        self._adopted = b""
        with self.ledger() as ledger:
            self._require_it_runs(ledger)
            in_force = _document(ledger)
            control = ledger.state.control
            self._known = frozenset(ledger.state.cases)
            on_call = control.oncalls.get(control.oncall_digest)
            policies = [policy.name for policy in on_call.policies] if on_call else []
            found = {name: fitted(scenario, policies) for name, scenario in scenarios.items()}
            self._scene_systems = {
                name: system for one in found.values() for name, system in one.scenario.systems.items()
            }
            joined(in_force, self._scene_systems)
            self._was = parted(in_force, self._scene_systems)
            self._require_nothing_open(ledger.state)
        self.scenarios: Mapping[str, Scenario] = {name: one.scenario for name, one in found.items()}
        self.dropped: Mapping[str, tuple[str, ...]] = {name: one.dropped for name, one in found.items()}
        self.world = World(settings, directory / "world", self.scenarios)

    def __enter__(self) -> Self:
        for name, dropped in self.dropped.items():
            if dropped:
                self._report(f"{name}: not played here, and not judged: {', '.join(dropped)}")
        with ExitStack() as opened:
            opened.callback(self._leave)
            opened.enter_context(self.world)
            self.world.serve()
            added = {name: self.world.probed(system) for name, system in self._scene_systems.items()}
            with self.ledger() as ledger:
                self._adopt(ledger, joined(_document(ledger), added))
            self._report(
                f"the drill's models are served, and declared in the ledger {self.pipeline} as a drill's and without "
                "targets: its remediation does not reach their gateway, so no plan is made"
            )
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def ledger(self) -> OpenLedger:
        """Return the ledger, to be read and asked."""
        self._ledger = OpenLedger(self.settings, self.trust)
        return self._ledger

    def keep(self) -> None:
        """Start nothing: the pipeline is not ours."""

    def names(self, scene: str) -> Mapping[str, str]:
        """Return what people are called on this machine; the principal of whoever it does not know."""
        del scene
        known, roles = names_of(self.settings), self._ledger.state.control.roles
        return {who: known.get(who, who) for who, held in roles.items() if not all(role.service for role in held)}

    def counts(self, scene: str, found: Verified) -> bool:
        """Whether an entry was taken for a step of the scene."""
        return found.index in self._used[scene]

    def call(self, ledger: OpenLedger, scene: str) -> None:
        """Leave people on call as they are."""

    def run_clock(self, rate: float, until: int | None) -> None:
        """Leave the clock as it is: life's."""

    def speak(self, ledger: OpenLedger, turn: Turn) -> Spoke | None:
        """Wait for whoever may say it to say what a step says, and say once that this is waited for."""
        step = turn.step
        key = f"{turn.scene}.{step.name}"
        if key not in self._asked:
            self._asked[key] = time.monotonic()
            about = case_of(step, turn.cases) if speaks_of(step) else None
            on = f" (`headgate incidents show {about.incident}` says how)" if about is not None else ""
            roles = " or ".join(role.value for role in self.scenarios[turn.scene].people[str(step.by)].roles)
            self._report(f"waiting for a person, {roles} for instance, to say {step.says}{on}: {step.name}")
        found = self._found(ledger, turn)
        if found is not None and found.entry is not None:
            self._used[turn.scene].add(found.index)
            return Spoke(done=Done(step=step.name, at=found.entry.at))
        if time.monotonic() - self._asked[key] > self._patience:
            return Spoke(done=None, told=f"nobody said {step.says} within {self._patience:.0f} s: {step.name} is left")
        return None

    def _found(self, ledger: OpenLedger, turn: Turn) -> Verified | None:
        """Return the first entry that says what the step says, and was taken for no other step."""
        step, wanted = turn.step, _SAME.get(turn.step.says, frozenset({turn.step.says}))
        case = case_of(step, turn.cases) if speaks_of(step) else None
        first = None
        for found in reversed(ledger.entries):
            if found.entry is None or found.asked is None or found.entry.at < turn.since:
                break
            refused = bool(found.events) and isinstance(found.events[0], Refused)
            if found.asked.kind not in wanted or refused or self.counts(turn.scene, found):
                continue
            if case is None:
                mine = getattr(found.asked.body, "model", None) == step.fields.get("model")
            else:
                mine = found.asked.incident == case.incident
            first = found if mine else first
        return first

    def _require_it_runs(self, ledger: OpenLedger) -> None:
        control = ledger.state.control
        if not control.policy_digest or not control.systems_digest:
            raise HeadgateError(
                f"the ledger {self.pipeline} has adopted no {'systems' if control.policy_digest else 'policy'}; "
                f"`headgate {'systems' if control.policy_digest else 'policy'} adopt FILE` does"
            )
        if not registrar_runs(self.settings):
            raise HeadgateError(
                f"no registrar runs for the ledger {self.pipeline}, so nothing would be decided; start one, or leave "
                "--here out: then the drill has a stack of its own"
            )

    def _require_nothing_open(self, state: LedgerState) -> None:
        for case in _open(state, self._scene_systems, frozenset()):
            raise HeadgateError(
                f"incident {case.incident} of an earlier drill of the system {case.system} is open; resolve or "
                f"dismiss it first: `headgate incidents show {case.incident}`"
            )

    def _adopt(self, ledger: OpenLedger, document: bytes) -> None:
        verdict = ledger.ask(self._admin, AdoptSystems(document=document))
        if verdict.refusal is not None and verdict.refusal.reason != "in_force":
            raise HeadgateError(f"the drill's systems were not adopted: {verdict.refusal.detail}")
        self._adopted = document

    def _leave(self) -> None:
        """Take the drills' systems out again, unless an incident of theirs is open."""
        for model in self.world.probes:
            (self.settings.probes_directory / f"{model}.json").unlink(missing_ok=True)
        if not self._adopted:
            return
        with self.ledger() as ledger:
            settled = time.monotonic() + _SETTLE  # what is on its way is still a drill's
            while time.monotonic() < settled:
                ledger.poll(0.1)
            now = _document(ledger)
            kept = [case.incident for case in _open(ledger.state, self._scene_systems, self._known)]
            if not kept:
                self._adopt(ledger, self._was if now == self._adopted else parted(now, self._scene_systems))
                self._report("the drill's systems are taken out again")
                return
            if self.world.probes:  # nobody answers them any more
                self._adopt(
                    ledger, joined(now, {n: untargeted(s, probed=False) for n, s in self._scene_systems.items()})
                )
        file = self._directory / "systems.toml"
        file.write_bytes(self._was if now == self._adopted else parted(now, self._scene_systems))
        self._report(
            f"incident {', '.join(kept)} is open, so the drill's systems stay declared; when it is over: "
            f"headgate systems adopt {file} --as {self._admin.name}"
        )


def _open(state: LedgerState, names: Collection[str], known: Collection[str]) -> list[Case]:
    return [
        case
        for incident in sorted(state.active)
        if (case := state.cases[incident]).system in names and incident not in known
    ]


def _document(ledger: OpenLedger) -> bytes:
    """Return the systems document in force, as it was adopted."""
    force = ledger.state.control.systems_digest
    return next(
        event.document
        for found in reversed(ledger.entries)
        for event in reversed(found.events)
        if isinstance(event, SystemsAdopted) and digest(event.document) == force
    )
