"""The command line without a broker: help that teaches, documents checked offline, and what is printed how."""

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from agents.ledger.case import Phase
from agents.ledger.regions.plan import Given, Plan, PlanState
from schemas.documents import digest
from schemas.errors import HeadgateError
from schemas.values import Role, Severity
from streams.__main__ import COMMANDS, headgate
from streams.settings import DEPLOY
from streams.view.next_step import next_step
from streams.view.rendering import clean, jsonable, table, when
from streams.view.signing_in import called
from tests.ledgers import START, genesis
from tests.play import STEPS, incident_opened

AGREED = Given(principal="p-max", key="k", roles=(Role.ML_MANAGER,))


def _run(*arguments: str, var: Path | None = None) -> str:
    result = CliRunner().invoke(headgate, arguments, env={"HEADGATE_VAR": str(var)} if var else {})
    assert result.exit_code == 0, result.output
    return result.stdout


def _commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _commands(below, (*path, name))


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_help_teaches_without_a_broker(name: str) -> None:
    """Every command and subcommand answers --help; what people run by hand shows an example, on lines of its own."""
    loaded = import_module(f"streams.cli.{name.replace('-', '_')}").command
    for path, _ in _commands(loaded, (name,)):
        said = _run(*path, "--help")
        assert "Usage:" in said
        assert "\\b" not in said
    if name in {"init", "keys", "topics", "policy", "systems", "incidents", "approve", "deny"}:
        assert any(line.startswith(f"    headgate {name}") for line in _run(name, "--help").splitlines())


def test_a_command_that_nobody_signs_asks_whose_key_signs_it() -> None:
    """Where --as is left out it is a usage error that names it, for every command that is signed by a person."""
    said = CliRunner().invoke(headgate, ["incidents", "declare", "3f8a2c", "--reason", "customers complain"])
    assert said.exit_code == 2
    assert "Missing option '--as'" in said.output


def test_every_listing_and_asking_command_speaks_json() -> None:
    """Whatever lists or asks takes --json."""
    silent = []
    for name in ("init", "keys", "topics", "policy", "systems", "incidents", "approve", "deny"):
        for path, command in _commands(import_module(f"streams.cli.{name}").command, (name,)):
            takes = any("--json" in option.opts for option in command.params if isinstance(option, click.Option))
            if not takes and not isinstance(command, click.Group):
                silent.append(path)
    assert silent == []


@pytest.mark.parametrize("kind", ["policy", "systems"])
def test_a_document_is_checked_offline(kind: str, tmp_path: Path) -> None:
    """`check` prints the digest of a valid document, and exits 1 with a sentence for any other."""
    path = DEPLOY / f"{kind}.toml"
    assert digest(path.read_bytes()) in _run(kind, "check", str(path))
    said = json.loads(_run(kind, "check", str(path), "--json"))
    assert said == {"file": str(path), "valid": True, "digest": digest(path.read_bytes())}
    bad = tmp_path / "bad.toml"
    bad.write_text("version = 3\n")
    result = CliRunner().invoke(headgate, [kind, "check", str(bad)])
    assert result.exit_code == 1
    assert isinstance(result.exception, HeadgateError)
    assert str(bad) in str(result.exception)


def test_keys_are_made_and_listed_without_a_ledger(tmp_path: Path) -> None:
    """Making keys needs nobody; listing them says why the ledger was not asked."""
    assert "headgate keys new NAME" in _run("keys", "list", var=tmp_path)
    made = json.loads(_run("keys", "new", "ana", "--json", var=tmp_path))
    assert Path(made["public"]).read_text().strip().endswith(made["principal"])
    (tmp_path / "keys" / "bad.pub").write_text("hello")
    result = CliRunner().invoke(headgate, ["keys", "list", "--json"], env={"HEADGATE_VAR": str(tmp_path)})
    (row,) = json.loads(result.stdout)
    assert (row["name"], row["key"], row["state"]) == ("ana", made["key"], "not enrolled")
    assert "bad.pub" in result.stderr
    assert "the ledger is not asked" in result.stderr


@pytest.mark.parametrize("name", ["../ana", "", "a/b", ".hidden", "x" * 65])
def test_a_key_has_a_name_that_is_no_path(tmp_path: Path, name: str) -> None:
    """A name that could leave the directory of keys is a usage error."""
    result = CliRunner().invoke(headgate, ["keys", "new", name], env={"HEADGATE_VAR": str(tmp_path)})
    assert result.exit_code == 2
    assert not (tmp_path / "keys").exists()


def test_a_passphrase_is_asked_for_twice(tmp_path: Path) -> None:
    """`keys new --passphrase` writes an encrypted key, and prints its passphrase nowhere."""
    phrase = "correct horse battery"
    arguments = ["keys", "new", "ana", "--passphrase"]
    result = CliRunner().invoke(headgate, arguments, env={"HEADGATE_VAR": str(tmp_path)}, input=f"{phrase}\n{phrase}\n")
    assert result.exit_code == 0
    assert phrase not in result.output
    assert "ENCRYPTED" in (tmp_path / "keys" / "ana.pem").read_text()


def test_a_table_is_plain_lines_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are aligned, nothing is wrapped, control characters of strangers stay out, and an empty one says so."""
    table(("name", "what"), [["a", "x" * 200], ["longer", "\x1b[31mred\n"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["NAME    WHAT", "a       " + "x" * 200, "longer  ?[31mred?"]
    table(("name",), [], "nobody")
    assert capsys.readouterr().out == "nobody\n"


def test_a_table_on_a_terminal_shows_markup_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that looks like rich's markup is printed, not obeyed."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    table(("name",), [["[bold]ana[/]"]])
    assert "[bold]ana[/]" in capsys.readouterr().out


def test_records_become_json_without_their_documents() -> None:
    """Enumerations are their values, bytes are hexadecimal, sets are in order."""
    assert jsonable({"a": (Severity.SEV1, b"\x01"), "b": frozenset({"y", "x"})}) == {
        "a": ["sev1", "01"],
        "b": ["x", "y"],
    }
    assert jsonable(incident_opened())["affected"] == [{"model": "shuttle", "version": "2", "instances": []}]


def test_points_in_time_and_people_are_readable() -> None:
    """Times are UTC to the second, whatever the number; principals have the name that this machine knows."""
    assert when(START) == "2023-11-14 22:13:20Z"
    assert when(2**62) == f"{2**62} ms"
    assert called({"p-1": "ana"}, "p-1") == "ana (p-1)"
    assert called({}, "p-1") == "p-1"
    assert clean("\x07" + "x" * 9000)[0] == "?"


def _waits(**changes: Any) -> tuple[str, str]:
    ledger = genesis()
    ledger.ask(incident_opened(), "triage")
    case = replace(ledger.case, **changes)
    step = next_step(case, ledger.control, START, "inc", {"p-max": "max"})
    return step.sentence, step.command


def _plan(state: PlanState, **changes: Any) -> dict[str, Plan]:
    facts: dict[str, Any] = {
        "digest": "d",
        "number": 1,
        "proposer": "p",
        "steps": STEPS,
        "basis": (("shuttle", "2"),),
        "role": "ml_manager",
        "quorum": 2,
    }
    return {"plan": Plan(state=state, **(facts | {"decide_by": START + 1, "execute_by": START + 1} | changes))}


@pytest.mark.parametrize(
    ("changes", "sentence", "command"),
    [
        ({"phase": Phase.TRIAGE}, "a person to say", "headgate incidents declare inc --as NAME"),
        ({"phase": Phase.RESOLVED}, "people to review it", "headgate incidents review inc --as NAME"),
        ({"phase": Phase.RECOVERING}, "1000 rows of a surviving version", "headgate incidents watch"),
        ({}, "the role remediation to propose a plan", "headgate run remediation"),
        ({"affected": ()}, "people to stop the harm by hand: no system declares", "headgate incidents contained inc"),
        (_plan(PlanState.PROPOSED), "the role approval to ask", "headgate run approval"),
        (_plan(PlanState.PENDING), "2 of 2 approvals by persons", "headgate approve inc --as NAME"),
        (_plan(PlanState.PENDING, given=(AGREED,)), "1 of 2 approvals", "headgate approve inc --as NAME"),
        (_plan(PlanState.PENDING, decide_by=START), "the role approval to end the plan", "headgate run approval"),
        (_plan(PlanState.AUTHORISED), "the role remediation to start before", "headgate run remediation"),
        (_plan(PlanState.EXECUTING), "the role remediation to carry out", "headgate run remediation"),
        (_plan(PlanState.ENDED, why="failed"), "the role remediation to plan again", "headgate run remediation"),
        (_plan(PlanState.ENDED, why="denied"), "people: the plan ended (denied)", "headgate incidents ask-plan inc"),
    ],
)
def test_each_state_says_what_it_waits_for(changes: dict[str, Any], sentence: str, command: str) -> None:
    """Whatever the case waits for is one sentence, with the command that brings it on."""
    said, run = _waits(**changes)
    assert said.startswith(sentence)
    assert run.startswith(command)
    assert bool(run) == bool(command)
