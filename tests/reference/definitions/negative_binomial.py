"""Negative binomial, log link (Hilbe 2011): (y + 1 / a) log(1 + a exp(x)) - y x;
with full = 1 also -y log a + log gamma(y + 1) + log gamma(1 / a) - log gamma(y + 1 / a)."""

from oracle import INF, REAL, exp, log, mp, mpf

PREDICTION = REAL
TARGET = (mpf(0), INF)
TARGET_FINITE = True
OPTIONS = [{}, {"dispersion": 0.015625}, {"dispersion": 24.5}, {"full": 1}, {"dispersion": 0.015625, "full": 1},
           {"dispersion": 24.5, "full": 1}, {"dispersion": 0.375, "full": 1}, {"dispersion": 1e-6, "full": 1}]
RANDOM_OPTIONS = 8
HARD = [
    ({"full": 1, "dispersion": a}, x, y)
    for a, x, y in [
        (1e-6, 3.1172468662261963, 64.55216979980469),  # large terms that cancel a little off the mean
        (1e-6, 0.8135271811532288, 7.8350476980676405),
        (2.0**-10, 1.8679786884229286, 18.000368170826636),
        (0.26, -0.9350981245032405, 0.4538518596907055),  # 1 / dispersion where Stirling's series is not yet right
        (3.0, -5.844232559204102, 0.011049645952880383),
        (1000.0, 2.3682531095788875, 1.0667844433367469e22),  # exp(x) / y below the spacing of x
        (1e6, -1.0, 3e33),  # dispersion * y beyond float32
        (1e6, 3.0, 2.0**-149),
        (24.5, -20.0, 1e-9),
    ]
]


def value(x, target, options):
    a = mpf(options.get("dispersion", 1))
    constant = 0
    if options.get("full"):
        constant = mp.loggamma(target + 1) + mp.loggamma(1 / a) - mp.loggamma(target + 1 / a) - target * log(a)
    return (target + 1 / a) * log(1 + a * exp(x[0])) - target * x[0] + constant
