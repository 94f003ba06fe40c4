/*
 * How fast the readers of text are, beside what the machine can do with the same bytes.
 *
 *     bench_readers [--megabytes N]
 *
 * Every file is made in memory, so that no disk is measured: tables as they are met, of whole numbers of one to three digits, of
 * decimals of six digits, of doubles in all their digits, and LIBSVM of the last two. One line of JSON for each: megabytes (10^6 bytes)
 * of text a second, the smallest time of five. "memcpy" and "memchr" are the same text copied, and gone through for its line ends.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loss/io.h"
#include "loss/random.h"

enum { COLUMNS = 30, REPEATS = 5, MOST_NUMBER = 32 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct text {
    char *bytes;
    int64_t length;
};

enum { SMALL_INTEGERS, SHORT_DECIMALS, LONG_DECIMALS };

static const char *const kinds[] = {"integers of 1 to 3 digits", "decimals of 6 digits",
                                    "doubles in all digits"};

static int64_t print_number(char *to, int kind, uint64_t index)
{
    uint32_t words[2];
    loss_random_words(41, (uint64_t)kind, index, 2, words);
    if (kind == SMALL_INTEGERS) {
        return sprintf(to, "%" PRIu32, words[0] % (words[1] % 4 ? 10 : 256));
    }
    if (kind == SHORT_DECIMALS) {
        return sprintf(to, "%.4f", (double)words[0] / 4294967296.0 * 200 - 100);
    }
    int64_t length;
    const double number = ((double)words[0] + (double)words[1] / 4294967296.0) / 4294967296.0 * 2 - 1;
    loss_format_double(number, to, MOST_NUMBER, &length);
    return length;
}

/* Rows until there are so many bytes; with indices as LIBSVM has them, else with commas and a header. */
static struct text make_text(int kind, int has_indices, int64_t wanted)
{
    struct text text = {malloc((size_t)wanted + (COLUMNS + 1) * (MOST_NUMBER + 8)), 0};
    uint64_t index = 0;
    if (!text.bytes) {
        fputs("bench_readers: no memory\n", stderr);
        exit(1);
    }
    for (int c = 0; c < COLUMNS && !has_indices; c++) {
        text.length += sprintf(text.bytes + text.length, "x%d%c", c, c + 1 < COLUMNS ? ',' : '\n');
    }
    while (text.length < wanted) {
        char *p = text.bytes + text.length;
        if (has_indices) {
            p += sprintf(p, "%s", index % 2 ? "+1" : "-1");
        }
        for (int c = 0; c < COLUMNS; c++) {
            if (has_indices) {
                p += sprintf(p, " %d:", 40 * c + (int)(index % 37) + 1);
            } else if (c > 0) {
                *p++ = ',';
            }
            p += print_number(p, kind, index++);
        }
        *p++ = '\n';
        text.length = p - text.bytes;
    }
    return text;
}

static void fail(const loss_context *context)
{
    fprintf(stderr, "bench_readers: %s\n", loss_context_error(context));
    exit(1);
}

typedef void reader(loss_context *context, const struct text *text, loss_dtype dtype);

static void read_array(loss_context *context, const struct text *text, loss_dtype dtype)
{
    loss_array *array;
    if (loss_array_parse_csv(&array, NULL, context, text->bytes, text->length, 1, ',', dtype, 1, -1, NULL, 0,
                             NULL)) {
        fail(context);
    }
    loss_array_free(array);
}

static void read_table(loss_context *context, const struct text *text, loss_dtype dtype)
{
    (void)dtype;
    loss_table *table;
    if (loss_table_parse_csv(&table, context, text->bytes, text->length, 1, ',')) {
        fail(context);
    }
    loss_table_free(table);
}

static void read_sparse(loss_context *context, const struct text *text, loss_dtype dtype)
{
    loss_sparse *sparse;
    if (loss_sparse_parse_svmlight(&sparse, context, text->bytes, text->length, dtype, LOSS_INT32, 1, 0)) {
        fail(context);
    }
    loss_sparse_free(sparse);
}

static double rate(reader *read, loss_context *context, const struct text *text, loss_dtype dtype)
{
    double best = 1e300;
    for (int i = 0; i < REPEATS; i++) {
        const double start = now();
        read(context, text, dtype);
        const double seconds = now() - start;
        best = seconds < best ? seconds : best;
    }
    return (double)text->length / best / 1e6;
}

static volatile char sink;

static double copy_rate(const struct text *text)
{
    double best = 1e300;
    char *copy = malloc((size_t)text->length);
    for (int i = 0; copy && i < REPEATS; i++) {
        const double start = now();
        memcpy(copy, text->bytes, (size_t)text->length);
        sink = copy[(text->length - 1) / (i + 1)]; /* so that the copy is made */
        const double seconds = now() - start;
        best = seconds < best ? seconds : best;
    }
    free(copy);
    return (double)text->length / best / 1e6;
}

static double search_rate(const struct text *text, int64_t *lines)
{
    double best = 1e300;
    for (int i = 0; i < REPEATS; i++) {
        const double start = now();
        *lines = 0;
        for (const char *p = text->bytes, *end = p + text->length; p < end; p++, ++*lines) {
            p = memchr(p, '\n', (size_t)(end - p));
        }
        const double seconds = now() - start;
        best = seconds < best ? seconds : best;
    }
    return (double)text->length / best / 1e6;
}

int main(int argc, char **argv)
{
    const int64_t megabytes = argc == 3 && strcmp(argv[1], "--megabytes") == 0 ? atoll(argv[2]) : 50;
    static const struct {
        const char *call, *format;
        reader *read;
        loss_dtype dtype;
    } readers[] = {
        {"loss_array_parse_csv", "csv", read_array, LOSS_FLOAT64},
        {"loss_array_parse_csv", "csv", read_array, LOSS_FLOAT32},
        {"loss_table_parse_csv", "csv", read_table, LOSS_FLOAT64},
        {"loss_sparse_parse_svmlight", "libsvm", read_sparse, LOSS_FLOAT64},
        {"loss_sparse_parse_svmlight", "libsvm", read_sparse, LOSS_FLOAT32},
    };
    loss_context *context;
    if (megabytes < 1 || megabytes > 10000 || loss_context_create(&context)) {
        fputs("usage: bench_readers [--megabytes N]\n", stderr);
        return 2;
    }
    for (int kind = 0; kind < 3; kind++) {
        for (int has_indices = 0; has_indices < 2; has_indices++) {
            const struct text text = make_text(kind, has_indices, megabytes * 1000000);
            int64_t lines;
            const double copied = copy_rate(&text), searched = search_rate(&text, &lines);
            for (size_t r = 0; r < sizeof readers / sizeof *readers; r++) {
                if ((strcmp(readers[r].format, "libsvm") == 0) == has_indices) {
                    printf("{\"format\": \"%s\", \"numbers\": \"%s\", \"call\": \"%s\", \"dtype\": \"%s\", "
                           "\"bytes\": %" PRId64 ", \"lines\": %" PRId64
                           ", \"MB_per_s\": %.0f, \"memcpy_MB_per_s\": %.0f, \"memchr_MB_per_s\": %.0f}\n",
                           readers[r].format, kinds[kind], readers[r].call, loss_dtype_name(readers[r].dtype),
                           text.length, lines, rate(readers[r].read, context, &text, readers[r].dtype),
                           copied, searched);
                    fflush(stdout);
                }
            }
            free(text.bytes);
        }
    }
    loss_context_free(context);
    return 0;
}
