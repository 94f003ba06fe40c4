/*
 * Optimizers driven by ask and tell with any options and any answers: a rough quadratic function, whose every few numbers are
 * replaced by what the input says. A run that is saved and goes on in a fresh handle does the same to the bit; a damaged checkpoint
 * is refused and changes nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/evaluation.h"

enum { MOST_DIMENSION = 6, MOST_ANSWERS = 120, MOST_EVALUATIONS = 60, SAMPLES = 7 };

typedef struct run {
    loss_optimizer *optimizer;
    loss_dtype dtype;
    int64_t n;
    uint32_t noise; /* of 256 answers, how many are any numbers */
} run;

static const char *word(const loss_option *option, int32_t number)
{
    static char text[48];
    const char *choices = loss_option_choices(option);
    while (number-- > 0 && strchr(choices, '|') != NULL) {
        choices = strchr(choices, '|') + 1;
    }
    memset(text, 0, sizeof text);
    memcpy(text, choices, strcspn(choices, "|") % sizeof text);
    return text;
}

static void set_option(fuzz_stream *s, loss_optimizer *optimizer, int32_t index)
{
    const loss_option *option = loss_optimizer_option(optimizer, index);
    const char *name = loss_option_name(option);
    loss_status status;
    double value;
    if (loss_option_type(option) == LOSS_OPTION_STRING) {
        status = loss_optimizer_set_string(optimizer, name, word(option, fuzz_below(s, 6)));
    } else if (loss_option_type(option) == LOSS_OPTION_INT) {
        status = loss_optimizer_set_int(optimizer, name, fuzz_integer(s) % 1000);
    } else {
        status = loss_optimizer_set_double(optimizer, name, fuzz_number(s));
        if (status == LOSS_OK && loss_optimizer_get_double(optimizer, name, &value) == LOSS_OK) {
            fuzz_expect(value >= loss_option_minimum(option) && value <= loss_option_maximum(option),
                        "an option that was taken is in its range");
        }
    }
    fuzz_expect_status(fuzz_context(), status, "loss_optimizer_set_…()");
}

static double get(const void *array, loss_dtype dtype, int64_t i)
{
    return dtype == LOSS_FLOAT32 ? ((const float *)array)[i] : ((const double *)array)[i];
}

static void put(void *array, loss_dtype dtype, int64_t i, double value)
{
    if (dtype == LOSS_FLOAT32) {
        ((float *)array)[i] = (float)value;
    } else {
        ((double *)array)[i] = value;
    }
}

static double told(fuzz_stream *s, const run *r, double right)
{
    return fuzz_byte(s) < r->noise ? fuzz_number(s) : right;
}

static const void *pointer(const run *r, const char *name)
{
    const void *found = NULL;
    fuzz_expect(loss_optimizer_get_pointer(r->optimizer, name, &found) == LOSS_OK && found != NULL,
                "what a request needs is there");
    return found;
}

/* Σ (i + 1) (x − 1)² / 2, a slope that is right but for the noise. */
static loss_status answer_gradient(fuzz_stream *s, const run *r)
{
    double gradient[MOST_DIMENSION], value = 0; /* room and alignment for either type */
    const void *x = pointer(r, "x");
    for (int64_t i = 0; i < r->n; i++) {
        const double away = get(x, r->dtype, i) - 1, weight = (double)(i + 1);
        value += 0.5 * weight * away * away;
        put(gradient, r->dtype, i, told(s, r, weight * away));
    }
    return loss_optimizer_tell_gradient(r->optimizer, told(s, r, value), gradient);
}

static loss_status answer_value(fuzz_stream *s, const run *r)
{
    const void *x = pointer(r, "x");
    double value = 0;
    for (int64_t i = 0; i < r->n; i++) {
        const double away = get(x, r->dtype, i) - 1;
        value += 0.5 * (double)(i + 1) * away * away;
    }
    return loss_optimizer_tell_value(r->optimizer, told(s, r, value));
}

static loss_status answer_vector(fuzz_stream *s, const run *r, int32_t request)
{
    double vector[MOST_DIMENSION * MOST_DIMENSION];
    if (request == LOSS_REQUEST_HESSIAN) {
        for (int64_t i = 0; i < r->n * r->n; i++) {
            put(vector, r->dtype, i, told(s, r, i % (r->n + 1) == 0 ? (double)(i / r->n + 1) : 0));
        }
    } else {
        const void *direction = pointer(r, "direction");
        for (int64_t i = 0; i < r->n; i++) {
            const double weight = request == LOSS_REQUEST_PRECONDITION ? 1 : (double)(i + 1);
            put(vector, r->dtype, i, told(s, r, weight * get(direction, r->dtype, i)));
        }
    }
    return loss_optimizer_tell_vector(r->optimizer, vector);
}

/* One request answered; what was asked for. */
static int32_t step(fuzz_stream *s, const run *r)
{
    int32_t request = 0;
    loss_status status = loss_optimizer_ask(r->optimizer, &request);
    fuzz_expect_status(fuzz_context(), status, "loss_optimizer_ask()");
    fuzz_expect(status == LOSS_OK, "an optimizer that runs can be asked");
    switch (request) {
    case LOSS_REQUEST_DONE:
    case LOSS_REQUEST_NEW_ITERATE:
        return request;
    case LOSS_REQUEST_VALUE:
    case LOSS_REQUEST_HELD_OUT_VALUE:
        status = answer_value(s, r);
        break;
    case LOSS_REQUEST_VALUE_AND_GRADIENT:
    case LOSS_REQUEST_BATCH_GRADIENT:
        status = answer_gradient(s, r);
        break;
    default:
        status = answer_vector(s, r, request);
    }
    fuzz_expect_status(fuzz_context(), status, "loss_optimizer_tell_…()");
    fuzz_expect(status == LOSS_OK, "an answer of the kind asked for is taken");
    return request;
}

/* A handle made anew that goes on from a checkpoint of the other, after a damaged one was refused. */
static run pass_on(fuzz_stream *s, const run *r)
{
    run fresh = *r;
    const int64_t size = loss_optimizer_save_size(r->optimizer);
    uint8_t *blob = malloc((size_t)size);
    fuzz_expect(blob != NULL && size > 0 && loss_optimizer_save(r->optimizer, blob, size) == LOSS_OK,
                "a run that was started can be saved");
    fuzz_expect(loss_optimizer_create(&fresh.optimizer, fuzz_context(), loss_optimizer_name(r->optimizer),
                                      r->dtype, r->n) == LOSS_OK,
                "what was made once can be made again");
    const int64_t at = fuzz_below(s, (int32_t)(size < 65536 ? size : 65536)), cut = fuzz_below(s, 256);
    blob[at] ^= 0x10;
    fuzz_expect(loss_optimizer_load(fresh.optimizer, blob, size) == LOSS_ERROR_CHECKPOINT &&
                    loss_optimizer_save_size(fresh.optimizer) == 0,
                "a damaged checkpoint is refused and changes nothing");
    blob[at] ^= 0x10;
    fuzz_expect(cut == 0 || cut > size || loss_optimizer_load(fresh.optimizer, blob, size - cut) < 0,
                "a checkpoint cut short is refused");
    fuzz_expect_status(fuzz_context(), loss_optimizer_load(fresh.optimizer, blob, size),
                       "loss_optimizer_load()");
    fuzz_expect(loss_optimizer_save_size(fresh.optimizer) == size, "a checkpoint is taken");
    free(blob);
    return fresh;
}

/* To the end, or as far as the input goes; the outcome and the best point, whose numbers belong together. */
static loss_status finish(fuzz_stream *s, const run *r, void *best)
{
    loss_status outcome = LOSS_OK;
    const void *found = NULL;
    for (int k = 0; k < MOST_ANSWERS && step(s, r) != LOSS_REQUEST_DONE; k++) {
    }
    fuzz_expect(loss_optimizer_outcome(r->optimizer, &outcome) == LOSS_OK,
                "an outcome can be asked for at any time");
    fuzz_expect_status(fuzz_context(), outcome, "the outcome");
    if (loss_optimizer_get_pointer(r->optimizer, "best_x", &found) == LOSS_OK && found != NULL) {
        memcpy(best, found, (size_t)(r->n * loss_dtype_size(r->dtype)));
    }
    return outcome;
}

static void run_twice(fuzz_stream *s, const run *r)
{
    double first[MOST_DIMENSION] = {0}, second[MOST_DIMENSION] = {0};
    for (int k = fuzz_below(s, 30); k > 0; k--) {
        if (step(s, r) == LOSS_REQUEST_DONE) {
            return;
        }
    }
    const run other = pass_on(s, r);
    fuzz_stream again = *s;
    const loss_status one = finish(s, r, first), two = finish(&again, &other, second);
    fuzz_expect(one == two && s->used == again.used, "a run that was passed on ends as it would have");
    fuzz_expect(fuzz_same(first, second, r->dtype, r->n), "and at the same point, to the bit");
    loss_optimizer_free(other.optimizer);
}

static void start(fuzz_stream *s, run *r)
{
    double x[MOST_DIMENSION];
    for (int k = fuzz_below(s, 4); k > 0; k--) {
        set_option(s, r->optimizer, fuzz_below(s, loss_optimizer_option_count(r->optimizer)));
    }
    loss_optimizer_set_int(r->optimizer, "max_evaluations", MOST_EVALUATIONS);
    loss_optimizer_set_double(r->optimizer, "max_seconds", INFINITY);
    loss_optimizer_set_int(r->optimizer, "samples", SAMPLES); /* of those that draw */
    for (int64_t i = 0; i < r->n; i++) {
        put(x, r->dtype, i, fuzz_byte(s) < 240 ? (double)fuzz_integer(s) / 4 : fuzz_number(s));
    }
    const loss_status status = loss_optimizer_start(r->optimizer, x);
    fuzz_expect_status(fuzz_context(), status, "loss_optimizer_start()");
    if (status == LOSS_OK) {
        run_twice(s, r);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_stream s = {bytes, length, 0};
    const char *name = fuzz_name(&s, loss_optimizer_catalogue_count(), loss_optimizer_catalogue_name);
    run r = {NULL, fuzz_byte(&s) & 1 ? LOSS_FLOAT64 : LOSS_FLOAT32, 1 + fuzz_below(&s, MOST_DIMENSION), 0};
    const loss_status status = loss_optimizer_create(&r.optimizer, fuzz_context(), name, r.dtype, r.n);
    r.noise = fuzz_byte(&s) / 4;
    fuzz_expect_status(fuzz_context(), status, "loss_optimizer_create()");
    if (status == LOSS_OK) {
        start(&s, &r);
    }
    loss_optimizer_free(r.optimizer);
    return 0;
}
