/* What the benchmarks do about failures and memory. */
#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H

#include <loss/loss.h>
#include <stdint.h>

/* Ends the program with a sentence where the status is a failure. */
void bench_must(loss_context *context, loss_status status);

/* Whole large pages where the system has them, as the arrays of most programs that train; NULL: no memory. */
void *bench_room(int64_t bytes);

/* The same, or the end of the program. */
void *bench_memory(int64_t bytes);

#endif
