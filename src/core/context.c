/* The context: one allocator, one error sentence, one choice of threads and instruction set. */
#include "core/context.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/isa.h"
#include "core/option.h"
#include "core/threads.h"

enum { THREADS, ISA, OPTION_COUNT };

static const loss_option option_rows[OPTION_COUNT] = {
    [THREADS] = {.name = "threads",
                 .type = LOSS_OPTION_INT,
                 .minimum = 1,
                 .maximum = 1024,
                 .initial = 1,
                 .doc = "threads a call may use, the caller's included"},
    [ISA] = {.name = "isa",
             .type = LOSS_OPTION_STRING,
             .text = "",
             .choices = "",
             .doc = "instruction set of the kernels; the widest there is by default"},
};

struct loss_context {
    atomic_int references;
    loss_allocate_callback allocate;
    loss_release_callback release;
    void *allocator;
    loss_log_callback log;
    void *log_user;
    int32_t threads;
    int32_t isa;
    lossi_pool *pool;
    void *scratch; /* lines */
    int64_t scratch_size;
    loss_status status;
    int64_t row;
    int32_t callback; /* what the callback returned */
    char text[512];
};

/* ---- memory ---- */

/*
 * Large blocks ask for large pages: their memory is there with a 512th of the page faults, which otherwise take as long as
 * ten passes over it, and it is read faster, too. The system may say no; it makes no other difference.
 */
static void advise(void *block, int64_t size)
{
#ifdef MADV_HUGEPAGE
    enum { LARGE = 1 << 22 }; /* two pages of the usual 2 MiB: one at least lies within */
    if (block != NULL && size >= LARGE) {
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)block;
        uintptr_t first = (begin + page - 1) / page * page, end = (begin + (uintptr_t)size) / page * page;
        int before = errno;
        madvise((void *)first, end - first, MADV_HUGEPAGE);
        errno = before;
    }
#else
    (void)block;
    (void)size;
#endif
}

/* Zeros: fresh pages of the system are, and need not be written twice. */
static int32_t allocate_default(void *user, int64_t size, void **pointer)
{
    (void)user;
    *pointer = calloc(1, (size_t)size);
    advise(*pointer, size);
    return 0;
}

static int32_t release_default(void *user, void *pointer)
{
    (void)user;
    free(pointer);
    return 0;
}

/* size ≥ 0; what is in the memory is anything. */
static void *take(loss_context *context, int64_t size)
{
    void *pointer = NULL;
    if (size < 0 || (uint64_t)size > SIZE_MAX / 2) {
        return NULL;
    }
    return context->allocate(context->allocator, size > 0 ? size : 1, &pointer) == 0 ? pointer : NULL;
}

void *lossi_allocate(loss_context *context, int64_t size)
{
    void *pointer = take(context, size);
    return pointer == NULL || context->allocate == allocate_default
               ? pointer
               : memset(pointer, 0, (size_t)(size > 0 ? size : 1));
}

void lossi_release(loss_context *context, void *pointer)
{
    if (pointer != NULL) {
        context->release(context->allocator, pointer);
    }
}

enum { ALIGNMENT = 64 }; /* a cache line, and the widest vector */

/* Where the memory begins that lines were taken of stands before them. */
void *lossi_allocate_lines(loss_context *context, int64_t size)
{
    const int64_t more = ALIGNMENT - 1 + (int64_t)sizeof(void *);
    char *origin = size < 0 || size > INT64_MAX - more ? NULL : lossi_allocate(context, size + more);
    if (origin == NULL) {
        return NULL;
    }
    char *lines = origin + more - ((uintptr_t)origin + (uintptr_t)more) % ALIGNMENT;
    memcpy(lines - sizeof origin, &origin, sizeof origin);
    return lines;
}

void lossi_release_lines(loss_context *context, void *pointer)
{
    void *origin;
    if (pointer != NULL) {
        memcpy(&origin, (char *)pointer - sizeof origin, sizeof origin);
        lossi_release(context, origin);
    }
}

void *lossi_scratch(loss_context *context, int64_t size)
{
    if (context->scratch == NULL || size > context->scratch_size) {
        lossi_release_lines(context, context->scratch);
        context->scratch_size = 0;
        context->scratch = lossi_allocate_lines(context, size);
        if (context->scratch == NULL) {
            return NULL;
        }
        context->scratch_size = size;
    }
    return context->scratch;
}

void *loss_context_allocate(loss_context *context, int64_t size)
{
    return context == NULL ? NULL : take(context, size);
}

void loss_context_release(loss_context *context, void *pointer)
{
    if (context != NULL) {
        lossi_release(context, pointer);
    }
}

/* ---- life ---- */

/* The widest instruction set of the machine, or the one LOSS_ISA names when the machine has it. */
static int32_t choose_isa(void)
{
    const char *wanted = getenv("LOSS_ISA");
    int32_t widest = LOSSI_BASE;
    for (int32_t i = 0; i < LOSSI_ISA_COUNT; i++) {
        if (lossi_isa_supported(i)) {
            widest = i;
        }
    }
    for (int32_t i = 0; wanted != NULL && i < LOSSI_ISA_COUNT; i++) {
        if (strcmp(wanted, lossi_isa_name(i)) == 0 && lossi_isa_supported(i)) {
            return i;
        }
    }
    return widest;
}

loss_status loss_context_create_with_allocator(loss_context **out, loss_allocate_callback allocate,
                                               loss_release_callback release, void *user)
{
    void *memory = NULL;
    if (out == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    *out = NULL;
    if (allocate == NULL || release == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (allocate(user, (int64_t)sizeof(loss_context), &memory) != 0 || memory == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    loss_context *context = memset(memory, 0, sizeof *context);
    atomic_init(&context->references, 1);
    context->allocate = allocate;
    context->release = release;
    context->allocator = user;
    context->threads = 1;
    context->isa = choose_isa();
    context->row = -1;
    *out = context;
    return LOSS_OK;
}

loss_status loss_context_create(loss_context **out)
{
    return loss_context_create_with_allocator(out, allocate_default, release_default, NULL);
}

loss_context *lossi_context_retain(loss_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void lossi_context_drop(loss_context *context)
{
    if (atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) == 1) {
        lossi_pool_free(context, context->pool);
        lossi_release_lines(context, context->scratch);
        context->release(context->allocator, context);
    }
}

void loss_context_free(loss_context *context)
{
    if (context != NULL) {
        lossi_context_drop(context);
    }
}

/* ---- failures ---- */

static loss_status fail(loss_context *context, loss_status status, int64_t row, const char *format,
                        va_list list)
{
    if (context != NULL) {
        vsnprintf(context->text, sizeof context->text, format, list);
        context->status = status;
        context->row = row;
        context->callback = 0;
        if (context->log != NULL) {
            context->log(context->log_user, 1, context->text);
        }
    }
    return status;
}

loss_status lossi_fail(loss_context *context, loss_status status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fail(context, status, -1, format, list);
    va_end(list);
    return status;
}

loss_status lossi_fail_row(loss_context *context, loss_status status, int64_t row, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fail(context, status, row, format, list);
    va_end(list);
    return status;
}

loss_status lossi_fail_callback(loss_context *context, const char *what, int32_t number)
{
    lossi_fail(context, LOSS_ERROR_CALLBACK, "the callback of %s returned %d", what, (int)number);
    if (context != NULL) {
        context->callback = number;
    }
    return LOSS_ERROR_CALLBACK;
}

loss_status lossi_fail_null(loss_context *context, const char *what)
{
    return lossi_fail(context, LOSS_ERROR_ARGUMENT, "%s is NULL", what);
}

loss_status lossi_fail_memory(loss_context *context, const char *what)
{
    return lossi_fail(context, LOSS_ERROR_MEMORY, "no memory for %s", what);
}

const char *lossi_number(double value, char buffer[32])
{
    if (isnan(value)) {
        return "NaN";
    }
    if (isinf(value)) {
        return value > 0 ? "Infinity" : "-Infinity";
    }
    snprintf(buffer, 32, "%.6g", value);
    if (strtod(buffer, NULL) != value) {
        snprintf(buffer, 32, "%.17g", value);
    }
    /* printf writes the decimal sign of the program's locale, which no sentence of ours may depend on. */
    char *sign = strstr(buffer, localeconv()->decimal_point);
    if (sign != NULL && *sign != '\0') {
        *sign = '.';
    }
    return buffer;
}

const char *loss_context_error(const loss_context *context)
{
    return context == NULL ? "" : context->text;
}

loss_status loss_context_error_status(const loss_context *context)
{
    return context == NULL ? LOSS_OK : context->status;
}

int64_t loss_context_error_row(const loss_context *context)
{
    return context == NULL ? -1 : context->row;
}

int32_t loss_context_error_callback(const loss_context *context)
{
    return context == NULL ? 0 : context->callback;
}

loss_status loss_context_set_error(loss_context *context, loss_status status, const char *text)
{
    return lossi_fail(context, status, "%s", text == NULL ? "" : text);
}

loss_status loss_context_set_log(loss_context *context, loss_log_callback callback, void *user)
{
    if (context == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    context->log = callback;
    context->log_user = user;
    return LOSS_OK;
}

/* ---- threads ---- */

int32_t lossi_context_threads(const loss_context *context)
{
    return context->threads;
}

void lossi_parallel(loss_context *context, int64_t count, lossi_task task, void *argument)
{
    if (context->threads > 1 && count > 1) {
        if (context->pool != NULL && lossi_pool_threads(context->pool) != context->threads) {
            lossi_pool_free(context, context->pool);
            context->pool = NULL;
        }
        if (context->pool == NULL) {
            context->pool = lossi_pool_create(context, context->threads);
        }
        if (context->pool != NULL) {
            lossi_pool_run(context->pool, count, task, argument);
            return;
        }
    }
    for (int64_t i = 0; i < count; i++) { /* one thread, or no memory for more: the result is the same */
        task(argument, i, 0);
    }
}

/* ---- options ---- */

int32_t lossi_context_isa(const loss_context *context)
{
    return context->isa;
}

int32_t loss_context_isa_count(const loss_context *context)
{
    int32_t count = 0;
    (void)context;
    for (int32_t i = 0; i < LOSSI_ISA_COUNT; i++) {
        count += lossi_isa_supported(i) ? 1 : 0;
    }
    return count;
}

const char *loss_context_isa_name(const loss_context *context, int32_t index)
{
    (void)context;
    for (int32_t i = 0; i < LOSSI_ISA_COUNT; i++) {
        if (lossi_isa_supported(i) && index-- == 0) {
            return lossi_isa_name(i);
        }
    }
    return NULL;
}

int32_t loss_context_option_count(const loss_context *context)
{
    (void)context;
    return OPTION_COUNT;
}

const loss_option *loss_context_option(const loss_context *context, int32_t index)
{
    (void)context;
    return index >= 0 && index < OPTION_COUNT ? &option_rows[index] : NULL;
}

/* Finds the option of that name and type, with the sentence when there is none. */
static loss_status find(loss_context *context, const char *name, int32_t type, int32_t *index)
{
    return lossi_option_find(context, "the context", option_rows, OPTION_COUNT, name, type, index);
}

loss_status loss_context_set_int(loss_context *context, const char *name, int64_t value)
{
    int32_t index;
    if (context == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    loss_status status = find(context, name, LOSS_OPTION_INT, &index);
    if (status == LOSS_OK) {
        status = lossi_option_check_number(context, "the context", &option_rows[index], (double)value);
    }
    if (status == LOSS_OK) {
        context->threads = (int32_t)value;
    }
    return status;
}

loss_status loss_context_get_int(loss_context *context, const char *name, int64_t *value)
{
    int32_t index;
    if (context == NULL || value == NULL) {
        return lossi_fail_null(context, "value");
    }
    loss_status status = find(context, name, LOSS_OPTION_INT, &index);
    if (status == LOSS_OK) {
        *value = context->threads;
    }
    return status;
}

loss_status loss_context_set_string(loss_context *context, const char *name, const char *value)
{
    int32_t index;
    if (context == NULL || value == NULL) {
        return lossi_fail_null(context, "value");
    }
    loss_status status = find(context, name, LOSS_OPTION_STRING, &index);
    if (status != LOSS_OK) {
        return status;
    }
    for (int32_t i = 0; i < LOSSI_ISA_COUNT; i++) {
        if (strcmp(value, lossi_isa_name(i)) == 0 && lossi_isa_supported(i)) {
            context->isa = i;
            return LOSS_OK;
        }
    }
    return lossi_fail(context, LOSS_ERROR_SUPPORT,
                      "this machine has no instruction set '%s'; its widest is '%s'", value,
                      loss_context_isa_name(context, loss_context_isa_count(context) - 1));
}

loss_status loss_context_get_string(loss_context *context, const char *name, const char **value)
{
    int32_t index;
    if (context == NULL || value == NULL) {
        return lossi_fail_null(context, "value");
    }
    loss_status status = find(context, name, LOSS_OPTION_STRING, &index);
    if (status == LOSS_OK) {
        *value = lossi_isa_name(context->isa);
    }
    return status;
}
