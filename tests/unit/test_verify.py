"""What verification finds, what is said of it, and the exit status of `headgate audit`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.commands import Acknowledge
from schemas.errors import HeadgateError
from schemas.merkle import EMPTY_ROOT
from schemas.note import Checkpoint
from schemas.note import sign as sign_note
from schemas.policy import Policy
from streams.cli.audit import command
from streams.ledger.keyring import write_trust
from streams.ledger.verify import read_note, verify
from streams.settings import Settings
from streams.view.telling import entry_document, entry_lines, instant, plain, printable
from tests.folders import Memory, eventful, exported, long, of, verified
from tests.ledgers import INCIDENT, ROOT, Ledger, key_of
from tests.play import opened, resolved


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A ledger with voids, refusals and a resolved case."""
    return eventful()


@pytest.fixture(scope="module")
def folder(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its export, and its trust file beside it."""
    directory = tmp_path_factory.mktemp("audit")
    write_trust(directory / "trust.json", ledger.trust)
    (directory / "kept").write_text(ledger.notes[5])
    return exported(ledger, directory / "ledger")


def _signed(size: int, root: bytes) -> str:
    return sign_note(Checkpoint("play", size, root), "play", key_of("log"))


def test_a_report_counts_what_is_there(ledger: Ledger) -> None:
    """Entries, events, outcomes and voids are counted, each void with its reason."""
    report = verified(ledger)
    assert report.verified
    assert report.entries == len(ledger.leaves)
    assert report.checkpoints == len(ledger.notes)
    assert report.outcomes == {"accepted": 15, "refused": 2, "void": 2}
    assert [index for index, _ in report.voids] == [15, 16]
    assert report.events["ApprovalGiven"] == 2
    assert ledger.fold.checkpoint is not None
    assert report.root == ledger.fold.checkpoint.root.hex()
    assert json.loads(json.dumps(report.document()))["voids"][0]["index"] == 15


def test_what_is_said_is_what_was_found(ledger: Ledger) -> None:
    """Without trust nothing is verified; complete is said only with trust and an older checkpoint."""
    kept = ledger.notes[5].encode()
    alone = verify(of(ledger), since=kept)
    assert alone.sentence() == f"consistent under genesis {alone.genesis}; identity and completeness not checked"
    assert (alone.verified, alone.identity_checked, alone.complete_since) == (False, False, None)
    assert "completeness not checked" in verified(ledger).sentence()
    both = verify(of(ledger), trust=ledger.trust, since=kept)
    assert (both.sentence(), both.complete_since) == ("verified and complete since size 6", 6)


def test_an_unfinished_leaf_is_told_and_not_judged(ledger: Ledger) -> None:
    """On a topic, leaves after the newest checkpoint are not final; a gap in the checkpoints is no harm."""
    report = verify(Memory([*ledger.leaves, b"?"], ledger.notes), trust=ledger.trust)
    assert (report.verified, report.unfinished) == (True, 1)
    assert not verify(Memory([*ledger.leaves, b"?"], ledger.notes, strict=True)).consistent


def test_a_topic_whose_tail_is_gone_contradicts_its_checkpoints(ledger: Ledger) -> None:
    """Leaves that a checkpoint covers and that are not there are missed."""
    report = verify(Memory(ledger.leaves[:7], ledger.notes), trust=ledger.trust)
    assert (report.first_bad_index, report.entries) == (7, 7)


def test_every_checkpoint_must_agree_the_older_ones_too(ledger: Ledger) -> None:
    """A late checkpoint of the same history is fine; one of another history, signed by the log, is a fork."""
    late = [*ledger.notes, ledger.notes[3], ledger.notes[3], ledger.notes[0]]
    assert verify(Memory(ledger.leaves, late), trust=ledger.trust).verified
    for size in (0, 4, len(ledger.leaves)):
        forked = [*ledger.notes, _signed(size, b"f" * 32)]
        report = verify(Memory(ledger.leaves, forked), trust=ledger.trust)
        assert (report.consistent, report.first_bad_index) == (False, max(size - 1, 0))
    twice = [*ledger.notes, ledger.notes[3], _signed(4, b"f" * 32)]
    assert verify(Memory(ledger.leaves, twice), trust=ledger.trust).first_bad_index == 3
    assert verify(Memory(ledger.leaves, [_signed(0, EMPTY_ROOT), *ledger.notes]), trust=ledger.trust).verified


def test_what_covers_nothing_proves_nothing(ledger: Ledger) -> None:
    """An empty ledger, one without a checkpoint, and one that does not begin with its establishment are broken."""
    assert verify(Memory([], [])).first_bad_index == 0
    assert verify(Memory(ledger.leaves, [])).first_bad_index == 0
    assert verify(Memory([b"x"], ledger.notes)).first_bad_index == 0
    assert verify(Memory([b"x"], ledger.notes, strict=True)).first_bad_index == 0


def test_a_kept_checkpoint_must_be_a_prefix(ledger: Ledger) -> None:
    """One of another history or another log fails, one of the whole ledger does not."""
    other = long(len(ledger.leaves))
    differs = verify(of(ledger), trust=ledger.trust, since=other.notes[8].encode())
    assert (differs.consistent, differs.first_bad_index) == (False, 8)
    foreign = _signed(3, b"f" * 32).replace("play", "plan")
    assert verify(of(ledger), trust=ledger.trust, since=foreign.encode()).first_bad_index == 0
    assert verify(of(ledger), trust=ledger.trust, since=ledger.notes[-1].encode()).complete_since == len(ledger.leaves)


def test_a_kept_checkpoint_is_read_within_bounds(tmp_path: Path) -> None:
    """A file that is missing, empty or huge is refused with a sentence."""
    (tmp_path / "empty").touch()
    (tmp_path / "huge").write_bytes(b"x" * 70_000)
    for name in ("missing", "empty", "huge"):
        with pytest.raises(HeadgateError, match=name):
            read_note(tmp_path / name)


def test_voids_are_listed_up_to_a_bound_and_counted_beyond() -> None:
    """A flood of foreign leaves makes no report of boundless length."""
    ledger = opened()
    for _ in range(1100):
        ledger.write(b"noise")
    ledger.checkpoint()
    report = verified(ledger)
    assert (report.outcomes["void"], len(report.voids)) == (1100, 1000)


def test_entries_are_handed_over_in_order_and_progress_is_told() -> None:
    """`take` sees each entry once, in order; progress grows."""
    ledger, seen, steps = long(600), list[int](), list[tuple[int, int]]()
    report = verify(
        of(ledger),
        take=lambda found: seen.extend(v.index for v in found),
        progress=lambda done, total: steps.append((done, total)),
    )
    assert seen == list(range(600)) == list(range(report.entries))
    assert steps == [(256, 600), (512, 600)]


def _headgate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streams", "audit", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_exits_0_for_a_sound_ledger_and_1_for_a_changed_one(folder: Path, tmp_path: Path) -> None:
    """As a process: the report as JSON, the sentence, the status."""
    trust, kept = folder.parent / "trust.json", folder.parent / "kept"
    sound = _headgate("verify", folder, "--trust", trust, "--since", kept, "--json")
    assert sound.returncode == 0, sound.stderr
    report = json.loads(sound.stdout)
    assert (report["verified"], report["complete_since"], report["first_bad_index"]) == (True, 6, None)
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", folder, broken], check=True)
    data = bytearray((broken / "entries/000000").read_bytes())
    data[5] ^= 1
    (broken / "entries/000000").write_bytes(data)
    failed = _headgate("verify", broken)
    assert failed.returncode == 1
    assert "NOT VERIFIED, first bad index 0" in failed.stdout
    assert "Traceback" not in failed.stderr


def _run(*arguments: str | Path, var: Path = Path("nowhere")) -> Result:
    settings = Settings.model_validate({"var": var, "bootstrap_servers": "localhost:1"})
    return CliRunner().invoke(command, [str(word) for word in arguments], obj=settings)


def test_the_command_says_exactly_what_was_not_checked(folder: Path, ledger: Ledger) -> None:
    """Without trust the last line is the sentence of the design, and the status is 0."""
    done = _run("verify", folder)
    genesis = ledger.trust.genesis
    assert done.exit_code == 0
    expected = f"consistent under genesis {genesis}; identity and completeness not checked"
    assert done.output.splitlines()[-1] == expected


def test_show_prints_entries_for_people_and_for_programs(folder: Path, ledger: Ledger) -> None:
    """All entries, one, a range and an incident's, as text and as JSON lines."""
    lines = _run("show", folder, "--json").output.splitlines()
    assert [json.loads(line)["index"] for line in lines] == list(range(len(ledger.leaves)))
    approval = json.loads(lines[7])
    assert (approval["principal"], approval["kind"], approval["outcome"]) == ("p-max", "Approve", "accepted")
    assert approval["events"][0]["type"] == "ApprovalGiven"
    assert "void" in json.loads(lines[15])
    one = _run("show", "7", folder).output
    assert "p-max" in one
    assert "reason: looks right" in one
    some = _run("show", folder, "--from", "3", "--to", "5", "--json").output.splitlines()
    assert [json.loads(line)["index"] for line in some] == [3, 4, 5]
    about = _run("show", folder, "--incident", INCIDENT, "--json").output.splitlines()
    assert all(json.loads(line)["incident"] == INCIDENT for line in about)
    assert "void: " in _run("show", folder).output


def test_replay_prints_the_state_of_that_moment(folder: Path) -> None:
    """Before the approvals the plan is pending, after them authorised, at the end the case is resolved."""
    states = {
        at: json.loads(_run("replay", folder, "--at", str(at), "--incident", INCIDENT).output)["case"]
        for at in (3, 6, 8, 13, 15)
    }
    assert states[3]["plan"] is None
    assert [states[at]["plan"]["state"] for at in (6, 8)] == ["pending", "authorised"]
    assert states[13]["phase"] == states[15]["phase"] == "resolved"
    whole = json.loads(_run("replay", folder, "--at", "13").output)
    assert whole["control"]["ledger"] == "play"
    assert whole["control"]["policies"][whole["control"]["policy_digest"]]["version"] == 1
    assert list(whole["cases"]) == [INCIDENT]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "99"], "no entry 99"),
        (["show", "1", "2"], "at most one INDEX"),
        (["replay", "--at", "99"], "no entry 99"),
        (["replay", "--at", "3", "--incident", "x"], "no incident x"),
    ],
)
def test_what_is_not_there_is_said(folder: Path, arguments: list[str], says: str) -> None:
    """An index, an incident or an argument that makes no sense is one sentence."""
    done = _run(*arguments, folder)
    assert isinstance(done.exception, HeadgateError)
    assert says in str(done.exception)


def test_the_trust_file_of_this_machine_is_printed(ledger: Ledger, tmp_path: Path) -> None:
    """`audit trust` prints exactly the file; where there is none it says how it comes about."""
    assert "headgate init" in str(_run("trust", var=tmp_path).exception)
    write_trust(tmp_path / "trust.json", ledger.trust)
    assert json.loads(_run("trust", var=tmp_path).stdout)["genesis"] == ledger.trust.genesis


def test_a_terminal_is_never_moved_by_what_a_ledger_says() -> None:
    """Control characters from titles and reasons do not reach the terminal, and lines are bounded."""
    ledger = resolved()
    ledger.ask(Acknowledge(incident="\x1b[2J\n" + "x" * 100, note=""), "max")
    text = "".join(entry_lines(ledger.verified[-1], whole=True))
    assert text.isprintable()
    assert len(printable("x" * 10_000)) == 401


def test_every_value_becomes_json() -> None:
    """Keys, sets, bytes, documents and models of pydantic are told; times that no calendar has do not fail."""
    ledger = opened()
    json.dumps([entry_document(found) for found in ledger.verified])
    assert entry_document(ledger.verified[1])["command"]["document"].startswith("#")
    assert plain({"a": b"\1", "b": frozenset({2, 1}), "c": (1,)}) == {"a": "01", "b": [1, 2], "c": [1]}
    assert isinstance(plain(ledger.control.policy), dict)
    assert isinstance(ledger.control.policy, Policy)
    assert instant(0) == "1970-01-01T00:00:00.000Z"
    assert instant(10**18) == "1000000000000000000 ms"
