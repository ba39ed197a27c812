"""Probe sets and their runs against a real server on loopback: pinned and bounded, whatever the other side says."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas import probing, systems
from schemas.errors import PolicyError
from schemas.probing import Probe
from streams.__main__ import headgate
from streams.probes.asking import MAX_ANSWER, MAX_SILENCE, Asker
from streams.probes.prober import read_set
from streams.settings import Settings
from tests.answering import Model, exchanged

PROBES = [{"income": 10 * n} for n in range(8)]
DOCUMENT = probing.write(probing.ProbeSet(version=1, model="credit", output="prediction", probes=tuple(PROBES)))
DIGEST = probing.digest(DOCUMENT)


def ask(model: Model, **given: Any) -> Any:
    """Return the result of a run."""
    with Asker(model.url, given.pop("timeout", 5.0), given.pop("token", None)) as asker:
        return asker.run(probing.read(DOCUMENT, "probes"), DIGEST, "1", 0)


def test_equal_answers_have_one_fingerprint_and_others_another() -> None:
    """The same model gives the same fingerprint twice; an exchanged one differs, and every probe was sent."""
    with Model() as model:
        first, again = ask(model), ask(model, token="s3cret")
        assert first.fingerprint == again.fingerprint
        assert model.asked == [("", body) for body in PROBES] + [("Bearer s3cret", body) for body in PROBES]
        model.answer = exchanged
        changed = ask(model)
    assert changed.fingerprint != first.fingerprint
    assert all(changed.exact)


@pytest.mark.parametrize(
    "answer",
    [b"no json", b"[" * 100_000, b'"' + b"x" * (MAX_ANSWER + 1) + b'"', b"{}", b"\xff\xfe"],
    ids=["text", "deep", "huge", "without the output", "bytes"],
)
def test_an_answer_that_is_none_is_empty_and_the_rest_is_not_asked(answer: bytes) -> None:
    """Whatever comes back, the run ends with empty answers, after three probes."""
    with Model(lambda _: answer) as model:
        result = ask(model)
        assert len(model.asked) == MAX_SILENCE
    assert (set(result.exact), set(result.coarse)) == ({""}, {""})
    assert len(result.exact) == len(PROBES)


def test_nobody_listening_is_an_empty_run() -> None:
    """A refused connection is no error of the prober."""
    with Model() as model:
        pass
    assert set(ask(model, timeout=0.5).exact) == {""}


def test_only_the_pinned_probe_set_is_asked(tmp_path: Path) -> None:
    """Another file of the name, one of another model, or none at all is refused, and the reason says what to do."""
    settings = Settings.model_validate({"var": tmp_path})
    probe = Probe(endpoint="https://models.example/credit", file="credit.json", digest=DIGEST)
    with pytest.raises(PolicyError, match="headgate probe build"):
        read_set(settings, "credit", probe)
    settings.probes_directory.mkdir()
    path = settings.probes_directory / "credit.json"
    path.write_bytes(DOCUMENT)
    assert read_set(settings, "credit", probe).probes == tuple(PROBES)
    with pytest.raises(PolicyError, match="not of other"):
        read_set(settings, "other", probe)
    path.write_bytes(DOCUMENT + b" ")
    with pytest.raises(PolicyError, match="pins"):
        read_set(settings, "credit", probe)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "ftp://models.example/x"),
        ("endpoint", "file:///etc/passwd"),
        ("endpoint", "https://user:secret@models.example/x"),
        ("endpoint", "https://"),
        ("file", "../keys/admin.pem"),
        ("file", "/etc/passwd"),
        ("token", "../x"),
        ("digest", "abc"),
        ("every_seconds", 0),
        ("timeout_seconds", 1000),
        ("headers", "x"),
    ],
)
def test_a_probe_that_the_systems_document_may_not_declare_is_refused(field: str, value: object) -> None:
    """Only http(s) without credentials, plain file names, whole digests and bounded times."""
    given = {"endpoint": "https://models.example/x", "file": "x.json", "digest": DIGEST, field: value}
    lines = "\n".join(f"{name} = {json.dumps(said)}" for name, said in given.items())
    head = 'version = 1\n[systems.loans]\nscope = "decides"\n[systems.loans.models.credit.probe]\n'
    with pytest.raises(PolicyError, match=field):
        systems.read((head + lines).encode())


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 20_000,
        b'{"version":1,"model":"m","probes":[1]}',
        b" " * (probing.MAX_FILE + 1),
    ],
)
def test_bytes_that_are_no_probe_set_are_refused_in_a_sentence(document: bytes) -> None:
    """Nothing but a PolicyError escapes, and it names the file."""
    with pytest.raises(PolicyError, match=r"given\.json"):
        probing.read(document, "given.json")


def test_the_command_line_builds_shows_and_runs_probes(tmp_path: Path) -> None:
    """From a file of inputs to a declared digest to a fingerprint; the errors are sentences."""
    inputs, made = tmp_path / "inputs.jsonl", tmp_path / "probes" / "credit.json"
    inputs.write_text("\n".join(json.dumps(body) for body in PROBES), "utf-8")

    def said(*arguments: object) -> Any:
        result = CliRunner().invoke(headgate, ["probe", *map(str, arguments)])
        assert result.exit_code == 0, result.output
        return result.stdout

    built = said("build", inputs, "--model", "credit", "--output", "prediction", "--out", made)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    assert f'file = "credit.json", digest = "{digest}"' in built
    assert json.loads(said("show", made, "--json"))["digest"] == digest
    assert "8 probes of credit" in said("show", made)
    with Model() as model:
        found = json.loads(said("run", made, "--endpoint", model.url, "--json"))
        assert found["fingerprint"] in said("run", made, "--endpoint", model.url)
    assert len(found["exact"]) == len(PROBES)
    for arguments in (["run", made, "--endpoint", "ftp://x"], ["show", inputs]):
        result = CliRunner().invoke(headgate, ["probe", *map(str, arguments)])
        assert isinstance(result.exception, PolicyError)
