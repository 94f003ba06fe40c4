"""What the definitions of losses of overlapping maps share: probabilities, targets and points."""

from oracle import UNIT, mp


def domain(options):
    return UNIT


def target_domain(options):
    return UNIT


def directions(rng, columns):
    return [rng.uniform(-2, 2) for _ in range(columns)]


def counts(p, t):
    """(sum p t, sum p (1 - t), sum (1 - p) t)"""
    return (sum(a * b for a, b in zip(p, t)), sum(a * (1 - b) for a, b in zip(p, t)),
            sum((1 - a) * b for a, b in zip(p, t)))


def terms(how, x, target, direction):
    """
    The sizes of what derivatives of u^e are sums of, u = 1 - N/D as in src/loss/overlap.h: of soft targets a_j = (q b_j - t_j)/D or
    (m_j - u b_j)/D, of curvatures (e - 1) m_j - (e + 1) u b_j besides, and of products sums over columns of both signs. how: alpha, beta,
    n, d, whether there are squares, e.
    """
    alpha, beta, n, d, squares, e = how
    both, over, under = counts(x, target)
    below = sum(p * p + t * t for p, t in zip(x, target)) / 2 + d if squares else both + alpha * over + beta * under + d
    if below == 0 or both + n == below:
        return {}
    q, columns = (both + n) / below, range(len(x))
    u = 1 - q
    if u < 0 and e != int(e):
        return {}
    m = [p - t if squares else alpha * (1 - t) - beta * t for p, t in zip(x, target)]
    m_size = [abs(a) if squares else alpha * (1 - t) + beta * t for a, t in zip(m, target)]
    b = [p if squares else a + t for a, p, t in zip(m, x, target)]
    a = [(q * k - t) / below for k, t in zip(b, target)]
    a_size = [(m_size[j] + abs(u * b[j]) if u < 0.5 else abs(q * b[j]) + target[j]) / below for j in columns]
    slope, power = abs(e * u ** (e - 1)), abs(e * u ** (e - 2))
    c = abs(q) * slope / below if squares else 0
    turn = [(e - 1) * m[j] - (e + 1) * u * b[j] for j in columns]
    turn_size = [abs(e - 1) * m_size[j] + (e + 1) * abs(u * b[j]) for j in columns]
    sizes = {"gradient": [slope * k for k in a_size],
             "curvature": [c + power / below * (a_size[j] * abs(turn[j]) + abs(a[j]) * turn_size[j]) for j in columns]}
    if direction:
        along_a, along_b = (mp.fsum(abs(k * v) for k, v in zip(sides, direction)) for sides in (a_size, b))
        sizes["product"] = [c * abs(direction[j]) + slope / below * (a_size[j] * along_b + abs(b[j]) * along_a) +
                            abs(e - 1) * power * a_size[j] * along_a for j in columns]
    return sizes


def points(rng, choices, corner_options):
    """(kind, options, prediction, target): corners, then generic rows with hard and with soft targets for every choice."""
    corners = [
        ([1.0, 0.0, 0.25], [1.0, 0.0, 0.0]), ([0.5, 0.5, 0.5], [1.0, 0.0, 1.0]), ([0.25, 0.0, 1.0], [0.0, 0.0, 0.0]),
        ([1e-4, 1e-6, 0.0], [0.0, 0.0, 0.0]), ([0.0, 0.0, 1e-6], [1.0, 1.0, 0.0]), ([1.0 - 2.0**-20, 2.0**-20], [1.0, 0.0]),
        ([1.0, 2.0**-12], [1.0, 0.0]), ([0.125], [1.0]), ([1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]),
        ([0.75, 0.25, 0.5], [0.75, 0.25, 0.5]),
    ]
    for options in corner_options:
        for p, t in corners:
            yield "grid", options, p, t
    for options in choices:
        for hard in (True, False):
            for _ in range(2):
                target = [1.0, 0.0, rng.choice([0.0, 1.0])]
                yield ("random", options, [rng.uniform(0.05, 0.95) for _ in range(3)],
                       target if hard else [rng.uniform(0.05, 0.95) for _ in range(3)])
    for columns in (2, 19):
        yield "random", choices[0], [rng.uniform(0.05, 0.95) for _ in range(columns)], [1.0] + [0.0] * (columns - 1)
