/* See graph_model.h. */
#include "graph_model.h"

#include <string.h>

#include "support/batch.h"
#include "support/known.h"

enum { N = GRAPH_MODEL_ROWS, HIDDEN = 5, CLASSES = 3 };

enum { LABELS, TARGETS, WEIGHT, MASK, TABLE, NAMED };
static const char *const names[NAMED] = {"labels", "targets", "weight", "mask", "table"};

static int32_t apply(graph_model *m, const char *name, int32_t a, int32_t b)
{
    int32_t node;
    const int32_t inputs[] = {a, b};
    assert_status(context, loss_graph_apply(m->graph, name, NULL, inputs, b < 0 ? 1 : 2, &node), LOSS_OK);
    return node;
}

static void set_data(graph_model *m)
{
    assert_status(context, loss_data_create(&m->data, context), LOSS_OK);
    const struct {
        const char *name;
        const void *pointer;
        loss_dtype dtype;
        int64_t rows, columns;
    } arrays[] = {
        {"features", m->features, m->dtype, m->rows, 4}, {"targets", m->targets, m->dtype, m->rows, CLASSES},
        {"weight", m->weight, m->dtype, m->rows, 1},     {"labels", m->labels, LOSS_INT64, m->rows, 1},
        {"mask", m->mask, LOSS_UINT8, m->rows, 1},       {"table", m->table, m->dtype, 1, 3}};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        assert_status(context,
                      loss_data_set_input(m->data, arrays[i].name, arrays[i].pointer, arrays[i].dtype,
                                          arrays[i].rows, arrays[i].columns, arrays[i].columns, 1),
                      LOSS_OK);
    }
}

void graph_model_make(graph_model *m, loss_dtype dtype)
{
    int32_t features;
    memset(m, 0, sizeof *m);
    m->dtype = dtype;
    m->rows = N;
    for (int64_t i = 0; i < N; i++) {
        set_element(m->weight, dtype, i, 0.25 + scatter(i + 5));
        m->labels[i] = (i * i + 1) % CLASSES;
        m->mask[i] = i >= 9 && i % 5 != 2;
        for (int64_t j = 0; j < 4; j++) {
            set_element(m->features, dtype, i * 4 + j, 2 * scatter(i * 4 + j) - 1);
        }
        for (int64_t j = 0; j < CLASSES; j++) {
            set_element(m->targets, dtype, i * CLASSES + j, 3 * scatter(100 + i * CLASSES + j) - 1.5);
        }
    }
    for (int64_t i = 0; i < GRAPH_MODEL_X; i++) {
        set_element(m->x, dtype, i, 1.5 * scatter(i + 31) - 0.75);
        set_element(m->direction, dtype, i, scatter(i + 77) - 0.5);
    }
    for (int64_t i = 0; i < 3; i++) {
        set_element(m->table, dtype, i, (double)i / 2 + 0.25);
    }
    memset(m->named, 0xff, sizeof m->named);
    set_data(m);
    assert_status(context, loss_graph_create(&m->graph, context, dtype), LOSS_OK);
    assert_status(context,
                  loss_graph_input(m->graph, "features", dtype, 2, (int64_t[]){LOSS_ROWS, 4}, &features),
                  LOSS_OK);
    assert_status(context, loss_graph_parameter(m->graph, "hidden", 2, (int64_t[]){4, HIDDEN}, &m->hidden),
                  LOSS_OK);
    assert_status(context,
                  loss_graph_parameter(m->graph, "weights", 2, (int64_t[]){HIDDEN, CLASSES}, &m->weights),
                  LOSS_OK);
    assert_status(context, loss_graph_parameter(m->graph, "bias", 1, (int64_t[]){CLASSES}, &m->bias),
                  LOSS_OK);
    const int32_t hidden = apply(m, "tanh", apply(m, "matrix_product", features, m->hidden), -1);
    m->scores = apply(m, "add", apply(m, "matrix_product", hidden, m->weights), m->bias);
}

void graph_model_free(graph_model *m)
{
    loss_graph_free(m->graph);
    loss_data_free(m->data);
}

void graph_model_pick(graph_model *to, const graph_model *from, const int64_t *indices, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t place = indices != NULL ? indices[i] : i;
        set_element(to->weight, to->dtype, i, element(from->weight, from->dtype, place));
        to->labels[i] = from->labels[place];
        to->mask[i] = from->mask[place];
        for (int64_t j = 0; j < 4; j++) {
            set_element(to->features, to->dtype, i * 4 + j,
                        element(from->features, from->dtype, place * 4 + j));
        }
        for (int64_t j = 0; j < CLASSES; j++) {
            set_element(to->targets, to->dtype, i * CLASSES + j,
                        element(from->targets, from->dtype, place * CLASSES + j));
        }
    }
    to->rows = count;
    loss_data_free(to->data);
    set_data(to);
}

/* An input is made when it is first asked for. */
static int32_t named(graph_model *m, const char *name)
{
    static const loss_dtype types[NAMED] = {LOSS_INT64, 0, 0, LOSS_UINT8, 0};
    int32_t which = 0;
    while (strcmp(names[which], name) != 0) {
        which++;
    }
    if (m->named[which] < 0) {
        const loss_dtype dtype = types[which] == 0 ? m->dtype : types[which];
        const int64_t shape[] = {LOSS_ROWS, CLASSES}, table[] = {CLASSES};
        assert_status(context,
                      loss_graph_input(m->graph, name, dtype, which == TARGETS ? 2 : 1,
                                       which == TABLE ? table : shape, &m->named[which]),
                      LOSS_OK);
    }
    return m->named[which];
}

int32_t graph_model_loss(graph_model *m, const char *name, const char *target, const char *given)
{
    loss_function *function;
    int32_t node;
    const char *const roles[] = {"prediction", "target", given};
    const int32_t nodes[] = {m->scores, named(m, target), *given != '\0' ? named(m, given) : -1};
    assert_status(context, loss_function_create(&function, context, name), LOSS_OK);
    assert_status(context, loss_graph_loss(m->graph, function, roles, nodes, *given != '\0' ? 3 : 2, &node),
                  LOSS_OK);
    loss_function_free(function);
    return node;
}

int32_t graph_model_penalty(graph_model *m)
{
    return apply(m, "mean", apply(m, "square", m->weights, -1), -1);
}

int32_t graph_model_mean(graph_model *m)
{
    return apply(m, "mean", apply(m, "square", m->scores, -1), -1);
}

int32_t graph_model_table(graph_model *m)
{
    return apply(m, "mean", named(m, "table"), -1);
}

int32_t graph_model_add(graph_model *m, int32_t a, int32_t b)
{
    return apply(m, "add", a, b);
}

loss_objective *graph_model_objective(const graph_model *m, int32_t node)
{
    loss_objective *objective;
    assert_status(context, loss_objective_create_graph(&objective, context, m->graph, node, m->data),
                  LOSS_OK);
    return objective;
}
