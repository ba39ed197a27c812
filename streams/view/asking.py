"""Ask the registrar: send a signed command, and follow the ledger until the entry that decides it is verified."""

import dataclasses
import logging
import time
from collections.abc import Iterator
from typing import Any, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from agents.ledger.asked import sign
from agents.ledger.fold import Trust, Verified
from agents.ledger.state import LedgerState
from schemas.avro import encode
from schemas.codec import frame
from schemas.errors import BrokerError, HeadgateError, LedgerError
from schemas.events import Refused
from schemas.ledger import Command
from schemas.note import Checkpoint
from schemas.topics import full_name
from streams.kafka import AwaitedProducer, Clients
from streams.ledger.keyring import Identity, read_trust, trust_path
from streams.ledger.reader import LedgerReader
from streams.settings import Settings

ANSWER_SECONDS = 15.0
_REACH_SECONDS = 5.0
_QUIET = logging.getLogger(
    "headgate.reach"
)  # the sentence that is raised says it; the client's own lines would repeat it
_QUIET.setLevel(logging.CRITICAL + 1)


class UndecidedError(HeadgateError):
    """Kafka has the command, and no registrar has decided it in time."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the registrar decided; `earlier` when this very statement had been decided before it was asked now."""

    found: Verified
    earlier: bool = False

    @property
    def refusal(self) -> Refused | None:
        """Why the command is not followed, or None where it is."""
        first = self.found.events[0] if self.found.events else None
        return first if isinstance(first, Refused) else None


class OpenLedger:
    """A ledger read to its end with every entry in it, verified against this machine's trust file; a context manager.

    Raises
    ------
    KeyRefusedError
        There is no trust file here.
    BrokerError
        Kafka does not answer.
    LedgerError
        There is no such ledger, or it is not the one that is trusted.
    """

    def __init__(self, settings: Settings, trust: Trust | None = None) -> None:
        self._settings = settings
        self.trust = trust or read_trust(trust_path(settings))
        clients = Clients(settings)
        require_ledger(settings)
        self._clients = clients
        self._reader = LedgerReader(clients, settings.ledger, self.trust)
        self.entries: list[Verified] = []
        try:
            self._take(self._reader.catch_up())
        except BaseException:
            self._reader.close()
            raise
        if not self.entries:
            self._reader.close()
            raise LedgerError(
                f"{full_name(settings.ledger, 'audit')} holds nothing that {trust_path(settings)} vouches for; "
                "move the trust file away and `headgate init` begins another ledger"
            )

    @property
    def state(self) -> LedgerState:
        """What the entries add up to."""
        return self._reader.fold.state

    @property
    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint that covers all of them."""
        covers = self._reader.fold.checkpoint
        assert covers is not None  # there are entries, and each became final by one
        return covers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def poll(self, seconds: float) -> list[Verified]:
        """Wait at most so long for entries that have become final, and return them."""
        return self._take(self._reader.poll(seconds))

    def of(self, incident: str) -> Iterator[Verified]:
        """Return the entries of one incident, in order."""
        return (found for found in self.entries if found.asked is not None and found.asked.incident == incident)

    def ask(self, who: Identity, body: Any, within: float = ANSWER_SECONDS) -> Verdict:
        """Sign a command, send it, and return what was decided; one that was decided before is said again.

        Saying it again needs another statement, so `repeat` is raised where the body has it; where it has none, the
        earlier verdict is returned and nothing is sent.

        Raises
        ------
        KeyRefusedError
            The key is not enrolled, or was revoked: no registrar would listen to it.
        UndecidedError
            No registrar decided it in time; it stands in its topic and will be decided.
        """
        command, statement = self._sign(who, body)
        while self._decided(statement) and hasattr(body, "repeat"):
            body = dataclasses.replace(body, repeat=body.repeat + 1)
            command, statement = self._sign(who, body)
        return self._ask(command, statement, within)

    def ask_once(self, who: Identity, body: object, within: float = ANSWER_SECONDS) -> Verdict:
        """Ask as `ask` does, without saying again what was decided before."""
        return self._ask(*self._sign(who, body), within)

    def _ask(self, command: Command, statement: str, within: float) -> Verdict:
        if self._decided(statement):
            return Verdict(found=self._verdict(statement, self.entries), earlier=True)
        topic = full_name(self._settings.ledger, "commands")
        AwaitedProducer(self._clients).send(topic, command.incident.encode(), frame(command))
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            new = self.poll(0.05)
            if self._decided(statement):
                return Verdict(found=self._verdict(statement, new))
        raise UndecidedError(
            f"no registrar decided it within {within:.0f} s; the command stands in {topic} and is decided as soon as "
            "one runs (`headgate run registrar`)"
        )

    def _sign(self, who: Identity, body: object) -> tuple[Command, str]:
        command = sign(body, self.trust.genesis, who.key)
        return command, self.state.ask(encode(command)).statement

    def _decided(self, statement: str) -> bool:
        return bytes.fromhex(statement) in self.state.decided

    @staticmethod
    def _verdict(statement: str, entries: list[Verified]) -> Verified:
        return next(found for found in entries if found.asked is not None and found.asked.statement == statement)

    def _take(self, verified: list[Verified]) -> list[Verified]:
        counted = [found for found in verified if found.entry is not None]
        self.entries += counted
        return counted


def topics_of(settings: Settings) -> set[str]:
    """Return the topics that Kafka has; BrokerError where it does not answer within a few seconds."""
    try:
        admin = AdminClient(Clients(settings).common() | {"logger": _QUIET})
        return set(admin.list_topics(timeout=_REACH_SECONDS).topics)
    except KafkaException as error:
        raise BrokerError(
            f"Kafka at {settings.brokers} does not answer: {error.args[0].str()}; is it running?"
        ) from None


def require_ledger(settings: Settings) -> None:
    """Raise LedgerError where Kafka has no ledger of this name."""
    missing = {full_name(settings.ledger, name) for name in ("audit", "checkpoints")} - topics_of(settings)
    if missing:
        raise LedgerError(f"Kafka at {settings.brokers} holds no ledger {settings.ledger}; `headgate init` begins one")


def registrar_runs(settings: Settings) -> bool:
    """Whether a registrar is a member of its group, so that a command can be decided soon."""
    group = f"{settings.ledger}-registrar"
    admin = Clients(settings).admin()  # held by a name: once it is gone, its futures never end
    try:
        described = admin.describe_consumer_groups([group], request_timeout=_REACH_SECONDS)
        return bool(described[group].result(_REACH_SECONDS).members)
    except (KafkaException, TimeoutError):
        return False
