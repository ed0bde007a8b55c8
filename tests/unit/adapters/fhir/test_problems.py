"""Problems are told with their places, up to a bound."""

import pytest

from adapters.fhir.problems import InvalidResource, Problems, path_text
from bridge.core.errors import Fault


def test_path_reads_like_fhirpath() -> None:
    """A place is what a person would write."""
    path = (((((None, "Bundle"), "entry"), 3), "resource"), "birthDate")

    assert path_text(path) == "Bundle.entry[3].resource.birthDate"


def test_error_speaks_of_the_first_and_counts_the_rest() -> None:
    """The text is one line; the list has all."""
    problems = Problems()
    problems.add("a", (None, "Patient"), "first")
    problems.add("b", None, "second")

    with pytest.raises(InvalidResource, match=r"first, and 1 more \(Patient\) - mend") as refused:
        problems.raise_any()

    assert (refused.value.code, refused.value.fault) == ("a", Fault.SENDER)
    assert [p.where for p in refused.value.problems] == ["Patient", "resource"]


def test_nothing_found_raises_nothing() -> None:
    """A clean input passes."""
    Problems().raise_any()
