"""The move changes no bit of a seeded training. Digests of the code as it stood before; to be dropped once everything stands."""

import hashlib

from shgat import SHGAT, Catalog, load_traces
from worlds import SAMPLE


def test_a_seeded_fit_on_the_sample_gives_the_same_bits():
    catalog = Catalog.load(SAMPLE)
    model = SHGAT.from_catalog(catalog)
    report = model.fit(load_traces(SAMPLE / "train.jsonl", catalog))
    assert report.accepted
    assert hashlib.sha256(model.params.buffer.tobytes()).hexdigest().startswith("6dd23729fe0ebc1b")
