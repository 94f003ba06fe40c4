/* The context as the library sees it: memory, failures, threads, scratch. The public half is loss/context.h.
 */
#ifndef LOSSI_CORE_CONTEXT_H
#define LOSSI_CORE_CONTEXT_H

#include <stdint.h>

#include "loss/context.h"

/* One more reference to the context, and one less; the last one frees it. */
loss_context *lossi_context_retain(loss_context *context);
void lossi_context_drop(loss_context *context);

/* Zeroed memory from the context's allocator, NULL when there is none or size < 0. Size 0 gives a unique
 * pointer. */
void *lossi_allocate(loss_context *context, int64_t size);
void lossi_release(loss_context *context, void *pointer);

/* The same from the start of a cache line on, which is as far as the widest vector reaches; for what kernels load all the time. */
void *lossi_allocate_lines(loss_context *context, int64_t size);
void lossi_release_lines(loss_context *context, void *pointer);

/*
 * Scratch of at least size bytes, aligned to 64, kept by the context and reused by its next user: at most one
 * user at a time. NULL when there is no memory.
 */
void *lossi_scratch(loss_context *context, int64_t size);

/* Stores the sentence and gives the status back: `return lossi_fail(context, LOSS_ERROR_SHAPE, "…", …);` */
loss_status lossi_fail(loss_context *context, loss_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same about a row, which loss_context_error_row() then gives; the sentence has to name it too. */
loss_status lossi_fail_row(loss_context *context, loss_status status, int64_t row, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "the callback of <what> returned <number>", which loss_context_error_callback() then gives. */
loss_status lossi_fail_callback(loss_context *context, const char *what, int32_t number);

/* The usual ones. `what` names the argument or the thing that was being made. */
loss_status lossi_fail_null(loss_context *context, const char *what);
loss_status lossi_fail_memory(loss_context *context, const char *what);

/* A number as text with a point whatever the locale, shortest of 6 or 17 digits that reads back; buffer
 * of 32. */
const char *lossi_number(double value, char buffer[32]);

/* The instruction set in use, an index for LOSSI_ISA_TABLE. */
int32_t lossi_context_isa(const loss_context *context);

/* How many threads a call may use. */
int32_t lossi_context_threads(const loss_context *context);

/*
 * Runs task(argument, 0 … count − 1, worker) on the context's threads, each index once, and returns when all
 * are done. worker is 0 … threads − 1 and is never used by two tasks at a time. Tasks must not use the
 * context.
 */
typedef void (*lossi_task)(void *argument, int64_t index, int32_t worker);
void lossi_parallel(loss_context *context, int64_t count, lossi_task task, void *argument);

#endif
