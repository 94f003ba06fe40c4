/* The functions of formulas: the scalar operations by their names, other names for some, and a few that are made of them. */
#include "loss/formula/parser.h"

#include <stddef.h>
#include <string.h>

#include "loss/expression/expression.h"

typedef const lossi_formula_builder *builder;

static int32_t apply(builder b, int32_t operation, int32_t x, int32_t y)
{
    return x < 0 ? x : y < 0 ? y : b->apply(b->user, operation, x, y, 0);
}

static int32_t call_relu(builder b, const int32_t *operands)
{
    return apply(b, LOSSI_SCALAR_maximum, operands[0], b->number(b->user, 0));
}

static int32_t call_clip(builder b, const int32_t *operands)
{
    return apply(b, LOSSI_SCALAR_minimum, apply(b, LOSSI_SCALAR_maximum, operands[0], operands[1]),
                 operands[2]);
}

/* −log(1 + e^−x) */
static int32_t call_log_sigmoid(builder b, const int32_t *operands)
{
    const int32_t minus = apply(b, LOSSI_SCALAR_negate, operands[0], 0);
    return apply(b, LOSSI_SCALAR_negate, apply(b, LOSSI_SCALAR_softplus, minus, 0), 0);
}

static int32_t call_exp2(builder b, const int32_t *operands)
{
    return apply(b, LOSSI_SCALAR_power, b->number(b->user, 2), operands[0]);
}

static const struct other {
    const char *name;
    int32_t operation; /* whose other name it is, or */
    int32_t operands;
    int32_t (*call)(builder b, const int32_t *operands);
    const char *doc;
} others[] = {
    {"max", LOSSI_SCALAR_maximum, 2, NULL, "another name of maximum"},
    {"min", LOSSI_SCALAR_minimum, 2, NULL, "another name of minimum"},
    {"pow", LOSSI_SCALAR_power, 2, NULL, "another name of power"},
    {"ln", LOSSI_SCALAR_log, 1, NULL, "another name of log"},
    {"where", LOSSI_SCALAR_select, 3, NULL, "another name of select"},
    {"logistic", LOSSI_SCALAR_sigmoid, 1, NULL, "another name of sigmoid"},
    {"arctan", LOSSI_SCALAR_atan, 1, NULL, "another name of atan"},
    {"exp2", 0, 1, call_exp2, "power(2, a)"},
    {"relu", 0, 1, call_relu, "maximum(a, 0)"},
    {"clip", 0, 3, call_clip, "minimum(maximum(a, b), c)"},
    {"log_sigmoid", 0, 1, call_log_sigmoid, "log(sigmoid(a)), as -softplus(-a)"},
};

enum { OTHERS = sizeof others / sizeof *others };

int32_t lossi_formula_function_count(void)
{
    return LOSSI_SCALAR_COUNT + OTHERS;
}

const char *lossi_formula_function_name(int32_t function)
{
    return function < LOSSI_SCALAR_COUNT ? lossi_scalar_name(function)
                                         : others[function - LOSSI_SCALAR_COUNT].name;
}

int32_t lossi_formula_function_operands(int32_t function)
{
    return function < LOSSI_SCALAR_COUNT ? lossi_scalar_operands(function)
                                         : others[function - LOSSI_SCALAR_COUNT].operands;
}

const char *lossi_formula_function_doc(int32_t function)
{
    return function < LOSSI_SCALAR_COUNT ? lossi_scalar_doc(function)
                                         : others[function - LOSSI_SCALAR_COUNT].doc;
}

int32_t lossi_formula_function(const char *name)
{
    for (int32_t i = 0; i < lossi_formula_function_count(); i++) {
        if (strcmp(lossi_formula_function_name(i), name) == 0) {
            return i;
        }
    }
    return -1;
}

int32_t lossi_formula_call(int32_t function, const lossi_formula_builder *b, const int32_t *operands)
{
    if (function >= LOSSI_SCALAR_COUNT && others[function - LOSSI_SCALAR_COUNT].call != NULL) {
        return others[function - LOSSI_SCALAR_COUNT].call(b, operands);
    }
    const int32_t operation = function < LOSSI_SCALAR_COUNT ? function
                                                            : others[function - LOSSI_SCALAR_COUNT].operation;
    return b->apply(b->user, operation, operands[0], operands[1], operands[2]);
}
