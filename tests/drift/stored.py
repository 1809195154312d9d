"""A store with a version and traces around it."""

import numpy as np

from shgat import Catalog
from shgat.store import Store
from shgat.traces import Trace

D, MADE = 16, 1e9  # the version's time


def catalog():
    rows = np.random.default_rng(0).standard_normal((6, D))
    return Catalog.from_records([{"id": f"t{i}", "text": f"tool {i}", "embedding": row} for i, row in enumerate(rows)], [])


def fill(url, shift, *, version=True, n=(400, 200)):
    """n traces before the version and n after it, whose intents are moved by `shift`."""
    rng = np.random.default_rng(1)
    with Store.open(url, D, clock=lambda: MADE) as store:
        store.upsert_catalog(*catalog().records())
        for part, (count, begin, by) in enumerate(zip(n, (MADE - 1e5, MADE + 1.0), (0.0, shift), strict=True)):
            rows = rng.standard_normal((count, D)) + by
            store.add_traces(
                [
                    Trace(id=f"{part}-{i}", intent=f"{part} {i}", tools=(f"t{i % 6}",), embedding=row, timestamp=begin + i)
                    for i, row in enumerate(rows)
                ]
            )
        return store.put_model(b"tensors", {}) if version else 0
