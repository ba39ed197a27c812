"""Everything on one machine: a broker, a ledger, and each role in a process of its own, started again when it ends."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from agents.ledger.fold import Trust
from schemas.errors import HeadgateError
from streams.ledger.genesis import adopt, begin
from streams.ledger.keyring import load, read_trust, trust_path
from streams.local.broker import Broker
from streams.local.child import Child
from streams.settings import DEPLOY, Settings

CORE = (
    "registrar",
    "detect",
    "triage",
    "remediation",
    "approval,recovery,evidence,output_audit,lineage,reviews,clocks,projector",
)
ROLES = (*CORE, "intake", "archive", "probe", "paging")
_AGAIN_AFTER = 1.0
_GIVE_UP_AFTER = 10


@dataclass(slots=True)
class _Process:
    roles: str
    child: Child
    started: float
    failures: int = 0


@dataclass(slots=True)
class Stack:
    """The running roles; a context manager that stops them in the end, and the broker if it started one.

    Parameters
    ----------
    settings
        Where it runs.
    environ
        What the roles get in their environment beside ours.
    report
        Gets a line for each step.
    """

    settings: Settings
    environ: Mapping[str, str] = field(default_factory=dict)
    report: Callable[[str], None] = lambda _: None
    broker: Broker | None = None
    _running: list[_Process] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            process.child.process.terminate()
        for process in reversed(self._running):
            process.child.stop()
        if self.broker is not None:
            self.broker.stop()

    def start_broker(self) -> None:
        """Start Kafka, unless the settings name one."""
        if self.settings.bootstrap_servers is None:
            self.broker = Broker(self.settings.broker_directory, None, self.settings.cache, self.report)
            self.broker.start()

    def begin_ledger(self) -> Trust:
        """Begin the ledger, or go on with the one whose trust file is here."""
        if trust_path(self.settings).exists():
            return read_trust(trust_path(self.settings))
        return begin(self.settings)

    def adopt(self, trust: Trust, policy: Path | None = None, systems: Path | None = None) -> None:
        """Ask that the documents be adopted; those of deploy/ where none is named."""
        admin = load(self.settings.keys_directory, "admin")
        adopt(self.settings, trust, admin, policy or DEPLOY / "policy.toml", systems or DEPLOY / "systems.toml")

    def start_roles(self, roles: Iterable[str] = ROLES) -> None:
        """Start each in its process; its log is var/log/<role>.log."""
        for names in roles:
            self._running.append(_Process(names, self._start(names), time.monotonic()))

    def keep(self) -> None:
        """Start again what has ended; HeadgateError where a role ends again and again."""
        for process in self._running:
            if process.child.alive() or time.monotonic() - process.started < _AGAIN_AFTER:
                continue
            process.failures = process.failures + 1 if time.monotonic() - process.started < 10 else 1
            if process.failures > _GIVE_UP_AFTER:
                raise HeadgateError(f"{process.roles} ends again and again; its log is {self.log_of(process.roles)}")
            self.report(f"{process.roles} ended (status {process.child.process.returncode}); it is started again")
            process.child.stop()
            process.child, process.started = self._start(process.roles), time.monotonic()

    def child(self, roles: str) -> Child:
        """Return the process that runs these roles."""
        return next(process.child for process in self._running if process.roles == roles)

    def log_of(self, roles: str) -> Path:
        """Return where a role's log is."""
        return self.settings.var / "log" / f"{_first(roles)}.log"

    def _start(self, roles: str) -> Child:
        log = self.log_of(roles)
        log.parent.mkdir(parents=True, exist_ok=True)
        environ = {
            **os.environ,
            "HEADGATE_VAR": str(self.settings.var.absolute()),
            "HEADGATE_BOOTSTRAP_SERVERS": self.settings.brokers,
            "HEADGATE_LEDGER": self.settings.ledger,
            **self.environ,
        }
        instance = f"{_first(roles)}-1"
        command = [sys.executable, "-m", "streams", "run", roles, "--instance", instance]
        return Child(command, log, environ)


def _first(roles: str) -> str:
    return roles.partition(",")[0]
