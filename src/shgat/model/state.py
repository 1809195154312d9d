"""A model at one moment."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import SHGATConfig
from ..graph import Catalog, Cooccurrence
from .channels import Learned
from .params import Params, initial_params, resolve_layout
from .values import LearnedValues
from .wide import wide_catalog

_log = logging.getLogger("shgat")


@dataclass(frozen=True, eq=False)
class ModelState:
    """All that a model is: what a file keeps, what training starts from and gives back, what an index is built from.

    It is replaced as a whole and never changed, so that whoever reads several of its fields reads one version.

    Attributes
    ----------
    catalog : tools and capabilities
    config : SHGATConfig
    params : parameters
    cooccurrence : weights of V->V, or None
    learned : what training added to the parameters; None before
    report : the report of the training that made the model, as JSON values; None before
    values : what choices are worth within sessions; None before a training from sessions
    """

    catalog: Catalog
    config: SHGATConfig
    params: Params
    cooccurrence: Cooccurrence | None = None
    learned: Learned | None = None
    report: dict[str, Any] | None = None
    values: LearnedValues | None = None

    @property
    def space(self) -> Catalog:
        """The catalogue as the parameters see it: with words beside the embeddings, or as it is."""
        return wide_catalog(self.catalog) if self.config.words else self.catalog

    @classmethod
    def untrained(cls, catalog: Catalog, config: SHGATConfig, seed: int | list[int] = 0) -> "ModelState":
        """With which ranking is cosine; `seed`, as NumPy takes it, draws the small noise of its attention."""
        layout = resolve_layout(catalog, config)
        if layout.n_heads * layout.d_head < layout.d:
            _log.info("%d x %d readout dimensions < d = %d: a random projection, so an untrained model only approximates cosine",
                      layout.n_heads, layout.d_head, layout.d)  # fmt: skip
        return cls(catalog, config, initial_params(layout, config, np.random.default_rng(seed)))
