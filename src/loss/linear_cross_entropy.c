/*
 * Softmax cross-entropy of a linear layer, without the matrix of its logits: features x (rows × d), coefficients c (classes × d),
 * an optional bias b (1 × classes) and class labels y.
 *
 *     z_j = c_j · x + b_j,   loss = w_y (log Σ_k exp z_k − z_y)
 *     g_j = w_y (p_j − [j = y])        ∂x  Σ_j g_j c_j        ∂c_j  Σ_rows g_j x        ∂b_j  Σ_rows g_j
 *
 * Logits are made in tiles of 64 rows and 64 classes, and made again for each gradient: no memory grows with rows × classes. The
 * logits of a row come and go, so its sum of exponentials is taken on the way (Milakov & Gimelshein 2018): Σ exp(z_j − a) without the
 * largest z, where the anchor a follows the largest once it is 32 behind. A sum that followed at every step would round at every
 * step. From the largest, m, all is as in loss/cross_entropy.c: log1p(s) + (m − z_y), and 1 − p from the others where p is nearly 1.
 *
 * Logits, gradients and sums over rows and classes are in double, rounded once at the end; weights and scale are in g before
 * it is summed. docs/numerics.md has the order of the sums.
 *
 * Wijmans et al., Cut your losses in large-vocabulary language models (2024), section 4.
 */
#include "loss/class_options.h"
#include "loss/rowwise.h"
#include "loss/structured.h"

enum { FEATURES, TARGET, COEFFICIENTS, BIAS, ROLES };

enum {
    TILE = 64,         /* rows and classes of a tile */
    TILES_A_BLOCK = 4, /* how many go into a sum that starts at +0 */
    ANCHOR_BEHIND =
        32 /* e³² is far from the end of float32, and e⁻³² below the rounding of float64's sums next to it */
};

enum { FORWARD, FINISH, BACKWARD };

/* At most TILE rows; those that are masked or ignored are not among them. */
typedef struct row_state {
    int64_t count, index[TILE]; /* which rows they are */
    int64_t label[TILE];
    double own_weight[TILE], weight[TILE], factor[TILE]; /* class weight, sample weight, both and the scale */
    double maximum[TILE], anchor[TILE];
    double others[TILE], lost[TILE];              /* Σ exp(z − anchor) and its rounding errors; then s */
    double own[TILE], inverse[TILE], value[TILE]; /* z of the label, 1/(1 + s), the loss */
} row_state;

/* Logits of some rows and classes: a line for each class, or for each row. */
typedef struct tile {
    int32_t operation, by_class;
    row_state *rows;
    int64_t first, classes;
    double *z; /* in BACKWARD they become g */
} tile;

/* e^d of 16 numbers; float32 has the exponential of the rounded number, and corrects it. */
LOSSI_INLINE void exponential_pack(const double *d, double *e)
{
#if LOSSI_REAL == 64
    for (int v = 0; v < LOSSI_PACK; v++) {
        f64_store(e + v * F64_LANES, v_exp(f64_load(d + v * F64_LANES)));
    }
#else
    for (int v = 0; v < LOSSI_PACK; v++) {
        const f64v low = f64_load(d + 2 * v * F64_LANES), high = f64_load(d + (2 * v + 1) * F64_LANES);
        const vreal x = f64_to_f32(low, high);
        const vreal missing = f64_to_f32(low - f32_to_f64_low(x), high - f32_to_f64_high(x));
        vreal result = v_exp(x);
        result = v_fma(result, v_select(v_is_nan(missing), v_set1(0), missing),
                       result); /* −∞ misses nothing */
        f64_store(e + 2 * v * F64_LANES, f32_to_f64_low(result));
        f64_store(e + (2 * v + 1) * F64_LANES, f32_to_f64_high(result));
    }
#endif
}

/* e = exp(z − from), 1 where they are equal and 0 where z is −∞, whatever `from`. e may be z. */
static __attribute__((noinline)) void exponentials(int64_t count, const double *z, const double *from,
                                                   double *e)
{
    const f64v zero = f64_set1(0), least = f64_set1(-__builtin_inf());
    for (int64_t j = 0; j < count; j += LOSSI_LANES) {
        const int64_t left = count - j < LOSSI_LANES ? count - j : LOSSI_LANES;
        double x[LOSSI_LANES] = {0}, a[LOSSI_LANES] = {0};
        memcpy(x, z + j, (size_t)left * sizeof *x);
        memcpy(a, from + j, (size_t)left * sizeof *a);
        for (int v = 0; v < LOSSI_LANES; v += F64_LANES) {
            const f64v there = f64_load(x + v), origin = f64_load(a + v);
            const f64v apart = f64_select(f64_eq(there, origin), zero, there - origin);
            f64_store(x + v, f64_select(f64_eq(there, least), least, apart));
        }
        exponential_pack(x, x);
        memcpy(e + j, x, (size_t)left * sizeof *x);
    }
}

static double exponential(double z, double from)
{
    double e;
    exponentials(1, &z, &from, &e);
    return e;
}

/* Knuth, TAOCP vol. 2, 4.2.2, theorem B */
LOSSI_INLINE void add_exactly(row_state *rows, int64_t k, double x)
{
    const double before = rows->others[k], after = before + x, part = after - before;
    rows->lost[k] += (before - (after - part)) + (x - part);
    rows->others[k] = after;
}

/* Row k has a larger logit than all before: the old one is one of the others now. */
static void raise(row_state *rows, int64_t k, double maximum)
{
    const double infinity = __builtin_inf();
    if (rows->maximum[k] > -infinity) {
        add_exactly(rows, k, exponential(rows->maximum[k], rows->anchor[k]));
    }
    if (maximum - rows->anchor[k] > ANCHOR_BEHIND) {
        const double factor = exponential(rows->anchor[k], maximum);
        rows->others[k] *= factor;
        rows->lost[k] *= factor;
        rows->anchor[k] = maximum;
    }
    rows->maximum[k] = maximum;
}

/* Takes the classes of a tile into the sums of its rows; z is overwritten. */
static void forward(const tile *t)
{
    row_state *rows = t->rows;
    const int64_t n = rows->count;
    const double infinity = __builtin_inf();
    double largest[TILE], sum[TILE], e[TILE];
    int64_t at[TILE];
    for (int64_t k = 0; k < n; k++) {
        largest[k] = -infinity;
        at[k] = 0;
        sum[k] = 0;
    }
    for (int64_t i = 0; i < t->classes; i++) {
        for (int64_t k = 0; k < n; k++) { /* NaN is passed over */
            const double z = t->z[i * n + k];
            at[k] = z > largest[k] ? i : at[k];
            largest[k] = z > largest[k] ? z : largest[k];
        }
    }
    for (int64_t k = 0; k < n; k++) {
        const int64_t own = rows->label[k] - t->first;
        if (own >= 0 && own < t->classes) {
            rows->own[k] = t->z[own * n + k];
        }
        if (largest[k] > rows->maximum[k]) {
            raise(rows, k, largest[k]);
            t->z[at[k] * n + k] = -infinity; /* the first of equals alone is left out */
        }
    }
    for (int64_t i = 0; i < t->classes; i++) {
        exponentials(n, t->z + i * n, rows->anchor, e);
        for (int64_t k = 0; k < n; k++) {
            sum[k] += e[k];
        }
    }
    for (int64_t k = 0; k < n; k++) {
        add_exactly(rows, k, sum[k]);
    }
}

/* s from the sums, and the losses. */
static void finish(row_state *rows)
{
    double behind[TILE];
    exponentials(rows->count, rows->anchor, rows->maximum, behind);
    for (int64_t k = 0; k < rows->count; k++) {
        const double m = rows->maximum[k]; /* −∞: nothing but NaN and −∞, which has no limit */
        const double s = m > -__builtin_inf() ? (rows->others[k] + rows->lost[k]) * behind[k]
                                              : (double)REAL_NAN;
        const double own_weight = rows->own_weight[k];
        const double log = (double)lossi_first_lane(v_log1p(v_set1((real)s)));
        const double apart = m == rows->own[k] ? 0 : m - rows->own[k];
        rows->others[k] = s;
        rows->inverse[k] = 1 / (1 + s);
        rows->value[k] = own_weight == 0 ? (s != s ? s : 0) : own_weight * (log + apart);
    }
}

/* g of a tile. */
static void backward(const tile *t)
{
    const row_state *rows = t->rows;
    const int64_t lines = t->by_class ? t->classes : rows->count, n = t->by_class ? rows->count : t->classes;
    double own[TILE], from[TILE];
    for (int64_t k = 0; k < rows->count; k++) {
        const int64_t c = rows->label[k] - t->first;
        if (c >= 0 && c < t->classes) {
            const double e = exponential(t->z[t->by_class ? c * n + k : k * n + c], rows->maximum[k]);
            const double rest = e == 1 ? rows->others[k] * rows->inverse[k] : 1 - e * rows->inverse[k];
            own[k] = -(rest * rows->factor[k]);
        }
    }
    for (int64_t i = 0; i < lines; i++) {
        double *line = t->z + i * n;
        for (int64_t k = 0; k < n && !t->by_class; k++) {
            from[k] = rows->maximum[i];
        }
        exponentials(n, line, t->by_class ? rows->maximum : from, line);
        for (int64_t k = 0; k < n; k++) {
            const int64_t row = t->by_class ? k : i;
            line[k] = line[k] * rows->inverse[row] * rows->factor[row];
        }
    }
    for (int64_t k = 0; k < rows->count; k++) {
        const int64_t c = rows->label[k] - t->first;
        if (c >= 0 && c < t->classes) {
            t->z[t->by_class ? c * n + k : k * n + c] = own[k];
        }
    }
}

/* The driver below calls this with a tile in the place of scratch. */
static void linear_cross_entropy(const lossi_part *part)
{
    const tile *t = part->scratch;
    if (t->operation == FORWARD) {
        forward(t);
    } else if (t->operation == FINISH) {
        finish(t->rows);
    } else {
        backward(t);
    }
}

extern const lossi_kernels LOSSI_NAME(linear_cross_entropy);
const lossi_kernels LOSSI_NAME(linear_cross_entropy) = {.part = linear_cross_entropy};

#ifdef LOSSI_ONCE

#include "loss/linear_cross_entropy_driver.h"

static const lossi_role roles[ROLES] = {
    [FEATURES] = {.name = "features", .columns = LOSSI_COLUMNS_ANY, .flags = LOSSI_DIFFERENTIABLE},
    [TARGET] = {.name = "target", .kind = LOSSI_ROLE_LABEL, .columns = 1},
    [COEFFICIENTS] = {.name = "coefficients", .rows = LOSSI_ROWS_ANY, .flags = LOSSI_DIFFERENTIABLE},
    [BIAS] = {.name = "bias",
              .rows = LOSSI_ROWS_SHARED,
              .columns = LOSSI_COLUMNS_ANY,
              .flags = LOSSI_OPTIONAL | LOSSI_DIFFERENTIABLE},
};

static loss_status check(loss_context *context, const char *title, const lossi_prepared *prepared,
                         const lossi_shape *shape)
{
    (void)prepared;
    const int64_t classes = shape->rows[COEFFICIENTS], biases = shape->columns[BIAS];
    return biases < 0 || biases == classes
               ? LOSS_OK
               : lossi_fail(context, LOSS_ERROR_SHAPE,
                            "%s has %lld rows of 'coefficients', one a class, and %lld numbers of 'bias'",
                            title, (long long)classes, (long long)biases);
}

static const lossi_structure structure = {
    .roles = roles, .role_count = ROLES, .flags = LOSSI_GRADIENT_ONLY, .check = check, .driver = drive};

static const loss_option options[] = {LOSSI_CLASS_OPTION_ROWS};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_linear_cross_entropy;
const lossi_row lossi_row_linear_cross_entropy = {
    .name = "linear_cross_entropy",
    .aliases = "fused_linear_cross_entropy cut_cross_entropy",
    .summary = "softmax cross-entropy of a linear layer, without the matrix of its logits",
    .formula = "w_y*(log(sum_k exp(z_k)) - z_y), z_j = coefficients_j . features + bias_j, y = target, "
               "w = class_weight",
    .reference = "Wijmans et al., Cut your losses in large-vocabulary language models (2024)",
    .elsewhere =
        "PyTorch linear_cross_entropy; Liger-Kernel fused linear cross-entropy; Apple cut cross-entropy",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC | LOSSI_LABELS,
    .structure = &structure,
    .options = options,
    .option_count = LOSSI_CLASS_OPTIONS,
    .prepare = prepare,
};

#endif
