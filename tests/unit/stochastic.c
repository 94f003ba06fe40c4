/* Stochastic methods by hand: see stochastic.h. */
#include "stochastic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

static loss_status set_one(loss_optimizer *optimizer, const char *name, const char *value)
{
    double number;
    int64_t integer;
    if (loss_optimizer_get_int(optimizer, name, &integer) == LOSS_OK) {
        return loss_optimizer_set_int(optimizer, name, strtoll(value, NULL, 10));
    }
    if (loss_optimizer_get_double(optimizer, name, &number) == LOSS_OK) {
        return loss_optimizer_set_double(optimizer, name, strtod(value, NULL));
    }
    return loss_optimizer_set_string(optimizer, name, value);
}

void stochastic_set(loss_context *context, loss_optimizer *optimizer, const char *settings)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *rest = copy, *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        assert_status(context, set_one(optimizer, word, value), LOSS_OK);
    }
}

loss_optimizer *stochastic_create(loss_context *context, const char *name, const char *settings,
                                  loss_dtype dtype, int64_t n)
{
    loss_optimizer *optimizer = NULL;
    assert_status(context, loss_optimizer_create(&optimizer, context, name, dtype, n), LOSS_OK);
    stochastic_set(context, optimizer, settings);
    return optimizer;
}

double stochastic_option(const loss_optimizer *optimizer, const char *name)
{
    double number = 0.0;
    int64_t integer = 0;
    if (loss_optimizer_get_int(optimizer, name, &integer) == LOSS_OK) {
        return (double)integer;
    }
    assert_int_equal(loss_optimizer_get_double(optimizer, name, &number), LOSS_OK);
    return number;
}

double stochastic_start(int64_t i)
{
    return (double)(2 * (i * 29 % 32) - 31) / 16.0;
}

double stochastic_gradient(int64_t t, int64_t i)
{
    return ldexp((double)(2 * ((i * 37 + t * 101) % 64) - 63), (int)(i % 5) - 7);
}

void *stochastic_start_vector(loss_dtype dtype, int64_t n)
{
    void *x = calloc((size_t)n, sizeof(double));
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        set_element(x, dtype, i, stochastic_start(i));
    }
    return x;
}

const void *stochastic_x(const loss_optimizer *optimizer)
{
    const void *x = NULL;
    assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", &x), LOSS_OK);
    return x;
}

int64_t stochastic_feed(loss_optimizer *optimizer, loss_dtype dtype, int64_t n, int64_t batches)
{
    void *g = calloc((size_t)n, sizeof(double));
    int64_t told = 0;
    int32_t request = 0;
    assert_non_null(g);
    while (loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
        if (request == LOSS_REQUEST_BATCH_GRADIENT && told == batches) {
            break;
        }
        told += request == LOSS_REQUEST_BATCH_GRADIENT;
        for (int64_t i = 0; i < n; i++) {
            set_element(g, dtype, i, stochastic_gradient(told, i));
        }
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, g), LOSS_OK);
    }
    free(g);
    return told;
}

/* ---- references ---- */

static double option(const loss_optimizer *optimizer, const char *name)
{
    return stochastic_option(optimizer, name);
}

static int64_t size(reference_part part)
{
    return part.rows * part.columns;
}

static void sgd(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                double *const *s)
{
    double mu = option(o, "momentum"), tau = option(o, "dampening"), rate = option(o, "learning_rate");
    for (int64_t i = 0; i < size(part); i++) {
        double d = g[i] + option(o, "weight_decay") * x[i];
        s[0][i] = t == 1 ? d : mu * s[0][i] + (1.0 - tau) * d;
        x[i] -= rate * (option(o, "nesterov") != 0.0 ? d + mu * s[0][i] : s[0][i]);
    }
}

static void adagrad(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                    double *const *s)
{
    for (int64_t i = 0; i < size(part); i++) {
        double d = g[i] + option(o, "weight_decay") * x[i];
        s[0][i] = (t == 1 ? option(o, "initial_accumulator") : s[0][i]) + d * d;
        x[i] -= option(o, "learning_rate") * d / (sqrt(s[0][i]) + option(o, "epsilon"));
    }
}

static void adadelta(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                     double *const *s)
{
    double rho = option(o, "rho"), epsilon = option(o, "epsilon");
    (void)t;
    for (int64_t i = 0; i < size(part); i++) {
        double d = g[i] + option(o, "weight_decay") * x[i];
        s[0][i] = rho * s[0][i] + (1.0 - rho) * d * d;
        double step = sqrt(s[1][i] + epsilon) / sqrt(s[0][i] + epsilon) * d;
        s[1][i] = rho * s[1][i] + (1.0 - rho) * step * step;
        x[i] -= option(o, "learning_rate") * step;
    }
}

static void rmsprop(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                    double *const *s)
{
    double rho = option(o, "rho"), epsilon = option(o, "epsilon");
    (void)t;
    for (int64_t i = 0; i < size(part); i++) {
        double d = g[i] + option(o, "weight_decay") * x[i];
        s[0][i] = rho * s[0][i] + (1.0 - rho) * d * d;
        s[1][i] = rho * s[1][i] + (1.0 - rho) * d;
        double square = option(o, "centered") != 0.0 ? s[0][i] - s[1][i] * s[1][i] : s[0][i];
        double root = option(o, "epsilon_inside") != 0.0 ? sqrt(square + epsilon) : sqrt(square) + epsilon;
        s[2][i] = option(o, "momentum") * s[2][i] + d / root;
        x[i] -= option(o, "learning_rate") * s[2][i];
    }
}

/* The two means of Adam; what is left is how they become a step. */
static void count_moments(const loss_optimizer *o, double d, double *m, double *v)
{
    double beta1 = option(o, "beta1"), beta2 = option(o, "beta2");
    *m = beta1 * *m + (1.0 - beta1) * d;
    *v = beta2 * *v + (1.0 - beta2) * d * d;
}

static void adam_with(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                      double *const *s, double rate, double l2, double apart)
{
    double first = 1.0 - pow(option(o, "beta1"), (double)t);
    double second = 1.0 - pow(option(o, "beta2"), (double)t);
    for (int64_t i = 0; i < size(part); i++) {
        double old = x[i];
        count_moments(o, g[i] + l2 * x[i], &s[0][i], &s[1][i]);
        s[2][i] = fmax(s[2][i], s[1][i]);
        double v = strncmp(loss_optimizer_name(o), "adam", 4) == 0 && option(o, "amsgrad") != 0.0 ? s[2][i]
                                                                                                  : s[1][i];
        x[i] -= rate * (s[0][i] / first) / (sqrt(v / second) + option(o, "epsilon"));
        x[i] -= rate * apart * old;
    }
}

static void adam(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                 double *const *s)
{
    adam_with(o, part, t, g, x, s, option(o, "learning_rate"), option(o, "weight_decay"), 0.0);
}

static void adamw(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                  double *const *s)
{
    adam_with(o, part, t, g, x, s, option(o, "learning_rate"), 0.0, option(o, "weight_decay"));
}

static void nadam(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                  double *const *s)
{
    double beta1 = option(o, "beta1"), psi = option(o, "momentum_decay"), rate = option(o, "learning_rate");
    double second = 1.0 - pow(option(o, "beta2"), (double)t), product = 1.0, mu = 0.0;
    double decay = option(o, "weight_decay"), apart = option(o, "decoupled");
    for (int64_t k = 1; k <= t; k++) {
        mu = beta1 * (1.0 - 0.5 * pow(0.96, (double)k * psi));
        product *= mu;
    }
    double next = beta1 * (1.0 - 0.5 * pow(0.96, (double)(t + 1) * psi));
    for (int64_t i = 0; i < size(part); i++) {
        double d = g[i] + (1.0 - apart) * decay * x[i];
        x[i] *= 1.0 - apart * rate * decay;
        count_moments(o, d, &s[0][i], &s[1][i]);
        double root = sqrt(s[1][i] / second) + option(o, "epsilon");
        x[i] -= rate * (1.0 - mu) / (1.0 - product) * d / root;
        x[i] -= rate * next / (1.0 - product * next) * s[0][i] / root;
    }
}

static void radam(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                  double *const *s)
{
    double beta2 = option(o, "beta2"), power = pow(beta2, (double)t), rate = option(o, "learning_rate");
    double longest = 2.0 / (1.0 - beta2) - 1.0, length = longest - 2.0 * (double)t * power / (1.0 - power);
    double decay = option(o, "weight_decay"), apart = option(o, "decoupled");
    for (int64_t i = 0; i < size(part); i++) {
        double d = g[i] + (1.0 - apart) * decay * x[i];
        x[i] *= 1.0 - apart * rate * decay;
        count_moments(o, d, &s[0][i], &s[1][i]);
        double u = s[0][i] / (1.0 - pow(option(o, "beta1"), (double)t));
        if (length > 5.0) {
            u *= sqrt((length - 4.0) * (length - 2.0) * longest /
                      ((longest - 4.0) * (longest - 2.0) * length));
            u *= sqrt(1.0 - power) / (sqrt(s[1][i]) + option(o, "epsilon"));
        }
        x[i] -= rate * u;
    }
}

static void lion(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                 double *const *s)
{
    double beta1 = option(o, "beta1"), beta2 = option(o, "beta2");
    (void)t;
    for (int64_t i = 0; i < size(part); i++) {
        double way = beta1 * s[0][i] + (1.0 - beta1) * g[i];
        double sign = way > 0.0 ? 1.0 : way < 0.0 ? -1.0 : 0.0;
        x[i] -= option(o, "learning_rate") * (sign + option(o, "weight_decay") * x[i]);
        s[0][i] = beta2 * s[0][i] + (1.0 - beta2) * g[i];
    }
}

static double mean_square(const double *a, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += a[i] * a[i] / (double)n;
    }
    return sum;
}

/* s[0] and s[1] are the row and column means of a matrix, s[0] the squares of other parameters. */
static void adafactor(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                      double *const *s)
{
    double share = pow((double)t, -option(o, "decay_rate")), rate = option(o, "learning_rate"), mean = 0.0;
    double epsilon = option(o, "epsilon") > 0.0 ? option(o, "epsilon") : part.epsilon, u[64];
    double scale = fmax(option(o, "epsilon_scale"), sqrt(mean_square(x, size(part)))) *
                   fmin(rate, 1.0 / sqrt((double)t));
    if (part.rows == 1) {
        for (int64_t i = 0; i < size(part); i++) {
            s[0][i] += share * (g[i] * g[i] - s[0][i]);
            u[i] = g[i] / fmax(sqrt(s[0][i]), epsilon);
        }
    } else {
        for (int64_t r = 0; r < part.rows; r++) {
            s[0][r] += share * (mean_square(g + r * part.columns, part.columns) - s[0][r]);
            mean += s[0][r] / (double)part.rows;
        }
        for (int64_t c = 0; c < part.columns; c++) {
            double sum = 0.0;
            for (int64_t r = 0; r < part.rows; r++) {
                sum += g[r * part.columns + c] * g[r * part.columns + c] / (double)part.rows;
            }
            s[1][c] += share * (sum - s[1][c]);
        }
        for (int64_t i = 0; i < size(part); i++) {
            double square = s[0][i / part.columns] * s[1][i % part.columns] / fmax(mean, epsilon);
            u[i] = g[i] / sqrt(fmax(square, epsilon * epsilon));
        }
    }
    double most = fmax(1.0, sqrt(mean_square(u, size(part))) / option(o, "clip_threshold"));
    for (int64_t i = 0; i < size(part); i++) {
        x[i] = (1.0 - rate * option(o, "weight_decay")) * x[i] - scale / most * u[i];
    }
}

/* aX + (bA + cA²)X with A = XXᵀ, as it is written. */
static void newton_schulz(int64_t rows, int64_t columns, double *matrix)
{
    double gram[64] = {0}, next[64] = {0}, result[64] = {0};
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < rows; j++) {
            for (int64_t k = 0; k < columns; k++) {
                gram[i * rows + j] += matrix[i * columns + k] * matrix[j * columns + k];
            }
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < rows; j++) {
            next[i * rows + j] = -4.7750 * gram[i * rows + j];
            for (int64_t k = 0; k < rows; k++) {
                next[i * rows + j] += 2.0315 * gram[i * rows + k] * gram[k * rows + j];
            }
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            result[i * columns + j] = 3.4445 * matrix[i * columns + j];
            for (int64_t k = 0; k < rows; k++) {
                result[i * columns + j] += next[i * rows + k] * matrix[k * columns + j];
            }
        }
    }
    memcpy(matrix, result, (size_t)(rows * columns) * sizeof *matrix);
}

static void turn(int64_t rows, int64_t columns, double *matrix)
{
    double turned[64];
    for (int64_t i = 0; i < rows * columns; i++) {
        turned[i % columns * rows + i / columns] = matrix[i];
    }
    memcpy(matrix, turned, (size_t)(rows * columns) * sizeof *matrix);
}

static void muon(const loss_optimizer *o, reference_part part, int64_t t, const double *g, double *x,
                 double *const *s)
{
    double mu = option(o, "momentum"), rate = option(o, "learning_rate"), u[64];
    int64_t rows = part.rows, columns = part.columns;
    if (rows == 1 || columns == 1) {
        adam_with(o, part, t, g, x, s, option(o, "adamw_learning_rate"), 0.0,
                  option(o, "adamw_weight_decay"));
        return;
    }
    for (int64_t i = 0; i < size(part); i++) {
        s[0][i] = mu * s[0][i] + (1.0 - mu) * g[i];
        u[i] = option(o, "nesterov") != 0.0 ? (1.0 - mu) * g[i] + mu * s[0][i] : s[0][i];
    }
    double norm = sqrt(mean_square(u, size(part)) * (double)size(part));
    for (int64_t i = 0; i < size(part); i++) {
        u[i] /= norm > 0.0 ? norm : 1.0;
    }
    if (rows > columns) {
        turn(rows, columns, u);
    }
    for (int k = 0; k < (int)option(o, "newton_schulz_iterations"); k++) {
        newton_schulz(rows < columns ? rows : columns, rows < columns ? columns : rows, u);
    }
    if (rows > columns) {
        turn(columns, rows, u);
    }
    for (int64_t i = 0; i < size(part); i++) {
        x[i] = (1.0 - rate * option(o, "weight_decay")) * x[i] -
               rate * sqrt(fmax(1.0, (double)rows / (double)columns)) * u[i];
    }
}

reference_step reference_for(const char *name)
{
    static const struct {
        const char *name;
        reference_step step;
    } table[] = {{"adadelta", adadelta}, {"adafactor", adafactor}, {"adagrad", adagrad}, {"adam", adam},
                 {"adamw", adamw},       {"lion", lion},           {"muon", muon},       {"nadam", nadam},
                 {"radam", radam},       {"rmsprop", rmsprop},     {"sgd", sgd}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return table[i].step;
        }
    }
    return NULL;
}
