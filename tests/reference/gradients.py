"""Central differences, the judge of every analytic backward."""

import numpy as np


def assert_gradient(f, x, analytic, *, rtol=1e-6, name="", step=1e-5, directions=None):
    """The analytic df/dx agrees with (f(x + h u) - f(x - h u)) / 2 h, relative to the largest.

    u runs over the axes, or over `directions` random unit vectors (each takes in every entry at once, where x is
    large). x (float64, any shape) is changed in place and restored.
    """
    kept, analytic = x.copy(), np.asarray(analytic).reshape(-1)
    if directions is None or directions >= x.size:
        units = np.eye(x.size)
    else:
        units = np.random.default_rng(0).standard_normal((directions, x.size))
        units /= np.linalg.norm(units, axis=1, keepdims=True)
    numeric = np.zeros(len(units))
    for i, u in enumerate(units):
        along = step * u.reshape(x.shape)
        x[...] = kept + along
        above = f()
        x[...] = kept - along
        numeric[i] = (above - f()) / (2.0 * step)
        x[...] = kept
    atol = rtol * max(1e-2, np.abs(analytic).max())
    np.testing.assert_allclose(units @ analytic, numeric, rtol=rtol, atol=atol, err_msg=name)
