/*
 * The kernels of a loss of a location and a spread that a model gives both, the spread itself in one role or its logarithm in another,
 * and what the two losses of this kind say alike of themselves: included once, after
 *     #define LOSSI_FORMULA laplace_nll
 * and the formulas of_spread() and of_log_spread(), which get the residual, the constant of the loss, and whether curvatures are Fisher's.
 */

LOSSI_INLINE void with_spread(const lossi_part *part, const real *parameters, lossi_element *e)
{
    of_spread(e, e->in[PREDICTION] - e->in[TARGET], v_set1(parameters[CONSTANT]),
              part->curvature_kind == LOSSI_GAUSS_NEWTON);
}

LOSSI_INLINE void with_log_spread(const lossi_part *part, const real *parameters, lossi_element *e)
{
    of_log_spread(e, e->in[PREDICTION] - e->in[TARGET], v_set1(parameters[CONSTANT]),
                  part->curvature_kind == LOSSI_GAUSS_NEWTON);
}

LOSSI_INLINE void either(const lossi_part *part, const real *parameters, lossi_element *e)
{
    if (part->input[SPREAD].data != NULL) {
        with_spread(part, parameters, e);
    } else {
        with_log_spread(part, parameters, e);
    }
}

static __attribute__((noinline)) void everything(const lossi_part *part)
{
    lossi_elements(part, either, ROLES, 1);
}

static void by_spread(const lossi_part *part)
{
    if (part->input[SPREAD].data != NULL) {
        lossi_elementwise(part, with_spread, ROLES, 0, everything);
    } else {
        lossi_elementwise(part, with_log_spread, ROLES, 0, everything);
    }
}

extern const lossi_kernels LOSSI_NAME(LOSSI_FORMULA);
const lossi_kernels LOSSI_NAME(LOSSI_FORMULA) = {.part = by_spread};
