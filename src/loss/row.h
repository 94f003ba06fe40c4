/*
 * A row of the catalogue: what one file of src/loss/ gives, and what its kernels see.
 *
 * A loss is one file with two parts. The formula is compiled once per instruction set and element type and gives a
 * lossi_kernels; the descriptor stands inside #ifdef LOSSI_ONCE and gives a lossi_row. losses.def ties both to a name.
 */
#ifndef LOSSI_LOSS_ROW_H
#define LOSSI_LOSS_ROW_H

#include <stdint.h>

#include "core/option.h"

enum {
    LOSSI_CONVEX = 1 << 0,         /* in the prediction, for every target */
    LOSSI_SMOOTH = 1 << 1,         /* once continuously differentiable in the prediction */
    LOSSI_POINTWISE = 1 << 2,      /* each column of a row counts for itself */
    LOSSI_CLASSIFICATION = 1 << 3, /* targets are classes */
    LOSSI_MARGIN = 1 << 4,         /* a function of prediction × target, targets ±1 */
    LOSSI_PROBABILISTIC = 1 << 5,  /* a negative log-likelihood */
    LOSSI_LABELS = 1 << 6,         /* integer targets are class labels */
    LOSSI_MAJORIZED = 1 << 7,      /* has a majorizer */
    LOSSI_LABELS_ONLY = 1 << 8,    /* with LOSSI_LABELS: no distributions */
    LOSSI_APART = 1 << 9, /* its kernels write a gradient before they have read all of the prediction's row */
    LOSSI_COUNTS_ROWS = 1 << 10, /* class weights are not in the denominator, which counts rows */
    LOSSI_NO_TARGET = 1 << 14,   /* a function of the prediction alone; its formula is given that twice */
    LOSSI_STRUCTURED = 1 << 15   /* has a structure: reads more than predictions and targets; set by itself */
};

/* Kinds of curvature, in the order of the choices of the option "curvature". */
enum { LOSSI_EXACT, LOSSI_GAUSS_NEWTON, LOSSI_MAJORIZER };

enum { LOSSI_PARAMETERS = 8 };

/* What turns a prediction into the quantity it stands for: the inverse link of loss_function_inverse_link(). */
enum {
    LOSSI_LINK_IDENTITY, /* the prediction itself */
    LOSSI_LINK_LOGIT,    /* 1/(1 + e⁻ˣ), element by element */
    LOSSI_LINK_LOG,      /* eˣ, element by element */
    LOSSI_LINK_SOFTMAX   /* over the columns of a row */
};

/* The constant prediction with the smallest cost. */
enum {
    LOSSI_CONSTANT_SEARCH,   /* no closed form: searched for */
    LOSSI_CONSTANT_MEAN,     /* the link of the weighted mean of the targets */
    LOSSI_CONSTANT_QUANTILE, /* the weighted quantile of the targets at prepared->quantile */
    LOSSI_CONSTANT_MAJORITY /* over classes: prepared->margin for one of more than half the weight, 0 for the others */
};

/* What a solver may rely on, over all predictions and all targets of the domain. */
typedef struct lossi_bounds {
    double lipschitz; /* sup |∂loss/∂prediction|, over several columns in the 2-norm; infinity: none */
    double curvature; /* sup of the exact second derivative (of its spectral norm); infinity: none */
    double minimum, maximum; /* infimum and supremum of the loss */
    double derivatives;      /* how many are continuous; infinity: all of them */
} lossi_bounds;

#define LOSSI_UNBOUNDED ((double)__builtin_inf())

/* Where a number may lie: low … high, or exactly low or high. NaN is always let through. */
typedef struct lossi_domain {
    double low, high;
    int32_t discrete;
} lossi_domain;

struct lossi_callback;
struct lossi_formula;

/* The options of a function made ready for its kernels: filled with defaults, then by the row's prepare. */
typedef struct lossi_prepared {
    uint32_t flags;                      /* the row's; prepare takes away what these options do not have */
    int32_t link, constant;              /* the row's */
    double parameters[LOSSI_PARAMETERS]; /* the own options in their order, ints as doubles */
    lossi_domain prediction, target;     /* everything by default */
    int64_t ignore_label;                /* of losses with labels: rows with it do not count */
    const double *class_weight;          /* NULL when all are 1 */
    int64_t class_weights;
    const double *positive_weight; /* of a multi-label loss, one a class; NULL when all are 1 */
    int64_t positive_weights;
    /* of LOSSI_LINK_SOFTMAX: its logits are soft_cap tanh(prediction/soft_cap)/temperature; 0: no cap */
    double temperature, soft_cap;
    lossi_bounds bounds; /* by default no Lipschitz constant, no bound, 0 to infinity, no derivative */
    double quantile;     /* of LOSSI_CONSTANT_QUANTILE; 0.5 by default */
    double margin;       /* of LOSSI_CONSTANT_MAJORITY */
    const struct lossi_callback *callback; /* of a loss of the caller's (loss/user.h), else NULL */
    const struct lossi_formula *formula;   /* of a loss from a formula (loss/formula/formula.h), else NULL */
} lossi_prepared;

/*
 * Rows that go past the caches as exponentials (loss/stream.h): each part of them, a row or a piece of one, is multiplied by a number
 * on the way, and may have a column that gets a number of its own.
 */
enum { LOSSI_PARTS = 64 };

typedef struct lossi_unscaled {
    int64_t elements, each; /* of all rows, 0: there is nothing to multiply; and of a part but for the last */
    int64_t alike; /* of the elements that come next so many have one factor, and none a number of its own */
    double alike_factor;
    int64_t label[LOSSI_PARTS]; /* the element of that column, counted from the first of all; -1: none */
    double factor[LOSSI_PARTS], at_label[LOSSI_PARTS];
} lossi_unscaled;

/*
 * The gradient of the rows before, on its way past the caches: a kernel sends some of it on now and then (loss/stream.h), so that
 * memory and processor are busy at the same time; what is left then its caller sends.
 */
typedef struct lossi_stream {
    const char *from;
    char *to;           /* aligned to 64 */
    int64_t bytes;      /* that are left */
    int32_t multiplies; /* whether rows may go unscaled: they are whole cache lines together, and few */
    lossi_unscaled rows;
} lossi_stream;

/*
 * How far ahead of a formula its arrays are asked for, in bytes, given to lossi_ask_ahead(): measured to be about best from the
 * second-level cache to memory, for this loop is over before prefetchers that stop at every page have begun anew.
 */
enum { LOSSI_POINTWISE_AHEAD = 1024 };

/*
 * What a kernel works on: one tile. Arrays are contiguous within a row. For a pointwise loss there are `rows` elements
 * one behind the other (columns is 1); for the others row i of an array is at i · its stride.
 * Outputs that are NULL are not wanted; value always is, but for a pointwise loss asked for no more than the gradient:
 * there, where value is NULL the kernel adds the values to lanes (core/sum.h), and streams the gradient when told to.
 */
typedef struct lossi_tile {
    const lossi_prepared *prepared;
    double scale; /* the factor on gradient, curvature and product */
    int32_t curvature_kind;
    int64_t rows, columns;
    const void *prediction, *target, *direction;
    const int64_t *labels; /* instead of target, when the target is class labels */
    int64_t prediction_stride, target_stride, direction_stride;
    void *value, *gradient, *curvature, *product;
    int64_t gradient_stride, curvature_stride, product_stride;
    double *lanes;     /* 16; instead of value */
    int32_t streaming; /* store past the caches: gradient is aligned to 64 then */
    int32_t *outside;  /* NULL, or set to 1 by a pointwise loss where a number may lie outside its domain */
    void *
        denominator; /* one per row, for losses that are not pointwise: what the row adds to the denominator */
    lossi_stream *stream;     /* NULL: none */
    int32_t *callback_status; /* where a loss of the caller's puts what its callback returned */
    int64_t elements;         /* of a formula: how many predictions there are in all, 0: few, or not known; */
    int32_t isa;              /* the instruction set; and its scratch, aligned to 64 */
    void *scratch;
    int64_t ask_ahead; /* of a pointwise loss: how many bytes ahead its arrays are asked for */
} lossi_tile;

typedef void (*lossi_kernel)(const lossi_tile *tile);

struct lossi_part;      /* loss/structured.h */
struct lossi_structure; /* the same */

/* The variants: a kernel may write less than everything, never more than is wanted. */
typedef struct lossi_kernels {
    lossi_kernel value;
    lossi_kernel gradient;   /* and value */
    lossi_kernel everything; /* curvature, and for losses that are not pointwise product */
    void (*part)(const struct lossi_part *part); /* instead of the others, of a loss with a structure */
} lossi_kernels;

typedef struct lossi_row {
    const char *name;
    const char *aliases; /* separated by spaces */
    const char *summary, *formula, *reference;
    const char *
        elsewhere; /* what other libraries call it: "PyTorch HuberLoss; scikit-learn HuberLoss"; may be NULL */
    /* What value and gradient of one element have to call, by the names of math.h: "exp log1p"; NULL: nothing. The
       benchmark measures the loss against these calls in other libraries. */
    const char *elementary;
    uint32_t flags;
    int32_t link,
        constant; /* LOSSI_LINK_…, LOSSI_CONSTANT_…; copied to prepared, where prepare may change them */
    const struct lossi_structure *structure; /* NULL: reads predictions and targets, no more */
    const loss_option *options;
    int32_t option_count;
    void (*prepare)(const lossi_options *options, lossi_prepared *prepared); /* may be NULL */
} lossi_row;

/* The option of losses whose targets may be −1/+1 or 0/1, and what it makes of a parameter and the domain. */
#define LOSSI_TARGET_ENCODING                                                                                \
    {                                                                                                        \
        .name = "target_encoding", .type = LOSS_OPTION_STRING, .text = "signs", .choices = "signs|zero_one", \
        .doc = "targets are -1 and +1, or 0 and 1"                                                           \
    }

/*
 * The option of the robust losses: where outliers begin, in units of the prediction. Any number that float32 has too, and
 * whose reciprocal it has.
 */
#define LOSSI_SCALE(standard)                                                                                \
    {                                                                                                        \
        .name = "scale", .aliases = "c", .type = LOSS_OPTION_DOUBLE, .minimum = 1e-37, .maximum = 1e37,      \
        .initial = (standard), .doc = "the size of a residual from which on it counts less"                  \
    }

#endif
