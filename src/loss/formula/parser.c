/* The parser of formulas; the grammar is in parser.h. */
#include "loss/formula/parser.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/number.h"
#include "loss/expression/expression.h"

typedef struct parser {
    loss_context *context;
    const char *text, *at, *end;
    const lossi_formula_builder *builder;
    int32_t depth;
    loss_status status;
} parser;

enum { FAILED = -1 };

/* ---- failing ---- */

/* Characters and not bytes: those that continue one in UTF-8 do not count. */
static int32_t character(const char *text, const char *where)
{
    int32_t count = 1;
    for (; text < where; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

loss_status lossi_formula_fail(loss_context *context, const char *text, const char *where, const char *format,
                               ...)
{
    char sentence[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return lossi_fail(context, LOSS_ERROR_FORMULA, "formula, character %d: %s", character(text, where),
                      sentence);
}

/* What stands at a place, in quotes. */
static const char *found_at(const parser *p, const char *where, char buffer[64])
{
    const char *end = lossi_formula_name_end(where, p->end);
    const unsigned char c = where < p->end ? (unsigned char)*where : 0;
    if (where == p->end) {
        return "the end";
    }
    if (end > where) {
        snprintf(buffer, 64, "'%.*s'", (int)(end - where < 40 ? end - where : 40), where);
    } else if (c > ' ' && c < 127) {
        snprintf(buffer, 64, "'%c'", c);
    } else {
        snprintf(buffer, 64, "a character (byte 0x%02x) that formulas do not have", c);
    }
    return buffer;
}

static int32_t expected(parser *p, const char *what)
{
    char buffer[64];
    p->status = lossi_formula_fail(p->context, p->text, p->at, "%s was expected, not %s", what,
                                   found_at(p, p->at, buffer));
    return FAILED;
}

/* What the builder made, or the sentence about why it did not. */
static int32_t made(parser *p, const char *where, int32_t node)
{
    if (node >= 0) {
        return node;
    }
    if (node == LOSSI_FORMULA_WRONG) {
        p->status = lossi_formula_fail(p->context, p->text, where, "%s", p->builder->sentence);
        return FAILED;
    }
    p->status = node == LOSSI_EXPRESSION_MEMORY
                    ? lossi_fail_memory(p->context, "a formula")
                    : lossi_formula_fail(p->context, p->text, where,
                                         "there are more than %d operations, with those of the derivatives",
                                         LOSSI_FORMULA_NODES);
    return FAILED;
}

static int32_t apply(parser *p, const char *where, int32_t operation, int32_t a, int32_t b)
{
    return a < 0 || b < 0 ? FAILED : made(p, where, p->builder->apply(p->builder->user, operation, a, b, 0));
}

static int32_t number(parser *p, const char *where, double value)
{
    return made(p, where, p->builder->number(p->builder->user, value));
}

/* ---- words ---- */

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

const char *lossi_formula_name_end(const char *text, const char *end)
{
    if (text == end || !is_letter(*text)) {
        return text;
    }
    while (text < end && (is_letter(*text) || (*text >= '0' && *text <= '9'))) {
        text++;
    }
    return text;
}

static void skip_spaces(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) {
        p->at++;
    }
}

/* Goes past the word when it comes next. */
static int32_t accept(parser *p, const char *word)
{
    const size_t length = strlen(word);
    skip_spaces(p);
    if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0) {
        return 0;
    }
    p->at += length;
    return 1;
}

/* ---- the grammar ---- */

static int32_t conditional(parser *p);
static int32_t signed_factor(parser *p);

static int32_t deeper(parser *p)
{
    if (++p->depth <= LOSSI_FORMULA_DEPTH) {
        return 1;
    }
    p->status = lossi_formula_fail(p->context, p->text, p->at,
                                   "more than %d levels are in each other; at most that many were expected",
                                   LOSSI_FORMULA_DEPTH);
    return 0;
}

static const char *function_name(const void *unused, int32_t index)
{
    (void)unused;
    return lossi_formula_function_name(index);
}

static int32_t fail_unknown(parser *p, const char *where, const char *kind, const char *name,
                            lossi_name_at name_at, const void *names, int32_t count)
{
    const char *nearest = lossi_nearest(name, name_at, names, count);
    p->status = nearest != NULL
                    ? lossi_formula_fail(p->context, p->text, where,
                                         "there is no %s '%s'; did you mean '%s'?", kind, name, nearest)
                    : lossi_formula_fail(p->context, p->text, where, "there is no %s '%s'", kind, name);
    return FAILED;
}

/* Whether the builder has a function of that name. */
static int32_t of_the_builder(const parser *p, const char *name)
{
    const char *const *functions = p->builder->functions;
    while (functions != NULL && *functions != NULL && strcmp(*functions, name) != 0) {
        functions++;
    }
    return functions != NULL && *functions != NULL;
}

/* Of a function, behind its name and parenthesis. */
static int32_t arguments(parser *p, const char *where, const char *name)
{
    const int32_t own = of_the_builder(p, name), function = lossi_formula_function(name);
    int32_t operands[3] = {0};
    char what[96];
    if (function < 0 && !own) {
        return fail_unknown(p, where, "function", name, function_name, NULL, lossi_formula_function_count());
    }
    const int32_t count = own ? 1 : lossi_formula_function_operands(function);
    for (int32_t i = 0; i < count; i++) {
        if (i > 0 && !accept(p, ",")) {
            snprintf(what, sizeof what, "',' and number %d of the %d arguments of %s", i + 1, count, name);
            return expected(p, what);
        }
        operands[i] = conditional(p);
        if (operands[i] < 0) {
            return FAILED;
        }
    }
    if (!accept(p, ")")) {
        snprintf(what, sizeof what, "')' behind the %d argument%s of %s", count, count > 1 ? "s" : "", name);
        return expected(p, what);
    }
    return made(p, where,
                own ? p->builder->call(p->builder->user, name, operands[0])
                    : lossi_formula_call(function, p->builder, operands));
}

static int32_t name_or_call(parser *p, const char *end)
{
    const char *where = p->at;
    char name[LOSSI_FORMULA_NAME + 1];
    if (end - where > LOSSI_FORMULA_NAME) {
        p->status = lossi_formula_fail(p->context, p->text, where,
                                       "a name has %d characters; at most %d were expected",
                                       (int)(end - where), LOSSI_FORMULA_NAME);
        return FAILED;
    }
    memcpy(name, where, (size_t)(end - where));
    name[end - where] = '\0';
    p->at = end;
    if (accept(p, "(")) {
        return arguments(p, where, name);
    }
    const int32_t node = p->builder->name(p->builder->user, name);
    if (node != LOSSI_FORMULA_UNKNOWN) {
        return made(p, where, node);
    }
    if (strcmp(name, "pi") == 0) {
        return number(p, where, 3.14159265358979323846);
    }
    if (lossi_formula_function(name) >= 0) {
        p->status = lossi_formula_fail(p->context, p->text, where,
                                       "%s is a function; its arguments in parentheses were expected", name);
        return FAILED;
    }
    return fail_unknown(p, where, "name", name, p->builder->name_at, p->builder->names,
                        p->builder->name_count);
}

static int32_t primary(parser *p)
{
    double value;
    skip_spaces(p);
    const char *where = p->at, *behind = lossi_read_number(where, p->end, &value);
    if (behind > where) {
        p->at = behind;
        if (isinf(value)) {
            p->status = lossi_formula_fail(p->context, p->text, where,
                                           "the number is beyond the largest double");
            return FAILED;
        }
        return number(p, where, value);
    }
    const char *end = lossi_formula_name_end(where, p->end);
    if (end > where) {
        return name_or_call(p, end);
    }
    if (!accept(p, "(")) {
        return expected(p, "a number, a name or '('");
    }
    const int32_t inside = conditional(p);
    return inside < 0 || accept(p, ")") ? inside : expected(p, "an operator or ')'");
}

/* What follows a sign or stands in an exponent: a level of its own. */
static int32_t inner_factor(parser *p)
{
    if (!deeper(p)) {
        return FAILED;
    }
    const int32_t node = signed_factor(p);
    p->depth--;
    return node;
}

static int32_t power(parser *p)
{
    const int32_t base = primary(p);
    skip_spaces(p);
    const char *where = p->at;
    if (base < 0 || !(accept(p, "^") || accept(p, "**"))) {
        return base;
    }
    return apply(p, where, LOSSI_SCALAR_power, base, inner_factor(p));
}

/* 1 where a is 0, else 0; and the other way round. */
static int32_t is_zero(parser *p, const char *where, int32_t a)
{
    return a < 0 ? a : apply(p, where, LOSSI_SCALAR_equal, a, number(p, where, 0));
}

static int32_t is_true(parser *p, const char *where, int32_t a)
{
    return a < 0 ? a : apply(p, where, LOSSI_SCALAR_not_equal, a, number(p, where, 0));
}

static int32_t signed_factor(parser *p)
{
    skip_spaces(p);
    const char *where = p->at;
    if (accept(p, "-")) {
        return apply(p, where, LOSSI_SCALAR_negate, inner_factor(p), 0);
    }
    if (accept(p, "+")) {
        return inner_factor(p);
    }
    return accept(p, "!") ? is_zero(p, where, inner_factor(p)) : power(p);
}

static int32_t product(parser *p)
{
    int32_t node = signed_factor(p);
    while (node >= 0) {
        skip_spaces(p);
        const char *where = p->at;
        if (accept(p, "*")) {
            node = apply(p, where, LOSSI_SCALAR_multiply, node, signed_factor(p));
        } else if (accept(p, "/")) {
            node = apply(p, where, LOSSI_SCALAR_divide, node, signed_factor(p));
        } else {
            break;
        }
    }
    return node;
}

static int32_t sum(parser *p)
{
    int32_t node = product(p);
    while (node >= 0) {
        skip_spaces(p);
        const char *where = p->at;
        if (accept(p, "+")) {
            node = apply(p, where, LOSSI_SCALAR_add, node, product(p));
        } else if (accept(p, "-")) {
            node = apply(p, where, LOSSI_SCALAR_subtract, node, product(p));
        } else {
            break;
        }
    }
    return node;
}

static int32_t comparison_operator(parser *p)
{
    static const struct {
        const char *word;
        int32_t operation;
    } operators[] = {{"<=", LOSSI_SCALAR_less_equal},    {"<", LOSSI_SCALAR_less},
                     {">=", LOSSI_SCALAR_greater_equal}, {">", LOSSI_SCALAR_greater},
                     {"==", LOSSI_SCALAR_equal},         {"!=", LOSSI_SCALAR_not_equal}};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (accept(p, operators[i].word)) {
            return operators[i].operation;
        }
    }
    return -1;
}

static int32_t comparison(parser *p)
{
    int32_t node = sum(p);
    skip_spaces(p);
    const char *where = p->at;
    const int32_t operation = node < 0 ? -1 : comparison_operator(p);
    if (operation < 0) {
        return node;
    }
    node = apply(p, where, operation, node, sum(p));
    skip_spaces(p);
    where = p->at;
    if (node >= 0 && comparison_operator(p) >= 0) {
        p->status = lossi_formula_fail(p->context, p->text, where,
                                       "a comparison of three; '&&' between two comparisons was expected");
        return FAILED;
    }
    return node;
}

/* Both operands are evaluated, as in any formula: && is the smaller of two truths, || the larger. */
static int32_t conjunction(parser *p)
{
    int32_t node = comparison(p);
    skip_spaces(p);
    for (const char *where = p->at; node >= 0 && accept(p, "&&"); skip_spaces(p), where = p->at) {
        const int32_t left = is_true(p, where, node);
        node = left < 0 ? left
                        : apply(p, where, LOSSI_SCALAR_minimum, left, is_true(p, where, comparison(p)));
    }
    return node;
}

static int32_t disjunction(parser *p)
{
    int32_t node = conjunction(p);
    skip_spaces(p);
    for (const char *where = p->at; node >= 0 && accept(p, "||"); skip_spaces(p), where = p->at) {
        const int32_t left = is_true(p, where, node);
        node = left < 0 ? left
                        : apply(p, where, LOSSI_SCALAR_maximum, left, is_true(p, where, conjunction(p)));
    }
    return node;
}

static int32_t conditional(parser *p)
{
    if (!deeper(p)) {
        return FAILED;
    }
    int32_t node = disjunction(p);
    skip_spaces(p);
    const char *where = p->at;
    if (node >= 0 && accept(p, "?")) {
        const int32_t yes = conditional(p);
        if (yes >= 0 && !accept(p, ":")) {
            return expected(p, "':' and what it is otherwise");
        }
        const int32_t no = yes < 0 ? FAILED : conditional(p);
        node = no < 0
                   ? FAILED
                   : made(p, where, p->builder->apply(p->builder->user, LOSSI_SCALAR_select, node, yes, no));
    }
    p->depth--;
    return node;
}

loss_status lossi_formula_parse(loss_context *context, const char *text, const char *end,
                                const lossi_formula_builder *builder, int32_t *node)
{
    parser p = {.context = context, .text = text, .at = text, .end = end, .builder = builder};
    if (end - text > LOSSI_FORMULA_LENGTH) {
        return lossi_formula_fail(context, text, text + LOSSI_FORMULA_LENGTH,
                                  "the formula goes on; at most %d bytes were expected",
                                  LOSSI_FORMULA_LENGTH);
    }
    const int32_t whole = conditional(&p);
    skip_spaces(&p);
    if (whole >= 0 && p.at < p.end) {
        expected(&p, "an operator or the end");
    }
    if (p.status == LOSS_OK) {
        *node = whole;
    }
    return p.status;
}
