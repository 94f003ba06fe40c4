/*
 * The step of a trust region in a plane: the minimiser of gᵀz + ½zᵀMz over ‖z‖ ≤ Δ for two variables and any M.
 *
 * With the eigenvalues λ₁ ≤ λ₂ of M it is z = −(M + λI)⁻¹g with λ = 0 when that is inside, else with the λ ≥ −λ₁ for
 * which ‖z‖ = Δ (Conn, Gould & Toint, Trust-Region Methods, 2000, §7.2 and algorithm 7.3.1).
 */
#ifndef LOSSI_OPTIMIZER_PLANE_H
#define LOSSI_OPTIMIZER_PLANE_H

typedef struct lossi_plane {
    double gradient[2];
    double matrix[3]; /* M₁₁, M₁₂, M₂₂ */
    double radius;    /* > 0; all are finite */
} lossi_plane;

/* The minimiser. */
void lossi_plane_minimize(const lossi_plane *plane, double z[2]);

#endif
