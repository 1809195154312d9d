"""`shgat worker`: the training child, for gateways in any language."""

from typing import Annotated

import typer


def worker(
    warm: Annotated[bool, typer.Option("--warm", help="One job a line, until the end of stdin.")] = False,
    memory_limit: Annotated[int, typer.Option(metavar="MIB", help="Of address space; 0: none.")] = 0,
    input_timeout: Annotated[float, typer.Option(metavar="S", help="For a message to be complete.")] = 30.0,
    nice: Annotated[int, typer.Option(metavar="N", help="Added to the niceness, so that the gateway comes first.")] = 0,
) -> int:
    """Train in a child process: a JSON job on stdin, a JSON line on stdout, logs on stderr, exit code 1 on failure."""
    from ..worker import child

    limits = ["--memory-limit", str(memory_limit), "--input-timeout", str(input_timeout), "--nice", str(nice)]
    return child.main([*(["--warm"] if warm else []), *limits])
