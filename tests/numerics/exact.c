/* The elementary functions by MPFR and libm; what those do not have is composed where nothing cancels. */
#include "exact.h"

#include <math.h>

#include "support/math_kernels.h"

const char *elementary_name(elementary function)
{
    return function.arguments == 1 ? math_unary_names[function.operation]
                                   : math_binary_names[function.operation];
}

/* x - log(1 + x), which is 2^-e smaller than x for x near 2^-e: with that many digits more, or its first two terms. */
static void exact_x_minus_log1p(mpfr_t exact, double x)
{
    mpfr_t precise, second;
    long exponent = x == 0.0 || !isfinite(x) ? 0 : ilogb(x);
    if (x == 0.0 || isinf(x)) { /* -infinity is outside the domain */
        if (x < 0.0 && isinf(x))
            mpfr_set_nan(exact);
        else
            mpfr_abs(exact, exact, MPFR_RNDN);
        return;
    }
    if (exponent < -400) { /* x^2 / 2 - x^3 / 3 */
        mpfr_init2(second, mpfr_get_prec(exact));
        mpfr_mul_ui(second, exact, 2, MPFR_RNDN);
        mpfr_div_ui(second, second, 3, MPFR_RNDN);
        mpfr_ui_sub(second, 1, second, MPFR_RNDN);
        mpfr_sqr(exact, exact, MPFR_RNDN);
        mpfr_div_2ui(exact, exact, 1, MPFR_RNDN);
        mpfr_mul(exact, exact, second, MPFR_RNDN);
        mpfr_clear(second);
        return;
    }
    mpfr_init2(precise, mpfr_get_prec(exact) + (exponent < 0 ? -exponent : 0));
    mpfr_set_d(precise, x, MPFR_RNDN);
    mpfr_log1p(precise, precise, MPFR_RNDN);
    mpfr_sub(exact, exact, precise, MPFR_RNDN);
    mpfr_clear(precise);
}

/* From here on the hazard of the normal distribution by its continued fraction, which is quicker than erfc. */
static const double normal_far = 6.0;

/* hazard = x + 1/(x + 2/(x + 3/(x + ...))) for x >= 6 (Abramowitz & Stegun, 1964, 26.2.14); n terms leave e^(-2x sqrt(2n)), and
 * these are 300 bits */
static void exact_far_hazard(mpfr_t exact, double x)
{
    double terms = 10.0 + 6000.0 / (x * x);
    mpfr_set_d(exact, x, MPFR_RNDN);
    for (unsigned long k = (unsigned long)terms; k >= 1; k--) {
        mpfr_ui_div(exact, k, exact, MPFR_RNDN);
        mpfr_add_d(exact, exact, x, MPFR_RNDN);
    }
}

/* 2 e^(-x^2) / sqrt(pi) */
static void exact_erf_slope(mpfr_t exact)
{
    mpfr_t pi;
    mpfr_init2(pi, mpfr_get_prec(exact));
    mpfr_const_pi(pi, MPFR_RNDN);
    mpfr_sqrt(pi, pi, MPFR_RNDN);
    mpfr_sqr(exact, exact, MPFR_RNDN);
    mpfr_neg(exact, exact, MPFR_RNDN);
    mpfr_exp(exact, exact, MPFR_RNDN);
    mpfr_mul_2ui(exact, exact, 1, MPFR_RNDN);
    mpfr_div(exact, exact, pi, MPFR_RNDN);
    mpfr_clear(pi);
}

/* phi(x) = e^(-x^2 / 2) / sqrt(2 pi) */
static void exact_normal_density(mpfr_t exact, double x)
{
    mpfr_t root;
    mpfr_init2(root, mpfr_get_prec(exact));
    mpfr_const_pi(root, MPFR_RNDN);
    mpfr_mul_2ui(root, root, 1, MPFR_RNDN);
    mpfr_sqrt(root, root, MPFR_RNDN);
    mpfr_set_d(exact, x, MPFR_RNDN);
    mpfr_sqr(exact, exact, MPFR_RNDN);
    mpfr_div_2ui(exact, exact, 1, MPFR_RNDN);
    mpfr_neg(exact, exact, MPFR_RNDN);
    mpfr_exp(exact, exact, MPFR_RNDN);
    mpfr_div(exact, exact, root, MPFR_RNDN);
    mpfr_clear(root);
}

/* 1 - Phi(x) = phi(x) / hazard(x) far out, erfc(x / sqrt 2) / 2 near, and 1 less that of -x */
static void exact_normal_survival(mpfr_t exact, double x)
{
    mpfr_t other;
    mpfr_init2(other, mpfr_get_prec(exact));
    if (fabs(x) >= normal_far) {
        exact_far_hazard(other, fabs(x));
        exact_normal_density(exact, x);
        mpfr_div(exact, exact, other, MPFR_RNDN);
        if (x < 0.0)
            mpfr_ui_sub(exact, 1, exact, MPFR_RNDN);
    } else {
        mpfr_sqrt_ui(other, 2, MPFR_RNDN);
        mpfr_set_d(exact, x, MPFR_RNDN);
        mpfr_div(exact, exact, other, MPFR_RNDN);
        mpfr_erfc(exact, exact, MPFR_RNDN);
        mpfr_div_2ui(exact, exact, 1, MPFR_RNDN);
    }
    mpfr_clear(other);
}

static void exact_normal_hazard(mpfr_t exact, double x)
{
    mpfr_t density;
    if (x >= normal_far) {
        exact_far_hazard(exact, x);
        return;
    }
    mpfr_init2(density, mpfr_get_prec(exact));
    exact_normal_density(density, x);
    exact_normal_survival(exact, x);
    mpfr_div(exact, density, exact, MPFR_RNDN);
    mpfr_clear(density);
}

/* h (h - x): far out h - x is 1/(x + 2/(x + 3/(x + ...))) */
static void exact_normal_hazard_slope(mpfr_t exact, double x)
{
    mpfr_t apart;
    if (isinf(x)) {
        mpfr_set_ui(exact, x > 0.0, MPFR_RNDN);
        return;
    }
    mpfr_init2(apart, mpfr_get_prec(exact));
    if (x >= normal_far) {
        mpfr_set_d(apart, x, MPFR_RNDN);
        for (unsigned long k = (unsigned long)(10.0 + 6000.0 / (x * x)); k >= 2; k--) {
            mpfr_ui_div(apart, k, apart, MPFR_RNDN);
            mpfr_add_d(apart, apart, x, MPFR_RNDN);
        }
        mpfr_ui_div(apart, 1, apart, MPFR_RNDN);
        mpfr_add_d(exact, apart, x, MPFR_RNDN);
    } else {
        exact_normal_hazard(exact, x);
        mpfr_sub_d(apart, exact, x, MPFR_RNDN);
    }
    mpfr_mul(exact, exact, apart, MPFR_RNDN);
    mpfr_clear(apart);
}

/* log(1 - Phi(x)) = -(x^2 + log(2 pi hazard^2)) / 2 far out, and log1p of what the survival is below 1 for x < 0 */
static void exact_log_normal_survival(mpfr_t exact, double x)
{
    mpfr_t square;
    if (x >= normal_far) {
        mpfr_init2(square, mpfr_get_prec(exact));
        exact_far_hazard(exact, x);
        mpfr_sqr(exact, exact, MPFR_RNDN);
        mpfr_const_pi(square, MPFR_RNDN);
        mpfr_mul(exact, exact, square, MPFR_RNDN);
        mpfr_mul_2ui(exact, exact, 1, MPFR_RNDN);
        mpfr_log(exact, exact, MPFR_RNDN);
        mpfr_set_d(square, x, MPFR_RNDN);
        mpfr_sqr(square, square, MPFR_RNDN);
        mpfr_add(exact, exact, square, MPFR_RNDN);
        mpfr_div_2ui(exact, exact, 1, MPFR_RNDN);
        mpfr_neg(exact, exact, MPFR_RNDN);
        mpfr_clear(square);
    } else if (x > 0.0) {
        exact_normal_survival(exact, x);
        mpfr_log(exact, exact, MPFR_RNDN);
    } else {
        exact_normal_survival(exact, -x);
        mpfr_neg(exact, exact, MPFR_RNDN);
        mpfr_log1p(exact, exact, MPFR_RNDN);
    }
}

/* −log(1 − x) */
static void exact_log_complement(mpfr_t exact)
{
    mpfr_neg(exact, exact, MPFR_RNDN);
    mpfr_log1p(exact, exact, MPFR_RNDN);
    mpfr_neg(exact, exact, MPFR_RNDN);
}

/* log(1 - e^-x), by the function that keeps its digits */
static void exact_log1mexp(mpfr_t exact, double x)
{
    mpfr_set_d(exact, -x, MPFR_RNDN);
    if (x > 1.0)
        mpfr_exp(exact, exact, MPFR_RNDN);
    else
        mpfr_expm1(exact, exact, MPFR_RNDN);
    mpfr_neg(exact, exact, MPFR_RNDN);
    if (x > 1.0)
        mpfr_log1p(exact, exact, MPFR_RNDN);
    else
        mpfr_log(exact, exact, MPFR_RNDN);
}

static void exact_normal(mpfr_t exact, int operation, double x)
{
    switch (operation) {
    case MATH_NORMAL_CDF:
        exact_normal_survival(exact, -x);
        break;
    case MATH_NORMAL_HAZARD:
        exact_normal_hazard(exact, x);
        break;
    case MATH_LOG_NORMAL_SURVIVAL:
        exact_log_normal_survival(exact, x);
        break;
    case MATH_NORMAL_HAZARD_SLOPE:
        exact_normal_hazard_slope(exact, x);
        break;
    }
}

static void exact_circular(mpfr_t exact, int operation, double x)
{
    switch (operation) {
    case MATH_SIN:
        mpfr_sin(exact, exact, MPFR_RNDN);
        break;
    case MATH_COS:
        mpfr_cos(exact, exact, MPFR_RNDN);
        break;
    case MATH_TAN:
        mpfr_tan(exact, exact, MPFR_RNDN);
        break;
    case MATH_ERF:
        mpfr_erf(exact, exact, MPFR_RNDN);
        break;
    case MATH_ERFC:
        mpfr_erfc(exact, exact, MPFR_RNDN);
        break;
    case MATH_ERF_SLOPE:
        exact_erf_slope(exact);
        break;
    default:
        exact_normal(exact, operation, x);
    }
}

static void exact_unary(mpfr_t exact, int operation, double x)
{
    mpfr_set_d(exact, x, MPFR_RNDN);
    switch (operation) {
    case MATH_EXP:
        mpfr_exp(exact, exact, MPFR_RNDN);
        break;
    case MATH_EXPM1:
        mpfr_expm1(exact, exact, MPFR_RNDN);
        break;
    case MATH_LOG_COMPLEMENT:
        exact_log_complement(exact);
        break;
    case MATH_RECIPROCAL:
        mpfr_ui_div(exact, 1, exact, MPFR_RNDN);
        break;
    case MATH_INVERSE_ROOT:
        mpfr_rec_sqrt(exact, exact, MPFR_RNDN);
        break;
    case MATH_LOG:
    case MATH_LOG_HALF:
        mpfr_log(exact, exact, MPFR_RNDN);
        break;
    case MATH_LOG1P:
    case MATH_LOG1P_UNIT:
        mpfr_log1p(exact, exact, MPFR_RNDN);
        break;
    case MATH_TANH:
        mpfr_tanh(exact, exact, MPFR_RNDN);
        break;
    case MATH_SIGMOID:
        mpfr_neg(exact, exact, MPFR_RNDN);
        mpfr_exp(exact, exact, MPFR_RNDN);
        mpfr_add_ui(exact, exact, 1, MPFR_RNDN);
        mpfr_ui_div(exact, 1, exact, MPFR_RNDN);
        break;
    case MATH_SOFTPLUS:
        if (x > 1000.0) /* e^-x is beyond the precision, and e^x might be beyond the range */
            break;
        mpfr_exp(exact, exact, MPFR_RNDN);
        mpfr_log1p(exact, exact, MPFR_RNDN);
        break;
    case MATH_X_MINUS_LOG1P:
    case MATH_X_MINUS_LOG1P_OF:
        exact_x_minus_log1p(exact, x);
        break;
    case MATH_LOG1MEXP:
        exact_log1mexp(exact, x);
        break;
    case MATH_ATAN:
        mpfr_atan(exact, exact, MPFR_RNDN);
        break;
    case MATH_LOG_GAMMA:
        if (x == 0.0)
            mpfr_set_inf(exact, 1);
        else
            mpfr_lngamma(exact, exact, MPFR_RNDN);
        break;
    default:
        exact_circular(exact, operation, x);
    }
}

/* Powers: NaN outside the domain and for every NaN, where C has x^0 = 1^y = 1; a base of -0 is one of 0. */
static int outside(int operation, double x, double y)
{
    double base = operation == MATH_POW || operation == MATH_POWM1 ? x : 1.0 + x;
    return !(base >= 0.0) || isnan(y);
}

static void exact_binary(mpfr_t exact, int operation, double x, double y)
{
    mpfr_t exponent;
    int from_one = operation == MATH_POW1P || operation == MATH_POW1PM1;
    if (outside(operation, x, y)) {
        mpfr_set_nan(exact);
        return;
    }
    mpfr_set_d(exact, x == 0.0 ? 0.0 : x, MPFR_RNDN);
    if (y == 0.0 || x == (from_one ? 0.0 : 1.0)) {
        mpfr_set_ui(exact, operation == MATH_POW || operation == MATH_POW1P, MPFR_RNDN);
        return;
    }
    mpfr_init2(exponent, mpfr_get_prec(exact));
    mpfr_set_d(exponent, y, MPFR_RNDN);
    if (from_one)
        mpfr_log1p(exact, exact, MPFR_RNDN);
    else
        mpfr_log(exact, exact, MPFR_RNDN);
    mpfr_mul(exact, exact, exponent, MPFR_RNDN);
    if (operation == MATH_POW || operation == MATH_POW1P)
        mpfr_exp(exact, exact, MPFR_RNDN);
    else
        mpfr_expm1(exact, exact, MPFR_RNDN);
    mpfr_clear(exponent);
}

void exact_value(mpfr_t exact, elementary function, double x, double y)
{
    if (function.arguments == 1)
        exact_unary(exact, function.operation, x);
    else
        exact_binary(exact, function.operation, x, y);
}

static double libm_double_binary(int operation, double x, double y)
{
    if (outside(operation, x, y))
        return NAN;
    switch (operation) {
    case MATH_POW:
        return pow(fabs(x), y);
    case MATH_POWM1:
        return expm1(y * log(fabs(x)));
    case MATH_POW1P:
        return exp(y * log1p(x));
    default:
        return expm1(y * log1p(x));
    }
}

static long double libm_long_double_binary(int operation, long double x, long double y)
{
    if (outside(operation, (double)x, (double)y))
        return (long double)NAN;
    return operation == MATH_POW ? powl(fabsl(x), y) : (long double)NAN; /* the others are not good enough */
}

static double libm_hazard(double x)
{
    double y = x;
    if (x < normal_far)
        return exp(x * x / -2.0) * sqrt(M_2_PI) / erfc(x * M_SQRT1_2);
    for (int k = 60; k >= 1; k--)
        y = x + k / y;
    return y;
}

static double libm_hazard_slope(double x)
{
    double y = x;
    if (x < normal_far)
        return libm_hazard(x) * (libm_hazard(x) - x);
    for (int k = 60; k >= 2; k--)
        y = x + k / y;
    return (x + 1.0 / y) / y;
}

double libm_double(elementary function, double x, double y)
{
    if (function.arguments == 2)
        return libm_double_binary(function.operation, x, y);
    switch (function.operation) {
    case MATH_EXP:
        return exp(x);
    case MATH_EXPM1:
        return expm1(x);
    case MATH_LOG:
    case MATH_LOG_HALF:
        return log(x);
    case MATH_LOG_COMPLEMENT:
        return -log1p(-x);
    case MATH_RECIPROCAL:
        return 1.0 / x;
    case MATH_INVERSE_ROOT:
        return 1.0 / sqrt(x);
    case MATH_TANH:
        return tanh(x);
    case MATH_SIGMOID:
        return 1.0 / (1.0 + exp(-x));
    case MATH_SOFTPLUS:
        return x > 100.0 ? x : log1p(exp(x));
    case MATH_X_MINUS_LOG1P:
    case MATH_X_MINUS_LOG1P_OF: /* the series is in float64 what the float32 need */
        return fabs(x) < 0x1p-10 ? x * x * (1.0 / 2 - x * (1.0 / 3 - x * (1.0 / 4 - x / 5))) : x - log1p(x);
    case MATH_LOG1MEXP:
        return x > 1.0 ? log1p(-exp(-x)) : log(-expm1(-x));
    case MATH_ATAN:
        return atan(x);
    case MATH_SIN:
        return sin(x);
    case MATH_COS:
        return cos(x);
    case MATH_TAN:
        return tan(x);
    case MATH_ERF:
        return erf(x);
    case MATH_ERFC:
        return erfc(x);
    case MATH_ERF_SLOPE:
        return exp(-x * x) * M_2_SQRTPI;
    case MATH_LOG_GAMMA:
        return lgamma(x);
    case MATH_NORMAL_CDF:
        return erfc(x * -M_SQRT1_2) / 2.0;
    case MATH_NORMAL_HAZARD:
        return libm_hazard(x);
    case MATH_NORMAL_HAZARD_SLOPE:
        return libm_hazard_slope(x);
    case MATH_LOG_NORMAL_SURVIVAL:
        if (x >= normal_far)
            return x * x / -2.0 - log(libm_hazard(x) * sqrt(2.0 * M_PI));
        return x > 0.0 ? log(erfc(x * M_SQRT1_2) / 2.0) : log1p(erfc(x * -M_SQRT1_2) / -2.0);
    default:
        return log1p(x);
    }
}

/* Near 0 by x - log(1 + x) = x s - 2 s^3 (1/3 + s^2 / 5 + ...), s = x / (2 + x). */
static long double libm_x_minus_log1p(long double x)
{
    long double s = x / (2 + x), square = s * s, sum = 0;
    if (!(fabsl(x) < 0.25L))
        return x - log1pl(x);
    for (int k = 25; k >= 3; k -= 2)
        sum = sum * square + 1.0L / k;
    return s * (x - 2 * square * sum);
}

long double libm_long_double(elementary function, long double x, long double y)
{
    if (function.arguments == 2)
        return libm_long_double_binary(function.operation, x, y);
    switch (function.operation) {
    case MATH_EXP:
        return expl(x);
    case MATH_EXPM1:
        return expm1l(x);
    case MATH_LOG:
    case MATH_LOG_HALF:
        return logl(x);
    case MATH_LOG_COMPLEMENT:
        return -log1pl(-x);
    case MATH_RECIPROCAL:
        return 1.0L / x;
    case MATH_INVERSE_ROOT:
        return 1.0L / sqrtl(x);
    case MATH_TANH:
        return tanhl(x);
    case MATH_SIGMOID:
        return 1.0L / (1.0L + expl(-x));
    case MATH_SOFTPLUS:
        return x > 1000.0L ? x : log1pl(expl(x));
    case MATH_X_MINUS_LOG1P:
    case MATH_X_MINUS_LOG1P_OF:
        return libm_x_minus_log1p(x);
    case MATH_LOG1MEXP:
        return x > 1.0L ? log1pl(-expl(-x)) : logl(-expm1l(-x));
    case MATH_ATAN:
        return atanl(x);
    case MATH_SIN:
        return sinl(x);
    case MATH_COS:
        return cosl(x);
    case MATH_TAN:
        return tanl(x);
    case MATH_ERF:
        return erfl(x);
    case MATH_ERFC:
        return erfcl(x);
    case MATH_ERF_SLOPE: /* the square in two parts: a long double has too few digits for that of 26 */
        return expl(-(x * x)) * (1.0L - fmal(x, x, -(x * x))) * 1.128379167095512573896158903121545172L;
    case MATH_LOG_GAMMA:
        return lgammal(x);
    case MATH_NORMAL_CDF:
    case MATH_NORMAL_HAZARD:
    case MATH_LOG_NORMAL_SURVIVAL:
    case MATH_NORMAL_HAZARD_SLOPE:
        return (long double)NAN; /* e^(-x^2 / 2) has too few digits more in the tails */
    default:
        return log1pl(x);
    }
}
