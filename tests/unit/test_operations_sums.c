/* Reductions of graphs: lanes, blocks, pieces and tree as reduce_run.c lays them down, to the bit, for any threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "gradient/graph/reduce.h"
#include "support/check.h"

typedef struct reduction_case {
    lossi_shape shape;
    int32_t axes; /* a bit each */
} reduction_case;

/* Nothing; one; short rows and rows of all lengths about 16; narrow and wide columns; several blocks and pieces; axes in turn. */
static const reduction_case cases[] = {
    {{1, {0}}, 1},          {{2, {0, 3}}, 1},        {{2, {3, 0}}, 1},           {{1, {1}}, 1},
    {{2, {5, 1}}, 2},       {{2, {40, 2}}, 2},       {{2, {41, 3}}, 2},          {{2, {37, 7}}, 2},
    {{2, {1000, 10}}, 2},   {{2, {33, 15}}, 2},      {{2, {33, 16}}, 2},         {{2, {33, 17}}, 2},
    {{2, {20, 100}}, 2},    {{1, {4096}}, 1},        {{1, {16383}}, 1},          {{1, {16385}}, 1},
    {{1, {300001}}, 1},     {{2, {3, 70003}}, 2},    {{2, {7, 3}}, 1},           {{2, {1000, 2}}, 1},
    {{2, {50001, 3}}, 1},   {{2, {10001, 8}}, 1},    {{2, {3333, 9}}, 1},        {{2, {777, 16}}, 1},
    {{2, {777, 17}}, 1},    {{2, {5000, 33}}, 1},    {{2, {600, 250}}, 1},       {{2, {70, 1025}}, 1},
    {{2, {40, 5000}}, 1},   {{3, {9, 31, 12}}, 2},   {{3, {2, 20001, 5}}, 2},    {{3, {7, 5, 13}}, 5},
    {{3, {300, 6, 70}}, 5}, {{4, {3, 4, 5, 6}}, 10}, {{5, {3, 2, 4, 2, 5}}, 21}, {{3, {4, 1, 6}}, 2},
    {{3, {4, 5, 6}}, 7},    {{3, {4, 5, 6}}, 0},     {{2, {65536, 4}}, 3},
};

enum { CASES = sizeof cases / sizeof cases[0] };

static double at(loss_dtype dtype, const void *x, int64_t i)
{
    return element(x, dtype, i);
}

static double join(int32_t kind, double a, double b)
{
    if (kind == LOSSI_REDUCE_SUM) {
        return a + b;
    }
    if (isnan(a) || isnan(b)) {
        return NAN;
    }
    return kind == LOSSI_REDUCE_MAXIMUM ? (b > a ? b : a) : (b < a ? b : a);
}

static double start(int32_t kind)
{
    return kind == LOSSI_REDUCE_SUM ? 0 : kind == LOSSI_REDUCE_MAXIMUM ? -INFINITY : INFINITY;
}

/* Column j of rows × columns, by the rules in words of reduce_run.c. */
static double reduce_column(int32_t kind, loss_dtype dtype, const void *x, int64_t rows, int64_t columns,
                            int64_t j)
{
    int64_t lanes = 1, block = 1;
    while (2 * lanes * columns <= 16) {
        lanes *= 2;
    }
    while (2 * block * columns <= 4096) {
        block *= 2;
    }
    block = block < 16 ? 16 : block;
    int64_t piece = (rows + 31) / 32;
    piece = piece < 64 ? 64 : piece;
    piece = piece * columns < 16384 ? 16384 / columns : piece;
    piece = (piece + block - 1) / block * block;
    double pieces[33];
    int64_t count = 0;
    for (int64_t first = 0; first < rows || first == 0; first += piece) {
        double sums[16];
        for (int64_t k = 0; k < lanes; k++) {
            sums[k] = start(kind);
        }
        for (int64_t i = first; i < rows && i < first + piece; i += block) {
            int64_t end = i + block < rows ? i + block : rows;
            end = end < first + piece ? end : first + piece;
            const int64_t whole = i + (end - i) / lanes * lanes;
            for (int64_t k = 0; k < lanes; k++) {
                double sum = start(kind), rest = start(kind);
                for (int64_t r = i + k; r < whole; r += lanes) {
                    sum = join(kind, sum, at(dtype, x, r * columns + j));
                }
                sums[k] = join(kind, sums[k], sum);
                if (whole + k < end) {
                    rest = join(kind, rest, at(dtype, x, (whole + k) * columns + j));
                    sums[k] = join(kind, sums[k], rest);
                }
            }
        }
        for (int64_t half = lanes / 2; half > 0; half /= 2) {
            for (int64_t k = 0; k < half; k++) {
                sums[k] = join(kind, sums[k], sums[k + half]);
            }
        }
        pieces[count++] = sums[0];
    }
    for (; count > 1; count = (count + 1) / 2) {
        for (int64_t i = 0; i < count / 2; i++) {
            pieces[i] = join(kind, pieces[2 * i], pieces[2 * i + 1]);
        }
        if (count % 2 != 0) {
            pieces[count / 2] = pieces[count - 1];
        }
    }
    return pieces[0];
}

/* Axis after axis from the last, neighbours of one kind joined; in place of the input stand doubles from the second on. */
static double *reference(int32_t kind, loss_dtype dtype, const void *x, const reduction_case *of)
{
    int64_t size[LOSSI_RANK];
    int gone[LOSSI_RANK], groups = 0;
    for (int i = 0; i < of->shape.rank; i++) {
        const int reduced = of->axes >> i & 1;
        if (of->shape.size[i] == 1) {
            continue;
        }
        if (groups > 0 && gone[groups - 1] == reduced) {
            size[groups - 1] *= of->shape.size[i];
        } else {
            gone[groups] = reduced;
            size[groups++] = of->shape.size[i];
        }
    }
    int64_t elements = 1;
    for (int g = 0; g < groups; g++) {
        elements *= size[g];
    }
    double *now = calloc((size_t)elements + 1, sizeof *now);
    assert_non_null(now);
    for (int64_t i = 0; i < elements; i++) {
        now[i] = at(dtype, x, i);
    }
    for (int g = groups - 1; g >= 0; g--) {
        int64_t outer = 1, columns = 1;
        if (!gone[g]) {
            continue;
        }
        for (int k = 0; k < groups; k++) {
            *(k < g ? &outer : &columns) *= k == g || (k > g && gone[k]) ? 1 : size[k];
        }
        double *next = calloc((size_t)(outer * columns) + 1, sizeof *next);
        assert_non_null(next);
        for (int64_t i = 0; i < outer * columns; i++) {
            next[i] = reduce_column(kind, LOSS_FLOAT64, now + i / columns * size[g] * columns, size[g],
                                    columns, i % columns);
        }
        free(now);
        now = next;
    }
    return now;
}

static loss_context *new_context(int64_t threads, const char *isa)
{
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
    assert_status(context, loss_context_set_string(context, "isa", isa), LOSS_OK);
    return context;
}

static int64_t elements_of(const lossi_shape *shape)
{
    int64_t count = 1;
    for (int32_t i = 0; i < shape->rank; i++) {
        count *= shape->size[i];
    }
    return count;
}

static void check_case(loss_context *context, int32_t kind, loss_dtype dtype, const reduction_case *of,
                       int with_nan)
{
    const int64_t count = elements_of(&of->shape), size = loss_dtype_size(dtype);
    lossi_value in = {.dtype = dtype, .shape = of->shape}, out = in;
    uint64_t seed = 17;
    for (int32_t i = 0; i < of->shape.rank; i++) {
        out.shape.size[i] = of->axes >> i & 1 ? 1 : of->shape.size[i];
    }
    const int64_t results = elements_of(&out.shape);
    in.data = malloc((size_t)(count * size) + 1); /* ends where it ends: valgrind and sanitizers see more */
    out.data = malloc((size_t)(results * size) + 1);
    char *scratch = malloc((size_t)lossi_reduce_scratch(&of->shape, of->axes) + 1);
    assert_true(in.data != NULL && out.data != NULL && scratch != NULL);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        set_element(in.data, dtype, i, with_nan && i % 97 == 5 ? NAN : (double)(int64_t)seed * 0x1p-63);
    }
    lossi_reduce_run(context, kind, &in, of->axes, &out, scratch);
    double *expected = reference(kind, dtype, in.data, of);
    for (int64_t i = 0; i < results; i++) {
        const double wanted = dtype == LOSS_FLOAT32 ? (double)(float)expected[i] : expected[i];
        if (!same_bits(element(out.data, dtype, i), wanted)) {
            print_error("case %d, kind %d, %s: %lld is %.17g, not %.17g\n", (int)(of - cases), (int)kind,
                        loss_dtype_name(dtype), (long long)i, element(out.data, dtype, i), wanted);
            fail();
        }
    }
    free(in.data);
    free(out.data);
    free(scratch);
    free(expected);
}

static void test_rules(void **state)
{
    (void)state;
    loss_context *first = new_context(1, "base");
    for (int32_t isa = 0; isa < loss_context_isa_count(first); isa++) {
        for (int64_t threads = 1; threads <= 3; threads += 2) {
            loss_context *context = new_context(threads, loss_context_isa_name(first, isa));
            for (int i = 0; i < CASES; i++) {
                check_case(context, LOSSI_REDUCE_SUM, LOSS_FLOAT32, &cases[i], 0);
                check_case(context, LOSSI_REDUCE_SUM, LOSS_FLOAT64, &cases[i], i % 5 == 4);
                check_case(context, i % 2 == 0 ? LOSSI_REDUCE_MAXIMUM : LOSSI_REDUCE_MINIMUM, LOSS_FLOAT32,
                           &cases[i], i % 3 == 2);
                check_case(context, i % 2 == 0 ? LOSSI_REDUCE_MINIMUM : LOSSI_REDUCE_MAXIMUM, LOSS_FLOAT64,
                           &cases[i], 0);
            }
            loss_context_free(context);
        }
    }
    loss_context_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
