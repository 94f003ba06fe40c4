/*
 * Activation functions, put together from elementwise operations: each is one pass over memory with its neighbours.
 *
 * At kinks the derivative is the smallest element between both sides (docs/numerics.md): 0 of relu and clip, the slope of
 * leaky_relu.
 *
 * relu: Nair & Hinton, ICML 2010. leaky_relu: Maas, Hannun & Ng, ICML 2013. elu: Clevert, Unterthiner & Hochreiter, ICLR 2016.
 * gelu: Hendrycks & Gimpel, arXiv:1606.08415. silu: Elfwing, Uchibe & Doya, Neural Networks 107 (2018).
 */
#include <math.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/reduce.h"
#include "loss/expression/expression.h"

static loss_status infer_like(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    return lossi_check_real(tape, node, 0);
}

static int32_t unary(lossi_tape *tape, int32_t scalar, int32_t a)
{
    return lossi_tape_scalar(tape, scalar, a, LOSSI_NONE, LOSSI_NONE);
}

static int32_t positive(lossi_tape *tape, int32_t a)
{
    return lossi_tape_scalar(tape, LOSSI_SCALAR_greater, a, lossi_tape_number(tape, 0.0), LOSSI_NONE);
}

static int32_t times(lossi_tape *tape, double factor, int32_t a)
{
    return lossi_tape_multiply(tape, lossi_tape_number(tape, factor), a);
}

static loss_status settle_number(const lossi_options *given, loss_context *context,
                                 lossi_attributes *attributes)
{
    (void)context;
    attributes->number[0] = lossi_options_own(given, 0)->number;
    return LOSS_OK;
}

/* ---- relu ---- */

static int32_t expand_relu(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    (void)attributes;
    (void)count;
    return lossi_tape_scalar(tape, LOSSI_SCALAR_maximum, inputs[0], lossi_tape_number(tape, 0.0), LOSSI_NONE);
}

const lossi_operation lossi_operation_relu = {
    .name = "relu",
    .summary = "the rectified linear unit",
    .inputs = "a",
    .formula = "max(a, 0)",
    .reference = "Nair & Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010",
    .infer = infer_like,
    .expand = expand_relu};

/* ---- leaky_relu ---- */

static const loss_option slope_options[] = {
    {"slope", LOSS_OPTION_DOUBLE, 0, 1, 0.01, NULL, NULL, "the slope of negative numbers"},
};

static int32_t expand_leaky_relu(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                                 int32_t count)
{
    (void)count;
    return lossi_tape_scalar(tape, LOSSI_SCALAR_select, positive(tape, inputs[0]), inputs[0],
                             times(tape, attributes->number[0], inputs[0]));
}

const lossi_operation lossi_operation_leaky_relu = {
    .name = "leaky_relu",
    .summary = "a rectified linear unit that lets some of the negative through",
    .inputs = "a",
    .formula = "a of a > 0, slope a elsewhere",
    .reference =
        "Maas, Hannun & Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013",
    .options = slope_options,
    .option_count = 1,
    .settle = settle_number,
    .infer = infer_like,
    .expand = expand_leaky_relu};

/* ---- elu ---- */

static const loss_option alpha_options[] = {
    {"alpha", LOSS_OPTION_DOUBLE, 0, 1e6, 1, NULL, NULL, "minus the limit of very negative numbers"},
};

/* The exponential of a number that is not above 0, so that none overflows; at 0 the side with the smaller slope is taken. */
static int32_t expand_elu(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                          int32_t count)
{
    (void)count;
    const int32_t a = inputs[0], zero = lossi_tape_number(tape, 0.0);
    const int32_t scalar = attributes->number[0] > 1 ? LOSSI_SCALAR_greater_equal : LOSSI_SCALAR_greater;
    const int32_t above = lossi_tape_scalar(tape, scalar, a, zero, LOSSI_NONE);
    const int32_t below = unary(tape, LOSSI_SCALAR_expm1,
                                lossi_tape_scalar(tape, LOSSI_SCALAR_select, above, zero, a));
    return lossi_tape_scalar(tape, LOSSI_SCALAR_select, above, a, times(tape, attributes->number[0], below));
}

const lossi_operation lossi_operation_elu = {
    .name = "elu",
    .summary = "the exponential linear unit",
    .inputs = "a",
    .formula = "a of a > 0, alpha (e^a - 1) elsewhere",
    .reference = "Clevert, Unterthiner & Hochreiter, Fast and accurate deep network learning by exponential "
                 "linear units, ICLR 2016",
    .options = alpha_options,
    .option_count = 1,
    .settle = settle_number,
    .infer = infer_like,
    .expand = expand_elu};

/* ---- gelu ---- */

static const loss_option gelu_options[] = {
    {"approximate", LOSS_OPTION_STRING, 0, 0, 0, "none", "none|tanh",
     "tanh: the distribution function by a hyperbolic tangent of a cubic"},
};

static loss_status settle_gelu(const lossi_options *given, loss_context *context,
                               lossi_attributes *attributes)
{
    (void)context;
    attributes->integer[0] = lossi_options_own(given, 0)->integer;
    return LOSS_OK;
}

/* ½ (1 + tanh z) is sigmoid(2z), which keeps its digits where it is small; 0.044715 is the paper's. */
static int32_t expand_gelu(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    (void)count;
    const int32_t a = inputs[0];
    if (attributes->integer[0] == 0) {
        return lossi_tape_multiply(tape, a, unary(tape, LOSSI_SCALAR_normal_cdf, a));
    }
    const double root = 0.797884560802865355879892119868763737; /* √(2/π) */
    const int32_t cube = lossi_tape_multiply(tape, unary(tape, LOSSI_SCALAR_square, a), a);
    const int32_t z = lossi_tape_sum(tape, a, times(tape, 0.044715, cube));
    return lossi_tape_multiply(tape, a, unary(tape, LOSSI_SCALAR_sigmoid, times(tape, 2 * root, z)));
}

const lossi_operation lossi_operation_gelu = {
    .name = "gelu",
    .summary = "the Gaussian error linear unit",
    .inputs = "a",
    .formula = "a normal_cdf(a); approximate: a (1 + tanh(sqrt(2/pi) (a + 0.044715 a^3))) / 2",
    .reference = "Hendrycks & Gimpel, Gaussian error linear units, arXiv:1606.08415",
    .options = gelu_options,
    .option_count = 1,
    .settle = settle_gelu,
    .infer = infer_like,
    .expand = expand_gelu};

/* ---- silu ---- */

static int32_t expand_silu(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    (void)attributes;
    (void)count;
    return lossi_tape_multiply(tape, inputs[0], unary(tape, LOSSI_SCALAR_sigmoid, inputs[0]));
}

const lossi_operation lossi_operation_silu = {
    .name = "silu",
    .summary = "the sigmoid linear unit",
    .inputs = "a",
    .formula = "a / (1 + e^-a)",
    .reference = "Elfwing, Uchibe & Doya, Sigmoid-weighted linear units for neural network function "
                 "approximation in reinforcement learning, Neural Networks 107 (2018)",
    .infer = infer_like,
    .expand = expand_silu};

/* ---- clip ---- */

enum { LOWEST, HIGHEST };

static const loss_option clip_options[] = {
    [LOWEST] = {"minimum", LOSS_OPTION_DOUBLE, -HUGE_VAL, HUGE_VAL, -HUGE_VAL, NULL, NULL,
                "what is smaller becomes this"},
    [HIGHEST] = {"maximum", LOSS_OPTION_DOUBLE, -HUGE_VAL, HUGE_VAL, HUGE_VAL, NULL, NULL,
                 "what is larger becomes this"},
};

static loss_status settle_clip(const lossi_options *given, loss_context *context,
                               lossi_attributes *attributes)
{
    attributes->number[LOWEST] = lossi_options_own(given, LOWEST)->number;
    attributes->number[HIGHEST] = lossi_options_own(given, HIGHEST)->number;
    return attributes->number[LOWEST] <= attributes->number[HIGHEST]
               ? LOSS_OK
               : lossi_fail(context, LOSS_ERROR_RANGE,
                            "the operation 'clip' has a 'minimum' above its 'maximum'");
}

static int32_t expand_clip(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    int32_t a = inputs[0];
    (void)count;
    if (attributes->number[LOWEST] > -HUGE_VAL) {
        a = lossi_tape_scalar(tape, LOSSI_SCALAR_maximum, a,
                              lossi_tape_number(tape, attributes->number[LOWEST]), LOSSI_NONE);
    }
    if (attributes->number[HIGHEST] < HUGE_VAL) {
        a = lossi_tape_scalar(tape, LOSSI_SCALAR_minimum, a,
                              lossi_tape_number(tape, attributes->number[HIGHEST]), LOSSI_NONE);
    }
    return a;
}

const lossi_operation lossi_operation_clip = {.name = "clip",
                                              .summary = "a brought between two numbers",
                                              .inputs = "a",
                                              .formula = "min(max(a, minimum), maximum)",
                                              .reference = "",
                                              .options = clip_options,
                                              .option_count = 2,
                                              .settle = settle_clip,
                                              .infer = infer_like,
                                              .expand = expand_clip};
