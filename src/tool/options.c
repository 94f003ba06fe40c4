/* What fit and compare have in common on the command line. */
#include "tool.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NO_STANDARDIZE = 256, LOSS_SET, TEST_FRACTION, THREADS };

int64_t options_parse_int(const struct argp_state *state, const char *option, const char *text,
                          int64_t minimum, int64_t maximum)
{
    char *end;
    const long long value = strtoll(text, &end, 10);
    /* strtoll stops at its own limits, which lie outside every range asked for. */
    if (!*text || *end || value < minimum || value > maximum) {
        argp_error(state, "%s %s: expected a whole number from %lld to %lld", option, text,
                   (long long)minimum, (long long)maximum);
    }
    return value;
}

double options_parse_double(const struct argp_state *state, const char *option, const char *text,
                            double minimum, double maximum)
{
    double value = NAN;
    /* Written so that NaN is refused too. */
    if (loss_parse_double(text, (int64_t)strlen(text), &value) != LOSS_OK ||
        !(value >= minimum && value <= maximum)) {
        argp_error(state, "%s %s: expected a number from %g to %g", option, text, minimum, maximum);
    }
    return value;
}

static const struct argp_option options[] = {
    {"target", 't', "COLUMN", 0, "The column to learn: numbers or class names", 0},
    {"loss", 'l', "NAME", 0,
     "Default: logistic for 2 classes, cross_entropy for more, squared_error for numbers. Text, and whole "
     "numbers of at most 20 different values, are classes unless the loss is one for numbers",
     0},
    {"loss-set", LOSS_SET, "KEY=VALUE", 0, "An option of the loss; may be repeated", 0},
    {"l2", '2', "X", 0, "Strength of the penalty, half X times the squared weights (default 0.001)", 0},
    {"set", 's', "KEY=VALUE", 0, "An option of the optimizer; may be repeated", 0},
    {"standardize", 'z', NULL, 0,
     "Scale every feature to mean 0 and deviation 1 over the training rows (default)", 0},
    {"no-standardize", NO_STANDARDIZE, NULL, 0, "Take the features as they are", 0},
    {"test-fraction", TEST_FRACTION, "X", 0, "Share of the rows held out to test on (default 0.25)", 0},
    {"threads", THREADS, "N", 0, "Threads to use (default 1); results do not depend on it", 0},
    {"plot", 'p', "FILE.svg", 0, "Draw the convergence (needs gnuplot)", 0},
    {"json", 'j', NULL, 0, "Print JSON", 0},
    {0}};

static void check_complete(const struct argp_state *state, const struct training_options *training)
{
    if (!training->data || !training->target) {
        argp_error(state, "%s is missing", !training->data ? "the CSV file" : "--target");
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct training_options *training = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        training->l2 = 0.001;
        training->test_fraction = 0.25;
        training->threads = 1;
        training->standardize = 1;
        return 0;
    case 't':
        training->target = argument;
        return 0;
    case 'l':
        training->loss = argument;
        return 0;
    case LOSS_SET:
    case 's':
        if (settings_add(key == 's' ? &training->settings : &training->loss_settings, argument)) {
            argp_error(state, "--%s %s: expected KEY=VALUE", key == 's' ? "set" : "loss-set", argument);
        }
        return 0;
    case '2':
        training->l2 = options_parse_double(state, "--l2", argument, 0, 1e300);
        return 0;
    case 'z':
    case NO_STANDARDIZE:
        training->standardize = key == 'z';
        return 0;
    case TEST_FRACTION:
        training->test_fraction = options_parse_double(state, "--test-fraction", argument, 0, 1);
        if (training->test_fraction == 1) {
            argp_error(state, "--test-fraction %s: leaves no row to train on", argument);
        }
        return 0;
    case THREADS:
        training->threads = options_parse_int(state, "--threads", argument, 1, 1024);
        return 0;
    case 'p':
        training->plot = argument;
        return 0;
    case 'j':
        training->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (training->data) {
            argp_error(state, "one CSV file at a time: \"%s\" is too much", argument);
        }
        training->data = argument;
        return 0;
    case ARGP_KEY_END:
        check_complete(state, training);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp options_training_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};
