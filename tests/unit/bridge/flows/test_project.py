"""Waiting records become versions, in order, once; what cannot be applied stops its lane alone."""

from bridge.core.record.canon import parse
from bridge.core.record.merge import ResourceRef
from bridge.core.record.revision import resources_root, revision_leaf
from bridge.flows.project import Projected, project
from tests.fakes.bundles import bundle, observation, patient, removal
from tests.fakes.sources import CountedEntropy, FixedClock
from tests.fakes.versions import MemoryVersions

UNREADABLE = bundle({"resourceType": "Patient"})


def run(versions: MemoryVersions, limit: int = 200) -> Projected:
    """One call."""
    return project(versions=versions, clock=FixedClock(), entropy=CountedEntropy(), limit=limit)


def body_of(versions: MemoryVersions, kind: str, name: str) -> object:
    """What is served of a resource."""
    return versions.tables.states[ResourceRef(kind, name)].body


def test_versions_are_stamped_and_ordered_by_name() -> None:
    """Each version carries its number and the revision's time, and its bytes are the body."""
    versions = MemoryVersions()
    versions.enqueue(bundle(patient("b"), observation("a", "b")), "p1")

    done = run(versions)

    (revision,) = versions.tables.revisions
    assert done == Projected(records=1, versions=2, stalled=0)
    assert [new.version.name for new in revision.versions] == ["Observation/a/1", "Patient/b/1"]
    assert parse(revision.versions[1].version.data) == {
        "id": "b",
        "meta": {"lastUpdated": "2026-11-22T14:00:00.000000Z", "versionId": "1"},
        "resourceType": "Patient",
    }


def test_resource_touched_twice_in_a_batch_has_two_versions() -> None:
    """A later record sees what the earlier one made; only the newest version is indexed."""
    versions = MemoryVersions()
    versions.enqueue(bundle(patient("a", gender="male")), "p1")
    versions.enqueue(bundle(patient("a", birthDate="2000-01-01")), "p1")

    run(versions)

    first, second = (one.versions[0] for one in versions.tables.revisions)
    assert (first.version.number, second.version.number) == (1, 2)
    assert (first.index, second.index is not None) == (None, True)
    assert body_of(versions, "Patient", "a") == {
        "resourceType": "Patient",
        "id": "a",
        "gender": "male",
        "birthDate": "2000-01-01",
        "meta": {"versionId": "2", "lastUpdated": "2026-11-22T14:00:00.000000Z"},
    }


def test_record_that_changes_nothing_is_a_revision_without_versions() -> None:
    """That it was applied is proved too."""
    versions = MemoryVersions()
    versions.enqueue(bundle(patient("a")), "p1")
    versions.enqueue(bundle(patient("a")), "p1")

    done = run(versions)

    assert done == Projected(records=2, versions=1, stalled=0)
    assert versions.tables.revisions[1].versions == ()
    assert versions.tables.revisions[1].resources_root == resources_root([], [])


def test_deletion_is_a_version_without_bytes() -> None:
    """What was deleted stays provable, and its next version counts on."""
    versions = MemoryVersions()
    for resource in (patient("a"), removal("Patient/a"), patient("a")):
        versions.enqueue(bundle(resource), "p1")

    run(versions)

    made = [one.versions[0].version for one in versions.tables.revisions]
    assert [(one.number, one.data == b"") for one in made] == [(1, False), (2, True), (3, False)]


def test_leaf_can_be_recomputed_from_what_is_stored() -> None:
    """Header, root and salts of a revision are all that its leaf needs."""
    versions = MemoryVersions()
    versions.enqueue(bundle(patient("a"), patient("b"), patient("c")), "p1")

    run(versions)

    (one,) = versions.tables.revisions
    salts = [new.salt for new in one.versions]
    assert one.resources_root == resources_root([new.version for new in one.versions], salts)
    assert one.leaf == revision_leaf(
        header=one.header, resources=one.resources_root, salts=one.salts
    )
    assert len({*salts, one.salts[:32], one.salts[32:]}) == 5


def test_record_that_cannot_be_applied_stalls_its_lanes_alone() -> None:
    """Others run on; what shares a lane with it waits, and so does what waits behind that."""
    versions = MemoryVersions()
    bad = versions.enqueue(UNREADABLE, "p1")
    versions.enqueue(bundle(patient("behind")), "p1", "p2")
    versions.enqueue(bundle(patient("further")), "p2")
    versions.enqueue(bundle(patient("free")), "p3")

    done = run(versions)

    assert done == Projected(records=1, versions=1, stalled=1)
    assert list(versions.tables.states) == [ResourceRef("Patient", "free")]
    assert [(one.lane, one.record, one.code) for one in versions.stalled()] == [
        ("p1", bad, "entry-without-identity")
    ]


def test_resumed_lane_is_tried_again() -> None:
    """A person mended something: the record is applied, or stalls again."""
    versions = MemoryVersions()
    versions.enqueue(UNREADABLE, "p1")
    run(versions)

    resumed = versions.resume("p1")

    assert resumed
    assert run(versions).stalled == 1


def test_bundle_that_is_not_fhir_stalls_and_stops_no_worker() -> None:
    """Whatever shape was stored, the worker lives."""
    versions = MemoryVersions()
    for lane, text in enumerate(("[1]", '{"entry":3}', "{", '{"entry":[{"resource":[1]}]}')):
        versions.enqueue(text, f"p{lane}")

    done = run(versions)

    assert done == Projected(records=0, versions=0, stalled=4)


def test_row_that_the_database_refuses_stalls_its_record_alone() -> None:
    """The batch is taken apart until the one record is found."""
    versions = MemoryVersions()
    versions.unstorable = {"bad"}
    for name in ("a", "bad", "c"):
        versions.enqueue(bundle(patient(name)), name)

    done = run(versions)

    assert done == Projected(records=2, versions=2, stalled=1)
    assert [one.lane for one in versions.stalled()] == ["bad"]
