/*
 * The variance and the Euclidean norm over axes, put together from sums.
 *
 * The variance takes two passes, Σ (a − mean)², so that a large mean costs no digits (Chan, Golub & LeVeque, Algorithms for
 * computing the sample variance, The American Statistician 37, 1983). The norm of zeros has the derivative 0, the smallest
 * element of its subdifferential (docs/numerics.md, kinks); its squares are kept in the range of the type (range.h).
 */
#include "gradient/graph/operations.h"
#include "gradient/graph/range.h"
#include "gradient/graph/reduce.h"
#include "loss/expression/expression.h"

enum { UNBIASED = LOSSI_AXES_OPTIONS, VARIANCE_OPTIONS };

enum { UNBIASED_ATTRIBUTE = 8 };

static const loss_option variance_options[] = {
    LOSSI_AXES_OPTION_ROWS,
    [UNBIASED] = {"unbiased", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL,
                  "1: divides by one less than the number of elements"},
};

static loss_status settle_variance(const lossi_options *given, loss_context *context,
                                   lossi_attributes *attributes)
{
    attributes->integer[UNBIASED_ATTRIBUTE] = lossi_options_own(given, UNBIASED)->integer;
    return lossi_axes_settle(given, context, attributes);
}

static int32_t expand_variance(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                               int32_t count)
{
    const int32_t a = inputs[0], axes = lossi_axes_of(attributes, lossi_tape_shape(tape, a)->rank);
    const int32_t elements = lossi_axes_count(tape, a, axes);
    const int32_t mean = lossi_tape_divide(tape, lossi_tape_reduce(tape, a, axes), elements);
    const int32_t distance = lossi_tape_subtract(tape, a, mean);
    const int32_t square = lossi_tape_scalar(tape, LOSSI_SCALAR_square, distance, LOSSI_NONE, LOSSI_NONE);
    const int32_t divisor = attributes->integer[UNBIASED_ATTRIBUTE]
                                ? lossi_tape_subtract(tape, elements, lossi_tape_number(tape, 1.0))
                                : elements;
    (void)count;
    return lossi_axes_drop(tape, attributes,
                           lossi_tape_divide(tape, lossi_tape_reduce(tape, square, axes), divisor));
}

const lossi_operation lossi_operation_variance = {
    .name = "variance",
    .summary = "the variance over axes",
    .inputs = "a",
    .formula = "mean over the axes of (a - mean)^2",
    .reference = "Chan, Golub & LeVeque, Algorithms for computing the sample variance, The American "
                 "Statistician 37 (1983)",
    .options = variance_options,
    .option_count = VARIANCE_OPTIONS,
    .settle = settle_variance,
    .infer = lossi_axes_infer,
    .expand = expand_variance};

static const loss_option norm_options[] = {LOSSI_AXES_OPTION_ROWS};

static int32_t put_squares(lossi_tape *tape, int32_t a, int32_t axes)
{
    return lossi_tape_reduce(tape, lossi_tape_scalar(tape, LOSSI_SCALAR_square, a, LOSSI_NONE, LOSSI_NONE),
                             axes);
}

/* The root of a sum that is not 0, and 0 where it is: there nothing depends on the sum. */
static int32_t expand_norm(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    const int32_t axes = lossi_axes_of(attributes, lossi_tape_shape(tape, inputs[0])->rank);
    const int32_t zero = lossi_tape_number(tape, 0.0), one = lossi_tape_number(tape, 1.0);
    const int32_t plain = put_squares(tape, inputs[0], axes);
    const lossi_range range = lossi_tape_range(tape, plain, 1);
    const int32_t sum = lossi_tape_scaled_squares(tape, inputs[0], axes, plain, range.factor);
    const int32_t none = lossi_tape_scalar(tape, LOSSI_SCALAR_equal, sum, zero, LOSSI_NONE);
    const int32_t some = lossi_tape_scalar(tape, LOSSI_SCALAR_select, none, one, sum);
    const int32_t root = lossi_tape_scalar(tape, LOSSI_SCALAR_sqrt, some, LOSSI_NONE, LOSSI_NONE);
    const int32_t norm = lossi_tape_scalar(tape, LOSSI_SCALAR_select, none, zero, root);
    (void)count;
    return lossi_axes_drop(tape, attributes, lossi_tape_multiply(tape, norm, range.back));
}

const lossi_operation lossi_operation_norm = {
    .name = "norm",
    .summary = "the Euclidean norm over axes, whose slope at 0 is 0",
    .inputs = "a",
    .formula = "sqrt(sum over the axes of a^2)",
    .reference = "",
    .options = norm_options,
    .option_count = LOSSI_AXES_OPTIONS,
    .settle = lossi_axes_settle,
    .infer = lossi_axes_infer,
    .expand = expand_norm};
