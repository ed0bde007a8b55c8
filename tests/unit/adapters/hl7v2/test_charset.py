"""Which character set reads a message."""

import pytest

from adapters.hl7v2.charset import TABLE_0211, decode


def read(raw: bytes, *declared: str, transport: str = "", senders: tuple[str, ...] = ()) -> tuple[
    str, str, list[str]
]:  # fmt: skip
    """Text, codec and finding codes."""
    codes: list[str] = []
    text, codec = decode(
        raw, declared=declared, transport=transport, senders=senders,
        note=lambda code, _text: codes.append(code),
    )  # fmt: skip
    return text, codec, codes


@pytest.mark.parametrize("name", [name for name in TABLE_0211 if name and "-" not in name[-3:]])
def test_every_name_of_table_0211_reads_ascii(name: str) -> None:
    """MSH itself is ASCII in each of them."""
    assert read(b"MSH|^~\\&", name)[0] == "MSH|^~\\&"


@pytest.mark.parametrize(
    ("raw", "declared", "transport", "senders", "text", "codes"),
    [
        pytest.param("é".encode(), ("UNICODE UTF-8",), "", (), "é", [], id="declared"),
        pytest.param(b"\xe9", ("8859/1",), "", (), "é", [], id="latin-1"),
        pytest.param("é".encode(), ("8859/1",), "utf-8", (), "é", [], id="transport wins"),
        pytest.param(b"\xe9", (), "", ("8859/15",), "é", [], id="sender"),
        pytest.param("é".encode(), ("ASCII",), "", (), "é", ["charset-wrong"], id="wrong"),
        pytest.param(b"\xe9", (), "", (), "é", ["charset-guessed"], id="guessed"),
        pytest.param(b"a", ("KLINGON",), "", (), "a", ["charset-unknown"], id="unknown"),
        pytest.param("日".encode("iso2022_jp"), ("ISO IR87",), "", (), "日", [], id="IR87"),
    ],
)
def test_order_of_character_sets(
    raw: bytes, declared: tuple[str, ...], transport: str, senders: tuple[str, ...], text: str,
    codes: list[str],
) -> None:  # fmt: skip
    """Transport, MSH-18, the sender's, then UTF-8 or latin-1 with a warning."""
    found, _, noted = read(raw, *declared, transport=transport, senders=senders)

    assert (found, noted) == (text, codes)
