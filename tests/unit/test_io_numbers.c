/* Numbers as text, both ways: exact, shortest, and the same in every locale. Expected digits: Python's
 * float() and repr(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loss/io.h"
#include "loss/random.h"

static uint64_t bits64(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return isnan(value) ? UINT64_C(0x7ff8000000000000) : bits;
}

static uint32_t bits32(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return isnan(value) ? UINT32_C(0x7fc00000) : bits;
}

static const struct {
    const char *text;
    double as_double;
    float as_float;
} numbers[] = {
    {"0", 0.0, 0.0f},
    {"-0", -0.0, -0.0f},
    {"-0.00e99999999999999999999", -0.0, -0.0f},
    {"2.385", 2.385, 2.385f},
    {"+.5", 0.5, 0.5f},
    {"7.", 7, 7},
    {"1e22", 1e22, 1e22f},
    {"1E+23", 1e23, 1e23f},
    {"9007199254740993", 9007199254740992.0, 9007199254740992.0f},
    {"9007199254740993.0000000000000000000000000001", 9007199254740994.0, 9007199254740992.0f},
    {"123456789012345678901234567890", 123456789012345678901234567890.0, 123456789012345678901234567890.0f},
    {"1.7976931348623157e308", DBL_MAX, INFINITY},
    {"1.7976931348623158079e308", DBL_MAX, INFINITY},
    {"1.7976931348623159e308", INFINITY, INFINITY},
    {"-1e99999999999999999999999", -INFINITY, -INFINITY},
    {"340282356779733661637539395458142568448", 0x1.ffffffp127, INFINITY}, /* the midpoint above FLT_MAX */
    {"340282356779733661637539395458142568447.9", 0x1.ffffffp127, FLT_MAX},
    {"4.9406564584124654e-324", DBL_TRUE_MIN, 0},
    {"2.4703282292062327208e-324", 0, 0},
    {"2.4703282292062327209e-324", DBL_TRUE_MIN, 0},
    {"7.0064923216240853546e-46", 0x1p-150, 0}, /* half of the smallest float, from below */
    {"7.0064923216240853547e-46", 0x1p-150, FLT_TRUE_MIN},
    {"2.2250738585072012e-308", DBL_MIN, 0},
    {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022, 0},
    {"1.000000059604644775390625", 1.000000059604644775390625, 1.0f},
    {"1.0000000596046447753906251", 1.000000059604644775390625, 0x1.000002p0f},
    {"0x1.8p1", 3, 3},
    {"0X.00000000000000000000001P+92", 1, 1},
    {"0xA", 10, 10},
    {"0x1.fffffffffffff8p0", 2, 2},
    {"0x1.00000000000008000000000000000000000000001p0", 0x1.0000000000001p0, 1},
    {"-0x1p-1074", -DBL_TRUE_MIN, -0.0f},
    {"0x1p-1075", 0, 0},
    {"0x1p99999999999999999999", INFINITY, INFINITY},
    {"inf", INFINITY, INFINITY},
    {"-Infinity", -INFINITY, -INFINITY},
    {"+INF", INFINITY, INFINITY},
    {"NaN", NAN, NAN},
    {"-nan", NAN, NAN},
};

static void check_numbers(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double value = -3;
        float value32 = -3;
        const int64_t length = (int64_t)strlen(numbers[i].text);
        assert_int_equal(loss_parse_double(numbers[i].text, length, &value), LOSS_OK);
        assert_int_equal(loss_parse_float(numbers[i].text, length, &value32), LOSS_OK);
        if (bits64(value) != bits64(numbers[i].as_double) || bits32(value32) != bits32(numbers[i].as_float)) {
            fail_msg("%s gave %a and %a", numbers[i].text, value, (double)value32);
        }
    }
}

static void test_parse(void **state)
{
    (void)state;
    errno = 0;
    check_numbers();
    assert_int_equal(errno, 0);
}

static void test_parse_long(void **state)
{
    (void)state;
    /* The midpoint above 1 has 53 decimals; what follows thousands of zeros later still decides. */
    static const char midpoint[] = "1.00000000000000011102230246251565404236316680908203125";
    char text[6000];
    double value;
    memset(text, '0', sizeof text);
    memcpy(text, midpoint, sizeof midpoint - 1);
    assert_int_equal(loss_parse_double(text, sizeof text, &value), LOSS_OK);
    assert_true(value == 1);
    text[sizeof text - 1] = '1';
    assert_int_equal(loss_parse_double(text, sizeof text, &value), LOSS_OK);
    assert_true(value == 1 + DBL_EPSILON);
    /* 0.000…0001e5000 */
    memset(text, '0', sizeof text);
    text[1] = '.';
    memcpy(text + 5001, "1e5000", 6);
    assert_int_equal(loss_parse_double(text, 5007, &value), LOSS_OK);
    assert_true(value == 1);
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const refused[] = {
        " ",     ".",     "+",     "-",   "e5",    "1e",    "1e+",    "0x",   "0x.",       "0xp1", "0x1p",
        "1.2.3", " 1",    "1 ",    "1,5", "infin", "nan(1", "nan(1)", "--1",  "infinityx", "1e5.", "1f",
        "in",    "1_000", "1e5e5", "0b1", "½",     "٣",     "1\n",    "#N/A", "NA",        "1d5"};
    double value = -3;
    float value32 = -3;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const int64_t length = (int64_t)strlen(refused[i]);
        assert_int_equal(loss_parse_double(refused[i], length, &value), LOSS_ERROR_FORMAT);
        assert_int_equal(loss_parse_float(refused[i], length, &value32), LOSS_ERROR_FORMAT);
    }
    assert_int_equal(loss_parse_double("1\0", 2, &value), LOSS_ERROR_FORMAT);
    assert_int_equal(loss_parse_double(NULL, 1, &value), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_parse_double("1", 0, &value), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_parse_double("1", -1, &value), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_parse_double("1", 1, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_parse_float("1", 1, NULL), LOSS_ERROR_ARGUMENT);
    assert_true(value == -3 && value32 == -3);
    assert_int_equal(loss_parse_double("2.3859", 5, &value), LOSS_OK); /* the length counts, not a NUL */
    assert_true(value == 2.385);
}

static const struct {
    double value;
    const char *text;
} doubles[] = {
    {0.0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {-2.385, "-2.385"},
    {0.1, "0.1"},
    {0.30000000000000004, "0.30000000000000004"},
    {1e15, "1000000000000000"},
    {9007199254740993.0, "9007199254740992"},
    {123456789012345680.0, "1.2345678901234568e17"},
    {1e16, "1e16"},
    {1e22, "1e22"},
    {1e23, "1e23"},
    {0.00012345, "0.00012345"},
    {0.0001, "0.0001"},
    {0.00001, "1e-5"},
    {1.5e300, "1.5e300"},
    {DBL_MAX, "1.7976931348623157e308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {DBL_TRUE_MIN, "5e-324"},
    {0x1p-44, "5.684341886080802e-14"}, /* the nearest of 16 digits, …801, reads back to another number */
    {0x1p-1022, "2.2250738585072014e-308"},
    {0x1p1023, "8.98846567431158e307"},
    {9.5367431640625e-7, "9.5367431640625e-7"},
    {INFINITY, "inf"},
    {-INFINITY, "-inf"},
    {NAN, "nan"},
    {-NAN, "nan"},
};

static const struct {
    float value;
    const char *text;
} floats[] = {
    {0.1f, "0.1"},
    {-0.0f, "-0"},
    {16777216.0f, "16777216"},
    {3.4028235e38f, "3.4028235e38"},
    {0x1p-149f, "1e-45"},
    {0.3f, "0.3"},
    {1.17549435e-38f, "1.1754944e-38"},
    {123456.7f, "123456.7"},
    {1e10f, "10000000000"},
    {0x1p87f, "1.5474251e26"},
    {INFINITY, "inf"},
    {2.0611536e-9f, "2.0611537e-9"},
};

static void check_texts(void)
{
    char text[32];
    int64_t length;
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        assert_int_equal(loss_format_double(doubles[i].value, text, sizeof text, &length), LOSS_OK);
        assert_string_equal(text, doubles[i].text);
        assert_int_equal(length, strlen(text));
    }
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        assert_int_equal(loss_format_float(floats[i].value, text, sizeof text, NULL), LOSS_OK);
        assert_string_equal(text, floats[i].text);
    }
}

static void test_format(void **state)
{
    (void)state;
    check_texts();
    char text[8] = "kept";
    int64_t length = 0;
    assert_int_equal(loss_format_double(-2.385, text, 6, &length), LOSS_ERROR_SHAPE);
    assert_string_equal(text, "kept");
    assert_int_equal(length, 6);
    assert_int_equal(loss_format_double(-2.385, NULL, 0, &length), LOSS_ERROR_SHAPE);
    assert_int_equal(loss_format_double(-2.385, text, 7, &length), LOSS_OK);
    assert_string_equal(text, "-2.385");
    assert_int_equal(loss_format_double(1, NULL, 7, &length), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_format_double(1, text, -1, &length), LOSS_ERROR_ARGUMENT);
}

/* Every bit pattern reads back, and one digit less does not: 20000 random ones and all powers of two. */
static void check_round_trip(double value)
{
    char text[32], shorter[48];
    int64_t length;
    double back = -3;
    assert_int_equal(loss_format_double(value, text, sizeof text, &length), LOSS_OK);
    assert_int_equal(loss_parse_double(text, length, &back), LOSS_OK);
    if (bits64(back) != bits64(value)) {
        fail_msg("%a became %s became %a", value, text, back);
    }
    int digits = 0;
    for (const char *p = text; *p && *p != 'e'; p++) {
        digits += *p >= '0' && *p <= '9' && (digits > 0 || *p != '0');
    }
    if (digits > 1 && isfinite(value) && strchr(text, 'e')) {
        snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
        if (strtod(shorter, NULL) == value) {
            fail_msg("%s is not the shortest: %s", text, shorter);
        }
    }
    const float value32 = (float)value;
    float back32 = -3;
    assert_int_equal(loss_format_float(value32, text, sizeof text, &length), LOSS_OK);
    assert_int_equal(loss_parse_float(text, length, &back32), LOSS_OK);
    assert_true(bits32(back32) == bits32(value32));
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int e = -1074; e < 1024; e++) {
        check_round_trip(ldexp(1, e));
        check_round_trip(nextafter(ldexp(1, e), 0));
    }
    uint32_t words[2];
    for (int64_t i = 0; i < 20000; i++) {
        assert_int_equal(loss_random_words(17, 3, 2 * i, 2, words), LOSS_OK);
        const uint64_t bits = (uint64_t)words[0] << 32 | words[1];
        double value;
        memcpy(&value, &bits, sizeof value);
        check_round_trip(value);
        float value32;
        memcpy(&value32, &words[0], sizeof value32);
        check_round_trip((double)value32);
    }
}

/* The C library rounds correctly too: up to 20 digits, exponents around those that are exact, and ties of two doubles. */
static void test_against_strtod(void **state)
{
    (void)state;
    uint32_t words[4];
    for (int64_t i = 0; i < 100000; i++) {
        assert_int_equal(loss_random_words(17, 4, 4 * i, 4, words), LOSS_OK);
        const uint64_t all = (uint64_t)words[0] << 32 | words[1];
        const uint64_t digits = all >> (words[2] % 61);
        /* 54 bits that end in 1: exactly between two doubles. */
        const uint64_t tie = (UINT64_C(1) << 53 | all >> 11) | 1;
        char texts[8][64];
        snprintf(texts[0], sizeof texts[0], "%" PRIu64 "e%d", digits, (int)(words[3] % 71) - 35);
        snprintf(texts[1], sizeof texts[1], "-%" PRIu64 ".%" PRIu64, digits % 1000000, all % 10000000000);
        snprintf(texts[2], sizeof texts[2], "%" PRIu64 ".%s", tie, words[3] % 2 ? "0" : "001");
        snprintf(texts[3], sizeof texts[3], "%.*g", 1 + (int)(words[3] % 18), ldexp((double)digits, -40));
        /* All exponents there are, and short spellings with zeros in front and behind. */
        snprintf(texts[4], sizeof texts[4], "%" PRIu64 "e%d", all >> 1, (int)(words[3] % 700) - 365);
        snprintf(texts[5], sizeof texts[5], "0.0000%018" PRIu64, digits % UINT64_C(1000000000000000000));
        snprintf(texts[6], sizeof texts[6], "%" PRIu64 "e%d", digits % 100000, (int)(words[2] % 650) - 330);
        snprintf(texts[7], sizeof texts[7], "+%u.%08u0", words[3] % 1000, words[2] % 100000000);
        for (int k = 0; k < 8; k++) {
            double value = -3;
            float value32 = -3;
            const int64_t length = (int64_t)strlen(texts[k]);
            assert_int_equal(loss_parse_double(texts[k], length, &value), LOSS_OK);
            assert_int_equal(loss_parse_float(texts[k], length, &value32), LOSS_OK);
            if (bits64(value) != bits64(strtod(texts[k], NULL)) ||
                bits32(value32) != bits32(strtof(texts[k], NULL))) {
                fail_msg("%s became %a and %a", texts[k], value, (double)value32);
            }
        }
    }
}

/* A locale whose decimal point is a comma, where the machine has one. */
static void test_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "nl_NL.UTF-8"};
    const char *found = NULL;
    for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++) {
        found = setlocale(LC_ALL, names[i]);
    }
    if (!found || strcmp(localeconv()->decimal_point, ",") != 0) {
        print_message("no locale with a decimal comma on this machine\n");
        skip();
    }
    check_numbers();
    check_texts();
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),         cmocka_unit_test(test_parse_long),
        cmocka_unit_test(test_parse_refuses), cmocka_unit_test(test_format),
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_against_strtod),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests_name("io_numbers", tests, NULL, NULL);
}
