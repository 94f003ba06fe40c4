/*
 * What bench_training trains: a linear model on data from files, its objective the mean of a loss + λ/2 ‖w‖² without intercept.
 */
#ifndef BENCH_TRAINING_TASK_H
#define BENCH_TRAINING_TASK_H

#include <loss/loss.h>

typedef struct training_task {
    /* said by the caller; read before training_read() */
    loss_context *context;
    const char *loss; /* NULL: cross_entropy */
    double strength;  /* λ */
    int64_t most_rows;
    loss_dtype dtype; /* of the features that a model multiplies */
    /* the data: dense features, or offsets, indices and values; targets are classes of int64, or numbers of dtype */
    int64_t rows, features, outputs, entries;
    void *values, *target;
    int64_t *offsets;
    int32_t *indices;
    int32_t classes;
} training_task;

/*
 * "digits", the 1797 of tests/data, their pixels divided by 16; a directory with the IDX files of MNIST or one of its kin, pixels
 * divided by 255, of the first most_rows pictures; or a directory with features.npy or offsets.npy (int64), indices.npy (int32) and
 * values.npy, and target.npy.
 */
void training_read(training_task *task, const char *source);

/* An objective that is ready, of the data of the task, which stay the caller's; its preconditioner may be a block. */
loss_objective *training_objective(const training_task *task, int block);

void training_free(training_task *task);

/* The resident memory of this process in MB, and the most of it since training_forget_peak(); NAN where the system does not say. */
double training_memory(void);
double training_peak(void);
void training_forget_peak(void);

#endif
