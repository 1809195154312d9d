"""A live model of so many tools that a graph proposes which of them to score."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError, MissingExtraError, ModelFileError, ShgatError
from . import neighbour_file
from .candidates import Candidates
from .index import Index
from .live import LiveModel
from .neighbours import Neighbours
from .shared_arrays import SharedArrays
from .state import ModelState

_log = logging.getLogger("shgat")


class IndexedModel(LiveModel):
    """A live model that may have neighbours: they follow it through every change, and are made anew beside the requests where they fall behind.

    Attributes
    ----------
    neighbours_trouble : why all tools are scored although there are neighbours, "" where all is well
    """

    def __init__(self, state: ModelState) -> None:
        self.neighbours_trouble = ""
        self._kept: tuple[list[str], Neighbours] | None = None  # ids of the columns, and the neighbours over them
        self._beside: Path | None = None  # a file that was not opened yet
        self._renewing: threading.Thread | None = None
        self._shared: SharedArrays | None = None
        self._shared_tools: Candidates | None = None  # that were shared last
        super().__init__(state)

    def after_fork(self) -> None:
        super().after_fork()
        self._renewing = None  # a thread of the parent

    def index(self) -> Index:
        current = super().index()
        if self._shared is not None and current.tools is not self._shared_tools:
            current = self._in_shared_memory(self._shared)
        found = current.neighbours
        if found is None and (self._kept is not None or self._beside is not None):
            current = self._attached()
            found = current.neighbours
        if found is not None and found.stale and self._renewing is None:
            self.neighbours_trouble = f"{len(found.loose)} of {len(current.tools.ids)} tools are not among the neighbours yet"
            self._renew()
        return current

    def share(self, arrays: SharedArrays | None) -> None:
        """Keeps what is large in memory that other processes of this machine share, from now on; tools that are added later are not in it until
        the next version."""
        if arrays is not None:
            with self._lock:
                self._shared, self._state = arrays, arrays.state(self.state)

    def build_neighbours(self, threads: int | None = None, progress: Callable[[int, int], None] | None = None) -> None:
        """Makes a graph over the keys of the tools, which proposes candidates from now on; `save` writes it beside the model.

        What it proposes is scored exactly. It is worth its making from about 100 000 tools on, for intents that are ranked by similarity alone:
        where a training has weighed several channels, or words speak, all tools are scored. It takes minutes for a million tools.

        Parameters
        ----------
        threads : None: as many as there are processors that this process may use
        progress : called with how many tools are in, and of how many

        Raises
        ------
        MissingExtraError
            without the extra `ann`.
        InputError
            for a model whose similarity is not "cosine".
        """
        current = super().index()
        if not current.cosine:
            raise InputError(f'neighbours need similarity="cosine", this model has {current.state.config.similarity!r}')
        made = Neighbours.of(current.tools.keys, threads, progress)
        with self._lock:
            now = super().index()
            if now.tools is not current.tools:  # it changed meanwhile
                made = made.over(current.tools.ids, now.tools)
            self._put(now, made)
            self.neighbours_trouble = ""

    def neighbours_stats(self) -> dict[str, Any]:
        """As JSON values: tools that the graph has, those that it does not have yet, and what is wrong."""
        found = self.index().neighbours
        known, loose = (0, 0) if found is None else (found.known, len(found.loose))
        return {"known": known, "loose": loose, "trouble": self.neighbours_trouble}

    def _follow(self, other: "IndexedModel") -> None:
        """Takes over the neighbours of a model that this one was made of."""
        self._kept, self._beside = other._kept, other._beside

    def _save_neighbours(self, path: Path) -> None:
        """Beside the model's file; a file of before goes where there are none."""
        found = self.index().neighbours
        if found is not None:
            neighbour_file.save(found, neighbour_file.beside(path))
        else:
            neighbour_file.beside(path).unlink(missing_ok=True)

    def _open_neighbours(self, path: Path) -> None:
        """Those beside the model's file, with the first request."""
        if (beside := neighbour_file.beside(path)).exists():
            self._beside = beside

    def _in_shared_memory(self, arrays: SharedArrays) -> Index:
        with self._lock:
            current = super().index()
            if not current.tools.growth and current.tools is not self._shared_tools:
                self._index = current = arrays.index(current)
            self._shared_tools = current.tools
            return current

    def _attached(self) -> Index:
        """The current index with the neighbours that were kept, or lie in a file; all tools are loose where both cannot be used."""
        with self._lock:
            current = super().index()
            if current.neighbours is not None or not current.cosine:
                self._beside = None
                return current
            if self._kept is not None:
                before, neighbours = self._kept
                return self._put(current, neighbours.over(before, current.tools))
            path, self._beside = self._beside, None
            if path is None:
                return current
            try:
                return self._put(current, neighbour_file.load(path, current.tools.keys))
            except MissingExtraError as error:
                self.neighbours_trouble = str(error)
                _log.warning("all tools are scored: %s", error)
            except ModelFileError as error:
                self.neighbours_trouble = f"{error}; it is being made anew"
                _log.warning("%s", self.neighbours_trouble)
                self._renew()
            return current

    def _put(self, current: Index, neighbours: Neighbours) -> Index:
        self._index = found = replace(current, neighbours=neighbours)
        self._kept = found.tools.ids, neighbours
        return found

    def _renew(self) -> None:
        """Makes the neighbours anew in a thread beside the requests, which score all tools meanwhile."""

        def renew() -> None:
            try:
                self.build_neighbours(threads=1)
            except ShgatError as error:
                self.neighbours_trouble = str(error)
                _log.warning("neighbours are not made anew: %s", error)
            finally:
                self._renewing = None

        with self._lock:
            if self._renewing is None:
                self._renewing = threading.Thread(target=renew, name="shgat-neighbours", daemon=True)
                self._renewing.start()
