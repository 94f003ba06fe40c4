/* A formula as a loss function: its text taken apart, its programs made. */
#include "loss/formula/formula.h"

#include <math.h>
#include <string.h>

#include "core/number.h"
#include "loss/expression/program.h"
#include "loss/formula/kernels.h"
#include "loss/formula/parser.h"
#include "loss/user.h"

int32_t lossi_is_formula(const char *name)
{
    return strncmp(name, LOSSI_FORMULA_PREFIX, sizeof LOSSI_FORMULA_PREFIX - 1) == 0;
}

/* ---- life ---- */

void lossi_formula_drop(lossi_formula *formula)
{
    if (atomic_fetch_sub_explicit(&formula->references, 1, memory_order_acq_rel) == 1) {
        loss_context *context = formula->context;
        for (int32_t i = 0; i < LOSSI_FORMULA_PROGRAMS; i++) {
            lossi_program_free(formula->programs[i]);
        }
        lossi_release(context, formula->text);
        lossi_release(context, formula->body);
        lossi_release(context, formula);
        lossi_context_drop(context);
    }
}

static char *copy_of(loss_context *context, const char *text, int64_t length)
{
    char *copy = lossi_allocate(context, length + 1);
    if (copy != NULL) {
        memcpy(copy, text, (size_t)length);
        copy[length] = '\0';
    }
    return copy;
}

/* ---- options behind the semicolon ---- */

typedef struct reader {
    loss_context *context;
    const char *text, *at, *end; /* of what follows the prefix */
} reader;

static void skip_spaces(reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL) {
        r->at++;
    }
}

static loss_status expected(const reader *r, const char *what)
{
    return lossi_formula_fail(r->context, r->text, r->at, "%s was expected", what);
}

static const char *const own_names[] = {"p", "prediction", "y", "t", "target", "pi", "curvature"};

static int32_t is_own(const char *name)
{
    for (size_t i = 0; i < sizeof own_names / sizeof *own_names; i++) {
        if (strcmp(own_names[i], name) == 0) {
            return 1;
        }
    }
    return lossi_formula_function(name) >= 0;
}

static int32_t option_called(const lossi_formula *formula, const char *name)
{
    for (int32_t i = 0; i < formula->option_count; i++) {
        if (strcmp(formula->names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static loss_status read_name(reader *r, lossi_formula *formula, char *name)
{
    const char *end = lossi_formula_name_end(r->at, r->end);
    if (end == r->at) {
        return expected(r, "the name of an option");
    }
    if (end - r->at > LOSSI_FORMULA_NAME) {
        return lossi_formula_fail(r->context, r->text, r->at,
                                  "a name has %d characters; at most %d were expected", (int)(end - r->at),
                                  LOSSI_FORMULA_NAME);
    }
    memcpy(name, r->at, (size_t)(end - r->at));
    name[end - r->at] = '\0';
    if (is_own(name) || option_called(formula, name) >= 0) {
        return lossi_formula_fail(r->context, r->text, r->at, "'%s' %s", name,
                                  is_own(name) ? "is a name that formulas have; another was expected"
                                               : "was given a value before");
    }
    if (formula->option_count == LOSSI_PARAMETERS) {
        return lossi_formula_fail(r->context, r->text, r->at, "at most %d options were expected",
                                  LOSSI_PARAMETERS);
    }
    r->at = end;
    return LOSS_OK;
}

static loss_status read_value(reader *r, double *value)
{
    skip_spaces(r);
    if (r->at == r->end || *r->at != '=') {
        return expected(r, "'=' and the value of the option");
    }
    r->at++;
    skip_spaces(r);
    const int32_t negative = r->at < r->end && *r->at == '-';
    r->at += r->at < r->end && (*r->at == '-' || *r->at == '+');
    const char *behind = lossi_read_number(r->at, r->end, value);
    if (behind == r->at) {
        return expected(r, "a number");
    }
    if (isinf(*value)) {
        return lossi_formula_fail(r->context, r->text, r->at, "the number is beyond the largest double");
    }
    r->at = behind;
    *value = negative ? -*value : *value;
    return LOSS_OK;
}

static loss_status read_options(reader *r, lossi_formula *formula)
{
    for (skip_spaces(r); r->at < r->end; skip_spaces(r)) {
        loss_option *option =
            &formula->options[formula->option_count < LOSSI_PARAMETERS ? formula->option_count : 0];
        char name[LOSSI_FORMULA_NAME + 1];
        double value = 0;
        loss_status status = read_name(r, formula, name);
        if (status == LOSS_OK) {
            status = read_value(r, &value);
        }
        if (status != LOSS_OK) {
            return status;
        }
        memcpy(formula->names[formula->option_count], name, sizeof name);
        *option = (loss_option){.name = formula->names[formula->option_count++],
                                .type = LOSS_OPTION_DOUBLE,
                                .minimum = -INFINITY,
                                .maximum = INFINITY,
                                .initial = value,
                                .doc = "a number of the formula"};
        skip_spaces(r);
        if (r->at < r->end && *r->at != ',' && *r->at != ';') {
            return expected(r, "',' and another option, or the end");
        }
        r->at += r->at < r->end;
    }
    return LOSS_OK;
}

loss_status lossi_formula_read_options(lossi_formula *formula, const char *text, const char *at,
                                       const char *end)
{
    reader options = {formula->context, text, at, end};
    return read_options(&options, formula);
}

/* ---- expressions from text ---- */

typedef struct builder {
    lossi_expression *expression;
    const lossi_formula *formula;
} builder;

static int32_t number_node(void *user, double value)
{
    return lossi_expression_constant(((builder *)user)->expression, value);
}

static int32_t name_node(void *user, const char *name)
{
    const builder *b = user;
    if (strcmp(name, "p") == 0 || strcmp(name, "prediction") == 0) {
        return lossi_expression_input(b->expression, LOSSI_FORMULA_PREDICTION);
    }
    if (strcmp(name, "y") == 0 || strcmp(name, "t") == 0 || strcmp(name, "target") == 0) {
        return lossi_expression_input(b->expression, LOSSI_FORMULA_TARGET);
    }
    const int32_t option = option_called(b->formula, name);
    return option < 0 ? LOSSI_FORMULA_UNKNOWN
                      : lossi_expression_input(b->expression, LOSSI_FORMULA_OPTION + option);
}

static int32_t apply_node(void *user, int32_t operation, int32_t a, int32_t b, int32_t c)
{
    return lossi_expression_apply(((builder *)user)->expression, operation, a, b, c);
}

/* The options, then p, y and what else they are called. */
static const char *name_at(const void *names, int32_t index)
{
    const lossi_formula *formula = names;
    return index < formula->option_count ? formula->names[index] : own_names[index - formula->option_count];
}

static loss_status parse(const reader *r, const builder *b, int32_t *node)
{
    const lossi_formula_builder callbacks = {
        .user = (void *)(uintptr_t)b,
        .number = number_node,
        .name = name_node,
        .apply = apply_node,
        .name_at = name_at,
        .names = b->formula,
        .name_count = b->formula->option_count + (int32_t)(sizeof own_names / sizeof *own_names) - 1};
    return lossi_formula_parse(r->context, r->text, r->end, &callbacks, node);
}

/* ---- programs ---- */

/* The constant factor of a product, when it is a power of two or minus one; LOSSI_NO_NODE for other nodes. */
static int32_t exact_factor(const lossi_expression *e, int32_t node)
{
    int exponent;
    const lossi_node *at = lossi_expression_node(e, node);
    for (int32_t i = 0; i < 2 && at->operation == LOSSI_SCALAR_multiply; i++) {
        const int32_t factor = i == 0 ? at->a : at->b;
        const lossi_node *constant = lossi_expression_node(e, factor);
        if (constant->operation == LOSSI_SCALAR_CONSTANT && fabs(frexp(constant->value, &exponent)) == 0.5) {
            return factor;
        }
    }
    return LOSSI_NO_NODE;
}

/*
 * Scale times a derivative. A sign or a power of two of the derivative goes to the scale, where it costs nothing; but for what is
 * no normal number the bits are the same.
 */
static int32_t scaled(lossi_expression *e, int32_t node)
{
    int32_t scale = lossi_expression_input(e, LOSSI_FORMULA_SCALE);
    if (node < 0) {
        return node;
    }
    for (;;) {
        const lossi_node at = *lossi_expression_node(e, node);
        const int32_t factor = exact_factor(e, node);
        if (scale < 0) {
            return scale;
        }
        if (at.operation == LOSSI_SCALAR_negate) {
            scale = lossi_expression_make(e, LOSSI_SCALAR_negate, scale, LOSSI_NO_NODE, LOSSI_NO_NODE);
            node = at.a;
        } else if (factor != LOSSI_NO_NODE) {
            scale = lossi_expression_make(e, LOSSI_SCALAR_multiply, scale, factor, LOSSI_NO_NODE);
            node = factor == at.a ? at.b : at.a;
        } else {
            break;
        }
    }
    return lossi_expression_make(e, LOSSI_SCALAR_multiply, node, scale, LOSSI_NO_NODE);
}

/* Scale times value, gradient and both curvatures; the positive part of the second derivative is before the scale. */
static int32_t compile(lossi_formula *formula, lossi_expression *e, int32_t value)
{
    const int32_t slope = lossi_expression_derivative(e, value, LOSSI_FORMULA_PREDICTION);
    const int32_t curvature = lossi_expression_derivative(e, slope, LOSSI_FORMULA_PREDICTION);
    const int32_t positive = lossi_expression_apply(e, LOSSI_SCALAR_maximum, curvature,
                                                    lossi_expression_constant(e, 0), LOSSI_NO_NODE);
    const int32_t inputs = LOSSI_FORMULA_OPTION + formula->option_count;
    uint8_t scalar[LOSSI_FORMULA_INPUTS];
    int32_t result = 0;
    for (int32_t k = 0; k < LOSSI_FORMULA_INPUTS; k++) {
        scalar[k] = k != LOSSI_FORMULA_PREDICTION && k != LOSSI_FORMULA_TARGET;
    }
    for (int32_t i = 0; i < LOSSI_FORMULA_PROGRAMS && result == 0; i++) {
        const int32_t nodes[LOSSI_FORMULA_OUTPUTS] = {
            value, scaled(e, slope), scaled(e, i == LOSSI_FORMULA_EXACT ? curvature : positive)};
        const int32_t outputs = i == LOSSI_FORMULA_VALUE ? 1 : i == LOSSI_FORMULA_GRADIENT ? 2 : 3;
        result = lossi_program_compile(&formula->programs[i], e, nodes, outputs, inputs, scalar);
        if (result == 0 && lossi_program_scratch(formula->programs[i]) > formula->scratch) {
            formula->scratch = lossi_program_scratch(formula->programs[i]);
        }
    }
    return result;
}

static loss_status compile_text(lossi_formula *formula, const reader *r)
{
    const builder b = {lossi_expression_create(r->context, LOSSI_FORMULA_NODES), formula};
    int32_t value = 0;
    if (b.expression == NULL) {
        return lossi_fail_memory(r->context, "a formula");
    }
    loss_status status = parse(r, &b, &value);
    if (status == LOSS_OK) {
        const int32_t result = compile(formula, b.expression, value);
        status = result == 0 ? LOSS_OK
                 : result == LOSSI_EXPRESSION_MEMORY
                     ? lossi_fail_memory(r->context, "a formula")
                     : lossi_formula_fail(r->context, r->text, r->end,
                                          "there are more than %d operations, with those of the derivatives",
                                          LOSSI_FORMULA_NODES);
    }
    lossi_expression_free(b.expression);
    return status;
}

/* ---- the function ---- */

static loss_status fill(lossi_formula *formula, const char *text)
{
    const char *begin = text + sizeof LOSSI_FORMULA_PREFIX - 1;
    const char *end = begin + strlen(begin), *semicolon = memchr(begin, ';', (size_t)(end - begin));
    const char *body_end = semicolon == NULL ? end : semicolon;
    reader options = {formula->context, begin, semicolon == NULL ? end : semicolon + 1, end};
    const reader body = {formula->context, begin, begin, body_end};
    if (end - begin > LOSSI_FORMULA_LENGTH) {
        return lossi_formula_fail(formula->context, begin, begin + LOSSI_FORMULA_LENGTH,
                                  "the formula goes on; at most %d bytes were expected",
                                  LOSSI_FORMULA_LENGTH);
    }
    loss_status status = read_options(&options, formula);
    if (status == LOSS_OK) {
        status = compile_text(formula, &body);
    }
    if (status != LOSS_OK) {
        return status;
    }
    formula->text = copy_of(formula->context, text, end - text);
    formula->body = copy_of(formula->context, begin, body_end - begin);
    return formula->text != NULL && formula->body != NULL ? LOSS_OK
                                                          : lossi_fail_memory(formula->context, "a formula");
}

loss_status lossi_formula_create(loss_function **out, loss_context *context, const char *text)
{
    lossi_formula *formula = lossi_allocate(context, (int64_t)sizeof *formula);
    if (formula == NULL) {
        return lossi_fail_memory(context, "a formula");
    }
    formula->context = lossi_context_retain(context);
    atomic_init(&formula->references, 1);
    loss_status status = fill(formula, text);
    if (status == LOSS_OK) {
        status = lossi_user_create_formula(out, context, formula);
    }
    if (status != LOSS_OK) {
        lossi_formula_drop(formula);
    }
    return status;
}
