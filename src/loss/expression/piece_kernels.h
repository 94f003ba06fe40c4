/*
 * Value and slope made of pieces (expression_kernels.h), for expression_kernels.c: a loop for each pair of forms. The array that they are
 * functions of is made in it, and the value goes onto the lanes of a sum where nobody wants to see it.
 */
#ifndef LOSSI_LOSS_PIECE_KERNELS_H
#define LOSSI_LOSS_PIECE_KERNELS_H

#include "loss/expression/expression_kernels.h"
#include "loss/lanes.h"

typedef struct piece {
    const real *value, *slope;
    vreal m, k, f, s;
} piece;

typedef struct pieces {
    int32_t base, with_array, kind, first_form, second_form;
    int64_t n;
    const real *a, *b;
    piece first, second;
    vint keep, flip; /* bits of what is compared */
    vreal number, same, factor;
    real *y, *z;
    double *lanes;
} pieces;

/* SIZE where x is neither 0 nor NaN. */
enum { PIECE_BEYOND = LOSSI_PIECE_FORMS };

LOSSI_INLINE void piece_at(const piece *p, const int form, vreal x, int64_t i, vreal *value, vreal *slope)
{
    const vint sign = (vint)v_set1(REAL(-0.0));
    switch (form) {
    case LOSSI_PIECE_NUMBER:
        *value = p->k;
        *slope = p->s;
        return;
    case LOSSI_PIECE_SIZE:
        *value = (v_abs(x) + p->k) * p->f;
        *slope = scalar_sign(x, x, x) * p->s;
        return;
    case PIECE_BEYOND:
        *value = (v_abs(x) + p->k) * p->f;
        *slope = (vreal)(((vint)x & sign) ^ (vint)p->s);
        return;
    case LOSSI_PIECE_SQUARE:
        *value = (x * x) * p->f;
        *slope = x;
        return;
    case LOSSI_PIECE_PARABOLA:
        *value = (x * x) * p->f;
        *slope = x * p->s;
        return;
    case LOSSI_PIECE_WEIGHED:
        *value = (x * x) * p->f;
        *slope = (x * v_load(p->slope + i)) * p->s;
        return;
    case LOSSI_PIECE_ARRAY:
        *value = v_load(p->value + i);
        *slope = v_load(p->slope + i);
        return;
    default:
        *value = x * p->m + p->k;
        *slope = form == LOSSI_PIECE_LINEAR ? p->s : v_load(p->slope + i) * p->s;
    }
}

/* Whether value and slope are NaN where x is. */
LOSSI_INLINE int value_carries(const int form)
{
    return form != LOSSI_PIECE_NUMBER && form != LOSSI_PIECE_ARRAY;
}

LOSSI_INLINE int slope_carries(const int form)
{
    return form == LOSSI_PIECE_SIZE || form == LOSSI_PIECE_SQUARE || form == LOSSI_PIECE_PARABOLA;
}

/* The first where number < x, the second where it is not, NaN where there is no x. */
LOSSI_INLINE void piece_above(const pieces *w, const int first, const int second, vreal x, int64_t i,
                              vreal *value, vreal *slope)
{
    const vreal compared = first == PIECE_BEYOND ? v_abs(x) : (vreal)(((vint)x & w->keep) ^ w->flip);
    const vmask yes = v_lt(w->number, compared), nan = v_is_nan(x);
    vreal values[2], slopes[2];
    piece_at(&w->first, first, x, i, &values[0], &slopes[0]);
    piece_at(&w->second, second, x, i, &values[1], &slopes[1]);
    *value = v_select(yes, values[0], values[1]);
    *slope = v_select(yes, slopes[0], slopes[1]);
    *value = value_carries(second) ? *value : v_nan_where(nan, *value);
    *slope = slope_carries(second) ? *slope : v_nan_where(nan, *slope);
}

/* The larger of both, the first where they tie; NaN where one of them is. */
LOSSI_INLINE void piece_extreme(const pieces *w, const int first, const int second, vreal x, int64_t i,
                                vreal *value, vreal *slope)
{
    vreal left, right, slopes[2];
    piece_at(&w->first, first, x, i, &left, &slopes[0]);
    piece_at(&w->second, second, x, i, &right, &slopes[1]);
    const vmask is_left = v_gt(left, right), is_right = v_lt(left, right),
                nan = first == LOSSI_PIECE_NUMBER    ? v_is_nan(right)
                      : second == LOSSI_PIECE_NUMBER ? v_is_nan(left)
                                                     : v_mask_or(v_is_nan(left), v_is_nan(right));
    *value = v_nan_where(nan, v_max(right, left)); /* the second operand where they tie */
    *slope = first == LOSSI_PIECE_NUMBER ? v_select(is_right, slopes[1], slopes[0])
             : second == LOSSI_PIECE_NUMBER
                 ? v_select(is_left, slopes[0], slopes[1])
                 : v_select(is_right, slopes[1], v_select(is_left, slopes[0], w->same));
    *slope = v_nan_where(nan, *slope);
}

LOSSI_INLINE void piece_base(const pieces *w, int64_t i, vreal *x)
{
    int32_t base = w->base;
    __asm__(""
            : "+r"(base)); /* a branch in the loop, that always goes the same way, and not a loop for each */
    LOSSI_UNROLL
    for (int v = 0; v < LOSSI_PACK; v++) {
        x[v] = v_load(w->a + i + v * VREAL_LANES);
    }
    if (base == LOSSI_BASE_DIFFERENCE) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            x[v] = x[v] - v_load(w->b + i + v * VREAL_LANES);
        }
    } else if (base == LOSSI_BASE_PRODUCT) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            x[v] = x[v] * v_load(w->b + i + v * VREAL_LANES);
        }
    }
}

LOSSI_INLINE void piece_lanes(const pieces *w, f64v *lanes)
{
    LOSSI_UNROLL
    for (int v = 0; v < LOSSI_WIDE; v++) {
        lanes[v] = w->lanes != NULL ? f64_load(w->lanes + v * F64_LANES) : f64_set1(0);
    }
}

/* A pack of values: onto the lanes, or where there are none to their array. */
LOSSI_INLINE void piece_values(const pieces *w, int64_t i, const vreal *value, f64v *lanes)
{
    if (__builtin_expect(w->lanes != NULL, 1)) {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lanes_add(lanes, v, value[v]);
        }
    } else {
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            v_store(w->z + i + v * VREAL_LANES, value[v]);
        }
    }
}

/* All operands of a place are read before it is written to. */
LOSSI_INLINE void pieces_loop(const pieces *whole, const int kind, const int first, const int second)
{
    const pieces copy = *whole, *const w = &copy; /* in registers, whatever is stored */
    f64v lanes[LOSSI_WIDE];
    piece_lanes(w, lanes);
    for (int64_t i = 0; i < w->n; i += LOSSI_LANES) {
        vreal x[LOSSI_PACK], value[LOSSI_PACK];
        piece_base(w, i, x);
        LOSSI_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            const int64_t k = i + v * VREAL_LANES;
            vreal slope;
            if (kind == LOSSI_PIECES_ALONE) {
                piece_at(&w->first, first, x[v], k, &value[v], &slope);
            } else if (kind == LOSSI_PIECES_ABOVE) {
                piece_above(w, first, second, x[v], k, &value[v], &slope);
            } else {
                piece_extreme(w, first, second, x[v], k, &value[v], &slope);
            }
            v_store(w->y + k, slope * w->factor);
        }
        piece_values(w, i, value, lanes);
    }
    if (w->lanes != NULL) {
        lossi_lanes_store(w->lanes, lanes);
    }
}

/* A function and its slope, alone: long, so that it stands in the loop once. */
LOSSI_INLINE void pieces_pair_loop(const pieces *whole, scalar_pair f)
{
    const pieces copy = *whole, *const w = &copy;
    f64v lanes[LOSSI_WIDE];
    piece_lanes(w, lanes);
    for (int64_t i = 0; i < w->n; i += LOSSI_LANES) {
        vreal x[LOSSI_PACK], value[LOSSI_PACK];
        piece_base(w, i, x);
        LOSSI_NO_UNROLL
        for (int v = 0; v < LOSSI_PACK; v++) {
            const int64_t k = i + v * VREAL_LANES;
            vreal first, second;
            f(x[v] * w->first.m, &first, &second);
            value[v] = first * w->first.f;
            second = w->with_array ? second * v_load(w->first.slope + k) : second;
            v_store(w->y + k, second * w->first.s);
        }
        piece_values(w, i, value, lanes);
    }
    if (w->lanes != NULL) {
        lossi_lanes_store(w->lanes, lanes);
    }
}

#define PIECES_PAIR(form, f)                                                                                 \
    static void pieces_ALONE_##form##_NUMBER(const pieces *w)                                                \
    {                                                                                                        \
        pieces_pair_loop(w, f);                                                                              \
    }
PIECES_PAIR(SOFTPLUS, softplus_sigmoid)
PIECES_PAIR(LOG_COSH, v_log_cosh_tanh)
PIECES_PAIR(PSEUDO_HUBER, pseudo_huber_slope)

typedef void (*pieces_run)(const pieces *w);

#define PIECES(kind, first, second)                                                                          \
    static void pieces_##kind##_##first##_##second(const pieces *w)                                          \
    {                                                                                                        \
        pieces_loop(w, LOSSI_PIECES_##kind, LOSSI_PIECE_##first, LOSSI_PIECE_##second);                      \
    }
#define PIECES_ABOVE(first)                                                                                  \
    PIECES(ABOVE, first, NUMBER)                                                                             \
    PIECES(ABOVE, first, LINEAR)                                                                             \
    PIECES(ABOVE, first, SIZE)                                                                               \
    PIECES(ABOVE, first, MARGIN)                                                                             \
    PIECES(ABOVE, first, ARRAY)                                                                              \
    PIECES(ABOVE, first, SQUARE)                                                                             \
    PIECES(ABOVE, first, PARABOLA)
#define PIECES_MAXIMUM(first)                                                                                \
    PIECES(MAXIMUM, first, NUMBER)                                                                           \
    PIECES(MAXIMUM, first, LINEAR)                                                                           \
    PIECES(MAXIMUM, first, SIZE)                                                                             \
    PIECES(MAXIMUM, first, MARGIN)                                                                           \
    PIECES(MAXIMUM, first, ARRAY)
#define LOSSI_PIECE_BEYOND PIECE_BEYOND
PIECES_ABOVE(NUMBER)
PIECES_ABOVE(LINEAR)
PIECES_ABOVE(SIZE)
PIECES_ABOVE(MARGIN)
PIECES_ABOVE(ARRAY)
PIECES_ABOVE(SQUARE)
PIECES_ABOVE(PARABOLA)
PIECES_ABOVE(BEYOND)
PIECES_MAXIMUM(NUMBER)
PIECES_MAXIMUM(LINEAR)
PIECES_MAXIMUM(SIZE)
PIECES_MAXIMUM(MARGIN)
PIECES_MAXIMUM(ARRAY)
PIECES(ALONE, LINEAR, NUMBER)
PIECES(ALONE, SIZE, NUMBER)
PIECES(ALONE, MARGIN, NUMBER)
PIECES(ALONE, SQUARE, NUMBER)
PIECES(ALONE, PARABOLA, NUMBER)
PIECES(ALONE, WEIGHED, NUMBER)

#define PIECES_ABOVE_ROW(first)                                                                              \
    [LOSSI_PIECE_##first] = {pieces_ABOVE_##first##_NUMBER,  pieces_ABOVE_##first##_LINEAR,                  \
                             pieces_ABOVE_##first##_SIZE,    pieces_ABOVE_##first##_MARGIN,                  \
                             pieces_ABOVE_##first##_ARRAY,   pieces_ABOVE_##first##_SQUARE,                  \
                             pieces_ABOVE_##first##_PARABOLA}
#define PIECES_MAXIMUM_ROW(first)                                                                            \
    [LOSSI_PIECE_##first] = {pieces_MAXIMUM_##first##_NUMBER, pieces_MAXIMUM_##first##_LINEAR,               \
                             pieces_MAXIMUM_##first##_SIZE, pieces_MAXIMUM_##first##_MARGIN,                 \
                             pieces_MAXIMUM_##first##_ARRAY}

static const pieces_run pieces_above[PIECE_BEYOND + 1][LOSSI_PIECE_WEIGHED] = {
    PIECES_ABOVE_ROW(NUMBER), PIECES_ABOVE_ROW(LINEAR), PIECES_ABOVE_ROW(SIZE),     PIECES_ABOVE_ROW(MARGIN),
    PIECES_ABOVE_ROW(ARRAY),  PIECES_ABOVE_ROW(SQUARE), PIECES_ABOVE_ROW(PARABOLA), PIECES_ABOVE_ROW(BEYOND)};

static const pieces_run pieces_maximum[LOSSI_PIECE_OF_EXTREMES][LOSSI_PIECE_OF_EXTREMES] = {
    PIECES_MAXIMUM_ROW(NUMBER), PIECES_MAXIMUM_ROW(LINEAR), PIECES_MAXIMUM_ROW(SIZE),
    PIECES_MAXIMUM_ROW(MARGIN), PIECES_MAXIMUM_ROW(ARRAY)};

static const pieces_run pieces_alone[LOSSI_PIECE_FORMS] = {
    [LOSSI_PIECE_LINEAR] = pieces_ALONE_LINEAR_NUMBER,
    [LOSSI_PIECE_SIZE] = pieces_ALONE_SIZE_NUMBER,
    [LOSSI_PIECE_MARGIN] = pieces_ALONE_MARGIN_NUMBER,
    [LOSSI_PIECE_SQUARE] = pieces_ALONE_SQUARE_NUMBER,
    [LOSSI_PIECE_PARABOLA] = pieces_ALONE_PARABOLA_NUMBER,
    [LOSSI_PIECE_WEIGHED] = pieces_ALONE_WEIGHED_NUMBER,
    [LOSSI_PIECE_SOFTPLUS] = pieces_ALONE_SOFTPLUS_NUMBER,
    [LOSSI_PIECE_LOG_COSH] = pieces_ALONE_LOG_COSH_NUMBER,
    [LOSSI_PIECE_PSEUDO_HUBER] = pieces_ALONE_PSEUDO_HUBER_NUMBER};

static pieces_run pieces_run_of(const pieces *w)
{
    return w->kind == LOSSI_PIECES_ALONE     ? pieces_alone[w->first_form]
           : w->kind == LOSSI_PIECES_MAXIMUM ? pieces_maximum[w->first_form][w->second_form]
                                             : pieces_above[w->first_form][w->second_form];
}

LOSSI_INLINE const real *pieces_array(char *const *slots, int32_t slot)
{
    return (const real *)(const void *)slots[slot];
}

LOSSI_INLINE vreal pieces_number(char *const *slots, const lossi_fixed *from, real neutral)
{
    const vreal number = from->is_there ? v_set1(lossi_get(pieces_array(slots, from->slot)))
                                        : v_set1(neutral);
    return from->is_negated ? -number : number;
}

/* −0 is what may be added to every number, and leaves it as it is. */
LOSSI_INLINE piece piece_from(char *const *slots, const lossi_piece *from)
{
    return (piece){pieces_array(slots, from->value),          pieces_array(slots, from->slope),
                   pieces_number(slots, &from->m, REAL(1.0)), pieces_number(slots, &from->k, REAL(-0.0)),
                   pieces_number(slots, &from->f, REAL(1.0)), pieces_number(slots, &from->s, REAL(1.0))};
}

/* Where there is nothing but NaN: in a comparison, or beside another piece. */
static int pieces_are_nan(const lossi_pieces *from, const pieces *w)
{
    const int is_number[] = {from->first.form == LOSSI_PIECE_NUMBER, from->second.form == LOSSI_PIECE_NUMBER};
    return (from->kind == LOSSI_PIECES_ABOVE && v_mask_any(v_is_nan(w->number))) ||
           (from->kind == LOSSI_PIECES_MAXIMUM && ((is_number[0] && v_mask_any(v_is_nan(w->first.k))) ||
                                                   (is_number[1] && v_mask_any(v_is_nan(w->second.k)))));
}

static void pieces_of_nan(const pieces *w)
{
    const vreal nan = v_set1(REAL_NAN);
    for (int64_t i = 0; i < w->n; i += VREAL_LANES) {
        v_store(w->y + i, nan);
        if (w->lanes == NULL) {
            v_store(w->z + i, nan);
        }
    }
    for (int lane = 0; lane < LOSSI_LANES && w->lanes != NULL; lane++) {
        w->lanes[lane] = __builtin_nan("");
    }
}

/* The first form. Where a size is above a number that is not negative, x is not 0. */
static int pieces_first(const lossi_pieces *from, vreal number)
{
    const int of_size = (from->flags & (LOSSI_PIECES_OF_SIZE | LOSSI_PIECES_NEGATED)) == LOSSI_PIECES_OF_SIZE;
    return from->kind == LOSSI_PIECES_ABOVE && from->first.form == LOSSI_PIECE_SIZE && of_size &&
                   v_mask_all(v_ge(number, v_set1(REAL(0.0))))
               ? PIECE_BEYOND
               : from->first.form;
}

static void pieces_0(int64_t n, char *const *slots, const lossi_instruction *at)
{
    const lossi_pieces *from = at->pieces;
    const vint sign = (vint)v_set1(REAL(-0.0)), none = (vint)v_set1(REAL(0.0));
    const vreal number = pieces_number(slots, &from->number, REAL(0.0));
    const pieces w = {.kind = from->kind,
                      .first_form = pieces_first(from, number),
                      .second_form = from->second.form,
                      .base = from->base,
                      .with_array = from->flags & LOSSI_PIECES_WITH_ARRAY,
                      .n = n,
                      .a = pieces_array(slots, from->a),
                      .b = pieces_array(slots, from->b),
                      .first = piece_from(slots, &from->first),
                      .second = piece_from(slots, &from->second),
                      .keep = from->flags & LOSSI_PIECES_OF_SIZE ? ~sign : ~none,
                      .flip = from->flags & LOSSI_PIECES_NEGATED ? sign : none,
                      .number = number,
                      .same = pieces_number(slots, &from->same, REAL(0.0)),
                      .factor = pieces_number(slots, &from->factor, REAL(1.0)),
                      .y = (real *)(void *)slots[at->y],
                      .z = (real *)(void *)slots[at->z],
                      .lanes = from->flags & LOSSI_PIECES_SUM ? (double *)(void *)slots[from->lanes] : NULL};
    if (pieces_are_nan(from, &w)) {
        pieces_of_nan(&w);
    } else {
        const pieces_run run = pieces_run_of(&w);
        run(&w);
    }
}

#endif
