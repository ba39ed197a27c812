"""The evidence package: a stranger checks it with plain Python, and no byte of it can be changed unseen."""

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from schemas.errors import HeadgateError
from schemas.note import Verifier
from streams.reports.package import Wanted, build
from streams.reports.proofs import signed
from streams.reports.verify_package import MANIFEST, check, log_key
from tests.folders import of
from tests.ledgers import INCIDENT, Ledger, key_of
from tests.play import authorised, finish, start

SEALED = b"a sealed file"


def nothing(_: Collection[str]) -> Mapping[str, bytes]:
    """Return no document: there is no Kafka here."""
    return {}


def wanted(**changes: object) -> Wanted:
    """Return what the tests ask for: one report, so that they are fast."""
    asked = {"incident": INCIDENT, "names": {"p-max": "Max Müller"}, "documents": nothing, "forms": ("summary",)}
    return Wanted(**(asked | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A ledger whose incident has a plan, two approvals and an action."""
    told = authorised()
    start(told)
    finish(told)
    return told


@pytest.fixture(scope="module")
def package(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its package, which nobody may write to."""
    folder = tmp_path_factory.mktemp("package") / "case"
    build(of(ledger), ledger.trust, wanted(), folder)
    return folder


def ran(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the package's own verifier: no site-packages (-S), nothing from the environment (-I)."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_a_stranger_verifies_it_with_nothing_but_python(package: Path) -> None:
    """The package's own verifier says so under an interpreter that has no library and no network to ask."""
    found = ran(package)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.endswith("VERIFIED\n")
    assert "decisions: not done: Headgate is not installed here" in found.stdout


def test_where_headgate_is_installed_every_decision_is_made_again(package: Path, ledger: Ledger) -> None:
    """The same verifier re-executes the whole ledger."""
    good, said = check(package)
    assert good
    assert f"decisions: {len(ledger.leaves)} entries were decided again, all as they stand" in said


def test_it_holds_what_a_regulator_asks_for(package: Path, ledger: Ledger) -> None:
    """Reports, proofs, documents in force under their digests, evidence by digest, and the logs by name."""
    files = json.loads((package / MANIFEST).read_bytes())["files"]
    policy, systems = ledger.case.policy, ledger.control.systems_digest
    assert {f"documents/policy-{policy}.toml", f"documents/systems-{systems}.toml"} <= set(files)
    assert {"README.txt", "verify.py", "trust.json", "reports/summary.pdf", "reports/summary.html"} <= set(files)
    kept = json.loads((package / "evidence/index.json").read_bytes())["attached"]
    assert [one["sha256"] for one in kept] == [one.digest for one in ledger.case.evidence]
    assert any("telemetry" in one["name"] for one in json.loads((package / "logs.json").read_bytes())["logs"])


def test_no_byte_of_any_file_can_be_changed_unseen(package: Path, tmp_path: Path) -> None:
    """A byte of every file: of one at its beginning, of the next in its middle, of the next at its end."""
    copy = tmp_path / "case"
    shutil.copytree(package, copy)
    for number, path in enumerate(sorted(one for one in copy.rglob("*") if one.is_file())):
        data = path.read_bytes()
        place = (0, len(data) // 2, len(data) - 1)[number % 3]
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(changed)
        good, said = check(copy)
        assert not good, f"{path.relative_to(copy)} at {place}: {said}"
        path.write_bytes(data)
    assert check(copy)[0]


def test_the_manifest_has_no_free_byte(package: Path, tmp_path: Path) -> None:
    """It is the one file that nothing else names; a byte of it in 499, its first 20 and its last are tried."""
    copy = tmp_path / "case"
    shutil.copytree(package, copy)
    path = copy / MANIFEST
    data = path.read_bytes()
    for place in [*range(20), *range(20, len(data), 499), len(data) - 1]:
        changed = bytearray(data)
        changed[place] ^= 4
        path.write_bytes(changed)
        assert not check(copy)[0], place
    path.write_bytes(data)
    assert check(copy)[0]


def test_a_file_more_or_less_is_found(package: Path, tmp_path: Path) -> None:
    """Nothing can be added or taken out."""
    copy = tmp_path / "case"
    shutil.copytree(package, copy)
    (copy / "reports" / "more.pdf").write_bytes(b"more")
    assert "is not named in" in check(copy)[1][-1]
    (copy / "reports" / "more.pdf").unlink()
    (copy / "README.txt").unlink()
    assert "is missing" in check(copy)[1][-1]


def test_it_can_leave_other_incidents_out(ledger: Ledger, tmp_path: Path) -> None:
    """Without the whole ledger the incident's entries stand by their proofs, and the verifier says what it cannot."""
    build(of(ledger), ledger.trust, wanted(whole=False), tmp_path / "case")
    assert not (tmp_path / "case" / "ledger").exists()
    good, said = check(tmp_path / "case")
    assert good
    assert any(line.startswith("decisions: not possible") for line in said)
    rows = json.loads((tmp_path / "case" / "entries.json").read_bytes())["entries"]
    assert len(rows) <= len(ledger.leaves)


def test_a_zip_holds_the_same_folder(ledger: Ledger, package: Path, tmp_path: Path) -> None:
    """The same ledger gives the same files, in a folder or in a ZIP file."""
    build(of(ledger), ledger.trust, wanted(), tmp_path / "case.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "case.zip").read_bytes())) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        assert names == {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
        assert archive.read(f"case/{MANIFEST}") == (package / MANIFEST).read_bytes()


def test_a_trust_file_of_another_ledger_is_noticed(package: Path, tmp_path: Path) -> None:
    """What the operator gave by another way decides, not the package's own file."""
    trust = json.loads((package / "trust.json").read_bytes())
    (tmp_path / "trust.json").write_text(json.dumps(trust | {"genesis": "00" * 32}))
    good, said = check(package, tmp_path / "trust.json")
    assert not good
    assert "another genesis" in said[-1]


def test_evidence_that_is_not_what_the_ledger_names_is_not_handed_over(ledger: Ledger, tmp_path: Path) -> None:
    """A sealed file with another digest stops the package, and one that is lost is said to be."""
    with pytest.raises(HeadgateError, match="does not have the digest that it is named by"):
        build(of(ledger), ledger.trust, wanted(sealed=lambda _: SEALED), tmp_path / "case")
    assert list(tmp_path.iterdir()) == []

    def lost(_: str) -> bytes:
        raise HeadgateError("the sealed file is not on this machine")

    build(of(ledger), ledger.trust, wanted(sealed=lost), tmp_path / "case")
    kept = json.loads((tmp_path / "case/evidence/index.json").read_bytes())["attached"]
    assert {one["where"] for one in kept} == {"unknown: the sealed file is not on this machine"}


def test_it_is_not_written_over_anything(ledger: Ledger, package: Path) -> None:
    """A place that is taken is refused, and an unknown incident too, and nothing is left behind."""
    with pytest.raises(HeadgateError, match="exists; name another place"):
        build(of(ledger), ledger.trust, wanted(), package)
    with pytest.raises(HeadgateError, match="holds no incident"):
        build(of(ledger), ledger.trust, wanted(incident="nobody"), package.parent / "other")
    assert [path.name for path in package.parent.iterdir()] == ["case"]


def test_signatures_in_plain_python_are_those_of_the_library() -> None:
    """What OpenSSL signs verifies, and neither another message nor another key nor a scalar beyond the order does."""
    key, message = key_of("max"), b"a statement"
    signature = key.sign(message)
    assert signed(key.public.raw, signature, message)
    assert not signed(key.public.raw, signature, message + b".")
    assert not signed(key_of("mia").public.raw, signature, message)
    order = 2**252 + 27742317777372353535851937790883648493
    beyond = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert not signed(key.public.raw, signature[:32] + beyond, message)
    assert not signed(b"\x01" + bytes(31), signature, message)


def test_a_log_key_is_read_whatever_its_base64_holds() -> None:
    """Base64 has plus signs of its own: of 64 keys, some with one, each is read as the library wrote it."""
    verifiers = [Verifier("play", key_of(f"log-{number}").public) for number in range(64)]
    lines = [verifier.to_vkey() for verifier in verifiers]
    assert any(line.count("+") > 2 for line in lines)
    assert [log_key(line) for line in lines] == [("play", one.key_hash, one.key.raw) for one in verifiers]
