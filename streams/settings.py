"""Where Headgate runs: one frozen class, read once from the environment. How it judges is policy, not this."""

import difflib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import BrokerError, PolicyError

PREFIX = "HEADGATE_"


def deploy_directory() -> Path:
    """Return the directory of the files that Headgate is deployed with: in the package, or in the checkout."""
    packaged = Path(__file__).parent / "_deploy"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "deploy"


DEPLOY = deploy_directory()


def user_cache() -> Path:
    """Return this user's cache directory for Headgate (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "headgate"


def _addresses(text: str) -> str:
    for address in text.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise ValueError(f"{address.strip()[:80]!r} is not host:port")
    return ",".join(address.strip() for address in text.split(","))


Addresses = Annotated[str, AfterValidator(_addresses)]
Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


class Settings(BaseSettings):
    """Where this process finds Kafka, keeps its state and says what it does; each field is HEADGATE_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    bootstrap_servers: Addresses | None = Field(None, description="your Kafka; unset, the embedded one")
    ledger: str = Field("headgate", pattern=r"^[a-z][a-z0-9-]{0,40}$", description="ledger and topic prefix")
    var: Path = Field(Path("var"), description="directory of everything written on this machine")
    archive: Path | None = Field(None, description="directory of archive and evidence; unset, archive below var")
    cache: Path = Field(default_factory=user_cache, description="directory of what was fetched")
    partitions: int = Field(4, ge=1, le=1024, description="partitions of the telemetry topics")
    replication: int = Field(1, ge=1, le=7, description="replicas of each topic")
    security_protocol: Protocol = Field("PLAINTEXT", description="how clients talk to Kafka")
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    sasl_password_file: Path | None = Field(None, description="file whose content is the password")
    ca_file: FilePath | None = Field(None, description="certificates that sign the broker's, in PEM")
    receivers: FilePath | None = Field(None, description="file of the webhooks that pages go to")
    envoy_admin: str | None = Field(None, description="URL of Envoy's admin port on loopback")
    mlflow_uri: str | None = Field(None, description="MLflow registry, sqlite:///… for one")
    clock: Path | None = Field(None, description="file of a drill's clock; only for ledgers named drill-…")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    test_broker: Literal["embedded", "docker"] = Field("embedded", description="the broker of the tests")
    test_data: Path | None = Field(None, description="published test vectors; unset, ../shared/data")
    test_complete: bool = Field(default=False, description="the tests fail when none used a broker")

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> Self:
        if self.security_protocol.startswith("SASL") and (not self.sasl_username or self.password is None):
            raise ValueError(
                f"HEADGATE_SECURITY_PROTOCOL={self.security_protocol} needs HEADGATE_SASL_USERNAME and "
                "HEADGATE_SASL_PASSWORD_FILE"
            )
        return self

    @property
    def password(self) -> SecretStr | None:
        """The SASL password, from its file where one is named."""
        if self.sasl_password_file is None:
            return self.sasl_password
        try:
            return SecretStr(self.sasl_password_file.read_text("utf-8").strip())
        except (OSError, UnicodeDecodeError):
            raise ValueError("HEADGATE_SASL_PASSWORD_FILE cannot be read") from None

    @property
    def broker_directory(self) -> Path:
        """Where the embedded broker keeps its data."""
        return self.var / "broker"

    @property
    def keys_directory(self) -> Path:
        """Where private keys of this machine's roles are kept."""
        return self.var / "keys"

    @property
    def archive_directory(self) -> Path:
        """Where predictions and evidence are kept, encrypted."""
        return self.archive or self.var / "archive"

    @property
    def probes_directory(self) -> Path:
        """Where probe sets are."""
        return self.var / "probes"

    @property
    def state_directory(self) -> Path:
        """Where roles keep what they may lose."""
        return self.var / "state"

    @property
    def brokers(self) -> str:
        """The Kafka to talk to: yours, or the embedded one that runs; BrokerError where there is neither."""
        address = self.bootstrap_servers or running_address(self.broker_directory)
        if address is None:
            raise BrokerError(
                f"no broker runs on {self.broker_directory}; start one with `headgate broker`, "
                "or set HEADGATE_BOOTSTRAP_SERVERS."
            )
        return address


def running_address(directory: Path) -> str | None:
    """Return the address of the embedded broker that runs on this directory, or None where none does."""
    try:
        address = json.loads((directory / "address.json").read_bytes())
        os.kill(int(address["pid"]), 0)
        return _addresses(str(address["bootstrap_servers"]))
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process; PolicyError names the variable that is unknown or unusable."""
    names = os.environ if environ is None else environ
    valid = {PREFIX + field.upper() for field in Settings.model_fields}
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name not in valid:
            near = difflib.get_close_matches(name.upper(), valid, n=1, cutoff=0.0)
            raise PolicyError(f"{name} is not a setting of Headgate; did you mean {near[0]}?")
    given = {name.removeprefix(PREFIX).lower(): names[name] for name in valid & names.keys() if names[name]}
    try:
        return Settings.model_validate(given) if environ is not None else Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise PolicyError(f"{PREFIX}{where.upper()}: {reason}." if where else f"{reason}.") from None
