"""y = x W^T and its backward."""


def project(x, w):
    """y (m, n) = x (m, k) w (n, k)^T"""
    return x @ w.T


def project_backward(d_y, x, w):
    """d_x = d_y w, d_w = d_y^T x"""
    return d_y @ w, d_y.T @ x
