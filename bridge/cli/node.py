"""A running node as the command line sees it: its URL, its token, its refusals in one line."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx

from bridge.core.errors import BridgeError, Fault

__all__ = ["DEFAULT_URL", "Node"]

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT_S = 120.0
"""A FHIR transaction of thousands of entries is stored and projected before its answer."""


class Node:
    """HTTP calls to one node; every failure is a `BridgeError` that says what to do."""

    def __init__(self, url: str, token_file: Path | None, data: Path) -> None:
        """The token is in the file, else in FHIR_ANCHOR_TOKEN, else in DATA/admin.token."""
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            timeout=TIMEOUT_S,
            headers={"Authorization": f"Bearer {_token(token_file, data)}"},
        )

    def get(self, path: str, **query: str) -> httpx.Response:
        """GET, refused unless 2xx."""
        return self._call("GET", path, params=query)

    def records(self, **query: str) -> Iterator[dict[str, Any]]:
        """Rows of `GET /records`, page after page, newest first; an empty value asks nothing."""
        page: str | None = ""
        while page is not None:
            asked = {name: value for name, value in {**query, "page": page}.items() if value}
            told = self.get("/records", **asked).json()
            yield from told["records"]
            page = told["next"]

    def post(self, path: str, body: bytes, content_type: str) -> httpx.Response:
        """POST, refused unless 2xx."""
        return self._call("POST", path, content=body, headers={"Content-Type": content_type})

    def _call(self, method: str, path: str, **parts: object) -> httpx.Response:
        try:
            response = self._client.request(method, path, **parts)  # type: ignore[arg-type]  # httpx takes them by name
        except httpx.HTTPError as error:
            raise BridgeError(
                "node-unreachable",
                Fault.PEER,
                what=f"the node did not answer: {error}",
                where=str(self._client.base_url),
                do="start it with `fhir-anchor up`, or give its address with --url",
            ) from error
        if response.is_success:
            return response
        raise _refusal(response)

    def __enter__(self) -> Self:
        """The node, with connections kept open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()


def _token(file: Path | None, data: Path) -> str:
    if file is None and "FHIR_ANCHOR_TOKEN" in os.environ:
        return os.environ["FHIR_ANCHOR_TOKEN"]
    path = file or data / "admin.token"
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BridgeError(
            "token-file",
            Fault.OPERATOR,
            what="the token file cannot be read",
            where=str(path),
            do="give --data of the node, --token-file, or FHIR_ANCHOR_TOKEN",
        ) from error


def _refusal(response: httpx.Response) -> BridgeError:
    """The node's own words, from our JSON or from an OperationOutcome."""
    what, do, code = f"HTTP {response.status_code}", "see the node's log", "http"
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    if isinstance(body, dict) and "what" in body:
        what, do, code = str(body["what"]), str(body["do"]), str(body["error"])
    elif isinstance(body, dict) and body.get("resourceType") == "OperationOutcome":
        issue = body["issue"][0]
        what, do = str(issue.get("diagnostics", what)), "mend the input and send it again"
        code = str(issue.get("details", {}).get("coding", [{}])[0].get("code", code))
    fault = Fault.SENDER if response.status_code < 500 else Fault.PEER
    refusal = BridgeError(code, fault, what=what, where=response.request.url.path, do=do)
    refusal.kept_as = response.headers.get("x-record-id", "")
    return refusal
