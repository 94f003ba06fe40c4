/* Programs: random graphs beside an evaluator of one node at a time, all lengths and places, outputs of every kind, limits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expression.h"
#include "support/allocator.h"
#include "support/sample.h"

enum { MOST = 10000, INPUTS = 3 };

/* ---- libm ---- */

static long double normal_cdf(long double a)
{
    return 0.5L * erfcl(-a / sqrtl(2.0L));
}

static long double normal_density(long double a)
{
    return expl(-0.5L * a * a) / sqrtl(2 * 3.14159265358979323846264338327950288L);
}

static long double compared(long double a, long double b, int result)
{
    return isnan(a) || isnan(b) ? (long double)NAN : (long double)result;
}

static long double log1mexp(long double a)
{
    return a < 0 ? (long double)NAN : a > 0.7L ? log1pl(-expl(-a)) : logl(-expm1l(-a));
}

/* x − log1p(x) of small x by its series */
static long double x_minus_log1p(long double x)
{
    long double power = x * x, sum = 0;
    for (int k = 2; k < 60; k++, power *= -x) {
        sum += power / k;
    }
    return fabsl(x) < 0.25L ? sum : x - log1pl(x);
}

static long double log_cosh(long double a)
{
    const long double m = expm1l(fabsl(a));
    return fabsl(a) > 100 ? fabsl(a) - logl(2) : log1pl(m * m / (2 * (1 + m)));
}

static long double density(long double a)
{
    const long double e = expl(-fabsl(a));
    return e / ((1 + e) * (1 + e));
}

static long double hazard(long double a)
{
    return normal_density(a) / normal_cdf(-a);
}

static long double power(long double a, long double b)
{
    return isnan(a) || isnan(b) ? (long double)NAN : powl(a, b);
}

static long double arithmetic_of(int32_t operation, long double a, long double b, long double c)
{
    switch (operation) {
    case LOSSI_SCALAR_add:
        return a + b;
    case LOSSI_SCALAR_subtract:
        return a - b;
    case LOSSI_SCALAR_multiply:
        return a * b;
    case LOSSI_SCALAR_divide:
        return a / b;
    case LOSSI_SCALAR_negate:
        return -a;
    case LOSSI_SCALAR_square:
        return a * a;
    case LOSSI_SCALAR_reciprocal:
        return 1 / a;
    case LOSSI_SCALAR_power:
        return power(a, b);
    case LOSSI_SCALAR_sqrt:
        return sqrtl(a);
    case LOSSI_SCALAR_hypotenuse:
        return hypotl(1, a);
    case LOSSI_SCALAR_hypotenuse_slope:
        return a / hypotl(1, a);
    case LOSSI_SCALAR_pseudo_huber:
        return a * a / (1 + hypotl(1, a));
    case LOSSI_SCALAR_abs:
        return fabsl(a);
    case LOSSI_SCALAR_sign:
        return a > 0 ? 1 : a < 0 ? -1 : a;
    case LOSSI_SCALAR_floor:
        return floorl(a);
    case LOSSI_SCALAR_minimum:
        return isnan(a) ? a : a < b ? a : b;
    case LOSSI_SCALAR_maximum:
        return isnan(a) ? a : a > b ? a : b;
    case LOSSI_SCALAR_heaviside:
        return a == b ? 0.5L : compared(a, b, a > b);
    case LOSSI_SCALAR_less:
        return compared(a, b, a < b);
    case LOSSI_SCALAR_less_equal:
        return compared(a, b, a <= b);
    case LOSSI_SCALAR_greater:
        return compared(a, b, a > b);
    case LOSSI_SCALAR_greater_equal:
        return compared(a, b, a >= b);
    case LOSSI_SCALAR_equal:
        return compared(a, b, a == b);
    case LOSSI_SCALAR_not_equal:
        return compared(a, b, a != b);
    default:
        return isnan(a) ? a : a != 0 ? b : c; /* select */
    }
}

long double reference_of(int32_t operation, long double a, long double b, long double c)
{
    switch (operation) {
    case LOSSI_SCALAR_exp:
        return expl(a);
    case LOSSI_SCALAR_expm1:
        return expm1l(a);
    case LOSSI_SCALAR_log:
        return logl(a);
    case LOSSI_SCALAR_log1p:
        return log1pl(a);
    case LOSSI_SCALAR_x_minus_log1p:
        return x_minus_log1p(a);
    case LOSSI_SCALAR_log1mexp:
        return log1mexp(a);
    case LOSSI_SCALAR_xlogy:
        return a == 0 && !isnan(b) ? 0 : a * logl(b);
    case LOSSI_SCALAR_sinh:
        return sinhl(a);
    case LOSSI_SCALAR_cosh:
        return coshl(a);
    case LOSSI_SCALAR_tanh:
        return tanhl(a);
    case LOSSI_SCALAR_log_cosh:
        return log_cosh(a);
    case LOSSI_SCALAR_sigmoid:
        return 1 / (1 + expl(-a));
    case LOSSI_SCALAR_softplus:
        return a > 0 ? a + log1pl(expl(-a)) : log1pl(expl(a));
    case LOSSI_SCALAR_logistic_density:
        return density(a);
    case LOSSI_SCALAR_sin:
        return sinl(a);
    case LOSSI_SCALAR_cos:
        return cosl(a);
    case LOSSI_SCALAR_tan:
        return tanl(a);
    case LOSSI_SCALAR_atan:
        return atanl(a);
    case LOSSI_SCALAR_erf:
        return erfl(a);
    case LOSSI_SCALAR_erfc:
        return erfcl(a);
    case LOSSI_SCALAR_erf_slope:
        return expl(-a * a) * 2 / sqrtl(acosl(-1));
    case LOSSI_SCALAR_normal_density:
        return normal_density(a);
    case LOSSI_SCALAR_normal_cdf:
        return normal_cdf(a);
    case LOSSI_SCALAR_log_normal_cdf:
        return a > 0 ? log1pl(-normal_cdf(-a)) : logl(normal_cdf(a));
    case LOSSI_SCALAR_normal_hazard:
        return hazard(a);
    case LOSSI_SCALAR_normal_hazard_slope:
        return hazard(a) * (hazard(a) - a);
    default:
        return arithmetic_of(operation, a, b, c);
    }
}

/* ---- random graphs ---- */

typedef struct random_graph {
    lossi_expression *e;
    loss_context *context;
    int32_t nodes[64], count;
} random_graph;

/* Operations that keep numbers moderate. */
static const int32_t moderate[] = {
    LOSSI_SCALAR_add,     LOSSI_SCALAR_subtract,   LOSSI_SCALAR_multiply, LOSSI_SCALAR_negate,
    LOSSI_SCALAR_tanh,    LOSSI_SCALAR_sigmoid,    LOSSI_SCALAR_softplus, LOSSI_SCALAR_atan,
    LOSSI_SCALAR_minimum, LOSSI_SCALAR_maximum,    LOSSI_SCALAR_abs,      LOSSI_SCALAR_hypotenuse,
    LOSSI_SCALAR_select,  LOSSI_SCALAR_normal_cdf, LOSSI_SCALAR_log_cosh, LOSSI_SCALAR_pseudo_huber,
    LOSSI_SCALAR_less,    LOSSI_SCALAR_square,     LOSSI_SCALAR_add,      LOSSI_SCALAR_multiply,
    LOSSI_SCALAR_sin,     LOSSI_SCALAR_cos,        LOSSI_SCALAR_erf,      LOSSI_SCALAR_erfc};

static random_graph new_random(uint64_t seed, int32_t operations)
{
    random_graph g = {0};
    assert_int_equal(loss_context_create(&g.context), LOSS_OK);
    g.e = lossi_expression_create(g.context, MOST);
    for (int32_t k = 0; k < INPUTS; k++) {
        g.nodes[g.count++] = lossi_expression_input(g.e, k);
    }
    g.nodes[g.count++] = lossi_expression_constant(g.e, 0.375);
    g.nodes[g.count++] = lossi_expression_constant(g.e, -1.25);
    for (int32_t i = 0; i < operations; i++) {
        const uint64_t bits = sample_bits(seed, (uint64_t)i);
        int32_t operand[3];
        for (int32_t o = 0; o < 3; o++) { /* the latest ones more often than others */
            const int32_t span = (bits >> (8 + o)) & 1 ? 5 : g.count;
            operand[o] = g.nodes[g.count - 1 - (int32_t)((bits >> (16 + 8 * o)) % (uint64_t)span)];
        }
        const int32_t count = sizeof moderate / sizeof *moderate;
        g.nodes[g.count++] = lossi_expression_apply(g.e, moderate[(bits >> 48) % (uint64_t)count], operand[0],
                                                    operand[1], operand[2]);
    }
    return g;
}

static void free_random(random_graph *g)
{
    lossi_expression_free(g->e);
    loss_context_free(g->context);
}

/* One node after the other, in long double; the largest number on the way says how much may be lost. */
static long double evaluate_apart(const lossi_expression *e, int32_t node, const double *inputs,
                                  long double *largest)
{
    long double values[MOST];
    *largest = 1;
    for (int32_t i = 1; i <= node; i++) {
        const lossi_node *at = lossi_expression_node(e, i);
        values[i] = at->operation == LOSSI_SCALAR_INPUT ? (long double)inputs[at->a]
                    : at->operation == LOSSI_SCALAR_CONSTANT
                        ? (long double)at->value
                        : reference_of(at->operation, values[at->a], at->b > 0 ? values[at->b] : 0,
                                       at->c > 0 ? values[at->c] : 0);
        *largest = fmaxl(*largest, fabsl(values[i]));
    }
    return values[node];
}

static void sample_inputs(uint64_t seed, double *inputs)
{
    for (int32_t k = 0; k < INPUTS; k++) {
        inputs[k] = (double)(int64_t)(sample_bits(seed, (uint64_t)k) >> 40) * 0x1p-22 - 2;
    }
}

void random_graphs_are_what_libm_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        random_graph g = new_random(seed, 12);
        double inputs[INPUTS];
        long double largest;
        sample_inputs(seed + 1000, inputs);
        const int32_t node = g.nodes[g.count - 1];
        const long double expected = evaluate_apart(g.e, node, inputs, &largest);
        if (largest < 1e6L) {
            const double made = run_once(g.e, node, LOSS_FLOAT64, INPUTS, inputs);
            assert_close(made, (double)expected, 1e-11, 1e-13 * (double)(largest * largest));
        }
        free_random(&g);
    }
}

void random_graphs_derive(void **state)
{
    int32_t compared_count = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        random_graph g = new_random(seed, 10);
        double inputs[INPUTS], error;
        const int32_t node = g.nodes[g.count - 1];
        sample_inputs(seed + 2000, inputs);
        for (int32_t k = 0; k < INPUTS; k++) {
            const int32_t slope = lossi_expression_derivative(g.e, node, k);
            const int32_t back = lossi_expression_adjoint(g.e, node, lossi_expression_constant(g.e, 1), k);
            const double expected = difference_of(g.e, node, INPUTS, inputs, k, &error);
            const double made = run_once(g.e, slope, LOSS_FLOAT64, INPUTS, inputs);
            assert_close(run_once(g.e, back, LOSS_FLOAT64, INPUTS, inputs), made, 1e-11, 1e-13);
            if (error < 1e-7 * (1 + fabs(expected)) && fabs(expected) < 1e6) {
                assert_close(made, expected, 1e-6, 1e-8);
                compared_count++;
            }
        }
        free_random(&g);
    }
    assert_true(compared_count > 600);
}

/* ---- the same bits ---- */

void run_program(const lossi_program *program, int32_t isa, loss_dtype dtype, int64_t n,
                 const void *const *inputs, void *const *outputs)
{
    void *scratch = NULL;
    assert_int_equal(posix_memalign(&scratch, 64, (size_t)lossi_program_scratch(program)), 0);
    memset(scratch, 0xff, (size_t)lossi_program_scratch(program));
    lossi_program_run(program, isa, lossi_real_index(dtype), n, inputs, outputs, scratch);
    free(scratch);
}

/* All instruction sets; and each node alone, and together with all its neighbours. */
void random_graphs_have_the_same_bits(void **state)
{
    enum { N = 1100 };
    static double input[INPUTS][N], alone[N], together[64][N];
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_graph g = new_random(seed, 30);
        const loss_dtype dtype = seed % 2 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const void *inputs[INPUTS];
        void *outputs[64], *one = alone;
        lossi_program *all, *single;
        for (int32_t k = 0; k < INPUTS; k++) {
            inputs[k] = input[k];
            for (int64_t i = 0; i < N; i++) {
                set_element(input[k], dtype, i, sample_number(seed + (uint64_t)k, (uint64_t)i, 32));
            }
        }
        for (int32_t k = 0; k < g.count; k++) {
            outputs[k] = together[k];
        }
        assert_int_equal(lossi_program_compile(&all, g.e, g.nodes, g.count, INPUTS, NULL), 0);
        run_program(all, LOSSI_BASE, dtype, N, inputs, outputs);
        for (int32_t k = 0; k < g.count; k++) {
            assert_int_equal(lossi_program_compile(&single, g.e, &g.nodes[k], 1, INPUTS, NULL), 0);
            for (int32_t isa = 0; isa < LOSSI_ISA_COUNT; isa++) {
                if (lossi_isa_supported(isa)) {
                    run_program(single, isa, dtype, N, inputs, &one);
                    assert_same_bits(alone, together[k], dtype, N);
                }
            }
            lossi_program_free(single);
        }
        lossi_program_free(all);
        free_random(&g);
    }
}

/* ---- layout ---- */

void any_length_and_place(void **state)
{
    enum { N = 1300 };
    static char memory[3][(N + 2) * 8 + 8];
    static double expected[N], a[N], b[N];
    (void)state;
    for (int32_t bits = 32; bits <= 64; bits += 32) {
        const loss_dtype dtype = bits == 32 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        random_graph g = new_random(7, 25);
        lossi_program *program;
        const int64_t size = bits / 8;
        assert_int_equal(lossi_program_compile(&program, g.e, &g.nodes[g.count - 1], 1, INPUTS, NULL), 0);
        for (int64_t i = 0; i < N; i++) {
            set_element(a, dtype, i, sample_number(1, (uint64_t)i, 32));
            set_element(b, dtype, i, sample_number(2, (uint64_t)i, 32));
        }
        const void *whole[INPUTS] = {a, b, a};
        void *output = expected;
        run_program(program, LOSSI_BASE, dtype, N, whole, &output);
        static const int64_t lengths[] = {0, 1, 2, 15, 16, 17, 31, 33, 255, 256, 257, 511, 512, 513, 1029, N};
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            for (int32_t in_place = 0; in_place < 2; in_place++) {
                const int64_t n = lengths[l];
                char *x = memory[0] + 1, *y = memory[1] + 3, *z = in_place ? x : memory[2] + 5;
                memset(memory, 0x55, sizeof memory);
                memcpy(x, a, (size_t)(n * size));
                memcpy(y, b, (size_t)(n * size));
                const void *inputs[INPUTS] = {x, y, x};
                void *to = z;
                run_program(program, LOSSI_BASE, dtype, n, inputs, &to);
                memmove(memory[2], z, (size_t)(n * size));
                assert_same_bits(memory[2], expected, dtype, n);
                assert_int_equal(in_place ? memory[0][1 + n * size] : 0x55, 0x55);
                assert_int_equal(memory[0][0], 0x55);
            }
        }
        lossi_program_free(program);
        free_random(&g);
    }
}

/* Either output of two, also the one that is made first, in the place of an input that both are made of. */
void outputs_over_inputs(void **state)
{
    enum { N = 700 };
    double a[N], b[N], other[N], expected[2][N];
    random_graph g = {0};
    (void)state;
    assert_int_equal(loss_context_create(&g.context), LOSS_OK);
    g.e = lossi_expression_create(g.context, MOST);
    const int32_t x = lossi_expression_input(g.e, 0), y = lossi_expression_input(g.e, 1);
    const int32_t sum = lossi_expression_apply(g.e, LOSSI_SCALAR_add, x, y, 0);
    const int32_t product = lossi_expression_apply(
        g.e, LOSSI_SCALAR_multiply, x, lossi_expression_apply(g.e, LOSSI_SCALAR_exp, sum, 0, 0), 0);
    const int32_t nodes[] = {sum, product};
    lossi_program *program;
    assert_int_equal(lossi_program_compile(&program, g.e, nodes, 2, 2, NULL), 0);
    for (int32_t over = 0; over < 4; over++) { /* output over / 2 in the place of input over % 2 */
        for (int64_t i = 0; i < N; i++) {
            a[i] = sample_number(1, (uint64_t)i, 4);
            b[i] = sample_number(2, (uint64_t)i, 4);
        }
        const void *inputs[] = {a, b};
        void *apart[] = {expected[0], expected[1]};
        run_program(program, LOSSI_BASE, LOSS_FLOAT64, N, inputs, apart);
        double *place = over % 2 ? b : a;
        void *outputs[] = {over / 2 ? other : place, over / 2 ? place : other};
        run_program(program, LOSSI_BASE, LOSS_FLOAT64, N, inputs, outputs);
        assert_same_bits(outputs[0], expected[0], LOSS_FLOAT64, N);
        assert_same_bits(outputs[1], expected[1], LOSS_FLOAT64, N);
    }
    lossi_program_free(program);
    free_random(&g);
}

void outputs_of_every_kind(void **state)
{
    enum { N = 50 };
    double x[N], y[N], made[7][N];
    random_graph g = {0};
    (void)state;
    assert_int_equal(loss_context_create(&g.context), LOSS_OK);
    g.e = lossi_expression_create(g.context, MOST);
    const int32_t a = lossi_expression_input(g.e, 0), b = lossi_expression_input(g.e, 1);
    const int32_t product = lossi_expression_apply(g.e, LOSSI_SCALAR_multiply, a, b, 0);
    const int32_t sum = lossi_expression_apply(g.e, LOSSI_SCALAR_add, product, a, 0);
    const int32_t third = lossi_expression_constant(g.e, 1.0 / 3);
    const int32_t root = lossi_expression_make(g.e, LOSSI_SCALAR_exp, third, 0, 0);
    const int32_t nodes[7] = {a, sum, sum, product, third, root, b};
    void *outputs[7];
    const void *inputs[2] = {x, y};
    lossi_program *program;
    for (int32_t i = 0; i < N; i++) {
        x[i] = 1.5 * i - 7;
        y[i] = 0.25 * i + 2;
    }
    for (int32_t k = 0; k < 7; k++) {
        outputs[k] = made[k];
    }
    assert_int_equal(lossi_program_compile(&program, g.e, nodes, 7, 2, NULL), 0);
    run_program(program, LOSSI_BASE, LOSS_FLOAT64, N, inputs, outputs);
    for (int32_t i = 0; i < N; i++) {
        const double expected[7] = {
            x[i], x[i] * y[i] + x[i], x[i] * y[i] + x[i], x[i] * y[i], 1.0 / 3.0, exp(1.0 / 3.0), y[i]};
        for (int32_t k = 0; k < 7; k++) {
            assert_ulp(made[k][i], expected[k], k == 5 ? 2 : 0, LOSS_FLOAT64);
        }
    }
    lossi_program_free(program);
    free_random(&g);
}

/* Scalars give what arrays of equal numbers give, and fewer instructions. */
void scalars_are_computed_once(void **state)
{
    enum { N = 700 };
    static double arrays[INPUTS][N], scalar_made[N], array_made[N];
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        for (int32_t which = 1; which < 1 << INPUTS; which++) {
            random_graph g = new_random(seed, 20);
            const loss_dtype dtype = seed % 2 ? LOSS_FLOAT32 : LOSS_FLOAT64;
            uint8_t scalar[INPUTS];
            const void *inputs[INPUTS];
            void *to_scalar = scalar_made, *to_array = array_made;
            lossi_program *with, *without;
            for (int32_t k = 0; k < INPUTS; k++) {
                scalar[k] = (which >> k & 1) != 0;
                inputs[k] = arrays[k];
                for (int64_t i = 0; i < N; i++) {
                    set_element(arrays[k], dtype, i,
                                sample_number(seed, (uint64_t)(scalar[k] ? k : k * N + i), 32));
                }
            }
            const int32_t node = g.nodes[g.count - 1];
            assert_int_equal(lossi_program_compile(&with, g.e, &node, 1, INPUTS, scalar), 0);
            assert_int_equal(lossi_program_compile(&without, g.e, &node, 1, INPUTS, NULL), 0);
            run_program(with, LOSSI_BASE, dtype, N, inputs, &to_scalar);
            run_program(without, LOSSI_BASE, dtype, N, inputs, &to_array);
            assert_same_bits(scalar_made, array_made, dtype, N);
            assert_true(which < 7 || lossi_program_length(with) == 1);
            lossi_program_free(with);
            lossi_program_free(without);
            free_random(&g);
        }
    }
}

void registers_are_used_again(void **state)
{
    random_graph g = new_random(3, 0);
    lossi_program *program;
    int32_t node = g.nodes[0];
    (void)state;
    for (int32_t i = 0; i < 1000; i++) { /* a chain needs one register, the last result none */
        node = lossi_expression_apply(g.e, i % 2 ? LOSSI_SCALAR_atan : LOSSI_SCALAR_hypotenuse, node, 0, 0);
    }
    assert_int_equal(lossi_program_compile(&program, g.e, &node, 1, INPUTS, NULL), 0);
    assert_int_equal(lossi_program_length(program), 1000);
    assert_int_equal(lossi_program_registers(program), 1);
    assert_int_equal(lossi_program_block(program, LOSSI_FLOAT32), 1024);
    assert_int_equal(lossi_program_block(program, LOSSI_FLOAT64), 512);
    lossi_program_free(program);
    free_random(&g);
}

/* ---- limits ---- */

static int32_t build_and_compile(loss_context *context, int32_t most, lossi_program **program)
{
    lossi_expression *e = lossi_expression_create(context, most);
    *program = NULL;
    if (e == NULL) {
        return LOSSI_EXPRESSION_MEMORY;
    }
    int32_t node = lossi_expression_input(e, 0);
    for (int32_t i = 0; i < 100; i++) {
        node = lossi_expression_apply(e, LOSSI_SCALAR_softplus, node, LOSSI_NO_NODE, LOSSI_NO_NODE);
    }
    node = lossi_expression_derivative(e, node, 0);
    node = lossi_expression_adjoint(e, node, lossi_expression_constant(e, 3), 0);
    const int32_t result = lossi_program_compile(program, e, &node, 1, 1, NULL);
    lossi_expression_free(e);
    return result;
}

void memory_runs_out(void **state)
{
    test_allocator allocator = {0};
    loss_context *context = NULL;
    lossi_program *program;
    int64_t k = 0;
    int32_t result;
    (void)state;
    assert_int_equal(loss_context_create_with_allocator(&context, test_allocate, test_release, &allocator),
                     LOSS_OK);
    const int64_t before = allocator.live;
    do {
        allocator.calls = 0;
        allocator.fail_at = ++k;
        result = build_and_compile(context, MOST, &program);
        assert_true(result == 0 || (result == LOSSI_EXPRESSION_MEMORY && program == NULL));
        lossi_program_free(program);
        assert_int_equal(allocator.live, before);
    } while (result != 0);
    assert_true(k > 10);
    loss_context_free(context);
    assert_int_equal(allocator.live, 0);
}

void nodes_run_out(void **state)
{
    loss_context *context = NULL;
    lossi_program *program;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int32_t most = 1; most < 400; most += 13) {
        assert_int_equal(build_and_compile(context, most, &program), LOSSI_EXPRESSION_FULL);
        assert_null(program);
    }
    assert_int_equal(build_and_compile(context, MOST, &program), 0);
    lossi_program_free(program);
    loss_context_free(context);
}
