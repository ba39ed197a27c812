"""Approval, recovery and projector, each killed at work: each case is asked for, resolved and shown, once."""

import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from agents.roles.project import status
from schemas.commands import RequestApproval
from streams.settings import Settings
from tests.crew import Crew, Feed, Killing, kill_at_work
from tests.plain import Tape, plain, wait_until
from tests.understudy import ALL, Understudy

pytestmark = pytest.mark.broker
LONG = pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(900)])


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs."""
    with Crew(settings, environ) as made:
        yield made.open()


class Play:
    """Incidents that arrive at a pace, and the understudy that plays every role but the one under test."""

    def __init__(self, crew: Crew, *without: str) -> None:
        self.crew = crew
        self.understudy = Understudy(crew, ALL.difference(without))
        self.opened: list[str] = []

    def act(self, number: int) -> None:
        """Open three incidents more now and then, and let every open case go on."""
        for _ in range(3 if number % 6 == 0 else 0):
            self.opened.append(self.understudy.incident(len(self.opened)))
        self.understudy.turn()

    def rest(self, _: int) -> None:
        """Let the open cases go on."""
        self.understudy.turn()

    def run(self, killing: Killing, kills: int, seed: int, ended: Callable[[], bool]) -> None:
        """Kill the role at work, and then leave it in peace until it has ended its work."""
        self.crew.start(killing.name)
        with Feed(self.act, every=0.03):
            kill_at_work(self.crew, killing, random.Random(seed), kills)
        with Feed(self.rest, every=0.03):
            wait_until(ended, f"{killing.name} ends its work")


def asked_by(commands: Tape, kind: str) -> Counter[str]:
    """Return for each incident how many different commands of a kind stand on the topic."""
    bodies = {(seen.value["incident"], seen.value["body"]) for seen in commands.read() if seen.value["kind"] == kind}
    return Counter(incident for incident, _ in bodies)


@pytest.mark.parametrize("kills", [6, LONG])
def test_approval_is_requested_once_for_each_plan_through_kills(crew: Crew, kills: int) -> None:
    """SIGKILLs with plans that nobody was asked about: each gets exactly one accepted request, and its decision."""
    play, commands = Play(crew, "approval", "people"), crew.tape("commands")
    plans: list[str] = []

    def given() -> int:
        plans[:] = [body["incident"] for body in crew.audit.events("PlanProposed")]
        return len(plans)

    def done(count: int) -> int:
        asked = asked_by(commands, RequestApproval.__name__)
        return sum(incident in asked for incident in plans[:count])

    def ended() -> bool:
        return len(crew.audit.events("ApprovalRequested")) >= len(play.opened)

    play.run(Killing("approval", given, done), kills, 5, ended)
    requested = crew.audit.events("ApprovalRequested")
    assert [body["incident"] for body in requested] == play.opened
    by_digest = {body["plan"] for body in requested}
    assert len(by_digest) == len(play.opened)
    assert {body["incident"] for body in crew.audit.events("PlanProposed")} == set(play.opened)
    refused = [body for body in crew.audit.events("Refused") if body["kind"] == "RequestApproval"]
    assert refused == [], "the same request is the same statement"


@pytest.mark.parametrize("kills", [6, LONG])
def test_each_case_is_resolved_once_through_kills_of_recovery(crew: Crew, kills: int) -> None:
    """SIGKILLs with recovered cases that nobody reported: each case is resolved exactly once, by enough clear rows."""
    play, commands = Play(crew, "recovery"), crew.tape("commands")
    recovering: list[str] = []

    def given() -> int:
        recovering[:] = [body["incident"] for body in crew.audit.events("CaseRecovering")]
        return len(recovering)

    def done(count: int) -> int:
        asked = asked_by(commands, "ReportRecovery")
        return sum(incident in asked for incident in recovering[:count])

    def ended() -> bool:
        return len(crew.audit.events("CaseResolved")) >= len(play.opened)

    play.run(Killing("recovery", given, done), kills, 6, ended)
    resolved = crew.audit.events("CaseResolved")
    assert sorted(body["incident"] for body in resolved) == play.opened
    assert all(body["clear_rows"] >= 200 and body["version"] == "1" for body in resolved)
    signer = crew.identity("recovery").key.key_id
    reports = [entry for entry in crew.audit.read() if entry.command["kind"] == "ReportRecovery"]
    assert {entry.command["key"] for entry in reports} == {signer}
    words = {word["id"]: word for word in crew.tape("signals").named("MonitorObserved")}
    for entry in reports:
        body = plain("ReportRecovery", entry.command["body"])
        assert body["clear_rows"] <= words[body["observation"]]["clear_rows"], "no more than the monitor said"


@pytest.mark.parametrize("kills", [6, LONG])
def test_the_status_of_each_incident_is_the_ledgers_through_kills_of_the_projector(crew: Crew, kills: int) -> None:
    """SIGKILLs with entries not yet shown: the last status of each incident is what the fold says, and none other."""
    play, statuses = Play(crew, "projector"), crew.tape("status")

    def given() -> int:
        return max((entry.place for entry in crew.audit.read() if entry.command["incident"]), default=0)

    def done(_: int) -> int:
        return max((seen["index"] for seen in statuses.named("IncidentStatus")), default=0)

    def ended() -> bool:
        cases = crew.audit.state().cases
        shown = {seen["incident"]: seen["sequence"] for seen in statuses.named("IncidentStatus")}
        over = len(cases) == len(play.opened) and all(case.phase.over for case in cases.values())
        return over and shown == {incident: case.sequence for incident, case in cases.items()}

    play.run(Killing("projector", given, done), kills, 7, ended)
    last = {seen["incident"]: seen for seen in statuses.named("IncidentStatus")}
    assert sorted(last) == play.opened
    newest = {entry.command["incident"]: entry for entry in crew.audit.read()}
    for incident, case in crew.audit.state().cases.items():
        shown = last[incident]
        expected = status(case, newest[incident].place, int(newest[incident].at * 1000 + 0.5))
        assert (shown["index"], shown["phase"]) == (expected.index, "resolved")
        assert (shown["plan_state"], shown["approvals"]) == (expected.plan_state, 2)
        assert [action["outcome"] for action in shown["actions"]] == ["done", "done"]
