/*
 * How long steps of training by graphs take: value and gradient of a batch of 64 in float32.
 *
 *     bench_graphs [--model NAME] [--threads N] [--seconds S]
 *
 * One JSON object a line:
 *   model       perceptron 784-256-10; cnn, four 3 × 3 convolutions and two pools; residual, three blocks with batch_norm
 *   threads, isa
 *   value_us, gradient_us, product_us   of an evaluation, the smallest of some; product: of a Hessian product
 *   by_hand_us  of the perceptron: the same products with loops written for it
 *   bytes       that the context had at most at a time
 * tests/bench/graphs.py runs it beside the same models in PyTorch.
 */
#include <loss/loss.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "gradient/matrix_product.h"
#include "measure.h"

enum { BATCH = 64, PIXELS = 784, CLASSES = 10, HIDDEN = 256 };

/* ---- memory ---- */

typedef struct meter {
    int64_t now, most;
} meter;

/* The size is kept in front of a block. */
static int32_t take(void *user, int64_t size, void **pointer)
{
    meter *m = user;
    char *block = malloc((size_t)size + 64);
    *pointer = NULL;
    if (block != NULL) {
        memcpy(block, &size, sizeof size);
        *pointer = block + 64;
        m->now += size;
        m->most = m->now > m->most ? m->now : m->most;
    }
    return 0;
}

static int32_t release(void *user, void *pointer)
{
    meter *m = user;
    int64_t size;
    if (pointer != NULL) {
        memcpy(&size, (char *)pointer - 64, sizeof size);
        m->now -= size;
        free((char *)pointer - 64);
    }
    return 0;
}

/* ---- building ---- */

typedef struct builder {
    loss_context *context;
    loss_graph *graph;
    int32_t parameters;
} builder;

static void check(const builder *b, loss_status status)
{
    if (status != LOSS_OK) {
        fprintf(stderr, "bench_graphs: %s\n", loss_context_error(b->context));
        exit(1);
    }
}

static int32_t parameter(builder *b, int32_t rank, const int64_t *shape)
{
    char name[32];
    int32_t node;
    snprintf(name, sizeof name, "p%d", (int)b->parameters++);
    check(b, loss_graph_parameter(b->graph, name, rank, shape, &node));
    return node;
}

static int32_t apply(builder *b, const char *name, const int32_t *inputs, int32_t count)
{
    int32_t node;
    check(b, loss_graph_apply(b->graph, name, NULL, inputs, count, &node));
    return node;
}

static int32_t two(builder *b, const char *name, int32_t first, int32_t second)
{
    return apply(b, name, (int32_t[]){first, second}, 2);
}

static int32_t relu(builder *b, int32_t x)
{
    int32_t zero;
    check(b, loss_graph_constant(b->graph, &(float){0}, LOSS_FLOAT32, 0, NULL, &zero));
    return two(b, "maximum", x, zero);
}

static int32_t dense(builder *b, int32_t x, int64_t from, int64_t to)
{
    const int32_t weights = parameter(b, 2, (int64_t[]){from, to});
    return two(b, "add", two(b, "matrix_product", x, weights), parameter(b, 1, &to));
}

static int32_t convolve(builder *b, int32_t x, int64_t size, int64_t from, int64_t to, int64_t stride)
{
    loss_operation *conv = NULL;
    const int32_t weights = parameter(b, 4, (int64_t[]){size, size, from, to});
    const int64_t padding = size / 2;
    int32_t node;
    check(b, loss_operation_create(&conv, b->context, "conv2d"));
    check(b, loss_operation_set_array(conv, "stride", &stride, LOSS_INT64, 1));
    check(b, loss_operation_set_array(conv, "padding", &padding, LOSS_INT64, 1));
    check(b, loss_graph_apply(b->graph, NULL, conv, (int32_t[]){x, weights}, 2, &node));
    loss_operation_free(conv);
    return node;
}

static int32_t convolve_biased(builder *b, int32_t x, int64_t from, int64_t to)
{
    const int32_t y = convolve(b, x, 3, from, to, 1);
    return relu(b, two(b, "add", y, parameter(b, 1, &to)));
}

static int32_t flatten(builder *b, int32_t x)
{
    return apply(b, "flatten", &x, 1);
}

static int32_t perceptron(builder *b, int32_t x)
{
    return dense(b, relu(b, dense(b, flatten(b, x), PIXELS, HIDDEN)), HIDDEN, CLASSES);
}

static int32_t cnn(builder *b, int32_t x)
{
    x = convolve_biased(b, convolve_biased(b, x, 1, 32), 32, 32);
    x = apply(b, "max_pool2d", &x, 1);
    x = convolve_biased(b, convolve_biased(b, x, 32, 64), 64, 64);
    x = flatten(b, apply(b, "max_pool2d", &x, 1));
    return dense(b, relu(b, dense(b, x, 7 * 7 * 64, 128)), 128, CLASSES);
}

static int32_t norm(builder *b, int32_t x, int64_t channels)
{
    const int32_t scale = parameter(b, 1, &channels), shift = parameter(b, 1, &channels);
    return apply(b, "batch_norm", (int32_t[]){x, scale, shift}, 3);
}

static int32_t block(builder *b, int32_t x, int64_t from, int64_t to, int64_t stride)
{
    int32_t y = relu(b, norm(b, convolve(b, x, 3, from, to, stride), to));
    y = norm(b, convolve(b, y, 3, to, to, 1), to);
    if (from != to) {
        x = norm(b, convolve(b, x, 1, from, to, stride), to);
    }
    return relu(b, two(b, "add", x, y));
}

static int32_t residual(builder *b, int32_t x)
{
    loss_operation *mean = NULL;
    int32_t node;
    x = relu(b, norm(b, convolve(b, x, 3, 1, 16, 1), 16));
    x = block(b, block(b, block(b, x, 16, 16, 1), 16, 32, 2), 32, 64, 2);
    check(b, loss_operation_create(&mean, b->context, "mean"));
    check(b, loss_operation_set_array(mean, "axes", (int32_t[]){1, 2}, LOSS_INT32, 2));
    check(b, loss_graph_apply(b->graph, NULL, mean, &x, 1, &node));
    loss_operation_free(mean);
    return dense(b, node, 64, CLASSES);
}

static const struct {
    const char *name;
    int32_t (*build)(builder *b, int32_t x);
} models[] = {{"perceptron", perceptron}, {"cnn", cnn}, {"residual", residual}};

/* ---- running ---- */

typedef struct job {
    loss_objective *objective;
    void *x, *gradient, *direction;
} job;

static void run_value(void *argument)
{
    const job *j = argument;
    double value;
    loss_objective_evaluate(j->objective, j->x, &value, NULL);
}

static void run_gradient(void *argument)
{
    const job *j = argument;
    double value;
    loss_objective_evaluate(j->objective, j->x, &value, j->gradient);
}

static void run_product(void *argument)
{
    const job *j = argument;
    loss_objective_hessian_product(j->objective, j->x, j->direction, j->gradient);
}

static float images[BATCH * PIXELS];
static int32_t labels[BATCH];

/* Numbers between −½ and ½. */
static float number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)(int32_t)(*state >> 32) * 0x1p-32f;
}

/* ---- the perceptron by hand ---- */

typedef struct by_hand {
    loss_context *context;
    const float *x; /* as in the graph: weights, biases of both layers */
    float *gradient, hidden[BATCH * HIDDEN], scores[BATCH * CLASSES], back[BATCH * HIDDEN];
    double cost;
} by_hand;

static void product(const by_hand *h, int64_t rows, int64_t columns, int64_t inner, lossi_matrix_view a,
                    lossi_matrix_view b, float *c)
{
    void *scratch = lossi_scratch(
        h->context, lossi_matrix_product_scratch(h->context, LOSS_FLOAT32, rows, columns, inner));
    lossi_matrix_product(h->context, LOSS_FLOAT32, rows, columns, inner, a, b, c, columns, 0, scratch);
}

static void sum_rows(const float *from, int64_t columns, float *sum)
{
    memset(sum, 0, sizeof *sum * (size_t)columns);
    for (int64_t i = 0; i < BATCH; i++) {
        for (int64_t j = 0; j < columns; j++) {
            sum[j] += from[i * columns + j];
        }
    }
}

static void run_by_hand(void *argument)
{
    by_hand *h = argument;
    const float *w1 = h->x, *b1 = w1 + PIXELS * HIDDEN, *w2 = b1 + HIDDEN, *b2 = w2 + HIDDEN * CLASSES;
    float *g1 = h->gradient, *c1 = g1 + PIXELS * HIDDEN, *g2 = c1 + HIDDEN, *c2 = g2 + HIDDEN * CLASSES;
    product(h, BATCH, HIDDEN, PIXELS, (lossi_matrix_view){images, PIXELS, 1},
            (lossi_matrix_view){w1, HIDDEN, 1}, h->hidden);
    for (int i = 0; i < BATCH; i++) {
        for (int j = 0; j < HIDDEN; j++) {
            const float v = h->hidden[i * HIDDEN + j] + b1[j];
            h->hidden[i * HIDDEN + j] = v > 0 ? v : 0;
        }
    }
    product(h, BATCH, CLASSES, HIDDEN, (lossi_matrix_view){h->hidden, HIDDEN, 1},
            (lossi_matrix_view){w2, CLASSES, 1}, h->scores);
    h->cost = 0;
    for (int i = 0; i < BATCH; i++) {
        float *s = h->scores + i * CLASSES, most = -INFINITY, sum = 0;
        for (int j = 0; j < CLASSES; j++) {
            s[j] += b2[j];
            most = s[j] > most ? s[j] : most;
        }
        const float own = s[labels[i]];
        for (int j = 0; j < CLASSES; j++) {
            s[j] = expf(s[j] - most);
            sum += s[j];
        }
        h->cost += (logf(sum) + most - own) / BATCH;
        for (int j = 0; j < CLASSES; j++) {
            s[j] = (s[j] / sum - (j == labels[i])) / BATCH;
        }
    }
    product(h, HIDDEN, CLASSES, BATCH, (lossi_matrix_view){h->hidden, 1, HIDDEN},
            (lossi_matrix_view){h->scores, CLASSES, 1}, g2);
    sum_rows(h->scores, CLASSES, c2);
    product(h, BATCH, HIDDEN, CLASSES, (lossi_matrix_view){h->scores, CLASSES, 1},
            (lossi_matrix_view){w2, 1, CLASSES}, h->back);
    for (int i = 0; i < BATCH * HIDDEN; i++) {
        h->back[i] = h->hidden[i] > 0 ? h->back[i] : 0;
    }
    product(h, PIXELS, HIDDEN, BATCH, (lossi_matrix_view){images, 1, PIXELS},
            (lossi_matrix_view){h->back, HIDDEN, 1}, g1);
    sum_rows(h->back, HIDDEN, c1);
}

/* ---- a model ---- */

static loss_objective *objective_of(builder *b, int32_t model)
{
    static const char *const roles[] = {"prediction", "target"};
    loss_function *function = NULL;
    loss_data *data = NULL;
    loss_objective *objective = NULL;
    int32_t x, y, cost;
    check(b, loss_graph_create(&b->graph, b->context, LOSS_FLOAT32));
    check(b, loss_graph_input(b->graph, "image", LOSS_FLOAT32, 4, (int64_t[]){LOSS_ROWS, 28, 28, 1}, &x));
    check(b, loss_graph_input(b->graph, "label", LOSS_INT32, 2, (int64_t[]){LOSS_ROWS, 1}, &y));
    check(b, loss_function_create(&function, b->context, "cross_entropy"));
    const int32_t scores = models[model].build(b, x);
    check(b, loss_graph_loss(b->graph, function, roles, (int32_t[]){scores, y}, 2, &cost));
    check(b, loss_data_create(&data, b->context));
    check(b, loss_data_set_input(data, "image", images, LOSS_FLOAT32, BATCH, PIXELS, PIXELS, 1));
    check(b, loss_data_set_input(data, "label", labels, LOSS_INT32, BATCH, 1, 1, 1));
    check(b, loss_objective_create_graph(&objective, b->context, b->graph, cost, data));
    check(b, loss_objective_prepare(objective));
    loss_function_free(function);
    loss_data_free(data);
    return objective;
}

static void run_model(int32_t model, int32_t threads, double seconds)
{
    builder b = {0};
    meter m = {0};
    uint64_t state = 1;
    if (loss_context_create_with_allocator(&b.context, take, release, &m) != LOSS_OK) {
        fprintf(stderr, "bench_graphs: no memory\n");
        exit(1);
    }
    check(&b, loss_context_set_int(b.context, "threads", threads));
    job j = {.objective = objective_of(&b, model)};
    const int64_t n = loss_objective_dimension(j.objective);
    float *numbers = malloc(sizeof *numbers * (size_t)(3 * n));
    by_hand *hand = calloc(1, sizeof *hand);
    if (numbers == NULL || hand == NULL) {
        fprintf(stderr, "bench_graphs: no memory\n");
        exit(1);
    }
    for (int64_t i = 0; i < 2 * n; i++) {
        numbers[i] = 0.1f * number(&state);
    }
    j.x = numbers;
    j.direction = numbers + n;
    j.gradient = numbers + 2 * n;
    run_gradient(&j);
    const int64_t bytes = m.most;
    bench_action actions[] = {{.run = run_value, .argument = &j},
                              {.run = run_gradient, .argument = &j},
                              {.run = run_product, .argument = &j},
                              {.run = run_by_hand, .argument = hand}};
    *hand = (by_hand){.context = b.context, .x = numbers, .gradient = numbers + 2 * n};
    bench_measure(actions, model == 0 ? 4 : 3, seconds, 5);
    const char *isa = NULL;
    check(&b, loss_context_get_string(b.context, "isa", &isa));
    printf("{\"model\": \"%s\", \"threads\": %d, \"isa\": \"%s\", \"value_us\": %.1f, \"gradient_us\": %.1f, "
           "\"product_us\": %.1f, \"bytes\": %lld",
           models[model].name, (int)threads, isa, 1e6 * actions[0].smallest, 1e6 * actions[1].smallest,
           1e6 * actions[2].smallest, (long long)bytes);
    if (model == 0) {
        printf(", \"by_hand_us\": %.1f", 1e6 * actions[3].smallest);
    }
    printf("}\n");
    fflush(stdout);
    free(numbers);
    free(hand);
    loss_objective_free(j.objective);
    loss_graph_free(b.graph);
    loss_context_free(b.context);
}

int main(int argc, char **argv)
{
    const char *only = "";
    int threads = 1;
    double seconds = 0.05;
    uint64_t state = 7;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--model") == 0) {
            only = argv[i + 1];
        } else if (strcmp(argv[i], "--threads") == 0) {
            threads = atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = atof(argv[i + 1]);
        }
    }
    for (int i = 0; i < BATCH * PIXELS; i++) {
        images[i] = number(&state) + 0.5f;
    }
    for (int i = 0; i < BATCH; i++) {
        labels[i] = i % CLASSES;
    }
    for (int32_t i = 0; i < (int32_t)(sizeof models / sizeof models[0]); i++) {
        if (only[0] == '\0' || strcmp(only, models[i].name) == 0) {
            run_model(i, threads, seconds);
        }
    }
    return 0;
}
