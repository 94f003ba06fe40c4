/*
 * Squared error.
 *
 *     loss = c (prediction − target)²,   c = 1, or ½ with the option `half`
 *
 * Gauss, Theoria combinationis observationum erroribus minimis obnoxiae (1823), art. 6; c = 1 is PyTorch's and Keras' MSE,
 * c = ½ that of scikit-learn, XGBoost and LightGBM.
 */
#include "loss/pointwise.h"

enum { HALF };

LOSSI_INLINE void squared_error(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal twice = v_set1((real)2 - parameters[HALF]); /* the curvature: 2c */
    const vreal r = prediction - target;

    out->value = (v_set1((real)0.5) * twice * r) * r;
    out->gradient = twice * r;
    out->curvature = v_select(v_is_nan(r), r, twice);
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA squared_error
#define LOSSI_DOMAINS LOSSI_EVERYWHERE
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [HALF] = {.name = "half",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: half the square"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){LOSSI_UNBOUNDED, 2 - prepared->parameters[HALF], 0, LOSSI_UNBOUNDED,
                                      LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_squared_error;
const lossi_row lossi_row_squared_error = {
    .name = "squared_error",
    .aliases = "mse mse_loss l2_loss mean_squared_error l2 rmse multi_rmse "
               "regression regression_l2 reg_squarederror",
    .summary = "the square of the difference",
    .formula = "r^2, or r^2/2 with half = 1, with r = prediction - target",
    .reference = "Gauss, Theoria combinationis (1823)",
    .elsewhere = "PyTorch MSELoss; Keras MeanSquaredError; optax l2_loss (half); scikit-learn "
                 "HalfSquaredError (half), SGD squared_error; XGBoost reg:squarederror; LightGBM regression; "
                 "CatBoost RMSE; Vowpal "
                 "Wabbit squared; mlpack MeanSquaredError",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
