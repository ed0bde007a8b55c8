"""`fhir-anchor up` and the processes that it stands for."""

from typing import Annotated

import typer

from bridge.cli.options import Config, Data, HostPort, host_port, settings_of

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def up(
    data: Data = None,
    config: Config = None,
    http: HostPort = None,
    mllp: HostPort = None,
) -> None:
    """Everything in one go; database, broker and chain are embedded where no URL is set."""
    from workers.up import run

    run(settings_of(data, config, {**host_port("http", http), **host_port("mllp", mllp)}))


@commands.command()
def demo(
    data: Data = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """The story: a feed arrives, is anchored, a record is proved, two lies are caught."""
    from workers.demo import run

    run(data, as_json=json)


@commands.command()
def api(data: Data = None, config: Config = None) -> None:
    """The HTTP doors."""
    from workers.asgi import serve

    serve(settings_of(data, config))


@commands.command("mllp")
def mllp_door(data: Data = None, config: Config = None) -> None:
    """The MLLP door."""
    from workers.mllp.process import serve

    serve(settings_of(data, config))


@commands.command()
def worker(data: Data = None, config: Config = None) -> None:
    """A Celery worker: projects, sequences, anchors and watches."""
    from workers.tasks import run_worker

    run_worker(settings_of(data, config))


@commands.command()
def beat(data: Data = None, config: Config = None) -> None:
    """Celery beat: wakes the workers by the clock."""
    from workers.celery_app import run_beat

    run_beat(settings_of(data, config))


@commands.command()
def devchain(
    data: Data = None,
    config: Config = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8545,
) -> None:
    """A local EVM that keeps its blocks on disk; for trying things out, no evidence by itself."""
    from bridge.embedded.devchain import run
    from workers.places import DEVCHAIN_FOLDER
    from workers.sources import SystemClock, SystemEntropy

    folder = settings_of(data, config).data / DEVCHAIN_FOLDER
    run(folder, host, port, clock=SystemClock(), entropy=SystemEntropy())
