"""n8n workflows: the types of their nodes are tools, a workflow is a capability, and a trace of what its name says."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from .findings import Findings, FoundTrace, Key
from .names import digest
from .texts import PARAMETER, clean, cut

_ASIDE = ("stickyNote", "noOp")  # types that do nothing
_DEEPEST = 3  # lists of workflows within lists
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_.]")
_DETAILS = 12  # resources and operations named of one type


def read(value: Any, into: Findings) -> None:
    """Every workflow. A tool is a type of node, such as `n8n-nodes-base.gmail`, with the resources and operations it is used for."""
    workflows = list(_workflows(value, 0, "the workflow", into))
    details: dict[str, dict[str, None]] = {}
    kept = []
    for where, workflow in workflows:
        nodes = [node for node in workflow["nodes"] if isinstance(node, Mapping)]
        found = {}
        for position, node in enumerate(nodes):
            kind, name = node.get("type"), node.get("name")
            if not isinstance(kind, str) or not clean(kind):
                into.note(f"{where}: node {position}", "left out", "it has no type")
            elif kind.rpartition(".")[2] not in _ASIDE and node.get("disabled") is not True:
                found[name if isinstance(name, str) else f"#{position}"] = clean(kind)
                details.setdefault(clean(kind), {}).update(dict.fromkeys(_details(node)))
        kept.append((where, workflow, found))
    keys = {}
    for kind, said in details.items():
        package, _, short = kind.rpartition(".")
        text = " ".join(_WORD.sub(" ", short).split())
        used = f": {', '.join(list(said)[:_DETAILS])}" if said else ""
        key = into.add_tool(kind, None, f"{text[:1].upper()}{text[1:]}, a node of n8n{used}", server=into.server or package)
        if key is not None:
            keys[kind] = key
    for where, workflow, found in kept:
        _add(where, workflow, found, keys, into)


def _workflows(value: Any, depth: int, where: str, into: Findings) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, list) and depth < _DEEPEST:
        for position, item in enumerate(value):
            yield from _workflows(item, depth + 1, f"workflow {position}", into)
        return
    if isinstance(value, Mapping):
        if isinstance(value.get("nodes"), list):
            yield _name(value) or where, value
            return
        inside = next((value[k] for k in ("workflow", "workflows", "data") if isinstance(value.get(k), list | Mapping)), None)
        if inside is not None and depth < _DEEPEST:
            if isinstance(inside, Mapping):
                inside = {**{k: value[k] for k in ("name", "description") if k in value}, **inside}
            yield from _workflows(inside, depth + 1, where, into)
            return
    into.note(where, "left out", "it is no workflow: it has no nodes")


def _name(workflow: Mapping[str, Any]) -> str:
    name = workflow.get("name")
    return clean(name)[:PARAMETER] if isinstance(name, str) else ""


def _details(node: Mapping[str, Any]) -> Iterator[str]:
    """Resource and operation of a node; nothing else of its parameters, which may hold keys and texts that are nobody's business."""
    parameters = node.get("parameters")
    if isinstance(parameters, Mapping):
        named = [parameters.get(key) for key in ("resource", "operation")]
        said = " ".join(
            clean(_WORD.sub(" ", word)) for word in named if isinstance(word, str) and re.fullmatch(r"[\w:-]{1,40}", word)
        )
        if said:
            yield said.lower()


def _add(where: str, workflow: Mapping[str, Any], found: dict[str, str], keys: dict[str, Key], into: Findings) -> None:
    used = list(dict.fromkeys(found[name] for name in _in_order(found, workflow.get("connections")) if found[name] in keys))
    name = _name(workflow)
    if not used or not name:
        into.note(where, "left out", "it has no name" if used else "it has no nodes that do something")
        return
    said = workflow.get("description")
    text = f"{name}. {cut(clean(said), 1000)}" if isinstance(said, str) and clean(said) else name
    group = into.add_group("workflow", name, text, [keys[kind] for kind in used])
    into.traces.append(FoundTrace(digest("n8n", name, *used), name, tuple(used), capability=group))


def _in_order(found: dict[str, str], connections: Any) -> list[str]:
    """Names of nodes, each behind those that lead to it, in the order of the file where nothing says which comes first."""
    after: dict[str, list[str]] = {name: [] for name in found}
    waiting = dict.fromkeys(found, 0)
    if isinstance(connections, Mapping):
        for name, outputs in connections.items():
            for target in dict.fromkeys(_targets(outputs)) if name in after else ():
                if target in after and target != name:
                    after[name].append(target)
                    waiting[target] += 1
    ordered: dict[str, None] = {}
    ready = deque(name for name, n in waiting.items() if n == 0)
    while ready:
        name = ready.popleft()
        ordered[name] = None
        for target in after[name]:
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return [*ordered, *(name for name in found if name not in ordered)]  # a loop comes last


def _targets(outputs: Any) -> Iterator[str]:
    for several in outputs.values() if isinstance(outputs, Mapping) else ():
        for one in several if isinstance(several, list) else ():
            for connection in one if isinstance(one, list) else ():
                if isinstance(connection, Mapping) and isinstance(connection.get("node"), str):
                    yield connection["node"]
