"""docker-compose.yml and the Dockerfile name only what the product has."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from bridge.settings import load
from workers.main import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file, anchors resolved."""
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    found: dict[str, Any] = compose["services"]
    return found


def _ours(services: dict[str, Any]) -> dict[str, Any]:
    return {name: row for name, row in services.items() if row["image"] == "fhir-anchor"}


def test_every_process_of_the_production_shape_is_there(services: dict[str, Any]) -> None:
    """api, mllp, worker and beat beside postgres, redis and a dev chain."""
    wanted = {"api", "mllp", "worker", "beat", "postgres", "redis", "devchain"}

    assert wanted <= set(services)


def test_every_command_exists(services: dict[str, Any]) -> None:
    """Each `command` is parsed by the product's own command line."""
    root = get_command(app)

    for name, row in _ours(services).items():
        command: Any = root
        words = [str(word) for word in row["command"]]
        while words and hasattr(command, "commands") and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands"), f"{name}: {row['command']}"
        options = {flag for parameter in command.params for flag in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, name


def test_every_variable_is_a_setting(services: dict[str, Any]) -> None:
    """The environment of each service loads without an unknown key."""
    for row in _ours(services).values():
        environment = {
            key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))
            for key, value in row["environment"].items()
        }

        load(environment=environment)


def test_published_ports_are_the_ports_that_are_listened_on(services: dict[str, Any]) -> None:
    """Container side of each mapping equals the service's own port setting."""
    for name, key in (("api", "HTTP"), ("mllp", "MLLP")):
        inside = {mapping.rsplit(":", 1)[1] for mapping in services[name]["ports"]}

        assert inside == {services[name]["environment"][f"FHIR_ANCHOR__{key}__PORT"]}


def test_doors_are_published_on_loopback_alone(services: dict[str, Any]) -> None:
    """Nobody opens a clinical door to the world by `docker compose up`."""
    published = [port for row in services.values() for port in row.get("ports", [])]

    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_image_holds_every_folder_that_the_wheel_needs() -> None:
    """What pyproject packages is what the Dockerfile copies."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")

    copied = set(re.findall(r"^COPY (\w+) \w+$", dockerfile, re.MULTILINE))

    assert {"bridge", "adapters", "workers", "config"} <= copied
