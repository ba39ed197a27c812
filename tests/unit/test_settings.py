"""Settings: what the environment may say, and how it is told that it may not."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.errors import BrokerError, PolicyError
from streams.__main__ import COMMANDS, headgate
from streams.settings import Settings, load_settings


def test_an_empty_environment_means_the_embedded_broker() -> None:
    """Nothing needs to be set."""
    settings = load_settings({})
    assert (settings.bootstrap_servers, settings.ledger, settings.partitions) == (None, "headgate", 4)
    assert settings.broker_directory == Path("var/broker")


def test_every_field_can_be_set() -> None:
    """A variable is HEADGATE_ and the field's name; an empty one counts as unset; other programs' are left alone."""
    given = {"HEADGATE_LEDGER": "second", "HEADGATE_PARTITIONS": "12", "HEADGATE_TEST_COMPLETE": "1"}
    settings = load_settings(given | {"HEADGATE_VAR": "", "PATH": "/bin"})
    assert (settings.ledger, settings.partitions, settings.test_complete) == ("second", 12, True)
    assert settings.var == Path("var")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("HEADGATE_BOOTSTRAP_SERVER", "HEADGATE_BOOTSTRAP_SERVERS"),
        ("HEADGATE_LEGER", "HEADGATE_LEDGER"),
        ("headgate_var", "HEADGATE_VAR"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_right_one(name: str, near: str) -> None:
    """A setting that would have been ignored is an error instead."""
    with pytest.raises(PolicyError, match=f"{name} is not a setting of Headgate; did you mean {near}"):
        load_settings({name: "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEADGATE_LEDGER", "Upper"),
        ("HEADGATE_LEDGER", "a" * 42),
        ("HEADGATE_PARTITIONS", "0"),
        ("HEADGATE_PARTITIONS", "many"),
        ("HEADGATE_BOOTSTRAP_SERVERS", "nowhere"),
        ("HEADGATE_BOOTSTRAP_SERVERS", "a:1,b:99999"),
        ("HEADGATE_SECURITY_PROTOCOL", "TLS"),
        ("HEADGATE_LOG_LEVEL", "loud"),
    ],
)
def test_an_unusable_value_is_one_sentence_that_names_the_variable(name: str, value: str) -> None:
    """The operator reads which variable is wrong and what it should be."""
    with pytest.raises(PolicyError, match=f"^{name}: [^\n]+\\.$"):
        load_settings({name: value})


def test_sasl_without_a_password_is_refused_and_no_secret_is_shown(tmp_path: Path) -> None:
    """Half a login is an error, a password comes from a file, and neither error nor repr holds one."""
    sasl = {"HEADGATE_SECURITY_PROTOCOL": "SASL_SSL", "HEADGATE_SASL_USERNAME": "detect"}
    with pytest.raises(PolicyError, match="HEADGATE_SASL_PASSWORD_FILE"):
        load_settings(sasl)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_settings(sasl | {"HEADGATE_SASL_PASSWORD_FILE": str(tmp_path / "absent")})
    with pytest.raises(PolicyError) as refused:
        load_settings({"HEADGATE_SASL_PASSWORD": "hunter2", "HEADGATE_PARTITIONS": "-1"})
    assert "hunter2" not in str(refused.value)
    (tmp_path / "password").write_text("hunter2\n")
    settings = load_settings(sasl | {"HEADGATE_SASL_PASSWORD_FILE": str(tmp_path / "password")})
    assert settings.password is not None
    assert settings.password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(load_settings(sasl | {"HEADGATE_SASL_PASSWORD": "hunter2"}))


def test_settings_do_not_change() -> None:
    """What was read at the start holds to the end."""
    settings = load_settings({})
    with pytest.raises(ValueError, match="frozen"):
        settings.ledger = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        '{"pid": 1}',
        '{"pid": "x", "bootstrap_servers": "a:1"}',
        '{"pid": 4194304999999, "bootstrap_servers": "a:1"}',
        '{"pid": 1, "bootstrap_servers": "nowhere"}',
        "\udcff",
    ],
)
def test_a_damaged_address_file_means_that_no_broker_runs(tmp_path: Path, content: str) -> None:
    """Whatever stands in address.json, the answer is an address or a sentence that says how to start a broker."""
    settings = Settings.model_validate({"var": tmp_path})
    settings.broker_directory.mkdir()
    (settings.broker_directory / "address.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BrokerError, match="headgate broker"):
        assert settings.brokers


def test_the_address_of_a_live_broker_is_found(tmp_path: Path) -> None:
    """An address whose process lives is used, and HEADGATE_BOOTSTRAP_SERVERS goes before it."""
    settings = Settings.model_validate({"var": tmp_path})
    settings.broker_directory.mkdir()
    address = {"pid": os.getpid(), "bootstrap_servers": "127.0.0.1:20001"}
    (settings.broker_directory / "address.json").write_text(json.dumps(address))
    assert settings.brokers == "127.0.0.1:20001"
    assert settings.model_copy(update={"bootstrap_servers": "k:9092"}).brokers == "k:9092"


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_teaches_its_use(name: str) -> None:
    """Each command that is listed can be loaded, and answers --help."""
    answer = CliRunner().invoke(headgate, [name, "--help"])
    assert answer.exit_code == 0, answer.output
    assert "Usage: headgate" in answer.output
