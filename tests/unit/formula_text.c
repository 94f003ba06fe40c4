/* Formulas as text: the grammar, the sentences about what is wrong, the limits, and text that is none. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "support/allocator.h"
#include "support/sample.h"

static loss_context *new_context(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

static const struct {
    const char *text, *sentence;
} wrong[] = {
    {"", "character 1: a number, a name or '(' was expected, not the end"},
    {"   ", "character 4: a number, a name or '('"},
    {"p +", "character 4: a number, a name or '(' was expected, not the end"},
    {"p + * y", "character 5: a number, a name or '(' was expected, not '*'"},
    {"p y", "character 3: an operator or the end was expected, not 'y'"},
    {"2p", "character 2: an operator or the end was expected, not 'p'"},
    {"(p - y", "character 7: an operator or ')' was expected, not the end"},
    {"(p - y))", "character 8: an operator or the end was expected, not ')'"},
    {"p = y", "character 3: an operator or the end was expected, not '='"},
    {"p $ y", "character 3: an operator or the end was expected, not '$'"},
    {"p \xc2\xb7 y", "character 3: an operator or the end was expected, not a character (byte 0xc2)"},
    {"p + \xc3\xa4\xc3\xa4 + y", "character 5: a number, a name or '('"},
    {"log(p) + lgo(y)", "character 10: there is no function 'lgo'; did you mean 'log'?"},
    {"softplus(p) + zzzzzzz(y)", "character 15: there is no function 'zzzzzzz'"},
    {"p + delta", "character 5: there is no name 'delta'"},
    {"p + delat; delta=1", "character 5: there is no name 'delat'; did you mean 'delta'?"},
    {"p + exp", "character 5: exp is a function; its arguments in parentheses"},
    {"max(p)", "character 6: ',' and number 2 of the 2 arguments of max was expected, not ')'"},
    {"max(p, y, 0)", "character 9: ')' behind the 2 arguments of max was expected, not ','"},
    {"exp()", "character 5: a number, a name or '(' was expected, not ')'"},
    {"exp(p, y)", "character 6: ')' behind the 1 argument of exp was expected, not ','"},
    {"p(2)", "character 1: there is no function 'p'"},
    {"p > 0 ? y", "character 10: ':' and what it is otherwise was expected, not the end"},
    {"0 < p < y", "character 7: a comparison of three; '&&' between two comparisons was expected"},
    {"p & y", "character 3: an operator or the end was expected, not '&'"},
    {"1e p", "character 2: an operator or the end was expected, not 'e'"},
    {"p + 1e400", "character 5: the number is beyond the largest double"},
    {"1.2.3", "character 4: an operator or the end was expected, not '.'"},
    {". + p", "character 1: a number, a name or '(' was expected, not '.'"},
    {"p^", "character 3: a number, a name or '(' was expected, not the end"},
    {"c*p; c", "character 7: '=' and the value of the option was expected"},
    {"c*p; c=", "character 8: a number was expected"},
    {"c*p; c=p", "character 8: a number was expected"},
    {"c*p; c=1e999", "character 8: the number is beyond the largest double"},
    {"c*p; c=1 d=2", "character 10: ',' and another option, or the end was expected"},
    {"c*p; 3=c", "character 6: the name of an option was expected"},
    {"c*p; c=1, c=2", "character 11: 'c' was given a value before"},
    {"c*p; c=1, p=2", "character 11: 'p' is a name that formulas have; another was expected"},
    {"c*p; c=1, exp=2", "character 11: 'exp' is a name that formulas have"},
    {"c*p; c=1, curvature=2", "character 11: 'curvature' is a name that formulas have"},
    {"p; a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1", "character 36: at most 8 options were expected"},
    {"p; ; a=1", "character 4: the name of an option was expected"},
    {"a23456789012345678901234567890123456789012345678 + p",
     "character 1: a name has 48 characters; at most 47"},
    {"p; a23456789012345678901234567890123456789012345678=1", "character 4: a name has 48 characters"},
};

void errors_name_the_character(void **state)
{
    loss_context *context = new_context();
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[256], sentence[256];
        loss_function *function = (loss_function *)(void *)text;
        snprintf(text, sizeof text, "formula:%s", wrong[i].text);
        snprintf(sentence, sizeof sentence, "formula, %s", wrong[i].sentence);
        assert_status(context, loss_function_create(&function, context, text), LOSS_ERROR_FORMULA);
        assert_null(function);
        assert_sentence(context, sentence);
    }
    loss_context_free(context);
}

void anything_else_is_refused(void **state)
{
    loss_context *context = new_context();
    loss_function *function = NULL;
    (void)state;
    assert_int_equal(loss_function_create(&function, context, "formula"), LOSS_ERROR_NAME);
    assert_int_equal(loss_function_create(&function, context, "Formula:p"), LOSS_ERROR_NAME);
    assert_int_equal(loss_function_create(NULL, context, "formula:p"), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_create(&function, NULL, "formula:p"), LOSS_ERROR_ARGUMENT);
    assert_null(function);
    assert_string_equal(loss_status_name(LOSS_ERROR_FORMULA), "LOSS_ERROR_FORMULA");
    loss_context_free(context);
}

/* ---- limits ---- */

static char *repeated(const char *first, const char *part, int32_t count, const char *last)
{
    const size_t length = strlen(part);
    char *text = malloc(strlen(first) + length * (size_t)count + strlen(last) + 1), *at = text;
    assert_non_null(text);
    at += sprintf(at, "%s", first);
    for (int32_t i = 0; i < count; i++, at += length) {
        memcpy(at, part, length);
    }
    strcpy(at, last);
    return text;
}

static void expect(loss_context *context, char *text, loss_status status, const char *sentence)
{
    loss_function *function = NULL;
    assert_status(context, loss_function_create(&function, context, text), status);
    assert_true((function == NULL) == (status != LOSS_OK));
    if (sentence != NULL) {
        assert_sentence(context, sentence);
    }
    loss_function_free(function);
    free(text);
}

static char *nested(int32_t depth)
{
    char *inner = repeated("p", ")", depth, ""), *whole = repeated("formula:", "(", depth, inner);
    free(inner);
    return whole;
}

void limits_hold(void **state)
{
    loss_context *context = new_context();
    const char *deep = "more than 200 levels are in each other", *long_text = "at most 65536 bytes";
    const char *many = "there are more than 10000 operations";
    (void)state;
    expect(context, nested(199), LOSS_OK, NULL);
    expect(context, nested(200), LOSS_ERROR_FORMULA, deep);
    expect(context, nested(30000), LOSS_ERROR_FORMULA, deep);
    expect(context, repeated("formula:", "-", 199, "p"), LOSS_OK, NULL);
    expect(context, repeated("formula:", "-", 60000, "p"), LOSS_ERROR_FORMULA, deep);
    expect(context, repeated("formula:", "!", 60000, "p"), LOSS_ERROR_FORMULA, deep);
    expect(context, repeated("formula:", "exp(", 10000, "p"), LOSS_ERROR_FORMULA, deep);
    expect(context, repeated("formula:", "p^", 30000, "p"), LOSS_ERROR_FORMULA, deep);
    expect(context, repeated("formula:", "p?p:", 15000, "p"), LOSS_ERROR_FORMULA, deep);
    expect(context, repeated("formula:", "p?", 15000, "p"), LOSS_ERROR_FORMULA, deep);
    /* a chain is no nesting */
    expect(context, repeated("formula:p", "+p", 2000, ""), LOSS_OK, NULL);
    expect(context, repeated("formula:p", "*exp(p)/y", 500, ""), LOSS_OK, NULL);
    expect(context, repeated("formula:p", "*tanh(p)-y", 6000, ""), LOSS_ERROR_FORMULA, many);
    expect(context, repeated("formula:p", "*exp(p)/y", 1800, ""), LOSS_ERROR_FORMULA, many);
    expect(context, repeated("formula:", "0+", 32767, "p"), LOSS_OK,
           NULL); /* 65535 bytes of one operation and a constant */
    expect(context, repeated("formula:", " ", 65536, "p"), LOSS_ERROR_FORMULA, long_text);
    expect(context, repeated("formula:p; c=1", " ", 65536, ""), LOSS_ERROR_FORMULA, long_text);
    expect(context, repeated("formula:1", "0", 308, "*p"), LOSS_OK, NULL);
    expect(context, repeated("formula:0.1", "0", 60000, "*p"), LOSS_OK, NULL);
    expect(context, repeated("formula:1", "0", 60000, "*p"), LOSS_ERROR_FORMULA, "beyond the largest double");
    loss_context_free(context);
}

/* Text made of what formulas are made of, and text with bytes changed: a function or a sentence, and nothing leaks. */
void noise_is_no_danger(void **state)
{
    static const char *const words[] = {
        "p",    "y",   "c",  "(",  ")",  "+",   "-",         "*",  "/",      "^",    "exp(", "log(",
        "max(", ",",   "?",  ":",  "<",  ">=",  "==",        "&&", "||",     "!",    ";",    "=",
        "1",    "1e9", ".5", "pi", "1e", "abs", "softplus(", " ",  "where(", "\xff", "@",    "c=1"};
    enum { WORDS = sizeof words / sizeof *words };
    test_allocator allocator = {0};
    loss_context *context = NULL;
    int32_t accepted = 0;
    (void)state;
    assert_int_equal(loss_context_create_with_allocator(&context, test_allocate, test_release, &allocator),
                     LOSS_OK);
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        char text[512] = "formula:";
        const uint64_t count = 1 + sample_bits(seed, 0) % 12;
        loss_function *function = NULL;
        for (uint64_t i = 0; i < count; i++) {
            strcat(text, words[sample_bits(seed, i + 1) % WORDS]);
        }
        if (seed % 2) {
            strcpy(text, "formula:log(1 + exp(-y*p)) + c*p^2 + (p > y ? 1 : 2.5e-3)*max(p, 0); c=0.1, d=-3");
            for (uint64_t i = 0; i < count; i++) {
                const uint64_t bits = sample_bits(seed, i + 100);
                text[8 + bits % (strlen(text) - 8)] = (char)(1 + (bits >> 20) % 255);
            }
        }
        const loss_status status = loss_function_create(&function, context, text);
        assert_true(status == LOSS_OK || status == LOSS_ERROR_FORMULA);
        assert_true((status == LOSS_OK) == (function != NULL));
        if (status == LOSS_OK) {
            evaluate_point(context, function, LOSS_FLOAT32, 0.75, -1.5);
            accepted++;
        } else {
            assert_sentence(context, "formula, character ");
        }
        loss_function_free(function);
    }
    assert_true(accepted > 100);
    loss_context_free(context);
    assert_int_equal(allocator.live, 0);
}

/* ---- numbers and operators ---- */

static double value_of(loss_context *context, const char *text)
{
    char whole[2048];
    snprintf(whole, sizeof whole, "formula:0*p + (%s)", text);
    loss_function *function = formula_of(context, whole);
    const double value = evaluate_point(context, function, LOSS_FLOAT64, 2, -3).value;
    loss_function_free(function);
    return value;
}

void numbers_are_read_exactly(void **state)
{
    static const char *const texts[] = {
        "0",
        "7",
        "0.1",
        "2.50",
        ".5",
        "5.",
        "1e3",
        "1E-3",
        "1e+22",
        "123456789012345678901234567890",
        "0.000000000000000000000000000000000000000012345678901234567890",
        "1.7976931348623157e308",
        "4.9406564584124654e-324",
        "2.2250738585072011e-308",
        "1e-400",
        "9007199254740993",
        "9007199254740992.9999",
        "9007199254740993.00000000000000000000000000000000000000000000000000000001",
        "0.1e00000000000000000000000000000000000000000000000001",
        "1e-99999999999999999999999"};
    loss_context *context = new_context();
    (void)state;
    /* whatever the locale, where the machine has one with a comma */
    for (int32_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            const char *old = setlocale(LC_NUMERIC, NULL);
            char kept[64];
            snprintf(kept, sizeof kept, "%s", old);
            setlocale(LC_NUMERIC, "C");
            const double expected = strtod(texts[i], NULL);
            setlocale(LC_NUMERIC, kept);
            assert_close(value_of(context, texts[i]), expected, 0, 0);
        }
        if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL) {
            break;
        }
    }
    setlocale(LC_NUMERIC, "C");
    char digits[900] = "1.";
    memset(digits + 2, '0', 850); /* a digit that decides, behind all that are kept */
    strcpy(digits + 852, "1");
    assert_close(value_of(context, digits), 1, 0, 0);
    loss_context_free(context);
}

void operators_bind_as_documented(void **state)
{
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        {"-p^2", -4},
        {"2^-1", 0.5},
        {"2^3^2", 512},
        {"(2^3)^2", 64},
        {"2**3", 8},
        {"-2^0.5", -1.4142135623730951},
        {"1 - 2 - 3", -4},
        {"8/4/2", 1},
        {"1 + 2*3", 7},
        {"2*-3", -6},
        {"- -3", 3},
        {"+3", 3},
        {"1 < 2", 1},
        {"2 <= 1", 0},
        {"2 >= 2", 1},
        {"3 > 4", 0},
        {"p == 2", 1},
        {"p != 2", 0},
        {"!0", 1},
        {"!3", 0},
        {"1 < 2 && 3 < 2", 0},
        {"1 < 2 || 3 < 2", 1},
        {"0 || 0 && 1", 0},
        {"2 && 3", 1},
        {"1 ? 10 : 20", 10},
        {"0 ? 1 : 0 ? 2 : 3", 3},
        {"p > 0 ? p < 1 ? 1 : 2 : 3", 2},
        {"1 + 1 < 3 ? 4 : 5", 4},
        {"max(p, y)", 2},
        {"min(p, y)", -3},
        {"where(y > 0, 1, 2)", 2},
        {"clip(7, 0, 5)", 5},
        {"relu(y)", 0},
        {"pow(y, 3)", -27},
        {"y^2", 9},
        {"ln(1)", 0},
        {"pi", 3.141592653589793},
        {"prediction + target + t", -4},
        {"sign(y)", -1},
        {"abs(y)", 3},
        {"floor(-0.5)", -1},
        {"log_sigmoid(0)", -0.6931471805599453},
        {"1e1", 10},
        {"square(p - y)", 25},
    };
    loss_context *context = new_context();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double value = value_of(context, rows[i].text);
        if (!(fabs(value - rows[i].value) <= 4 * DBL_EPSILON * fabs(rows[i].value))) {
            fail_msg("%s is %.17g; %.17g was expected", rows[i].text, value, rows[i].value);
        }
    }
    loss_context_free(context);
}

/* ---- memory ---- */

void memory_runs_out_of_formulas(void **state)
{
    test_allocator allocator = {0};
    loss_context *context = NULL;
    loss_status status;
    int64_t k = 0;
    (void)state;
    assert_int_equal(loss_context_create_with_allocator(&context, test_allocate, test_release, &allocator),
                     LOSS_OK);
    const int64_t before = allocator.live;
    do {
        loss_function *function = NULL, *clone = NULL;
        allocator.calls = 0;
        allocator.fail_at = ++k;
        status = loss_function_create(&function, context,
                                      "formula:log(1 + exp(-y*p)) + c*p^2 + max(p, y)*tanh(p); c=0.1");
        if (status == LOSS_OK) {
            status = loss_function_clone(&clone, context, function);
        }
        assert_true(status == LOSS_OK || status == LOSS_ERROR_MEMORY);
        loss_function_free(function);
        loss_function_free(clone);
        assert_int_equal(allocator.live, before);
    } while (status != LOSS_OK);
    assert_true(k > 20);
    loss_context_free(context);
    assert_int_equal(allocator.live, 0);
}
