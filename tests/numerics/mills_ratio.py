"""The polynomial of Mills's ratio in src/loss/failure_time_single.h: (a + 3) (1 - Phi(a)) / phi(a) in q = (a - 3) / (a + 3), on
[-1, 1], interpolated at Chebyshev's points, whose largest error is within a few per cent of the least there is.

    mills_ratio.py [degree]
"""
import sys

from mpmath import mp, mpf

mp.dps = 60


def scaled(q):
    """With e^(a^2/2) erfc(a/sqrt 2) by its asymptotic series where a is large."""
    if q == 1:
        return mpf(1)
    a = 3 * (1 + q) / (1 - q)
    if a > 40:
        total = term = mpf(1)
        for k in range(1, 60):
            term *= -(2 * k - 1) / a**2
            total += term
        return (a + 3) * total / a
    return (a + 3) * mp.sqrt(mp.pi / 2) * mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2))


def chebyshev(degree):
    """Coefficients of powers of q, rounded to double, and the largest relative error on a fine grid."""
    n = degree + 1
    nodes = [mp.cos(mp.pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    values = [scaled(q) for q in nodes]
    sums = [2 * mp.fsum(v * mp.cos(mp.pi * j * (2 * k + 1) / (2 * n)) for k, v in enumerate(values)) / n for j in range(n)]
    powers, before, now = [mpf(0)] * n, [mpf(1)], [mpf(0), mpf(1)]
    for j, c in enumerate(sums):
        t = before if j == 0 else now
        for k, x in enumerate(t):
            powers[k] += (c / 2 if j == 0 else c) * x
        if j > 0:
            after = [mpf(0)] + [2 * x for x in now]
            for k, x in enumerate(before):
                after[k] -= x
            before, now = now, after
    powers = [mpf(float(c)) for c in powers]
    points = [mp.cos(mp.pi * k / 500) for k in range(501)]
    error = max(abs(mp.polyval(powers[::-1], q) / scaled(q) - 1) for q in points)
    return powers, error


if __name__ == "__main__":
    for degree in [int(x) for x in sys.argv[1:]] or [18]:
        coefficients, worst = chebyshev(degree)
        print("degree", degree, "right to 2^%.1f" % mp.log(worst, 2))
        for c in reversed(coefficients):
            print("   ", float(c).hex())
