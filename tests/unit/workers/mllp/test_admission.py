"""Admission: address and certificate; each turns away by a code of its own."""

import ssl
from ipaddress import ip_network
from typing import cast

import pytest

from workers.mllp.admission import Admitted, TurnedAway, admit, common_name
from workers.mllp.feed import Listener

LISTENER = Listener(
    feed="f",
    host="",
    port=0,
    allow=(ip_network("10.1.0.0/16"), ip_network("::1/128")),
    sender="pinned",
)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "::1", "::1%eth0"])
def test_allowed_address_is_admitted_as_the_pinned_sender(address: str) -> None:
    """IPv4, IPv6, and IPv4 on a dual-stack socket are judged alike."""
    assert admit(LISTENER, address=address, client="") == Admitted(sender="pinned")


@pytest.mark.parametrize("address", ["10.2.0.1", "::2", "::ffff:10.2.0.1"])
def test_other_address_is_turned_away(address: str) -> None:
    """An allow list lets in nobody else."""
    assert admit(LISTENER, address=address, client="") == TurnedAway(
        code="mllp-address-not-allowed"
    )


def test_certificate_chooses_the_sender_and_a_stranger_has_none() -> None:
    """A name that the CA signed but nobody configured may not send."""
    listener = Listener(feed="f", host="", port=0, certificate_senders={"lab": "LAB"})

    known = admit(listener, address="10.0.0.1", client="lab")
    unknown = admit(listener, address="10.0.0.1", client="")

    assert (known, unknown) == (
        Admitted(sender="LAB"),
        TurnedAway(code="mllp-certificate-unknown"),
    )


class Handshake:
    """An SSL object with this certificate."""

    def __init__(self, certificate: object) -> None:
        self.certificate = certificate

    def getpeercert(self) -> object:
        """What the verified peer showed."""
        return self.certificate


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        (None, ""),
        ({}, ""),
        ({"subject": ((("organizationName", "H"),), (("commonName", "lab"),))}, "lab"),
    ],
)
def test_common_name_is_read_from_the_subject(certificate: object, name: str) -> None:
    """No certificate and no common name are both empty."""
    assert common_name(cast("ssl.SSLObject", Handshake(certificate))) == name
    assert common_name(None) == ""
