"""What changes over a run: learning rate, temperature, replay's beta."""

import math


def learning_rate(step: int, total: int, peak: float, warmup: float = 0.05, floor: float = 1e-6) -> float:
    """Linear warm-up over the share `warmup` of `total` steps, then half a cosine from `peak` to `floor`; step counts from 0."""
    ramp = max(1.0, warmup * total)
    rise = min(1.0, (step + 1) / ramp)
    fall = 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / max(1, total))))
    return max(min(peak, floor), peak * rise * fall)


def anneal(step: int, total: int, first: float, last: float) -> float:
    """Linear from `first` to `last`."""
    return first + (last - first) * min(1.0, step / max(1, total - 1))
