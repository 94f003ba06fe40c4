/*
 * What all stochastic methods share: epochs, batches, schedules, clipping, averaging, evaluations, early stopping.
 *
 * A method is a row whose layout, start and advance are those of here and whose lossi_stochastic_method says what is
 * its own: which options it reads, how many vectors it keeps, and its step. Its state begins with lossi_stochastic.
 * Its table of options begins with stochastic_options.def, "learning_rate" and "weight_decay".
 *
 * An epoch draws every sample once, in the order of stream number `epoch` of the seed (loss/random.h). A batch is a
 * stretch of that permutation, the last one may be shorter. An iterate is an epoch that ends with f and ∇f over
 * everything: the point that is kept as the best is never judged by a batch. The trial pair's x is the moving point.
 */
#ifndef LOSSI_OPTIMIZER_STOCHASTIC_H
#define LOSSI_OPTIMIZER_STOCHASTIC_H

#include <math.h>
#include <stddef.h>

#include "optimizer/optimizer.h"
#include "optimizer/schedule.h"
#include "optimizer/step_kernels.h"

/* Options by their place in the table of every method. */
enum {
    LOSSI_SAMPLES,
    LOSSI_BATCH_SIZE,
    LOSSI_EPOCHS,
    LOSSI_SEED,
    LOSSI_EVALUATE_EVERY,
    LOSSI_HELD_OUT,
    LOSSI_PATIENCE,
    LOSSI_IMPROVEMENT,
    LOSSI_SCHEDULE,
    LOSSI_WARMUP,
    LOSSI_DECAY,
    LOSSI_DECAY_FACTOR,
    LOSSI_DECAY_EVERY,
    LOSSI_FINAL_FACTOR,
    LOSSI_PLATEAU_PATIENCE,
    LOSSI_CYCLE_PEAK,
    LOSSI_CYCLE_START,
    LOSSI_CYCLE_END,
    LOSSI_CLIP_VALUE,
    LOSSI_CLIP_NORM,
    LOSSI_AVERAGING,
    LOSSI_AVERAGING_DECAY,
    LOSSI_AVERAGING_START,
    LOSSI_LEARNING_RATE,
    LOSSI_WEIGHT_DECAY,
    LOSSI_STOCHASTIC_OWN /* the first that is a method's own */
};

enum { LOSSI_AVERAGING_NONE, LOSSI_AVERAGING_POLYAK, LOSSI_AVERAGING_EXPONENTIAL };

/* The first member of every method's state. */
typedef struct lossi_stochastic {
    int64_t samples, batch_size, epochs, evaluate_every, patience, plateau_patience, averaging_start;
    int64_t done;                   /* samples of this epoch */
    int64_t steps;                  /* taken since the start */
    int64_t averaged;               /* points in the mean */
    int64_t waited, plateau_waited; /* evaluations without improvement */
    uint64_t seed;
    lossi_schedule schedule;
    double learning_rate, weight_decay, clip_value, clip_norm, improvement;
    double averaging_decay, averaging_sum; /* 1 for the plain mean; S */
    double factor;                         /* of the schedule, at the step being taken */
    double rate;                           /* the learning rate of the step being taken */
    double scale;                          /* and what clipping leaves of its gradient */
    double judged;                         /* the best value that patience and the plateau know */
    double least_held_out;                 /* of the best point */
    double value, gradient_norm;           /* of the evaluation whose held-out value is being asked for */
    double kept_value, kept_norm;          /* the machine's best from before it */
    double share;     /* of the rate that the step multiplies the gradient by: 1 but for dampening */
    int32_t velocity; /* the vector −(the last step)/rate, −1 for none */
    int32_t kept, kept_complete;
    int32_t phase, started, displaced; /* displaced: the moving point has made room for the mean */
    int32_t held_out, averaging, decoupled, own_vectors;
} lossi_stochastic;

typedef struct lossi_stochastic_method {
    /* How many vectors it keeps, at the options as they are; −1 when it cannot, with a sentence. They are 0 at the
     * start. extra_integers: beyond the samples. Both may be NULL. */
    int64_t (*vectors)(const loss_optimizer *optimizer, int64_t samples);
    int64_t (*extra_integers)(const loss_optimizer *optimizer, int64_t samples);
    /* Reads its options into its state and sets its vectors. May be NULL. */
    void (*begin)(loss_optimizer *optimizer);
    /* What depends on the number of steps, once before the spans of a step. May be NULL. */
    void (*prepare)(loss_optimizer *optimizer);
    /* The step of a span: everything in `step` is set but the scalars. Gives 1 when a derivative was not finite. */
    int32_t (*step)(loss_optimizer *optimizer, const lossi_span *span, lossi_step *step);
    /* Whether a proximal map can follow the step at the options as they are; NULL: always. With a sentence. */
    loss_status (*check_proximal)(const loss_optimizer *optimizer);
    /* ---- for methods that ask for more than the gradient at the moving point; NULL for the others ---- */
    /* The first request after an evaluation, and of an epoch, in place of lossi_stochastic_epoch(). */
    void (*epoch)(loss_optimizer *optimizer);
    /* The next batch of an epoch. */
    void (*ask)(loss_optimizer *optimizer);
    /* A gradient was told: 0 when optimizer->told is now what to step with, 1 when more was asked for, −1 when it was not
     * finite. */
    int32_t (*receive)(loss_optimizer *optimizer);
} lossi_stochastic_method;

/* Of every row. */
loss_status lossi_stochastic_layout(loss_optimizer *optimizer, lossi_layout *layout);
void lossi_stochastic_start(loss_optimizer *optimizer);
void lossi_stochastic_advance(loss_optimizer *optimizer);

/* Whether the penalties of these kinds can be part of the steps, at the options and segments as they are; with a sentence. */
loss_status lossi_stochastic_check_proximal(const loss_optimizer *optimizer, int32_t rough);

/* 1/rate, 0 when that is beyond the element type: then nothing moves. */
double lossi_inverse_rate(const loss_optimizer *optimizer, double rate);

/* A new epoch: its order is drawn and its first batch asked for. */
void lossi_stochastic_epoch(loss_optimizer *optimizer);

/* The next stretch of the order, at the x of the pair. */
void lossi_stochastic_ask(loss_optimizer *optimizer, int32_t pair);

/* The element `offset` behind a place in a vector. */
static inline void *lossi_offset_in(const loss_optimizer *optimizer, const void *vector, int64_t offset)
{
    return (char *)(uintptr_t)vector + offset * (optimizer->dtype == LOSS_FLOAT64 ? 8 : 4);
}

/* Vector k of the method, and of it the part from `offset` on. */
void *lossi_stochastic_vector(const loss_optimizer *optimizer, int64_t k, int64_t offset);

#endif
