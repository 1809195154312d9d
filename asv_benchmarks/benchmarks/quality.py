"""Recall@5 and COMP@5 of a default training on the test split of each real set; their folder is named by SHGAT_DATA."""

import os
from pathlib import Path

from shgat.experiments.dataset import Dataset
from shgat.experiments.quality import Result, shgat

SETS = ["n8n", "numpybank", "livemcpbench", "metatool", "toollens"]


class Quality:
    """One training a set, seed 0."""

    params = (SETS,)
    param_names = ("set",)
    timeout = 1800

    def setup_cache(self) -> dict[str, Result]:
        """Trains once for all figures; empty where there is no data."""
        root = os.environ.get("SHGAT_DATA")
        data = [Dataset.load(Path(root) / name) for name in SETS if (Path(root) / name).is_dir()] if root else []
        return {d.name: Result([shgat(d, 0)], d.cold) for d in data}

    setup_cache.timeout = 3600

    def setup(self, results: dict[str, Result], name: str) -> None:
        if name not in results:
            raise NotImplementedError(f"SHGAT_DATA names no folder with the set {name}")

    def track_recall_at_5(self, results: dict[str, Result], name: str) -> float:
        return 100 * results[name].mean("recall@5")

    def track_comp_at_5(self, results: dict[str, Result], name: str) -> float:
        return 100 * results[name].mean("comp@5")

    def track_seconds(self, results: dict[str, Result], name: str) -> float:
        return results[name].seconds

    track_recall_at_5.unit = track_comp_at_5.unit = "%"
    track_seconds.unit = "s of processor time"
