"""One frozen Settings: config/default.toml, then a file, the environment, the command line.

Unknown keys refuse to start, naming the key and the nearest right one.
"""

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import reduce
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from bridge.core.errors import BridgeError, Fault

__all__ = ["Settings", "load", "shipped"]

PREFIX = "FHIR_ANCHOR__"
OTHER_VARIABLES = {"FHIR_ANCHOR__CONFIG"}
Port = Field(ge=0, le=65535)
CertificateSender = Annotated[str, Field(pattern=r"^.+=[^=]+$")]
"""`COMMON NAME=PROFILE`; a list of these survives an environment variable, a table does not."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Store(_Section):
    """PostgreSQL."""

    url: str = Field(pattern=r"^$|^postgres(ql)?://")
    password_file: str
    pool_size: int = Field(ge=1, le=200)


class Queue(_Section):
    """Celery's broker: wake-ups only, nothing is lost with it."""

    url: str = Field(pattern=r"^$|^(rediss?|redis\+socket|sentinel|amqps?|pyamqp)://")


class Chain(_Section):
    """Where checkpoints are anchored."""

    name: str
    rpc: tuple[str, ...]
    agree: int = Field(ge=0)
    key_file: str
    key_password_file: str


class Log(_Section):
    """The Merkle log and its key."""

    origin: str = Field(min_length=1, max_length=200, pattern=r"^[^\s+]+$")
    key_file: str
    max_leaves: int = Field(ge=1, le=1_000_000)
    max_age_s: float = Field(gt=0)
    mark_s: float = Field(gt=0)


class Anchor(_Section):
    """How often the newest head goes to the chain."""

    form: Literal["contract", "calldata"]
    every_s: float = Field(ge=0)
    watch_s: float = Field(gt=0)
    budget_gwei: int = Field(ge=0)
    budget_s: float = Field(gt=0)


class OpenTimestamps(_Section):
    """Stamps by Bitcoin through public calendars."""

    calendars: tuple[str, ...]
    every_s: float = Field(gt=0)


class Rfc3161(_Section):
    """Stamps by a time-stamp authority."""

    url: str
    every_s: float = Field(gt=0)


class Http(_Section):
    """The FastAPI door."""

    host: str
    port: int = Port
    public_url: str = Field(pattern=r"^$|^https?://[^\s?#]+$")
    max_connections: int = Field(ge=1)
    statement_timeout_s: float = Field(ge=0)


class MllpListener(_Section):
    """One address of the MLLP door."""

    host: str
    port: int = Port
    sender: str
    certificate: str
    private_key: str
    client_ca: str
    certificate_senders: tuple[CertificateSender, ...]
    allow: tuple[IPvAnyNetwork, ...]
    mode: Literal["by-message", "original"]
    outage: Literal["close", "answer"]
    application_ack_to: str = Field(pattern=r"^$|^\[?[^\s\]]+\]?:[0-9]{1,5}$")
    messages_per_s: float = Field(ge=0)
    max_connections: int = Field(ge=1)
    max_frame_bytes: int = Field(ge=1024)
    idle_timeout_s: float = Field(gt=0)
    frame_timeout_s: float = Field(gt=0)

    @model_validator(mode="after")
    def _names_need_certificates(self) -> Self:
        """A name that no certificate can carry would let nobody in."""
        if self.certificate_senders and not self.client_ca:
            raise ValueError("certificate_senders needs client_ca")
        if self.client_ca and not self.certificate:
            raise ValueError("client_ca needs certificate and private_key")
        return self


class Mllp(MllpListener):
    """The MLLP door: its own keys are the first listener, and what the others leave out."""

    processes: int = Field(ge=1, le=64)
    listener: tuple[MllpListener, ...]

    @model_validator(mode="before")
    @classmethod
    def _inherit(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Each further listener is the first one with its own keys laid over."""
        shared = {key: value for key, value in given.items() if key in MllpListener.model_fields}
        tables: list[dict[str, Any]] = list(given.get("listener", ()))
        for table in tables:
            if "port" not in table:
                raise ValueError("each [[mllp.listener]] needs a port of its own")
        return {**given, "listener": [shared | table for table in tables]}

    @model_validator(mode="after")
    def _addresses_differ(self) -> Self:
        """Two listeners on one port would share its connections at random."""
        taken = [(one.host, one.port) for one in self.listeners if one.port]
        if len(set(taken)) < len(taken):
            raise ValueError("two listeners have the same host and port")
        return self

    @property
    def listeners(self) -> tuple[MllpListener, ...]:
        """All of them, the first one first."""
        return (self, *self.listener)


class Access(_Section):
    """Bearer tokens and roles."""

    tokens_file: str


class Senders(_Section):
    """Overlays of sending systems."""

    folder: str
    namespace: str = Field(min_length=1)
    validate_bundles: bool
    max_bundle_bytes: int = Field(ge=1 << 20)


class Settings(_Section):
    """All settings of a node; each is explained in config/default.toml."""

    data: Path
    store: Store
    queue: Queue
    chain: Chain
    log: Log
    anchor: Anchor
    opentimestamps: OpenTimestamps
    rfc3161: Rfc3161
    http: Http
    mllp: Mllp
    access: Access
    senders: Senders

    def as_environment(self) -> dict[str, str]:
        """The same settings for a child process; the inverse of reading the environment."""
        return {
            f"{PREFIX}{name.upper().replace('.', '__')}": _text(value)
            for name, value in _leaves(self.model_dump(mode="json"))
        }


def shipped(name: str) -> Path:
    """A file or folder of `config/`: from the checkout, else as packaged in the wheel."""
    beside = Path(__file__).resolve().parents[1] / "config" / name
    return beside if beside.exists() else Path(str(resources.files("bridge") / "_config" / name))


def load(
    *,
    file: Path | None = None,
    environment: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """The settings of this process.

    Args:
        file: TOML with any subset of the keys.
        environment: all variables; only `FHIR_ANCHOR__*` are read.
        overrides: dotted keys from the command line, such as `{"http.port": 8081}`.

    Raises:
        BridgeError: `settings-*` with fault OPERATOR, naming key, place and the nearest right key.
    """
    layers = [_read(shipped("default.toml"))]
    layers += [_read(file)] if file else []
    layers.append(_from_environment(environment, layers[0]))
    layers.append(_nested(dict(overrides or {})))
    known = layers[0]
    for layer, where in zip(layers[1:], _places(file), strict=True):
        _refuse_unknown(layer, known, where)
    try:
        return Settings.model_validate(reduce(_overlay, layers))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise BridgeError(
            "settings-value",
            Fault.OPERATOR,
            what=f"setting {key} has a value that does not fit: {first['msg']}",
            where=key,
            do="see config/default.toml for what it takes",
        ) from error


def _places(file: Path | None) -> Iterator[str]:
    if file:
        yield str(file)
    yield "environment"
    yield "command line"


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BridgeError(
            "settings-file",
            Fault.OPERATOR,
            what=f"the settings file cannot be read: {reason}",
            where=str(file),
            do="give --config a readable TOML file",
        ) from error


def _from_environment(environment: Mapping[str, str], known: dict[str, Any]) -> dict[str, Any]:
    flat = {
        name.removeprefix(PREFIX).lower().replace("__", "."): text
        for name, text in environment.items()
        if name.startswith(PREFIX) and name not in OTHER_VARIABLES
    }
    return _nested({key: _typed(key, text, known) for key, text in flat.items()})


def _typed(key: str, text: str, known: dict[str, Any]) -> object:
    """A list is written as JSON or with commas; everything else is left to the section's types."""
    default: object = known
    for part in key.split("."):
        default = default.get(part) if isinstance(default, dict) else None
    if not isinstance(default, list):
        return text
    if text.lstrip().startswith("["):
        return _json_list(key, text)
    return [part.strip() for part in text.split(",") if part.strip()]


def _json_list(key: str, text: str) -> list[Any]:
    try:
        return TypeAdapter(list[str | dict[str, Any]]).validate_json(text)
    except ValidationError as error:
        raise BridgeError(
            "settings-value",
            Fault.OPERATOR,
            what=f"setting {key} is no JSON list of texts or tables",
            where="environment",
            do='write ["a", "b"], or a,b',
        ) from error


def _nested(flat: Mapping[str, object]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *sections, leaf = key.split(".")
        reduce(lambda at, part: at.setdefault(part, {}), sections, tree)[leaf] = value
    return tree


def _overlay(base: dict[str, Any], layer: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _overlay(base[key], value)
        for key, value in layer.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return base | layer | both


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, list) else str(value)


def _listener_keys(layer: Mapping[str, Any]) -> Iterator[str]:
    """The keys of every `[[mllp.listener]]`, as dotted names."""
    door = layer.get("mllp", {})
    tables = door.get("listener", ()) if isinstance(door, dict) else ()
    for table in tables if isinstance(tables, list) else ():
        yield from (f"mllp.listener.{key}" for key in table if isinstance(table, dict))


def _refuse_unknown(layer: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    names = {name for name, _ in _leaves(layer)} | set(_listener_keys(layer))
    right = sorted(name for name, _ in _leaves(known))
    right += [f"mllp.listener.{key}" for key in MllpListener.model_fields]
    for name in sorted(names.difference(right)):
        nearest = difflib.get_close_matches(name, right, n=1, cutoff=0.0)[0]
        raise BridgeError(
            "settings-unknown",
            Fault.OPERATOR,
            what=f"setting {name} is unknown",
            where=where,
            do=f"remove it, or write {nearest} if that is meant",
        )
