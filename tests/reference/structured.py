"""The exact results of losses that read more than predictions and targets, from nothing but their definitions.

A definition of such a loss has

    ROLES            {name: layout}: "rows" (one row per row of the first role), "shared" (one row for all), "own" (rows of
                     its own, in groups), "offsets"; a name that ends in * is differentiable
    values(a, o)     the losses of all units: rows, groups, or the elements of rows; a[name] is a list of rows of numbers,
                     labels and offsets are ints, o the options
    cases(rng, dtype)  (kind, options, arrays) to store; kind "grid" is a corner, "random" is generic

and may have

    held(a, o)           what counts as a constant while derivatives are taken, though it depends on the numbers (weights by the
                         current order, say): found at the point and given to values() as a third argument
    gauss_newton(a, o), majorizer(a, o)   the dense matrix over all differentiable numbers, in the order of ROLES
    gradient_at_kink(a, o)                all differentiable numbers of the gradient where the rule is not one number's own
    curvature_at_kink(a, o)               the same for the diagonal
    terms(found, a, o)   {output: sizes} of the terms that results are differences of, all differentiable numbers, given the outputs
                     and the direction
    DIGITS, ULP, FIXED (roles whose numbers are never moved: labels written as numbers)
    NORMWISE         True: results are good to ULP of the largest number in their row, because vectors cancel

A line of the file is one call: dtype, kind, options, then fields role:layout:rows x columns:numbers for inputs, and
>output:rows x columns:results. Results are written as in generate.py.
"""

from mpmath import mp, mpf

import oracle

DIGITS = 260
STEP = mpf(10) ** -70


def roles(definition):
    """[(name, layout, whether differentiable)]"""
    return [(name.rstrip("*"), layout, name.endswith("*")) for name, layout in definition.ROLES.items()]


def coordinates(definition, arrays):
    """Every differentiable number: (role, row, column)."""
    return [(name, i, j) for name, _, free in roles(definition) if free and name in arrays
            for i, row in enumerate(arrays[name]) for j in range(len(row))]


def moved(arrays, changes):
    """The arrays with numbers added at places."""
    rows = {}
    for (name, i, j), by in changes:
        row = rows.setdefault((name, i), list(arrays[name][i]))
        row[j] = row[j] + by
    result = dict(arrays)
    for name in {name for name, _ in rows}:
        result[name] = [rows.get((name, i), row) for i, row in enumerate(arrays[name])]
    return result


def _kinked(left, right, scale):
    return abs(left - right) > mpf(10) ** -25 * max(abs(left), abs(right)) + mpf(10) ** -50 * (1 + abs(scale))


def _snap(x, scale, order):
    """0 when x is the noise of a difference quotient of this order."""
    noise = (1 + abs(scale)) * mpf(10) ** (70 * order + 10 - mp.dps)
    return mpf(0) if abs(x) < max(noise, mpf(10) ** -55) else x


def outputs(definition, arrays, direction, options):
    """{output: numbers} and whether the point is at a kink."""
    mp.dps = getattr(definition, "DIGITS", DIGITS)
    held = [definition.held(arrays, options)] if hasattr(definition, "held") else []
    total = lambda a: mp.fsum(definition.values(a, options, *held))
    values = definition.values(arrays, options, *held)
    here = mp.fsum(values)
    places = coordinates(definition, arrays)
    gradient, curvature, kink = [], [], False
    for place in places:
        left, right = total(moved(arrays, [(place, -STEP)])), total(moved(arrays, [(place, STEP)]))
        slope_left, slope_right = (here - left) / STEP, (right - here) / STEP
        bend = (right - 2 * here + left) / STEP**2
        if _kinked(slope_left, slope_right, here):
            kink = True
            slope = mpf(0) if slope_left < 0 < slope_right else min(slope_left, slope_right, key=abs)
            bend = mpf(0)
        else:
            slope = (slope_left + slope_right) / 2
        gradient.append(_snap(slope, here, 1))
        curvature.append(_snap(bend, here, 2))
    along = list(zip(places, direction))
    ahead = total(moved(arrays, [(p, STEP * d) for p, d in along]))
    product = []
    for place in places:
        both = total(moved(arrays, [(p, STEP * d + (STEP if p == place else 0)) for p, d in along]))
        mixed = both - total(moved(arrays, [(place, STEP)])) - ahead + here
        product.append(_snap(mixed / STEP**2, here, 2))
    if kink:
        if hasattr(definition, "gradient_at_kink"):
            gradient = definition.gradient_at_kink(arrays, options)
        if hasattr(definition, "curvature_at_kink"):
            curvature = definition.curvature_at_kink(arrays, options)
    result = {"value": values, "gradient": gradient, "curvature": curvature, "product": product}
    for kind in ("gauss_newton", "majorizer"):
        if hasattr(definition, kind):
            matrix = getattr(definition, kind)(arrays, options)
            result[kind] = [matrix[k][k] for k in range(len(places))]
            result[kind + "_product"] = [mp.fsum(a * d for a, d in zip(row, direction)) for row in matrix]
    if kink:  # no second derivative exists along every direction there
        del result["product"]
    return result, kink


def _movable(definition, arrays):
    fixed = set(getattr(definition, "FIXED", ()))
    return [(name, i, j) for name, _, _ in roles(definition) if name in arrays and name not in fixed
            for i, row in enumerate(arrays[name]) for j, number in enumerate(row) if not isinstance(number, int)]


def _step(arrays, place, dtype, sign):
    """To the next number above or below."""
    name, i, j = place
    number = arrays[name][i][j]
    return mpf(oracle.neighbour(float(number), dtype, sign)) - number


def ranges(definition, arrays, direction, options, dtype):
    """{output: [(exact, lowest, highest)]} over inputs moved by at most an ulp each, to first order."""
    exact, kink = outputs(definition, arrays, direction, options)
    spread = {name: [[a, a] for a in numbers] for name, numbers in exact.items()}
    together = [[place] for place in _movable(definition, arrays)]
    if hasattr(definition, "together"):
        together += definition.together(arrays)
    found = []
    for places in together:
        steps = [[(place, _step(arrays, place, dtype, sign)) for place in places] for sign in (-1, 1)]
        found.append([outputs(definition, moved(arrays, step), direction, options)[0] for step in steps])
    for k, number in enumerate(direction):
        shifted = []
        for sign in (-1, 1):
            other = list(direction)
            other[k] = mpf(oracle.neighbour(float(number), dtype, sign))
            shifted.append(other)
        found.append([_products(exact, definition, arrays, other, options) for other in shifted])
    for results in found:
        for name in exact:
            for n, centre in enumerate(exact[name]):
                away = [r[name][n] - centre for r in results if name in r and n < len(r[name])]
                spread[name][n][0] += min([mpf(0)] + away)
                spread[name][n][1] += max([mpf(0)] + away)
    fixed = ("gradient", "curvature") if kink else ()
    return {name: [(a, a, a) if name in fixed else (a, s[0], s[1]) for a, s in zip(exact[name], spread[name])]
            for name in exact}


def _products(exact, definition, arrays, direction, options):
    """What depends on the direction, for another direction."""
    result, _ = outputs(definition, arrays, direction, options)
    return {name: numbers for name, numbers in result.items() if name.endswith("product")}


# ---- writing ------------------------------------------------------------------------------------------------------

DERIVATIVES = ("gradient", "curvature", "product", "gauss_newton", "gauss_newton_product", "majorizer",
               "majorizer_product")


def tasks(name, definition, seed, dtype, rng):
    for kind, options, arrays in definition.cases(rng, dtype):
        exact = {role: [[a if isinstance(a, int) else oracle.rounded(a, dtype) for a in row] for row in rows]
                 for role, rows in arrays.items()}
        count = len(coordinates(definition, exact))
        direction = [oracle.rounded(rng.uniform(-2, 2), dtype) for _ in range(count)]
        yield name, dtype, kind, options, exact, direction


def row_text(definition, task, text):
    """One line; `text` holds generate.py's ways of writing: hexadecimal, result, option_text."""
    _, dtype, kind, options, arrays, direction = task
    numbers = {role: [[a if isinstance(a, int) else mpf(a) for a in row] for row in rows]
               for role, rows in arrays.items()}
    found = ranges(definition, numbers, [mpf(d) for d in direction], options, dtype)
    sizes = {}
    if hasattr(definition, "terms"):
        exact = {output: [t[0] for t in triples] for output, triples in found.items()}
        exact["direction"] = [mpf(d) for d in direction]
        sizes = definition.terms(exact, numbers, options)
    shape = lambda rows: "%dx%d" % (len(rows), len(rows[0]) if rows else 0)
    write = lambda a: str(a) if isinstance(a, int) else text.hexadecimal(a)
    fields, at = [dtype[-2:], kind[0], text.option_text(options)], 0
    for role, layout, free in roles(definition):
        if role not in arrays:
            continue
        rows = arrays[role]
        count = sum(len(row) for row in rows)
        labels = count > 0 and isinstance(rows[0][0], int)
        fields.append("%s:%s%s:%s:%s" % (role, layout, "#" if labels else "", shape(rows),
                                         " ".join(write(a) for row in rows for a in row)))
        if free:
            fields.append("%s.direction:%s:%s:%s" % (role, layout, shape(rows),
                                                     " ".join(write(a) for a in direction[at:at + count])))
        at += count if free else 0
    fields.append(">value::%dx1:%s" % (len(found["value"]), " ".join(text.result(t) for t in found["value"])))
    for output in DERIVATIVES:
        at = 0
        for role, _, free in roles(definition):
            if free and role in arrays and output in found:
                count = sum(len(row) for row in arrays[role])
                beside = sizes.get(output, [0] * len(found[output]))
                results = [text.result(t, size) for t, size in zip(found[output], beside)]
                fields.append(">%s.%s::%s:%s" % (role, output, shape(arrays[role]), " ".join(results[at:at + count])))
                at += count
    return ",".join(fields)
