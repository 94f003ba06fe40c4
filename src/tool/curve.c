/* loss plot: a pointwise loss with its first and second derivative, drawn over the prediction. */
#include "tool.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 161, VALUE = 0, GRADIENT, CURVATURE, CURVES };

struct curve_options {
    const char *name, *output;
    struct settings settings;
    double target, from, to; /* NaN: what suits the loss */
};

struct curve {
    loss_function *function;
    double prediction[POINTS], y[CURVES][POINTS];
    double derivatives; /* how many are continuous */
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE.svg", 0, "Where the picture goes", 0},
    {"set", 's', "KEY=VALUE", 0, "An option of the loss; may be repeated (loss list losses --json)", 0},
    {"target", 't', "NUMBER", 0, "The target; by default 0, the positive class, or 1 where 0 is an end", 0},
    {"from", 'f', "NUMBER", 0, "The first prediction; by default -4, or where the loss begins", 0},
    {"to", 'T', "NUMBER", 0, "The last one; by default 4, or where the loss ends", 0},
    {0}};

static double parse_number(const struct argp_state *state, const char *option, const char *text)
{
    return options_parse_double(state, option, text, -1e300, 1e300);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct curve_options *curve = state->input;
    switch (key) {
    case 'o':
        curve->output = argument;
        return 0;
    case 's':
        if (settings_add(&curve->settings, argument)) {
            argp_error(state, "--set %s: expected KEY=VALUE", argument);
        }
        return 0;
    case 't':
        curve->target = parse_number(state, "target", argument);
        return 0;
    case 'f':
        curve->from = parse_number(state, "from", argument);
        return 0;
    case 'T':
        curve->to = parse_number(state, "to", argument);
        return 0;
    case ARGP_KEY_ARG:
        if (curve->name) {
            argp_error(state, "one loss at a time: \"%s\" is too much", argument);
        }
        curve->name = argument;
        return 0;
    case ARGP_KEY_END:
        if (!curve->name || !curve->output) {
            argp_error(state, "the %s is missing", !curve->name ? "name of a loss" : "--output");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {options,
                                 parse,
                                 "NAME --output FILE.svg",
                                 "Draw a pointwise loss, its gradient and its curvature over the prediction.",
                                 NULL,
                                 NULL,
                                 NULL};

/* ---- what is drawn */

static double number_of(const loss_function *function, const char *name)
{
    double value = NAN;
    loss_function_number(function, name, &value);
    return value;
}

/* Fills in what the command line left open, and refuses an empty range. */
static int choose_range(struct curve_options *curve, const loss_function *function)
{
    const double low = number_of(function, "target_minimum"), high = number_of(function, "target_maximum"),
                 first = number_of(function, "prediction_minimum"),
                 last = number_of(function, "prediction_maximum");
    if (isnan(curve->target)) {
        curve->target = isfinite(low) && isfinite(high) ? high : isinf(low) && isinf(high) ? 0 : 1;
    }
    if (isnan(curve->from)) {
        curve->from = isfinite(first) ? first : isfinite(last) ? last - 4 : -4;
    }
    if (isnan(curve->to)) {
        curve->to = isfinite(last) ? last : isfinite(first) ? first + 4 : 4;
    }
    return curve->from < curve->to
               ? TOOL_DONE
               : tool_fail("there is nothing to draw from %g to %g", curve->from, curve->to);
}

static int evaluate(struct curve *curve, loss_context *context, const struct curve_options *given)
{
    static const char *const roles[CURVES] = {"value", "gradient", "curvature"};
    loss_data *inputs = NULL, *outputs = NULL;
    for (int i = 0; i < POINTS; i++) {
        curve->prediction[i] = given->from + (given->to - given->from) * (double)i / (POINTS - 1);
    }
    loss_status status = loss_data_create(&inputs, context);
    if (!status) {
        status = loss_data_create(&outputs, context);
    }
    if (!status) {
        status = loss_data_set_input(inputs, "prediction", curve->prediction, LOSS_FLOAT64, POINTS, 1, 1, 1);
    }
    if (!status && tool_reads_target(curve->function)) {
        status = loss_data_set_input(inputs, "target", &given->target, LOSS_FLOAT64, POINTS, 1, 0, 1);
    }
    for (int k = 0; k < CURVES && !status; k++) {
        status = loss_data_set_output(outputs, roles[k], curve->y[k], LOSS_FLOAT64, POINTS, 1, 1, 1);
    }
    if (!status) {
        status = loss_function_evaluate(context, curve->function, inputs, outputs, NULL, NULL);
    }
    loss_data_free(inputs);
    loss_data_free(outputs);
    return status ? tool_fail_context(context) : TOOL_DONE;
}

/* ---- how it is drawn */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Twice the upper quartile of the values: what rises steeply is cut off there, the rest stays to be seen. */
static double height_limit(const struct curve *curve)
{
    double sizes[POINTS];
    int count = 0;
    for (int i = 0; i < POINTS; i++) {
        if (isfinite(curve->y[VALUE][i])) {
            sizes[count++] = fabs(curve->y[VALUE][i]);
        }
    }
    qsort(sizes, (size_t)count, sizeof *sizes, by_size);
    return count > 0 && sizes[count * 3 / 4] > 0 ? 2 * sizes[count * 3 / 4] : INFINITY;
}

/* The smallest and largest finite numbers of a curve. */
static void find_extent(const double *y, double *lowest, double *highest)
{
    *lowest = INFINITY;
    *highest = -INFINITY;
    for (int i = 0; i < POINTS; i++) {
        if (isfinite(y[i])) {
            *lowest = fmin(*lowest, y[i]);
            *highest = fmax(*highest, y[i]);
        }
    }
}

static void choose_height(const struct curve *curve, struct chart *chart)
{
    const double limit = height_limit(curve);
    double low = 0, high = 0, lowest, highest;
    for (int k = 0; k < CURVES; k++) {
        find_extent(curve->y[k], &lowest, &highest);
        low = fmin(low, lowest);
        high = fmax(high, highest);
    }
    low = fmax(low, -limit);
    high = fmin(high, limit);
    const double margin = high > low ? (high - low) * 0.05 : 1;
    chart->bottom = low - margin;
    chart->top = high + margin;
}

static void print_title(const struct curve_options *given, const loss_function *function, char *title,
                        int size)
{
    const char *name = loss_function_name(function);
    int length = tool_reads_target(function)
                     ? snprintf(title, (size_t)size, "%s, target %g", name, given->target)
                     : snprintf(title, (size_t)size, "%s", name);
    for (int i = 0; i < given->settings.count && length < size; i++) {
        length += snprintf(title + length, (size_t)(size - length), ", %s", given->settings.texts[i]);
    }
}

static void draw(FILE *picture, const struct curve *curve, const struct curve_options *given)
{
    /* Okabe & Ito (2008): colours that are told apart also by the colour-blind. */
    struct chart_line lines[CURVES] = {{"loss", "#0072b2", "", curve->y[VALUE], INFINITY},
                                       {"gradient", "#d55e00", "", curve->y[GRADIENT], INFINITY},
                                       {"curvature", "#009e73", "6 4", curve->y[CURVATURE], INFINITY}};
    char title[256];
    struct chart chart = {.title = title,
                          .label = "prediction",
                          .left = given->from,
                          .right = given->to,
                          .x = curve->prediction,
                          .points = POINTS,
                          .line_count = CURVES,
                          .lines = lines};
    print_title(given, curve->function, title, sizeof title);
    choose_height(curve, &chart);
    for (int k = 0; k < CURVES; k++) {
        double lowest, highest;
        find_extent(curve->y[k], &lowest, &highest);
        if (curve->derivatives < k && highest > lowest) { /* it may jump: a sixth of its height in one step */
            lines[k].jump = (highest - lowest) / 6;
        }
    }
    chart_print(picture, &chart);
}

/* ---- the command */

static int prepare(struct curve *curve, loss_context *context, struct curve_options *given)
{
    int32_t is_pointwise = 0;
    if (loss_function_create(&curve->function, context, given->name)) {
        return tool_fail_usage(context);
    }
    loss_function_property(curve->function, "pointwise", &is_pointwise);
    if (!is_pointwise) {
        tool_fail("the loss \"%s\" is not pointwise: it has no curve", loss_function_name(curve->function));
        return TOOL_USAGE;
    }
    int result = settings_apply_function(&given->settings, context, curve->function);
    if (result == TOOL_DONE) {
        curve->derivatives = number_of(curve->function, "continuous_derivatives");
        result = choose_range(given, curve->function);
    }
    return result == TOOL_DONE ? evaluate(curve, context, given) : result;
}

int command_plot(int argc, char **argv)
{
    struct curve_options given = {.target = NAN, .from = NAN, .to = NAN};
    struct curve curve = {0};
    loss_context *context;
    argp_parse(&argp, argc, argv, 0, NULL, &given);
    if (loss_context_create(&context)) {
        return tool_fail("no memory");
    }
    int result = prepare(&curve, context, &given);
    FILE *picture = result == TOOL_DONE ? tmpfile() : NULL;
    if (picture) {
        draw(picture, &curve, &given);
        result = output_write(picture, given.output);
        fclose(picture);
    } else if (result == TOOL_DONE) {
        result = tool_fail("no temporary file for the picture: %s", strerror(errno));
    }
    loss_function_free(curve.function);
    settings_free(&given.settings);
    loss_context_free(context);
    return result;
}
