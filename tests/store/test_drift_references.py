"""A reference belongs to a version, and goes with it."""

import pytest

from shgat.errors import StoreError


def test_it_is_kept_with_a_version_and_replaced(store):
    version = store.put_model(b"tensors", {})
    assert store.drift_reference(version) is None
    store.put_drift_reference(version, b"one")
    store.put_drift_reference(version, b"two")
    assert store.drift_reference(version) == b"two"


def test_it_goes_with_its_version(store):
    versions = [store.put_model(b"tensors", {"n": i}) for i in range(4)]
    for version in versions:
        store.put_drift_reference(version, b"reference")
    store.prune(keep_models=1)
    left = {v.version for v in store.model_versions()}
    assert len(left) < 4
    assert {v for v in versions if store.drift_reference(v) is not None} == left


def test_there_is_none_of_a_version_that_is_not_there(store):
    with pytest.raises(StoreError, match="model version 7"):
        store.put_drift_reference(7, b"reference")
