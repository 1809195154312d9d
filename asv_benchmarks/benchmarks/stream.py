"""How fast a ranker learns from a stream of feedback: the area under its curve of Recall@5 on the sample of the package."""

from shgat.cli.sample import SAMPLE
from shgat.cli.stream import measure
from shgat.experiments.curves import Curves
from shgat.experiments.dataset import Dataset
from shgat.experiments.stream import Conditions

FEEDBACKS = 200


class Stream:
    """One stream of 200 feedbacks, by the share of wrong ones."""

    params = ((0.0, 0.3),)
    param_names = ("wrong",)
    timeout = 1800

    def setup_cache(self) -> dict[float, Curves]:
        """Plays each once for all figures."""
        data = Dataset.load(SAMPLE)
        return {wrong: measure(data, Conditions(wrong=wrong, limit=FEEDBACKS), 1) for wrong in self.params[0]}

    setup_cache.timeout = 1800

    def track_area(self, curves: dict[float, Curves], wrong: float) -> float:
        return 100 * curves[wrong].area()

    def track_area_of_cosine(self, curves: dict[float, Curves], wrong: float) -> float:
        return 100 * curves[wrong].area("cosine")

    def track_at_the_end(self, curves: dict[float, Curves], wrong: float) -> float:
        return 100 * curves[wrong].mean("shgat")[-1]

    track_area.unit = track_area_of_cosine.unit = track_at_the_end.unit = "%"
