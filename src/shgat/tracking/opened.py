"""Which tracker a place means."""

from pathlib import Path

from ..errors import InputError
from .contract import Tracker
from .folder import FolderTracker

PLACES = "a folder, mlflow+http://HOST:PORT, mlflow+sqlite:///FILE, or wandb+offline:FOLDER"


def open_tracker(place: str | Path) -> Tracker:
    """A tracker: of a folder, or of a URL that begins with "mlflow+" or "wandb+offline:".

    Raises
    ------
    InputError
        for another kind of URL.
    MissingExtraError
        where what it takes is not installed.
    """
    text = str(place)
    if text.startswith("mlflow+"):
        from .mlflow import MlflowTracker

        return MlflowTracker(text.removeprefix("mlflow+"))
    if text.startswith("wandb+offline:"):
        from .wandb import WandbTracker

        return WandbTracker(text.removeprefix("wandb+offline:"))
    if "://" in text or not text.strip():
        raise InputError(f"runs are kept in {PLACES}, not in {text!r:.100}")
    return FolderTracker(text)
