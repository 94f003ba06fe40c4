/*
 * Negative log-likelihood of the location of Student's t distribution with ν degrees of freedom and scale σ.
 *
 *     r = prediction − target,  u = r²/(ν σ²)
 *     loss = ½ (ν + 1) log(1 + u)        (+ log(σ √(νπ) Γ(ν/2)/Γ((ν + 1)/2)) with the option full)
 *
 * The gradient (ν + 1) r/(ν σ² + r²) goes to 0 far out. With c = σ√ν it is (ν + 1)/c² times that of the Cauchy loss.
 * Lange, Little & Taylor, Robust statistical modeling using the t distribution (1989), §2.
 */
#include "loss/power.h"
#include "loss/robust.h"
#include "loss/two_sum.h"

/* With the constant ν, c and it are two numbers each, the first of them a float32; else the rests are 0. No kernel reads σ. */
enum {
    DEGREES,
    SCALE,
    FULL,
    STRETCHED /* c */,
    STEEP /* (ν + 1)/c² */,
    CONSTANT,
    CONSTANT_REST,
    STRETCHED_REST
};
enum { DEGREES_REST = SCALE };

/* A number and its rest: float64 holds ν in one. */
LOSSI_INLINE vreal whole_of(const real *parameters, int head, int rest)
{
    return v_set1(LOSSI_REAL == 64 ? parameters[head] + parameters[rest] : parameters[head]);
}

LOSSI_INLINE vreal rest_of(const real *parameters, int head, int rest)
{
    const real whole = parameters[head] + parameters[rest];
    return v_set1(LOSSI_REAL == 64 ? (parameters[head] - whole) + parameters[rest] : parameters[rest]);
}

/*
 * The loss with its constant. It has a zero where both cancel, which may be far out: the logarithm is taken with a tail, of u with
 * what the rounding of c and of |r|/c takes from it.
 */
static __attribute__((noinline)) vreal value_with_constant(vreal r, const real *parameters)
{
    const vreal one = v_set1(1), two = v_set1(2), half = v_set1((real)0.5),
                constant = v_set1(parameters[CONSTANT]);
    const vreal c = whole_of(parameters, STRETCHED, STRETCHED_REST),
                nu = whole_of(parameters, DEGREES, DEGREES_REST);
    const vreal c_off = rest_of(parameters, STRETCHED, STRETCHED_REST) / c; /* relative */
    const lossi_ratio x = lossi_ratio_of(r, c);
    const lossi_weight w = lossi_weight_of(x.q);
    const vreal q_missing = lossi_over_missing(x.q, x.a, c) - x.q * c_off;
    vreal near_rest, far_rest, n, f_missing;
    const vreal near = lossi_power_log(w.sum, v_fma(two * x.q, q_missing, w.missing), v_set1(0), &near_rest);
    const vreal f = lossi_ratio_split(&x, &n, &f_missing);
    const vreal far = v_log_sum_parts(n, f, f_missing - c_off * (one + f), &far_rest);
    const vreal log = v_select(x.large, two * far, near),
                log_rest = v_select(x.large, two * far_rest, near_rest);

    vreal rest = log_rest;
    const vreal product = v_times_parts(nu, log, &rest), both = product + log;
    rest = (lossi_missing_of(product, log, both) + rest) +
           (log_rest + rest_of(parameters, DEGREES, DEGREES_REST) * log);
    const vreal value = half * both, sum = value + constant;
    const vreal exact = sum + (lossi_missing_of(constant, value, sum) +
                               v_fma(half, rest, v_set1(parameters[CONSTANT_REST])));
    return v_select(v_lt(x.a, v_set1(REAL_INFINITY)), exact, x.a); /* infinity and NaN */
}

LOSSI_INLINE void student_t(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5),
                c = whole_of(parameters, STRETCHED, STRETCHED_REST);
    const vreal more = whole_of(parameters, DEGREES, DEGREES_REST) + one, inner = half * more,
                steep = v_set1(parameters[STEEP]);
    const lossi_ratio x = lossi_ratio_of(prediction - target, c);
    const lossi_weight w = lossi_weight_of(x.q);
    const vmask small = v_mask_and(lossi_weight_is_one(&w), v_ne(x.r, v_set1(0)));
    vreal square;
    const vreal p = lossi_weight_squared(&w, &square);

    out->value = inner * lossi_weight_log(&w);
    out->gradient = (x.r * w.p) * steep;
    out->majorizer = steep * p;
    /* where it changes its sign 1 − q has the digits that q lost by rounding */
    const vreal left = (one - x.q) - lossi_over_missing(x.q, x.a, c);
    out->curvature = steep * ((left * (one + x.q)) * square);
    if (lossi_unusual(out, small)) {
        out->value = v_select(small, (inner * x.q) * x.q, out->value);
    }
    if (lossi_unusual(out, x.large)) {
        const vreal far = more / x.a, falling = far / x.a; /* 1/a may be below the normal numbers */
        out->value = v_select(x.large, more * lossi_ratio_log(&x), out->value);
        out->gradient = v_select(x.large, v_copysign(far, x.r), out->gradient);
        out->majorizer = v_select(x.large, falling, out->majorizer);
        out->curvature = v_select(x.large, -falling, out->curvature);
    }
    if (parameters[FULL] != 0) {
        out->value = value_with_constant(x.r, parameters);
    }
}

#define LOSSI_FORMULA student_t
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

#include "loss/extended_logarithm.h"

static const loss_option options[] = {
    [DEGREES] = {.name = "degrees_of_freedom",
                 .aliases = "nu df",
                 .type = LOSS_OPTION_DOUBLE,
                 .minimum = 1e-6,
                 .maximum = 1e6,
                 .initial = 1,
                 .doc = "nu: 1 is Cauchy's distribution, infinity the normal one"},
    [SCALE] = {.name = "scale",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-15,
               .maximum = 1e15,
               .initial = 1,
               .doc = "sigma, which is not the standard deviation"},
    [FULL] = {.name = "full",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: with the constant of the density"},
};

/*
 * log(σ √(νπ) Γ(a)/Γ(a + ½)), a = ν/2, to more digits than a number has, for it has a zero. Γ(a)/Γ(a + ½) is that of a + n times
 * (a + ½) … (a + n − ½)/(a … (a + n − 1)); from 200 on it is e^(1/(8a) − 1/(192a³) + 1/(640a⁵) − 17/(14336a⁷))/√a to 2⁻⁷⁷ (Tricomi &
 * Erdélyi, The asymptotic expansion of a ratio of gamma functions, 1951).
 */
static lossi_extended constant_of(double nu, double scale)
{
    const lossi_extended pi = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53, 0};
    lossi_extended ratio = lossi_extended_from(scale), argument = lossi_extended_from(nu / 2);
    double a = nu / 2;
    for (int k = 0; k < 200 && a < 200; k++, a++) {
        const lossi_extended half = lossi_extended_from(0.5);
        ratio = lossi_extended_times(ratio, lossi_extended_times(lossi_extended_add(argument, half),
                                                                 lossi_extended_reciprocal(argument)));
        argument = lossi_extended_add(argument, lossi_extended_from(1));
    }
    const lossi_extended inverse = lossi_extended_reciprocal(argument);
    const double i = inverse.high, square = i * i;
    const double rest = i * square * (1.0 / 192 - square * (1.0 / 640 - square * (17.0 / 14336)));
    /* the square of all but that */
    lossi_extended factor = lossi_extended_times(lossi_extended_times(ratio, ratio), pi);
    factor = lossi_extended_times(factor, lossi_extended_times(lossi_extended_from(nu), inverse));
    const lossi_extended twice = lossi_extended_logarithm(factor);
    const lossi_extended more = lossi_extended_subtract(
        lossi_extended_times(inverse, lossi_extended_from(0.125)), lossi_extended_from(rest));
    return lossi_extended_add(lossi_extended_times(twice, lossi_extended_from(0.5)), more);
}

/* c = σ√ν and ν as two numbers each. */
static void split_parameters(double nu, double scale, lossi_prepared *prepared)
{
    const double root = sqrt(nu), root_missing = fma(-root, root, nu) / (2 * root), c = scale * root;
    const double c_missing = fma(scale, root, -c) + scale * root_missing;
    const double c_head = (double)(float)c, nu_head = (double)(float)nu; /* exact in both element types */
    prepared->parameters[STRETCHED] = c_head;
    prepared->parameters[STRETCHED_REST] = (c - c_head) + c_missing;
    prepared->parameters[DEGREES] = nu_head;
    prepared->parameters[DEGREES_REST] = nu - nu_head;
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double nu = prepared->parameters[DEGREES], scale = prepared->parameters[SCALE],
                 c = scale * sqrt(nu);
    (void)values;
    prepared->parameters[STRETCHED] = c;
    prepared->parameters[STRETCHED_REST] = prepared->parameters[DEGREES_REST] = 0;
    prepared->parameters[STEEP] = (nu + 1) / c / c;
    prepared->bounds = (lossi_bounds){(nu + 1) / (2 * c), (nu + 1) / c / c, 0, LOSSI_UNBOUNDED,
                                      LOSSI_UNBOUNDED};
    if (prepared->parameters[FULL] != 0) {
        const lossi_extended constant = constant_of(nu, scale);
        const double all = lossi_extended_double(constant), head = (double)(float)all;
        prepared->parameters[CONSTANT] = head; /* exact in both element types */
        prepared->parameters[CONSTANT_REST] = (constant.high - head) + constant.low;
        prepared->bounds.minimum = all;
        split_parameters(nu, scale, prepared);
    }
}

extern const lossi_row lossi_row_student_t;
const lossi_row lossi_row_student_t = {
    .name = "student_t",
    .aliases = "student_t_nll",
    .summary = "negative log-likelihood of the location of Student's t distribution",
    .formula = "(nu + 1)/2*log(1 + r^2/(nu*scale^2)), nu = degrees_of_freedom, r = prediction - target",
    .reference = "Lange, Little & Taylor, Robust statistical modeling using the t distribution (1989)",
    .elementary = "log1p",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 3,
    .prepare = prepare,
};

#endif
