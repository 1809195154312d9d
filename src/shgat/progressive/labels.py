"""What kind of work a commit was: plain rules on words and paths, a baseline that what learns has to beat.

Rules of this kind are poor: few commits have the words. A label is given from 51 of 100 points, and a commit without one is `other`.
"""

import re
from typing import Any

NAMES = ("bugfix", "dependency", "documentation", "feature", "other", "performance", "refactor", "security", "test")

_LEAST = 50  # points that a label has to have more than
_WORDS = {
    name: re.compile(rf"\b(?:{words})")
    for name, words in {
        "refactor": "refactor|restructur|reorganis|reorganiz|clean ?up|simplif|extract",
        "bugfix": "fix|bug|patch|resolv|correct|hotfix|regression",
        "feature": "feat|add|implement|introduc|support|new\\b",
        "test": "test|spec\\b|coverage",
        "documentation": "doc|readme|changelog|comment|typo",
        "performance": "perf|optimi|speed|faster|cach",
        "security": "secur|vulnerab|cve-|auth|xss|csrf|injection",
        "dependency": "dep\\b|deps|dependenc|bump|upgrade|requirement",
    }.items()
}
_ANY = re.compile("|".join(f"(?P<{name}>{pattern.pattern})" for name, pattern in _WORDS.items()))
_FIXED = re.compile(r"\b(?:fix|clos|resolv)\w*:? +#\d+")
_TEST = re.compile(r"(?:^|/)(?:tests?|__tests__|spec)/|(?:^|/)test_|[._](?:test|spec)\.")
_DOC = re.compile(r"\.(?:md|rst|txt|adoc)$|(?:^|/)docs?/")
_MANIFEST = re.compile(
    r"(?:^|/)(?:package(?:-lock)?\.json|requirements[\w.-]*\.txt|pyproject\.toml|setup\.(?:py|cfg)|go\.(?:mod|sum)|Cargo\.(?:toml|lock)"
    r"|pom\.xml|Gemfile(?:\.lock)?|yarn\.lock|poetry\.lock)$"
)


def labels(message: str, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The labels of a commit, sorted by name: `t` its name, `p` its points of 100.

    Points: a word of the subject 30 (bugfix 40, performance 70, security 80), "fix #n" 30 more, more than two new files 20 more for a
    feature, 40 for each file of tests or of documentation up to 70, 40 for a manifest of dependencies.
    """
    subject = message.lstrip()[:500].partition("\n")[0].lower()
    points: dict[str, int] = {}
    if _ANY.search(subject):
        for name, pattern in _WORDS.items():
            if pattern.search(subject):
                points[name] = {"bugfix": 40, "performance": 70, "security": 80}.get(name, 30)
        if "bugfix" in points and _FIXED.search(subject):
            points["bugfix"] += 30
        if "feature" in points and sum(f["s"] == "A" for f in files) > 2:
            points["feature"] += 20
    for name, pattern, most in (("test", _TEST, 70), ("documentation", _DOC, 70), ("dependency", _MANIFEST, 70)):
        for file in files:
            if pattern.search(file["p"]):
                points[name] = min(points.get(name, 0) + 40, most)
                if name == "dependency" or points[name] == most:
                    break
    found = [{"t": name, "p": points[name]} for name in sorted(points) if points[name] > _LEAST]
    return found or [{"t": "other", "p": 30}]
