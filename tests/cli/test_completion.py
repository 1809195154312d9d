"""Completion offers every command, option and value that there is; bash is asked itself."""

import inspect
import re
import shutil
import subprocess

import pytest
import typer

from shgat.cli import app
from shgat.cli.completion import Shell, script, verbs

KNOWN = list(verbs(typer.main.get_command(app)))


def test_the_verbs_are_those_of_the_command_line(ask):
    assert {v.words[0] for v in KNOWN if v.words} == set(
        re.findall(r"^  (\w+) ", ask("--help")[1].split("Commands:")[1], re.MULTILINE)
    )
    for v in KNOWN:
        if v.words and v.words != ("worker",):
            page = ask(*v.words, "--help")[1]
            for names, *_ in v.options:
                assert names[0] in page, v.words


def bash(*lines):
    """What bash would offer for each of the command lines, of which the last word is being typed."""
    source = "\n".join(script(Shell.bash, KNOWN))
    program = f"{source}\n" + 'ask() { COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _shgat; echo "${COMPREPLY[*]}"; }\n'
    program += "\n".join("ask " + " ".join(f"'{word}'" for word in words) for words in lines)
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [set(line.split()) for line in done.stdout.split("\n")[: len(lines)]]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_everything():
    below = bash(*(("shgat", *v.words, "") for v in KNOWN if v.commands))
    assert below == [set(v.commands) for v in KNOWN if v.commands]
    options = bash(*(("shgat", *v.words, "--") for v in KNOWN))
    assert options == [{name for names, *_ in v.options for name in names if name.startswith("--")} for v in KNOWN]
    assert bash(("shgat", "evaluate", "protocol", ""), ("shgat", "rank", "--top", "3", "--kind", "s"), ("shgat", "ra")) == [
        {"holdout", "cv", "temporal", "cold"}, {"sets"}, {"rank"}
    ]  # fmt: skip
    assert bash(("shgat", "evaluate", "protocol", "cv", "--ga"), ("shgat", "rank", "--json", "--exp")) == [
        {"--gate"},
        {"--explain"},
    ]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_paths_where_a_path_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    found = bash(("shgat", "rank", "--model", "mo"), ("shgat", "plot", "mo"), ("shgat", "rank", "--top", "mo"))
    assert found == [{"models"}, {"models"}, set()]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_reads_the_script():
    subprocess.run(["zsh", "-f", "-c", "autoload -Uz compinit && compinit -u\n" + "\n".join(script(Shell.zsh, KNOWN))], check=True)


def test_zsh_takes_the_function_of_bash():
    assert script(Shell.zsh, KNOWN) == ["autoload -Uz bashcompinit && bashcompinit", *script(Shell.bash, KNOWN)]


def test_fish_is_told_everything():
    lines = script(Shell.fish, KNOWN)
    for v in KNOWN:
        at = f"-n '{' '.join(('__shgat_in' if v.commands else '__shgat_at', *v.words))}'"
        mine = [line for line in lines if at in line]
        for name in v.commands:
            assert any(f" -a {name} " in line for line in mine)
        for names, _, values, path, flag in v.options:
            line = next(line for line in mine if f" -l {names[0][2:]}" in line)
            assert (" -F" in line) == path
            assert all(value in line for value in values)
            assert (" -x" in line or " -r" in line) != flag


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes():
    source = "\n".join(script(Shell.fish, KNOWN))
    done = subprocess.run(["fish", "-c", f"{source}\ncomplete -C 'shgat evaluate pro'"], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "protocol"


@pytest.mark.parametrize("shell", list(Shell))
def test_a_script_is_printed(ask, shell):
    code, out, err = ask("completion", shell)
    assert (code, err) == (0, "")
    assert out == "\n".join(script(shell, KNOWN)) + "\n"


def test_every_command_says_what_it_does():
    for v in KNOWN:
        assert v.help
        assert all(about for _, about, *_ in v.options), v.words
    assert inspect.isgeneratorfunction(verbs)
