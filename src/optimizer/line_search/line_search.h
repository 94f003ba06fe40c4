/*
 * What the line searches have in common. Each is a machine: it names a step, is told φ and φ′ there, and goes on
 * until a step is acceptable or none can be found. φ(α) = f(x + αd).
 *
 * Their states are plain numbers: copying the struct is a checkpoint, and nothing is allocated.
 */
#ifndef LOSSI_OPTIMIZER_LINE_SEARCH_H
#define LOSSI_OPTIMIZER_LINE_SEARCH_H

typedef enum lossi_search_status {
    LOSSI_SEARCH_TRY,      /* tell φ and φ′ at `step` */
    LOSSI_SEARCH_ACCEPTED, /* `step` is acceptable */
    LOSSI_SEARCH_SETTLED,  /* `step` decreases φ enough, but its slope is still steep: the best there was */
    LOSSI_SEARCH_NO_DESCENT, /* φ′(0) is not negative */
    LOSSI_SEARCH_NONFINITE,  /* no finite trial, however short the step */
    LOSSI_SEARCH_EXHAUSTED,  /* out of trials */
    LOSSI_SEARCH_PRECISION   /* the interval is down to neighbouring numbers */
} lossi_search_status;

typedef struct lossi_trial {
    double step, value, slope;
} lossi_trial;

#endif
