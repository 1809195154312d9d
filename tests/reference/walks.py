"""Walks, co-occurrences and skip-gram in plain Python and float64, with the kernels' own stream of random numbers."""

import numpy as np

_MASK = (1 << 64) - 1


def mixed(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class Stream:
    """splitmix64."""

    def __init__(self, state):
        self.state = state

    def uniform(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        return (mixed(self.state) >> 11) * 2.0**-53

    def below(self, n):
        return int(self.uniform() * n)


def walk(rows, start, k, p, q, seed, length):
    """Walk k from a node over neighbours `rows` (sorted lists)."""
    stream = Stream(mixed(seed ^ mixed((start << 32) + k + 1)))
    path, neighbours = [start], [set(row) for row in rows]
    while len(path) < length:
        near = rows[path[-1]]
        if not near:
            return path + [-1] * (length - len(path))
        to = near[stream.below(len(near))]
        if len(path) > 1 and len(near) > 1 and (p, q) != (1, 1):
            before, most = path[-2], max(1 / p, 1 / q, 1)
            while not stream.uniform() * most < (1 / p if to == before else 1 if to in neighbours[before] else 1 / q):
                to = near[stream.below(len(near))]
        path.append(to)
    return path


def transition(rows, before, now, p, q):
    """{next: probability} of the second-order walk, by its definition."""
    weights = {x: 1 / p if x == before else 1.0 if x in rows[before] else 1 / q for x in rows[now]}
    return {x: w / sum(weights.values()) for x, w in weights.items()}


def near(walks, n, weights):
    """(n, n) sums of weights[distance - 1] over pairs within the window."""
    out = np.zeros((n, n))
    for path in walks:
        for i, a in enumerate(path):
            for o, w in enumerate(weights, 1):
                if i + o < len(path) and a >= 0 and path[i + o] >= 0:
                    out[a, path[i + o]] += w
                    out[path[i + o], a] += w
    return out


def ppmi(counts):
    """max(0, ln(n_ij n / (n_i n_j)))"""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(counts * counts.sum() / np.outer(counts.sum(axis=1), counts.sum(axis=0)))
    return np.where(np.isfinite(found), np.maximum(found, 0), 0)


def skip_gram(walks, window, table, negatives, high, low, first, seed, vectors, contexts):
    """One pass; changes vectors and contexts (float64)."""
    stream = Stream(mixed(seed))

    def pull(v, c, label, rate, step):
        g = rate * (label - 1 / (1 + np.exp(-vectors[v] @ contexts[c])))
        step += g * contexts[c]
        if first == 0:
            contexts[c] += g * vectors[v]

    for w, path in enumerate(walks):
        rate = high + (low - high) * w / len(walks)
        for t, v in enumerate(path):
            reach = 1 + stream.below(window)
            if v < first:
                continue
            for o in range(max(-reach, -t), min(reach, len(path) - 1 - t) + 1):
                if o == 0 or path[t + o] < 0:
                    continue
                step = np.zeros(vectors.shape[1])
                pull(v, path[t + o], 1.0, rate, step)
                for _ in range(negatives):
                    c = table[stream.below(len(table))]
                    if c != path[t + o]:
                        pull(v, c, 0.0, rate, step)
                vectors[v] += step
