/*
 * The parameters of a linear model with sparse rows and the sums of its gradient, side by side: what an entry gathers and what it
 * scatters to are in one cache line then, and lines are what an entry costs where they do not stay near. Of one output; every
 * worker has its own, in its scratch: a parameter and a sum per feature, and for the intercept.
 */
#ifndef LOSSI_GRADIENT_LINEAR_WOVEN_H
#define LOSSI_GRADIENT_LINEAR_WOVEN_H

#include "gradient/linear_tile.h"

/* Whether that is worth it for a pass. */
int32_t lossi_woven(const lossi_tile_pass *pass);

/* Before a slice: its worker's first brings the parameters. The sums are 0. */
void lossi_weave(const lossi_tile_pass *pass, const lossi_tile_work *work);

/* After a slice: its sums to where they lie alone. They are 0 again. */
void lossi_unweave(const lossi_tile_pass *pass, const lossi_tile_work *work, double *sums);

#endif
