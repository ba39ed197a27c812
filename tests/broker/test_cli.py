"""The command line on a real broker, with a registrar that decides what is asked."""

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.ledger.regions.plan import PlanState
from schemas.commands import EnrolKey, RevokeKey
from schemas.values import Category, Role
from streams.__main__ import headgate
from streams.kafka import Clients
from streams.ledger.genesis import enrolment, key_of
from streams.ledger.keyring import read_trust, trust_path
from streams.ledger.reader import LedgerReader
from streams.settings import DEPLOY, Settings
from streams.view.asking import OpenLedger, UndecidedError, registrar_runs
from tests.conftest import ROOT, RunningBroker
from tests.desk import Desk, registrar
from tests.play import AFTER, BEFORE, evidence, incident_opened

pytestmark = pytest.mark.broker
PEOPLE = {"ana": Role.ML_MANAGER, "ben": Role.ML_MANAGER, "eva": Role.SRE}


@pytest.fixture(scope="module")
def desk(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A ledger with policy, systems and three persons, and a registrar at work on it."""
    var = tmp_path_factory.mktemp("desk")
    given = {"bootstrap_servers": broker.bootstrap, "ledger": f"desk-{time.time_ns()}", "var": var}
    made = Desk(Settings.model_validate(given))
    made.run("init", "--systems", str(DEPLOY / "systems.toml"))
    with registrar(made.settings):
        for name, role in PEOPLE.items():
            made.run("keys", "new", name)
            made.run("keys", "enrol", str(made.settings.keys_directory / f"{name}.pub"), "--role", role.value)
        yield made


def test_a_ledger_is_begun_once_and_says_how_to_go_on(settings: Settings) -> None:
    """The first `init` begins a ledger and asks for the policy, the second finds it; without a registrar it says so."""
    desk = Desk(settings)
    assert "run `headgate init`, or copy it" in desk.fails("incidents")
    first = desk.run("init")
    assert f"ledger {settings.ledger} is begun" in first
    assert "headgate run registrar" in first
    genesis = read_trust(trust_path(settings)).genesis
    again = desk.json("init")
    assert (again["begun"], again["genesis"], again["entries"], again["asked"]) == (False, genesis, 1, ["policy"])
    trust_path(settings).rename(settings.var / "elsewhere.json")
    assert "holds a ledger already" in desk.fails("init")


def test_a_command_that_no_registrar_decides_stands_in_its_topic(settings: Settings) -> None:
    """Without a registrar the answer is one sentence that says the command will be decided when one runs."""
    desk = Desk(settings)
    desk.run("init")
    assert not registrar_runs(settings)
    body = EnrolKey(enrolment=enrolment(key_of(settings, "ana"), Role.ML_MANAGER))
    with OpenLedger(settings) as ledger, pytest.raises(UndecidedError, match="decided as soon as one runs"):
        ledger.ask(desk.key("admin"), body, within=0.3)


def test_a_trust_file_of_another_ledger_opens_nothing(settings: Settings, desk: Desk) -> None:
    """Entries count only for whom the trust file names: the ledger of somebody else reads as none."""
    other = Desk(settings)
    other.run("init")
    trust_path(settings).write_bytes(trust_path(desk.settings).read_bytes())
    assert "vouches for" in other.fails("incidents")


def test_a_statement_asked_twice_is_decided_once(desk: Desk) -> None:
    """Whoever asks gets the entry that decided the very same statement before, and the ledger does not grow."""
    key_of(desk.settings, "ivo")
    body = EnrolKey(enrolment=enrolment(desk.key("ivo"), Role.AUDITOR))
    trust, admin = read_trust(trust_path(desk.settings)), desk.key("admin")
    with OpenLedger(desk.settings, trust) as one, OpenLedger(desk.settings, trust) as other:
        first, again = one.ask_once(admin, body).found, other.ask_once(admin, body).found
    assert again == first
    said = desk.run("keys", "enrol", str(desk.settings.keys_directory / "ivo.pub"), "--role", "auditor")
    assert f"decided before, entry {first.index}" in said


def test_whoever_has_read_the_ledger_catches_up_at_once(desk: Desk) -> None:
    """A reader that has seen the end already does not wait for it to be announced again."""
    reader = LedgerReader(Clients(desk.settings), desk.settings.ledger, read_trust(trust_path(desk.settings)))
    while not reader.fold.state.control.systems.systems:
        reader.poll(0.1)
    for _ in range(20):
        reader.poll(0.05)
    size = reader.fold.size
    assert reader.catch_up(within=5) == []
    assert reader.fold.size == size
    reader.close()


def test_two_persons_authorise_a_plan_that_they_have_seen(desk: Desk) -> None:
    """Listing, showing and approving tell the same story: what is waited for, who approved, and when it is enough."""
    incident = desk.opened("story-1")
    assert "the role remediation to propose a plan" in desk.run("incidents", "show", incident)
    digest = desk.planned(incident)
    waiting = next(row for row in desk.json("incidents") if row["incident"] == incident)
    assert waiting["severity"] == "sev2"
    assert waiting["waits_for"].startswith("2 of 2 approvals by persons with the role ml_manager")
    assert waiting["command"] == "headgate approve story-1 --as NAME"
    assert "wants a step-up" in desk.fails("approve", incident, "--as", "ana", "--reason", "seen")
    assert "say why" in desk.fails("approve", incident, "--as", "ana", "--plan", digest)
    seen = ("--plan", digest[:8], "--reason", "seen")
    first = desk.run("approve", incident, "--as", "ana", "--plan", digest[:12], "--reason", "seen")
    assert all(word in first for word in (BEFORE, AFTER, digest, "nothing else depends on it", "1 of 2 approvals"))
    assert "this person has approved already" in desk.fails("approve", incident, "--as", "ana", *seen)
    assert "0 of 2 approvals" in desk.run("approve", incident, "--as", "ana", "--revoke", "--reason", "too early")
    assert "1 of 2 approvals" in desk.run("approve", incident, "--as", "ana", "--yes", *seen)
    assert "authorised" in desk.run("approve", incident, "--as", "ben", *seen)
    told = desk.json("incidents", "show", incident)
    assert told["plan"]["state"] == PlanState.AUTHORISED.value
    assert {one["principal"] for one in told["plan"]["approvals"]} == {
        desk.key("ana").principal,
        desk.key("ben").principal,
    }
    assert told["plan"]["steps"][0]["desired"] == AFTER
    assert told["rule"] == "model-fault-on-high-tier"
    assert told["evidence"][0]["subject"] == "f1"
    shown = desk.run("incidents", "show", incident)
    assert "approved by ben" in shown
    assert "waits for: the role remediation to start" in shown


def test_a_refused_decision_is_one_sentence_and_stands_in_the_ledger(desk: Desk) -> None:
    """The wrong role is refused with exit 1, as JSON too; another plan's digest is not even signed."""
    incident = desk.opened("roles-1")
    assert "no plan to decide on yet" in desk.fails("approve", incident, "--as", "ana")
    seen = ("--plan", desk.planned(incident), "--reason", "seen")
    assert "Approve is not for sre" in desk.fails("approve", incident, "--as", "eva", *seen)
    result = CliRunner().invoke(headgate, ["approve", incident, "--as", "eva", "--json", *seen], env=desk.environ)
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert (said["outcome"], said["events"][0]["reason"]) == ("refused", "wrong_role")
    with OpenLedger(desk.settings) as ledger:
        size = len(ledger.entries)
    assert "the plan is now" in desk.fails("approve", incident, "--as", "ana", "--plan", "ab" * 32)
    with OpenLedger(desk.settings) as ledger:
        assert len(ledger.entries) == size


def test_at_a_terminal_nothing_is_signed_before_it_is_confirmed(desk: Desk) -> None:
    """Whoever answers no to the question has approved nothing."""
    incident = desk.opened("asked-1")
    desk.planned(incident)
    ours, theirs = pty.openpty()
    environ = desk.environ | {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "streams", "approve", incident, "--as", "ana"]
    os.write(ours, b"n\n")
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, env=environ, timeout=60, check=False)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 1
    assert AFTER in done.stdout
    assert "approve exactly this plan as ana?" in done.stderr
    assert desk.json("incidents", "show", incident)["plan"]["approvals"] == []


def test_one_denial_ends_a_plan(desk: Desk) -> None:
    """After `deny` the plan has ended, nobody can approve it, and the incident says so."""
    incident = desk.opened("denied-1")
    digest = desk.planned(incident)
    assert "the plan has ended" in desk.run("deny", incident, "--as", "ben", "--reason", "version 1 is worse")
    assert "the plan is ended" in desk.fails("approve", incident, "--as", "ana", "--reason", "yes", "--plan", digest)
    told = desk.json("incidents", "show", incident)
    assert told["plan"]["ended"]["reason"] == "version 1 is worse"
    assert told["waits_for"].startswith("people: the plan ended (denied)")


def test_a_candidate_is_answered_by_a_person(desk: Desk) -> None:
    """A candidate waits for a person, who declares or dismisses it; each answer is decided by the registrar."""
    for incident in ("report-1", "report-2"):
        desk.opened(incident, category=Category.HUMAN_REPORT)
    assert "2 incidents begin with report" in desk.fails("incidents", "show", "report")
    waiting = desk.json("incidents", "show", "report-1")
    assert waiting["command"].startswith("headgate incidents declare report-1")
    assert "acknowledged by eva" in desk.run("incidents", "acknowledge", "report-1", "--as", "eva")
    assert "somebody has it already" in desk.fails("incidents", "acknowledge", "report-1", "--as", "ana")
    desk.run("incidents", "declare", "report-1", "--as", "eva", "--reason", "customers complain")
    desk.run("incidents", "dismiss", "report-2", "--as", "ana", "--reason", "planned_change", "--note", "backfill")
    phases = {row["incident"]: row["phase"] for row in desk.json("incidents", "list", "--all")}
    assert (phases["report-1"], phases["report-2"]) == ("declared", "dismissed")
    assert "report-2" not in {row["incident"] for row in desk.json("incidents")}


def test_a_revoked_key_may_not_act_any_more(desk: Desk) -> None:
    """A key is made, enrolled, listed and revoked; what it signs afterwards is not even sent."""
    public = desk.settings.keys_directory / "max.pub"
    phrase = desk.settings.var / "phrase"
    phrase.write_text("correct horse battery\n")
    made = desk.json("keys", "new", "max", "--passphrase-file", str(phrase))
    assert _states(desk)["max"] == ("not enrolled", [], True)
    desk.run("keys", "enrol", str(public), "--role", "sre", "--role", "compliance")
    assert _states(desk)["max"] == ("enrolled", ["compliance", "sre"], True)
    incident = desk.opened("keys-1")
    assert "needs its passphrase" in desk.fails("incidents", "acknowledge", incident, "--as", "max")
    desk.run("keys", "revoke", made["key"][:10], "--reason", "laptop lost")
    assert _states(desk)["max"][0] == "revoked"
    arguments = ("incidents", "acknowledge", incident, "--as", "max", "--passphrase-file", str(phrase))
    assert "was revoked" in desk.fails(*arguments)
    assert "a new one" in desk.fails("keys", "enrol", str(public), "--role", "sre")
    with OpenLedger(desk.settings) as ledger:
        last = ledger.ask(desk.key("admin"), RevokeKey(key=made["key"], reason="again"))
    assert last.refusal is not None


def _states(desk: Desk) -> dict[str, tuple[str, list[str], bool]]:
    return {row["name"]: (row["state"], row["roles"], row["protected"]) for row in desk.json("keys", "list")}


def test_a_policy_can_come_back_into_force(desk: Desk, tmp_path: Path) -> None:
    """Adopting A, B and A again gives three entries; what is in force is not adopted twice; `show` gives the bytes."""
    default = DEPLOY / "policy.toml"
    other = tmp_path / "policy.toml"
    other.write_text(default.read_text().replace("quorum = 2", "quorum = 3"))
    assert "is in force already" in desk.run("policy", "adopt", str(default))
    before = len(desk.json("policy", "list"))
    desk.run("policy", "adopt", str(other))
    assert desk.json("policy", "show")["document"] == other.read_text()
    desk.run("policy", "adopt", str(default))
    adopted = desk.json("policy", "list")
    assert [one["in_force"] for one in adopted[before - 1 :]] == [False, False, True]
    assert desk.run("policy", "show", adopted[-2]["digest"][:16]) == other.read_text()
    assert "lists them" in desk.fails("policy", "show", "zz")


def test_undeclared_models_of_open_incidents_are_flagged(desk: Desk) -> None:
    """`systems list` shows the declared models with their targets, and a model that no system declares."""
    stranger = replace(incident_opened().affected[0], model="stranger")
    desk.opened("stranger-1", affected=(stranger,), system="")
    rows = {row["model"]: row for row in desk.json("systems", "list")}
    assert rows["shuttle"]["targets"] == ["envoy:shuttle", "mlflow:shuttle/champion"]
    assert rows["shuttle"]["known_good"] == "1"
    assert (rows["stranger"]["declared"], rows["stranger"]["tier"]) == (False, "high")
    assert "UNDECLARED" in desk.run("systems", "list")
    assert "headgate systems adopt FILE" in desk.run("incidents", "show", "stranger-1")


def test_what_becomes_final_is_told_live(desk: Desk) -> None:
    """`incidents watch` prints a line an event, soon after it is final."""
    environ = desk.environ | {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "streams", "incidents", "watch", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert "following" in watching.stderr.readline()
        desk.opened("watched-1")
        told = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.terminate()
    assert [(one["incident"], one["event"]) for one in told] == [
        ("watched-1", "CaseOpened"),
        ("watched-1", "CaseDeclared"),
    ]


def test_people_lead_incidents_on_at_the_command_line(desk: Desk) -> None:
    """Severity, priority, merger, split, investigation and hold are said there, and `show` tells what came of them."""
    two = (evidence(), evidence(signal="other", score=4.0, summary="latency rose"))
    for incident in ("lead-a", "lead-b"):
        desk.opened(incident)
    desk.opened("lead-c", evidence=two)
    assert "a cascade over two systems" in desk.run("incidents", "matrix")
    ana = ("--as", "ana")
    worse = desk.run("incidents", "assess", "lead-a", "rights", "sev1", "--reason", "one group", *ana)
    assert "severity SEV2 becomes SEV1" in worse
    desk.run("incidents", "modifier", "lead-a", "irreversible", "--reason", "letters went out", *ana)
    assert "what was assessed keeps it" in desk.fails(
        "incidents", "severity", "lead-a", "sev4", "--evidence", "shadow", *ana
    )
    desk.run("incidents", "priority", "lead-a", "p1", "--reason", "the board meets", *ana)
    assert "ReportabilitySet" not in desk.fails(
        "incidents", "reportability", "lead-a", "gdpr_33", "reportable", "--reason", "a leak", *ana
    )
    desk.run("incidents", "investigate", "lead-a", "--reason", "why did units change?", *ana)
    assert "the case is investigating" in desk.fails("incidents", "close", "lead-a", *ana)
    assert "the case is investigating" in desk.fails("incidents", "release-hold", "lead-a", "--reason", "x", *ana)
    merged = desk.run("incidents", "merge", "lead-b", "--into", "lead-a", "--reason", "the same table", *ana)
    assert "lead-b goes on in lead-a" in merged
    split = desk.run("incidents", "split", "lead-c", "2", "--reason", "the network", *ana)
    assert "split from lead-c" in split
    told = desk.json("incidents", "show", "lead-a")
    assert (told["severity"], told["phase"], told["assessment"]["priority"]) == ("sev1", "investigating", "p1")
    assert told["course"]["absorbed"] == ["lead-b"]
    assert told["hold"]["stands"]
    shown = desk.run("incidents", "show", "lead-b")
    assert "merged into lead-a" in shown
    (other,) = desk.json("incidents", "show", "lead-c")["course"]["splits"]
    assert [one["signal"] for one in desk.json("incidents", "show", other)["evidence"]] == ["other"]
