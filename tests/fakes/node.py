"""An Ethereum node over HTTP that answers what a test wants, lies and errors included."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

__all__ = ["Answer", "serve_node"]

Answer = Callable[[str, list[Any]], Any]
"""Result of a call; an int is an HTTP status, bytes are a raw body, an Exception an RPC error."""


@contextmanager
def serve_node(answer: Answer) -> Iterator[str]:
    """Its URL while it serves on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = answer(request["method"], request["params"])
            body = said if isinstance(said, bytes) else _body(said)
            self.send_response(said if type(said) is int else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _body(said: Any) -> bytes:
    answer: dict[str, Any] = {"jsonrpc": "2.0", "id": 1}
    if isinstance(said, Exception):
        answer["error"] = {"code": -32000, "message": str(said)}
    else:
        answer["result"] = said
    return json.dumps(answer).encode()
