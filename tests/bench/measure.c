/* Turns of actions and their times. */
#include "measure.h"

#include <stdlib.h>
#include <time.h>

enum { MOST_TURNS = 64, MOST_ACTIONS = 16 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of all repeats. */
static double run(const bench_action *action)
{
    double start = now();
    for (int64_t i = 0; i < action->repeats; i++) {
        action->run(action->argument);
    }
    return now() - start;
}

void bench_measure(bench_action *actions, int count, double seconds, int turns)
{
    double times[MOST_ACTIONS][MOST_TURNS];
    for (int k = 0; k < count; k++) {
        actions[k].run(actions[k].argument); /* touches every page, fills the caches */
        for (actions[k].repeats = 1; run(&actions[k]) < seconds; actions[k].repeats *= 2) {
        }
    }
    for (int turn = 0; turn < turns; turn++) {
        for (int k = 0; k < count; k++) {
            actions[k].run(
                actions[k].argument); /* what the one before left in the caches is not its concern */
            times[k][turn] = run(&actions[k]) / (double)actions[k].repeats;
        }
    }
    for (int k = 0; k < count; k++) {
        qsort(times[k], (size_t)turns, sizeof *times[k], compare);
        actions[k].smallest = times[k][0];
        actions[k].median = times[k][turns / 2];
    }
}
