"""Broken input gives one clear sentence and a non-zero exit: in a process of its own, as an operator sees it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agents.ledger.fold import Trust
from schemas.note import Verifier
from streams.ledger.genesis import begin
from streams.ledger.keyring import SERVICES, create, write_trust
from streams.settings import DEPLOY, Settings
from tests.conftest import ROOT

FULL = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh")  # no file can grow, as on a full disk
NOBODY = {"HEADGATE_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


def _says(arguments: list[str], environ: dict[str, str], *, status: int = 1, before: tuple[str, ...] = ()) -> str:
    """Run the command line, and return the one sentence that it fails with."""
    command = [*before, sys.executable, "-B", "-m", "streams", *arguments]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert lines, "it fails without a word"
    assert lines[-1].startswith("headgate: "), done.stderr
    assert sum(line.startswith("headgate: ") for line in lines) == 1
    return lines[-1].removeprefix("headgate: ")


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """The directory of a machine that has keys and a trust file."""
    made = tmp_path / "var"
    for name in SERVICES:
        create(made / "keys", name)
    write_trust(
        made / "trust.json", Trust(genesis="ab" * 32, log=Verifier("play", create(made / "keys", "log").key.public))
    )
    return made


@pytest.fixture
def alone(var: Path) -> dict[str, str]:
    """The environment of a machine without any broker."""
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HEADGATE_VAR": str(var)}


@pytest.mark.parametrize(
    "arguments",
    [["init"], ["topics", "check"], ["run", "registrar"], ["run", "detect"], ["run", "approval"], ["incidents"]],
)
def test_no_broker(alone: dict[str, str], arguments: list[str]) -> None:
    """Without a broker the sentence says how to start one; where one does not answer, its address."""
    assert "start one with `headgate broker`" in _says(arguments, alone)
    assert "Kafka at 127.0.0.1:1 does not answer" in _says(arguments, alone | NOBODY)


def test_no_trust_file(alone: dict[str, str], var: Path) -> None:
    """Without a trust file, or with a damaged one, nothing is believed, and the sentence names the file."""
    (var / "trust.json").write_text("{")
    assert f"{var / 'trust.json'} is no trust file" in _says(["incidents"], alone | NOBODY)
    (var / "trust.json").unlink()
    assert "run `headgate init`, or copy it" in _says(["run", "projector"], alone | NOBODY)


def test_a_port_that_is_taken(alone: dict[str, str]) -> None:
    """`broker --port` on a port that somebody has is one sentence with the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in _says(["broker", "--port", str(port)], alone)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"version = ", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"version = 1\n" + b"#" * 30_000, "at most"),
        (b"version = 2\n", "version"),
        ((DEPLOY / "policy.toml").read_bytes() + b"surprise = true\n", "surprise"),
        (None, "No such file"),
    ],
)
def test_a_bad_policy(alone: dict[str, str], tmp_path: Path, document: bytes | None, sentence: str) -> None:
    """`policy check`, `policy adopt` and `init` refuse a policy that cannot be used, before anything is touched."""
    path = tmp_path / "policy.toml"
    if document is not None:
        path.write_bytes(document)
    for arguments in (["policy", "check", str(path)], ["policy", "adopt", str(path)], ["init", "--policy", str(path)]):
        said = _says(arguments, alone)
        assert sentence in said
        assert str(path) in said


def test_bad_systems(alone: dict[str, str], tmp_path: Path) -> None:
    """A systems document with a target that is none is one sentence that names the place."""
    path = tmp_path / "systems.toml"
    path.write_text((DEPLOY / "systems.toml").read_text().replace("envoy:shuttle", "nginx:shuttle"))
    assert "systems.radiator.models.shuttle" in _says(["systems", "check", str(path)], alone)


def test_bad_keys(alone: dict[str, str], var: Path) -> None:
    """A key that is damaged, absent, protected or taken is one sentence each."""
    create(var / "keys", "ana")
    create(var / "keys", "ben", b"correct horse battery")
    assert "exists" in _says(["keys", "new", "ana"], alone)
    assert "needs its passphrase" in _says(["approve", "x", "--as", "ben"], alone)
    (var / "phrase").write_text("another horse battery")
    wrong = ["approve", "x", "--as", "ben", "--passphrase-file", str(var / "phrase")]
    assert "its passphrase is another" in _says(wrong, alone)
    assert "headgate keys new eva" in _says(["deny", "x", "--as", "eva"], alone)
    (var / "keys" / "ana.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert "damaged" in _says(["approve", "x", "--as", "ana"], alone)
    (var / "keys" / "ana.pub").write_text("hello\n")
    assert "a public key is one line" in _says(["keys", "enrol", str(var / "keys" / "ana.pub"), "--role", "sre"], alone)


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("HEADGATE_BOOTSTRAP_SERVER", "127.0.0.1:1", "did you mean HEADGATE_BOOTSTRAP_SERVERS?"),
        ("HEADGATE_BOOTSTRAP_SERVERS", "somewhere", "is not host:port"),
        ("HEADGATE_LEDGER", "Not A Name", "HEADGATE_LEDGER"),
        ("HEADGATE_PARTITIONS", "many", "HEADGATE_PARTITIONS"),
        ("HEADGATE_SECURITY_PROTOCOL", "SASL_SSL", "HEADGATE_SASL_USERNAME"),
    ],
)
def test_a_bad_setting(alone: dict[str, str], setting: str, value: str, sentence: str) -> None:
    """A setting that is unknown or unusable is named, with exit status 2, whatever the command."""
    for arguments in (["schemas", "list"], ["incidents"]):
        assert sentence in _says(arguments, alone | {setting: value}, status=2)


def test_an_unknown_role(alone: dict[str, str]) -> None:
    """`run` names the roles that there are."""
    assert "nobody is no role" in _says(["run", "nobody"], alone, status=2)


@pytest.mark.parametrize("arguments", [["keys", "new", "ana"], ["broker"], ["init"]])
@pytest.mark.broker
def test_a_state_directory_that_is_none(environ: dict[str, str], tmp_path: Path, arguments: list[str]) -> None:
    """Where HEADGATE_VAR is a file the sentence names it."""
    (tmp_path / "file").write_text("")
    if arguments == ["broker"]:
        environ = {name: value for name, value in environ.items() if name != "HEADGATE_BOOTSTRAP_SERVERS"}
    assert str(tmp_path / "file") in _says(arguments, environ | {"HEADGATE_VAR": str(tmp_path / "file")})


@pytest.mark.broker
def test_a_full_disk(environ: dict[str, str], settings: Settings, tmp_path: Path) -> None:
    """Where no file can grow, keys, ledger, registrar and broker each end with one sentence, and half a key is none."""
    elsewhere = environ | {"HEADGATE_VAR": str(tmp_path / "full")}
    assert "cannot be written" in _says(["keys", "new", "ana"], elsewhere, before=FULL)
    assert "cannot be written" in _says(["init"], elsewhere, before=FULL)
    assert list((tmp_path / "full" / "keys").iterdir()) == []
    begin(settings)
    assert "cannot be written" in _says(["run", "registrar"], environ, before=FULL)
    without = {name: value for name, value in elsewhere.items() if name != "HEADGATE_BOOTSTRAP_SERVERS"}
    assert str(tmp_path / "full") in _says(["broker"], without, before=FULL)
