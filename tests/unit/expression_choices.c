/* Programs: loops that stand for several operations, or for a special case of one, beside the operations as they are. */
#include <math.h>
#include <stdlib.h>

#include "expression.h"
#include "support/sample.h"

enum { MOST = 100, INPUTS = 3 };

/* What hangs on one comparison: one or two selects, one of them perhaps times a number, one perhaps of the other. */
typedef struct choices {
    int32_t comparison, selects[2], results[2], count;
} choices;

static choices put_choices(lossi_expression *e, const int32_t *leaves, int32_t leaf_count, uint64_t bits)
{
    static const int32_t comparisons[] = {LOSSI_SCALAR_less,          LOSSI_SCALAR_less_equal,
                                          LOSSI_SCALAR_equal,         LOSSI_SCALAR_greater,
                                          LOSSI_SCALAR_greater_equal, LOSSI_SCALAR_not_equal};
    int32_t of[6];
    choices made = {.count = 1 + (int32_t)(bits & 1)};
    for (int32_t o = 0; o < 6; o++) {
        of[o] = leaves[(bits >> (8 + 8 * o)) % (uint64_t)leaf_count];
    }
    made.comparison = lossi_expression_make(e, comparisons[(bits >> 1 & 7) % 6], of[0], of[1], 0);
    for (int32_t k = 0; k < made.count; k++) {
        const int32_t other = k == 1 && (bits >> 4 & 3) == 0 ? made.results[0] : of[2 + 2 * k];
        made.selects[k] = lossi_expression_make(e, LOSSI_SCALAR_select, made.comparison, other,
                                                of[3 + 2 * k]);
        made.results[k] = made.selects[k];
        if (bits >> (56 + k) & 1) { /* the last leaf is a number */
            made.results[k] = lossi_expression_make(e, LOSSI_SCALAR_multiply, made.selects[k],
                                                    leaves[leaf_count - 1], 0);
        }
    }
    return made;
}

/* Comparisons that are made with what they choose give the bits of one operation after the other, also of ties and of NaN. */
void choices_are_their_parts(void **state)
{
    enum { N = 600 };
    static double input[INPUTS][N], parts[5][N], made[2][N];
    int32_t shorter = 0;
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (uint64_t seed = 1; seed <= 400; seed++) {
        lossi_expression *e = lossi_expression_create(context, MOST);
        const loss_dtype dtype = seed % 2 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const uint8_t scalar[INPUTS] = {0, 0, 1};
        const void *inputs[INPUTS] = {input[0], input[1], input[2]};
        const int32_t sum = lossi_expression_make(e, LOSSI_SCALAR_add, lossi_expression_input(e, 0),
                                                  lossi_expression_input(e, 1), 0);
        const int32_t leaves[] = {lossi_expression_input(e, 0), lossi_expression_input(e, 1), sum,
                                  lossi_expression_constant(e, 1), lossi_expression_input(e, 2)};
        const choices c = put_choices(e, leaves, 5, sample_bits(seed, 1));
        const int32_t apart[] = {c.comparison, c.selects[0], c.selects[c.count - 1], c.results[0],
                                 c.results[c.count - 1]};
        void *to_parts[] = {parts[0], parts[1], parts[2], parts[3], parts[4]},
             *to_made[] = {made[0], made[1]};
        lossi_program *one_by_one, *program;
        for (int64_t i = 0; i < N; i++) { /* few numbers, so that many are equal */
            for (int32_t k = 0; k < INPUTS; k++) {
                const uint64_t bits = sample_bits(seed + 7, (uint64_t)(i * INPUTS + k)) >> 50;
                set_element(input[k], dtype, i, k < 2 && bits % 16 == 0 ? NAN : (double)(bits % 5) * 0.5 - 1);
            }
        }
        assert_int_equal(lossi_program_compile(&one_by_one, e, apart, 5, INPUTS, scalar), 0);
        assert_int_equal(lossi_program_compile(&program, e, c.results, c.count, INPUTS, scalar), 0);
        run_program(one_by_one, LOSSI_BASE, dtype, N, inputs, to_parts);
        for (int32_t isa = 0; isa < LOSSI_ISA_COUNT; isa++) {
            if (lossi_isa_supported(isa)) {
                run_program(program, isa, dtype, N, inputs, to_made);
                for (int32_t k = 0; k < c.count; k++) {
                    assert_same_bits(made[k], parts[3 + k], dtype, N);
                }
            }
        }
        shorter += lossi_program_length(program) < lossi_program_length(one_by_one) - 1;
        lossi_program_free(one_by_one);
        lossi_program_free(program);
        lossi_expression_free(e);
    }
    loss_context_free(context);
    assert_true(shorter > 200);
}

/* A maximum or minimum and what is chosen by which of its operands it is, times a number or not; the operands may be products, too. */
typedef struct extreme {
    int32_t parts[6], results[2];
} extreme;

static extreme put_extreme(lossi_expression *e, const int32_t *leaves, int32_t leaf_count, uint64_t bits)
{
    static const int32_t extremes[] = {LOSSI_SCALAR_maximum, LOSSI_SCALAR_minimum};
    static const int32_t comparisons[] = {LOSSI_SCALAR_less, LOSSI_SCALAR_greater, LOSSI_SCALAR_less_equal};
    int32_t of[5], sides[2];
    for (int32_t o = 0; o < 5; o++) {
        of[o] = leaves[(bits >> (8 + 8 * o)) % (uint64_t)leaf_count];
    }
    for (int32_t k = 0; k < 2; k++) { /* numbers are the last two leaves */
        if (bits >> (60 + k) & 1) {
            of[2 + k] = lossi_expression_make(e, LOSSI_SCALAR_negate, of[2 + k], 0, 0);
        }
        sides[k] = bits & 1
                       ? lossi_expression_make(e, LOSSI_SCALAR_multiply, of[k], leaves[leaf_count - 1 - k], 0)
                       : of[k];
    }
    const int32_t best = lossi_expression_make(e, extremes[bits >> 1 & 1], sides[0], sides[1], 0);
    const int32_t turn = bits >> 2 & 1;
    const int32_t comparison = lossi_expression_make(e, comparisons[(bits >> 3 & 7) % 3], sides[turn],
                                                     sides[!turn], 0);
    const int32_t apart = lossi_expression_make(e, LOSSI_SCALAR_select, comparison, of[2], of[3]);
    int32_t equal = comparison, slope = apart;
    if (bits >> 6 & 1) {
        equal = lossi_expression_make(e, LOSSI_SCALAR_equal, sides[0], sides[1], 0);
        slope = lossi_expression_make(e, LOSSI_SCALAR_select, equal, of[4], apart);
    }
    const int32_t result = bits >> 7 & 1 ? lossi_expression_make(e, LOSSI_SCALAR_multiply, slope,
                                                                 leaves[leaf_count - 1], 0)
                                         : slope;
    return (extreme){{best, result, comparison, apart, equal, slope}, {best, result}};
}

void extremes_are_their_parts(void **state)
{
    enum { N = 600 };
    static double input[INPUTS][N], parts[6][N], made[2][N];
    int32_t shorter = 0;
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (uint64_t seed = 1; seed <= 800; seed++) {
        lossi_expression *e = lossi_expression_create(context, MOST);
        const loss_dtype dtype = seed % 2 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const uint8_t scalar[INPUTS] = {0, 0, 1};
        const void *inputs[INPUTS] = {input[0], input[1], input[2]};
        const int32_t leaves[] = {
            lossi_expression_input(e, 0), lossi_expression_input(e, 1),
            lossi_expression_make(e, LOSSI_SCALAR_abs, lossi_expression_input(e, 1), 0, 0),
            lossi_expression_constant(e, -0.5), lossi_expression_input(e, 2)};
        const extreme x = put_extreme(e, leaves, 5, sample_bits(seed, 3));
        void *to_parts[] = {parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]};
        void *to_made[] = {made[0], made[1]};
        lossi_program *one_by_one, *program;
        for (int64_t i = 0; i < N; i++) { /* few numbers, so that many tie, zeros of either sign among them */
            for (int32_t k = 0; k < INPUTS; k++) {
                const uint64_t bits = sample_bits(seed + 7, (uint64_t)(i * INPUTS + k)) >> 50;
                const double size = (double)(bits % 3) * 0.5;
                set_element(input[k], dtype, i, k < 2 && bits % 16 == 0 ? NAN : bits & 64 ? -size : size);
            }
        }
        assert_int_equal(lossi_program_compile(&one_by_one, e, x.parts, 6, INPUTS, scalar), 0);
        assert_int_equal(lossi_program_compile(&program, e, x.results, 2, INPUTS, scalar), 0);
        run_program(one_by_one, LOSSI_BASE, dtype, N, inputs, to_parts);
        for (int32_t isa = 0; isa < LOSSI_ISA_COUNT; isa++) {
            if (lossi_isa_supported(isa)) {
                run_program(program, isa, dtype, N, inputs, to_made);
                for (int32_t k = 0; k < 2; k++) {
                    assert_same_bits(made[k], parts[k], dtype, N);
                }
            }
        }
        shorter += lossi_program_length(program) == 1;
        lossi_program_free(one_by_one);
        lossi_program_free(program);
        lossi_expression_free(e);
    }
    loss_context_free(context);
    assert_true(shorter > 40);
}

/* By one number, also a power of two, which is a product then, as by an array of it. */
void quotients_by_a_number(void **state)
{
    enum { N = 100 };
    static const double numbers[] = {1,         2,         0.5,      -4,      3,        -0.1,
                                     0x1p-126,  0x1p-127,  0x1p126,  0x1p127, 0x1p1022, 0x1p1023,
                                     0x1p-1022, 0x1p-1074, INFINITY, 0,       NAN};
    static double x[N], divisors[N], made[N], expected[N];
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    lossi_expression *e = lossi_expression_create(context, MOST);
    const int32_t quotient = lossi_expression_make(e, LOSSI_SCALAR_divide, lossi_expression_input(e, 0),
                                                   lossi_expression_input(e, 1), 0);
    const uint8_t scalar[] = {0, 1};
    lossi_program *by_number, *by_array;
    assert_int_equal(lossi_program_compile(&by_number, e, &quotient, 1, 2, scalar), 0);
    assert_int_equal(lossi_program_compile(&by_array, e, &quotient, 1, 2, NULL), 0);
    for (size_t k = 0; k < 2 * sizeof numbers / sizeof *numbers; k++) {
        const loss_dtype dtype = k % 2 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const void *inputs[] = {x, divisors};
        void *to_made = made, *to_expected = expected;
        for (int64_t i = 0; i < N; i++) { /* of all sizes, to the smallest */
            set_element(x, dtype, i,
                        ldexp(sample_number(9, (uint64_t)i, 32), (int)(i - 50) * (k % 2 ? 3 : 21)));
            set_element(divisors, dtype, i, numbers[k / 2]);
        }
        for (int32_t isa = 0; isa < LOSSI_ISA_COUNT; isa++) {
            if (lossi_isa_supported(isa)) {
                run_program(by_number, isa, dtype, N, inputs, &to_made);
                run_program(by_array, isa, dtype, N, inputs, &to_expected);
                assert_same_bits(made, expected, dtype, N);
            }
        }
    }
    lossi_program_free(by_number);
    lossi_program_free(by_array);
    lossi_expression_free(e);
    loss_context_free(context);
}
