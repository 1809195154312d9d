"""Makes the static vectors of the wheel: `python scripts/static_vectors.py --model DIR --corpus FILE --out FILE`.

Every piece of the vocabulary goes through the model alone, and every text of the corpus, a line each. The vectors of the pieces are then
moved so that the weighted mean of those of a text reproduces the model's vector of it: ridge regression towards where they stood,

    min_V  sum_texts | sum_p a_tp V_p - (y_t - mean y) |^2  +  ridge | V - V_0 |^2,

a_tp = w_p (1 + ln f_tp) / sum of them over the text, w_p = a / (a + share of the piece in the corpus) (Arora et al., 2017), by conjugate
gradients in all dimensions at once. What is kept is w_p V_p, in k principal directions of four bits each.

The ones in the wheel: all-MiniLM-L6-v2 (Apache-2.0), and one-line summaries of packages on PyPI. NOTICE names what they are made from.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from shgat.features.onnx import OnnxEncoder
from shgat.features.static import READ, StaticVectors

COMMON = 1e-3  # a of the weights
PROBES = (
    "Send an email to the whole team", "Read a file from the disk", "What is the weather in Lisbon tomorrow?", "Translate a text into German",
    "List all open pull requests", "Draw a chart of the sales", "Play some music", "Convert euros to dollars",
)  # fmt: skip
CHUNK = 1000  # texts between two words on how far it is


def vocabulary_of(folder: Path) -> list[str]:
    """The pieces of a model's tokenizer, by number."""
    from tokenizers import Tokenizer

    numbers = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    return sorted(numbers, key=lambda piece: numbers[piece])


def counted(encoder: OnnxEncoder, texts: Sequence[str], n: int) -> sparse.csr_array:
    """(texts, n) 1 + ln of how often each piece occurs in each text."""
    rows, columns, values = [], [], []
    for i, text in enumerate(texts):
        numbers, counts = np.unique(np.array(encoder.pieces(text)[:READ], np.int64), return_counts=True)
        rows += [i] * len(numbers)
        columns += numbers.tolist()
        values += (1.0 + np.log(counts)).tolist()
    return sparse.csr_array((np.array(values, np.float32), (rows, columns)), (len(texts), n))


def fitted(counts: sparse.csr_array, y: np.ndarray, start: np.ndarray, ridge: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(w_p V_p (n, d), mean (d,)) from counts (texts, n), the model's vectors y (texts, d) and those of the pieces (n, d)."""
    share = np.asarray(counts.sum(axis=0)).ravel()
    weight = COMMON / (COMMON + share / share.sum())
    a = counts @ sparse.diags_array(weight)
    a = sparse.diags_array(1.0 / np.maximum(np.asarray(a.sum(axis=1)).ravel(), 1e-12)) @ a
    mean = y.mean(axis=0)
    start = start - start[share > 0].mean(axis=0)
    made = a @ start
    start = start * (float((made * (y - mean)).sum()) / max(float((made**2).sum()), 1e-12))
    x, b = np.zeros_like(start), a.T @ (y - mean - a @ start)
    r, p = b.copy(), b.copy()
    rr = (r**2).sum(axis=0)
    for _ in range(steps):
        ap = a.T @ (a @ p) + ridge * p
        alpha = rr / np.maximum((p * ap).sum(axis=0), 1e-30)
        x += alpha * p
        r -= alpha * ap
        rr, before = (r**2).sum(axis=0), rr
        if float(rr.max()) < 1e-10 * float((b**2).sum(axis=0).max()):
            break
        p = r + rr / np.maximum(before, 1e-30) * p
    return ((start + x) * weight[:, None]).astype(np.float32), mean.astype(np.float32)


def encoded(texts: Sequence[Any], cache: Path | None, encode: Callable[[Sequence[Any]], np.ndarray]) -> np.ndarray:
    """(texts, d), from the cache where it is there."""
    if cache is not None and cache.exists():
        found = np.load(cache).astype(np.float32)
        if len(found) == len(texts):
            return found
    parts = []
    for start in range(0, len(texts), CHUNK):
        parts.append(encode(texts[start : start + CHUNK]))
        print(f"{min(start + CHUNK, len(texts))} of {len(texts)}", file=sys.stderr)
    found = np.concatenate(parts)
    if cache is not None:
        np.save(cache, found.astype(np.float16))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the corpus, and writes the vectors."""
    parser = argparse.ArgumentParser(description="Make static vectors of a sentence encoder.")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.onnx and tokenizer.json")
    parser.add_argument("--corpus", type=Path, required=True, help="texts, a line each")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--cache", type=Path, help="folder that keeps the model's vectors from one run to the next")
    parser.add_argument("--k", type=int, default=224, help="principal directions that are kept, an even number")
    parser.add_argument("--ridge", type=float, default=0.3)
    parser.add_argument("--steps", type=int, default=40, help="of conjugate gradients, at most")
    parser.add_argument("--shift", type=float, default=1.0, help="how much of the mean is added to every text")
    given = parser.parse_args(arguments)
    encoder, vocabulary = OnnxEncoder.from_folder(given.model, probe=False), vocabulary_of(given.model)
    texts = [line for line in given.corpus.read_text().splitlines() if line.strip()]
    counts = counted(encoder, texts, len(vocabulary))
    seen = np.flatnonzero(np.asarray(counts.sum(axis=0)).ravel())
    cache = {name: None if given.cache is None else given.cache / f"{name}.npy" for name in ("texts", "pieces")}
    y = encoded(texts, cache["texts"], encoder.encode)
    start = np.zeros((len(vocabulary), y.shape[1]), np.float32)
    whole = np.arange(len(vocabulary)) if given.cache is not None else seen  # what no text holds may stay out of a trial
    ends = encoder.pieces_of("")
    start[whole] = encoded(
        whole.tolist(), cache["pieces"], lambda some: encoder.encode_pieces([[ends[0], p, ends[-1]] for p in some])
    )
    vectors, mean = fitted(counts, y, start, given.ridge, given.steps)
    vectors[[i for i, piece in enumerate(vocabulary) if piece.startswith("[")]] = 0.0
    scale = max(1.0 - float(mean @ mean), 1e-6) ** 0.5  # length of a text's vector less the mean
    probes = dict(zip(PROBES, encoder.encode(PROBES), strict=True))
    given.out.write_bytes(StaticVectors.to_bytes(vectors, given.shift / scale * mean, vocabulary, probes, min(given.k, y.shape[1])))
    made = StaticVectors.from_bytes(given.out.read_bytes(), given.out.name)
    alike = (made.encode(texts[:CHUNK]) * y[:CHUNK]).sum(axis=1)
    print(f"{made.id}: {given.out.stat().st_size} bytes, mean cosine {float(alike.mean()):.3f} to the model on its own corpus")


if __name__ == "__main__":
    main()
