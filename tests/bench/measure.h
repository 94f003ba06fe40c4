/* Times of actions that are measured together, in turns, so that what else the machine does meets all of them. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

typedef struct bench_action {
    void (*run)(void *argument);
    void *argument;
    /* results: seconds of one run, the smallest and the median */
    double smallest, median;
    int64_t repeats; /* of one measurement; used inside */
} bench_action;

/* `seconds` is what one measurement lasts at least; there are `turns` of each action, at most 64. */
void bench_measure(bench_action *actions, int count, double seconds, int turns);

#endif
