/*
 * Decimal text to number, the part that is worth being inlined into the readers of text.
 *
 * m · 10^e with m ≤ 2^53 and |e| ≤ 22 is one exact product or quotient (Clinger, "How to read floating point numbers
 * accurately", PLDI 1990, §3). Else the product of m and 128 bits of 5^e settles the rounding but for cases that show (Lemire,
 * "Number parsing at a gigabyte per second", 2021), which are left to the slow way of number_parse.c.
 */
#ifndef LOSSI_IO_NUMBER_H
#define LOSSI_IO_NUMBER_H

#include <float.h>
#include <stdint.h>
#include <string.h>

/* As many bytes must be readable behind a text that is scanned here, whatever is in them. */
#define LOSSI_IO_SLACK 16

/* Digits that always fit into 64 bits. */
#define LOSSI_IO_MOST_DIGITS 19

/* From here on an exponent in a text is left to the slow way: it is 0 or infinity but for odd spellings. */
#define LOSSI_IO_MOST_EXPONENT 1000

/* leading · 10^exponent by powers of five; 0 when that does not settle it. Only for leading > 0. In number_parse.c. */
int lossi_io_round_decimal(uint64_t leading, int64_t exponent, double *value);

extern const double lossi_io_powers_of_ten[23];

/* leading · 10^exponent, rounded once; 0 when that is not settled here. */
static inline int lossi_io_decimal(uint64_t leading, int64_t exponent, double *value)
{
    if (exponent == 0 && leading <= UINT64_C(1) << DBL_MANT_DIG) {
        *value = (double)(int64_t)leading;
        return 1;
    }
    if (leading <= UINT64_C(1) << DBL_MANT_DIG && exponent >= -22 && exponent <= 22) {
        const double whole = (double)leading;
        *value = exponent < 0 ? whole / lossi_io_powers_of_ten[-exponent]
                              : whole * lossi_io_powers_of_ten[exponent];
        return 1;
    }
    if (leading == 0) {
        *value = 0.0;
        return 1;
    }
    return lossi_io_round_decimal(leading, exponent, value);
}

/* Two short integers of a text, and how far from its begin they end. */
struct lossi_io_pair {
    int32_t numbers[2];
    int ends[2];
};

/*
 * They are looked for from a column on while they are found there: a byte of a column begins with PAIRS_TRIED, and says 0 in the end
 * where they are missing more often than one time in sixteen.
 */
enum { PAIRS_TRIED = 255, PAIR_MISSED = 16 };

static inline void lossi_io_pair_count(unsigned char *tries, int found)
{
    if (found) {
        *tries += *tries < PAIRS_TRIED;
    } else {
        *tries -= *tries < PAIR_MISSED ? *tries : PAIR_MISSED;
    }
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

/*
 * Eight bytes of text as one word, in which a digit is its value (Lamport, "Multiple byte processing with full-word instructions",
 * CACM 18, 1975).
 */
static inline uint64_t lossi_io_load_digits(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word ^ 0x3030303030303030u;
}

/* The highest bit of every byte that is no digit. */
static inline uint64_t lossi_io_other_bytes(uint64_t digits)
{
    return (((digits & 0x7f7f7f7f7f7f7f7fu) + 0x7676767676767676u) | digits) & 0x8080808080808080u;
}

/* The numbers that the four digits of each half make: pairs, then pairs of pairs, each one product. */
static inline uint64_t lossi_io_join_fours(uint64_t digits)
{
    digits = digits * (10 * 256 + 1) >> 8 & 0x00ff00ff00ff00ffu;
    return digits * (100 * 65536 + 1) >> 16 & 0x0000ffff0000ffffu;
}

/* Eight digits at once; 0 when not all are digits. */
static inline int lossi_io_eight_digits(const char *p, uint64_t *number)
{
    const uint64_t digits = lossi_io_load_digits(p);
    if (lossi_io_other_bytes(digits)) {
        return 0;
    }
    *number = *number * 100000000 + (lossi_io_join_fours(digits) * (UINT64_C(10000) * 4294967296u + 1) >> 32);
    return 1;
}

/*
 * Two whole numbers of one to four digits with the separator between, of eight bytes at most; 0 when there is something else. How long
 * they are is computed and not tried out: it is as good as random, and a jump that was guessed wrong costs more than all of this.
 */
static inline int lossi_io_two_integers(const char *p, char separator, struct lossi_io_pair *pair)
{
    const uint64_t digits = lossi_io_load_digits(p), others = lossi_io_other_bytes(digits);
    const uint64_t behind = others & (others - 1);
    if (behind == 0) {
        return 0;
    }
    const unsigned first = (unsigned)__builtin_ctzll(others) >> 3;
    const unsigned end = (unsigned)__builtin_ctzll(behind) >> 3, second = end - first - 1;
    if (p[first] != separator || first - 1 > 3 || second - 1 > 3) {
        return 0;
    }
    /* Each in a half of the word, its last digit in the last byte. */
    const uint64_t low = (uint32_t)digits << (32 - 8 * first);
    const uint64_t high = (uint32_t)(digits >> (8 * first + 8)) << (32 - 8 * second);
    const uint64_t both = lossi_io_join_fours(low | high << 32);
    pair->numbers[0] = (int32_t)both;
    pair->numbers[1] = (int32_t)(both >> 32);
    pair->ends[0] = (int)first;
    pair->ends[1] = (int)end;
    return 1;
}

#else

static inline int lossi_io_eight_digits(const char *p, uint64_t *number)
{
    (void)p;
    (void)number;
    return 0;
}

static inline int lossi_io_two_integers(const char *p, char separator, struct lossi_io_pair *pair)
{
    (void)p;
    (void)separator;
    (void)pair;
    return 0;
}

#endif

static inline const char *lossi_io_digits(const char *p, uint64_t *number)
{
    unsigned digit;
    while ((digit = (unsigned)(unsigned char)*p - '0') <= 9) {
        *number = 10 * *number + digit;
        p++;
    }
    return p;
}

/* Whether so many digits, with a point among them, are few without the zeros in front. */
static inline int lossi_io_is_short(const char *p, int64_t digits)
{
    while (digits > LOSSI_IO_MOST_DIGITS && (*p == '0' || *p == '.')) {
        digits -= *p++ == '0';
    }
    return digits <= LOSSI_IO_MOST_DIGITS;
}

/*
 * The decimal number that begins at p and where it ends; NULL for what is none and for what is left to the slow way. The text
 * must end in something that belongs to no number, and have LOSSI_IO_SLACK readable bytes behind.
 */
static inline const char *lossi_io_scan_decimal(const char *p, double *value)
{
    /* A single digit, which is what whole columns consist of. */
    if ((unsigned)(unsigned char)p[0] - '0' <= 9 && (unsigned)(unsigned char)p[1] - '0' > 9 && p[1] != '.' &&
        (p[1] | 0x20) != 'e') {
        *value = (double)(p[0] - '0');
        return p + 1;
    }
    const int negative = *p == '-';
    p += negative || *p == '+';
    uint64_t leading = 0;
    const char *first = p;
    p = lossi_io_digits(p, &leading);
    int64_t digits = p - first, exponent = 0;
    if (*p == '.') {
        const char *fraction = ++p;
        if (lossi_io_eight_digits(p, &leading)) {
            p += 8;
            p += lossi_io_eight_digits(p, &leading) ? 8 : 0;
        }
        p = lossi_io_digits(p, &leading);
        exponent = fraction - p;
        digits -= exponent;
    }
    if (digits < 1 || (digits > LOSSI_IO_MOST_DIGITS && !lossi_io_is_short(first, digits))) {
        return NULL;
    }
    if ((*p | 0x20) == 'e') {
        const int falls = p[1] == '-';
        uint64_t power = 0;
        p += 1 + (falls || p[1] == '+');
        first = p;
        p = lossi_io_digits(p, &power);
        if (p == first || p - first > 4 || power >= LOSSI_IO_MOST_EXPONENT) {
            return NULL;
        }
        exponent += falls ? -(int64_t)power : (int64_t)power;
    }
    if (!lossi_io_decimal(leading, exponent, value)) {
        return NULL;
    }
    *value = negative ? -*value : *value;
    return p;
}

/*
 * Whether a float made of a rounded double may be another than the one next to the text: where the double sits exactly
 * between two floats (29 bits more than a float has: 1 and zeros), and where a float is not normal. A number that a float has too,
 * as every small integer, is none of these.
 */
static inline int lossi_io_float_is_doubtful(double number)
{
    uint64_t bits;
    if ((double)(float)number == number) {
        return 0;
    }
    memcpy(&bits, &number, sizeof bits);
    const double magnitude = number < 0 ? -number : number;
    return (bits & 0x1fffffff) == 0x10000000 ||
           (number != 0.0 && !(magnitude >= (double)FLT_MIN && magnitude <= (double)FLT_MAX));
}

#endif
