/*
 * BFGS with the inverse Hessian as a matrix: d = −H∇f,
 *
 *     H⁺ = (I − ρsyᵀ)H(I − ρysᵀ) + ρssᵀ = H + ρ(1 + ρyᵀHy)ssᵀ − ρ(s(Hy)ᵀ + Hy sᵀ),   ρ = 1/sᵀy
 *
 * Broyden, Fletcher, Goldfarb, Shanno (1970); Nocedal & Wright, Numerical Optimization (2006), §6.1.
 */
#include <stddef.h>

#include "optimizer/quasi_newton.h"

enum { DAMPING_OPTION = LOSSI_SEARCH_OPTIONS };

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS("hager_zhang"),
    {"damping", LOSS_OPTION_DOUBLE, 0, 0.9, 0, NULL, NULL,
     "pairs with less than this share of the curvature expected are moved to have it (Powell's is 0.2); 0: "
     "pairs "
     "without curvature are left out"},
};

static void start(loss_optimizer *optimizer)
{
    lossi_quasi_newton_start(optimizer, LOSSI_UPDATE_BFGS, lossi_own_double(optimizer, DAMPING_OPTION));
}

const lossi_optimizer_row lossi_optimizer_bfgs = {
    .name = "bfgs",
    .family = "quasi-Newton",
    .summary = "BFGS with a matrix of n²/2 numbers: few iterations for up to some thousand parameters",
    .reference = "Nocedal & Wright, Numerical Optimization (2006), §6.1",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(lossi_quasi_newton),
    .layout = lossi_quasi_newton_layout,
    .start = start,
    .advance = lossi_quasi_newton_advance,
};
