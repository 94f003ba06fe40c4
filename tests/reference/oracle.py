"""The exact value and derivatives of a loss from nothing but its definition.

A definition computes the loss of one row in arbitrary precision. Everything else follows here, by the rules that
docs/losses.md states, so that no formula of a derivative is written twice:

  derivatives    one-sided difference quotients with a step of 1e-420 at 1300 digits or more: their truncation error is far
                 below anything a float64 can show, and a kink is where the two sides differ
  at a kink      gradient: the smallest element of the subdifferential; curvature: the piece on the downhill side, the
                 smaller one where the gradient is 0
  at an edge     of the domain: the side that exists
  +-infinity     the limit, found by letting the input grow along several paths; NaN where they disagree, and NaN
                 for the whole row where the loss itself has no limit
  moved inputs   the range of each result while every input moves by at most one ulp
"""

import itertools
import struct
from functools import lru_cache

from mpmath import mp, mpf

STEP = mpf(10) ** -420
DIGITS = 1300
INF = mpf("inf")
NAN = mpf("nan")

REAL = (-INF, INF)
UNIT = (mpf(0), mpf(1))
NONNEGATIVE = (mpf(0), INF)
SIGNS = "signs"  # targets that are -1 or +1, or 0 or 1


# ---- functions a definition may use -------------------------------------------------------------------------------


@lru_cache(maxsize=200000)
def _exp(x, precision):
    return mp.exp(x)


@lru_cache(maxsize=200000)
def _log(x, precision):
    return mp.log(x)


def exp(x):
    """e^x; remembered, because rows evaluate the same logits again and again."""
    return _exp(x, mp.prec)


def log(x):
    """log x, -infinity at 0."""
    return -INF if x == 0 else _log(x, mp.prec)


def times_log(weight, x):
    """weight * log x with 0 * log 0 = 0."""
    return mpf(0) if weight == 0 else weight * log(x)


# ---- floating-point neighbours ------------------------------------------------------------------------------------

_FORMATS = {"float32": ("<f", "<i", 3.4028234663852886e38), "float64": ("<d", "<q", 1.7976931348623157e308)}


def rounded(x, dtype):
    """x as an element of dtype, as a Python float."""
    form = _FORMATS[dtype][0]
    return struct.unpack(form, struct.pack(form, float(x)))[0]


def largest(dtype):
    return _FORMATS[dtype][2]


def neighbour(x, dtype, sign):
    """The next element of dtype above (+1) or below (-1) x; x itself at the end of the finite ones."""
    real, integer, limit = _FORMATS[dtype]
    if x == sign * limit or x in (INF, -INF):
        return x
    if x == 0:
        bits = 1 if sign > 0 else -(2 ** (8 * struct.calcsize(integer) - 1)) + 1
    else:
        bits = struct.unpack(integer, struct.pack(real, x))[0] + (1 if (x > 0) == (sign > 0) else -1)
    return struct.unpack(real, struct.pack(integer, bits))[0]


def domain_of(definition, options):
    """The interval of each prediction."""
    return definition.domain(options) if hasattr(definition, "domain") else definition.PREDICTION


def target_domain_of(definition, options):
    """The interval of each target that may move."""
    return definition.target_domain(options) if hasattr(definition, "target_domain") else definition.TARGET


# ---- derivatives of one row ---------------------------------------------------------------------------------------


def _snap(x, scale, order):
    """Zero when x is only the noise of a difference quotient of this order of numbers of size scale: its rounding, or what
    is left of the step, and anyway below everything a float64 can hold."""
    rounding = (1 + abs(scale)) * mpf(10) ** (420 * order + 30 - mp.dps)
    return mpf(0) if abs(x) < max(rounding, mpf(10) ** -390) else x


def _agree(a, b, scale):
    return abs(a - b) <= mpf(10) ** -30 * max(abs(a), abs(b)) + mpf(10) ** -380 * (1 + abs(scale))


def _along(f, x, j, domain):
    """(gradient, curvature, whether there is a kink) of f along coordinate j at x."""
    def at(steps):
        moved = list(x)
        moved[j] = moved[j] + steps * STEP
        return f(moved)

    here = f(x)
    sides = {}
    for side in (-1, 1):
        if domain[0] <= x[j] + 2 * side * STEP <= domain[1]:
            one, two = at(side), at(2 * side)
            slope = side * (one - here) / STEP
            sides[side] = slope, _snap((two - 2 * one + here) / STEP**2, here, 2)
    if len(sides) == 1:
        slope, bend = next(iter(sides.values()))
        return _snap(slope, here, 1), bend, False
    (left, bend_left), (right, bend_right) = sides[-1], sides[1]
    kink = not _agree(left, right, here) or not _agree(bend_left, bend_right, here)
    if _agree(left, right, here):
        slope = _snap((left + right) / 2, here, 1)
    elif left < 0 < right:
        slope = mpf(0)
    else:
        slope = _snap(min(left, right, key=abs), here, 1)
    if _agree(bend_left, bend_right, here):
        return slope, bend_right, kink
    if slope == 0:  # no side is downhill
        return slope, min(bend_left, bend_right, key=abs), kink
    return slope, bend_left if slope > 0 else bend_right, kink


def _smooth_outputs(definition, x, target, direction, options):
    """The outputs at a finite point where the loss is finite: value, gradient, curvature, product."""
    f = lambda moved: definition.value(moved, target, options)
    here = f(x)
    domain = domain_of(definition, options)
    pairs = [_along(f, x, j, domain) for j in range(len(x))]
    result = {"value": [here], "gradient": [p[0] for p in pairs], "curvature": [p[1] for p in pairs],
              "kink": [any(p[2] for p in pairs)]}
    if direction is not None:
        shift = lambda base, by: [a + STEP * b for a, b in zip(base, by)]
        ahead = f(shift(x, direction))
        result["product"] = []
        for j in range(len(x)):
            unit = [mpf(k == j) for k in range(len(x))]
            mixed = f(shift(shift(x, unit), direction)) - f(shift(x, unit)) - ahead + here
            result["product"].append(_snap(mixed / STEP**2, here, 2))
    return result


def _limit_of(near, far):
    """What a sequence with these two members tends to, None when they do not tell."""
    if abs(near - far) <= mpf(10) ** -30 * abs(far) or max(abs(near), abs(far)) < mpf(10) ** -300:
        return mpf(0) if abs(far) < mpf(10) ** -300 else far
    if abs(far) >= mpf("1.9") * abs(near):
        return INF if far > 0 else -INF
    if abs(far) <= mpf("0.6") * abs(near):
        return mpf(0)
    return None


def _slow_limit_of(near, far, farther):
    """The same of three members, each four times as far out as the one before: logarithms and small powers."""
    first, second = far - near, farther - far
    if first * second <= 0:
        return NAN
    if abs(second) >= mpf("0.999999") * abs(first):  # steps that do not get shorter
        return INF if second > 0 else -INF
    rest = second**2 / (first - second)  # of steps that shrink by the same factor
    return mpf(0) if abs(farther + rest) < mpf(10) ** -9 * abs(farther) else NAN


def _limit_outputs(definition, x, target, direction, options):
    """The outputs where an input is infinite or the loss is: limits from inside the domain."""
    low, high = domain_of(definition, options)
    flat = list(x) + ([target] if isinstance(target, mpf) else [])
    # An infinite input grows from far beyond the finite ones.
    start = mpf(10) ** 40 * max([1] + [abs(a) for a in flat if abs(a) != INF])
    special = [j for j, a in enumerate(flat) if abs(a) == INF or (j < len(x) and a in (low, high))]

    def outputs(path, steps):
        moved = list(flat)
        for j, factor in zip(special, path):
            if abs(flat[j]) == INF:
                moved[j] = mp.sign(flat[j]) * factor * start * 4**steps
            else:
                inside = mpf(10) ** (-200 - 50 * steps) * factor
                moved[j] = flat[j] + inside if flat[j] == low else flat[j] - inside
        inner = moved[len(x)] if len(flat) > len(x) else target
        return _smooth_outputs(definition, moved[:len(x)], inner, direction, options)

    merged = None
    for path in itertools.product((1, 2), repeat=len(special)):
        near, far = outputs(path, 0), outputs(path, 1)
        found = {name: [_limit_of(a, b) for a, b in zip(near[name], far[name])] for name in near if name != "kink"}
        if any(None in numbers for numbers in found.values()):
            farther = outputs(path, 2)
            found = {name: [_slow_limit_of(near[name][j], far[name][j], farther[name][j]) if a is None else a
                            for j, a in enumerate(numbers)] for name, numbers in found.items()}
        if merged is None:
            merged = found
            continue
        for name, numbers in found.items():
            for j, number in enumerate(numbers):
                same = number == merged[name][j] or abs(number - merged[name][j]) < mpf(10) ** -30
                if not same:
                    merged[name][j] = NAN
    if all(abs(a) != INF for a in flat):  # an edge: the loss itself is defined there
        merged["value"] = [definition.value(x, target, options)]
    if mp.isnan(merged["value"][0]):  # no limit of the loss: nothing in the row has a meaning
        merged = {name: [NAN] * len(numbers) for name, numbers in merged.items()}
    return dict(merged, kink=[False])


def _needs_limit(definition, x, target, options):
    if any(abs(a) == INF for a in x) or (isinstance(target, mpf) and abs(target) == INF):
        return True
    if getattr(definition, "LIMITS_AT_EDGES", False) and any(a in domain_of(definition, options) for a in x):
        return True  # derivatives are infinite where the loss is not
    return abs(definition.value(x, target, options)) == INF


def outputs(definition, x, target, direction, options):
    """Every output of one row: lists of numbers by name, and under "kink" whether it is at one."""
    magnitude = max([1] + [abs(a) for a in x if abs(a) != INF])
    if isinstance(target, mpf) and abs(target) != INF:
        magnitude = max(magnitude, abs(target))
    # A difference quotient of numbers of size 10^m needs 3m digits more.
    mp.dps = DIGITS + 3 * int(mp.log10(magnitude)) + 20
    find = _limit_outputs if _needs_limit(definition, x, target, options) else _smooth_outputs
    result = find(definition, x, target, direction, options)
    if hasattr(definition, "majorizer"):
        bound = definition.majorizer(x, target, options)
        if bound is not None:
            bound = bound if isinstance(bound, list) else [bound]
            result["majorizer"] = [NAN] * len(bound) if mp.isnan(result["value"][0]) else bound
    return result


# ---- moved inputs -------------------------------------------------------------------------------------------------


def _choices(number, dtype, domain):
    """number and its neighbours inside the domain."""
    if abs(number) == INF or not isinstance(domain, tuple):
        return [number]
    near = [mpf(neighbour(float(number), dtype, sign)) for sign in (-1, 1)]
    return [number] + [a for a in near if domain[0] <= a <= domain[1] and a != number]


def ranges(definition, x, target, direction, options, dtype):
    """{name: [(exact, lowest, highest)]} over inputs moved by at most one ulp.

    Two inputs: all combinations. More: the deviations of the single moves added up, which is the joint move to first
    order. Moves that leave the finite numbers (a probability of 0, say) are left out, but not those of a majorizer,
    whose poles a difference of floating-point numbers meets by rounding. Exactly at a kink the rule chooses the
    derivatives, and such a difference meets the kink exactly: there they must not move.
    """
    exact = outputs(definition, x, target, direction, options)
    kink = exact.pop("kink")[0]
    spread = {name: [[a, a] for a in numbers] for name, numbers in exact.items()}
    moving = [("x", j, domain_of(definition, options)) for j in range(len(x))]
    if isinstance(target, mpf):
        moving.append(("t", None, target_domain_of(definition, options)))
    elif isinstance(target, list):
        moving += [("t", j, target_domain_of(definition, options)) for j in range(len(target))]
    if direction is not None:
        moving += [("v", j, REAL) for j in range(len(direction))]

    def moved(changes):
        place = {"x": list(x), "t": target if not isinstance(target, list) else list(target), "v": direction}
        for (which, j, _), number in changes:
            if j is None:
                place[which] = number
            else:
                place[which] = [number if k == j else a for k, a in enumerate(place[which])]
        return outputs(definition, place["x"], place["t"], place["v"], options)

    start = {"x": x, "t": target, "v": direction}
    options_of = [_choices(start[which] if j is None else start[which][j], dtype, domain)
                  for which, j, domain in moving]
    if len(moving) <= 2:
        for combination in itertools.product(*options_of):
            result = moved(list(zip(moving, combination)))
            for name in exact:
                for j, number in enumerate(result[name]):
                    if name == "majorizer" and number == INF and exact[name][j] < INF:
                        spread[name][j][1] = INF
                    elif abs(number) < INF and abs(exact[name][j]) < INF:
                        spread[name][j][0] = min(spread[name][j][0], number)
                        spread[name][j][1] = max(spread[name][j][1], number)
    else:
        for item, choices in zip(moving, options_of):
            results = [moved([(item, choice)]) for choice in choices[1:]]
            for name in exact:
                for j, centre in enumerate(exact[name]):
                    away = [r[name][j] - centre for r in results if abs(r[name][j]) < INF and abs(centre) < INF]
                    spread[name][j][0] += min([mpf(0)] + away)
                    spread[name][j][1] += max([mpf(0)] + away)
    fixed = ("gradient", "curvature") if kink else ()
    return {name: [(a, a, a) if name in fixed else (a, s[0], s[1]) for a, s in zip(exact[name], spread[name])]
            for name in exact}
