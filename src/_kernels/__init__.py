"""Compiled kernels. They take typed buffers and scalars, import nothing from shgat, and never check user input."""
