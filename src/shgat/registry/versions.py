"""The versions of one user's model in a store, over the catalogue that is served."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InputError, ModelFileError
from ..graph import Catalog
from ..model.shared_arrays import SharedArrays
from ..shgat import SHGAT
from ..store import Store
from .facts import facts_of
from .slots import ServedVersion

KEPT = 20  # versions that stay in the store, each as large as a model file


class Versions:
    """Opens and adds versions.

    Parameters
    ----------
    catalog : that every version is moved to
    user_id : whose model
    shared : where large arrays lie that other processes of this machine hold too, None for nowhere
    """

    def __init__(self, catalog: Catalog, user_id: str, shared: SharedArrays | None = None) -> None:
        self.catalog, self.user_id, self.shared = catalog, user_id, shared

    def open(self, data: bytes, name: str) -> SHGAT:
        """A model of a file's content, over the catalogue, with everything built that its first request would wait for.

        Raises
        ------
        ModelFileError
            for a damaged file, and for a model that does not fit the catalogue's embeddings.
        """
        try:
            model = SHGAT.from_bytes(data, name, self.catalog)
        except InputError as error:
            raise ModelFileError(f"{name} does not fit: {error}") from None
        model.share(self.shared)
        model.rank(np.ones(self.catalog.dimension, np.float32), 1, text="warm up")
        return model

    def newest(self, store: Store) -> ServedVersion | None:
        """The version in production, or where it is damaged the one that served before; see `Store.newest_model`."""
        found = store.newest_model(lambda v: self.open(v.data, f"model version {v.version}"), self.user_id)
        if found is None:
            return None
        damaged = ", ".join(f"v{v}" for v in found.damaged)
        trouble = f"model {damaged} {'are' if len(found.damaged) > 1 else 'is'} damaged, v{found.version} serves" if damaged else ""
        return ServedVersion(f"v{found.version}", found.version, found.content, trouble)

    def add(
        self,
        store: Store,
        data: bytes,
        manifest: Mapping[str, Any],
        *,
        parent: int | None = None,
        who: str = "gateway",
        why: str = "trained",
    ) -> ServedVersion:
        """Stores a new version, in production from now on, and opens it; the user's oldest beyond twenty go.

        Parameters
        ----------
        manifest : what is said of it besides `facts_of`
        parent : number of the version that training went on from
        who, why : of the move, in the log
        """
        model = self.open(data, "the trained model")  # first: what cannot be opened is not stored
        facts = {**facts_of(model, store.clock(), parent), **manifest}
        number = store.put_model(data, facts, user_id=self.user_id, who=who, why=why)
        store.prune(keep_models=KEPT)
        return ServedVersion(f"v{number}", number, model)
