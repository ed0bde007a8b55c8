"""One exchange with a server that lies about where it is, how long it is, or how fast."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bridge.cli.exchange import UnansweredError, exchange

pytestmark = pytest.mark.enable_socket


@contextmanager
def _serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # it is hung up on
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/key"
        finally:
            server.shutdown()
            thread.join()


def _saying(body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def _pointing(location: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", location)
        handler.end_headers()

    return answer


def _dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("body", [None, b"{}"], ids=["get", "post"])
def test_answer_is_read_whole(body: bytes | None) -> None:
    """By GET, or by POST of a body."""
    with _serving(_saying(b"yes")) as url:
        assert exchange(url, body, at_most=3, timeout_s=5) == b"yes"


@pytest.mark.parametrize("body", [None, b"{}"], ids=["get", "post"])
def test_server_that_sends_its_visitors_on_is_no_second_voice(body: bytes | None) -> None:
    """Two endpoints that lead to a third would count as two of k."""
    with (
        _serving(_saying(b"yes")) as third,
        _serving(_pointing(third)) as first,
        pytest.raises(UnansweredError, match="HTTP 302"),
    ):
        exchange(first, body, at_most=100, timeout_s=5)


@pytest.mark.parametrize("location", ["http://a..b/", "http://[bad/", "file:///etc/passwd", "//"])
def test_location_that_is_no_address_is_no_traceback(location: str) -> None:
    """What a server sends is never more than an answer that is none."""
    with _serving(_pointing(location)) as url, pytest.raises(UnansweredError):
        exchange(url, at_most=100, timeout_s=5)


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example"], ids=["empty-label", "long-label"])
def test_name_that_no_host_can_have_cannot_be_reached(host: str) -> None:
    """IDNA refuses it before anything is sent."""
    with pytest.raises(UnansweredError, match="it cannot be reached"):
        exchange(f"http://{host}/", at_most=100, timeout_s=5)


def test_long_answer_is_not_read_to_its_end() -> None:
    """Whoever asked may ask for less."""
    with _serving(_saying(bytes(101))) as url, pytest.raises(UnansweredError) as refusal:
        exchange(url, at_most=100, timeout_s=5)

    assert refusal.value.too_long


def test_answer_that_drips_is_given_up() -> None:
    """A byte now and then never trips the time-out of the socket."""
    with _serving(_dripping) as url, pytest.raises(UnansweredError, match="no whole answer"):
        exchange(url, at_most=100, timeout_s=0.2)


def test_status_is_told() -> None:
    """404 is an answer to some questions."""
    with (
        _serving(lambda handler: handler.send_error(404)) as url,
        pytest.raises(UnansweredError) as refusal,
    ):
        exchange(url, at_most=100, timeout_s=5)

    assert refusal.value.status == 404
