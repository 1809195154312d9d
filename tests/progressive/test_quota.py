"""The quota: bytes as the disk counts them, a share a class, reserved before they are written."""

import pytest

from shgat.errors import InputError, QuotaError
from shgat.progressive.quota import BLOCK, SHARES, Quota, rounded, size_of, taken


@pytest.mark.parametrize(("text", "n"), [("10GB", 10**10), ("50 MB", 5 * 10**7), ("1.5kb", 1500), ("12", 12), ("1tb", 10**12)])
def test_sizes(text, n):
    assert size_of(text) == n


@pytest.mark.parametrize("text", ["", "x", "10 GiB", "GB", "1e999GB", "nanMB", "-"])
def test_what_is_no_size(text):
    with pytest.raises(InputError, match="a size is a number"):
        size_of(text)


def test_what_is_taken_is_what_du_says(tmp_path, git):
    import subprocess

    for i in range(20):
        (tmp_path / f"f{i}").write_bytes(b"x" * 1000 * i)
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_bytes(b"x" * 100_000)
    (tmp_path / "loop").symlink_to(tmp_path)
    said = subprocess.run(["du", "-s", "-B1", tmp_path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert taken(tmp_path) == int(said)
    assert taken(tmp_path / "none") == 0


def test_a_class_never_has_more_than_its_share(layout):
    quota = Quota(layout, 100_000_000)
    assert sum(SHARES.values()) == pytest.approx(1)
    assert sum(quota.caps.values()) <= 100_000_000
    held = quota.reserve("archives", 6_000_000)
    assert held == rounded(6_000_000) >= 6_000_000 + BLOCK
    with pytest.raises(QuotaError, match=r"archives would need .* larger --quota"):
        quota.reserve("archives", 6_000_000)
    quota.reserve("ledger", 6_000_000)
    (layout.archives / "a").write_bytes(b"x" * 6_000_000)
    quota.release("archives", held)
    assert quota.used["archives"] >= 6_000_000
    assert quota.reserved["archives"] == 0
    assert quota.free("archives") < 4_000_000
    assert quota.peak >= 6_000_000


def test_a_workspace_that_is_too_large_already_is_said(layout):
    (layout.kernel / "a").write_bytes(b"x" * 6_000_000)
    with pytest.raises(QuotaError, match="kernel takes"):
        Quota(layout, 50_000_000).check()
    (layout.root / "stray").write_bytes(b"x" * 9_000_000)
    with pytest.raises(QuotaError, match="other takes"):
        Quota(layout, 80_000_000).check()
    with pytest.raises(InputError, match="at least"):
        Quota(layout, 1000)
