/*
 * Softmax regression on Fashion-MNIST, 28 × 28 pictures of ten kinds of clothes, by L-BFGS: IDX files as they are distributed,
 * pixels made features, cross-entropy with an L2 penalty, the accuracy on the pictures to test on. Introduces
 * loss_array_read_idx() of libloss_io.
 *
 *     apt-get install dataset-fashion-mnist
 *     16_fashion_mnist [ROWS [DIRECTORY]]
 *
 * trains on the first ROWS pictures, 1000 unless told; there are 60000, which take 9 seconds and give 84.09 %.
 */
#include "must.h"

#include <loss/io.h>

enum { CLASSES = 10, SKIPPED = 77 /* the exit code of a test that has nothing to test */ };

typedef struct pictures {
    loss_array *pixels, *kinds; /* uint8, as in the files */
    int64_t rows, columns;
    float *features; /* the pixels from 0 to 1 */
    int64_t *labels;
} pictures;

static loss_array *read_idx(loss_context *context, const char *directory, const char *name)
{
    char path[512];
    loss_array *array;
    snprintf(path, sizeof path, "%s/%s-ubyte.gz", directory, name);
    const loss_status status = loss_array_read_idx(&array, context, path, NULL, NULL);
    if (status == LOSS_ERROR_FILE || status == LOSS_ERROR_SUPPORT) {
        printf("%s\nThe pictures are in the Debian package dataset-fashion-mnist.\n",
               loss_context_error(context));
        exit(SKIPPED);
    }
    must(context, status);
    return array;
}

static pictures read_pictures(loss_context *context, const char *directory, const char *part, int64_t most)
{
    char name[64];
    pictures p;
    snprintf(name, sizeof name, "%s-images-idx3", part);
    p.pixels = read_idx(context, directory, name);
    snprintf(name, sizeof name, "%s-labels-idx1", part);
    p.kinds = read_idx(context, directory, name);
    p.columns = loss_array_column_count(p.pixels);
    p.rows = loss_array_row_count(p.pixels) < most ? loss_array_row_count(p.pixels) : most;
    p.features = malloc((size_t)(p.rows * p.columns) * sizeof *p.features);
    p.labels = malloc((size_t)p.rows * sizeof *p.labels);
    if (p.features == NULL || p.labels == NULL) {
        exit(EXIT_FAILURE);
    }
    const unsigned char *pixels = loss_array_values(p.pixels), *kinds = loss_array_values(p.kinds);
    for (int64_t i = 0; i < p.rows * p.columns; i++) {
        p.features[i] = (float)pixels[i] / 255.0F;
    }
    for (int64_t i = 0; i < p.rows; i++) {
        p.labels[i] = kinds[i];
    }
    loss_array_free(p.pixels);
    loss_array_free(p.kinds);
    return p;
}

static loss_data *lend(loss_context *context, const pictures *p)
{
    loss_data *data;
    must(context, loss_data_create(&data, context));
    must(context, loss_data_set_input(data, "features", p->features, LOSS_FLOAT32, p->rows, p->columns,
                                      p->columns, 1));
    must(context, loss_data_set_input(data, "target", p->labels, LOSS_INT64, p->rows, 1, 1, 1));
    return data;
}

static loss_objective *create_objective(loss_context *context, const loss_data *data)
{
    loss_function *function;
    loss_penalty *penalty;
    loss_objective *objective;
    must(context, loss_function_create(&function, context, "cross_entropy"));
    must(context, loss_penalty_create(&penalty, context, "l2"));
    must(context, loss_penalty_set_double(penalty, "strength", 1e-3));
    must(context, loss_objective_create_linear(&objective, context, function, data));
    must(context, loss_objective_set_int(objective, "outputs", CLASSES));
    must(context, loss_objective_add_penalty(objective, penalty));
    loss_penalty_free(penalty);
    loss_function_free(function);
    return objective;
}

/* The percentage of pictures whose own class has the largest score. */
static double accuracy(loss_context *context, loss_objective *objective, const float *parameters,
                       const pictures *p)
{
    float *scores = malloc((size_t)(p->rows * CLASSES) * sizeof *scores);
    loss_data *inputs = lend(context, p), *outputs;
    int64_t right = 0;
    if (scores == NULL) {
        exit(EXIT_FAILURE);
    }
    must(context, loss_data_create(&outputs, context));
    must(context,
         loss_data_set_output(outputs, "prediction", scores, LOSS_FLOAT32, p->rows, CLASSES, CLASSES, 1));
    must(context, loss_objective_predict(objective, parameters, inputs, outputs));
    for (int64_t i = 0; i < p->rows; i++) {
        int64_t best = 0;
        for (int64_t k = 1; k < CLASSES; k++) {
            best = scores[i * CLASSES + k] > scores[i * CLASSES + best] ? k : best;
        }
        right += best == p->labels[i];
    }
    loss_data_free(outputs);
    loss_data_free(inputs);
    free(scores);
    return 100.0 * (double)right / (double)p->rows;
}

int main(int argc, char **argv)
{
    const char *directory = argc > 2 ? argv[2] : "/usr/share/datasets/fashion-mnist";
    loss_context *context;
    loss_optimizer *optimizer;
    int64_t iterations;
    double value;
    must(NULL, loss_context_create(&context));
    const pictures train = read_pictures(context, directory, "train",
                                         argc > 1 ? strtoll(argv[1], NULL, 10) : 1000);
    const pictures test = read_pictures(context, directory, "t10k", INT64_MAX);
    loss_data *data = lend(context, &train);
    loss_objective *objective = create_objective(context, data);

    const int64_t dimension = loss_objective_dimension(objective);
    float *parameters = calloc((size_t)dimension, sizeof *parameters);
    if (parameters == NULL) {
        return EXIT_FAILURE;
    }
    must(context, loss_optimizer_create(&optimizer, context, "lbfgs", LOSS_FLOAT32, dimension));
    must(context, loss_optimizer_set_double(optimizer, "gradient_tolerance", 1e-3));
    const loss_status outcome = must(context, loss_optimizer_minimize(optimizer, objective, parameters));
    must(context, loss_optimizer_get_int(optimizer, "iterations", &iterations));
    must(context, loss_objective_evaluate(objective, parameters, &value, NULL));
    printf("%lld pictures of %lld pixels, %lld parameters\n", (long long)train.rows, (long long)train.columns,
           (long long)dimension);
    printf("%s, after %lld iterations: %.4f\n", loss_status_message(outcome), (long long)iterations, value);
    printf("accuracy %.2f %% where trained, %.2f %% on %lld others\n",
           accuracy(context, objective, parameters, &train), accuracy(context, objective, parameters, &test),
           (long long)test.rows);

    free(parameters);
    loss_optimizer_free(optimizer);
    loss_objective_free(objective);
    loss_data_free(data);
    free(train.features);
    free(train.labels);
    free(test.features);
    free(test.labels);
    loss_context_free(context);
    return 0;
}

/* Prints:
1000 pictures of 784 pixels, 7850 parameters
converged: the gradient is small enough, after 60 iterations: 0.1957
accuracy 99.20 % where trained, 78.96 % on 10000 others
 */
