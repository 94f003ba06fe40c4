/*
 * Which of several classes a text is from: bags of words in a LIBSVM file, never made dense, by Newton's method with conjugate gradients
 * and by stochastic gradient descent.
 *
 *     apt-get install wordnet-base
 *     classify_text [FILE | - [TEXTS [DIRECTORY]]]
 *
 * Without a file, the texts are the 82 115 definitions of nouns in WordNet 3.0 (Fellbaum 1998; Princeton University 2006), and what
 * they define is one of 26 kinds of things, as the lexicographers sorted them: an animal, an artifact, a feeling, a food, a person, a
 * plant, a time, … They are put into definitions.svm in the current directory first. TEXTS of a file are used, all unless told, a fifth
 * of them to judge the models by.
 */
#include <ctype.h>
#include <loss/io.h>
#include <loss/random.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "../must.h"

enum {
    FIRST = 3,
    COLUMNS = 1 << 14,
    LONGEST = 512,
    SKIPPED = 77 /* the exit code of a test that has nothing to test */
};

/* ---- a file of texts ---- */

static int ascending(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/*
 * The columns of a text's words, from 1, in their order: each is its hash (Fowler, Noll & Vo), so that no dictionary is needed. Numbers
 * of as many digits are one word.
 */
static int read_words(const char *text, int *columns)
{
    int count = 0;
    while (*text != 0 && count < LONGEST) {
        uint32_t hash = 2166136261U;
        const char *start = text;
        for (; isalnum((unsigned char)*text); text++) {
            hash = (hash ^ (uint32_t)(isdigit((unsigned char)*text) ? '0' : tolower(*text))) * 16777619U;
        }
        if (text > start) {
            columns[count++] = (int)((hash ^ hash >> 15) % COLUMNS) + 1;
        } else {
            text++;
        }
    }
    qsort(columns, (size_t)count, sizeof *columns, ascending);
    return count;
}

/* A row: 1 + log of how often a word is there, over the length of that. */
static void write_row(FILE *file, int label, const int *columns, int count)
{
    double times[LONGEST], square = 0;
    int words = 0, place[LONGEST];
    for (int k = 0; k < count;) {
        int same = 1;
        while (k + same < count && columns[k + same] == columns[k]) {
            same++;
        }
        place[words] = columns[k];
        times[words] = 1 + log(same);
        square += times[words] * times[words];
        words++;
        k += same;
    }
    fprintf(file, "%d", label);
    for (int k = 0; k < words; k++) {
        fprintf(file, " %d:%.4f", place[k], times[k] / sqrt(square));
    }
    fprintf(file, "\n");
}

/* WordNet's data.noun, see wndb(5): a line a meaning, "offset kind n …", and behind a bar what it means. */
static void write_definitions(const char *path, const char *directory)
{
    char source[512], *line = NULL, *text;
    size_t size = 0;
    int label, columns[LONGEST];
    snprintf(source, sizeof source, "%s/data.noun", directory);
    FILE *nouns = fopen(source, "r"), *file = nouns != NULL ? fopen(path, "w") : NULL;
    if (nouns == NULL) {
        printf("%s is not there; it is in the Debian package wordnet-base.\n", source);
        exit(SKIPPED);
    }
    if (file == NULL) {
        fprintf(stderr, "%s cannot be written\n", path);
        exit(EXIT_FAILURE);
    }
    while (getline(&line, &size, nouns) > 0) {
        if (sscanf(line, "%*8d %2d n", &label) == 1 && (text = strstr(line, " | ")) != NULL) {
            write_row(file, label - FIRST, columns, read_words(text, columns));
        }
    }
    free(line);
    fclose(nouns);
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

/* Neighbours in a file are often alike: in another order the last fifth is as good as any. */
static void shuffle(loss_context *context, loss_sparse *sparse)
{
    const int64_t rows = loss_sparse_row_count(sparse);
    int64_t *order = malloc((size_t)rows * sizeof *order);
    must(context, loss_random_permutation(7, 0, rows, order));
    must(context, loss_sparse_reorder(sparse, order));
    free(order);
}

static void read_texts(loss_context *context, const char *path, int64_t most, texts *t)
{
    must(context,
         loss_sparse_read_svmlight(&t->sparse, context, path, LOSS_FLOAT64, LOSS_INT32, -1, 0, NULL, NULL));
    shuffle(context, t->sparse);
    t->rows = loss_sparse_row_count(t->sparse) < most ? loss_sparse_row_count(t->sparse) : most;
    t->train = t->rows - t->rows / 5;
    t->labels = malloc((size_t)loss_sparse_row_count(t->sparse) * sizeof *t->labels);
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
        must(context, loss_optimizer_set_int(optimizer, "epochs", 10));
        must(context, loss_optimizer_set_int(optimizer, "batch_size", 256));
        must(context, loss_optimizer_set_int(optimizer, "evaluate_every", 0));
        must(context, loss_optimizer_set_double(optimizer, "learning_rate", 40.0));
        must(context, loss_optimizer_set_string(optimizer, "schedule", "inverse_time"));
    } else { /* columns differ in how often they are there: the diagonal of the Hessian makes up for it */
        must(context, loss_optimizer_set_string(optimizer, "preconditioner", "user"));
        must(context, loss_optimizer_set_double(optimizer, "gradient_tolerance", 1e-4));
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
    const char *path = count > 1 && strcmp(words[1], "-") != 0 ? words[1] : "definitions.svm";
    const char *directory = count > 3 ? words[3] : "/usr/share/wordnet";
    loss_context *context;
    loss_function *cross_entropy;
    loss_penalty *l2;
    loss_objective *objective;
    texts t;
    if (path != words[1]) {
        write_definitions(path, directory);
    }
    must(NULL, loss_context_create(&context));
    must(context, loss_context_set_int(context, "threads", 2));
    read_texts(context, path, count > 2 ? atoll(words[2]) : INT64_MAX, &t);
    printf("%d texts, %d columns\n", (int)t.rows, (int)loss_sparse_column_count(t.sparse));
    must(context, loss_function_create(&cross_entropy, context, "cross_entropy"));
    must(context, loss_objective_create_linear(&objective, context, cross_entropy, t.learn));
    must(context, loss_penalty_create(&l2, context, "l2"));
    must(context, loss_penalty_set_double(l2, "strength", 1e-5));
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
