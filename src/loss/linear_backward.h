/*
 * Part of linear_kernels.c: the product back, Σ r·xᵀ onto the sums about the parameters. Some outputs and columns at a time, whose sums
 * stay in registers for all rows; of one output some rows at a time, which are read as they lie.
 */
#ifndef LOSSI_LOSS_LINEAR_BACKWARD_H
#define LOSSI_LOSS_LINEAR_BACKWARD_H

typedef struct panel {
    int64_t rows, outputs, stride;
    const real *const *x;
    const double *r;
    double *g;
    int32_t fresh; /* sums begin at +0 */
    lossi_upcoming *ahead;
} panel;

/* Vectors of columns from j on of a few outputs, over all rows; the last has only `part` columns when part is not 0. */
LOSSI_INLINE void accumulate(int outputs, int vectors, int part, const panel *a, int64_t j)
{
    f64v sums[BACK_MANY > 2 ? BACK_MANY : 2][PAIR_VECTORS];
    const char *ahead = a->ahead->at;
    int64_t i = 0;
    UNROLL
    for (int o = 0; o < outputs; o++) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            sums[o][v] = a->fresh ? f64_set1(0) : f64_load(a->g + o * a->stride + j + v * F64_LANES);
        }
    }
    do { /* not `for`: GCC would copy all sums once more for the case of no rows */
        const real *x = a->x[i] + j;
        const double *r = a->r + i * a->outputs;
        f64v columns[PAIR_VECTORS];
        UNROLL
        for (int v = 0; v < vectors; v++) {
            columns[v] = part != 0 ? load_part(x, part) : v_load_wide(x + v * F64_LANES);
        }
        /* the columns that come next: rows are too far apart for the processor to see where this goes */
        UNROLL
        for (int v = 0; v < vectors * F64_LANES * (int)sizeof(real); v += LOSSI_LINE) {
            __builtin_prefetch((const char *)(x + vectors * F64_LANES) + v);
        }
        UNROLL
        for (int o = 0; o < outputs; o++) {
            const f64v factor = f64_set1(r[o]);
            UNROLL
            for (int v = 0; v < vectors; v++) {
                sums[o][v] = f64_fma(factor, columns[v], sums[o][v]);
            }
        }
        ahead = lossi_upcoming_ask(a->ahead, ahead);
    } while (++i < a->rows);
    a->ahead->at = ahead;
    UNROLL
    for (int o = 0; o < outputs; o++) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            f64_store(a->g + o * a->stride + j + v * F64_LANES, sums[o][v]);
        }
    }
}

/* A few outputs, all columns. */
LOSSI_INLINE void accumulate_columns(int outputs, int vectors, const panel *a, int64_t features)
{
    int64_t j = 0;
    for (; j + vectors * F64_LANES <= features; j += vectors * F64_LANES) {
        accumulate(outputs, vectors, 0, a, j);
    }
    for (; j + F64_LANES <= features; j += F64_LANES) {
        accumulate(outputs, 1, 0, a, j);
    }
    if (j < features) {
        accumulate(outputs, 1, (int)(features - j), a, j);
    }
}

/* A few rows, all columns of one output: the rows are read as they lie. */
LOSSI_INLINE void add_rows(int rows, int asks, const panel *a, int64_t i, int64_t features)
{
    const real *x[BACK_ROWS];
    f64v factor[BACK_ROWS];
    const char *ahead = a->ahead->at;
    int64_t j = 0;
    UNROLL
    for (int r = 0; r < rows; r++) {
        x[r] = a->x[i + r];
        factor[r] = f64_set1(a->r[(i + r) * a->outputs]);
    }
    for (; j + F64_LANES <= features; j += F64_LANES) {
        f64v sum = f64_load(a->g + j);
        UNROLL
        for (int r = 0; r < rows; r++) {
            sum = f64_fma(factor[r], v_load_wide(x[r] + j), sum);
        }
        f64_store(a->g + j, sum);
        ahead = asks ? lossi_upcoming_ask_lines(a->ahead, ahead) : ahead;
    }
    a->ahead->at = ahead;
    if (j < features) {
        f64v sum = f64_load(a->g + j);
        UNROLL
        for (int r = 0; r < rows; r++) {
            sum = f64_fma(factor[r], load_part(x[r] + j, (int)(features - j)), sum);
        }
        f64_store(a->g + j, sum);
    }
}

LOSSI_INLINE void add_all_rows(int asks, const panel *a, int64_t features)
{
    int64_t i = 0;
    for (; i + BACK_ROWS <= a->rows; i += BACK_ROWS) {
        add_rows(BACK_ROWS, asks, a, i, features);
    }
    for (; BACK_ROWS > 1 && i < a->rows; i++) {
        add_rows(1, asks, a, i, features);
    }
}

static void accumulate_one(const panel *a, int64_t features)
{
    for (int64_t j = 0; a->fresh && j < a->stride;
         j += F64_LANES) { /* its padding too, which a last vector goes over */
        f64_store(a->g + j, f64_set1(0));
    }
    if (a->ahead->at < a->ahead->stop) {
        add_all_rows(1, a, features);
    } else {
        add_all_rows(0, a, features);
    }
}

/* How many outputs to take at once of those left. */
static int64_t back_outputs_at_once(int64_t left)
{
    if (left >= BACK_MANY) {
        return BACK_MANY;
    }
    if (BACK_OUTPUTS > 1 && left >= BACK_OUTPUTS) {
        return BACK_OUTPUTS;
    }
    return BACK_OUTPUTS > 1 && left >= 2 ? 2 : 1;
}

static void backward(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *r,
                     int32_t fresh, double *g, lossi_upcoming *ahead)
{
    lossi_upcoming nothing = {0};
    panel a = {rows,
               shape->outputs,
               shape->stride,
               (const real *const *)x,
               r,
               g,
               fresh,
               ahead != NULL ? ahead : &nothing};
    double *intercept = g + shape->outputs * shape->stride;
    int64_t k = 0, taken;
    if (rows == 0) {
        return;
    }
    for (; k < shape->outputs; k += taken, a.r += taken, a.g += taken * a.stride) {
        taken = back_outputs_at_once(shape->outputs - k);
        if (taken == BACK_MANY && taken > BACK_OUTPUTS) {
            accumulate_columns(BACK_MANY, MANY_VECTORS, &a, shape->features);
        } else if (taken == BACK_OUTPUTS && taken > 1) {
            accumulate_columns(BACK_OUTPUTS, BACK_VECTORS, &a, shape->features);
        } else if (taken == 2) {
            accumulate_columns(2, PAIR_VECTORS, &a, shape->features);
        } else {
            accumulate_one(&a, shape->features);
        }
    }
    for (k = 0; shape->intercept && fresh && k < shape->outputs; k++) {
        intercept[k] = 0;
    }
    for (int64_t i = 0; shape->intercept && i < rows; i++) {
        for (k = 0; k < shape->outputs; k++) {
            intercept[k] += r[i * shape->outputs + k];
        }
    }
}

#endif
