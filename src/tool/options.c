/* What fit and compare have in common on the command line. */
#include "tool.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    NO_STANDARDIZE = 256,
    LOSS_SET,
    TEST_FRACTION,
    THREADS,
    PENALTY,
    TEST_FILE,
    TEST_TARGET_FILE,
    TARGET_ENCODING
};

/* What is added to the mean loss when nothing is said about it. */
static const char *const default_penalty = "l2=0.001";

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

int32_t options_parse_separator(const struct argp_state *state, const char *argument)
{
    if (strcmp(argument, "tab") == 0 || strcmp(argument, "\\t") == 0 || strcmp(argument, "\t") == 0) {
        return '\t';
    }
    const unsigned char c = (unsigned char)argument[0];
    if (strlen(argument) != 1 || c <= ' ' || c > '~' || strchr("\"+-.", c) || (c >= '0' && c <= '9') ||
        ((c | 32) >= 'a' && (c | 32) <= 'z')) {
        argp_error(state, "--separator %s: expected a character such as ; or |, or tab", argument);
    }
    return c;
}

static void add_ignored(struct source *source, const char *column)
{
    const int count = source->ignored_count++;
    source->ignored = realloc(source->ignored, (size_t)(count + 1) * sizeof *source->ignored);
    if (!source->ignored) {
        exit(tool_fail("no memory for the options"));
    }
    source->ignored[count] = column;
}

int options_parse_source(const struct argp_state *state, int key, const char *argument, struct source *source)
{
    switch (key) {
    case OPTION_FORMAT:
        source->format = source_format_from_name(argument);
        if (!source->format) {
            argp_error(state, "--format %s: expected csv, libsvm, npy or idx", argument);
        }
        return 1;
    case OPTION_TARGET_FILE:
        source->target_file = argument;
        return 1;
    case OPTION_FIRST_INDEX:
        source->first_index = options_parse_int(state, "--first-index", argument, 0, 1);
        source->of_libsvm = "--first-index";
        return 1;
    case OPTION_COLUMNS:
        source->columns = options_parse_int(state, "--columns", argument, 1, INT32_MAX);
        source->of_libsvm = "--columns";
        return 1;
    case OPTION_SEPARATOR:
        source->separator = options_parse_separator(state, argument);
        return 1;
    case OPTION_IGNORE:
        add_ignored(source, argument);
        return 1;
    case OPTION_DTYPE:
        source->dtype = strcmp(argument, "float32") == 0   ? LOSS_FLOAT32
                        : strcmp(argument, "float64") == 0 ? LOSS_FLOAT64
                                                           : 0;
        if (!source->dtype) {
            argp_error(state, "--dtype %s: expected float32 or float64", argument);
        }
        return 1;
    default:
        return 0;
    }
}

static const struct argp_option options[] = {
    {"target", 't', "COLUMN", 0, "The column to learn: numbers or class names", 0},
    {"target-file", OPTION_TARGET_FILE, "FILE", 0,
     "Where the target is, row by row: CSV with a header, .npy, IDX", 0},
    {"format", OPTION_FORMAT, "NAME", 0,
     "Of the data: csv, libsvm, npy, idx (default: by the name's end, else by the first bytes)", 0},
    {"ignore", OPTION_IGNORE, "COLUMN", 0,
     "A column of CSV that is no feature, such as the number of a row; may be repeated", 0},
    {"separator", OPTION_SEPARATOR, "CHARACTER", 0,
     "What stands between the fields of CSV: ; or tab, say (default ,)", 0},
    {"first-index", OPTION_FIRST_INDEX, "0|1", 0, "What LIBSVM data call the first column (default 1)", 0},
    {"columns", OPTION_COLUMNS, "N", 0,
     "How many columns LIBSVM data have, where another file has more (default: the greatest index)", 0},
    {"dtype", OPTION_DTYPE, "NAME", 0, "float64 (default) or float32: of the features and the parameters", 0},
    {"loss", 'l', "NAME", 0,
     "Default: logistic for 2 classes, cross_entropy for more, squared_error for numbers. Text, and whole "
     "numbers of at most 20 different values, are classes unless the loss is one for numbers",
     0},
    {"loss-set", LOSS_SET, "KEY=VALUE", 0, "An option of the loss; may be repeated", 0},
    {"target-encoding", TARGET_ENCODING, "signs|zero_one", 0,
     "Take two classes for the numbers -1 and 1, or 0 and 1, for a --loss of numbers, a formula say", 0},
    {"penalty", PENALTY, "NAME=X", 0,
     "l2=X, l1=X, elastic_net=X,l1_ratio=R, group_lasso=X,group_size=N, box=LOW:HIGH, simplex=TOTAL; may be "
     "repeated (default l2=0.001)",
     0},
    {"l2", '2', "X", 0, "The same as --penalty l2=X: half X times the squared weights; 0 for no penalty", 0},
    {"standardize", 'z', NULL, 0,
     "Scale every feature to mean 0 and deviation 1 over the training rows (default)", 0},
    {"no-standardize", NO_STANDARDIZE, NULL, 0, "Take the features as they are", 0},
    {"test-fraction", TEST_FRACTION, "X", 0, "Share of the rows held out to test on (default 0.25)", 0},
    {"test", TEST_FILE, "FILE", 0, "Test on the rows of this file instead, and train on all of the others",
     0},
    {"test-target-file", TEST_TARGET_FILE, "FILE", 0, "The target file of --test", 0},
    {"threads", THREADS, "N", 0, "Threads to use (default 1); results do not depend on it", 0},
    {"json", 'j', NULL, 0, "Print JSON", 0},
    {0}};

/* Of the commands that run an optimizer. */
static const struct argp_option optimizer_options[] = {
    {"set", 's', "KEY=VALUE", 0, "An option of the optimizer; may be repeated", 0},
    {"plot", 'p', "FILE.svg", 0, "Draw the convergence, or the path (needs gnuplot)", 0},
    {0}};

/* What was not said, and what does not go together. */
static void complete(const struct argp_state *state, struct training_options *training)
{
    if (!training->source.path) {
        argp_error(state, "the data file is missing");
    }
    if (training->penalties.count == 0 && !training->has_no_penalty) {
        penalties_add(&training->penalties, default_penalty);
    }
    if (training->target_encoding && !training->loss) {
        argp_error(state, "--target-encoding is for a --loss of numbers, and none is named");
    }
    if (training->test.target_file && !training->test.path) {
        argp_error(state, "--test-target-file without --test");
    }
    if (training->test.path && training->test_fraction > 0) {
        argp_error(state, "rows are held out by --test or by --test-fraction, not by both");
    }
    if (training->test_fraction < 0) {
        training->test_fraction = training->test.path ? 0 : 0.25;
    }
    /* The format of the other file is found out by itself. */
    training->test.target = training->source.target;
    training->test.first_index = training->source.first_index;
    training->test.dtype = training->source.dtype;
    training->test.separator = training->source.separator;
    if (training->test.path) { /* it may be the other file that it is about */
        training->source.of_libsvm = NULL;
    }
}

static void add_penalty(const struct argp_state *state, struct training_options *training, const char *text)
{
    const char *wrong = penalties_add(&training->penalties, text);
    if (wrong) {
        argp_error(state, "--penalty %s: %s", text, wrong);
    }
}

/* --l2 is an old friend of --penalty; 0 is no penalty. */
static void add_l2(const struct argp_state *state, struct training_options *training, const char *argument)
{
    if (options_parse_double(state, "--l2", argument, 0, 1e300) == 0) {
        training->has_no_penalty = 1;
        return;
    }
    char *text = tool_allocate((int64_t)strlen(argument) + 4, 1);
    sprintf(text, "l2=%s", argument);
    training->l2_text = text;
    add_penalty(state, training, text);
}

/* The options that are kept as they are typed; 0 for others. */
static int parse_text(struct training_options *training, int key, const char *argument)
{
    switch (key) {
    case 't':
        training->source.target = argument;
        return 1;
    case 'l':
        training->loss = argument;
        return 1;
    case TEST_FILE:
        training->test.path = argument;
        return 1;
    case TEST_TARGET_FILE:
        training->test.target_file = argument;
        return 1;
    default:
        return 0;
    }
}

static void add_setting(const struct argp_state *state, struct settings *settings, const char *option,
                        const char *argument)
{
    if (settings_add(settings, argument)) {
        argp_error(state, "--%s %s: expected KEY=VALUE", option, argument);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct training_options *training = state->input;
    if (options_parse_source(state, key, argument, &training->source) ||
        parse_text(training, key, argument)) {
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT:
        training->test_fraction = -1;
        training->threads = 1;
        training->standardize = 1;
        training->source.first_index = 1;
        training->source.dtype = LOSS_FLOAT64;
        training->penalties.path = -1;
        return 0;
    case LOSS_SET:
        add_setting(state, &training->loss_settings, "loss-set", argument);
        return 0;
    case PENALTY:
        add_penalty(state, training, argument);
        return 0;
    case '2':
        add_l2(state, training, argument);
        return 0;
    case 'z':
    case NO_STANDARDIZE:
        training->standardize = key == 'z';
        return 0;
    case TARGET_ENCODING:
        if (strcmp(argument, "signs") != 0 && strcmp(argument, "zero_one") != 0) {
            argp_error(state, "--target-encoding %s: expected signs or zero_one", argument);
        }
        training->target_encoding = argument;
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
    case 'j':
        training->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (training->source.path) {
            argp_error(state, "one data file at a time: \"%s\" is too much", argument);
        }
        training->source.path = argument;
        return 0;
    case ARGP_KEY_END:
        complete(state, training);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_optimizer(int key, char *argument, struct argp_state *state)
{
    struct training_options *training = state->input;
    switch (key) {
    case 's':
        add_setting(state, &training->settings, "set", argument);
        return 0;
    case 'p':
        training->plot = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp options_optimizer_argp = {optimizer_options, parse_optimizer, NULL, NULL, NULL, NULL, NULL};

const struct argp options_training_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};
