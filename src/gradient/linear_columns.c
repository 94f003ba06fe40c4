/*
 * What a linear model did to the columns of its features, and its parameters in terms of the columns as they are:
 * w_j / s_j and b − Σ m_j w_j / s_j, see linear_parameters.c.
 */
#include "core/sum.h"
#include "gradient/linear_model.h"

/* The model, prepared; with a sentence for other objectives. */
static loss_status find_model(loss_objective *objective, const void *wanted, const char *name,
                              const lossi_linear_model **model)
{
    if (objective == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (wanted == NULL) {
        return lossi_fail_null(objective->context, name);
    }
    *model = lossi_linear_of(objective);
    if (*model == NULL) {
        return lossi_fail(objective->context, LOSS_ERROR_SUPPORT, "%s has no columns of features",
                          objective->kind->name);
    }
    return loss_objective_prepare(objective);
}

loss_status loss_objective_column_means(loss_objective *objective, double *means)
{
    const lossi_linear_model *m = NULL;
    loss_status status = find_model(objective, means, "means", &m);
    for (int64_t j = 0; status == LOSS_OK && j < m->shape.features; j++) {
        means[j] = m->means != NULL ? m->means[j] : 0;
    }
    return status;
}

loss_status loss_objective_column_deviations(loss_objective *objective, double *deviations)
{
    const lossi_linear_model *m = NULL;
    loss_status status = find_model(objective, deviations, "deviations", &m);
    for (int64_t j = 0; status == LOSS_OK && j < m->shape.features; j++) {
        deviations[j] = m->deviations != NULL ? m->deviations[j] : 1;
    }
    return status;
}

loss_status loss_objective_original_parameters(loss_objective *objective, const void *x, void *weights,
                                               void *intercepts)
{
    const lossi_linear_model *m = NULL;
    loss_status status = find_model(objective, x, "x", &m);
    if (status == LOSS_OK && (weights == NULL || intercepts == NULL)) {
        return lossi_fail_null(objective->context, weights == NULL ? "weights" : "intercepts");
    }
    if (status != LOSS_OK) {
        return status;
    }
    const lossi_linear_shape *s = &m->shape;
    for (int64_t k = 0; k < s->outputs; k++) {
        double shift = 0, lost = 0;
        const double b = m->intercept ? lossi_real_get(objective->dtype, x, s->outputs * s->features + k) : 0;
        for (int64_t j = 0; j < s->features; j++) {
            const double w = lossi_linear_original(m, j,
                                                   lossi_real_get(objective->dtype, x, k * s->features + j));
            lossi_real_put(objective->dtype, weights, k * s->features + j, w);
            if (m->centred) {
                lossi_add_kept(&shift, &lost, m->means[j] * w);
            }
        }
        lossi_real_put(objective->dtype, intercepts, k, m->centred ? b - (shift + lost) : b);
    }
    return LOSS_OK;
}

const char *lossi_linear_kinked(const loss_objective *objective)
{
    const lossi_linear_model *m = lossi_linear_of(objective);
    return m != NULL && m->function->prepared.bounds.derivatives < 1 ? m->function->title : NULL;
}
