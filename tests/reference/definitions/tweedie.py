"""Tweedie, log link (Jorgensen 1997): mu^(2 - p) / (2 - p) - y mu^(1 - p) / (1 - p), each power less 1."""

from oracle import INF, REAL, exp, mpf

PREDICTION = REAL
TARGET = (mpf(0), INF)
TARGET_FINITE = True
OPTIONS = [{}, {"power": 1.125}, {"power": 1.0}]
HARD = [({}, 9.960764815276862e-12, 1.0), ({}, 2.7931321255891817e-06, 1.0), ({"power": 1.625}, -1.8757e-10, 1.0),
        ({"power": 1.125}, -0.03943532332777977, 1.0), ({"power": 2.0}, 1.575222654537356e-06, 1.0),
        ({}, 0.017636695098183212, 1.0),  # next to the minimum
        ({"power": 1.3914446545096069}, float.fromhex("0x1.ed891cp+5"), float.fromhex("0x1.df61fcp+6")),  # long exponents
        ({"power": 1.3123}, 650.3, 2.5), ({"power": 1.3123}, -650.3, 2.5), ({"power": 1.7077}, -62.7, 0.3)]


def box_cox(x, power):
    return x if power == 0 else (exp(power * x) - 1) / power


def value(x, target, options):
    power = mpf(options.get("power", 1.5))
    return box_cox(x[0], 2 - power) - (target * box_cox(x[0], 1 - power) if target else 0)
