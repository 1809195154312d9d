"""What an encoder gave for the items of a folder, so that only what is new or changed is encoded again.

What an import has no encoder for waits here, too, until everything has a vector.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import orjson

from .._files import load_matrix, parse_line, read_lines, replacing, write_atomically
from .._types import Float32
from ..errors import EncoderError, InputError, ModelFileError
from ..executor import Executor, Shared, Tell
from ..graph import Capability, Catalog, Tool
from ..model.tensor_file import pack, read, unpack
from .encoder import Encoder, content_of, embedded, queries
from .named import open_encoder

FILE = "embedded.safetensors"  # beside tools.jsonl
TRACE_FILES = ("train.jsonl", "test.jsonl", "traces.jsonl")
_CHUNK = 64  # texts between two words on how far it is
_DIGEST = 16
OnText = Callable[[int, int], None]  # how many are encoded, of how many


@dataclass(frozen=True)
class Embedding:
    """What was done to a folder.

    Attributes
    ----------
    catalog : as it is now
    encoded : texts of tools and capabilities that were encoded
    kept : those that had not changed
    traces : file -> intents that were encoded
    """

    catalog: Catalog
    encoded: int
    kept: int
    traces: dict[str, int]


class Kept(Mapping[str, Float32]):
    """What was encoded, by `content_of` -> vector (d,), of one encoder. Contents are known by their hash.

    Attributes
    ----------
    encoder : id of what made the vectors, "" where there are none
    rows : hash -> vector
    """

    def __init__(self, encoder: str = "", rows: Mapping[bytes, Float32] | None = None) -> None:
        self.encoder, self.rows = encoder, rows or {}

    @classmethod
    def load(cls, folder: Path, encoder: str | None = None) -> "Kept":
        """Of a folder; empty where there is no file, where it is torn, and where another encoder made it than the one that is meant."""
        try:
            tensors, manifest = unpack(read(folder / FILE), FILE)
            made = str(manifest["encoder"])
            if encoder not in (None, made):
                return cls()
            rows = zip(tensors["hashes"], tensors["vectors"].astype(np.float32), strict=True)
            return cls(made, {key.tobytes(): vector for key, vector in rows})
        except (KeyError, ValueError, ModelFileError):
            return cls()

    @classmethod
    def of(cls, catalog: Catalog) -> "Kept":
        """The embeddings of everything in a catalogue; empty for one that has none."""
        if catalog.tool_embeddings is None or catalog.capability_embeddings is None:
            return cls()
        nodes: tuple[Tool | Capability, ...] = (*catalog.tools, *catalog.capabilities)
        rows = zip(nodes, (*catalog.tool_embeddings, *catalog.capability_embeddings), strict=True)
        return cls(catalog.encoder, {_hash(content_of(node)): row for node, row in rows})

    def save(self, folder: Path) -> None:
        """Writes them in place of all that were kept."""
        hashes = np.frombuffer(b"".join(self.rows), np.uint8).reshape(-1, _DIGEST)
        vectors = np.array(list(self.rows.values()), np.float32).reshape(len(self), -1 if self.rows else 0)
        write_atomically(folder / FILE, pack({"hashes": hashes, "vectors": vectors}, {"encoder": self.encoder}))

    def __getitem__(self, content: str) -> Float32:
        return self.rows[_hash(content)]

    def __iter__(self) -> Iterator[str]:
        raise TypeError("contents are known by their hash alone")

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, content: object) -> bool:
        return isinstance(content, str) and _hash(content) in self.rows


class Told:
    """An encoder that says how far it is.

    Parameters
    ----------
    on_text : called after some texts
    """

    def __init__(self, encoder: Encoder, on_text: OnText | None, executor: Executor | None = None, name: str = "") -> None:
        self._encoder, self._on_text, self.encoded = encoder, on_text, 0
        self._executor, self._name = executor, name
        self._named: Shared[tuple[str, str]] | None = None
        self.id, self.dimension = encoder.id, encoder.dimension
        self.query_prefix, self.passage_prefix = encoder.query_prefix, encoder.passage_prefix

    def encode(self, texts: Sequence[str]) -> Float32:
        """What the encoder gives, in parts."""
        parts = [np.zeros((0, self.dimension), np.float32)]
        chunks = [texts[start : start + _CHUNK] for start in range(0, len(texts), _CHUNK)]
        for start, part in zip(range(0, len(texts), _CHUNK), self._encoded(chunks), strict=True):
            parts.append(part)
            self.encoded += len(part)
            if self._on_text is not None:
                self._on_text(min(start + _CHUNK, len(texts)), len(texts))
        return np.concatenate(parts)

    def _encoded(self, chunks: Sequence[Sequence[str]]) -> Iterator[Float32]:
        """Each chunk alone, here or in other processes: the same vectors."""
        if self._executor is None or self._executor.jobs == 1 or len(chunks) < 2:
            return map(self._encoder.encode, chunks)
        if self._named is None:
            self._named = self._executor.share((self._name, self.id))
        return self._executor.map(_encoded, self._named, chunks)


def _encoded(named: tuple[str, str], texts: Sequence[str], _tell: Tell) -> Float32:
    """A task for an executor, in whose processes the encoder is opened once; `named`: what opens it, and its id."""
    name, expected = named
    encoder = open_encoder(name)
    if encoder.id != expected:
        raise EncoderError(
            f"in another process {name or 'the encoder'!r} is {encoder.id}, here {expected}: name the one that is meant"
        )
    return encoder.encode(texts)


def embed_folder(
    folder: Path, encoder: Encoder, on_text: OnText | None = None, *, executor: Executor | None = None, opened_by: str = ""
) -> Embedding:
    """Gives the catalogue of a folder embeddings by an encoder, and its traces too; what did not change is not encoded again.

    Fields of traces that nobody here knows stay as they are.

    Parameters
    ----------
    executor : where texts are encoded at once, None for here
    opened_by : name by which `open_encoder` opens the same encoder in other processes

    Raises
    ------
    CatalogError, InputError
        for a folder that holds no sound catalogue, or traces that are no JSON lines. Nothing is written then.
    EncoderError
        where the encoder fails: what the folder held is still there.
    """
    catalog = Catalog.load(folder, embeddings=False)
    lines = {name: _lines(folder / name) for name in TRACE_FILES if (folder / name).exists()}
    told, known = Told(encoder, on_text, executor, opened_by), Kept.load(folder, encoder.id)
    made = embedded(catalog, told, known)
    rows = {name: _rows(folder / name, records, told) for name, records in lines.items()}
    rows = {name: found for name, found in rows.items() if found[1]}
    kept = Kept.of(made)
    made.save(folder)
    kept.save(folder)
    for name, (matrix, _) in rows.items():
        _write(folder / name, lines[name], matrix, encoder.id)
    new = len(kept.rows.keys() - known.rows.keys())
    return Embedding(made, new, len(kept) - new, {name: n for name, (_, n) in rows.items()})


def _lines(path: Path) -> list[dict[str, object]]:
    found = []
    for number, line in read_lines(path):
        record = parse_line(line, path, number)
        if not isinstance(record, dict) or not isinstance(record.get("intent") or "", str):
            raise InputError(f"{path.name}, line {number}: a trace is a record whose intent is a text")
        found.append(record)
    return found


def _rows(path: Path, records: Sequence[dict[str, object]], encoder: Told) -> tuple[Float32, int]:
    """((n, d) embeddings of the intents, NaN where there is no text; how many were encoded)."""
    matrix = np.full((len(records), encoder.dimension), np.nan, np.float32)
    beside = path.with_suffix(".npy")
    if beside.exists():
        there = load_matrix(beside)
        if there.shape == matrix.shape:
            mine = np.array([r.get("encoder") == encoder.id for r in records], bool)
            matrix[mine] = there[mine]
    missing = [i for i, r in enumerate(records) if r.get("intent") and np.isnan(matrix[i]).any()]
    if missing:
        texts = queries(encoder, [str(records[i]["intent"]) for i in missing])
        new = list(dict.fromkeys(texts))
        row = dict(zip(new, encoder.encode(new), strict=True))
        matrix[missing] = [row[text] for text in texts]
        matrix[~matrix.any(axis=1)] = np.nan  # a text that says nothing has no embedding
    return matrix, len(missing)


def _write(path: Path, records: Sequence[dict[str, object]], matrix: Float32, encoder: str) -> None:
    with replacing(path) as lines, replacing(path.with_suffix(".npy")) as temporary:
        with temporary.open("wb") as file:
            np.save(file, matrix, allow_pickle=False)
        with lines.open("wb") as file:
            for record in records:
                record.pop("embedding", None)
                file.write(orjson.dumps({**record, "encoder": encoder}) + b"\n")


def _hash(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST).digest()
