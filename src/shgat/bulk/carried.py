"""A model on its way to another process of ours: as its file's bytes, which are checked there."""

from ..shgat import SHGAT


class Carried:
    """A model that an executor may share.

    Attributes
    ----------
    model : itself here, read from its bytes elsewhere
    encoder : what makes vectors of texts there, "" for what made the catalogue's embeddings
    """

    def __init__(self, model: SHGAT, encoder: str = "") -> None:
        self.model, self.encoder = model, encoder

    def __reduce__(self) -> "tuple[object, tuple[bytes, str]]":
        return _arrived, (self.model.to_bytes(), self.encoder)


def _arrived(data: bytes, encoder: str) -> Carried:
    model = SHGAT.from_bytes(data)
    if encoder:
        model.encoder = encoder
    return Carried(model, encoder)
