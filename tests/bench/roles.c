/* Fills the roles of losses with a structure: see roles.h. */
#include "roles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arrays.h"
#include "loss/handle.h"
#include "loss/random.h"

enum {
    VECTOR = 128, /* columns where a loss takes any number: an embedding */
    CLASSES = 10, /* columns of a role with a number of columns of its own */
    GROUP = 100,  /* rows of a group: the results of a query */
    LABELS = 20,  /* labels of a group with rows of its own */
    LARGE_PAGE = 2 * 1024 * 1024
};

typedef struct layout {
    int64_t rows, columns;
} layout;

static layout layout_of(const bench_roles *all, const lossi_structure *structure, const lossi_role *role)
{
    const int64_t groups = (all->rows + GROUP - 1) / GROUP;
    layout l = {all->rows, 1};
    if (role->kind == LOSSI_ROLE_OFFSETS) {
        l.rows = (structure->flags & LOSSI_GROUPED) != 0 ? groups + 1 : all->rows + 1;
        return l;
    }
    l.columns = role == &structure->roles[0] || role->columns == LOSSI_COLUMNS_SAME ? all->columns
                : role->columns == LOSSI_COLUMNS_ANY                                ? CLASSES
                                                                                    : role->columns;
    l.rows = role->rows == LOSSI_ROWS_ANY      ? CLASSES
             : role->rows == LOSSI_ROWS_SHARED ? 1
             : role->rows == LOSSI_ROWS_OWN    ? groups * LABELS
                                               : all->rows;
    return l;
}

/* Where a group starts, among `rows` rows of groups of equal size. */
static int64_t offset_at(const lossi_role *role, int64_t group, int64_t rows)
{
    const int64_t each = strcmp(role->name, "offsets") == 0 ? GROUP : LABELS;
    return group * each < rows ? group * each : rows;
}

/* The number of a role at row i, column j; u is uniform in [0, 1), before the number to the left. */
static double number_of(const lossi_role *role, layout l, int64_t j, double u, double before)
{
    static const lossi_domain everything = {-HUGE_VAL, HUGE_VAL, 0};
    const lossi_domain *domain = role->domain.low == 0 && role->domain.high == 0 && !role->domain.discrete
                                     ? &everything
                                     : &role->domain;
    if (role->rows == LOSSI_ROWS_SHARED) { /* thresholds rise */
        return j == 0 ? -2 : before + 4.0 / (double)l.columns;
    }
    if (strcmp(role->name, "lower") == 0) {
        return 0.5 + u;
    }
    if (strcmp(role->name, "upper") == 0) {
        return 1.5 + u;
    }
    if (strcmp(role->name, "target") == 0 && domain == &everything) { /* grades, signs */
        return u < 0.5 ? -1 : 1;
    }
    return bench_inside(domain, u);
}

static void fill_numbers(void *array, int bits, const lossi_role *role, layout l, int64_t seed)
{
    double u[CLASSES * VECTOR], before = 0;
    const int64_t piece = (int64_t)(sizeof u / sizeof *u), count = l.rows * l.columns;
    for (int64_t i = 0; i < count; i++) {
        if (i % piece == 0) {
            loss_random_uniform(seed, 0, i, piece, u);
        }
        before = number_of(role, l, i % l.columns, u[i % piece], before);
        if (bits == 32) {
            ((float *)array)[i] = (float)before;
        } else {
            ((double *)array)[i] = before;
        }
    }
}

static void fill_integers(int64_t *array, const bench_roles *all, const lossi_role *role, layout l,
                          int64_t lowest, int64_t classes)
{
    const int64_t count = (classes > 0 ? classes : 2) - lowest;
    const int64_t rows = strcmp(role->name, "offsets") == 0 ? all->rows : (l.rows - 1) * LABELS;
    for (int64_t i = 0; i < l.rows * l.columns; i++) {
        array[i] = role->kind == LOSSI_ROLE_OFFSETS ? offset_at(role, i, rows) : lowest + i * 7919 % count;
    }
}

/* On large pages, where the system has them, as the arrays of the limit are (arrays.c). */
static void *keep(bench_roles *all, int64_t numbers)
{
    void *array = NULL;
    if (posix_memalign(&array, LARGE_PAGE, (size_t)numbers * 8) != 0) {
        return NULL;
    }
    madvise(array, (size_t)numbers * 8, MADV_HUGEPAGE);
    all->array[all->arrays++] = array;
    all->bytes += numbers * 8;
    return array;
}

static loss_status add_role(bench_roles *all, const loss_function *function, int32_t r, int bits,
                            int64_t classes)
{
    const lossi_structure *structure = function->row->structure;
    const lossi_role *role = &structure->roles[r];
    const layout l = layout_of(all, structure, role);
    const int32_t real = role->kind == LOSSI_ROLE_REAL;
    const loss_dtype dtype = !real ? LOSS_INT64 : bits == 32 ? LOSS_FLOAT32 : LOSS_FLOAT64;
    char name[64] = "";
    void *array = keep(all, l.rows * l.columns);
    if (array == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    if (real) {
        fill_numbers(array, bits, role, l, r);
        all->bytes -= (8 - bits / 8) * l.rows * l.columns;
    } else {
        /* where a class is the blank, it is by default the first */
        fill_integers(array, all, role, l, structure->blank != NULL, classes);
    }
    loss_status status = loss_data_set_input(all->inputs, role->name, array, dtype, l.rows, l.columns,
                                             l.columns, 1);
    if (status != LOSS_OK || (role->flags & LOSSI_DIFFERENTIABLE) == 0) {
        return status;
    }
    array = keep(all, l.rows * l.columns);
    if (array == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    all->bytes -= (8 - bits / 8) * l.rows * l.columns;
    strcat(strcpy(name, role->name), ".gradient");
    return loss_data_set_output(all->outputs, name, array, dtype, l.rows, l.columns, l.columns, 1);
}

/* All roles but `left_out`. */
static loss_status try_roles(bench_roles *all, loss_context *context, const loss_function *function, int bits,
                             int64_t elements, int32_t left_out)
{
    const lossi_structure *structure = function->row->structure;
    const int32_t columns = structure->roles[0].columns;
    lossi_shape shape = {.real_size = bits / 8};
    double sum, denominator;
    memset(all, 0, sizeof *all);
    all->columns = columns > 0 ? columns : (function->row->flags & LOSSI_POINTWISE) != 0 ? 1 : VECTOR;
    all->rows = elements / all->columns;
    for (int32_t r = 0; r < structure->role_count; r++) {
        const layout l = layout_of(all, structure, &structure->roles[r]);
        shape.rows[r] = r == left_out ? -1 : l.rows;
        shape.columns[r] = r == left_out ? -1 : l.columns;
    }
    loss_status status = loss_data_create(&all->inputs, context);
    status = status == LOSS_OK ? loss_data_create(&all->outputs, context) : status;
    for (int32_t r = 0; r < structure->role_count && status == LOSS_OK; r++) {
        const int32_t asked = structure->roles[r].kind == LOSSI_ROLE_LABEL && structure->classes != NULL;
        const int64_t classes = asked ? structure->classes(&function->prepared, &shape, r) : 2;
        status = r == left_out ? LOSS_OK : add_role(all, function, r, bits, classes);
    }
    return status == LOSS_OK
               ? loss_function_evaluate(context, function, all->inputs, all->outputs, &sum, &denominator)
               : status;
}

loss_status bench_roles_create(bench_roles *all, loss_context *context, const loss_function *function,
                               int bits, int64_t elements)
{
    const lossi_structure *structure = function->row->structure;
    loss_status status = try_roles(all, context, function, bits, elements, -1);
    for (int32_t r = structure->role_count - 1; r > 0 && status != LOSS_OK; r--) {
        if ((structure->roles[r].flags & LOSSI_OPTIONAL) != 0) {
            bench_roles_free(all);
            status = try_roles(all, context, function, bits, elements, r);
        }
    }
    if (status != LOSS_OK) {
        bench_roles_free(all);
    }
    return status;
}

void bench_roles_free(bench_roles *all)
{
    loss_data_free(all->inputs);
    loss_data_free(all->outputs);
    for (int32_t i = 0; i < all->arrays; i++) {
        free(all->array[i]);
    }
    memset(all, 0, sizeof *all);
}
