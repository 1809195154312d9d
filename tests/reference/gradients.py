"""Central differences, the judge of every analytic backward."""

import numpy as np


def numerical_gradient(f, x, step=1e-5):
    """df/dx of a scalar function, x (any shape) changed in place and restored: (f(x + h) - f(x - h)) / 2 h."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        x[i] = kept + step
        above = f()
        x[i] = kept - step
        gradient[i] = (above - f()) / (2.0 * step)
        x[i] = kept
    return gradient


def assert_gradient(f, x, analytic, *, rtol=1e-6, name=""):
    """The analytic gradient agrees, relative to its own largest entry."""
    numeric = numerical_gradient(f, x)
    np.testing.assert_allclose(analytic, numeric, rtol=rtol, atol=rtol * max(1e-2, np.abs(numeric).max()), err_msg=name)
