"""What clients that others wrote send, word for word: each was seen to fail here once."""

import httpx
import pytest

from tests.served_api import TOKENS, ServedApi

MESSAGE = (
    b"MSH|^~\\&|GUEST|FAC|US|X|20240102030405||ADT^A01^ADT_A01|{id}|P|2.7\r"
    b"EVN||20240102030405\rPID|1||77^^^GUEST^MR||Doe^Ann\r"
)


def test_hl7_over_http_of_hapi_brings_its_token_as_a_password(api: ServedApi) -> None:
    """Basic is the one scheme that HAPI's HL7-over-HTTP client writes."""
    headers = {"Content-Type": "application/hl7-v2; charset=UTF-8"}
    raw = MESSAGE.replace(b"{id}", b"HOH1")

    answer = api["nobody"].post(
        "/hl7v2", content=raw, headers=headers, auth=httpx.BasicAuth("hapi", TOKENS["sender"])
    )

    assert answer.status_code == 200
    assert answer.headers["content-type"].lower() == "application/hl7-v2; charset=utf-8"
    assert b"\rMSA|AA|HOH1\rERR|||0^Message accepted^HL70357|I|" in answer.content


@pytest.mark.parametrize("role", ["reader", "monitor"])
def test_password_opens_no_more_than_its_token(api: ServedApi, role: str) -> None:
    """The roles are the token's."""
    headers = {"Content-Type": "text/plain"}

    answer = api["nobody"].post(
        "/hl7v2", content=MESSAGE, headers=headers, auth=httpx.BasicAuth("sender", TOKENS[role])
    )

    assert answer.status_code == 403
