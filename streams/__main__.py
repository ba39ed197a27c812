"""The command `headgate`: reads the settings once, and hands them to the command that was asked for."""

import sys
from importlib import import_module

import click

from schemas.errors import HeadgateError, PolicyError
from streams.clock import install
from streams.logs import configure
from streams.settings import load_settings

# Each name is a module of streams/cli with a click command called `command`; loaded when it is asked for.
COMMANDS: tuple[tuple[str, str], ...] = (
    ("broker", "Run Apache Kafka on this machine."),
    ("init", "Begin a ledger: topics, keys, first entry, trust file."),
    ("run", "Run one or several roles."),
    ("up", "Start everything on this machine, and keep it running."),
    ("demo", "Break a model on purpose, and watch what follows."),
    ("drill", "Play scenarios end to end, and score the response."),
    ("incidents", "What is open, what it waits for, and your response."),
    ("report-failure", "Say that a model seems to fail."),
    ("silence", "Keep known noise from opening incidents and paging; maintenance windows."),
    ("approve", "Agree to the plan of an incident."),
    ("deny", "Refuse the plan of an incident."),
    ("reviews", "Single decisions that wait for a person: uphold or override them."),
    ("delegate", "Let another person decide on plans in your place."),
    ("policy", "How Headgate judges: check, adopt, list, show."),
    ("systems", "What is watched: check, adopt, list, show."),
    ("oncall", "Who is on call, where nobody is, and who would be paged when."),
    ("profile", "What is normal for a model: build, show, check, adopt."),
    ("probe", "Canary probes: build, show, run."),
    ("keys", "Make keys, and have them enrolled or revoked."),
    ("topics", "List, create and check the topics in Kafka."),
    ("backtest", "What would have been raised over a table, a topic or a series."),
    ("explain", "One prediction, rebuilt: what was decided, by which version, from what."),
    ("trace", "One prediction's way: telemetry, windows, incidents, decisions, proofs."),
    ("clocks", "When the law wants a report: the clocks with their articles, and due times."),
    ("messages", "What each audience is told: draft, approve, record as sent, and what is due."),
    ("vendors", "Who provides third parties' systems, and what they owe on open incidents."),
    ("metrics", "How long responses take, how often incidents recur, and how satisfied people are."),
    ("report", "Reports for management: the quarter's trend, the risk register, labelled failures."),
    ("evidence", "An incident's evidence package for a regulator: build and verify."),
    ("archive", "What is kept of predictions, and the evidence of incidents."),
    ("audit", "Verify, export, show and replay the ledger."),
    ("schemas", "List, check and generate the Avro schemas of every record."),
)


class Commands(click.Group):
    """The commands by name; a module is imported only for its own command, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of COMMANDS."""
        del ctx
        return [name for name, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of the command and return it, or None for an unknown name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        loaded = import_module(f"streams.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(loaded, click.Command)
        return _keep_lines(loaded)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS))


def _keep_lines(command: click.Command) -> click.Command:
    r"""Let click find its mark for paragraphs that are not to be wrapped: raw docstrings write it as a plain \b."""
    command.help = command.help and command.help.replace("\\b", "\b")
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _keep_lines(below)
    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headgate")
@click.pass_context
def headgate(ctx: click.Context) -> None:
    """Incident management for machine-learning models in production, on Kafka.

    Settings are environment variables that begin with HEADGATE_; an unknown one is an error. Without
    HEADGATE_BOOTSTRAP_SERVERS the Kafka that `headgate broker` runs is used.
    """
    settings = load_settings()
    configure(settings)
    install(settings)
    ctx.obj = settings


def main() -> None:
    """Run the command line; an expected failure is one sentence on standard error, and status 1, or 2 for settings."""
    try:
        headgate(prog_name="headgate")
    except HeadgateError as error:
        click.echo(f"headgate: {error}", err=True)
        sys.exit(2 if isinstance(error, PolicyError) else 1)
    except TimeoutError:
        click.echo("headgate: something did not answer in time; is Kafka well?", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"headgate: {error.filename or 'a file'} cannot be used: {error.strerror or error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
