"""A time-stamp authority's certificate and its way to a trusted root, with authorities that lie."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from bridge.core.errors import BridgeError
from bridge.core.proof import certificates
from bridge.core.proof.certificates import leads_to_root, may_stamp, read_certificate
from tests.fakes.token import STAMPING, Holder, certified, new_key, over_sha1

AT = datetime(2026, 1, 1, tzinfo=UTC)
PAST = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC))
ROOT = certified("root", authority=True)


def _leads(signer: Holder, *others: Holder, roots: tuple[Holder, ...] = (ROOT,)) -> bool:
    found = leads_to_root(
        signer.certificate,
        others=[one.certificate for one in others],
        roots=[one.certificate for one in roots],
        at=AT,
    )
    return found is not None


def test_way_through_two_authorities_is_found() -> None:
    """In whatever order they stand in the token."""
    upper = certified("upper", by=ROOT, authority=True)
    lower = certified("lower", by=upper, authority=True)
    signer = certified("tsa", by=lower, uses=[STAMPING])

    assert _leads(signer, lower, upper)
    assert _leads(signer, upper, lower)
    assert not _leads(signer, upper)


@pytest.mark.parametrize(
    "middle",
    [
        pytest.param({}, id="that-may-issue-nothing"),
        pytest.param({"authority": True, "valid": PAST}, id="that-ran-out"),
        pytest.param(
            {"authority": True, "uses": [ExtendedKeyUsageOID.SERVER_AUTH]}, id="for-web-servers"
        ),
    ],
)
def test_certificate_between_leads_nowhere(middle: dict[str, object]) -> None:
    """Each certificate of the way must be allowed to stand there, at the token's own time."""
    between = certified("between", by=ROOT, **middle)  # type: ignore[arg-type]  # one a case
    signer = certified("tsa", by=between, uses=[STAMPING])

    assert not _leads(signer, between)


def test_certificate_over_sha_1_leads_nowhere_but_as_a_root() -> None:
    """Two certificates of one SHA-1 can be made; a root is believed whatever signed it."""
    old_root = over_sha1(ROOT, by=ROOT)
    between = certified("between", by=ROOT, authority=True)
    old_between = over_sha1(between, by=ROOT)
    signer = certified("tsa", by=between, uses=[STAMPING])

    assert _leads(signer, between)
    assert not _leads(signer, old_between)
    assert not _leads(over_sha1(certified("tsa", by=ROOT, uses=[STAMPING]), by=ROOT))
    assert _leads(signer, between, roots=(old_root,))


def test_root_that_allows_nothing_between_is_obeyed() -> None:
    """A path length of 0: RFC 5280 s4.2.1.9."""
    strict = certified("strict", authority=True, path_length=0)
    between = certified("between", by=strict, authority=True)

    assert _leads(certified("tsa", by=strict, uses=[STAMPING]), roots=(strict,))
    assert not _leads(certified("tsa", by=between, uses=[STAMPING]), between, roots=(strict,))


def test_name_of_the_root_with_another_key_is_not_the_root() -> None:
    """A name is no proof of anything."""
    impostor = certified("root", authority=True)

    assert not _leads(certified("tsa", by=impostor, uses=[STAMPING]), impostor)


def test_authorities_that_all_issued_one_another_cost_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fifteen of one name and key have a million ways from each to each; each is tried once."""
    tried: list[int] = []
    issued = certificates._issued

    def counted(*arguments: x509.Certificate, below: int) -> bool:
        tried.append(below)
        return issued(*arguments, below=below)

    monkeypatch.setattr(certificates, "_issued", counted)
    key = new_key()
    ring = [certified("ring", key=key, authority=True) for _ in range(15)]

    assert not _leads(certified("ring", key=key, uses=[STAMPING]), *ring)
    assert len(tried) < 300


@pytest.mark.parametrize(
    ("uses", "critical", "may"),
    [
        ([STAMPING], True, True),
        ([STAMPING], False, False),
        ([], True, False),
        ([STAMPING, ExtendedKeyUsageOID.CODE_SIGNING], True, False),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], True, False),
    ],
    ids=["alone", "not-critical", "none", "with-another", "any"],
)
def test_time_stamping_is_the_one_critical_use(
    uses: list[x509.ObjectIdentifier], *, critical: bool, may: bool
) -> None:
    """RFC 3161 s2.3."""
    assert may_stamp(certified("tsa", by=ROOT, uses=uses, critical=critical).certificate) is may


def test_name_that_is_no_text_is_refused() -> None:
    """A stranger's token holds what bytes he likes."""
    der = ROOT.certificate.public_bytes(Encoding.DER)
    common_name = bytes.fromhex("0603550403")
    odd = der.replace(common_name + b"\x0c\x04", common_name + b"\x03\x04")

    assert odd != der
    with pytest.raises(BridgeError, match="cannot be read"):
        read_certificate(odd)
