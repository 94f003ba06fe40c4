/*
 * The best constant prediction of a loss over classes, Σ_i Σ_j u_ij (log Σ_k exp z_k − z_j): z_j = log (U_j / Σ_k U_k), with
 * U_j = Σ_i u_ij the share of class j in the weight, class weights and label smoothing included.
 *
 * The loss's own kernel says what u is, exactly: at logits where class j has probability 0, the gradient in column j is −u_j.
 * So two passes give every share: at (0, −∞, −∞, …) all but the first, at (−∞, 0, −∞, …) the first. Where the prediction is the
 * logarithm of a probability the gradient is −u_j everywhere, and where it is the probability itself, −u_j at 1.
 * Where each class is a question of its own, the gradient in column j is −P_j at −∞, of its positive targets, and N_j at +∞, of the
 * others, and z_j = log (P_j/N_j), or 0 of a class that counts for nothing.
 * Of a margin between the label and its largest rival, let z be largest in class k, by d over the second one. A row of class k
 * costs at least max(0, margin − d), any other margin + d, and both as much where all others are equal: so d is the margin where U_k is
 * more than half of all, and else 0.
 * A temperature τ divides all of them, which does not matter, and multiplies z_j. log Σ exp of these z is 0, the best for a z-loss too.
 */
#include <math.h>
#include <string.h>

#include "loss/array_rows.h"
#include "loss/constant.h"
#include "loss/evaluation.h"

enum { ALIGNMENT = 64 };

/* One pass over the data, tile by tile. */
typedef struct pass {
    const lossi_constant_input *input;
    int64_t columns, tile_rows;
    lossi_evaluation e;
    lossi_array target, weight; /* of a tile, converted */
    double *point, *gradient;   /* columns; tile_rows × columns */
    double *weights;            /* tile_rows */
    int64_t *rows;              /* which rows of the data those of the tile are */
    char *targets;              /* tile_rows × columns, or labels */
    lossi_exact_sum *shares;    /* columns: −Σ gradient */
    char *scratch, *memory;
} pass;

static int64_t padded(int64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static char *take(char **memory, int64_t bytes)
{
    char *piece = *memory;
    *memory += padded(bytes);
    return piece;
}

/* Lays out the pass in memory and gives its size. */
static int64_t lay_out(pass *p, char *memory)
{
    const int64_t elements = p->tile_rows * p->columns;
    char *end = memory;
    p->point = (double *)(void *)take(&end, p->columns * 8);
    p->gradient = (double *)(void *)take(&end, elements * 8);
    p->weights = (double *)(void *)take(&end, p->tile_rows * 8);
    p->rows = (int64_t *)(void *)take(&end, p->tile_rows * 8);
    p->targets = take(&end, elements * 8);
    p->shares = (lossi_exact_sum *)(void *)take(&end, p->columns * (int64_t)sizeof *p->shares);
    p->scratch = take(&end, lossi_evaluation_scratch(&p->e, p->tile_rows));
    return end - memory;
}

static loss_status begin(pass *p, const lossi_constant_input *input, int64_t columns)
{
    loss_context *context = input->context;
    static char origin; /* only its distance to the end matters */
    memset(p, 0, sizeof *p);
    p->input = input;
    p->columns = columns;
    p->tile_rows = lossi_rows_within(columns, LOSSI_TILE);
    const int32_t labels = lossi_is_integer(input->target->dtype);
    const int64_t width = labels ? 1 : columns;
    p->target = (lossi_array){"target", NULL, labels ? LOSS_INT64 : LOSS_FLOAT64, 0, p->tile_rows, width,
                              width,    1};
    p->weight = (lossi_array){"weight", NULL, LOSS_FLOAT64, 0, p->tile_rows, 1, 1, 1};
    loss_status status = lossi_evaluation_init(&p->e, context, input->function, LOSS_FLOAT64, p->tile_rows,
                                               columns, &p->target, &p->weight, NULL);
    if (status != LOSS_OK) {
        return status;
    }
    p->memory = lossi_allocate(context, lay_out(p, &origin) + ALIGNMENT);
    if (p->memory == NULL) {
        return lossi_fail_memory(context, "a best constant");
    }
    lay_out(p, p->memory + ((uintptr_t)0 - (uintptr_t)p->memory) % ALIGNMENT);
    p->target.pointer = p->targets;
    p->weight.pointer = (char *)p->weights;
    return LOSS_OK;
}

static void fetch_target(const pass *p, int64_t row, int64_t to)
{
    const lossi_array *from = p->input->target;
    double *numbers = (double *)(void *)p->targets;
    if (p->e.labels) {
        ((int64_t *)(void *)p->targets)[to] = lossi_integer_at(
            from->pointer + row * from->row_stride * loss_dtype_size(from->dtype), from->dtype);
        return;
    }
    for (int64_t j = 0; j < p->columns; j++) {
        numbers[to * p->columns + j] = lossi_real_at(from->dtype, from->pointer,
                                                     row * from->row_stride + j * from->column_stride);
    }
}

/* The rows from *next on that count, as many as a tile holds; weights are divided by 2 to the exponent. */
static loss_status fetch_tile(const pass *p, int64_t *next, int exponent, int64_t *count)
{
    for (*count = 0; *next < p->input->target->rows && *count < p->tile_rows; ++*next) {
        double weight;
        if (lossi_masked(p->input->mask, *next)) {
            continue;
        }
        loss_status status = lossi_constant_weight(p->input, *next, &weight);
        if (status != LOSS_OK) {
            return status;
        }
        if (weight > 0) {
            p->weights[*count] = ldexp(weight, -exponent);
            p->rows[*count] = *next;
            fetch_target(p, *next, (*count)++);
        }
    }
    return LOSS_OK;
}

/* Adds −gradient at the point to the shares. */
static loss_status run(const pass *p, int exponent)
{
    const int64_t columns = p->columns;
    const lossi_place place = {.prediction = {(char *)p->point, 0, 1},
                               .gradient = {(char *)p->gradient, columns, 1}};
    int64_t next = 0, count = 0;
    while (next < p->input->target->rows) {
        lossi_total total;
        loss_status status = fetch_tile(p, &next, exponent, &count);
        if (status != LOSS_OK) {
            return status;
        }
        lossi_total_clear(&total);
        lossi_evaluation_tile(&p->e, p->scratch, p->tile_rows, 0, count, &place, &total);
        if (total.status != LOSS_OK) {
            total.row = p->rows[total.row];
            return lossi_evaluation_fail(&p->e, p->input->context, &total);
        }
        for (int64_t i = 0; i < count * columns; i++) {
            lossi_exact_add(&p->shares[i % columns], -p->gradient[i]);
        }
    }
    return LOSS_OK;
}

/* All but one class has probability 0. */
static void set_logits(const pass *p, int64_t certain)
{
    for (int64_t j = 0; j < p->columns; j++) {
        p->point[j] = j == certain ? 0 : -INFINITY;
    }
}

static loss_status shares_of_logits(const pass *p, int exponent)
{
    set_logits(p, 1);
    loss_status status = run(p, exponent);
    const lossi_exact_sum first = p->shares[0];
    memset(p->shares, 0, (size_t)p->columns * sizeof *p->shares);
    if (status == LOSS_OK) {
        set_logits(p, 0);
        status = run(p, exponent);
    }
    p->shares[0] = first;
    return status;
}

/* −P_j at −∞, then N_j at +∞, of classes that are questions of their own: the shares are P_j − N_j by parts. */
static loss_status log_odds(const pass *p, int exponent, double *constant)
{
    loss_status status = LOSS_OK;
    for (int side = 0; side < 2 && status == LOSS_OK; side++) {
        for (int64_t j = 0; j < p->columns; j++) {
            p->point[j] = side == 0 ? -INFINITY : INFINITY;
        }
        status = run(p, exponent);
        for (int64_t j = 0; j < p->columns && status == LOSS_OK; j++) {
            const double part = lossi_exact_total(&p->shares[j]);
            if (side == 0) {
                constant[j] = part;
            } else if (constant[j] != 0 || part != 0) {
                constant[j] = lossi_constant_log_ratio(p->input->context, constant[j], -part);
            }
        }
        memset(p->shares, 0, (size_t)p->columns * sizeof *p->shares);
    }
    return status;
}

/* With a single class every constant is as good; 0, or the share of 1, is the one that sums to 1. */
static loss_status single_class(const pass *p, int exponent)
{
    int64_t next = 0, count = 0, counted = 0;
    loss_status status = LOSS_OK;
    while (status == LOSS_OK && next < p->input->target->rows) {
        status = fetch_tile(p, &next, exponent, &count);
        counted += count;
    }
    p->shares[0].sum = counted > 0;
    return status;
}

static loss_status find_shares(const pass *p, int exponent)
{
    const int32_t link = p->input->function->prepared.link;
    if (p->columns == 1) {
        return single_class(p, exponent);
    }
    if (link == LOSSI_LINK_SOFTMAX || p->input->function->prepared.constant == LOSSI_CONSTANT_MAJORITY) {
        return shares_of_logits(p, exponent);
    }
    for (int64_t j = 0; j < p->columns; j++) {
        p->point[j] = link == LOSSI_LINK_LOG ? 0 : 1;
    }
    return run(p, exponent);
}

/* The exponent of the largest weight that counts. */
static loss_status weight_exponent(const lossi_constant_input *input, int *exponent)
{
    double largest = 0;
    for (int64_t row = 0; input->weight != NULL && row < input->target->rows; row++) {
        double weight = 0;
        loss_status status = lossi_masked(input->mask, row) ? LOSS_OK
                                                            : lossi_constant_weight(input, row, &weight);
        if (status != LOSS_OK) {
            return status;
        }
        largest = weight > largest ? weight : largest;
    }
    *exponent = largest > 0 ? ilogb(largest) : 0;
    return LOSS_OK;
}

static void write_shares(const pass *p, double *constant)
{
    const int32_t logarithms = p->input->function->prepared.link != LOSSI_LINK_IDENTITY;
    const double temperature = p->input->function->prepared.temperature;
    lossi_exact_sum total = {0, 0};
    for (int64_t j = 0; j < p->columns; j++) {
        lossi_exact_add(&total, lossi_exact_total(&p->shares[j]));
    }
    for (int64_t j = 0; j < p->columns; j++) {
        const double share = lossi_exact_total(&p->shares[j]), all = lossi_exact_total(&total);
        constant[j] = logarithms ? temperature * lossi_constant_log_ratio(p->input->context, share, all)
                                 : share / all;
    }
}

static void write_majority(const pass *p, double *constant)
{
    lossi_exact_sum total = {0, 0};
    for (int64_t j = 0; j < p->columns; j++) {
        lossi_exact_add(&total, lossi_exact_total(&p->shares[j]));
    }
    const double all = lossi_exact_total(&total);
    for (int64_t j = 0; j < p->columns; j++) {
        const double share = lossi_exact_total(&p->shares[j]);
        constant[j] = share > all / 2 ? p->input->function->prepared.margin : all - all;
    }
}

loss_status lossi_constant_of_classes(const lossi_constant_input *input, int64_t columns, double *constant)
{
    pass p;
    int exponent = 0;
    const lossi_prepared *prepared = &input->function->prepared;
    const int32_t majority = prepared->constant == LOSSI_CONSTANT_MAJORITY;
    if (prepared->constant != LOSSI_CONSTANT_MEAN && !majority) {
        return lossi_fail(input->context, LOSS_ERROR_SUPPORT,
                          "%s has no closed form of a best constant and is not pointwise",
                          input->function->title);
    }
    loss_status status = begin(&p, input, columns);
    if (status == LOSS_OK) {
        status = weight_exponent(input, &exponent);
    }
    if (status == LOSS_OK && prepared->link == LOSSI_LINK_LOGIT) {
        status = log_odds(&p, exponent, constant);
    } else if (status == LOSS_OK) {
        status = find_shares(&p, exponent);
        if (status == LOSS_OK) {
            (majority ? write_majority : write_shares)(&p, constant);
        }
    }
    lossi_release(input->context, p.memory);
    return status;
}
