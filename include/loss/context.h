/*
 * The context: allocator, threads, instruction set, and the sentence about the last failure.
 *
 * Almost every call needs one. A context is used by one thread at a time; different contexts are independent, so a
 * program makes one per thread. Handles keep a reference to the context they were made with, so the order in which
 * things are freed does not matter.
 */
#ifndef LOSS_CONTEXT_H
#define LOSS_CONTEXT_H

#include <stdint.h>

#include "loss/option.h"
#include "loss/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_context loss_context;

/*
 * An allocator of the caller. allocate stores in *pointer a block of at least size bytes aligned for any C type, or
 * NULL when there is none, and returns 0; release takes such a block back. Both are called only by threads that are
 * inside a call with this context (never by the worker threads).
 */
typedef int32_t (*loss_allocate_callback)(void *user, int64_t size, void **pointer);
typedef int32_t (*loss_release_callback)(void *user, void *pointer);

/* A log hook: level 1 warning, 2 information; text lives only during the call. Its result is ignored. */
typedef int32_t (*loss_log_callback)(void *user, int32_t level, const char *text);

/*
 * Makes a context that allocates with calloc, and asks the system for large pages where a block has 4 MiB or more.
 *   out  not NULL; *out is NULL on failure. The caller owns it: loss_context_free().
 * The environment variable LOSS_ISA, read here, overrides the option "isa" (an unknown value is ignored).
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY. Any thread. Since 0.1.
 */
LOSS_API loss_status loss_context_create(loss_context **out);

/*
 * The same with the caller's allocator, which must outlive everything made with this context.
 *   out, allocate, release  not NULL; user may be NULL and is handed to both
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY. Any thread. Since 0.1.
 */
LOSS_API loss_status loss_context_create_with_allocator(loss_context **out, loss_allocate_callback allocate,
                                                        loss_release_callback release, void *user);

/*
 * Gives the caller's reference back; worker threads are joined when the last handle made with the context is freed
 * too. NULL is allowed. Since 0.1.
 */
LOSS_API void loss_context_free(loss_context *context);

/*
 * The sentence about the last call that failed with this context, "" when none has. It stays until the next failure.
 * Owned by the context, valid until the next call that uses it. NULL gives "". Since 0.1.
 */
LOSS_API const char *loss_context_error(const loss_context *context);

/* The status that came with the sentence, LOSS_OK when there is none. NULL gives LOSS_OK. Since 0.1. */
LOSS_API loss_status loss_context_error_status(const loss_context *context);

/* The row (from 0) the sentence is about, −1 when it is about none. NULL gives −1. Since 0.1. */
LOSS_API int64_t loss_context_error_row(const loss_context *context);

/* What the callback returned when the status is LOSS_ERROR_CALLBACK and the callback one of a loss function
 * (loss_function_create_user()), else 0. NULL gives 0. Since 0.1. */
LOSS_API int32_t loss_context_error_callback(const loss_context *context);

/*
 * Options of the context:
 *   "threads"  int, 1 … 1024, default 1: threads a call may use, the caller's included. Results do not depend on it.
 *              Where there are as many processors, a thread that runs out of work looks for more for 50 µs before it sleeps.
 *   "isa"      string, default the widest this machine has: the instruction set of the kernels. Results do not
 *              depend on it. loss_context_isa_name() lists what there is.
 *
 *   context  not NULL     name  not NULL, exact     value  not NULL in the getters; untouched on failure
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE (another type of option), LOSS_ERROR_RANGE,
 * LOSS_ERROR_SUPPORT (an instruction set this machine has not). Strings got are owned by the context. Since 0.1.
 */
LOSS_API loss_status loss_context_set_int(loss_context *context, const char *name, int64_t value);
LOSS_API loss_status loss_context_get_int(loss_context *context, const char *name, int64_t *value);
LOSS_API loss_status loss_context_set_string(loss_context *context, const char *name, const char *value);
LOSS_API loss_status loss_context_get_string(loss_context *context, const char *name, const char **value);

/* The options above, described. index counts from 0; outside the range gives NULL. Any thread. Since 0.1. */
LOSS_API int32_t loss_context_option_count(const loss_context *context);
LOSS_API const loss_option *loss_context_option(const loss_context *context, int32_t index);

/*
 * The instruction sets this machine and this build have, weakest first: "base", "avx2", "avx512", "neon".
 * index counts from 0; outside the range gives NULL. Static strings. Any thread. Since 0.1.
 */
LOSS_API int32_t loss_context_isa_count(const loss_context *context);
LOSS_API const char *loss_context_isa_name(const loss_context *context, int32_t index);

/*
 * Sets the log hook; callback NULL removes it. The library itself never prints.
 * Returns LOSS_OK or LOSS_ERROR_ARGUMENT (context is NULL). Since 0.1.
 */
LOSS_API loss_status loss_context_set_log(loss_context *context, loss_log_callback callback, void *user);

/*
 * For libraries built beside this one (readers, bindings): store a sentence in the context as our functions do.
 * Returns status. context NULL does nothing; text NULL is "". Since 0.1.
 */
LOSS_API loss_status loss_context_set_error(loss_context *context, loss_status status, const char *text);

/*
 * Memory from the context's allocator, for the same users. size ≥ 0; it is not cleared. NULL when there is none, and for NULL context.
 * loss_context_release() takes it back (NULL is allowed). Since 0.1.
 */
LOSS_API void *loss_context_allocate(loss_context *context, int64_t size);
LOSS_API void loss_context_release(loss_context *context, void *pointer);

#ifdef __cplusplus
}
#endif

#endif
