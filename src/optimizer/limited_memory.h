/*
 * The last pairs of a limited-memory quasi-Newton method, s = x⁺ − x and y = ∇f⁺ − ∇f, kept in pairs of the
 * workspace without copying: the old iterate turns into its own (s, y) in place, and the next trial point lives
 * where the oldest pair was.
 *
 * Liu & Nocedal, Mathematical Programming 45 (1989) 503–528.
 */
#ifndef LOSSI_OPTIMIZER_LIMITED_MEMORY_H
#define LOSSI_OPTIMIZER_LIMITED_MEMORY_H

#include "optimizer/optimizer.h"

enum { LOSSI_LARGEST_MEMORY = 100 };

typedef struct lossi_limited_memory {
    double rho[LOSSI_LARGEST_MEMORY], alpha[LOSSI_LARGEST_MEMORY]; /* 1/sᵀy; for the two loops */
    double scale;                                                  /* γ = sᵀy/yᵀy of the newest pair */
    int32_t kept[LOSSI_LARGEST_MEMORY];                            /* pairs (s, y), oldest first */
    int32_t unused[LOSSI_LARGEST_MEMORY];
    int32_t count, unused_count;
} lossi_limited_memory;

/* At the start of a run: all pairs of the workspace beyond the first three are unused. */
void lossi_memory_start(const loss_optimizer *optimizer, lossi_limited_memory *memory);

/* The pair that (s, y) of the old iterate goes to, which is in the trial pair after lossi_accept(); it is the trial pair then. */
int32_t lossi_memory_place(loss_optimizer *optimizer);

/* Whether sᵀy says anything about the curvature: 0 when it is lost in rounding. */
int32_t lossi_memory_counts(const loss_optimizer *optimizer, double sy, double yy, double ss);

/*
 * Makes (s, y) of the old iterate, in the trial pair after lossi_accept(), and gives its pair, with sᵀy and yᵀy; there is no trial
 * pair then. −1 when the curvature is lost in rounding: the pair stays the trial's.
 */
int32_t lossi_memory_pair(loss_optimizer *optimizer, double *sy, double *yy);

/*
 * The old iterate, in the trial pair after lossi_accept(), becomes the newest (s, y), unless its curvature is lost in
 * rounding. 1 when it was kept.
 */
int32_t lossi_memory_learn(loss_optimizer *optimizer, lossi_limited_memory *memory);

/* A pair for the next trial: the one there is, an unused one, or the oldest. 1 when the oldest was given up. */
int32_t lossi_memory_find_trial(loss_optimizer *optimizer, lossi_limited_memory *memory);

void lossi_memory_forget(lossi_limited_memory *memory);

/* d = −H · g for the vector g, by the two loops; gives dᵀg. The memory is not empty. */
double lossi_memory_direction(const loss_optimizer *optimizer, lossi_limited_memory *memory, int32_t d,
                              int32_t g);

#endif
