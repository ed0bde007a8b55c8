"""TLS and mutual TLS: the certificate opens the door and chooses the sender."""

import ssl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfile

import pytest

from adapters.hl7v2.mllp import frame
from bridge.core.errors import BridgeError
from tests.authority import Authority, trusting
from tests.fakes.feed import adt
from tests.served_mllp import Served, code_of, eventually, quick_limits
from workers.mllp import Listener
from workers.mllp.certificates import CertificateFiles, Certificates

Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA that the node trusts."""
    return Authority.found(tmp_path_factory.mktemp("tls") / "hospital", "Hospital CA")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another CA."""
    return Authority.found(tmp_path_factory.mktemp("tls") / "stranger", "Other CA")


def listener(
    hospital: Authority,
    *,
    mutual: bool,
    senders: dict[str, str] | None = None,
    certificate: Path | None = None,
    told: list[BridgeError | None] | None = None,
    **limits: float,
) -> Listener:
    """One TLS listener of the product; `told` takes what it says of its files."""
    files = CertificateFiles(
        certificate=str(certificate or hospital.issue("localhost")),
        client_ca=str(hospital.certificate) if mutual else "",
    )
    return Listener(
        feed="f",
        host="127.0.0.1",
        port=0,
        tls=Certificates(files, (told if told is not None else []).append),
        certificate_senders=senders or {},
        limits=quick_limits(**limits),
    )


def test_message_over_tls_is_answered(serve: Serve, hospital: Authority) -> None:
    """Large and small, pipelined, in order, as over plain TCP."""
    served = serve(listener(hospital, mutual=False))
    big = adt("2", extra=b"x" * 3_000_000)

    with served.client(tls=trusting(hospital)) as client:
        client.send(frame(adt("1")) + frame(big) + frame(adt("3")))
        answers = client.answers(3)

    assert [code_of(a) for a in answers] == ["AA 1", "AA 2", "AA 3"]
    assert big in served.feed.kept


def test_client_certificate_chooses_the_sender(serve: Serve, hospital: Authority) -> None:
    """The common name of a verified certificate pins the profile."""
    served = serve(listener(hospital, mutual=True, senders={"lab": "LAB-PROFILE"}))

    with served.client(tls=trusting(hospital, hospital.issue("lab"))) as client:
        answer = client.ask(adt("1"))

    assert code_of(answer) == "AA 1"
    assert served.feed.senders == {"LAB-PROFILE"}


def test_certificate_of_an_unknown_client_is_turned_away(serve: Serve, hospital: Authority) -> None:
    """Signed by the right CA, named by nobody."""
    served = serve(listener(hospital, mutual=True, senders={"lab": "LAB-PROFILE"}))

    with served.client(tls=trusting(hospital, hospital.issue("kiosk"))) as client:
        assert client.is_closed()

    assert "mllp-certificate-unknown" in served.codes


def test_wrong_or_missing_certificate_gets_no_further_than_the_handshake(
    serve: Serve, hospital: Authority, stranger: Authority
) -> None:
    """Another CA's certificate, none at all and plain TCP are refused; the right one works."""
    served = serve(listener(hospital, mutual=True))
    wrong = trusting(hospital, stranger.issue("lab"))

    for context in (wrong, trusting(hospital)):
        with (
            pytest.raises((ssl.SSLError, ConnectionError, AssertionError)),
            served.client(tls=context) as client,
        ):
            client.ask(adt("1"))
    with served.client() as plain:
        plain.send(frame(adt("1")))
        refused = plain.is_closed()
    with served.client(tls=trusting(hospital, hospital.issue("lab"))) as client:
        answer = client.ask(adt("2"))

    assert refused
    assert "mllp-handshake-failed" in served.codes
    assert code_of(answer) == "AA 2"
    assert list(served.feed.kept) == [adt("2")]


def test_handshakes_that_nobody_finishes_are_bounded_and_keep_no_sender_out(
    serve: Serve, hospital: Authority
) -> None:
    """They hold memory before any place is taken; beyond the bound the oldest is given up."""
    served = serve(listener(hospital, mutual=False, connections=4))

    with ExitStack() as opened:
        silent = [opened.enter_context(served.client()) for _ in range(40)]
        sender = opened.enter_context(served.client(tls=trusting(hospital)))

        assert code_of(sender.ask(adt("1"))) == "AA 1"
        assert all(one.is_closed() for one in silent[:36])
    assert served.counters.connections_refused >= 36
    assert "mllp-gave-way" in served.codes


def test_stop_turns_away_who_is_in_the_handshake(serve: Serve, hospital: Authority) -> None:
    """It does not wait for somebody who is no sender yet."""
    served = serve(listener(hospital, mutual=False))
    with served.client() as silent:
        with served.client(tls=trusting(hospital)) as sender:
            sender.ask(adt("1"))

        served.stop(within_s=5)

        assert silent.is_closed()


def test_graceful_stop_over_tls_answers_first(serve: Serve, hospital: Authority) -> None:
    """TLS has no half-close, and loses no answer for it."""
    served = serve(listener(hospital, mutual=False))

    with served.client(tls=trusting(hospital)) as client:
        client.send(frame(adt("1")))
        eventually(lambda: bool(served.feed.kept))
        served.stop()

        assert code_of(client.answer()) == "AA 1"
        assert client.is_closed()


def test_renewed_certificate_serves_who_connects_next(
    serve: Serve, tmp_path: Path, hospital: Authority, stranger: Authority
) -> None:
    """No restart: the connection that is open goes on, and nobody meets the old one any more."""
    told: list[BridgeError | None] = []
    certificate = copyfile(hospital.issue("localhost"), tmp_path / "door.pem")
    served = serve(listener(hospital, mutual=False, certificate=certificate, told=told))

    with served.client(tls=trusting(hospital)) as early:
        before = early.ask(adt("1"))
        copyfile(stranger.issue("localhost"), tmp_path / "new.pem").replace(certificate)
        with served.client(tls=trusting(stranger)) as late:
            answers = [before, late.ask(adt("2")), early.ask(adt("3"))]
    with pytest.raises(ssl.SSLError, match="certificate verify failed"):
        served.client(tls=trusting(hospital))

    assert [code_of(a) for a in answers] == ["AA 1", "AA 2", "AA 3"]
    assert told == [None]


def test_half_written_certificate_changes_nothing_and_is_told_once(
    serve: Serve, tmp_path: Path, hospital: Authority
) -> None:
    """What was read last goes on serving, and the whole file is taken when it is there."""
    told: list[BridgeError | None] = []
    certificate = copyfile(hospital.issue("localhost"), tmp_path / "door.pem")
    whole = certificate.read_bytes()
    served = serve(listener(hospital, mutual=False, certificate=certificate, told=told))

    certificate.write_bytes(whole[: len(whole) // 2])
    for number in "12":
        with served.client(tls=trusting(hospital)) as client:
            assert code_of(client.ask(adt(number))) == f"AA {number}"
    certificate.write_bytes(whole)
    with served.client(tls=trusting(hospital)) as client:
        assert code_of(client.ask(adt("3"))) == "AA 3"

    assert [None if one is None else one.code for one in told] == ["mllp-tls", None]


def test_client_authority_that_was_replaced_admits_nobody_any_more(
    serve: Serve, hospital: Authority, stranger: Authority
) -> None:
    """The clients of the new one come in; a connection of before is not cut."""
    served = serve(listener(hospital, mutual=True))
    lab, kiosk = hospital.issue("lab"), stranger.issue("kiosk")
    former = hospital.certificate.read_bytes()

    with served.client(tls=trusting(hospital, lab)) as early:
        new, old = trusting(hospital, kiosk), trusting(hospital, lab)
        copyfile(stranger.certificate, hospital.certificate)
        with served.client(tls=new) as late:
            codes = [code_of(late.ask(adt("1"))), code_of(early.ask(adt("2")))]
        with (
            pytest.raises((ssl.SSLError, ConnectionError, AssertionError)),
            served.client(tls=old) as client,
        ):
            client.ask(adt("3"))
    hospital.certificate.write_bytes(former)

    assert codes == ["AA 1", "AA 2"]
