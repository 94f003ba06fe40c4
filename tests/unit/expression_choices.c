/* Programs: a comparison and what is chosen by it, in one loop, beside the same operations one after the other. */
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
