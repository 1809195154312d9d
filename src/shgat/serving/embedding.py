"""The catalogue that is served: of a folder what holds together, and of texts alone with embeddings of them, each made once."""

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path

from .._types import Float32
from ..errors import ShgatError
from ..features import Encoder, embedded, open_encoder
from ..features.cache import Remembering, VectorCache
from ..features.intents import QUICK
from ..features.kept import Kept
from ..graph import Catalog
from ..store import Store

_log = logging.getLogger("shgat")


def served_catalog(catalog: Catalog | str | Path, encoder: object, cache: VectorCache, url: str, timeout: float) -> Catalog:
    """A catalogue with embeddings. Those of another process or day are taken from the store at `url` where that has them.

    Parameters
    ----------
    encoder : what makes vectors of texts, as `open_encoder` takes it; None for the static vectors of the wheel
    timeout : seconds to wait for the store
    """
    if not isinstance(catalog, Catalog):
        catalog = Catalog.load(catalog, strict=False)
    if catalog.left_out:
        _log.warning("%d items of the catalogue are broken, the first: %s", len(catalog.left_out), catalog.left_out[0])
    if catalog.has_embeddings:
        return catalog
    found = open_encoder("" if encoder is None else encoder)
    quick = isinstance(found, QUICK)
    return embedded(catalog, Remembering(found, cache, quick), {} if quick else _stored(url, found, timeout))


def _stored(url: str, encoder: Encoder, timeout: float) -> Mapping[str, Float32]:
    """What the store holds of the encoder; nothing where it cannot be asked, which somebody else reports."""
    with contextlib.suppress(ShgatError), Store.open(url, encoder.dimension, timeout=timeout) as store:
        if store.encoder() == encoder.id:
            tools, capabilities = store.catalog()
            whole = [t for t in tools if t.embedding is not None], [c for c in capabilities if c.embedding is not None]
            return Kept.of(Catalog.from_records(*whole, encoder=encoder.id, strict=False))
    return {}
