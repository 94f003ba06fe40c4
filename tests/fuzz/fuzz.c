/* See fuzz.h. */
#include "fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_expect(int kept, const char *promise)
{
    if (!kept) {
        fprintf(stderr, "broken promise: %s\n", promise);
        abort();
    }
}

void fuzz_expect_status(const loss_context *context, loss_status status, const char *call)
{
    if (strcmp(loss_status_name(status), loss_status_name(-9999)) == 0) {
        fprintf(stderr, "%s returned %d\n", call, (int)status);
        fuzz_expect(0, "every status has a name");
    }
    if (status < 0 && context != NULL && strlen(loss_context_error(context)) < 8) {
        fprintf(stderr, "%s: %s\n", call, loss_status_name(status));
        fuzz_expect(0, "a failure comes with a sentence");
    }
}

uint32_t fuzz_byte(fuzz_stream *s)
{
    return s->used < s->length ? s->bytes[s->used++] : 0;
}

static uint64_t bits(fuzz_stream *s, int count)
{
    uint64_t all = 0;
    for (int k = 0; k < count; k++) {
        all = all << 8 | fuzz_byte(s);
    }
    return all;
}

int32_t fuzz_below(fuzz_stream *s, int32_t limit)
{
    return (int32_t)(bits(s, limit > 256 ? 2 : 1) % (uint64_t)limit);
}

double fuzz_number(fuzz_stream *s)
{
    static const double special[] = {0.0,       -0.0, 1.0,      -1.0,    0.5,       1e-300, -1e300, INFINITY,
                                     -INFINITY, NAN,  0x1p-149, 0x1p127, 0x1p-1074, 1e-45,  88.73,  -745.2};
    const uint32_t kind = fuzz_byte(s);
    double any;
    uint64_t pattern;
    if (kind < 128) {
        return ((double)kind - 64) / 16;
    }
    switch (kind & 3) {
    case 0:
        return special[fuzz_below(s, (int32_t)(sizeof special / sizeof *special))];
    case 1:
        return ldexp((double)(int8_t)fuzz_byte(s), (int)fuzz_byte(s) / 2 - 64);
    case 2:
        return (double)(int16_t)bits(s, 2) / 1024;
    default:
        pattern = bits(s, 8);
        memcpy(&any, &pattern, sizeof any);
        return any;
    }
}

int64_t fuzz_integer(fuzz_stream *s)
{
    const uint32_t kind = fuzz_byte(s);
    return kind < 224 ? (int64_t)(kind % 16) - 2 : kind < 240 ? (int16_t)bits(s, 2) : (int64_t)bits(s, 8);
}

void fuzz_text(fuzz_stream *s, char *text, int32_t size)
{
    const int32_t length = fuzz_below(s, size);
    for (int32_t i = 0; i < length; i++) {
        text[i] = (char)fuzz_byte(s);
    }
    text[length] = '\0';
}

const char *fuzz_name(fuzz_stream *s, int32_t count, const char *(*name)(int32_t index))
{
    static char changed[96];
    const char *right = name(fuzz_below(s, count));
    const uint32_t how = fuzz_byte(s);
    if (how < 250 || right == NULL) {
        return right;
    }
    snprintf(changed, sizeof changed, "%s", right);
    changed[how % (strlen(changed) + 1)] = (char)fuzz_byte(s);
    changed[sizeof changed - 1] = '\0';
    return changed;
}

void fuzz_fill(fuzz_stream *s, void *array, loss_dtype dtype, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        switch (dtype) {
        case LOSS_FLOAT32:
            ((float *)array)[i] = (float)fuzz_number(s);
            break;
        case LOSS_FLOAT64:
            ((double *)array)[i] = fuzz_number(s);
            break;
        case LOSS_INT32:
            ((int32_t *)array)[i] = (int32_t)fuzz_integer(s);
            break;
        case LOSS_INT64:
            ((int64_t *)array)[i] = fuzz_integer(s);
            break;
        default:
            ((uint8_t *)array)[i] = (uint8_t)fuzz_byte(s);
        }
    }
}

static double element(const void *array, loss_dtype dtype, int64_t i)
{
    return dtype == LOSS_FLOAT32 ? ((const float *)array)[i] : ((const double *)array)[i];
}

/* The first place where two arrays differ; count when they do not. */
static int64_t first_difference(const void *a, const void *b, loss_dtype dtype, int64_t count)
{
    const int64_t size = loss_dtype_size(dtype);
    int64_t i = 0;
    while (i < count && ((isnan(element(a, dtype, i)) && isnan(element(b, dtype, i))) ||
                         memcmp((const char *)a + i * size, (const char *)b + i * size, (size_t)size) == 0)) {
        i++;
    }
    return i;
}

int fuzz_same(const void *a, const void *b, loss_dtype dtype, int64_t count)
{
    return first_difference(a, b, dtype, count) == count;
}

int fuzz_same_or_say(const char *name, const void *a, const void *b, loss_dtype dtype, int64_t count)
{
    const int64_t i = first_difference(a, b, dtype, count);
    if (i < count) {
        fprintf(stderr, "%s, %s %lld of %lld: %.17g and %.17g\n", name, loss_dtype_name(dtype), (long long)i,
                (long long)count, element(a, dtype, i), element(b, dtype, i));
    }
    return i == count;
}
