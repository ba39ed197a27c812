"""One machine's command line in this process, and the services whose part a test plays, on a real broker."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from click.testing import CliRunner

from agents.ledger.statement import signed_headers
from schemas.codec import frame
from schemas.commands import ProposePlan, RequestApproval, Step
from schemas.errors import HeadgateError
from schemas.topics import full_name
from streams.__main__ import headgate
from streams.kafka import AwaitedProducer, Clients
from streams.ledger.keyring import Identity, load, read_trust, trust_path
from streams.ledger.registrar import Registrar
from streams.settings import Settings
from streams.stop import Stop
from streams.view.asking import OpenLedger
from tests.play import AFTER, BEFORE, TARGET, incident_opened


class Desk:
    """One machine's command line, and the services whose part a test plays."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.environ = {
            "HEADGATE_BOOTSTRAP_SERVERS": str(settings.bootstrap_servers),
            "HEADGATE_LEDGER": settings.ledger,
            "HEADGATE_VAR": str(settings.var),
        }

    def run(self, *arguments: str) -> str:
        """Run a command that must succeed, and return what it printed."""
        result = CliRunner().invoke(headgate, arguments, env=self.environ, catch_exceptions=True)
        assert result.exit_code == 0, f"{result.output}\n{result.exception}"
        return result.stdout

    def json(self, *arguments: str) -> Any:
        """Run a command with --json, and return the document that it printed."""
        return json.loads(self.run(*arguments, "--json"))

    def fails(self, *arguments: str) -> str:
        """Run a command that must fail, and return its sentence."""
        result = CliRunner().invoke(headgate, arguments, env=self.environ, catch_exceptions=True)
        assert result.exit_code == 1
        assert isinstance(result.exception, HeadgateError), result.output
        return str(result.exception)

    def key(self, name: str) -> Identity:
        """Open a key of this machine."""
        return load(self.settings.keys_directory, name)

    def opened(self, incident: str, **changes: Any) -> str:
        """Have triage's part played: an incident is opened."""
        trust = read_trust(trust_path(self.settings))
        found = incident_opened(id=incident, **changes)
        headers = signed_headers(found, trust.genesis, self.key("triage").key)
        producer = AwaitedProducer(Clients(self.settings))
        producer.send(full_name(self.settings.ledger, "incidents"), incident.encode(), frame(found), headers)
        self.until(lambda ledger: incident in ledger.state.cases)
        return incident

    def planned(self, incident: str) -> str:
        """Have remediation's and approval's parts played: a plan is proposed and people are asked."""
        step = Step(
            target=TARGET,
            purpose="contain",
            desired=AFTER,
            observed=BEFORE,
            precondition="0" * 64,
            summary="Shift the traffic to version 1",
        )
        with OpenLedger(self.settings) as ledger:
            propose = ProposePlan(incident=incident, attempt=1, steps=(step,), dry_run="nothing else depends on it")
            case = ledger.ask(self.key("remediation"), propose).found.case
            assert case is not None
            assert case.plan is not None
            ledger.ask(self.key("approval"), RequestApproval(incident=incident, plan=case.plan.digest))
        return case.plan.digest

    def until(self, holds: Callable[[OpenLedger], bool], within: float = 20.0) -> None:
        """Wait until the ledger shows it."""
        deadline = time.monotonic() + within
        with OpenLedger(self.settings) as ledger:
            while not holds(ledger):
                ledger.poll(0.1)
                assert time.monotonic() < deadline, "the ledger does not show it"


@contextmanager
def registrar(settings: Settings) -> Iterator[Stop]:
    """Run a registrar in a thread while the block runs; the ledger must have begun."""
    stop, keys = Stop(), settings.keys_directory
    role = Registrar(settings, read_trust(trust_path(settings)), load(keys, "registrar"), load(keys, "log"))
    thread = threading.Thread(target=role.run, args=(stop, "r1"))
    thread.start()
    try:
        yield stop
    finally:
        stop.requested = True
        thread.join(30)
        assert not thread.is_alive(), "the registrar does not end"
