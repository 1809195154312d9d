"""What logs call tools, and which tools these are."""

from collections.abc import Callable, Iterable

from .findings import Findings, FoundTrace, Key, Note
from .names import Names

TracedCalls = tuple[FoundTrace, tuple[Key, ...], tuple[Key, ...]]  # a trace, its tools, and those that were used before


def traced(sources: Iterable[Findings], names: Names, bare: Callable[[str, Findings], Key], notes: list[Note]) -> list[TracedCalls]:
    """The traces of all sources with the keys of their tools.

    A name that no tool may have stands for a tool of its own where it was called with success: it is known by that name alone. Where it
    only failed it is likely that there is no such tool, and a name that several tools may have says nothing: such calls are left out.

    Parameters
    ----------
    names : finds tools
    bare : makes a tool of a name that a source has, and of nothing else
    notes : is told what was left out
    """
    found = []
    for source in sources:
        known: dict[str, Key | None] = {}
        for name in dict.fromkeys(n for trace in source.traces for n in trace.tools if trace.outcome > 0.0):
            key, n = names.find(name)
            if n == 0:
                key = bare(name, source)
                notes.append(Note(name, "kept", f"only {source.shown} has it: it is known by its name alone"))
            elif key is None:
                notes.append(Note(name, "left out", f"{n} tools may be called so in {source.shown}"))
            known[name] = key
        for trace in source.traces:
            for name in (*trace.tools, *trace.context):
                if name not in known:
                    known[name] = names.find(name)[0]
                    if known[name] is None:
                        notes.append(Note(name, "left out", f"it never worked in {source.shown}, and is no tool that is known"))
            tools, context = (tuple(k for n in several if (k := known[n])) for several in (trace.tools, trace.context))
            if tools:
                found.append((trace, tools, context))
    return found
