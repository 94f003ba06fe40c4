/*
 * Losses from formulas: beside the catalogue, beside an evaluator of trees, and wherever a loss can be used.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "support/sample.h"

static loss_context *new_context(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

loss_function *formula_of(loss_context *context, const char *text)
{
    loss_function *function = NULL;
    assert_status(context, loss_function_create(&function, context, text), LOSS_OK);
    return function;
}

/* ---- evaluating ---- */

typedef struct arrays {
    loss_dtype dtype;
    int64_t rows, columns;
    const void *prediction, *target, *weight, *mask;
    int64_t row_stride, column_stride;
    double scale;
} arrays;

static void evaluate(loss_context *context, const loss_function *function, const arrays *in, void *value,
                     void *gradient, void *curvature, double *sum)
{
    loss_data *inputs, *outputs;
    double denominator;
    assert_int_equal(loss_data_create(&inputs, context), LOSS_OK);
    assert_int_equal(loss_data_create(&outputs, context), LOSS_OK);
    loss_data_set_input(inputs, "prediction", in->prediction, in->dtype, in->rows, in->columns,
                        in->row_stride, in->column_stride);
    loss_data_set_input(inputs, "target", in->target, in->dtype, in->rows, in->columns, in->columns, 1);
    if (in->weight != NULL) {
        loss_data_set_input(inputs, "weight", in->weight, in->dtype, in->rows, 1, 1, 1);
    }
    if (in->mask != NULL) {
        loss_data_set_input(inputs, "mask", in->mask, LOSS_UINT8, in->rows, 1, 1, 1);
    }
    loss_data_set_double(inputs, "scale", in->scale);
    const struct {
        const char *name;
        void *array;
    } made[3] = {{"value", value}, {"gradient", gradient}, {"curvature", curvature}};
    for (int i = 0; i < 3; i++) {
        if (made[i].array != NULL) {
            loss_data_set_output(outputs, made[i].name, made[i].array, in->dtype, in->rows, in->columns,
                                 in->columns, 1);
        }
    }
    assert_status(context, loss_function_evaluate(context, function, inputs, outputs, sum, &denominator),
                  LOSS_OK);
    loss_data_free(inputs);
    loss_data_free(outputs);
}

point evaluate_point(loss_context *context, const loss_function *function, loss_dtype dtype, double p,
                     double y)
{
    double in[2] = {0}, out[3] = {0}, sum;
    set_element(&in[0], dtype, 0, p);
    set_element(&in[1], dtype, 0, y);
    const arrays one = {dtype, 1, 1, &in[0], &in[1], NULL, NULL, 1, 1, 1};
    evaluate(context, function, &one, &out[0], &out[1], &out[2], &sum);
    return (point){element(&out[0], dtype, 0), element(&out[1], dtype, 0), element(&out[2], dtype, 0)};
}

/* ---- beside the catalogue ---- */

static const struct pair {
    const char *formula, *name;
    const char *option; /* of the loss of the catalogue */
    double number;
    int signs;   /* targets are: 0 any numbers, 1 −1 and +1, 2 counts */
    double most; /* the largest prediction: a square beyond it is infinite in float32 */
    double ulps, slope_ulps, curvature_ulps;
} pairs[] = {
    {"formula:(p - y)^2", "squared_error", NULL, 0, 0, 1e30, 0, 0, 0},
    {"formula:where(abs(p - y) <= d, (p - y)^2/2, d*(abs(p - y) - d/2)); d=1.5", "huber", "delta", 1.5, 0,
     1e18, 4, 0, 0},
    {"formula:abs(p - y)", "absolute_error", NULL, 0, 0, 1e38, 0, 0, 0},
    {"formula:log(cosh(p - y))", "log_cosh", NULL, 0, 0, 1e38, 4, 4, 8},
    {"formula:2.25*(sqrt(1 + ((p - y)/1.5)^2) - 1)", "pseudo_huber", "delta", 1.5, 0, 1e38, 6, 4, 8},
    {"formula:max(q*(y - p), (q - 1)*(y - p)); q=0.3", "quantile", "quantile", 0.3, 0, 1e37, 2, 1, 0},
    {"formula:log(1 + exp(-y*p))", "soft_margin", NULL, 0, 1, 1e38, 4, 4, 8},
    {"formula:max(0, 1 - y*p)", "hinge", NULL, 0, 1, 1e38, 0, 0, 0},
    {"formula:relu(1 - y*p)^2", "squared_hinge", NULL, 0, 1, 1e18, 1, 0, 0},
    {"formula:exp(-y*p)", "exponential", NULL, 0, 1, 80, 2, 2, 2},
    {"formula:1.125*log(1 + ((p - y)/1.5)^2)", "cauchy", "scale", 1.5, 0, 1e15, 6, 6, 1e9},
    {"formula:exp(p) - y*p", "poisson", NULL, 0, 2, 80, 4, 4, 4},
};

/* Predictions near, at and far from the kinks, and anything. */
static double prediction_at(const struct pair *pair, int32_t i)
{
    static const double places[] = {0,    1,      -1,     0.5,  -0.25, 1.5,  -1.5,  3,       -7.25, 20,
                                    -45,  88,     -100,   750,  -1e4,  1e10, -3e17, 1e-10,   1e-30, -1e-20,
                                    2.75, -1e-38, 2.5e30, 1e38, -1e38, 0.75, -2,    1.00001, 0.999, 4};
    enum { PLACES = sizeof places / sizeof *places };
    const double number = i < PLACES ? places[i] : sample_number(5, (uint64_t)i, 32);
    return fabs(number) <= pair->most ? number : number > 0 ? 3.25 : -3.25;
}

static int far_apart(double made, double expected, double ulps, loss_dtype dtype, double absolute)
{
    if (isnan(expected) || isinf(expected)) {
        return !(isnan(expected) ? isnan(made) : made == expected);
    }
    return !(fabs(made - expected) <= ulps * (double)ulp_of((long double)expected, dtype) + absolute);
}

static void compare(loss_context *context, const struct pair *pair, loss_dtype dtype)
{
    loss_function *formula = formula_of(context, pair->formula), *known = NULL;
    assert_status(context, loss_function_create(&known, context, pair->name), LOSS_OK);
    if (pair->option != NULL) {
        assert_int_equal(loss_function_set_double(known, pair->option, pair->number), LOSS_OK);
    }
    for (int32_t i = 0; i < 400; i++) {
        double p = prediction_at(pair, i);
        const double y = pair->signs == 2 ? i % 4
                         : pair->signs    ? (i % 2 ? 1 : -1)
                         : i % 3 == 0     ? 0
                                          : i % 3 - 1.75;
        if (dtype == LOSS_FLOAT32) {
            p = (double)(float)p;
        }
        const point made = evaluate_point(context, formula, dtype, p, y);
        const point expected = evaluate_point(context, known, dtype, p, y);
        /* Poisson's terms have different signs: relative to the larger */
        const double scale = strcmp(pair->name, "poisson") == 0
                                 ? 4 * (double)ulp_of((long double)(exp(p) + fabs(p)), dtype)
                                 : 0;
        if (far_apart(made.value, expected.value, pair->ulps, dtype, scale) ||
            far_apart(made.gradient, expected.gradient, pair->slope_ulps, dtype, scale) ||
            (pair->curvature_ulps < 1e6 &&
             far_apart(made.curvature, expected.curvature, pair->curvature_ulps, dtype, 0))) {
            fail_msg("%s in float%d at p = %.9g, y = %g: %.17g %.17g %.17g, but %s: %.17g %.17g %.17g",
                     pair->formula, dtype == LOSS_FLOAT32 ? 32 : 64, p, y, made.value, made.gradient,
                     made.curvature, pair->name, expected.value, expected.gradient, expected.curvature);
        }
    }
    loss_function_free(formula);
    loss_function_free(known);
}

static void formulas_are_the_losses_of_the_catalogue(void **state)
{
    loss_context *context = new_context();
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        compare(context, &pairs[i], LOSS_FLOAT64);
        compare(context, &pairs[i], LOSS_FLOAT32);
    }
    loss_context_free(context);
}

/* ---- beside an evaluator of trees ---- */

typedef struct tree {
    char text[4096];
    uint64_t seed, next;
    double p, y, c;
    double largest; /* number on the way */
} tree;

static uint64_t draw(tree *t, uint64_t below)
{
    return sample_bits(t->seed, t->next++) % below;
}

static void write(tree *t, const char *text)
{
    strncat(t->text, text, sizeof t->text - strlen(t->text) - 1);
}

static double grow(tree *t, int depth);

/* A function by its name, written and evaluated by the C library. */
static double grow_function(tree *t, int depth)
{
    static const struct {
        const char *name;
        double (*function)(double);
    } functions[] = {{"tanh", tanh}, {"atan", atan},   {"abs", fabs},  {"floor", floor}, {"exp", exp},
                     {"cosh", cosh}, {"expm1", expm1}, {"sinh", sinh}, {"sin", sin},     {"cos", cos},
                     {"tan", tan},   {"erf", erf},     {"erfc", erfc}, {"exp2", exp2}};
    const uint64_t which = draw(t, sizeof functions / sizeof *functions);
    write(t, functions[which].name);
    write(t, "(tanh(");
    const double inside = tanh(grow(t, depth - 1));
    write(t, "))");
    return functions[which].function(inside);
}

static double grow_choice(tree *t, int depth)
{
    write(t, "(");
    const double left = grow(t, depth - 1);
    write(t, " < ");
    const double right = grow(t, depth - 1);
    write(t, " ? ");
    const double yes = grow(t, depth - 1);
    write(t, " : ");
    const double no = grow(t, depth - 1);
    write(t, ")");
    return left < right ? yes : no;
}

static double grow_leaf(tree *t)
{
    static const char *const names[] = {"p", "y", "c", "0.375", "2", "1.5e-1"};
    const double numbers[] = {t->p, t->y, t->c, 0.375, 2, 0.15};
    const uint64_t which = draw(t, 6);
    write(t, names[which]);
    return numbers[which];
}

static double grow_operator(tree *t, int depth)
{
    const uint64_t which = draw(t, 5);
    write(t, "(");
    const double left = grow(t, depth - 1);
    write(t, which == 0 ? " + " : which == 1 ? "-" : which == 2 ? "*" : which == 3 ? "/(2 + (" : " - ");
    const double right = grow(t, depth - 1);
    write(t, which == 3 ? ")^2))" : ")");
    return which == 0   ? left + right
           : which == 2 ? left * right
           : which == 3 ? left / (2 + right * right)
                        : left - right;
}

static double grow(tree *t, int depth)
{
    const uint64_t kind = depth == 0 ? 0 : draw(t, 8);
    double value;
    if (kind == 0) {
        value = grow_leaf(t);
    } else if (kind < 4) {
        value = grow_operator(t, depth);
    } else if (kind < 6) {
        value = grow_function(t, depth);
    } else if (kind == 6) {
        write(t, "-");
        value = -grow_leaf(t);
    } else {
        value = grow_choice(t, depth);
    }
    t->largest = fmax(t->largest, fabs(value));
    return value;
}

static void random_formulas_are_what_the_tree_says(void **state)
{
    loss_context *context = new_context();
    int32_t compared = 0, derived = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        tree t = {.seed = seed, .p = 0.3 + (double)seed / 700, .y = -1.25, .c = 0.7, .largest = 1};
        write(&t, "formula:");
        const double expected = grow(&t, 5);
        write(&t, "; c=0.7");
        loss_function *function = formula_of(context, t.text);
        const point made = evaluate_point(context, function, LOSS_FLOAT64, t.p, t.y);
        if (t.largest < 1e4) {
            assert_close(made.value, expected, 1e-11, 1e-11 * t.largest);
            compared++;
        }
        /* and its derivatives, of the value and of the gradient, by differences */
        const double h = 1e-5;
        const point above = evaluate_point(context, function, LOSS_FLOAT64, t.p + h, t.y);
        const point below = evaluate_point(context, function, LOSS_FLOAT64, t.p - h, t.y);
        const double slope = (above.value - below.value) / (2 * h),
                     curvature = (above.gradient - below.gradient) / (2 * h);
        const int smooth = fabs(above.curvature - below.curvature) < 1e-2 &&
                           fabs(above.gradient - below.gradient) < 1e-2 && t.largest < 100;
        if (smooth && fabs(slope) < 100 && fabs(curvature) < 100) {
            assert_close(made.gradient, slope, 1e-5, 1e-6);
            assert_close(made.curvature, curvature, 1e-4, 1e-4);
            derived++;
        }
        loss_function_free(function);
    }
    assert_true(compared > 500 && derived > 400);
    loss_context_free(context);
}

/* ---- options, clones, properties ---- */

static void options_are_those_behind_the_semicolon(void **state)
{
    loss_context *context = new_context();
    loss_function *f = formula_of(context, "formula: c*(p - y)^2 + d ; c = 0.5, d=-2e1;"), *clone = NULL;
    double number = 0;
    (void)state;
    assert_int_equal(loss_function_option_count(f), 3);
    assert_string_equal(loss_option_name(loss_function_option(f, 1)), "c");
    assert_string_equal(loss_option_name(loss_function_option(f, 2)), "d");
    assert_int_equal(loss_option_type(loss_function_option(f, 2)), LOSS_OPTION_DOUBLE);
    assert_int_equal(loss_function_get_double(f, "d", &number), LOSS_OK);
    assert_close(number, -20, 0, 0);
    assert_int_equal(loss_function_set_double(f, "c", 3), LOSS_OK);
    assert_int_equal(loss_function_set_double(f, "e", 3), LOSS_ERROR_NAME);
    assert_int_equal(loss_function_set_double(f, "c", NAN), LOSS_ERROR_RANGE);
    assert_int_equal(loss_function_clone(&clone, context, f), LOSS_OK);
    point made = evaluate_point(context, f, LOSS_FLOAT64, 4, 1.5);
    assert_close(made.value, 3 * 6.25 - 20, 0, 0);
    assert_close(made.gradient, 15, 0, 0);
    assert_close(made.curvature, 6, 0, 0);
    assert_int_equal(loss_function_set_double(f, "c", 2), LOSS_ERROR_STATE);
    assert_int_equal(loss_function_set_double(clone, "c", 2), LOSS_OK);
    loss_function_free(f); /* the clone keeps the programs */
    made = evaluate_point(context, clone, LOSS_FLOAT32, 4, 1.5);
    assert_close(made.value, 2 * 6.25 - 20, 0, 0);
    assert_string_equal(loss_function_name(clone), "formula: c*(p - y)^2 + d ; c = 0.5, d=-2e1;");
    assert_string_equal(loss_function_formula(clone), " c*(p - y)^2 + d ");
    loss_function_free(clone);
    loss_context_free(context);
}

static int32_t property(const loss_function *function, const char *name)
{
    int32_t value = -1;
    assert_int_equal(loss_function_property(function, name, &value), LOSS_OK);
    return value;
}

static void nothing_is_promised_that_nobody_said(void **state)
{
    loss_context *context = new_context();
    loss_function *f = formula_of(context, "formula:(p - y)^2");
    (void)state;
    assert_int_equal(property(f, "pointwise"), 1);
    assert_int_equal(property(f, "separable"), 1);
    assert_int_equal(property(f, "thread_safe"), 1);
    assert_int_equal(property(f, "convex") + property(f, "smooth") + property(f, "lipschitz"), 0);
    assert_int_equal(property(f, "majorizer") + property(f, "bounded"), 0);
    assert_int_equal(loss_function_set_string(f, "curvature", "majorizer"), LOSS_ERROR_SUPPORT);
    assert_int_equal(loss_function_set_property(f, "convex", 1), LOSS_OK);
    assert_int_equal(loss_function_set_number(f, "curvature_bound", 2.5), LOSS_OK);
    assert_int_equal(property(f, "convex") + property(f, "majorizer"), 2);
    assert_int_equal(loss_function_set_string(f, "curvature", "majorizer"), LOSS_OK);
    assert_close(evaluate_point(context, f, LOSS_FLOAT32, 3, 1).curvature, 2.5, 0, 0);
    assert_true(isnan(evaluate_point(context, f, LOSS_FLOAT64, NAN, 1).curvature));
    loss_function_free(f);
    f = formula_of(context, "formula:-(p - y)^2");
    assert_int_equal(loss_function_set_string(f, "curvature", "gauss_newton"), LOSS_OK);
    assert_int_equal(loss_function_set_number(f, "prediction_minimum", -1), LOSS_OK);
    assert_close(evaluate_point(context, f, LOSS_FLOAT32, 3, 1).curvature, 0, 0, 0);
    float p[2] = {0.5f, -2}, y[2] = {1, 1}, gradient[2];
    double cost = 0;
    assert_int_equal(loss_function_cost_float32(context, f, 2, p, y, &cost, gradient), LOSS_ERROR_DOMAIN);
    assert_int_equal(loss_context_error_row(context), 1);
    loss_function_free(f);
    loss_context_free(context);
}

/* ---- layouts, threads ---- */

enum { ROWS = 1531, COLUMNS = 3 };

static double predictions[2 * ROWS * COLUMNS], targets[ROWS * COLUMNS], weights[ROWS];
static double made[4][3][ROWS * COLUMNS];
static uint8_t masks[ROWS];

static void fill_arrays(loss_dtype dtype)
{
    for (int64_t i = 0; i < ROWS * COLUMNS; i++) {
        set_element(predictions, dtype, i, sample_number(1, (uint64_t)(4 * i + 1), 32));
        set_element(targets, dtype, i, sample_number(2, (uint64_t)(4 * i + 1), 32));
    }
    for (int64_t i = 0; i < ROWS; i++) {
        set_element(weights, dtype, i, 0.25 * (double)(i % 7));
        masks[i] = i % 5 != 0;
    }
}

/* The bits of the square of the catalogue, which has the same roundings, through weights, masks, strides and columns. */
static void every_layout_is_that_of_the_catalogue(void **state)
{
    loss_context *context = new_context();
    (void)state;
    for (loss_dtype dtype = LOSS_FLOAT32; dtype <= LOSS_FLOAT64; dtype++) {
        fill_arrays(dtype);
        for (int32_t variant = 0; variant < 16; variant++) {
            loss_function *f = formula_of(context, "formula:(p - y)^2"), *known = NULL;
            assert_int_equal(loss_function_create(&known, context, "squared_error"), LOSS_OK);
            arrays in = {dtype, ROWS, COLUMNS, predictions, targets, NULL, NULL, COLUMNS, 1, 0.375};
            double sum[2];
            in.weight = variant & 1 ? weights : NULL;
            in.mask = variant & 2 ? masks : NULL;
            in.row_stride = variant & 4 ? 1 : COLUMNS;
            in.column_stride = variant & 4 ? ROWS : 1;
            const int all = variant & 8;
            evaluate(context, f, &in, all ? made[0][0] : NULL, made[0][1], all ? made[0][2] : NULL, &sum[0]);
            evaluate(context, known, &in, all ? made[1][0] : NULL, made[1][1], all ? made[1][2] : NULL,
                     &sum[1]);
            assert_same_bits(sum, sum + 1, LOSS_FLOAT64, 1);
            for (int k = all ? 0 : 1; k < (all ? 3 : 2); k++) {
                assert_same_bits(made[0][k], made[1][k], dtype, ROWS * COLUMNS);
            }
            loss_function_free(f);
            loss_function_free(known);
        }
    }
    loss_context_free(context);
}

enum { MANY = 5000000 }; /* float32: a gradient of 20 MB goes past the caches */

static void threads_and_instruction_sets_give_the_same_bits(void **state)
{
    static const char *const sets[] = {"base", "avx2", "avx512", "neon"};
    float *p = malloc(3 * MANY * sizeof *p), *y = p + MANY, *gradient = y + MANY;
    double first_cost = 0;
    uint64_t first = 0;
    int32_t compared = 0;
    (void)state;
    assert_non_null(p);
    for (int64_t i = 0; i < MANY; i++) {
        p[i] = (float)sample_number(3, (uint64_t)(4 * (i % 10007) + 1), 32);
        y[i] = i % 3 ? 1 : -1;
    }
    for (int32_t run = 0; run < 8; run++) {
        loss_context *context = new_context();
        double cost;
        uint64_t digest = 0;
        loss_context_set_int(context, "threads", run % 2 ? 2 : 1);
        if (loss_context_set_string(context, "isa", sets[run / 2]) == LOSS_OK) {
            loss_function *f = formula_of(context, "formula:log(1 + exp(-y*p)) + c*tanh(p)^2; c=0.1");
            assert_int_equal(loss_function_cost_float32(context, f, MANY, p, y, &cost, gradient), LOSS_OK);
            for (int64_t i = 0; i < MANY; i++) {
                uint32_t bits;
                memcpy(&bits, &gradient[i], sizeof bits);
                digest = (digest ^ bits) * 0x9e3779b97f4a7c15u;
            }
            first = compared == 0 ? digest : first;
            first_cost = compared++ == 0 ? cost : first_cost;
            assert_true(digest == first && cost == first_cost);
            loss_function_free(f);
        }
        loss_context_free(context);
    }
    assert_true(compared >= 2);
    free(p);
}

/* Pinned: what formulas give has the same bits in every build, too. */
static void bits_are_those_they_were(void **state)
{
    static const struct {
        const char *formula;
        uint64_t digests[2];
    } rows[] = {
        {"formula:log(1 + exp(-y*p)) + c*p^2; c=0.1", {0xa2f4124061617db0u, 0x7389f3764e18f6e1u}},
        {"formula:where(abs(p - y) <= d, (p - y)^2/2, d*(abs(p - y) - d/2)); d=0.75",
         {0x059fd1060773700au, 0xe1ea8cbd7a00a210u}},
        {"formula:2.25*(sqrt(1 + ((p - y)/1.5)^2) - 1) + tanh(p)*atan(y)",
         {0xaa38ba24425a4c83u, 0x8f94c31f2b95f496u}},
        {"formula:-log(normal_cdf(p)) + log(cosh(p - y)) + exp(-p^2/2)^0.75",
         {0xf05bd08a43b31a49u, 0xe9df190fe2c14621u}},
    };
    loss_context *context = new_context();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (loss_dtype dtype = LOSS_FLOAT32; dtype <= LOSS_FLOAT64; dtype++) {
            loss_function *f = formula_of(context, rows[i].formula);
            const arrays in = {dtype, ROWS, COLUMNS, predictions, targets, NULL, NULL, COLUMNS, 1, 0.375};
            uint64_t digest = 0;
            double sum;
            fill_arrays(dtype);
            evaluate(context, f, &in, made[0][0], made[0][1], made[0][2], &sum);
            for (int k = 0; k < 3; k++) {
                for (int64_t e = 0; e < ROWS * COLUMNS; e++) {
                    digest = (digest ^ sample_canonical(made[0][k], e, dtype == LOSS_FLOAT32 ? 32 : 64)) *
                             0x9e3779b97f4a7c15u;
                    digest ^= digest >> 29;
                }
            }
            if (digest != rows[i].digests[dtype == LOSS_FLOAT64]) {
                fail_msg("%s in float%d: 0x%016llx", rows[i].formula, dtype == LOSS_FLOAT32 ? 32 : 64,
                         (unsigned long long)digest);
            }
            loss_function_free(f);
        }
    }
    loss_context_free(context);
}

static void the_best_constant_is_found(void **state)
{
    loss_context *context = new_context();
    loss_function *f = formula_of(context, "formula:(p - y)^2 * (p > y ? 3 : 1)");
    const double target[] = {1.0, 2.0, 3.5, 2.0, 6.0};
    double constant = 0;
    loss_data *data;
    (void)state;
    assert_int_equal(loss_function_set_property(f, "convex", 1), LOSS_OK);
    assert_int_equal(loss_data_create(&data, context), LOSS_OK);
    loss_data_set_input(data, "target", target, LOSS_FLOAT64, 5, 1, 1, 1);
    assert_status(context, loss_function_best_constant(context, f, data, 1, &constant), LOSS_OK);
    assert_close(constant, (3 * (1.0 + 2 + 2) + 3.5 + 6) / 11, 1e-12, 0);
    loss_data_free(data);
    loss_function_free(f);
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_are_the_losses_of_the_catalogue),
        cmocka_unit_test(random_formulas_are_what_the_tree_says),
        cmocka_unit_test(options_are_those_behind_the_semicolon),
        cmocka_unit_test(nothing_is_promised_that_nobody_said),
        cmocka_unit_test(every_layout_is_that_of_the_catalogue),
        cmocka_unit_test(threads_and_instruction_sets_give_the_same_bits),
        cmocka_unit_test(bits_are_those_they_were),
        cmocka_unit_test(the_best_constant_is_found),
        cmocka_unit_test(errors_name_the_character),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(noise_is_no_danger),
        cmocka_unit_test(numbers_are_read_exactly),
        cmocka_unit_test(operators_bind_as_documented),
        cmocka_unit_test(memory_runs_out_of_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
