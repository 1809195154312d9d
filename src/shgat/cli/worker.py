"""`shgat worker`: the training child, for gateways in any language. Its own parser reads the options, so that it starts quickly."""

import typer

SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def worker(context: typer.Context) -> int:
    """Train in a child process: a JSON job on stdin, a JSON line on stdout (options: shgat worker --help)."""
    from ..worker import child

    return child.main(context.args)
