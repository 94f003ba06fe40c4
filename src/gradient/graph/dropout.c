/*
 * Dropout: a · mask, the mask 0 with probability `rate`, else 1 / (1 − rate); while not training, a itself.
 *
 * The mask of a sample follows from the seed, the step, the node and the sample's row in the data, whatever batch it is in: word w
 * of its elements is word w % 4 of Philox with counter row · ⌈elements / 4⌉ + ⌊w / 4⌋ and stream node · 2⁴⁰ + step. An element
 * is dropped when its word is below rate · 2³².
 *
 * Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15 (2014), §4, scaled while
 * training.
 */
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/run.h"

static const lossi_operation mask;

static const loss_option options[] = {
    {"rate", LOSS_OPTION_DOUBLE, 0, 1, 0.5, NULL, NULL,
     "the probability that an element is dropped; of 1, all are, and none is scaled"}};

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    (void)context;
    attributes->number[0] = lossi_options_own(given, 0)->number;
    return LOSS_OK;
}

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    node->shape = from->shape;
    if (from->dtype != tape->dtype) {
        return lossi_fail(tape->context, LOSS_ERROR_TYPE, "the operation 'dropout' takes %s, not %s",
                          loss_dtype_name(tape->dtype), loss_dtype_name(from->dtype));
    }
    return LOSS_OK;
}

static int32_t expand(lossi_tape *tape, const lossi_attributes *given, const int32_t *inputs, int32_t count)
{
    const lossi_shape shape = *lossi_tape_shape(tape, inputs[0]);
    lossi_attributes attributes = {.integer = {shape.rank}, .number = {given->number[0]}};
    (void)count;
    if (!tape->purpose.training || given->number[0] == 0) {
        return inputs[0];
    }
    memcpy(attributes.integer + 1, shape.size, sizeof shape.size[0] * (size_t)shape.rank);
    attributes.integer[LOSSI_INTEGERS - 1] = given->integer[LOSSI_INTEGERS - 1];
    return lossi_tape_multiply(tape, inputs[0], lossi_tape_add(tape, &mask, &attributes, NULL, 0));
}

const lossi_operation lossi_operation_dropout = {
    .name = "dropout",
    .summary = "while training, elements set to 0 at random, the others scaled so that the mean stays",
    .inputs = "a",
    .formula = "0 with probability rate, else a / (1 - rate)",
    .reference = "Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR "
                 "15 (2014)",
    .options = options,
    .option_count = 1,
    .flags = LOSSI_OPERATION_DISTINCT,
    .settle = settle,
    .infer = infer,
    .expand = expand};

/* ---- the mask ---- */

static loss_status infer_mask(const lossi_tape *tape, lossi_tape_node *node)
{
    (void)tape;
    node->shape.rank = (int32_t)node->attributes.integer[0];
    memcpy(node->shape.size, node->attributes.integer + 1,
           sizeof node->shape.size[0] * (size_t)node->shape.rank);
    return LOSS_OK;
}

typedef struct masking {
    const lossi_batch_state *batch;
    const lossi_value *output;
    int64_t elements; /* of a sample */
    uint64_t stream, threshold;
    double kept;
} masking;

static void put(const masking *m, int64_t i, uint32_t word)
{
    const double number = word < m->threshold ? 0.0 : m->kept;
    const float single = (float)number;
    if (m->output->dtype == LOSS_FLOAT32) {
        memcpy(m->output->data + 4 * i, &single, sizeof single);
    } else {
        memcpy(m->output->data + 8 * i, &number, sizeof number);
    }
}

static void mask_sample(void *argument, int64_t index, int32_t worker)
{
    const masking *m = argument;
    const int64_t row = m->batch->indices != NULL ? m->batch->indices[index] : m->batch->first + index;
    const int64_t blocks = m->elements / 4 + (m->elements % 4 != 0), to = index * m->elements;
    (void)worker;
    for (int64_t i = 0; i < blocks; i++) {
        uint32_t words[4];
        lossi_philox(m->batch->seed, m->stream, (uint64_t)(row * blocks + i), words);
        for (int64_t k = 0; k < 4 && 4 * i + k < m->elements; k++) {
            put(m, to + 4 * i + k, words[k]);
        }
    }
}

static loss_status run_mask(const lossi_node_run *run)
{
    enum { PARALLEL = 1 << 13 }; /* elements; fewer take no longer than threads need to wake up */
    const lossi_shape *shape = &run->tape->nodes[run->node].shape;
    const double rate = run->attributes->number[0];
    const int32_t of_rows = lossi_shape_of_rows(shape);
    const int64_t samples = of_rows ? run->batch->rows : 1;
    const lossi_batch_state whole = {.seed = run->batch->seed};
    masking m = {.batch = of_rows ? run->batch : &whole,
                 .output = &run->output,
                 .elements = lossi_shape_row(shape),
                 .threshold = (uint64_t)ceil(rate * 0x1p32),
                 .kept = rate < 1 ? 1.0 / (1.0 - rate) : 1.0};
    m.stream = ((uint64_t)run->attributes->integer[LOSSI_INTEGERS - 1] << 40) + run->batch->step;
    if (samples * m.elements < PARALLEL) {
        for (int64_t i = 0; i < samples; i++) {
            mask_sample(&m, i, 0);
        }
    } else {
        lossi_parallel(run->context, samples, mask_sample, &m);
    }
    return LOSS_OK;
}

static const lossi_operation mask = {.name = "_dropout_mask", .infer = infer_mask, .run = run_mask};
