/*
 * What losses of a softmax share that is not made of their formulas: its largest logit and sum, and rows abreast (loss/softmax.h,
 * loss/abreast.h). Compiled once for all of them.
 */
#include "loss/softmax.h"

#include "simd/transpose.h"

/* ---- sums of rows abreast ---- */

/* The lanes of a sum, each a number for every row, and what rounding took away from them. */
typedef struct lossi_abreast_lanes {
    lossi_doubles sum[LOSSI_LANES];
#if LOSSI_REAL == 64
    f64v lost[LOSSI_LANES];
#endif
} lossi_abreast_lanes;

/* Terms onto their lanes, as lossi_columns_add() does; how many lanes there are. */
LOSSI_INLINE int64_t lossi_abreast_collect(const lossi_terms *terms, int64_t columns, int32_t parts,
                                           lossi_abreast_lanes *lanes)
{
    const int64_t first = columns < LOSSI_LANES ? columns : LOSSI_LANES;
    LOSSI_NO_UNROLL
    for (int64_t j = 0; j < first; j++) {
        lanes->sum[j] = lossi_widen(terms->of[j]);
#if LOSSI_REAL == 64
        lanes->lost[j] = parts ? terms->missing[j] : v_set1(0);
#else
        if (parts) {
            lanes->sum[j] = lossi_doubles_add(lossi_widen(terms->missing[j]), lanes->sum[j]);
        }
#endif
    }
    LOSSI_NO_UNROLL
    for (int64_t j = LOSSI_LANES; j < columns; j++) {
        const int64_t k = j - LOSSI_LANES;
#if LOSSI_REAL == 64
        const f64v x = terms->of[j], before = lanes->sum[k].of[0], after = before + x, part = after - before;
        const f64v lost = parts ? lanes->lost[k] + terms->missing[j] : lanes->lost[k];
        lanes->lost[k] = lost + ((before - (after - part)) + (x - part));
        lanes->sum[k].of[0] = after;
#else
        if (parts) {
            lanes->sum[k] = lossi_doubles_add(lanes->sum[k], lossi_widen(terms->missing[j]));
        }
        lanes->sum[k] = lossi_doubles_add(lanes->sum[k], lossi_widen(terms->of[j]));
#endif
    }
    return first;
}

/* The total of terms, of each row. Lanes that are not there would be +0; what is added at the end makes a zero of it, as they would. */
void lossi_abreast_total(const lossi_terms *terms, int64_t columns, int32_t parts, lossi_doubles *total)
{
    lossi_abreast_lanes lanes;
    const int64_t count = lossi_abreast_collect(terms, columns, parts, &lanes);
    for (int64_t half = LOSSI_LANES / 2; half > 0; half /= 2) {
        for (int64_t k = half; k < count && k < 2 * half; k++) {
            lanes.sum[k - half] = lossi_doubles_add(lanes.sum[k - half], lanes.sum[k]);
#if LOSSI_REAL == 64
            lanes.lost[k - half] = lanes.lost[k - half] + lanes.lost[k];
#endif
        }
    }
    *total = lossi_doubles_add(lanes.sum[0], lossi_doubles_set1(0));
#if LOSSI_REAL == 64
    const f64v x = total->of[0];
    total->of[0] = v_select(v_eq(x - x, v_set1(0)), x + lanes.lost[0], x);
#endif
}

/* ---- the place of rows abreast ---- */

/* The last group overlaps the one before it where the columns do not come out even. */
LOSSI_INLINE int64_t lossi_group_at(int64_t j, int64_t columns)
{
    return j + LOSSI_GROUP <= columns ? j : columns - LOSSI_GROUP;
}

void lossi_abreast_load(const real *from, int64_t stride, int64_t columns, int64_t rows,
                        lossi_abreast_rows *to)
{
    real padded[VREAL_LANES * LOSSI_ABREAST_MOST];
    if (rows < VREAL_LANES || columns < LOSSI_GROUP) {
        const int64_t apart = columns < LOSSI_GROUP ? LOSSI_GROUP : columns;
        memset(padded, 0, sizeof padded);
        for (int64_t i = 0; i < rows && i < VREAL_LANES; i++) {
            memcpy(padded + i * apart, from + i * stride, (size_t)columns * sizeof *padded);
        }
        from = padded;
        stride = columns = apart;
    }
    for (int64_t j = 0; j < columns; j += LOSSI_GROUP) {
        const int64_t at = lossi_group_at(j, columns);
        v_load_columns(from + at, stride, to->column + at);
    }
}

void lossi_abreast_store(const lossi_abreast_rows *from, int64_t columns, int64_t rows, real *to,
                         int64_t stride)
{
    real padded[VREAL_LANES * LOSSI_ABREAST_MOST];
    const int32_t part = rows < VREAL_LANES || columns < LOSSI_GROUP;
    const int64_t apart = columns < LOSSI_GROUP ? LOSSI_GROUP : columns, step = part ? apart : stride;
    real *const out = part ? padded : to;
    for (int64_t j = 0; j < apart; j += LOSSI_GROUP) {
        const int64_t at = lossi_group_at(j, apart);
        vreal x[LOSSI_GROUP];
        for (int a = 0; a < LOSSI_GROUP; a++) {
            x[a] = at + a < columns ? from->column[at + a] : v_set1(0);
        }
        v_store_columns(out + at, step, x);
    }
    for (int64_t i = 0; part && i < rows && i < VREAL_LANES; i++) {
        memcpy(to + i * stride, padded + i * apart, (size_t)columns * sizeof *padded);
    }
}

/* ---- a softmax ---- */

#if LOSSI_REAL == 64

/* Two lanes with what they lost become one. */
LOSSI_INLINE void lossi_merge_lanes(f64v *sum, f64v *lost, const f64v *other, const f64v *other_lost)
{
    const f64v after = *sum + *other, part = after - *sum;
    *lost = *lost + (*other_lost + ((*sum - (after - part)) + (*other - part)));
    *sum = after;
}

/* The lanes halved as in core/sum.h, with what each addition loses; in lane 0. */
LOSSI_INLINE lossi_exact_vector lossi_row_parts(const lossi_lane_sum *lanes)
{
    f64v sums[LOSSI_WIDE], losses[LOSSI_WIDE];
    double sum[F64_LANES], lost[F64_LANES];
    for (int v = 0; v < LOSSI_WIDE; v++) {
        sums[v] = lanes->sum[v];
        losses[v] = lanes->lost[v];
    }
    for (int half = LOSSI_WIDE / 2; half > 0; half /= 2) {
        for (int v = 0; v < half; v++) {
            lossi_merge_lanes(&sums[v], &losses[v], &sums[v + half], &losses[v + half]);
        }
    }
    f64_store(sum, sums[0]);
    f64_store(lost, losses[0]);
    for (int half = F64_LANES / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; k++) {
            const double after = sum[k] + sum[k + half], part = after - sum[k];
            lost[k] += lost[k + half] + ((sum[k] - (after - part)) + (sum[k + half] - part));
            sum[k] = after;
        }
    }
    return (lossi_exact_vector){v_set1(sum[0]), v_set1(lost[0])};
}

/* The same of rows abreast. */
LOSSI_INLINE lossi_exact_vector lossi_abreast_parts(const lossi_terms *terms, int64_t columns)
{
    lossi_abreast_lanes lanes;
    const int64_t count = lossi_abreast_collect(terms, columns, 1, &lanes);
    for (int64_t half = LOSSI_LANES / 2; half > 0; half /= 2) {
        for (int64_t k = half; k < count && k < 2 * half; k++) {
            lossi_merge_lanes(&lanes.sum[k - half].of[0], &lanes.lost[k - half], &lanes.sum[k].of[0],
                              &lanes.lost[k]);
        }
    }
    return (lossi_exact_vector){lanes.sum[0].of[0], lanes.lost[0]};
}

#endif

/* s, and 1 more. */
LOSSI_INLINE void lossi_softmax_total(int32_t abreast, lossi_sum *sum, int64_t columns,
                                      lossi_softmax *softmax)
{
#if LOSSI_REAL == 64
    const vreal one = v_set1(1);
    if (!abreast) {
        lossi_columns_end(&sum->lanes, columns);
    }
    const lossi_exact_vector total = abreast ? lossi_abreast_parts(&sum->terms, columns / VREAL_LANES)
                                             : lossi_row_parts(&sum->lanes);
    const vreal head = total.head + total.missing, one_more = head + one, part = one_more - head;
    softmax->others = (lossi_exact_vector){head, total.missing - (head - total.head)};
    softmax->divisor = (lossi_exact_vector){one_more, ((head - (one_more - part)) + (one - part)) +
                                                          softmax->others.missing};
#else
    const lossi_doubles total = lossi_sum_total(abreast, sum, columns, 1),
                        one_more = lossi_doubles_add(lossi_doubles_set1(1), total);
    softmax->others.head = lossi_round_parts(total, &softmax->others.missing);
    softmax->divisor.head = lossi_round_parts(one_more, &softmax->divisor.missing);
#endif
}

/* The largest of each row and where it is first; gives its logit, which is NaN where all are. */
LOSSI_INLINE vreal lossi_softmax_maximum(int32_t abreast, lossi_softmax *softmax)
{
    if (!abreast) {
        softmax->maximum = v_set1(lossi_row_maximum(softmax->logits, softmax->columns, &softmax->largest));
        softmax->place = lossi_column_of_row(softmax->largest);
        return v_set1(lossi_get(softmax->logits + softmax->largest));
    }
    vreal m = v_set1(-REAL_INFINITY), first = v_set1(0), highest = v_load(softmax->logits);
    for (int64_t j = 0; j < softmax->columns; j += VREAL_LANES) {
        m = v_max(v_load(softmax->logits + j), m); /* NaN is passed over */
    }
    for (int64_t j = softmax->columns - VREAL_LANES; j >= 0; j -= VREAL_LANES) {
        const vreal z = v_load(softmax->logits + j);
        const vmask here = v_eq(z, m);
        first = v_select(here, v_set1((real)j), first);
        highest = v_select(here, z, highest);
    }
    softmax->largest = 0; /* not used */
    softmax->maximum = m;
    softmax->place = (lossi_column_place){0, first};
    return highest;
}

/*
 * All but the logarithm. A row with a NaN in it, or without a limit, has s = NaN. Keeps e_j, the exponentials, where there is a place for
 * them, which may be that of the logits.
 */
LOSSI_INLINE void lossi_softmax_begin_row(int32_t abreast, const real *logits, int64_t columns, real *e,
                                          lossi_kept *kept, lossi_stream *stream, lossi_softmax *softmax)
{
    const vreal zero = v_set1(0);
    lossi_sum sum;
    lossi_softmax_columns at;
    softmax->logits = logits;
    softmax->columns = columns;
    softmax->kept = NULL;
    const vreal highest = lossi_softmax_maximum(abreast, softmax);
    lossi_sum_clear(abreast, &sum);
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        const vreal missing = lossi_softmax_exponentials(softmax, j, &at);
        lossi_send_at(stream, j);
        if (abreast) {
            kept->e[j / VREAL_LANES] = at.p;
            kept->missing[j / VREAL_LANES] = missing;
        } else if (e != NULL) {
            lossi_store_columns(e, j, columns, at.p);
        }
        lossi_sum_add_parts(abreast, &sum, j, v_select(at.largest, zero, at.p),
                            v_select(at.largest, zero, missing));
    }
    lossi_softmax_total(abreast, &sum, columns, softmax);
    const vmask nan = v_is_nan(highest);
    softmax->others.head = v_select(nan, highest, softmax->others.head);
    softmax->divisor.head = v_select(nan, highest, softmax->divisor.head);
    softmax->inverse = v_set1(1) / softmax->divisor.head;
    softmax->rest = lossi_softmax_divide(softmax, softmax->others.head, softmax->others.missing);
}

/* At most 16 rows: begun together they do not wait for each other, and share their logarithms. */
void lossi_softmax_begin(const lossi_tile *tile, int64_t first, int64_t rows, int32_t keep,
                         lossi_softmax *softmax)
{
    real others[LOSSI_LANES] = {0}, log[LOSSI_LANES];
    for (int64_t i = 0; i < rows; i++) {
        real *e = keep ? (real *)tile->gradient + (first + i) * tile->gradient_stride : NULL;
        lossi_softmax_begin_row(0, lossi_row_of(tile->prediction, first + i, tile->prediction_stride),
                                tile->columns, e, NULL, tile->stream, &softmax[i]);
        others[i] = lossi_first_lane(softmax[i].others.head);
    }
    for (int64_t i = 0; i < rows; i += VREAL_LANES) {
        v_store(log + i, v_log1p(v_load(others + i)));
    }
    for (int64_t i = 0; i < rows; i++) {
        softmax[i].log = v_set1(log[i]);
    }
}

/* Rows abreast. */
void lossi_softmax_begin_abreast(const lossi_abreast_rows *logits, int64_t columns, lossi_kept *kept,
                                 lossi_softmax *softmax)
{
    lossi_softmax_begin_row(1, (const real *)logits, columns * VREAL_LANES, NULL, kept, NULL, softmax);
    softmax->log = v_log1p(softmax->others.head);
    softmax->kept = kept;
}

#if defined(LOSSI_ISA_BASE)
void lossi_softmax_load(const lossi_softmax *softmax, int64_t j, lossi_softmax_columns *at)
{
    lossi_softmax_load_inline(softmax, j, at);
}
#endif
