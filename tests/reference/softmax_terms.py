"""What the derivatives of a loss sum_k phi_k(log p_k), p = softmax z, are sums of: the sizes of their terms added up.

With c = sum phi', h_k = phi''_k - p_k c and w the direction from its mean p . v, where d is 1 for k = j and 0 else:

    gradient_j = sum_k phi'_k (d - p_j)    curvature_j = sum_k h_k (d - p_j)^2    product_j = sum_k h_k (d - p_j) w_k

Terms of both signs leave a result that is far smaller than they are, where the loss is not convex. Each is rounded, so it is their
size that a result is good to. In the tails they are as small as the result is.
"""

from oracle import INF, STEP, exp, log, mp


def terms(phi, x, direction):
    """{output: sizes} of a row of logits; nothing where there are only limits. phi(k, log p) gives the loss of column k, in parts
    where their derivatives cancel."""
    if INF in x or all(a == -INF for a in x):
        return {}
    total = log(mp.fsum(exp(a) for a in x))
    columns = range(len(x))
    slope, bend = [], []
    for k in columns:
        steps = (-STEP, 0, STEP) if x[k] > -INF else ()  # a probability of 0 has no derivatives
        near = list(zip(*(phi(k, x[k] - total + step) for step in steps)))
        if any(abs(a) == INF for part in near for a in part):
            return {}
        slope.append(mp.fsum(abs(right - left) for left, _, right in near) / (2 * STEP))
        bend.append(mp.fsum(abs(right - 2 * here + left) for left, here, right in near) / STEP**2)
    p = [exp(a - total) for a in x]
    mean = mp.fsum(a * b for a, b in zip(p, direction))
    h = [b + a * mp.fsum(slope) for a, b in zip(p, bend)]
    apart = lambda j, k: abs((j == k) - p[j])
    return {
        "gradient": [mp.fsum(slope[k] * apart(j, k) for k in columns) for j in columns],
        "curvature": [mp.fsum(h[k] * apart(j, k) ** 2 for k in columns) for j in columns],
        "product": [mp.fsum(h[k] * apart(j, k) * abs(direction[k] - mean) for k in columns) for j in columns],
    }
