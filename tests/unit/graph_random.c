/* See graph_random.h. Of every node a bound on its elements is kept, so that nothing grows out of what differences can tell. */
#include "graph_random.h"

#include <math.h>
#include <string.h>

enum { STREAM = 9, FIRST_NODES = 3, MOST_NODES = 25, TRIES = 40, LARGE = 8 };

typedef struct maker {
    random_graph *made;
    loss_context *context;
    dice dice;
    int32_t count;
    int32_t node[GRAPH_NODES];
    double bound[GRAPH_NODES];
    int32_t moves[GRAPH_NODES]; /* depends on parameters */
    int32_t used[GRAPH_NODES];  /* by another node */
} maker;

int32_t dice_below(dice *d, int32_t limit)
{
    return (int32_t)dice_uniform(d, 0, limit);
}

double dice_uniform(dice *d, double from, double to)
{
    double number;
    assert_int_equal(loss_random_uniform(d->seed, STREAM, d->next++, 1, &number), LOSS_OK);
    return from + (to - from) * number;
}

/* ---- nodes ---- */

static void keep(maker *m, int32_t node, double bound, int32_t moves)
{
    for (int32_t i = 0; i < m->count; i++) {
        if (m->node[i] == node) {
            return; /* an equal one that was there */
        }
    }
    assert_true(m->count < GRAPH_NODES);
    m->node[m->count] = node;
    m->bound[m->count] = bound;
    m->moves[m->count++] = moves;
}

/* The place of the node, −1 where shapes do not fit; then the sentence says so. */
static int32_t apply_with(maker *m, const char *name, const loss_operation *operation, const int32_t *places,
                          int32_t count, double bound)
{
    int32_t inputs[3], node = -7, moves = 0;
    for (int32_t i = 0; i < count; i++) {
        inputs[i] = m->node[places[i]];
        moves |= m->moves[places[i]];
    }
    const loss_status status = loss_graph_apply(m->made->graph, name, operation, inputs, count, &node);
    if (status == LOSS_ERROR_SHAPE) {
        assert_int_equal(node, -7);
        assert_sentence(m->context, "[");
        m->made->refused++;
        return -1;
    }
    assert_status(m->context, status, LOSS_OK);
    m->made->nodes++;
    keep(m, node, bound, moves);
    for (int32_t i = 0; i < count; i++) {
        m->used[places[i]]++;
    }
    for (int32_t i = 0; i < m->count; i++) {
        if (m->node[i] == node) {
            return i;
        }
    }
    return -1;
}

static int32_t apply(maker *m, const char *name, int32_t a, int32_t b, double bound)
{
    const int32_t places[] = {a, b};
    return apply_with(m, name, NULL, places, b < 0 ? 1 : 2, bound);
}

/* Late ones more often, so that graphs become deep. */
static int32_t any(maker *m)
{
    const int32_t late = m->count < 5 ? m->count : 5;
    return dice_below(&m->dice, 3) ? m->count - 1 - dice_below(&m->dice, late)
                                   : dice_below(&m->dice, m->count);
}

/* ---- operations ---- */

static const struct squashing {
    const char *name;
    double bound;
} squashing[] = {{"tanh", 1}, {"sigmoid", 1}, {"atan", 1.6}, {"normal_cdf", 1}, {"hypotenuse_slope", 1}};

static void add_unary(maker *m)
{
    static const char *const growing[] = {"square",       "softplus", "hypotenuse",     "negate",
                                          "pseudo_huber", "log_cosh", "normal_density", "logistic_density"};
    const int32_t a = any(m), large = m->bound[a] > LARGE;
    const int32_t which = dice_below(&m->dice, 11);
    if (large || which < 3) {
        const struct squashing *s = &squashing[dice_below(&m->dice, 5)];
        apply(m, s->name, a, -1, s->bound);
    } else if (which < 7) {
        const int32_t g = dice_below(&m->dice, 8);
        apply(m, growing[g], a, -1, g == 0 ? m->bound[a] * m->bound[a] : m->bound[a] + 1);
    } else if (which == 7) {
        const int32_t inside = apply(m, "tanh", a, -1, 1);
        apply(m, dice_below(&m->dice, 2) ? "exp" : "sinh", inside, -1, 3);
    } else if (which == 8) { /* of at least 1 */
        const int32_t inside = apply(m, "hypotenuse", a, -1, m->bound[a] + 1);
        apply(m, dice_below(&m->dice, 2) ? "log" : "sqrt", inside, -1, m->bound[a] + 1);
    } else if (which == 9) {
        const int32_t inside = apply(m, "square", a, -1, m->bound[a] * m->bound[a]);
        apply(m, dice_below(&m->dice, 2) ? "log1p" : "x_minus_log1p", inside, -1, m->bound[inside]);
    } else {
        apply(m, "reciprocal", apply(m, "hypotenuse", a, -1, m->bound[a] + 1), -1, 1);
    }
}

static void add_binary(maker *m)
{
    static const char *const names[] = {"add", "subtract", "multiply"};
    for (int32_t k = 0; k < TRIES; k++) {
        const int32_t a = any(m), b = any(m), which = dice_below(&m->dice, 5);
        int32_t made;
        if (m->bound[a] > LARGE || m->bound[b] > LARGE) {
            continue;
        }
        if (which < 3) {
            made = apply(m, names[which], a, b,
                         which == 2 ? m->bound[a] * m->bound[b] : m->bound[a] + m->bound[b]);
        } else {
            const int32_t below = apply(m, "hypotenuse", b, -1, m->bound[b] + 1);
            made = which == 3 ? apply(m, "divide", a, below, m->bound[a]) : apply(m, "xlogy", a, below, 20);
        }
        if (made >= 0) {
            return;
        }
    }
}

static void add_select(maker *m)
{
    for (int32_t k = 0; k < TRIES; k++) {
        /* of what no parameter moves, the condition does not switch while x moves */
        const int32_t places[] = {dice_below(&m->dice, 2), any(m), any(m)};
        const double a = m->bound[places[1]], b = m->bound[places[2]];
        if (apply_with(m, "select", NULL, places, 3, a > b ? a : b) >= 0) {
            return;
        }
    }
}

static void add_product(maker *m)
{
    for (int32_t k = 0; k < TRIES; k++) {
        loss_operation *product;
        const int32_t places[] = {any(m), any(m)};
        assert_status(m->context, loss_operation_create(&product, m->context, "matrix_product"), LOSS_OK);
        assert_status(m->context, loss_operation_set_int(product, "transpose", dice_below(&m->dice, 2)),
                      LOSS_OK);
        const double bound = 4 * m->bound[places[0]] * m->bound[places[1]];
        const int32_t made = bound > 40 ? -1 : apply_with(m, NULL, product, places, 2, bound);
        loss_operation_free(product);
        if (made >= 0) {
            return;
        }
    }
}

static int32_t add_reduction(maker *m, int32_t place, int32_t all)
{
    loss_operation *reduction;
    double axes[6], count = 0;
    const int32_t rank = loss_graph_node_rank(m->made->graph, m->node[place]), keep_axes = !all;
    const int32_t mean = all || dice_below(&m->dice, 2);
    assert_status(m->context, loss_operation_create(&reduction, m->context, mean ? "mean" : "sum"), LOSS_OK);
    for (int32_t i = 0; i < rank && !all; i++) {
        if (dice_below(&m->dice, 2)) {
            axes[(int32_t)count++] = dice_below(&m->dice, 2) ? i : i - rank;
        }
    }
    if (count > 0) {
        assert_status(m->context,
                      loss_operation_set_array(reduction, "axes", axes, LOSS_FLOAT64, (int64_t)count),
                      LOSS_OK);
        assert_status(m->context,
                      loss_operation_set_int(reduction, "keep_axes", keep_axes && dice_below(&m->dice, 2)),
                      LOSS_OK);
    }
    const int32_t made = apply_with(m, NULL, reduction, &place, 1, m->bound[place] * (mean ? 1 : 60));
    loss_operation_free(reduction);
    return made;
}

static void add_shape(maker *m)
{
    loss_operation *reshape;
    double sizes[6];
    int64_t row = 1;
    const int32_t place = any(m), node = m->node[place];
    const int32_t rank = loss_graph_node_rank(m->made->graph, node);
    const int32_t rows = rank > 0 && loss_graph_node_size(m->made->graph, node, 0) == LOSS_ROWS;
    if (dice_below(&m->dice, 2)) {
        apply(m, "flatten", place, -1, m->bound[place]);
        return;
    }
    for (int32_t i = rows; i < rank; i++) {
        row *= loss_graph_node_size(m->made->graph, node, i);
    }
    int32_t count = 0;
    if (rows) {
        sizes[count++] = LOSS_ROWS;
    }
    for (int32_t i = 0; i < dice_below(&m->dice, 2); i++) {
        sizes[count++] = 1;
    }
    if (row % 2 == 0) {
        sizes[count++] = 2;
        row /= 2;
    }
    sizes[count++] = (double)row;
    assert_status(m->context, loss_operation_create(&reshape, m->context, "reshape"), LOSS_OK);
    assert_status(m->context, loss_operation_set_array(reshape, "shape", sizes, LOSS_FLOAT64, count),
                  LOSS_OK);
    assert_true(apply_with(m, NULL, reshape, &place, 1, m->bound[place]) >= 0);
    loss_operation_free(reshape);
}

/* ---- what is given ---- */

static void add_leaves(maker *m)
{
    static const struct {
        const char *name;
        int32_t rank;
        int64_t size[3];
    } parameters[] = {{"matrix", 2, {3, 2}}, {"vector", 1, {2}},     {"number", 0, {0}}, {"row", 2, {1, 3}},
                      {"square", 2, {3, 3}}, {"cube", 3, {2, 1, 3}}, {"idle", 1, {4}}};
    static const double numbers[3] = {0.75, -1.25, 0.5}, one = -0.625;
    loss_graph *graph = m->made->graph;
    const loss_dtype dtype = loss_graph_dtype(graph);
    int32_t node;
    assert_status(m->context, loss_graph_input(graph, "features", dtype, 2, (int64_t[]){LOSS_ROWS, 3}, &node),
                  LOSS_OK);
    keep(m, node, 1, 0);
    assert_status(m->context, loss_graph_input(graph, "table", dtype, 2, (int64_t[]){2, 3}, &node), LOSS_OK);
    keep(m, node, 1, 0);
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        assert_status(
            m->context,
            loss_graph_parameter(graph, parameters[i].name, parameters[i].rank, parameters[i].size, &node),
            LOSS_OK);
        if (strcmp(parameters[i].name, "idle") != 0) {
            keep(m, node, 1, 1);
        }
    }
    assert_status(m->context, loss_graph_constant(graph, numbers, LOSS_FLOAT64, 1, (int64_t[]){3}, &node),
                  LOSS_OK);
    keep(m, node, 1.25, 0);
    assert_status(m->context, loss_graph_constant(graph, &one, LOSS_FLOAT64, 0, NULL, &node), LOSS_OK);
    keep(m, node, 1, 0);
    assert_status(m->context, loss_graph_input(graph, "labels", LOSS_INT64, 1, (int64_t[]){LOSS_ROWS}, &node),
                  LOSS_OK);
    m->made->cost = node; /* until there is a loss */
}

/* ---- losses ---- */

/* A loss of a node: of [rows, two or more] scores by labels, of [rows, 3] or [rows, 1] by the features; −1 else. */
static int32_t add_loss(maker *m, int32_t place, int32_t labels)
{
    static const char *const names[] = {"squared_error", "log_cosh", "cross_entropy"};
    static const char *const roles[] = {"prediction", "target"};
    const loss_graph *graph = m->made->graph;
    const int32_t node = m->node[place], rank = loss_graph_node_rank(graph, node);
    const int32_t rows = rank == 2 && loss_graph_node_size(graph, node, 0) == LOSS_ROWS;
    const int64_t columns = rows ? loss_graph_node_size(graph, node, 1) : 0;
    int32_t nodes[] = {node, columns == 3 ? m->node[0] : labels}, cost;
    const int32_t which = columns == 3 && dice_below(&m->dice, 2) ? dice_below(&m->dice, 2) : 2;
    loss_function *function;
    if (columns < 2) {
        return -1;
    }
    nodes[1] = which == 2 ? labels : m->node[0];
    assert_status(m->context, loss_function_create(&function, m->context, names[which]), LOSS_OK);
    assert_status(m->context, loss_graph_loss(m->made->graph, function, roles, nodes, 2, &cost), LOSS_OK);
    loss_function_free(function);
    return cost;
}

static void add_part(maker *m, int32_t part)
{
    int32_t *number = &m->made->number;
    if (*number < 0) {
        *number = part;
    } else {
        const int32_t inputs[] = {*number, part};
        assert_status(m->context, loss_graph_apply(m->made->graph, "add", NULL, inputs, 2, number), LOSS_OK);
    }
}

/* Everything that nothing else uses: as losses where it can be, else as means of squares. */
static void add_number(maker *m)
{
    random_graph *made = m->made;
    const int32_t labels = made->cost, last = m->count;
    made->number = -1;
    for (int32_t place = 0; place < last; place++) {
        if (!m->moves[place] || m->used[place]) {
            continue;
        }
        const int32_t part = add_loss(m, place, labels);
        made->elements = m->node[place];
        if (part >= 0) {
            made->cost = part;
            add_part(m, part);
        } else {
            const int32_t small = m->bound[place] > LARGE ? apply(m, "tanh", place, -1, 1) : place;
            add_part(m, m->node[add_reduction(m, apply(m, "square", small, -1, 64), 1)]);
        }
    }
    if (made->cost == labels) { /* there was none: scores from the features */
        made->cost = add_loss(m, apply(m, "matrix_product", 0, 2, 6), labels);
    }
    add_part(m, made->cost);
}

static void fill(random_graph *made, loss_context *context, dice *d)
{
    const loss_dtype dtype = loss_graph_dtype(made->graph);
    for (int32_t i = 0; i < GRAPH_ROWS * 3; i++) {
        made->narrow[i] = (float)dice_uniform(d, -1, 1);
        made->features[i] = made->narrow[i];
    }
    for (int32_t i = 0; i < 6; i++) {
        made->narrow[GRAPH_ROWS * 3 + i] = (float)dice_uniform(d, -1, 1);
        made->table[i] = made->narrow[GRAPH_ROWS * 3 + i];
    }
    for (int32_t i = 0; i < GRAPH_ROWS; i++) {
        made->labels[i] = dice_below(d, 2);
    }
    for (int32_t i = 0; i < GRAPH_X; i++) {
        made->x[i] = (float)dice_uniform(d, -1, 1);
        made->direction[i] = (float)dice_uniform(d, -1, 1);
    }
    const int32_t single = dtype == LOSS_FLOAT32;
    assert_status(context, loss_data_create(&made->data, context), LOSS_OK);
    assert_status(context,
                  loss_data_set_input(made->data, "features",
                                      single ? (const void *)made->narrow : made->features, dtype, GRAPH_ROWS,
                                      3, 3, 1),
                  LOSS_OK);
    assert_status(context,
                  loss_data_set_input(made->data, "table",
                                      single ? (const void *)(made->narrow + GRAPH_ROWS * 3) : made->table,
                                      dtype, 2, 3, 3, 1),
                  LOSS_OK);
    assert_status(context,
                  loss_data_set_input(made->data, "labels", made->labels, LOSS_INT64, GRAPH_ROWS, 1, 1, 1),
                  LOSS_OK);
}

void random_graph_make(random_graph *made, loss_context *context, uint64_t seed, loss_dtype dtype)
{
    maker m = {.made = made, .context = context, .dice = {seed, 0}};
    memset(made, 0, sizeof *made);
    assert_status(context, loss_graph_create(&made->graph, context, dtype), LOSS_OK);
    add_leaves(&m);
    if (seed % 4 != 0) {
        apply(&m, "matrix_product", 0, seed % 4 == 1 ? 2 : 6, 3);
    }
    const int32_t wanted = FIRST_NODES + dice_below(&m.dice, MOST_NODES - FIRST_NODES + 1);
    while (made->nodes < wanted) {
        switch (dice_below(&m.dice, 10)) {
        case 0:
        case 1:
        case 2:
            add_unary(&m);
            break;
        case 3:
        case 4:
        case 5:
            add_binary(&m);
            break;
        case 6:
            add_select(&m);
            break;
        case 7:
            add_shape(&m);
            break;
        case 8:
            add_reduction(&m, any(&m), 0);
            break;
        default:
            add_product(&m);
        }
    }
    add_number(&m);
    fill(made, context, &m.dice);
    assert_true(loss_graph_dimension(made->graph) <= GRAPH_X);
}

void random_graph_free(random_graph *made)
{
    loss_graph_free(made->graph);
    loss_data_free(made->data);
}

void random_graph_numbers(const random_graph *made, const double *from, void *to)
{
    for (int64_t i = 0; i < loss_graph_dimension(made->graph); i++) {
        set_element(to, loss_graph_dtype(made->graph), i, from[i]);
    }
}

loss_objective *random_graph_objective(const random_graph *made, loss_context *context, int32_t node)
{
    loss_objective *objective;
    assert_status(context, loss_objective_create_graph(&objective, context, made->graph, node, made->data),
                  LOSS_OK);
    return objective;
}
