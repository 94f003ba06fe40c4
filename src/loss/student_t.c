/*
 * Negative log-likelihood of the location of Student's t distribution with ν degrees of freedom and scale σ.
 *
 *     r = prediction − target,  u = r²/(ν σ²)
 *     loss = ½ (ν + 1) log(1 + u)        up to a constant
 *
 * The gradient (ν + 1) r/(ν σ² + r²) goes to 0 far out. With c = σ√ν it is (ν + 1)/c² times that of the Cauchy loss.
 * Lange, Little & Taylor, Robust statistical modeling using the t distribution (1989), §2.
 */
#include "loss/robust.h"

enum { DEGREES, SCALE, STRETCHED /* c */ };

LOSSI_INLINE void student_t(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), c = v_set1(parameters[STRETCHED]);
    const vreal more = v_set1(parameters[DEGREES]) + one, inner = half * more;
    const lossi_ratio x = lossi_ratio_of(prediction - target, c);
    const vreal p = lossi_ratio_weight(&x), pc = p / c; /* c/|r|, over c, where the ratio is large */
    const vreal q = v_select(x.large, one, x.a / c);

    out->value = v_select(lossi_ratio_small(&x), (inner * q) * q, inner * lossi_ratio_log(&x));
    out->gradient = more * v_copysign(v_select(v_is_nan(x.r), x.r, q), x.r) * pc;
    out->majorizer = more * v_select(x.large, pc, one / c) * pc;
    out->curvature = v_select(x.large, -more * pc * pc, more * (((one - x.q) * (one + x.q)) * pc) * pc);
}

#define LOSSI_FORMULA student_t
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

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
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double nu = prepared->parameters[DEGREES], c = prepared->parameters[SCALE] * sqrt(nu);
    (void)values;
    prepared->parameters[STRETCHED] = c;
    prepared->bounds = (lossi_bounds){(nu + 1) / (2 * c), (nu + 1) / c / c, 0, LOSSI_UNBOUNDED,
                                      LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_student_t;
const lossi_row lossi_row_student_t = {
    .name = "student_t",
    .aliases = "student_t_nll",
    .summary = "negative log-likelihood of the location of Student's t distribution, without its constant",
    .formula = "(nu + 1)/2*log(1 + r^2/(nu*scale^2)), nu = degrees_of_freedom, r = prediction - target",
    .reference = "Lange, Little & Taylor, Robust statistical modeling using the t distribution (1989)",
    .elementary = "log1p",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
