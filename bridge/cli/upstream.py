"""An upstream FHIR server through `fhirclient`, with SMART backend services.

https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests
from fhirclient.server import (
    FHIRJSONMimeType,
    FHIRNotFoundException,
    FHIRPermissionDeniedException,
    FHIRServer,
    FHIRUnauthorizedException,
)
from requests.adapters import HTTPAdapter

from bridge.core.errors import BridgeError, Fault
from bridge.keys.assertion import AssertionKey
from bridge.ports.sources import Clock

__all__ = ["Backend", "FhirServer"]

TIMEOUT_S = (10, 120)
"""To connect, and between two bytes: a search over years of data is slow to begin."""
MAX_BODY = 64 * 1024 * 1024
"""As the node takes it."""
EARLY_S = 30
"""A token is renewed this long before it ends."""
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GONE = frozenset({400, 404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """How this node signs in as a backend service."""

    client: str
    key: AssertionKey
    scope: str
    clock: Clock
    jti: Callable[[], str]


class _Patient(HTTPAdapter):
    """Every request has a timeout."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401 - the base names each option
        options["timeout"] = options.get("timeout") or TIMEOUT_S
        return super().send(request, **options)


class FhirServer:
    """The port `Upstream` over HTTP."""

    def __init__(self, base: str, backend: Backend | None = None) -> None:
        """Nothing is asked yet; without `backend` no token is sent.

        Raises:
            BridgeError: `upstream-address`, for anything but https, or http on loopback.
        """
        self.base = base.rstrip("/") + "/"
        _must_be_private(self.base, "--from")
        self._server = FHIRServer(None, self.base)
        for scheme in ("https://", "http://"):
            self._server.session.mount(scheme, _Patient(max_retries=2))
        self._server.session.max_redirects = 0
        self._backend = backend
        self._token, self._until = "", 0.0

    def get(self, url: str) -> bytes:
        """The body; see the port."""
        headers = {"Authorization": f"Bearer {self._access()}"} if self._backend else {}
        try:
            return self._read(url, headers)
        except FHIRNotFoundException as error:
            raise _refusal("upstream-gone", "HTTP 404", url) from error
        except (FHIRUnauthorizedException, FHIRPermissionDeniedException) as error:
            self._token = ""
            status = error.response.status_code
            raise _refusal("upstream-refused", f"HTTP {status}", url) from error
        except requests.HTTPError as error:
            status = _status(error)
            code = "upstream-gone" if status in GONE else "upstream-unreachable"
            raise _refusal(code, f"HTTP {status}", url) from error
        except requests.RequestException as error:
            raise _refusal("upstream-unreachable", type(error).__name__, url) from error

    def __enter__(self) -> Self:
        """The server, with connections kept open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._server.session.close()

    def _read(self, url: str, headers: dict[str, str]) -> bytes:
        """As `FHIRServer.request_data`, but no more than a node takes."""
        headers |= {"Accept": FHIRJSONMimeType}
        with self._server.session.get(
            urljoin(self.base, url), headers=headers, stream=True
        ) as response:
            self._server.raise_for_status(response)
            body = bytearray()
            for part in response.iter_content(65_536):
                body += part
                if len(body) > MAX_BODY:
                    what = f"with more than {MAX_BODY} bytes: ask for fewer a page"
                    raise _refusal("upstream-unreachable", what, url)
            return bytes(body)

    def _access(self) -> str:
        """A token that is still good, asked for anew when it is not."""
        backend = self._backend
        if backend is None:
            return ""
        now = backend.clock.now()
        if self._token and now.timestamp() < self._until:
            return self._token
        endpoint = self._token_endpoint()
        form = {
            "grant_type": "client_credentials",
            "scope": backend.scope,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": backend.key.assertion(
                client=backend.client, audience=endpoint, at=now, jti=backend.jti()
            ),
        }
        answer = self._json(lambda: self._server.post_as_form(endpoint, form).content, endpoint)
        self._token = str(answer.get("access_token", ""))
        if not self._token:
            raise _refusal("upstream-refused", "the token endpoint gave no access_token", endpoint)
        self._until = now.timestamp() + float(answer.get("expires_in", 60)) - EARLY_S
        return self._token

    def _token_endpoint(self) -> str:
        place = urljoin(self.base, ".well-known/smart-configuration")
        found = self._json(lambda: self._server.request_data(place), place)
        endpoint = str(found.get("token_endpoint", ""))
        _must_be_private(endpoint, place)
        return endpoint

    def _json(self, ask: Callable[[], bytes], where: str) -> dict[str, Any]:
        try:
            found = json.loads(ask())
        except (FHIRUnauthorizedException, FHIRPermissionDeniedException) as error:
            status = error.response.status_code
            raise _refusal("upstream-refused", f"HTTP {status}", where) from error
        except requests.HTTPError as error:  # RFC 6749 s5.2: 400 says that the client is refused
            raise _refusal("upstream-refused", f"HTTP {_status(error)}", where) from error
        except (FHIRNotFoundException, requests.RequestException, ValueError) as error:
            raise _refusal("upstream-unreachable", type(error).__name__, where) from error
        return found if isinstance(found, dict) else {}


def _must_be_private(url: str, where: str) -> None:
    """Tokens and patients travel over TLS, or stay on this machine."""
    there = urlsplit(url)
    if there.scheme == "https" or (
        there.scheme == "http" and there.hostname in {"127.0.0.1", "::1", "localhost"}
    ):
        return
    raise BridgeError(
        "upstream-address",
        Fault.OPERATOR,
        what="the address is neither https nor http on this machine",
        where=where,
        do="give the https address of the FHIR server",
    )


def _status(error: requests.HTTPError) -> int:
    return error.response.status_code if error.response is not None else 0


def _refusal(code: str, what: str, url: str) -> BridgeError:
    """The query is left out: it may name a patient."""
    there = urlsplit(url)
    return BridgeError(
        code,
        Fault.OPERATOR if code == "upstream-refused" else Fault.PEER,
        what=f"the upstream answered {what}",
        where=f"{there.netloc}{there.path}",
        do={
            "upstream-refused": "check client id, key and scope with its operator",
            "upstream-gone": "check the address; a search that was begun may have expired",
        }.get(code, "try again later: the pull goes on where it stopped"),
    )
