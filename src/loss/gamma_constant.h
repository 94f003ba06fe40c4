/* The constant of a gamma distribution's density; apart from the loss, whose name is one of C's functions too. */
#ifndef LOSSI_LOSS_GAMMA_CONSTANT_H
#define LOSSI_LOSS_GAMMA_CONSTANT_H

/* log Γ(a) − a log a + a of the shape a, 1e-6 … 1e6: *head, a float32, and *rest, what that is missing of it. */
void lossi_gamma_constant(double shape, double *head, double *rest);

#endif
