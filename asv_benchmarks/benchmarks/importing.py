"""What `import` costs a process, beside NumPy's and beside none; PyTorch's where it is installed."""

from importlib.util import find_spec


class Import:
    params = (["shgat", "shgat.cli", "numpy", "torch", "sys"],)
    param_names = ("what",)

    def setup(self, what: str) -> None:
        if find_spec(what) is None:
            raise NotImplementedError(f"{what} is not installed")

    def timeraw_import(self, what: str) -> str:
        return f"import {what}"
