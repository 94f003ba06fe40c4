/*
 * Where the numbers lie, how many there are, what else is wanted, how many threads and which instruction set: none of it
 * changes a bit of a result.
 */
#include "losses.h"

#include <stdlib.h>
#include <string.h>

#include "support/guard.h"

/* ---- arrays in every shape ---- */

/* A way to lay out a matrix. */
typedef struct layout {
    const char *name;
    int32_t row_step, column_step; /* elements left between neighbours, in units of the dense distance */
    int32_t rows_backwards, columns_backwards, column_major, misaligned;
} layout;

static const layout layouts[] = {
    {"every second row and column", 2, 2, 0, 0, 0, 0},
    {"rows apart", 3, 1, 0, 0, 0, 0},
    {"rows backwards", 1, 1, 1, 0, 0, 0},
    {"columns backwards", 1, 1, 0, 1, 0, 0},
    {"all backwards", 2, 2, 1, 1, 0, 0},
    {"column-major", 1, 1, 0, 0, 1, 0},
    {"one byte off", 1, 1, 0, 0, 0, 1},
    {"one byte off, rows apart", 2, 1, 0, 0, 0, 1},
};

typedef struct view {
    char *memory, *first; /* first: element (0, 0) */
    int64_t rows, columns, row_stride, column_stride;
    size_t size;
} view;

static view view_create(const layout *how, int64_t rows, int64_t columns, size_t size)
{
    view made = {.rows = rows, .columns = columns, .size = size};
    int64_t row = how->column_major ? 1 : columns * how->column_step * how->row_step;
    int64_t column = how->column_major ? rows : how->column_step, start = 0;
    int64_t room = (rows > 0 ? rows - 1 : 0) * row + (columns > 0 ? columns - 1 : 0) * column + 1;
    made.memory = calloc((size_t)room * size + 16, 1);
    assert_non_null(made.memory);
    start += how->rows_backwards && rows > 0 ? (rows - 1) * row : 0;
    start += how->columns_backwards && columns > 0 ? (columns - 1) * column : 0;
    made.first = made.memory + how->misaligned + (size_t)start * size;
    made.row_stride = how->rows_backwards ? -row : row;
    made.column_stride = how->columns_backwards ? -column : column;
    return made;
}

static char *view_at(const view *from, int64_t row, int64_t column)
{
    return from->first + (row * from->row_stride + column * from->column_stride) * (int64_t)from->size;
}

static void view_fill(view *to, const void *dense)
{
    for (int64_t i = 0; i < to->rows * to->columns; i++) {
        memcpy(view_at(to, i / to->columns, i % to->columns), (const char *)dense + (size_t)i * to->size,
               to->size);
    }
}

static void view_read(const view *from, void *dense)
{
    for (int64_t i = 0; i < from->rows * from->columns; i++) {
        memcpy((char *)dense + (size_t)i * from->size, view_at(from, i / from->columns, i % from->columns),
               from->size);
    }
}

enum { VIEW_PREDICTION, VIEW_TARGET, VIEW_WEIGHT, VIEW_MASK, VIEW_DIRECTION, VIEW_INPUTS };
enum { VIEWS = VIEW_INPUTS + BATCH_OUTPUTS };

static void set_input(loss_context *context, loss_data *data, const char *role, const view *from,
                      loss_dtype dtype)
{
    assert_status(context,
                  loss_data_set_input(data, role, from->first, dtype, from->rows, from->columns,
                                      from->row_stride, from->column_stride),
                  LOSS_OK);
}

static view filled(const layout *how, const void *dense, loss_dtype dtype, int64_t rows, int64_t columns)
{
    view made = view_create(how, rows, columns, (size_t)loss_dtype_size(dtype));
    view_fill(&made, dense);
    return made;
}

/* Evaluates a copy of the batch whose every array has the layout; the outputs come back dense. */
static void evaluate_laid_out(const loss_case *given, const loss_function *function, const layout *how,
                              batch *made)
{
    static const char *const roles[] = {"prediction", "target", "weight", "mask", "direction"};
    int64_t rows = made->rows, columns = made->columns;
    loss_dtype target = made->labels ? LOSS_INT64 : made->dtype;
    const void *dense[] = {made->prediction, made->labels ? (void *)made->label : made->target, made->weight,
                           made->mask, made->direction};
    loss_dtype dtypes[] = {made->dtype, target, made->dtype, LOSS_UINT8, made->dtype};
    int64_t widths[] = {columns, made->labels ? 1 : columns, 1, 1, columns};
    loss_data *inputs, *outputs;
    view views[VIEWS];

    assert_status(given->context, loss_data_create(&inputs, given->context), LOSS_OK);
    assert_status(given->context, loss_data_create(&outputs, given->context), LOSS_OK);
    for (int k = 0; k < VIEW_INPUTS; k++) {
        views[k] = filled(how, dense[k], dtypes[k], rows, widths[k]);
        if (k != VIEW_TARGET || !made->untargeted) {
            set_input(given->context, inputs, roles[k], &views[k], dtypes[k]);
        }
    }
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        view *to = &views[VIEW_INPUTS + k];
        *to = view_create(how, rows, batch_width(made, k), (size_t)loss_dtype_size(made->dtype));
        assert_status(given->context,
                      loss_data_set_output(outputs, batch_output_names[k], to->first, made->dtype, rows,
                                           to->columns, to->row_stride, to->column_stride),
                      LOSS_OK);
    }
    assert_status(
        given->context,
        loss_function_evaluate(given->context, function, inputs, outputs, &made->sum, &made->denominator),
        LOSS_OK);
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        view_read(&views[VIEW_INPUTS + k], made->output[k]);
    }
    for (int k = 0; k < VIEWS; k++) {
        free(views[k].memory);
    }
    loss_data_free(inputs);
    loss_data_free(outputs);
}

/* A batch with weights and a mask that hides every fifth row. */
static batch rich_batch_of(const loss_case *given, const vector_group *group, int64_t rows, int64_t columns)
{
    batch made = batch_of_group(group, rows, columns, given->pointwise);
    made.give = GIVE_WEIGHT | GIVE_MASK | GIVE_DIRECTION;
    for (int64_t i = 0; i < rows; i++) {
        set_element(made.weight, made.dtype, i, 0.25 + 2 * scatter(i + 3));
        made.mask[i] = i % 5 != 3;
    }
    return made;
}

static batch rich_batch(const loss_case *given, const vector_group *group, int64_t rows)
{
    return rich_batch_of(given, group, rows, losses_columns(given, group));
}

void losses_strides(void **state)
{
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        static const int64_t sizes[] = {1, 37, 700};
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            batch dense = rich_batch(given, group, sizes[s]);
            assert_status(given->context, batch_evaluate(given->context, function, &dense), LOSS_OK);
            for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
                batch other = rich_batch(given, group, sizes[s]);
                evaluate_laid_out(given, function, &layouts[k], &other);
                assert_same_batch(&other, &dense);
                batch_free(&other);
            }
            batch_free(&dense);
        }
        loss_function_free(function);
    }
}

/* A row stride of 0 is the same row again and again: one target, weight or direction for all. */
void losses_broadcast(void **state)
{
    enum { ROWS = 131 };
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        int64_t columns = losses_columns(given, group);
        batch dense = batch_of_group(group, ROWS, columns, given->pointwise);
        batch once = batch_of_group(group, ROWS, columns, given->pointwise);
        loss_data *inputs, *outputs = batch_outputs(given->context, &once);
        for (int64_t i = 0; i < ROWS; i++) {
            memcpy((char *)dense.target + i * columns * loss_dtype_size(dense.dtype), once.target,
                   (size_t)(columns * loss_dtype_size(dense.dtype)));
            memcpy((char *)dense.direction + i * columns * loss_dtype_size(dense.dtype), once.direction,
                   (size_t)(columns * loss_dtype_size(dense.dtype)));
            dense.label[i] = once.label[0];
            set_element(dense.weight, dense.dtype, i, 1.75);
        }
        set_element(once.weight, once.dtype, 0, 1.75);
        dense.give = GIVE_WEIGHT | GIVE_DIRECTION;
        inputs = batch_inputs(given->context, &once);
        if (!once.untargeted) {
            loss_data_set_input(inputs, "target", once.labels ? (void *)once.label : once.target,
                                once.labels ? LOSS_INT64 : once.dtype, ROWS, once.labels ? 1 : columns, 0, 1);
        }
        loss_data_set_input(inputs, "weight", once.weight, once.dtype, ROWS, 1, 0, 1);
        loss_data_set_input(inputs, "direction", once.direction, once.dtype, ROWS, columns, 0, 1);
        assert_status(given->context, batch_evaluate(given->context, function, &dense), LOSS_OK);
        assert_status(
            given->context,
            loss_function_evaluate(given->context, function, inputs, outputs, &once.sum, &once.denominator),
            LOSS_OK);
        assert_same_batch(&once, &dense);
        loss_data_free(inputs);
        loss_data_free(outputs);
        batch_free(&dense);
        batch_free(&once);
        loss_function_free(function);
    }
}

/* ---- lengths ---- */

/* Moves the arrays a kernel reads and writes to the end of accessible memory, or back. */
static void guard_batch(batch *made, guarded blocks[], int32_t in)
{
    static void *kept[3 + BATCH_OUTPUTS];
    void **arrays[3 + BATCH_OUTPUTS] = {&made->prediction, &made->target,    &made->direction,
                                        &made->output[0],  &made->output[1], &made->output[2],
                                        &made->output[3]};
    for (int k = 0; k < 3 + BATCH_OUTPUTS; k++) {
        int64_t width = k < 3 ? made->columns : batch_width(made, k - 3);
        size_t size = (size_t)(made->rows * width * loss_dtype_size(made->dtype));
        if (in) {
            blocks[k] = guard_create(size);
            assert_non_null(blocks[k].start);
            kept[k] = *arrays[k];
            memcpy(blocks[k].start, kept[k], size);
            *arrays[k] = blocks[k].start;
        } else {
            memcpy(kept[k], blocks[k].start, size);
            *arrays[k] = kept[k];
            guard_free(&blocks[k]);
        }
    }
}

/* Each row of a batch gives the bits it gives alone, and the sum is the sum. */
static void check_against_single_rows(const batch *made, const batch *alone)
{
    long double sum = 0, size = 0;
    for (int k = 0; k < BATCH_OUTPUTS; k++) {
        assert_same_bits(made->output[k], alone->output[k], made->dtype, made->rows * batch_width(made, k));
    }
    for (int64_t i = 0; i < made->rows * made->value_columns; i++) {
        long double value = element(made->output[0], made->dtype, i);
        sum += value;
        size += value < 0 ? -value : value;
    }
    assert_close(made->sum, (double)sum, 0, (double)size * 1e-13);
}

/* Sum and gradient alone, the commonest wish, at the edge of accessible memory too: the same bits. */
static void check_gradient_alone(const loss_case *given, const loss_function *function, const batch *all)
{
    batch made = batch_create(all->dtype, all->rows, all->columns, all->value_columns, all->labels);
    guarded blocks[3 + BATCH_OUTPUTS];
    for (int64_t i = 0; i < all->rows; i++) {
        batch_copy_row(&made, i, all, i);
    }
    made.want = WANT_GRADIENT;
    guard_batch(&made, blocks, 1);
    assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
    guard_batch(&made, blocks, 0);
    assert_same_batch(&made, all);
    batch_free(&made);
}

/* Evaluates every row in a call of its own. */
static void evaluate_rows(const loss_case *given, const loss_function *function, batch *made)
{
    for (int64_t i = 0; i < made->rows; i++) {
        batch one = batch_create(made->dtype, 1, made->columns, made->value_columns, made->labels);
        batch_copy_row(&one, 0, made, i);
        assert_status(given->context, batch_evaluate(given->context, function, &one), LOSS_OK);
        for (int k = 0; k < BATCH_OUTPUTS; k++) {
            int64_t width = batch_width(&one, k);
            for (int64_t j = 0; j < width; j++) {
                set_element(made->output[k], made->dtype, i * width + j, batch_at(&one, k, 0, j));
            }
        }
        batch_free(&one);
    }
}

/* All lengths around the lanes, the tiles and the blocks, at the edge of accessible memory. */
void losses_tails(void **state)
{
    enum { SHORT = 66, LONGEST = 4097 };
    static const int64_t around[] = {204,  205,  255,  256,  257,  341,  342,  511,  512,  513,
                                     1023, 1024, 1025, 1365, 1366, 2048, 2049, 4095, 4096, LONGEST};
    enum { LENGTHS = SHORT + sizeof around / sizeof *around };
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        int64_t columns = given->pointwise ? 1 : group->columns;
        batch alone = batch_of_group(group, LONGEST, columns, given->pointwise);
        evaluate_rows(given, function, &alone);
        for (int64_t k = 0; k < (int64_t)LENGTHS; k++) {
            batch made = batch_of_group(group, k < SHORT ? k + 1 : around[k - SHORT], columns,
                                        given->pointwise);
            guarded blocks[3 + BATCH_OUTPUTS];
            guard_batch(&made, blocks, 1);
            assert_status(given->context, batch_evaluate(given->context, function, &made), LOSS_OK);
            guard_batch(&made, blocks, 0);
            check_against_single_rows(&made, &alone);
            check_gradient_alone(given, function, &made);
            batch_free(&made);
        }
        batch_free(&alone);
        loss_function_free(function);
    }
}

/* ---- any subset of the outputs ---- */

static void check_subset(const loss_case *given, const loss_function *function, batch *made, const batch *all,
                         int32_t want)
{
    batch_forget(made);
    made->want = want;
    assert_status(given->context, batch_evaluate(given->context, function, made), LOSS_OK);
    assert_same_batch(made, all);
    for (int k = 0; k < BATCH_OUTPUTS; k++) { /* what is not wanted is not written */
        if (!(want & (1 << k))) {
            assert_close(batch_at(made, k, 0, 0), 777, 0, 0);
            assert_close(batch_at(made, k, made->rows - 1, 0), 777, 0, 0);
        }
    }
}

/* Of rows with weights and masks, and of rows without: the latter have a shorter way through the library. */
void losses_subsets(void **state)
{
    static const int64_t sizes[] = {83, 1400};
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        for (int kind = 0; kind < 4; kind++) {
            batch all = rich_batch(given, group, sizes[kind / 2]),
                  some = rich_batch(given, group, sizes[kind / 2]);
            all.give = some.give = kind % 2 ? all.give : GIVE_DIRECTION | GIVE_SCALE;
            all.scale = some.scale = 0.75;
            assert_status(given->context, batch_evaluate(given->context, function, &all), LOSS_OK);
            for (int32_t want = 0; want < WANT_ALL; want++) {
                check_subset(given, function, &some, &all, want);
            }
            batch_free(&all);
            batch_free(&some);
        }
        loss_function_free(function);
    }
}

/* An output may be the very array of an input: the gradient in the place of the prediction. */
/* Arrays alone, the short way through src/loss/plain.c, where the mask of the other test never comes. */
static void check_plain_in_place(const loss_case *given, const loss_function *function,
                                 const vector_group *group, int64_t rows)
{
    batch apart = rich_batch(given, group, rows), within = rich_batch(given, group, rows);
    apart.give = within.give = 0;
    apart.want = within.want = WANT_GRADIENT;
    loss_data *inputs = batch_inputs(given->context, &within), *outputs;
    assert_status(given->context, batch_evaluate(given->context, function, &apart), LOSS_OK);
    assert_status(given->context, loss_data_create(&outputs, given->context), LOSS_OK);
    loss_data_set_output(outputs, "gradient", within.prediction, within.dtype, rows, within.columns,
                         within.columns, 1);
    assert_status(
        given->context,
        loss_function_evaluate(given->context, function, inputs, outputs, &within.sum, &within.denominator),
        LOSS_OK);
    assert_same_bits(within.prediction, apart.output[1], apart.dtype, rows * within.columns);
    assert_same_bits(&within.sum, &apart.sum, LOSS_FLOAT64, 1);
    loss_data_free(inputs);
    loss_data_free(outputs);
    batch_free(&apart);
    batch_free(&within);
}

void losses_in_place(void **state)
{
    enum { ROWS = 2051 };
    loss_case *given = *state;
    for (int64_t g = losses_next_group(given, -1); g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        batch apart = rich_batch(given, group, ROWS), within = rich_batch(given, group, ROWS);
        int64_t columns = within.columns, count = ROWS * columns;
        loss_data *inputs = batch_inputs(given->context, &within), *outputs;
        assert_status(given->context, batch_evaluate(given->context, function, &apart), LOSS_OK);
        assert_status(given->context, loss_data_create(&outputs, given->context), LOSS_OK);
        loss_data_set_output(outputs, "gradient", within.prediction, within.dtype, ROWS, columns, columns, 1);
        loss_data_set_output(outputs, "product", within.direction, within.dtype, ROWS, columns, columns, 1);
        assert_status(given->context,
                      loss_function_evaluate(given->context, function, inputs, outputs, &within.sum,
                                             &within.denominator),
                      LOSS_OK);
        assert_same_bits(within.prediction, apart.output[1], apart.dtype, count);
        assert_same_bits(within.direction, apart.output[3], apart.dtype, count);
        assert_same_bits(&within.sum, &apart.sum, LOSS_FLOAT64, 1);
        loss_data_free(inputs);
        loss_data_free(outputs);
        batch_free(&apart);
        batch_free(&within);
        check_plain_in_place(given, function, group, ROWS);
        loss_function_free(function);
    }
}

/* ---- threads and instruction sets ---- */

/* The batch again with another context gives the bits of the first. */
static void check_again(loss_context *context, const loss_function *function, batch *again,
                        const batch *first)
{
    batch_forget(again);
    assert_status(context, batch_evaluate(context, function, again), LOSS_OK);
    assert_same_batch(again, first);
}

/* Rows of so many columns, or of the loss's own; with everything, or the arrays alone, which go a shorter way. */
static batch batch_of_kind(const loss_case *given, const vector_group *group, int64_t rows, int64_t columns,
                           int32_t plain)
{
    batch made = rich_batch_of(given, group, rows, columns);
    made.give = plain ? 0 : made.give;
    made.want = plain ? WANT_GRADIENT : WANT_ALL;
    return made;
}

static void check_isas(const loss_case *given, const loss_function *function, const vector_group *group,
                       int64_t rows)
{
    for (int32_t i = 0; i < 2 * loss_context_isa_count(given->context); i++) {
        const int64_t columns = losses_columns(given, group);
        const char *name = loss_context_isa_name(given->context, i / 2);
        batch first = batch_of_kind(given, group, rows, columns, i % 2);
        batch again = batch_of_kind(given, group, rows, columns, i % 2);
        loss_context *context;
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_context_set_string(context, "isa", name), LOSS_OK);
        assert_status(given->context, batch_evaluate(given->context, function, &first), LOSS_OK);
        check_again(context, function, &again, &first);
        loss_context_free(context);
        batch_free(&first);
        batch_free(&again);
    }
}

/* Few threads, a number that divides nothing, and more than there are slices. */
static const int64_t thread_counts[] = {1, 2, 3, 7, 64};
enum { THREADS = sizeof thread_counts / sizeof *thread_counts };

/*
 * Rows around the lanes, tiles and blocks of core/sum.h, which begin at multiples of powers of two whatever the columns; and so
 * many that slices have several blocks, the last one of a slice or the last slice being shorter.
 */
static const struct {
    int64_t rows,
        columns; /* columns of a pointwise loss; in `elements` rows are divided by those there are */
    int32_t elements;
} lengths[] = {
    {1, 1, 0},    {15, 1, 0},   {16, 1, 0},   {17, 1, 0},   {1023, 1, 0},   {1024, 1, 0},   {1025, 1, 0},
    {4095, 1, 0}, {4096, 1, 0}, {4097, 1, 0}, {1366, 3, 0}, {100003, 1, 1}, {135169, 3, 1},
};

static void check_threads(const loss_case *given, const loss_function *function, const vector_group *group)
{
    loss_context *contexts[THREADS];
    for (int t = 0; t < THREADS; t++) {
        assert_int_equal(loss_context_create(&contexts[t]), LOSS_OK);
        assert_status(contexts[t], loss_context_set_int(contexts[t], "threads", thread_counts[t]), LOSS_OK);
    }
    for (size_t i = 0; i < 2 * (sizeof lengths / sizeof *lengths); i++) {
        const int32_t plain = i % 2;
        const int64_t columns = given->pointwise ? lengths[i / 2].columns : losses_columns(given, group);
        const int64_t rows = lengths[i / 2].rows / (lengths[i / 2].elements ? columns : 1);
        batch first = batch_of_kind(given, group, rows, columns, plain);
        batch again = batch_of_kind(given, group, rows, columns, plain);
        assert_status(given->context, batch_evaluate(given->context, function, &first), LOSS_OK);
        for (int t = 0; t < THREADS; t++) {
            check_again(contexts[t], function, &again, &first);
        }
        batch_free(&first);
        batch_free(&again);
    }
    for (int t = 0; t < THREADS; t++) {
        loss_context_free(contexts[t]);
    }
}

/*
 * Every instruction set over several blocks, and threads over several blocks a slice: one after the other, because the
 * order of sums is theirs together (core/sum.h).
 */
void losses_determinism(void **state)
{
    loss_case *given = *state;
    int64_t first = losses_next_group(given, -1);
    assert_true(loss_context_isa_count(given->context) > 0);
    for (int64_t g = first; g >= 0; g = losses_next_group(given, g)) {
        const vector_group *group = &given->file.groups[g];
        loss_function *function = losses_make(given, group->options);
        check_isas(given, function, group, g == first ? 5003 : 1501);
        if (g == first) {
            check_threads(given, function, group);
        }
        loss_function_free(function);
    }
}
