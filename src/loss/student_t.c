/*
 * Negative log-likelihood of the location of Student's t distribution with ν degrees of freedom and scale σ.
 *
 *     r = prediction − target,  u = r²/(ν σ²)
 *     loss = ½ (ν + 1) log(1 + u)        (+ log(σ √(νπ) Γ(ν/2)/Γ((ν + 1)/2)) with the option full)
 *
 * The gradient (ν + 1) r/(ν σ² + r²) goes to 0 far out. With c = σ√ν it is (ν + 1)/c² times that of the Cauchy loss.
 * Lange, Little & Taylor, Robust statistical modeling using the t distribution (1989), §2.
 */
#include "loss/robust.h"

enum { DEGREES, SCALE, FULL, STRETCHED /* c */, STEEP /* (ν + 1)/c² */, CONSTANT };

LOSSI_INLINE void student_t(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), c = v_set1(parameters[STRETCHED]);
    const vreal more = v_set1(parameters[DEGREES]) + one, inner = half * more,
                steep = v_set1(parameters[STEEP]);
    const lossi_ratio x = lossi_ratio_of(prediction - target, c);
    const lossi_weight w = lossi_weight_of(x.q);
    const vmask small = v_mask_and(lossi_weight_is_one(&w), v_ne(x.r, v_set1(0)));
    const vreal p = lossi_weight_nearest(&w);

    out->value = inner * lossi_weight_log(&w);
    out->gradient = (x.r * w.p) * steep;
    out->majorizer = steep * p;
    out->curvature = steep * (((one - x.q) * (one + x.q)) * (p * p));
    if (lossi_unusual(out, small)) {
        out->value = v_select(small, (inner * x.q) * x.q, out->value);
    }
    if (lossi_unusual(out, x.large)) {
        const vreal far = (c / x.a) / c, square = (more * far) * far;
        out->value = v_select(x.large, more * lossi_ratio_log(&x), out->value);
        out->gradient = v_select(x.large, v_copysign(more, x.r) * far, out->gradient);
        out->majorizer = v_select(x.large, square, out->majorizer);
        out->curvature = v_select(x.large, -square, out->curvature);
    }
    if (parameters[FULL] != 0) {
        out->value = out->value + v_set1(parameters[CONSTANT]);
    }
}

#define LOSSI_FORMULA student_t
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

#include "loss/extended.h"

static const loss_option options[] = {
    [DEGREES] = {.name = "degrees_of_freedom",
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
 * log(σ √(νπ) Γ(a)/Γ(a + ½)), a = ν/2. Γ(a)/Γ(a + ½) is that of a + n times (a + ½) … (a + n − ½)/(a … (a + n − 1)); from 40 on it is
 * e^(1/(8a) − 1/(192a³) + 1/(640a⁵) − 17/(14336a⁷))/√a to the last digit (Tricomi & Erdélyi, The asymptotic expansion of a ratio of gamma
 * functions, 1951).
 */
static double constant_of(double nu, double scale)
{
    lossi_extended ratio = lossi_extended_from(1);
    double a = nu / 2, logarithm[F64_LANES];
    for (; a < 40; a++) {
        ratio = lossi_extended_times(ratio,
                                     lossi_extended_times(lossi_extended_from(a + 0.5),
                                                          lossi_extended_reciprocal(lossi_extended_from(a))));
    }
    const double inverse = 1 / a, square = inverse * inverse;
    const double rest = inverse *
                        (0.125 - square * (1.0 / 192 - square * (1.0 / 640 - square * (17.0 / 14336))));
    const double factor = scale * lossi_extended_double(ratio) * sqrt(nu * 3.14159265358979323846 / a);
    f64_store(logarithm, v_log(v_set1(factor)) + rest);
    return logarithm[0];
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double nu = prepared->parameters[DEGREES], c = prepared->parameters[SCALE] * sqrt(nu);
    (void)values;
    prepared->parameters[STRETCHED] = c;
    prepared->parameters[STEEP] = (nu + 1) / c / c;
    prepared->bounds = (lossi_bounds){(nu + 1) / (2 * c), (nu + 1) / c / c, 0, LOSSI_UNBOUNDED,
                                      LOSSI_UNBOUNDED};
    if (prepared->parameters[FULL] != 0) {
        prepared->parameters[CONSTANT] = constant_of(nu, prepared->parameters[SCALE]);
        prepared->bounds.minimum = prepared->parameters[CONSTANT];
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
