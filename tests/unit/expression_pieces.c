/* Programs: values and slopes that are made of pieces in one loop, beside the operations as they are. */
#include <math.h>
#include <string.h>

#include "core/sum.h"
#include "expression.h"
#include "loss/tile_kernels.h"
#include "support/sample.h"

enum { MOST = 100, INPUTS = 4, N = 200 };

/* Random bits, a few at a time. */
typedef struct choice {
    uint64_t seed, index;
} choice;

static int32_t one_of(choice *c, int32_t count)
{
    return (int32_t)(sample_bits(c->seed, c->index++) >> 33) % count;
}

static int32_t make(lossi_expression *e, int32_t operation, int32_t a, int32_t b)
{
    return lossi_expression_make(e, operation, a, lossi_scalar_operands(operation) > 1 ? b : 0, 0);
}

/* Two arrays, two numbers of a run, and a constant. */
static int32_t number_of(lossi_expression *e, choice *c)
{
    const int32_t which = one_of(c, 3);
    return which == 2 ? lossi_expression_constant(e, 0.5) : lossi_expression_input(e, 2 + which);
}

static int32_t base_of(lossi_expression *e, choice *c)
{
    static const int32_t operations[] = {LOSSI_SCALAR_subtract, LOSSI_SCALAR_multiply, LOSSI_SCALAR_add};
    const int32_t which = one_of(c, 4), a = lossi_expression_input(e, 0), b = lossi_expression_input(e, 1);
    return which == 3 ? a : make(e, operations[which], a, b);
}

/* Products, sums and signs around a node, or none. */
static int32_t wrapped(lossi_expression *e, choice *c, int32_t node)
{
    for (int32_t i = one_of(c, 3); i > 0; i--) {
        const int32_t which = one_of(c, 5), number = number_of(e, c);
        node = which < 2    ? make(e, LOSSI_SCALAR_multiply, node, number)
               : which == 2 ? make(e, LOSSI_SCALAR_add, node, number)
               : which == 3 ? make(e, LOSSI_SCALAR_subtract, number, node)
                            : make(e, LOSSI_SCALAR_negate, node, 0);
    }
    return node;
}

/* A value and its slope, most often such as belong together; the form says which. */
static void put_piece(lossi_expression *e, choice *c, int32_t x, int32_t *value, int32_t *slope)
{
    const int32_t form = one_of(c, 6), array = lossi_expression_input(e, 1);
    const int32_t values[] = {x,
                              x,
                              make(e, LOSSI_SCALAR_abs, x, 0),
                              make(e, LOSSI_SCALAR_square, x, 0),
                              make(e, LOSSI_SCALAR_square, x, 0),
                              array};
    const int32_t slopes[] = {number_of(e, c),
                              array,
                              make(e, LOSSI_SCALAR_sign, x, 0),
                              x,
                              make(e, LOSSI_SCALAR_multiply, x, array),
                              lossi_expression_input(e, 0)};
    const int32_t kept = one_of(c, 4) == 0;
    *value = one_of(c, 8) == 0 ? number_of(e, c) : kept ? values[form] : wrapped(e, c, values[form]);
    *slope = one_of(c, 8) == 0 ? number_of(e, c) : slopes[form];
    if (one_of(c, 2)) {
        *slope = make(e, LOSSI_SCALAR_multiply, *slope, number_of(e, c));
    }
}

/* A function and its slope of x, perhaps of its negative or a multiple, as softplus of a margin is. */
static void put_pair(lossi_expression *e, choice *c, int32_t x, int32_t results[2])
{
    static const int32_t pairs[][2] = {{LOSSI_SCALAR_softplus, LOSSI_SCALAR_sigmoid},
                                       {LOSSI_SCALAR_log_cosh, LOSSI_SCALAR_tanh},
                                       {LOSSI_SCALAR_pseudo_huber, LOSSI_SCALAR_hypotenuse_slope}};
    const int32_t *pair = pairs[one_of(c, 3)], inner = wrapped(e, c, x);
    results[0] = wrapped(e, c, make(e, pair[0], inner, 0));
    results[1] = make(e, pair[1], inner, 0);
    if (one_of(c, 2)) {
        results[1] = make(e, LOSSI_SCALAR_multiply, results[1], lossi_expression_input(e, 1));
    }
}

/* The larger of both with its slope as it is derived, or a choice by a comparison of x or its size and a number, or the first alone. */
static void put_results(lossi_expression *e, choice *c, int32_t results[2])
{
    static const int32_t comparisons[] = {LOSSI_SCALAR_less, LOSSI_SCALAR_less_equal, LOSSI_SCALAR_greater,
                                          LOSSI_SCALAR_greater_equal};
    const int32_t x = base_of(e, c), kind = one_of(c, 6);
    int32_t value[2], slope[2];
    put_piece(e, c, x, &value[0], &slope[0]);
    put_piece(e, c, x, &value[1], &slope[1]);
    results[0] = value[0];
    results[1] = slope[0];
    if (kind == 0) {
        results[0] = make(e, LOSSI_SCALAR_maximum, value[0], value[1]);
        const int32_t above = make(e, LOSSI_SCALAR_greater, value[0], value[1]);
        results[1] = lossi_expression_make(e, LOSSI_SCALAR_select, above, slope[0], slope[1]);
        if (one_of(c, 2)) {
            const int32_t ties = make(e, LOSSI_SCALAR_equal, value[0], value[1]);
            results[1] = lossi_expression_make(e, LOSSI_SCALAR_select, ties, number_of(e, c), results[1]);
        }
    } else if (kind < 4) {
        const int32_t size = one_of(c, 2) ? make(e, LOSSI_SCALAR_abs, x, 0) : x, number = number_of(e, c);
        const int32_t turned = one_of(c, 2), how = comparisons[one_of(c, 4)];
        const int32_t holds = make(e, how, turned ? number : size, turned ? size : number);
        results[0] = lossi_expression_make(e, LOSSI_SCALAR_select, holds, value[0], value[1]);
        results[1] = lossi_expression_make(e, LOSSI_SCALAR_select, holds, slope[0], slope[1]);
    }
    if (kind == 5) {
        put_pair(e, c, x, results);
    }
    if (one_of(c, 2)) {
        results[1] = make(e, LOSSI_SCALAR_multiply, results[1], lossi_expression_input(e, 3));
    }
}

/* Few numbers, so that many tie, with zeros of either sign, infinities and NaN; the numbers are sometimes NaN too. */
static void fill(double (*input)[N], loss_dtype dtype, uint64_t seed)
{
    static const double numbers[] = {0, -0.0, 0.5, -0.5, 1, -1.5, 2, 3, 0.25, -0.75, INFINITY, NAN};
    enum { COUNT = sizeof numbers / sizeof *numbers, FINITE = COUNT - 2 };
    for (int64_t i = 0; i < N; i++) {
        for (int32_t k = 0; k < INPUTS; k++) {
            const uint64_t bits = sample_bits(seed, (uint64_t)(i * INPUTS + k)) >> 40;
            set_element(input[k], dtype, i, numbers[bits % (bits & 1 << 20 ? COUNT : FINITE)]);
        }
    }
}

/* The value onto lanes, the slope over the first input. */
static void check_sum(const lossi_program *program, int32_t isa, loss_dtype dtype, double (*input)[N],
                      const double *value, const double *slope)
{
    const int32_t real_index = lossi_real_index(dtype);
    double over[N], lanes[LOSSI_LANES] = {0}, expected[LOSSI_LANES] = {0};
    const void *inputs[INPUTS] = {over, input[1], input[2], input[3]};
    void *outputs[2] = {NULL, over};
    lossi_run run;
    void *scratch = lossi_scratch(program->context, lossi_program_scratch(program));
    assert_non_null(scratch);
    memcpy(over, input[0], sizeof over);
    lossi_run_begin(&run, program, isa, real_index, N, inputs, scratch);
    run.lanes = lanes;
    const lossi_tile_kernels *tiles = lossi_tile_kernels_for(isa, real_index);
    const int64_t added = lossi_run_block(&run, N, inputs, outputs);
    const char *rest = (const char *)lossi_run_place(&run, 0) + added * loss_dtype_size(dtype);
    assert_true(added % LOSSI_LANES == 0);
    tiles->sum(N - added, rest, lanes);
    tiles->sum(N, value, expected);
    assert_same_bits(lanes, expected, LOSS_FLOAT64, LOSSI_LANES);
    assert_same_bits(over, slope, dtype, N);
}

void pieces_are_their_parts(void **state)
{
    static double input[INPUTS][N], parts[MOST][N], made[2][N];
    int32_t alone = 0;
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (uint64_t seed = 1; seed <= 6000; seed++) {
        lossi_expression *e = lossi_expression_create(context, MOST);
        const loss_dtype dtype = seed % 2 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const uint8_t scalar[INPUTS] = {0, 0, 1, 1};
        const void *inputs[INPUTS] = {input[0], input[1], input[2], input[3]};
        int32_t nodes[MOST], results[2];
        void *to_parts[MOST], *to_made[] = {made[0], made[1]};
        choice c = {seed, 0};
        lossi_program *one_by_one, *program;
        put_results(e, &c, results);
        const int32_t count = lossi_expression_count(e);
        for (int32_t i = 0; i < count; i++) { /* every node an output, so that each is made alone */
            nodes[i] = i + 1;
            to_parts[i] = parts[i];
        }
        fill(input, dtype, seed + 77);
        assert_int_equal(lossi_program_compile(&one_by_one, e, nodes, count, INPUTS, scalar), 0);
        assert_int_equal(lossi_program_compile(&program, e, results, 2, INPUTS, scalar), 0);
        run_program(one_by_one, LOSSI_BASE, dtype, N, inputs, to_parts);
        for (int32_t isa = 0; isa < LOSSI_ISA_COUNT; isa++) {
            if (lossi_isa_supported(isa)) {
                run_program(program, isa, dtype, N, inputs, to_made);
                assert_same_bits(made[0], parts[results[0] - 1], dtype, N);
                assert_same_bits(made[1], parts[results[1] - 1], dtype, N);
                check_sum(program, isa, dtype, input, made[0], made[1]);
            }
        }
        alone += lossi_program_length(program) == 1;
        lossi_program_free(one_by_one);
        lossi_program_free(program);
        lossi_expression_free(e);
    }
    loss_context_free(context);
    assert_true(alone > 800);
}
