# cython: language_level=3, freethreading_compatible=True
"""Biased random walks over a graph, how often nodes stand near each other in them, and what is learned from that.

Grover and Leskovec, node2vec, KDD 2016: from v, reached from t, the walk goes on to x with a weight of 1/p where x = t, 1 where x
is a neighbour of t, and 1/q elsewhere. Walk k from a node draws from a stream of its own (splitmix64 of seed, node and k), so that
it is the same whatever else is walked, and by whom.
"""

from libc.math cimport exp
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memset

cimport _elements as el


cdef inline uint64_t _mixed(uint64_t z) noexcept nogil:
    z = (z ^ (z >> 30)) * <uint64_t> 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t> 0x94D049BB133111EB
    return z ^ (z >> 31)


cdef inline double _uniform(uint64_t *state) noexcept nogil:
    """In [0, 1)."""
    state[0] += <uint64_t> 0x9E3779B97F4A7C15
    return <double> (_mixed(state[0]) >> 11) * (1.0 / 9007199254740992.0)


cdef inline Py_ssize_t _below(uint64_t *state, Py_ssize_t n) noexcept nogil:
    return <Py_ssize_t> (_uniform(state) * n)


cdef inline bint _joined(const int32_t *indptr, const int32_t *indices, int32_t u, int32_t v) noexcept nogil:
    cdef Py_ssize_t low = indptr[u], high = indptr[u + 1], middle
    while low < high:
        middle = (low + high) >> 1
        if indices[middle] < v:
            low = middle + 1
        else:
            high = middle
    return low < indptr[u + 1] and indices[low] == v


cdef void _walk(const int32_t *indptr, const int32_t *indices, int32_t start, double p, double q, uint64_t state,
                Py_ssize_t length, int32_t *path) noexcept nogil:
    cdef double back = 1.0 / p, away = 1.0 / q, most = max(back, max(away, 1.0)), weight
    cdef Py_ssize_t i, degree
    cdef int32_t now = start, to
    cdef bint even = p == 1.0 and q == 1.0
    path[0] = start
    for i in range(1, length):
        degree = indptr[now + 1] - indptr[now]
        if degree == 0:
            path[i] = -1
            continue
        to = indices[indptr[now] + _below(&state, degree)]
        while i > 1 and degree > 1 and not even:        # rejection: no table for each edge
            weight = back if to == path[i - 2] else 1.0 if _joined(indptr, indices, path[i - 2], to) else away
            if _uniform(&state) * most < weight:
                break
            to = indices[indptr[now] + _below(&state, degree)]
        path[i] = now = to


cdef Py_ssize_t _near(const int32_t *walks, Py_ssize_t length, const float *weights, Py_ssize_t window,
                      const int64_t *places, Py_ssize_t n, float *sums, int32_t *met) noexcept nogil:
    """Adds up what stands within the window of the places; `met` are the nodes, whose number is returned."""
    cdef Py_ssize_t i, t, o, found = 0
    cdef const int32_t *path
    for i in range(n):
        t = places[i] % length
        path = walks + places[i] - t
        for o in range(max(-window, -t), min(window, length - 1 - t) + 1):
            if o == 0 or path[t + o] < 0:
                continue
            if sums[path[t + o]] == 0.0:
                met[found] = path[t + o]
                found += 1
            sums[path[t + o]] += weights[(o if o > 0 else -o) - 1]
    return found


cdef void _pull(float *v, float *c, float label, float rate, Py_ssize_t d, bint move, float *step) noexcept nogil:
    """One logistic step: step += rate (label - sigmoid(v . c)) c, and c likewise where it may move."""
    cdef double s = 1.0 / (1.0 + exp(-el.dot(v, c, d)))
    cdef float g = <float> (rate * (label - s))
    el.axpy(g, c, d, step)
    if move:
        el.axpy(g, v, d, c)


cdef void _skip_gram(const int32_t *walks, Py_ssize_t n, Py_ssize_t length, Py_ssize_t window, const int32_t *table,
                     Py_ssize_t n_table, Py_ssize_t negatives, float high, float low, Py_ssize_t first, Py_ssize_t d,
                     uint64_t state, float *vectors, float *contexts, float *step) noexcept nogil:
    cdef Py_ssize_t w, t, o, _, reach
    cdef const int32_t *path
    cdef int32_t to
    cdef float rate
    for w in range(n):
        path = walks + w * length
        rate = high + (low - high) * w / n
        for t in range(length):
            reach = 1 + _below(&state, window)
            if path[t] < first:
                continue
            for o in range(max(-reach, -t), min(reach, length - 1 - t) + 1):
                if o == 0 or path[t + o] < 0:
                    continue
                memset(step, 0, d * sizeof(float))
                _pull(vectors + path[t] * d, contexts + path[t + o] * d, 1.0, rate, d, first == 0, step)
                for _ in range(negatives):
                    to = table[_below(&state, n_table)]
                    if to != path[t + o]:
                        _pull(vectors + path[t] * d, contexts + to * d, 0.0, rate, d, first == 0, step)
                el.axpy(1.0, step, d, vectors + path[t] * d)


def walk(const int32_t[::1] indptr, const int32_t[::1] indices, const int32_t[::1] starts, Py_ssize_t each, double p,
         double q, uint64_t seed, int32_t[:, ::1] walks):
    """walks (len(starts) * each, length): `each` walks from every start; -1 after a node without neighbours. Rows are sorted."""
    cdef Py_ssize_t i, k, length = walks.shape[1]
    if walks.shape[0] != starts.shape[0] * each:
        raise ValueError(f"walk: {starts.shape[0]} starts of {each} walks into {walks.shape[0]} rows")
    if walks.shape[0] == 0 or length == 0:
        return
    with nogil:
        for i in range(starts.shape[0]):
            for k in range(each):
                _walk(&indptr[0], &indices[0] if indices.shape[0] else NULL, starts[i], p, q,
                      _mixed(seed ^ _mixed((<uint64_t> starts[i] << 32) + <uint64_t> k + 1)), length, &walks[i * each + k, 0])


def places(const int32_t[:, ::1] walks, int64_t[::1] begin, int64_t[::1] where):
    """where (begin[n],): the positions in `walks` of node 0, then of node 1, ...; begin (n + 1,) counts them on entry, from 0."""
    cdef Py_ssize_t i
    cdef const int32_t *flat
    if walks.shape[0] == 0 or walks.shape[1] == 0:
        return
    flat = &walks[0, 0]
    with nogil:
        for i in range(walks.shape[0] * walks.shape[1] - 1, -1, -1):
            if flat[i] >= 0:
                begin[flat[i] + 1] -= 1
                where[begin[flat[i] + 1]] = i
        for i in range(begin.shape[0] - 1):             # every end has moved to its beginning
            begin[i] = begin[i + 1]
    begin[begin.shape[0] - 1] = where.shape[0]


def near_sizes(const int32_t[:, ::1] walks, const float[::1] weights, const int64_t[::1] begin, const int64_t[::1] where,
               Py_ssize_t low, Py_ssize_t high, float[::1] sums, int32_t[::1] met, int64_t[::1] sizes):
    """sizes[i], low <= i < high: how many nodes stand within the window of node i. sums (n,) zero, met (n,) scratch."""
    cdef Py_ssize_t i, k
    if walks.shape[0] == 0 or where.shape[0] == 0:
        return
    with nogil:
        for i in range(low, high):
            sizes[i] = _near(&walks[0, 0], walks.shape[1], &weights[0], weights.shape[0], &where[0] + begin[i],
                             begin[i + 1] - begin[i], &sums[0], &met[0])
            for k in range(sizes[i]):
                sums[met[k]] = 0.0


def near(const int32_t[:, ::1] walks, const float[::1] weights, const int64_t[::1] begin, const int64_t[::1] where,
         Py_ssize_t low, Py_ssize_t high, float[::1] sums, int32_t[::1] met, const int64_t[::1] indptr, int32_t[::1] indices,
         float[::1] values):
    """Rows low <= i < high of the co-occurrences: sums of weights[distance - 1] over the window. indptr from `near_sizes`."""
    cdef Py_ssize_t i, k, n
    if walks.shape[0] == 0 or where.shape[0] == 0:
        return
    with nogil:
        for i in range(low, high):
            n = _near(&walks[0, 0], walks.shape[1], &weights[0], weights.shape[0], &where[0] + begin[i],
                      begin[i + 1] - begin[i], &sums[0], &met[0])
            for k in range(n):
                indices[indptr[i] + k] = met[k]
                values[indptr[i] + k] = sums[met[k]]
                sums[met[k]] = 0.0


def multiply(const int64_t[::1] indptr, const int32_t[::1] indices, const float[::1] values, Py_ssize_t low, Py_ssize_t high,
             const float[:, ::1] x, float[:, ::1] y):
    """Y = M X for rows low <= i < high of a matrix of sparse rows."""
    cdef Py_ssize_t i, e, d = x.shape[1]
    if x.shape[0] == 0 or d == 0:
        return
    with nogil:
        for i in range(low, high):
            memset(&y[i, 0], 0, d * sizeof(float))
            for e in range(indptr[i], indptr[i + 1]):
                el.axpy(values[e], &x[indices[e], 0], d, &y[i, 0])


def skip_gram(const int32_t[:, ::1] walks, Py_ssize_t window, const int32_t[::1] table, Py_ssize_t negatives, float high,
              float low, Py_ssize_t first, uint64_t seed, float[:, ::1] vectors, float[:, ::1] contexts, float[::1] step):
    """One pass of skip-gram with negative sampling (Mikolov et al., NIPS 2013), the rate falling from `high` to `low`.

    Negatives are drawn from `table`. Where `first` > 0, only vectors of nodes from `first` on move, and no context does. step (d,).
    """
    if walks.shape[0] == 0 or walks.shape[1] == 0 or vectors.shape[1] == 0 or table.shape[0] == 0:
        return
    with nogil:
        _skip_gram(&walks[0, 0], walks.shape[0], walks.shape[1], window, &table[0], table.shape[0], negatives, high, low,
                   first, vectors.shape[1], _mixed(seed), &vectors[0, 0], &contexts[0, 0], &step[0])
