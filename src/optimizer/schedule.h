/* Learning rates over the epochs of a run, without libm: the same bits everywhere. */
#ifndef LOSSI_OPTIMIZER_SCHEDULE_H
#define LOSSI_OPTIMIZER_SCHEDULE_H

#include <stdint.h>

/* In the order of the choices of the option "schedule". */
enum {
    LOSSI_CONSTANT,
    LOSSI_STEP,
    LOSSI_EXPONENTIAL,
    LOSSI_INVERSE_TIME,
    LOSSI_COSINE,
    LOSSI_ONE_CYCLE,
    LOSSI_PLATEAU
};

/* The options of stochastic_options.def; flat, it is part of the state of a run. */
typedef struct lossi_schedule {
    double warmup, decay, factor, every, final, peak, start, end, epochs;
    double plateau; /* what the plateaus met have left of the rate, 1 at the start */
    int32_t kind;
} lossi_schedule;

/* The factor on the learning rate for a batch that begins after `begin` epochs and ends after `end`. */
double lossi_schedule_factor(const lossi_schedule *schedule, double begin, double end);

/* One more plateau. */
void lossi_schedule_fall(lossi_schedule *schedule);

/*
 * base^exponent for base ≥ 0, within some 1e-15 · (1 + |exponent · log base|) of it, relative: below any step's rounding.
 * Below the normal numbers and above them it is 0 and infinity.
 */
double lossi_power(double base, double exponent);

#endif
