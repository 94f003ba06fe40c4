/* Parameters and sums of a linear model with sparse rows, woven for a pass and taken apart after each slice. */
#include "gradient/linear_woven.h"

enum {
    /*
     * On Zen 3 with caches of 32 and 512 KiB a row of 49 entries among 100,000 features gained 22 of 178 ns, among 10,000 nothing:
     * parameters and sums have to be more than the second-level cache. Several outputs, and a product, which gathers pairs
     * already, gained nothing either.
     */
    FEATURES_LEAST = 1 << 15,
    ENTRIES_PER_FEATURE = 8 /* of a slice: weaving takes as long as three of them gain */
};

int32_t lossi_woven(const lossi_tile_pass *p)
{
    return p->sparse != NULL && p->what == LOSSI_PASS_GRADIENT && p->shape.outputs == 1 &&
           p->shape.features >= FEATURES_LEAST && p->cut.slices > 0 &&
           (double)p->cut.rows * (double)p->sparse->average >=
               ENTRIES_PER_FEATURE * (double)p->cut.slices * (double)p->shape.features;
}

void lossi_weave(const lossi_tile_pass *p, const lossi_tile_work *w)
{
    const double *parameters = p->model->parameters;
    for (int64_t j = 0; !*w->is_woven && j <= p->shape.features; j++) {
        w->woven[LOSSI_WOVEN_STEP * j] = parameters[j];
        w->woven[LOSSI_WOVEN_STEP * j + 1] = 0;
    }
    *w->is_woven = 1;
}

void lossi_unweave(const lossi_tile_pass *p, const lossi_tile_work *w, double *sums)
{
    for (int64_t j = 0; j <= p->shape.features; j++) {
        double *sum = &w->woven[LOSSI_WOVEN_STEP * j + 1];
        sums[j] = *sum;
        *sum = 0;
    }
}
