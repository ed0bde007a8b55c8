"""`fhir-anchor`: the console entry. It reads settings, hands ports to commands, and says refusals.

Imports stand inside the commands: `verify` must run where no server dependency is installed, and
every command should start quickly.
"""

import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from bridge.cli.options import Config, Data, HostPort, host_port, settings_of
from bridge.core.errors import BridgeError

__all__ = ["app", "main"]

app = typer.Typer(
    name="fhir-anchor",
    help="A FHIR bridge whose every record can be proved to have existed unchanged.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
NOT_DONE, USAGE = 1, 2


@app.command()
def up(
    data: Data = None,
    config: Config = None,
    http: HostPort = None,
    mllp: HostPort = None,
) -> None:
    """Everything in one go; database, broker and chain are embedded where no URL is set."""
    from workers.up import run

    run(settings_of(data, config, {**host_port("http", http), **host_port("mllp", mllp)}))


@app.command()
def demo(
    data: Data = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """The story: a feed arrives, is anchored, a record is proved, two lies are caught."""
    from workers.demo import run

    run(data, as_json=json)


@app.command()
def api(data: Data = None, config: Config = None) -> None:
    """The HTTP doors."""
    from workers.asgi import serve

    serve(settings_of(data, config))


@app.command("mllp")
def mllp_door(data: Data = None, config: Config = None) -> None:
    """The MLLP door."""
    from workers.feeds import serve

    serve(settings_of(data, config))


@app.command()
def worker(data: Data = None, config: Config = None) -> None:
    """A Celery worker: projects, sequences, anchors and watches."""
    from workers.tasks import run_worker

    run_worker(settings_of(data, config))


@app.command()
def beat(data: Data = None, config: Config = None) -> None:
    """Celery beat: wakes the workers by the clock."""
    from workers.tasks import run_beat

    run_beat(settings_of(data, config))


@app.command()
def devchain(
    data: Data = None,
    config: Config = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8545,
) -> None:
    """A local EVM that keeps its blocks on disk; for trying things out, no evidence by itself."""
    from bridge.embedded.devchain import run
    from workers.sources import SystemClock, SystemEntropy

    folder = settings_of(data, config).data / "devchain"
    run(folder, host, port, clock=SystemClock(), entropy=SystemEntropy())


def main() -> None:
    """Run a command; a refusal is one line on standard error, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except BridgeError as error:
        sys.stderr.write(f"fhir-anchor: {error}\n")
        sys.exit(NOT_DONE)
    except TyperException as error:
        sys.stderr.write(f"fhir-anchor: {error} - see `fhir-anchor --help`\n")
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, also not at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(NOT_DONE)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
