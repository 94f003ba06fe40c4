/* Which input and output of a formula's programs is what. */
#ifndef LOSSI_LOSS_FORMULA_KERNELS_H
#define LOSSI_LOSS_FORMULA_KERNELS_H

#include "loss/row.h"

/* Prediction and target are arrays; the scale of derivatives and the options are numbers. */
enum {
    LOSSI_FORMULA_PREDICTION,
    LOSSI_FORMULA_TARGET,
    LOSSI_FORMULA_SCALE,
    LOSSI_FORMULA_OPTION,
    LOSSI_FORMULA_INPUTS = LOSSI_FORMULA_OPTION + LOSSI_PARAMETERS
};

enum { LOSSI_FORMULA_OF_VALUE, LOSSI_FORMULA_OF_GRADIENT, LOSSI_FORMULA_OF_CURVATURE, LOSSI_FORMULA_OUTPUTS };

#endif
