/* The same bits everywhere: digests of every operation of the vector vocabulary and every elementary function, over
 * a fixed sample, on each instruction set of this machine, against those in tests/data/bits.txt.
 *
 *   bits FILE     compares; 0 when all agree, 1 with the list of differences, 2 when FILE is unreadable
 *   bits          prints the digests of the baseline, in the format of FILE
 *
 * A digest is 64-bit FNV-1a (Fowler, Noll, Vo, 1991) over the results in order, each as 4 or 8 bytes with the lowest
 * first and every NaN as the quiet one with an empty payload. No library but libc: cross-built programs run it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/math_kernels.h"
#include "support/sample.h"

enum {
    COUNT = 16379,
    LINES = 2 * (MATH_UNARY + MATH_BINARY + MATH_TERNARY)
}; /* a prime: the last vector is partial */
static const uint64_t seed = 20250214;

typedef struct digest {
    const char *name;
    int bits;
    uint64_t value;
} digest;

static union {
    float narrow[COUNT];
    double wide[COUNT];
} argument[3], result;

static uint64_t hash(int bits)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (int i = 0; i < COUNT; i++) {
        uint64_t pattern = sample_canonical(&result, i, bits);
        for (int byte = 0; byte < bits / 8; byte++)
            value = (value ^ (pattern >> 8 * byte & 0xff)) * 0x100000001b3u;
    }
    return value;
}

/* Scaling has a domain of two variables: small significands, every exponent that matters. */
static void fill_scale_arguments(int bits)
{
    for (int i = 0; i < COUNT; i++) {
        uint64_t random = sample_bits(seed + 9, (uint64_t)i);
        int limit = bits == 32 ? 160 : 1100;
        sample_set(&argument[0], i, bits, 1.0 + (double)(random >> 41) * 0x1p-23);
        sample_set(&argument[1], i, bits, (double)((int)(random % (2 * (unsigned)limit)) - limit));
    }
}

static void fill(int bits, int unary_operation)
{
    for (int a = 0; a < 3; a++) {
        for (int i = 0; i < COUNT; i++) {
            double x = sample_number(seed + (uint64_t)a, (uint64_t)i, bits);
            sample_set(&argument[a], i, bits, sample_in_domain(unary_operation, x, bits));
        }
    }
}

/* Bases of powers that are in the domain. */
static void fill_power_arguments(int bits, int operation)
{
    int domain = operation == MATH_POW || operation == MATH_POWM1 ? MATH_LOG : MATH_LOG1P;
    fill(bits, -1);
    for (int i = 0; i < COUNT; i++)
        sample_set(&argument[0], i, bits, sample_in_domain(domain, sample_get(&argument[0], i, bits), bits));
}

static void compute(const math_kernels *kernels, digest *out)
{
    int bits = kernels->bits;
    for (int k = 0; k < MATH_UNARY; k++) {
        fill(bits, k);
        kernels->unary(k, &argument[0], &result, COUNT);
        *out++ = (digest){math_unary_names[k], bits, hash(bits)};
    }
    for (int k = 0; k < MATH_BINARY; k++) {
        if (k < MATH_BINARY_FUNCTIONS)
            fill_power_arguments(bits, k);
        else if (k == MATH_BINARY_FUNCTIONS)
            fill(bits, -1);
        else if (k == MATH_SCALE)
            fill_scale_arguments(bits);
        kernels->binary(k, &argument[0], &argument[1], &result, COUNT);
        *out++ = (digest){math_binary_names[k], bits, hash(bits)};
    }
    fill(bits, -1);
    for (int k = 0; k < MATH_TERNARY; k++) {
        kernels->ternary(k, &argument[0], &argument[1], &argument[2], &result, COUNT);
        *out++ = (digest){math_ternary_names[k], bits, hash(bits)};
    }
}

static int compute_all(int isa, digest digests[LINES])
{
    if (!math_kernels_at(isa, 32))
        return 0;
    compute(math_kernels_at(isa, 32), digests);
    compute(math_kernels_at(isa, 64), digests + LINES / 2);
    return 1;
}

static int read_expected(const char *path, uint64_t expected[LINES], const digest digests[LINES])
{
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    char line[128], name[64];
    int bits, found = 0;
    while (fgets(line, sizeof line, file)) {
        uint64_t value;
        if (line[0] == '#' || sscanf(line, "%63s float%d %" SCNx64, name, &bits, &value) != 3)
            continue;
        for (int i = 0; i < LINES; i++) {
            if (digests[i].bits == bits && strcmp(digests[i].name, name) == 0) {
                expected[i] = value;
                found++;
            }
        }
    }
    fclose(file);
    return found == LINES;
}

int main(int argc, char **argv)
{
    static digest digests[LINES];
    static uint64_t expected[LINES];
    compute_all(0, digests);
    if (argc < 2) {
        for (int i = 0; i < LINES; i++)
            printf("%s float%d %016" PRIx64 "\n", digests[i].name, digests[i].bits, digests[i].value);
        return 0;
    }
    if (!read_expected(argv[1], expected, digests)) {
        fprintf(stderr, "%s: expected one digest for each of %d operations\n", argv[1], LINES);
        return 2;
    }
    int wrong = 0;
    for (int isa = 0; isa < math_isa_count(); isa++) {
        if (!compute_all(isa, digests)) {
            printf("%-6s skipped: not on this processor\n", math_isa_name(isa));
            continue;
        }
        int here = 0;
        for (int i = 0; i < LINES; i++) {
            if (digests[i].value != expected[i]) {
                here++;
                printf("%-6s %s float%d: %016" PRIx64 ", expected %016" PRIx64 "\n", math_isa_name(isa),
                       digests[i].name, digests[i].bits, digests[i].value, expected[i]);
            }
        }
        printf("%-6s %d of %d digests agree\n", math_isa_name(isa), LINES - here, LINES);
        wrong += here;
    }
    return wrong != 0;
}
