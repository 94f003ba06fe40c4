/*
 * Which of several classes a text is from, such as its newsgroup: bags of words in a LIBSVM file, never made dense, by Newton's method
 * with conjugate gradients and by stochastic gradient descent.
 *
 *     classify_text [FILE | - [TEXTS]]
 *
 * Without a file, no text was ever written by anybody: 50 000 are drawn and put into texts.svm in the current directory first, words by
 * Zipf's law, every class with words that it uses more often. The last fifth of a file is what the models are judged by.
 */
#include <loss/io.h>
#include <loss/random.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "../must.h"

enum { CLASSES = 8, WORDS = 20000, LENGTH = 80 };

/* ---- a file of texts ---- */

static int ascending(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* A word by Zipf's law: ranks have the density 1/rank. A class turns every third word into one of its own. */
static int draw_word(double u, double v, int label)
{
    const int word = (int)exp(u * log(WORDS)) - 1;
    return v < 1.0 / 3 ? (word * CLASSES + label) % WORDS : word;
}

static void write_texts(const char *path, int64_t texts)
{
    static double random[2 * LENGTH + 1];
    int words[LENGTH];
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "%s cannot be written\n", path);
        exit(EXIT_FAILURE);
    }
    for (int64_t i = 0; i < texts; i++) {
        must(NULL, loss_random_uniform(7, (uint64_t)i, 0, 2 * LENGTH + 1, random));
        const int label = (int)(CLASSES * random[2 * LENGTH]);
        for (int k = 0; k < LENGTH; k++) {
            words[k] = draw_word(random[2 * k], random[2 * k + 1], label);
        }
        qsort(words, LENGTH, sizeof *words, ascending);
        fprintf(file, "%d", label);
        for (int k = 0; k < LENGTH;) { /* 1 + log of how often, the length of a text divided out roughly */
            int times = 1;
            while (k + times < LENGTH && words[k + times] == words[k]) {
                times++;
            }
            fprintf(file, " %d:%.4f", words[k] + 1, (1 + log(times)) / 8);
            k += times;
        }
        fprintf(file, "\n");
    }
    fclose(file);
}

/* ---- learning ---- */

typedef struct texts {
    loss_sparse *sparse;
    int64_t *labels;
    int64_t rows, train; /* the first ones are for learning */
    loss_data *learn, *judge;
} texts;

static void set_features(loss_context *context, loss_data *data, const texts *t, int64_t first, int64_t rows)
{
    const int64_t *offsets = loss_sparse_row_offsets(t->sparse) + first;
    must(context,
         loss_data_set_sparse_input(data, "features", rows, loss_sparse_column_count(t->sparse),
                                    loss_sparse_entry_count(t->sparse), offsets, LOSS_INT64,
                                    loss_sparse_column_indices(t->sparse), loss_sparse_index_dtype(t->sparse),
                                    loss_sparse_values(t->sparse), loss_sparse_value_dtype(t->sparse)));
}

static void read_texts(loss_context *context, const char *path, texts *t)
{
    must(context,
         loss_sparse_read_svmlight(&t->sparse, context, path, LOSS_FLOAT64, LOSS_INT32, -1, 0, NULL, NULL));
    t->rows = loss_sparse_row_count(t->sparse);
    t->train = t->rows - t->rows / 5;
    t->labels = malloc((size_t)t->rows * sizeof *t->labels);
    must(context, loss_sparse_get_labels(t->sparse, context, t->labels, 1));
    must(context, loss_data_create(&t->learn, context));
    must(context, loss_data_create(&t->judge, context));
    set_features(context, t->learn, t, 0, t->train);
    set_features(context, t->judge, t, t->train, t->rows - t->train);
    must(context, loss_data_set_input(t->learn, "target", t->labels, LOSS_INT64, t->train, 1, 1, 1));
}

/* The share of the last fifth that is recognised. */
static double judge(loss_context *context, loss_objective *objective, const double *x, const texts *t,
                    int64_t classes)
{
    const int64_t rows = t->rows - t->train;
    double *scores = malloc((size_t)(rows * classes) * sizeof *scores);
    loss_data *outputs;
    int64_t right = 0;
    must(context, loss_data_create(&outputs, context));
    must(context,
         loss_data_set_output(outputs, "prediction", scores, LOSS_FLOAT64, rows, classes, classes, 1));
    must(context, loss_objective_predict(objective, x, t->judge, outputs));
    for (int64_t i = 0; i < rows; i++) {
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++) {
            best = scores[i * classes + k] > scores[i * classes + best] ? k : best;
        }
        right += best == t->labels[t->train + i];
    }
    loss_data_free(outputs);
    free(scores);
    return (double)right / (double)rows;
}

static void learn(loss_context *context, loss_objective *objective, const char *name, const texts *t)
{
    struct timespec begun, ended;
    int64_t classes;
    double value;
    loss_optimizer *optimizer;
    must(context, loss_objective_prepare(objective));
    must(context, loss_objective_get_int(objective, "outputs", &classes));
    const int64_t n = loss_objective_dimension(objective);
    double *x = calloc((size_t)n, sizeof *x);
    must(context, loss_optimizer_create(&optimizer, context, name, LOSS_FLOAT64, n));
    if (strcmp(name, "sgd") == 0) {
        must(context, loss_optimizer_set_int(optimizer, "epochs", 5));
        must(context, loss_optimizer_set_int(optimizer, "evaluate_every", 0));
        must(context, loss_optimizer_set_double(optimizer, "learning_rate", 4.0));
        must(context, loss_optimizer_set_string(optimizer, "schedule", "inverse_time"));
    }
    clock_gettime(CLOCK_MONOTONIC, &begun);
    must(context, loss_optimizer_minimize(optimizer, objective, x));
    clock_gettime(CLOCK_MONOTONIC, &ended);
    must(context, loss_objective_evaluate(objective, x, &value, NULL));
    fprintf(stderr, "%s: %.2f s\n", name,
            (double)(ended.tv_sec - begun.tv_sec) + 1e-9 * (double)(ended.tv_nsec - begun.tv_nsec));
    printf("%s: objective %.4f, accuracy %.1f %%\n", name, value,
           100 * judge(context, objective, x, t, classes));
    loss_optimizer_free(optimizer);
    free(x);
}

int main(int count, char **words)
{
    const char *path = count > 1 && strcmp(words[1], "-") != 0 ? words[1] : "texts.svm";
    loss_context *context;
    loss_function *cross_entropy;
    loss_penalty *l2;
    loss_objective *objective;
    texts t;
    if (path != words[1]) {
        write_texts(path, count > 2 ? atoll(words[2]) : 50000);
    }
    must(NULL, loss_context_create(&context));
    must(context, loss_context_set_int(context, "threads", 2));
    read_texts(context, path, &t);
    printf("%d texts, %d words\n", (int)t.rows, (int)loss_sparse_column_count(t.sparse));
    must(context, loss_function_create(&cross_entropy, context, "cross_entropy"));
    must(context, loss_objective_create_linear(&objective, context, cross_entropy, t.learn));
    must(context, loss_penalty_create(&l2, context, "l2"));
    must(context, loss_penalty_set_double(l2, "strength", 1e-4));
    must(context, loss_objective_add_penalty(objective, l2));
    learn(context, objective, "newton_cg", &t);
    learn(context, objective, "sgd", &t);

    loss_penalty_free(l2);
    loss_objective_free(objective);
    loss_function_free(cross_entropy);
    loss_data_free(t.learn);
    loss_data_free(t.judge);
    loss_sparse_free(t.sparse);
    free(t.labels);
    loss_context_free(context);
    return 0;
}
