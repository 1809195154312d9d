"""SHGAT in the loop: one set of parameters for all repositories, warm-started batch by batch, and the register that says how far it is.

    kernel/models/register.json          through, trained, accepted, model, bytes, digest
    kernel/models/<sha256>.safetensors   the parameters, over a catalogue of one file: they fit every repository

The register is written after its model, and names it by its content. Whoever is killed in between has the register of before, and learns the
batch again.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from .._files import sha256
from ..errors import CorruptError, ModelFileError, WorkerError
from ..graph import Catalog, Tool
from ..shgat import SHGAT
from ..worker.parent import Child
from .changeset import Changes
from .cochange import closed_sets
from .disk import Disk
from .events import canonical, digest
from .layout import Layout
from .learner import Learner
from .ledger import Fault, Ledger
from .manifest import Repo
from .quota import Quota
from .snapshot import ENCODER, Snapshot, vectors


@dataclass(frozen=True, slots=True)
class Register:
    """How far training is.

    Attributes
    ----------
    through : the last segment of the ledger that was looked at
    trained : histories that were long enough to be learned from
    accepted : of them, those after which held-out commits were ranked no worse, so that the parameters moved
    model : SHA-256 of its file, "" before the first
    bytes : of that file
    """

    through: int = 0
    trained: int = 0
    accepted: int = 0
    model: str = ""
    bytes: int = 0


def place(layout: Layout) -> Path:
    """The folder of the register and its model."""
    return layout.kernel / "models"


def model_path(layout: Layout, register: Register) -> Path:
    """The file of a register's model."""
    return place(layout) / f"{register.model}.safetensors"


def registered(layout: Layout) -> Register:
    """The register of a workspace; one that knows nothing where there is none.

    Raises
    ------
    CorruptError
        where it is not what was written.
    """
    path = place(layout) / "register.json"
    try:
        found = orjson.loads(path.read_bytes())
        written = found.pop("digest")
        if written == digest(canonical(found)):
            return Register(**found)
        raise ValueError
    except FileNotFoundError:
        return Register()
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CorruptError(f"{path}: it is not what was written; without it, the next run learns everything anew") from None


def load(layout: Layout, register: Register) -> SHGAT | None:
    """The model of a register, None before the first.

    Raises
    ------
    CorruptError
        where its file is missing, or not what was written.
    """
    if not register.model:
        return None
    path = model_path(layout, register)
    try:
        data = path.read_bytes()
        if sha256(data) == register.model:
            return SHGAT.from_bytes(data, path.name)
    except (FileNotFoundError, ModelFileError):
        pass
    raise CorruptError(f"{path}: it is missing, or not what was written; without register.json the next run learns everything anew")


def verify(layout: Layout) -> list[Fault]:
    """Compares the register and its model with what was written."""
    try:
        load(layout, registered(layout))
    except CorruptError as error:
        return [Fault("models", str(error))]
    return []


class BatchTrainer:
    """What `Loop(train=...)` calls: learns from every segment behind the register, in the ledger's order, and moves the register on.

    A history that cannot be learned from, or whose training fails, is passed over; the loop goes on.

    Parameters
    ----------
    layout : of the workspace
    limit : bytes of its quota; the model stands in the kernel's share
    child : trains
    disk : the door
    seed : of each training
    on_learned : is told of each history: its unit, and what came of it
    """

    def __init__(
        self,
        layout: Layout,
        limit: int,
        child: Child,
        disk: Disk | None = None,
        seed: int = 0,
        on_learned: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._layout, self._limit, self._child, self._disk = layout, limit, child, disk or Disk()
        self._seed, self._on_learned = seed, on_learned

    def __call__(self, ledger: Ledger, repositories: Sequence[Repo]) -> None:
        """Learns what is new.

        Raises
        ------
        QuotaError
            where the model has no room in the kernel's share; the register stays where it was.
        CorruptError
            where the register or its model is not what was written.
        """
        before = registered(self._layout)
        learner = Learner(self._child, load(self._layout, before), self._seed)
        trained, accepted, through = before.trained, before.accepted, before.through
        for entry, lines in ledger.walk(after=before.through):
            changes, through = Changes.of(map(orjson.loads, lines), entry.unit), entry.seq
            row = len(changes.rows)
            try:
                result = learner.learn(Snapshot.at(changes, row, closed_sets(changes.rows)))
            except WorkerError as error:
                self._on_learned(entry.unit, f"passed over: {error}")
                continue
            trained += result is not None
            accepted += result is not None and result.accepted
            self._on_learned(entry.unit, "too short to be learned from" if result is None else result.reason)
        self._keep(learner.model, Register(through, trained, accepted, before.model, before.bytes))

    def _keep(self, model: SHGAT | None, register: Register) -> None:
        folder = place(self._layout)
        folder.mkdir(parents=True, exist_ok=True)
        if model is not None:
            data = model.over(_anywhere()).to_bytes()
            name = sha256(data)
            if name != register.model:
                quota = Quota(self._layout, self._limit)
                room = quota.reserve("kernel", len(data))
                self._disk.replace(folder / f"{name}.safetensors", data)
                quota.release("kernel", room)
            register = Register(register.through, register.trained, register.accepted, name, len(data))
        said = asdict(register)
        self._disk.replace(folder / "register.json", canonical({**said, "digest": digest(canonical(said))}) + b"\n")
        for path in folder.glob("*.safetensors"):
            if path.stem != register.model:
                self._disk.remove(path)


def _anywhere() -> Catalog:
    """A catalogue of one file: the parameters are those of every repository."""
    (x,) = vectors(["file"])
    return Catalog.from_records([Tool(id="0 file", text="file", embedding=x)], [], encoder=ENCODER)
