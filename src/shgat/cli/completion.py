"""`shgat completion`: what a shell needs to complete commands, options and their values; made from the commands themselves."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer


class Shell(StrEnum):
    """That can be taught."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


@dataclass(frozen=True)
class Verb:
    """A command or a group.

    Attributes
    ----------
    words : that lead to it, without the program's name
    help : one line
    commands : of a group, name -> help
    options : (names, help, values, takes a path?, is a flag?)
    arguments : (values, takes a path?) of each positional argument
    """

    words: tuple[str, ...]
    help: str
    commands: dict[str, str]
    options: tuple[tuple[tuple[str, ...], str, tuple[str, ...], bool, bool], ...]
    arguments: tuple[tuple[tuple[str, ...], bool], ...]


def completion(shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="Whose completion.")]) -> None:
    """Print a completion script: `source <(shgat completion bash)`, or zsh, or `shgat completion fish | source`."""
    from . import app, output

    output.write_lines(*script(shell, list(verbs(typer.main.get_command(app)))))


def script(shell: Shell, known: list[Verb]) -> list[str]:
    """The lines of a script for a shell."""
    if shell is Shell.fish:
        return fish(known)
    return [*(["autoload -Uz bashcompinit && bashcompinit"] if shell is Shell.zsh else []), *bash(known)]


def verbs(command: Any, words: tuple[str, ...] = ()) -> Iterator[Verb]:
    """A command and all below it."""
    below = {name: c for name, c in sorted(getattr(command, "commands", {}).items()) if not c.hidden}
    options, arguments = [], []
    kinds = get_type_hints(inspect.unwrap(command.callback)) if command.callback else {}
    for parameter in command.params:
        values, path = _kind(kinds.get(parameter.name, str))
        if parameter.param_type_name == "argument":
            arguments.append((values, path))
        else:
            options.append(((*parameter.opts, *parameter.secondary_opts), parameter.help or "", values, path, parameter.is_flag))
    options.append((("--help",), "Show what it takes, and leave.", (), False, True))
    yield Verb(words, _line(command), {n: _line(c) for n, c in below.items()}, tuple(options), tuple(arguments))
    for name, each in below.items():
        yield from verbs(each, (*words, name))


def _kind(annotation: Any) -> tuple[tuple[str, ...], bool]:
    """(the values that a parameter can have, is it a path?)."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, StrEnum):
            return tuple(part), False
        if part is Path:
            return (), True
    return (), False


def _line(command: Any) -> str:
    return " ".join((command.short_help or command.help or "").split("\n\n")[0].split())


def bash(known: list[Verb]) -> list[str]:
    """A function of bash, which zsh reads too by its bashcompinit."""
    lines = [
        "_shgat() {",
        '  local word="${COMP_WORDS[COMP_CWORD]}" before="" verb="" i',
        '  (( COMP_CWORD > 0 )) && before="${COMP_WORDS[COMP_CWORD-1]}"',
        "  COMPREPLY=()",
        "  for (( i = 1; i < COMP_CWORD; i++ )); do",
        '    case "$verb ${COMP_WORDS[i]}" in',
        *(f'      "{" ".join(("", *v.words))}") verb="{" ".join(("", *v.words))}" ;;' for v in known if v.words),
        "    esac",
        "  done",
        '  case "$verb $before" in',
    ]
    for v in known:
        for names, _, values, path, flag in v.options:
            if flag:
                continue
            reply = 'compgen -f -- "$word"' if path else f'compgen -W "{" ".join(values)}" -- "$word"' if values else "true"
            patterns = "|".join(f'"{" ".join(("", *v.words))} {name}"' for name in names)
            lines.append(f"    {patterns}) COMPREPLY=( $({reply}) ); return ;;")
    lines += ["  esac", '  case "$verb" in']
    for v in known:
        options = " ".join(name for option in v.options for name in option[0])
        nouns = " ".join((*v.commands, *(value for argument in v.arguments for value in argument[0])))
        files = '; COMPREPLY+=( $(compgen -f -- "$word") )' if any(path for _, path in v.arguments) else ""
        lines += [
            f'    "{" ".join(("", *v.words)) if v.words else ""}")',
            f'      if [[ "$word" == -* ]]; then COMPREPLY=( $(compgen -W "{options}" -- "$word") )',
            f'      else COMPREPLY=( $(compgen -W "{nouns}" -- "$word") ){files}; fi ;;',
        ]
    return [*lines, "  esac", "}", "complete -o filenames -F _shgat shgat"]


def fish(known: list[Verb]) -> list[str]:
    """One line for each thing that can be completed."""
    lines = [
        "function __shgat_at",  # does the command line begin with these words?
        "  set -l words (commandline -opc)",
        "  set -e words[1]",
        "  set -g __shgat_plain (string match -v -- '-*' $words)",
        "  test (count $argv) -eq 0; and return 0",
        "  for i in (seq (count $argv))",
        '    test "$__shgat_plain[$i]" = "$argv[$i]"; or return 1',
        "  end",
        "end",
        "function __shgat_in",  # and does it hold no other word, so that a command follows?
        "  __shgat_at $argv; and test (count $__shgat_plain) -eq (count $argv)",
        "end",
        "complete -c shgat -f",
    ]
    for v in known:
        at = " ".join(("__shgat_in" if v.commands else "__shgat_at", *v.words))
        for name, about in v.commands.items():
            lines.append(f"complete -c shgat -n {_quoted(at)} -a {name} -d {_quoted(about)}")
        for values, path in v.arguments:
            if values or path:
                lines.append(f"complete -c shgat -n {_quoted(at)} " + (f"-a {_quoted(' '.join(values))}" if values else "-F"))
        for names, about, values, path, flag in v.options:
            spelt = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in names)
            takes = "" if flag else " -r -F" if path else f" -x -a {_quoted(' '.join(values))}" if values else " -x"
            lines.append(f"complete -c shgat -n {_quoted(at)} {spelt}{takes} -d {_quoted(about)}")
    return lines


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
