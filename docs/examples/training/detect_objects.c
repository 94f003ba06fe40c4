/*
 * Where a garment is on a noisy picture, and which one: one of Fashion-MNIST, pasted at a random place in a random size. The
 * cost is that of the class, cross-entropy, plus that of the box, smooth L1.
 *
 *     detect_objects [EPOCHS [ROWS [DIRECTORY [PICTURES]]]]
 *
 * ROWS pictures are made to learn from, and a fourth as many to be judged by. DIRECTORY has the four files of the Debian package
 * dataset-fashion-mnist; boxes.svg goes to PICTURES.
 */
#include <loss/io.h>
#include <loss/random.h>
#include <math.h>
#include <string.h>

#include "network.h"
#include "pictures.h"

enum { CLASSES = 10, SIDE = 28, CANVAS = 56, LEAST = 16, MOST = 40, PIXELS = CANVAS * CANVAS };

typedef struct scenes {
    int64_t rows;
    unsigned char *pixels; /* rows × CANVAS × CANVAS */
    int32_t *labels;
    float *boxes; /* rows × (centre x, centre y, width, height), in parts of the canvas */
    loss_data *data;
} scenes;

/* The garment at (x, y) of `size` pixels between those of the picture. */
static double between(const unsigned char *image, double x, double y)
{
    const int left = x < 0          ? 0
                     : x > SIDE - 2 ? SIDE - 2
                                    : (int)x,
              top = y < 0          ? 0
                    : y > SIDE - 2 ? SIDE - 2
                                   : (int)y;
    const double u = x - left, v = y - top;
    const unsigned char *at = image + top * SIDE + left;
    return (1 - v) * ((1 - u) * at[0] + u * at[1]) + v * ((1 - u) * at[SIDE] + u * at[SIDE + 1]);
}

static void paint(unsigned char *canvas, const unsigned char *image, int size, int left, int top,
                  const double *noise)
{
    for (int i = 0; i < PIXELS; i++) {
        canvas[i] = (unsigned char)(80 * noise[i]);
    }
    for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
            const double scale = (double)SIDE / size;
            const double grey = between(image, (x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5);
            unsigned char *at = canvas + (top + y) * CANVAS + left + x;
            *at = grey > *at ? (unsigned char)(grey > 255 ? 255 : grey) : *at;
        }
    }
}

/* The box of what is drawn of a garment: its pixels above a threshold, not its frame. */
static void tight_box(const unsigned char *image, int size, int left, int top, float box[4])
{
    double low_x = SIDE, low_y = SIDE, high_x = 0, high_y = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        if (image[i] > 40) {
            low_x = fmin(low_x, i % SIDE);
            high_x = fmax(high_x, i % SIDE + 1);
            low_y = fmin(low_y, i / SIDE);
            high_y = fmax(high_y, i / SIDE + 1);
        }
    }
    const double scale = (double)size / SIDE;
    box[0] = (float)((left + scale * (low_x + high_x) / 2) / CANVAS);
    box[1] = (float)((top + scale * (low_y + high_y) / 2) / CANVAS);
    box[2] = (float)(scale * (high_x - low_x) / CANVAS);
    box[3] = (float)(scale * (high_y - low_y) / CANVAS);
}

static void make_scenes(loss_context *context, const char *directory, const char *prefix, int64_t rows,
                        uint64_t seed, scenes *s)
{
    static double random[PIXELS + 3];
    char path[512];
    loss_array *images, *labels;
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte.gz", directory, prefix);
    must(context, loss_array_read_idx(&images, context, path, NULL, NULL));
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte.gz", directory, prefix);
    must(context, loss_array_read_idx(&labels, context, path, NULL, NULL));
    const unsigned char *garments = loss_array_values(images), *classes = loss_array_values(labels);
    s->rows = rows;
    s->pixels = malloc((size_t)rows * PIXELS);
    s->labels = malloc((size_t)rows * sizeof *s->labels);
    s->boxes = malloc((size_t)rows * 4 * sizeof *s->boxes);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t which = i % loss_array_row_count(images);
        must(context, loss_random_uniform(seed, (uint64_t)i, 0, PIXELS + 3, random));
        const int size = LEAST + (int)((MOST - LEAST + 1) * random[PIXELS]);
        const int left = (int)((CANVAS - size + 1) * random[PIXELS + 1]),
                  top = (int)((CANVAS - size + 1) * random[PIXELS + 2]);
        paint(s->pixels + i * PIXELS, garments + which * SIDE * SIDE, size, left, top, random);
        tight_box(garments + which * SIDE * SIDE, size, left, top, s->boxes + 4 * i);
        s->labels[i] = classes[which];
    }
    loss_array_free(images);
    loss_array_free(labels);
    must(context, loss_data_create(&s->data, context));
    must(context, loss_data_set_input(s->data, "image", s->pixels, LOSS_UINT8, rows, PIXELS, PIXELS, 1));
    must(context, loss_data_set_input(s->data, "label", s->labels, LOSS_INT32, rows, 1, 1, 1));
    must(context, loss_data_set_input(s->data, "box", s->boxes, LOSS_FLOAT32, rows, 4, 4, 1));
}

static void free_scenes(scenes *s)
{
    loss_data_free(s->data);
    free(s->pixels);
    free(s->labels);
    free(s->boxes);
}

/* ---- the model ---- */

static int32_t relu(network *net, int32_t input)
{
    return network_apply(net, "relu", input, -1);
}

static int32_t layer(network *net, int32_t input, int64_t size, int64_t channels, int64_t stride)
{
    return relu(net, network_batch_norm(net, network_convolution(net, input, size, channels, stride, 0)));
}

/*
 * Which garment it is does not depend on where it is, so what tells them apart is gathered where the network looks; the box is read off the
 * whole map.
 */
static int32_t build(network *net)
{
    static const int64_t image_shape[] = {LOSS_ROWS, CANVAS, CANVAS, 1}, box_shape[] = {LOSS_ROWS, 4};
    int32_t image, label, box, node;
    must(net->context, loss_graph_input(net->graph, "image", LOSS_FLOAT32, 4, image_shape, &image));
    must(net->context, loss_graph_input(net->graph, "label", LOSS_INT32, 1, image_shape, &label));
    must(net->context, loss_graph_input(net->graph, "box", LOSS_FLOAT32, 2, box_shape, &box));
    must(net->context, loss_graph_formula(net->graph, "(image - 60)/70", NULL, NULL, 0, &node));
    node = layer(net, layer(net, node, 3, 16, 2), 3, 32, 1);                     /* 56 → 28 */
    node = layer(net, layer(net, network_pool(net, node), 3, 64, 1), 3, 128, 2); /* → 14 → 7 */
    node = layer(net, node, 3, 128, 1);
    const int32_t scores = network_dense(net, network_attention(net, node), CLASSES);
    const int32_t map = relu(net, network_dense(net, layer(net, node, 1, 32, 1), 128));
    const int32_t place = network_dense(net, map, 4);
    must(net->context, loss_graph_set_output(net->graph, "scores", scores));
    must(net->context, loss_graph_set_output(net->graph, "place", place));
    const int32_t costs[] = {network_cost(net, "cross_entropy", scores, label),
                             network_cost(net, "smooth_l1", place, box)};
    static const char *const names[] = {"class", "place"};
    must(net->context, loss_graph_formula(net->graph, "class + 15*place", names, costs, 2, &node));
    return node;
}

/* ---- judging ---- */

static void corners(const float box[4], double c[4])
{
    c[0] = (double)box[0] - (double)box[2] / 2;
    c[1] = (double)box[1] - (double)box[3] / 2;
    c[2] = (double)box[0] + (double)box[2] / 2;
    c[3] = (double)box[1] + (double)box[3] / 2;
}

/* What two boxes have in common, as a part of what they cover together. */
static double intersection_over_union(const float a[4], const float b[4])
{
    double p[4], q[4];
    corners(a, p);
    corners(b, q);
    const double width = fmin(p[2], q[2]) - fmax(p[0], q[0]), height = fmin(p[3], q[3]) - fmax(p[1], q[1]);
    const double both = width > 0 && height > 0 ? width * height : 0;
    const double all = (p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - both;
    return all > 0 ? both / all : 0;
}

static void judge(loss_context *context, loss_objective *objective, const float *x, const scenes *s,
                  float *places, double *accuracy, double *overlap)
{
    loss_data *outputs;
    float *scores = malloc((size_t)s->rows * CLASSES * sizeof *scores);
    must(context, loss_data_create(&outputs, context));
    must(context,
         loss_data_set_output(outputs, "scores", scores, LOSS_FLOAT32, s->rows, CLASSES, CLASSES, 1));
    must(context, loss_data_set_output(outputs, "place", places, LOSS_FLOAT32, s->rows, 4, 4, 1));
    must(context, loss_objective_predict(objective, x, s->data, outputs));
    *accuracy = *overlap = 0;
    for (int64_t i = 0; i < s->rows; i++) {
        int best = 0;
        for (int k = 1; k < CLASSES; k++) {
            best = scores[i * CLASSES + k] > scores[i * CLASSES + best] ? k : best;
        }
        *accuracy += (best == s->labels[i]) / (double)s->rows;
        *overlap += intersection_over_union(places + 4 * i, s->boxes + 4 * i) / (double)s->rows;
    }
    loss_data_free(outputs);
    free(scores);
}

/* The first pictures side by side, found boxes in red over true ones in green. */
static int draw(const char *directory, const scenes *s, const float *places)
{
    enum { ACROSS = 6, DOWN = 3, TILES = ACROSS * DOWN };
    static unsigned char pixels[TILES * PIXELS];
    static double boxes[2 * TILES * 4];
    static const char *colours[2 * TILES];
    char path[512];
    const int tiles = s->rows < TILES ? (int)s->rows : TILES;
    for (int t = 0; t < tiles; t++) {
        const int left = t % ACROSS * CANVAS, top = t / ACROSS * CANVAS;
        for (int y = 0; y < CANVAS; y++) {
            memcpy(pixels + (top + y) * ACROSS * CANVAS + left, s->pixels + t * PIXELS + y * CANVAS, CANVAS);
        }
        for (int k = 0; k < 2; k++) {
            double *box = boxes + 4 * (2 * t + k);
            corners((k == 0 ? s->boxes : places) + 4 * t, box);
            for (int i = 0; i < 4; i++) {
                box[i] = box[i] * CANVAS + (i % 2 == 0 ? left : top) - 0.5;
            }
            colours[2 * t + k] = k == 0 ? "green" : "red";
        }
    }
    snprintf(path, sizeof path, "%s/boxes.svg", directory);
    return draw_boxes(path, "found (red) and true (green)", pixels, ACROSS * CANVAS, DOWN * CANVAS, boxes,
                      colours, 2 * tiles);
}

/* A number of the command line. */
static int64_t number(const char *word)
{
    char *end;
    const int64_t value = strtoll(word, &end, 10);
    if (end == word || *end != '\0') {
        fprintf(stderr, "'%s' is no number; the arguments are [EPOCHS [ROWS [DIRECTORY [PICTURES]]]]\n",
                word);
        exit(EXIT_FAILURE);
    }
    return value;
}

int main(int count, char **words)
{
    const int64_t epochs = count > 1 ? number(words[1]) : 8, rows = count > 2 ? number(words[2]) : 60000;
    const char *directory = count > 3 ? words[3] : "/usr/share/datasets/fashion-mnist";
    network net = {NULL, NULL, 0};
    scenes train, test;
    loss_objective *objective;
    loss_optimizer *adam;
    double accuracy, overlap;
    must(NULL, loss_context_create(&net.context));
    must(net.context, loss_context_set_int(net.context, "threads", 2));
    make_scenes(net.context, directory, "train", rows, 1, &train);
    make_scenes(net.context, directory, "t10k", rows / 4 + 1, 2, &test);
    must(net.context, loss_graph_create(&net.graph, net.context, LOSS_FLOAT32));
    const int32_t cost = build(&net);
    const int64_t n = loss_graph_dimension(net.graph);
    float *x = malloc((size_t)n * sizeof *x), *places = malloc((size_t)test.rows * 4 * sizeof *places);
    must(net.context, loss_graph_initialize(net.graph, net.context, 3, x));
    must(net.context, loss_objective_create_graph(&objective, net.context, net.graph, cost, train.data));
    printf("%d parameters, %d pictures\n", (int)n, (int)rows);

    must(net.context, loss_optimizer_create(&adam, net.context, "adam", LOSS_FLOAT32, n));
    must(net.context, loss_optimizer_set_int(adam, "batch_size", 64));
    must(net.context, loss_optimizer_set_int(adam, "epochs", epochs));
    must(net.context, loss_optimizer_set_int(adam, "evaluate_every", 0));
    must(net.context, loss_optimizer_set_string(adam, "schedule", "one_cycle"));
    must(net.context, loss_optimizer_set_double(adam, "learning_rate", 0.003));
    must(net.context, loss_optimizer_minimize(adam, objective, x));
    judge(net.context, objective, x, &test, places, &accuracy, &overlap);
    printf("held-out pictures: accuracy %.1f %%, mean intersection over union %.3f\n", 100 * accuracy,
           overlap);
    if (count > 4) {
        printf("%s\n",
               draw(words[4], &test, places) != 0 ? "no picture: gnuplot is not there" : "picture drawn");
    }

    loss_optimizer_free(adam);
    loss_objective_free(objective);
    loss_graph_free(net.graph);
    free(places);
    free(x);
    free_scenes(&train);
    free_scenes(&test);
    loss_context_free(net.context);
    return 0;
}
