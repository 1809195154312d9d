"""Events that tests write down, as a history has them."""


def event(seq, paths, message="work", *, time=None, author="a@example.org", label="other", merge=False, status="A"):
    files = [p if isinstance(p, dict) else {"p": p, "s": status, "mode": "100644"} for p in paths]
    return {
        "v": 1, "kind": "event", "unit": "u", "seq": seq, "sha": f"{seq:040x}", "parents": ["p"] * (2 if merge else 1),
        "at": time, "ct": 1_500_000_000 + 3600 * seq if time is None else time, "an": author, "ae": author, "msg": message,
        "files": files, "n_files": len(files), "truncated": False, "labels": [{"t": label, "p": 60}],
    }  # fmt: skip
