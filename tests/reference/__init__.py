"""Float64 NumPy twins of the kernels and of the whole model: short code to check fast code against.

They import nothing from shgat. Incidence is CSR: row t lists `indices[indptr[t]:indptr[t + 1]]`. Each `*_backward`
takes the gradient of its forward's output and what the forward kept; it returns gradients in argument order.
"""
