/* A pool of threads: made at first use, joined when the context goes. */
#ifndef LOSSI_CORE_THREADS_H
#define LOSSI_CORE_THREADS_H

#include <stdint.h>

#include "core/context.h"

typedef struct lossi_pool lossi_pool;

/* A pool of up to `threads` workers, the caller's thread included; NULL when there is no memory. */
lossi_pool *lossi_pool_create(loss_context *context, int32_t threads);

/* Ends and joins the threads. NULL is allowed. */
void lossi_pool_free(loss_context *context, lossi_pool *pool);

/* How many workers the pool was asked for. */
int32_t lossi_pool_threads(const lossi_pool *pool);

/* See lossi_parallel(). */
void lossi_pool_run(lossi_pool *pool, int64_t count, lossi_task task, void *argument);

#endif
