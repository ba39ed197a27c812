"""People and triage on a real broker: what they report joins or opens an incident, what they silence opens none."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from schemas.codec import frame
from schemas.commands import EnrolKey
from schemas.signals import SignalRaised
from schemas.values import Category, Position, Role
from streams.__main__ import headgate
from streams.kafka import Record
from streams.ledger.genesis import enrolment
from streams.ledger.keyring import create
from streams.settings import Settings
from tests.crew import Crew
from tests.feed import raised
from tests.plain import wait_until

pytestmark = pytest.mark.broker


class Town:
    """A ledger with registrar and triage, and a member of staff who has a key and no other role."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        crew.start("triage")
        sue = create(crew.settings.keys_directory, "sue")
        crew.ask(crew.identity("admin"), EnrolKey(enrolment=enrolment(sue, Role.STAFF)))
        wait_until(lambda: sue.key.key_id in crew.audit.state().control.keys, "sue is enrolled")
        self._offset = 0

    def run(self, *arguments: str) -> Any:
        """Run a command as a person at a terminal, and return what it printed as JSON."""
        result = CliRunner().invoke(headgate, [*arguments, "--json"], env=self.crew.environ)
        assert result.exit_code == 0, result.output or result.exception
        decoded, _ = json.JSONDecoder().raw_decode(result.stdout)
        return decoded

    def show(self, model: str, category: Category = Category.DATA_DRIFT) -> SignalRaised:
        """Let detection raise a signal of a model now."""
        self._offset += 1
        source = Position(topic_id="telemetry-topic", partition=0, offset=self._offset)
        now = int(time.time() * 1000)
        signal = replace(raised("f1", category, model=model, source=source), at=now, first_bad_at=now)
        self.crew.send(Record(self.crew.topic("signals"), model.encode(), frame(signal)))
        return signal

    def incidents(self, model: str) -> list[str]:
        """Return the incidents that were opened of a model."""
        opened = self.crew.audit.events("CaseOpened")
        return [case["incident"] for case in opened if case["affected"][0]["model"] == model]


@pytest.fixture
def town(settings: Settings, environ: dict[str, str]) -> Iterator[Town]:
    """A ledger of this test's own."""
    with Crew(settings, environ) as made:
        yield Town(made.open())


def test_what_people_report_and_silence_comes_true(town: Town) -> None:
    """A report opens an incident that detection joins, or joins one that it opened; a silence holds until its end."""
    crew = town.crew
    said = town.run("report-failure", "alone", "--what", "it says 4 all day", "--as", "sue")
    assert town.incidents("alone") == [said["incident"]]
    town.show("alone")
    wait_until(lambda: crew.audit.events("CaseGrew"), "detection joins what sue reported")
    assert [grew["incident"] for grew in crew.audit.events("CaseGrew")] == [said["incident"]]

    town.show("seen")
    wait_until(lambda: town.incidents("seen"), "detection opens an incident")
    joined = town.run("report-failure", "seen", "--version", "2", "--what", "customers call", "--as", "sue")
    assert town.incidents("seen") == [joined["incident"]]

    town.show("forged", Category.HUMAN_REPORT)
    tape = crew.tape("deadletter")
    wait_until(lambda: "signed command" in str(tape.read()), "nobody reports without a signature")

    town.run("silence", "add", "model=noisy", "--for", "1h", "--reason", "maintenance", "--as", "mia")
    wait_until(lambda: "other silences" in crew.log("triage").read_text("utf-8"), "triage has heard of the silence")
    town.show("noisy")
    town.show("last")
    wait_until(lambda: town.incidents("last"), "triage has read both")
    assert town.incidents("noisy") == []
    (silence,) = town.run("silence", "list")
    assert silence["state"] == "silent"
    town.run("silence", "end", silence["silence"], "--reason", "done", "--as", "mia")
    wait_until(lambda: town.incidents("noisy"), "what still stands is told when the silence ends")
    assert town.incidents("forged") == []
