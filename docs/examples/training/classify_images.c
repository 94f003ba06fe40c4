/*
 * Which garment is on a picture: Fashion-MNIST (Xiao, Rasul & Vollgraf 2017), 60 000 pictures to learn from and 10 000 to be
 * judged by.
 *
 *     classify_images MODEL OPTIMIZER EPOCHS [ROWS [DIRECTORY [PICTURES]]]
 *
 * MODEL is softmax (a linear model, by an optimizer of all samples: lbfgs), vgg or resnet (small convolutional networks, by
 * sgd or adam); EPOCHS are iterations of lbfgs. ROWS: learn from so many, 0: from all. DIRECTORY has the four files of the Debian
 * package dataset-fashion-mnist. PICTURES: where curve.svg and confusion.svg go.
 */
#include <loss/io.h>
#include <string.h>
#include <time.h>

#include "network.h"
#include "pictures.h"

enum { CLASSES = 10, SIDE = 28, MOST_EPOCHS = 200 };

static const char *const names[CLASSES] = {"T-shirt", "trouser", "pullover", "dress", "coat",
                                           "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};

typedef struct pictures {
    loss_array *images, *labels;
    loss_data *data;
    int64_t rows;
} pictures;

static void read_pictures(loss_context *context, const char *directory, const char *prefix, int64_t rows,
                          pictures *out)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte.gz", directory, prefix);
    must(context, loss_array_read_idx(&out->images, context, path, NULL, NULL));
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte.gz", directory, prefix);
    must(context, loss_array_read_idx(&out->labels, context, path, NULL, NULL));
    const int64_t there = loss_array_row_count(out->images);
    out->rows = rows > 0 && rows < there ? rows : there;
    must(context, loss_data_create(&out->data, context));
    must(context, loss_data_set_input(out->data, "image", loss_array_values(out->images),
                                      loss_array_dtype(out->images), out->rows, SIDE * SIDE, SIDE * SIDE, 1));
    must(context, loss_data_set_input(out->data, "label", loss_array_values(out->labels),
                                      loss_array_dtype(out->labels), out->rows, 1, 1, 1));
}

/* ---- models ---- */

static int32_t relu(network *net, int32_t input)
{
    return network_apply(net, "relu", input, -1);
}

/* Simonyan & Zisserman (2015), shrunk: two pairs of convolutions, each followed by a pool. */
static int32_t vgg(network *net, int32_t image)
{
    for (int64_t channels = 32; channels <= 64; channels *= 2) {
        image = relu(net, network_convolution(net, image, 3, channels, 1, 1));
        image = relu(net, network_convolution(net, image, 3, channels, 1, 1));
        image = network_pool(net, image);
    }
    return network_dense(net, network_dropout(net, relu(net, network_dense(net, image, 128)), 0.5), CLASSES);
}

/* He, Zhang, Ren & Sun (2016), shrunk: the image of half the size, plus what two convolutions add to it. */
static int32_t residual_block(network *net, int32_t image, int64_t channels)
{
    int32_t way = relu(net, network_batch_norm(net, network_convolution(net, image, 3, channels, 2, 0)));
    way = network_batch_norm(net, network_convolution(net, way, 3, channels, 1, 0));
    const int32_t shortcut = network_batch_norm(net, network_convolution(net, image, 1, channels, 2, 0));
    return relu(net, network_apply(net, "add", way, shortcut));
}

static int32_t resnet(network *net, int32_t image)
{
    image = relu(net, network_batch_norm(net, network_convolution(net, image, 3, 16, 1, 0)));
    image = residual_block(net, image, 32);
    image = residual_block(net, image, 64);
    return network_dense(net, network_average(net, image), CLASSES);
}

/* The graph from pictures to the cost, whose node it gives. */
static int32_t build(network *net, const char *model)
{
    const int64_t shape[] = {LOSS_ROWS, SIDE, SIDE, 1};
    const double mean = 73, deviation = 90; /* of the pixels 0 … 255 that are learnt from */
    int32_t image, label, a, b;
    must(net->context, loss_graph_input(net->graph, "image", LOSS_FLOAT32, 4, shape, &image));
    must(net->context, loss_graph_input(net->graph, "label", LOSS_INT32, 1, shape, &label));
    must(net->context, loss_graph_constant(net->graph, &mean, LOSS_FLOAT64, 0, NULL, &a));
    must(net->context, loss_graph_constant(net->graph, &deviation, LOSS_FLOAT64, 0, NULL, &b));
    image = network_apply(net, "divide", network_apply(net, "subtract", image, a), b);
    const int32_t scores = strcmp(model, "vgg") == 0      ? vgg(net, image)
                           : strcmp(model, "resnet") == 0 ? resnet(net, image)
                                                          : network_dense(net, image, CLASSES);
    must(net->context, loss_graph_set_output(net->graph, "scores", scores));
    return network_cost(net, "cross_entropy", scores, label);
}

/* ---- judging ---- */

/* The share of pictures that are recognised; counts[i · CLASSES + k]: class i taken for k. */
static double judge(loss_context *context, loss_objective *objective, const float *x, const pictures *test,
                    int64_t *counts)
{
    loss_data *outputs;
    float *scores = malloc((size_t)test->rows * CLASSES * sizeof *scores);
    const unsigned char *labels = loss_array_values(test->labels);
    int64_t right = 0;
    must(context, loss_data_create(&outputs, context));
    must(context,
         loss_data_set_output(outputs, "scores", scores, LOSS_FLOAT32, test->rows, CLASSES, CLASSES, 1));
    must(context, loss_objective_predict(objective, x, test->data, outputs));
    memset(counts, 0, CLASSES * CLASSES * sizeof *counts);
    for (int64_t i = 0; i < test->rows; i++) {
        int best = 0;
        for (int k = 1; k < CLASSES; k++) {
            best = scores[i * CLASSES + k] > scores[i * CLASSES + best] ? k : best;
        }
        counts[labels[i] * CLASSES + best]++;
        right += labels[i] == best;
    }
    loss_data_free(outputs);
    free(scores);
    return (double)right / (double)test->rows;
}

/* ---- learning ---- */

typedef struct learning {
    loss_context *context;
    loss_objective *objective;
    loss_optimizer *optimizer;
    const pictures *test;
    float *x;
    double begun;
    int64_t n, samples, epochs, done;
    double curves[2 * MOST_EPOCHS]; /* shares recognised: of the test, then of what was learnt from */
    int64_t counts[CLASSES * CLASSES];
} learning;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void set_options(learning *l, const char *optimizer)
{
    const int sgd = strcmp(optimizer, "sgd") == 0;
    must(l->context, loss_optimizer_set_int(l->optimizer, "samples", l->samples));
    must(l->context, loss_optimizer_set_int(l->optimizer, "batch_size", 64));
    must(l->context, loss_optimizer_set_int(l->optimizer, "epochs", l->epochs));
    must(l->context, loss_optimizer_set_int(l->optimizer, "evaluate_every", 0));
    must(l->context, loss_optimizer_set_int(l->optimizer, "seed", 1));
    must(l->context, loss_optimizer_set_string(l->optimizer, "schedule", "one_cycle"));
    must(l->context, loss_optimizer_set_double(l->optimizer, "learning_rate", sgd ? 0.1 : 0.003));
    if (sgd) {
        must(l->context, loss_optimizer_set_double(l->optimizer, "momentum", 0.9));
        must(l->context, loss_optimizer_set_double(l->optimizer, "weight_decay", 5e-4));
    }
}

/* After an epoch, or an iteration over all samples: a point of the curve, and a line. */
static void tell_progress(learning *l, const char *what, const void *x, double cost)
{
    memcpy(l->x, x, (size_t)l->n * sizeof *l->x);
    l->curves[l->done] = judge(l->context, l->objective, l->x, l->test, l->counts);
    printf("%s %d: cost %.4f, test accuracy %.2f %%, %.0f s\n", what, (int)l->done + 1, cost,
           100 * l->curves[l->done], seconds() - l->begun);
    fflush(stdout);
    l->done++;
}

static int32_t after_iteration(void *user, loss_optimizer *optimizer)
{
    learning *l = user;
    const void *x;
    double cost;
    int64_t iterations;
    must(l->context, loss_optimizer_get_int(optimizer, "iterations", &iterations));
    if (iterations > l->done && l->done < l->epochs) {
        must(l->context, loss_optimizer_get_pointer(optimizer, "best_x", &x));
        must(l->context, loss_optimizer_get_double(optimizer, "value", &cost));
        tell_progress(l, "iteration", x, cost);
    }
    return 0;
}

/* A method of all samples runs by itself. */
static void learn_by_iterations(learning *l)
{
    must(l->context, loss_optimizer_set_int(l->optimizer, "max_iterations", l->epochs));
    must(l->context, loss_optimizer_set_iterate_callback(l->optimizer, after_iteration, l));
    float *x = malloc((size_t)l->n * sizeof *x);
    memcpy(x, l->x, (size_t)l->n * sizeof *x);
    must(l->context, loss_optimizer_minimize(l->optimizer, l->objective, x));
    memcpy(l->x, x, (size_t)l->n * sizeof *x);
    free(x);
}

/* One batch after the other, told what the objective says; after each epoch a line. */
static void learn_by_batches(learning *l)
{
    float *gradient = malloc((size_t)l->n * sizeof *gradient);
    double cost = 0, value;
    int64_t seen = 0;
    int32_t request;
    const void *x, *indices;
    must(l->context, loss_optimizer_start(l->optimizer, l->x));
    while (must(l->context, loss_optimizer_ask(l->optimizer, &request)) == LOSS_OK &&
           request != LOSS_REQUEST_DONE) {
        int64_t count = 0;
        must(l->context, loss_optimizer_get_pointer(l->optimizer, "x", &x));
        if (request == LOSS_REQUEST_BATCH_GRADIENT) {
            must(l->context, loss_optimizer_get_int(l->optimizer, "indices_count", &count));
            must(l->context, loss_optimizer_get_pointer(l->optimizer, "indices", &indices));
            must(l->context,
                 loss_objective_evaluate_batch(l->objective, x, count, indices, &value, gradient));
            must(l->context, loss_objective_new_iterate(l->objective));
        } else {
            must(l->context, loss_objective_evaluate(l->objective, x, &value, gradient));
        }
        must(l->context, loss_optimizer_tell_gradient(l->optimizer, value, gradient));
        cost += value * (double)count;
        seen += count;
        if (seen == l->samples) {
            tell_progress(l, "epoch", x, cost / (double)seen);
            seen = 0;
            cost = 0;
        }
    }
    must(l->context, loss_optimizer_get_pointer(l->optimizer, "best_x", &x));
    memcpy(l->x, x, (size_t)l->n * sizeof *l->x);
    free(gradient);
}

/* A number of the command line. */
static int64_t number(const char *word)
{
    char *end;
    const int64_t value = strtoll(word, &end, 10);
    if (end == word || *end != '\0') {
        fprintf(stderr,
                "'%s' is no number; the arguments are MODEL OPTIMIZER EPOCHS [ROWS [DIRECTORY [PICTURES]]]\n",
                word);
        exit(EXIT_FAILURE);
    }
    return value;
}

int main(int count, char **words)
{
    const char *model = count > 1 ? words[1] : "vgg", *optimizer = count > 2 ? words[2] : "adam";
    const char *directory = count > 5 ? words[5] : "/usr/share/datasets/fashion-mnist";
    const int64_t rows = count > 4 ? number(words[4]) : 0;
    static learning l;
    network net = {NULL, NULL, 0};
    pictures train, test;
    l.epochs = count > 3 ? number(words[3]) : 6;
    l.epochs = l.epochs < 1 ? 1 : l.epochs > MOST_EPOCHS ? MOST_EPOCHS : l.epochs;

    must(NULL, loss_context_create(&net.context));
    must(net.context, loss_context_set_int(net.context, "threads", 2));
    read_pictures(net.context, directory, "train", rows, &train);
    read_pictures(net.context, directory, "t10k", rows, &test);
    must(net.context, loss_graph_create(&net.graph, net.context, LOSS_FLOAT32));
    const int32_t cost = build(&net, model);
    l.context = net.context;
    l.samples = train.rows;
    l.n = loss_graph_dimension(net.graph);
    l.x = malloc((size_t)l.n * sizeof *l.x);
    must(net.context, loss_graph_initialize(net.graph, net.context, 1, l.x));
    must(net.context, loss_objective_create_graph(&l.objective, net.context, net.graph, cost, train.data));
    must(net.context, loss_optimizer_create(&l.optimizer, net.context, optimizer, LOSS_FLOAT32, l.n));
    printf("%s, %d parameters, %d pictures, by %s\n", model, (int)l.n, (int)train.rows, optimizer);

    l.test = &test;
    l.begun = seconds();
    if (strcmp(model, "softmax") == 0) {
        learn_by_iterations(&l);
    } else {
        set_options(&l, optimizer);
        learn_by_batches(&l);
    }
    printf("test accuracy %.2f %%\n", 100 * judge(net.context, l.objective, l.x, &test, l.counts));
    if (count > 6) {
        static const char *const curve[] = {"test accuracy"};
        char path[512];
        snprintf(path, sizeof path, "%s/confusion.svg", words[6]);
        int failed = draw_confusion(path, names, CLASSES, l.counts);
        snprintf(path, sizeof path, "%s/curve.svg", words[6]);
        failed |= draw_curves(path, model, curve, 1, l.curves, l.done);
        printf("%s\n", failed ? "no pictures: gnuplot is not there" : "pictures drawn");
    }

    loss_optimizer_free(l.optimizer);
    loss_objective_free(l.objective);
    loss_graph_free(net.graph);
    free(l.x);
    loss_data_free(train.data);
    loss_data_free(test.data);
    loss_array_free(train.images);
    loss_array_free(train.labels);
    loss_array_free(test.images);
    loss_array_free(test.labels);
    loss_context_free(net.context);
    return 0;
}
