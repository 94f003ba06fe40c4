/* Numbers an optimizer has measured, by name. Each gives 1 when it knows the name, 0 when not. */
#ifndef LOSSI_OPTIMIZER_MEASURED_H
#define LOSSI_OPTIMIZER_MEASURED_H

#include "optimizer/optimizer.h"

int32_t lossi_measured_double(const loss_optimizer *optimizer, const char *name, double *value);
int32_t lossi_measured_int(const loss_optimizer *optimizer, const char *name, int64_t *value);
int32_t lossi_measured_string(const loss_optimizer *optimizer, const char *name, const char **value);

/* LOSS_OPTION_…: the type of what has this name; 0 when nothing has. */
int32_t lossi_measured_type(const char *name);

#endif
