/*
 * DFP, the first quasi-Newton method, with the inverse Hessian as a matrix: d = −H∇f,
 *
 *     H⁺ = H + ssᵀ/sᵀy − Hy(Hy)ᵀ/yᵀHy
 *
 * It cannot correct directions that are too long by itself, so it wants steps that end where φ is flat on either
 * side: the strong Wolfe conditions with c₂ = 0.1.
 *
 * Davidon (1959); Fletcher & Powell, Computer J. 6 (1963) 163–168.
 */
#include <stddef.h>

#include "optimizer/quasi_newton.h"

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS("more_thuente"),
};

static void start(loss_optimizer *optimizer)
{
    lossi_quasi_newton_start(optimizer, LOSSI_UPDATE_DFP, 0.0);
}

const lossi_optimizer_row lossi_optimizer_dfp = {
    .name = "dfp",
    .family = "quasi-Newton",
    .summary = "the method of Davidon, Fletcher and Powell, to compare with: BFGS forgives more",
    .reference = "Fletcher & Powell, Computer Journal 6 (1963) 163–168",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(lossi_quasi_newton),
    .layout = lossi_quasi_newton_layout,
    .start = start,
    .advance = lossi_quasi_newton_advance,
};
