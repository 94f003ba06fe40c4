/* The formulas of conjugate_formula.h. */
#include "optimizer/conjugate_formula.h"

#include <math.h>

static const double lower_bound = 0.4; /* η (CG_DESCENT 6: BetaLower) */

static double hager_zhang(const lossi_conjugate_products *p, double dy)
{
    /* no product of two squares: it would overflow */
    double beta = (p->change - p->bend * (p->slope_told / dy)) / dy;
    return fmax(beta, lower_bound * p->slope / p->squares);
}

double lossi_conjugate_beta(int32_t formula, const lossi_conjugate_products *p)
{
    double dy = p->slope_told - p->slope;
    switch (formula) {
    case LOSSI_FORMULA_FLETCHER_REEVES:
        return p->now / p->before;
    case LOSSI_FORMULA_POLAK_RIBIERE_PLUS:
        return fmax(0.0, p->change / p->before);
    case LOSSI_FORMULA_HESTENES_STIEFEL:
        return p->change / dy;
    case LOSSI_FORMULA_DAI_YUAN:
        return p->now / dy;
    case LOSSI_FORMULA_HESTENES_STIEFEL_DAI_YUAN:
        return fmax(0.0, fmin(p->change / dy, p->now / dy));
    default:
        return hager_zhang(p, dy);
    }
}
