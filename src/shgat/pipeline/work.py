"""What a step has to hand: the settings, the store and its registry, the run, and what is loaded once for all steps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import InputError, ModelFileError, StoreError
from ..graph import Catalog
from ..registry import StoreRegistry, Versions
from ..shgat import SHGAT
from ..store import Move, Store
from ..store.feature_build import stored_catalog
from .runs import Run, Runs
from .settings import Settings
from .snapshot import Snapshot

WHO = "pipeline"  # in the log of moves
CANDIDATE = "candidate.safetensors"


@dataclass(frozen=True)
class Outcome:
    """Attributes
    ----------
    passed : False where a gate says no
    reason : in words
    facts : JSON values
    closes : status with which the run ends here though the step passed, "" where it goes on
    """

    passed: bool
    reason: str
    facts: dict[str, Any] = field(default_factory=dict)
    closes: str = ""


@dataclass(eq=False)
class Work:
    """Attributes
    ----------
    settings, store, registry, runs, run : of this pipeline
    sleep : waits so many seconds
    say : takes a sentence on how far a step is
    """

    settings: Settings
    store: Store
    registry: StoreRegistry
    runs: Runs
    run: Run
    sleep: Callable[[float], object]
    say: Callable[[str], object]

    @property
    def folder(self) -> Path:
        """Of the run."""
        return self.runs.place(self.run)

    @property
    def user(self) -> str:
        """Whose model."""
        return self.settings.user

    @cached_property
    def catalog(self) -> Catalog:
        """What is to be served; InputError where it has no tools or no embeddings."""
        place = self.settings.catalog
        found = stored_catalog(self.store) if place is None else Catalog.load(place)
        if not found.tools:
            raise InputError(f"{self.store.url} holds no catalogue yet: name its folder, catalog = ...")
        if not found.has_embeddings:
            raise InputError("the catalogue has no embeddings: shgat embed --catalog DIR")
        return found

    @cached_property
    def snapshot(self) -> Snapshot:
        """The traces of the run, as its first step chose them; InputError where the catalogue is another one by now."""
        self.run.facts("validate-data")
        found = Snapshot.load(self.folder)
        if self.run.facts("validate-data")["catalog"] != self.catalog.checksum:
            raise InputError(f"the catalogue has changed since run {self.run.id} was begun: begin anew with --again")
        return found

    @property
    def versions(self) -> Versions:
        """Opens models over the catalogue."""
        return Versions(self.catalog, self.user)

    def candidate(self) -> SHGAT:
        """The model that was trained."""
        self.run.facts("train")
        return self.versions.open((self.folder / CANDIDATE).read_bytes(), CANDIDATE)

    def production(self) -> tuple[int | None, SHGAT | None]:
        """The version that serves, and its model; None where there is none, or for the model where it is damaged."""
        number = self.registry.aliases().get("production")
        if number is None:
            return None, None
        try:
            return number, self.versions.open(self.registry.data(number), f"model version {number}")
        except (StoreError, ModelFileError):  # what cannot serve is no rival, as in `shgat.registry.promote`
            return number, None

    def own_move(self, alias: str, number: int) -> Move | None:
        """The latest move by which this run let an alias name a version; None where it made none."""
        moves = self.registry.moves(alias)
        return next((m for m in moves if m.after == number and m.why.startswith(self.run.tag)), None)
