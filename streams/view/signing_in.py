"""Who acts at this machine: keys by local name, opened with their passphrase, and names for principals."""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from schemas.errors import HeadgateError, KeyRefusedError
from streams.ledger.keyring import Identity, load, load_public
from streams.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_PASSPHRASE = 2000
Command = TypeVar("Command", bound=Callable[..., Any])


def key_name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Return the name of a key; it is the name of a file too, so nothing else may stand in it."""
    if not _NAME.fullmatch(value):
        raise click.BadParameter("a key's name is 1 to 64 letters, digits and . _ -")
    return value


def signed(default: str | None = None) -> Callable[[Command], Command]:
    """Give a command the options --as and --passphrase-file: whose key signs what it asks."""
    # An option that is given the default None counts as said, so that it would not be asked for (click 8.3).
    asked: dict[str, Any] = {"required": True} if default is None else {"default": default, "show_default": True}

    def decorate(command: Command) -> Command:
        command = passphrase_option(command)
        return click.option(
            "--as",
            "who",
            metavar="NAME",
            callback=key_name,
            help="The key of var/keys that signs it.",
            **asked,
        )(command)

    return decorate


def passphrase_option(command: Command) -> Command:
    """Give a command the option --passphrase-file."""
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A file whose content is the key's passphrase; else it is asked for.",
    )(command)


def read_passphrase(path: Path) -> bytes:
    """Return the passphrase in a file, without the newline at its end."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_PASSPHRASE).rstrip(b"\r\n")
    except OSError as error:
        raise HeadgateError(f"{path} cannot be read: {error.strerror}") from None


def sign_in(settings: Settings, name: str, passphrase_file: Path | None = None) -> Identity:
    """Open a key of this machine; its passphrase comes from the file, or from whoever sits at the terminal."""
    directory = settings.keys_directory
    passphrase = None
    if passphrase_file is not None:
        passphrase = read_passphrase(passphrase_file)
    elif protected(directory / f"{name}.pem"):
        if not sys.stdin.isatty():
            raise KeyRefusedError(f"the key {name} needs its passphrase; give it with --passphrase-file")
        passphrase = str(click.prompt(f"passphrase of {name}", hide_input=True, err=True)).encode()
    return load(directory, name, passphrase)


def protected(path: Path) -> bool:
    """Whether a private key file is encrypted; False where there is none."""
    try:
        with path.open("rb") as file:
            return b"ENCRYPTED" in file.read(64)
    except OSError:
        return False


def names_of(settings: Settings) -> dict[str, str]:
    """Return the local name of each principal whose public key is on this machine."""
    names: dict[str, str] = {}
    for path in sorted(settings.keys_directory.glob("*.pub")):
        try:
            names[load_public(path)[1]] = path.stem
        except KeyRefusedError:
            continue  # `headgate keys list` says that it is damaged
    return names


def called(names: Mapping[str, str], principal: str) -> str:
    """Return a principal with the name that this machine knows for it."""
    return f"{names[principal]} ({principal})" if principal in names else principal
