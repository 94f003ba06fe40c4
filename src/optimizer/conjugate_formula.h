/*
 * The formulas of β in d⁺ = −M∇f⁺ + βd, as functions of inner products; y = ∇f⁺ − ∇f, and M is the preconditioner,
 * the identity when there is none.
 *
 *     hager_zhang                 (yᵀM∇f⁺ − yᵀMy dᵀ∇f⁺/dᵀy)/dᵀy, at least η dᵀ∇f/dᵀM⁻¹d
 *     fletcher_reeves             ∇f⁺ᵀM∇f⁺/∇fᵀM∇f
 *     polak_ribiere_plus          max(0, yᵀM∇f⁺/∇fᵀM∇f)
 *     hestenes_stiefel            yᵀM∇f⁺/dᵀy
 *     dai_yuan                    ∇f⁺ᵀM∇f⁺/dᵀy
 *     hestenes_stiefel_dai_yuan   max(0, min(hestenes_stiefel, dai_yuan))
 *
 * Hager & Zhang, Pacific J. Optim. 2 (2006) 35–58, a survey, eq. 1.4 and §5; the first: the same, SIAM J. Optim. 16
 * (2005) 170–192, with the factor 1 of the second term and the lower bound of Dai & Kou, SIAM J. Optim. 23 (2013)
 * 296–320, eq. 1.10 and 3.9.
 */
#ifndef LOSSI_OPTIMIZER_CONJUGATE_FORMULA_H
#define LOSSI_OPTIMIZER_CONJUGATE_FORMULA_H

#include <stdint.h>

/* In the order of the choices. */
#define LOSSI_CONJUGATE_FORMULAS                                                                             \
    "hager_zhang|fletcher_reeves|polak_ribiere_plus|hestenes_stiefel|dai_yuan|hestenes_stiefel_dai_yuan"
enum {
    LOSSI_FORMULA_HAGER_ZHANG,
    LOSSI_FORMULA_FLETCHER_REEVES,
    LOSSI_FORMULA_POLAK_RIBIERE_PLUS,
    LOSSI_FORMULA_HESTENES_STIEFEL,
    LOSSI_FORMULA_DAI_YUAN,
    LOSSI_FORMULA_HESTENES_STIEFEL_DAI_YUAN
};

typedef struct lossi_conjugate_products {
    double slope, slope_told; /* dᵀ∇f, dᵀ∇f⁺ */
    double squares;           /* dᵀM⁻¹d */
    double before, now;       /* ∇fᵀM∇f, ∇f⁺ᵀM∇f⁺ */
    double change;            /* yᵀM∇f⁺ */
    double bend;              /* yᵀMy */
} lossi_conjugate_products;

/* β, not necessarily finite. */
double lossi_conjugate_beta(int32_t formula, const lossi_conjugate_products *p);

#endif
