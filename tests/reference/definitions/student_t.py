"""Student's t (Lange, Little and Taylor 1989): (n + 1)/2 log(1 + r^2/(n s^2)), where r = prediction - target;
with full = 1 also log(s sqrt(n pi) gamma(n/2) / gamma((n + 1)/2))."""

from oracle import INF, REAL, log, mp, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"degrees_of_freedom": 4.0, "scale": 0.3125}, {"degrees_of_freedom": 2.25, "scale": 1024.5},
           {"degrees_of_freedom": 3.0, "scale": 2.5, "full": 1}]
HARD = [({"degrees_of_freedom": 8231.1904296875, "scale": 0.3923051357269287, "full": 1}, 3.3612768171544403e-07, 0.0),
        ({"degrees_of_freedom": 0.11588885635137558, "scale": 0.0002772267034742981}, 2.0**1023 * (2 - 2.0**-52), 0.0),
        ({"degrees_of_freedom": 0.11588885635137558, "scale": 0.0002772267034742981}, 2.0**127 * (2 - 2.0**-23), 0.0),
        ({"degrees_of_freedom": 4.0, "scale": 0.3125}, float.fromhex("-0x1.fd0278p-3"), float.fromhex("0x1.99f67ep-2")),
        # far out the constant takes all of the logarithm away
        ({"degrees_of_freedom": 0.13604965667333146, "scale": 0.00012759461489504943, "full": 1},
         float.fromhex("0x1.afc5c045dd0d2p-6"), 0.0),
        ({"degrees_of_freedom": 0.2495127226798749, "scale": 3.589601017313161e-06, "full": 1}, float.fromhex("0x1.86d33p-7"), 0.0)]


def value(x, target, options):
    n, s = mpf(options.get("degrees_of_freedom", 1)), mpf(options.get("scale", 1))
    constant = log(s * mp.sqrt(n * mp.pi) * mp.gamma(n / 2) / mp.gamma((n + 1) / 2)) if options.get("full") else 0
    return (n + 1) / 2 * log(1 + (x[0] - target) ** 2 / (n * s**2)) + constant


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    n, s = mpf(options.get("degrees_of_freedom", 1)), mpf(options.get("scale", 1))
    r = x[0] - target
    return mpf(0) if abs(r) == INF else (n + 1) / (n * s**2 + r**2)
