"""The real application over a real database: a node for a test module, and clients by role."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bridge.core.ids import sha256
from bridge.flows.sequence import sequence
from bridge.settings import load
from bridge.store.database import Database
from workers.asgi import application
from workers.wiring import Services

TOKENS = {
    "sender": "token-of-the-sender",
    "lab": "token-of-the-laboratory",
    "reader": "token-of-the-reader",
    "compliance": "token-of-the-officer",
    "clinic": "token-of-the-clinic",
    "monitor": "token-of-the-monitoring",
}
ROLES = {
    "sender": ["sender"],
    "lab": ["sender"],
    "reader": ["reader"],
    "compliance": ["compliance"],
    "clinic": ["sender", "reader"],
    "monitor": ["monitor"],
}


class InLoop(httpx.BaseTransport):
    """Requests of a blocking client, answered by an application on a loop of its own."""

    def __init__(self, app: FastAPI) -> None:
        """Start the loop."""
        self._asgi = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request, whole."""
        request.read()
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result(60)

    def stop(self) -> None:
        """End the loop with what it holds."""
        asyncio.run_coroutine_threadsafe(
            self._loop.shutdown_default_executor(), self._loop
        ).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._asgi.handle_async_request(request)
        headers = [(k, v) for k, v in answer.headers.raw if k.lower() != b"content-encoding"]
        return httpx.Response(answer.status_code, headers=headers, content=await answer.aread())


@dataclass
class ServedApi:
    """One node's application and its clients."""

    app: FastAPI
    services: Services
    woken: list[None] = field(default_factory=list)
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    def __getitem__(self, role: str) -> httpx.Client:
        """A client with a token of this role; `nobody` has none."""
        return self.clients[role]

    def sequence(self) -> None:
        """Put everything that waits under a signed checkpoint."""
        sequence(
            book=self.services.book,
            signer=self.services.signer,
            clock=self.services.clock,
            origin=self.services.settings.log.origin,
        )


def tokens_file(folder: Path) -> Path:
    """Rows for every role but the admin's."""
    rows = [
        f'[[token]]\nname = "{name}"\nsha256 = "{sha256(TOKENS[name].encode()).hex()}"\n'
        f"roles = {ROLES[name]}\n"
        for name in TOKENS
    ]
    file = folder / "tokens.toml"
    file.write_text("\n".join(rows).replace("'", '"'))
    return file


@pytest.fixture(scope="module")
def api_services(
    database: Database, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """The parts of a node over the module's database."""
    del database  # its tables are there
    folder = tmp_path_factory.mktemp("node")
    settings = load(
        environment={},
        overrides={
            "data": str(folder),
            "store.url": database_url,
            "access.tokens_file": str(tokens_file(folder)),
            "chain.name": "embedded",
        },
    )
    services = Services(settings)
    yield services
    services.database.close()


@pytest.fixture(scope="module")
def api(api_services: Services) -> Iterator[ServedApi]:
    """The application, without sockets; a refusal of ours is an answer, not an exception."""
    served = ServedApi(app=FastAPI(), services=api_services)
    served.app = application(api_services, wake=lambda: served.woken.append(None))
    transport = InLoop(served.app)
    admin = (api_services.settings.data / "admin.token").read_text().strip()
    for name, token in {**TOKENS, "admin": admin, "nobody": ""}.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        served.clients[name] = httpx.Client(
            transport=transport, base_url="http://node.test", headers=headers
        )
    yield served
    transport.stop()


@pytest.fixture
def put(api: ServedApi) -> Callable[..., httpx.Response]:
    """Writes one resource."""

    def write(kind: str, name: str, **elements: object) -> httpx.Response:
        body = {"resourceType": kind, "id": name, **elements}
        answer = api["clinic"].put(f"/fhir/{kind}/{name}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer

    return write
