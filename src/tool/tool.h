/* The `loss` command: what its files share. It is an ordinary user of the installed headers. */
#ifndef TOOL_H
#define TOOL_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "loss/io.h"
#include "loss/loss.h"

/* Exit codes, and what the functions below return. */
#define TOOL_DONE   0
#define TOOL_FAILED 1 /* the reason is on stderr, in one line */
#define TOOL_USAGE  2

/* ---- main.c: the commands, each in a file of its own */

int command_list(int argc, char **argv);
int command_evaluate(int argc, char **argv);
int command_fit(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_check(int argc, char **argv);
int command_predict(int argc, char **argv);
int command_plot(int argc, char **argv);

/* ---- report.c: failures, memory, output */

/* Prints "loss: …" as one line on stderr and returns TOOL_FAILED. */
int tool_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with the sentence of the context. */
int tool_fail_context(const loss_context *context);

/* The same about what was typed on the command line: returns TOOL_USAGE, unless it was memory that failed. */
int tool_fail_usage(const loss_context *context);

/* What a word ends in for so many: "" for one, else "s". */
const char *tool_plural(int64_t count);

/* Whether the loss has the role "target". */
int tool_reads_target(const loss_function *function);

/* How many roles it has that no file of this command is for, "time, event" in text. */
int tool_other_roles(const loss_function *function, char *text, size_t size);

/* Zeroed memory; the command ends when there is none. */
void *tool_allocate(int64_t count, size_t size);

/* What is left to do before the end: TOOL_FAILED when standard output could not be written. */
int tool_finish_output(int result);

/* Text as a CSV field: quoted where it must be. */
void tool_print_field(FILE *file, const char *text);

/* ---- text.c: text that may be anything */

int text_is_utf8(const char *text);

/* A copy with U+FFFD for every byte that is not part of a character, or with \x and its digits. */
char *text_to_utf8(const char *text);
char *text_escape(const char *text);

/* "data.csv: line 2, column 2: the class "\xe9" is not UTF-8 …" as a failure. */
int text_fail(const char *where, const char *what, const char *text);

/* ---- json.c: numbers as they must be, everything else jansson's */

/* Text from outside, such as the name of a file; see text_to_utf8(). */
json_t *json_from_text(const char *text);

/* A number; NaN and the infinities as strings, which JSON has no numbers for. */
json_t *json_from_double(double value);

/* A float in as few digits as read back to the same float. */
json_t *json_from_float(float value);

/* A number written by one of these; 0 when the value is neither a number nor such a string. */
int json_to_double(const json_t *json, double *value);

/* Prints with indents and exact numbers, and a line end. */
void json_print(FILE *file, const json_t *json);

/* ---- settings.c: key=value, on the command line */

struct settings {
    int count;
    const char **texts; /* "key=value", the command line's own memory */
    unsigned char *used;
};

/* Keeps a setting; TOOL_USAGE when it is not key=value. */
int settings_add(struct settings *settings, const char *text);
void settings_free(struct settings *settings);

/* Sets the options of a loss function. */
int settings_apply_function(const struct settings *settings, loss_context *context, loss_function *function);

/*
 * Sets the options of an optimizer. Several optimizers may share the settings: with skip_unknown an option
 * that this one does not have is left for the others, and settings_check_used() complains about one that none
 * had.
 */
int settings_apply_optimizer(struct settings *settings, loss_context *context, loss_optimizer *optimizer,
                             int skip_unknown);
int settings_check_used(const struct settings *settings);

/* ---- source.c: a file, and how it is to be read */

struct source {
    const char *path;
    const char *target_file;   /* NULL: the target is in the file itself */
    const char *target;        /* the column of it in CSV; may be NULL elsewhere */
    const char *likely_target; /* of a target file of several columns, where none was typed; or NULL */
    const char **ignored;      /* columns of CSV that are no features, beside the target */
    int ignored_count;
    int32_t format, target_format; /* LOSS_FORMAT_…; 0: found out */
    int64_t first_index, columns;  /* of LIBSVM; columns 0: as many as the greatest index needs */
    int32_t separator;             /* of CSV; 0: a comma */
    const char *of_libsvm;         /* an option typed that is about LIBSVM data alone, else NULL */
    loss_dtype dtype;              /* of the features */
};

/* LOSS_FORMAT_… of a name typed, 0 when it is none. */
int32_t source_format_from_name(const char *name);

/* Settles the formats of the files by their names and first bytes. */
int source_find_format(loss_context *context, const char *path, int32_t *format);

/* ---- dataset.c: features and target in memory, whatever the file */

struct dataset {
    const char *path;
    loss_dtype dtype;
    loss_sparse *sparse; /* of LIBSVM data, finite, with column indices of int32; else NULL, and */
    void *features;      /* rows × feature_count elements, finite, of the array or memory */
    int64_t rows, feature_count, row_stride, column_stride;
    loss_array *array;
    void *memory;
    char **feature_names; /* in name_text; of data to train on, others have those of the model */
    char *name_text, *target_name;
    loss_classes
        *classes; /* NULL when the target is a number; borrowed from another data set when that is so */
    int borrows_classes;
    int is_for_training;
    double *values;     /* the target as a number, or */
    int borrows_values; /* they are the labels of sparse, which moves them with its rows */
    int32_t *labels;    /* as a class */
};

/* What a file must have to go with a model: the features by name in CSV, by their number elsewhere; and the classes. */
struct expectation {
    int64_t feature_count;
    char *const *feature_names;
    loss_classes *classes;
    int wants_target; /* 1: it must be there; 0: it is looked for in CSV and LIBSVM, and in a target file; −1: it is not */
};

/*
 * Reads the files of a source. wants_classes: 1 or 0, or −1 to decide by the target: text, and whole numbers of at most 20
 * different values, are classes. expected is NULL for data to train on.
 */
int dataset_read(struct dataset *dataset, loss_context *context, const struct source *source,
                 int wants_classes, const struct expectation *expected);
void dataset_free(struct dataset *dataset);

/* A copy that can be changed, of everything but the names; of dense features. */
void dataset_copy(struct dataset *copy, const struct dataset *dataset);

/* Puts row order[i] into place i, for all i. */
int dataset_reorder(struct dataset *dataset, const int64_t *order);

/* "line 17 of data.csv", or "row 17 of data.npy"; the row as it is in the file, from 0. */
void dataset_describe_row(const struct dataset *dataset, int64_t row, char *text, size_t size);

/* "data.svm: line 17", or "row 17" where the file of the target has no lines. */
void dataset_describe_place(const struct dataset *dataset, const char *path, int64_t row, char *text,
                            size_t size);

double dataset_feature(const struct dataset *dataset, int64_t row, int64_t feature);
void dataset_set_feature(struct dataset *dataset, int64_t row, int64_t feature, double value);

char *tool_copy_text(const char *text);

/* ---- sparse.c: features of LIBSVM data, which stay as they are */

/* Reads the path of a data set; columns 0: as many as there are. */
int sparse_read(struct dataset *dataset, loss_context *context, int64_t first_index, int64_t columns);

/* "nan is no finite number": what is wrong with a number of the file, of which only the value is left. */
void sparse_describe_nonfinite(const struct dataset *dataset, double value, char *text, size_t size);

/* Makes some of the rows the "features" of data, without a copy. */
loss_status sparse_lend(const struct dataset *dataset, loss_data *data, int64_t first, int64_t rows);

/* ---- target.c: the target of a data set */

/* A number of an array of any type. */
double array_number(const void *values, loss_dtype dtype, int64_t at);

/* Of a column of a table; the data set has its rows already. */
int target_from_table(struct dataset *dataset, loss_context *context, const loss_table *table, int64_t column,
                      int wants_classes);

/* Of numbers, which are the data set's from now on, unless it borrows them. */
int target_from_numbers(struct dataset *dataset, loss_context *context, double *numbers, const char *path,
                        int wants_classes);

/* Of the target file of a source. */
int target_from_file(struct dataset *dataset, loss_context *context, const struct source *source,
                     int wants_classes);

/* ---- model.c: a linear model with the scaling of its features */

struct model {
    char *loss, *target;
    const char *target_encoding; /* static; NULL: as the loss has it. Written only, scores need none */
    json_t *loss_options;        /* key: value as text, as they were set */
    char **feature_names, **class_names; /* class_names NULL for a regression */
    int borrows_names;                   /* of the features: they are the data set's */
    int64_t feature_count, class_count, outputs;
    double *mean, *scale; /* feature_count: x becomes (x − mean) / scale, and 0 where scale is 0 */
    double *parameters;   /* outputs × feature_count weights, then outputs intercepts */
};

void model_free(struct model *model);
int model_write(const struct model *model, const char *path);
int model_read(struct model *model, const char *path);

/* The loss the model was trained for, with its options. */
int model_create_function(loss_function **function, loss_context *context, const struct model *model);

/* Scales the features of a data set in place; sparse ones stay as they are, see scorer_begin(). */
void model_scale(const struct model *model, struct dataset *dataset);

/* Scores of a row of scaled features. */
void model_scores(const struct model *model, const struct dataset *scaled, int64_t row, double *scores);

/*
 * Scores of the rows of a data set, which are scaled when they are dense and not when they are sparse. Model, its parameters and
 * data are borrowed.
 */
struct scorer {
    const struct model *model;
    const struct dataset *dataset;
    double *weights, *intercepts; /* of sparse features as they are; else NULL */
};

void scorer_begin(struct scorer *scorer, const struct model *model, const struct dataset *dataset);
void scorer_row(const struct scorer *scorer, int64_t row, double *scores);
void scorer_end(struct scorer *scorer);

/* The class with the best score: the largest, or class 1 where a single score is positive. */
int64_t model_class(const struct model *model, const double *scores);

/* The number that a score stands for, by the inverse of the loss's link: a score of Poisson's is the logarithm of a mean. NaN when there is no
 * memory. */
double model_number(loss_context *context, const loss_function *function, double score);

/* ---- penalties.c: what is added to the mean loss */

enum { MOST_PENALTIES = 16, MOST_STRENGTHS = 1000 };

struct penalties {
    const char *texts[MOST_PENALTIES]; /* "l1=0.01", as typed */
    int count;
    int path; /* which of them has several strengths, −1 for none */
    double strongest, weakest;
    int strength_count;
};

/* What an optimizer must be able to handle. */
enum { PENALTIES_SMOOTH, PENALTIES_L1, PENALTIES_BOUNDS, PENALTIES_OTHER };

/* Keeps what was typed; a sentence about what is wrong with it, or NULL. */
const char *penalties_add(struct penalties *penalties, const char *text);

/* Tries all of them out, and whether the optimizer can handle them; what is wrong was typed. */
int penalties_check(const struct penalties *penalties, loss_context *context);
int penalties_check_optimizer(const struct penalties *penalties, loss_context *context, const char *name);

int penalties_kind(const struct penalties *penalties);

/* A penalty; with a path, strength is in the place of it. */
loss_status penalties_create(loss_penalty **penalty, const struct penalties *penalties, loss_context *context,
                             int index, double strength);

/* " + 0.001/2 |w|^2", or as typed. */
void penalties_describe(const struct penalties *penalties, char *text, size_t size);

/* The strength of l2 when that is all there is, else 0. */
double penalties_l2(const struct penalties *penalties);
json_t *penalties_to_json(const struct penalties *penalties);

/* The strength at a place of the path, 0 … strength_count − 1, from the strongest on. */
double penalties_strength(const struct penalties *penalties, int index);

/* ---- problem.c: what is minimised for one seed */

struct training_options {
    struct source source, test; /* test.path NULL: rows are held out */
    const char *loss, *plot;
    const char
        *target_encoding; /* "signs" or "zero_one": two classes as numbers, for a loss of numbers; or NULL */
    struct penalties penalties;
    int has_no_penalty;   /* said so */
    char *l2_text;        /* of a penalty that --l2 made; released with the settings */
    double test_fraction; /* −1: nothing was said */
    int64_t threads;
    int standardize, json;
    struct settings loss_settings, settings;
};

struct problem {
    loss_context *context;
    const struct training_options *options;
    struct dataset *dataset; /* the held-out rows, then those to train on; scaled when dense */
    struct dataset *test;    /* the rows of a file held out, scaled when dense; else NULL */
    struct dataset copies[2];
    loss_function *function;
    int64_t train_rows, test_rows; /* of the data set; with a test file test_rows are that file's */
    int64_t first_row;             /* of those to train on */
    int64_t seed;                  /* of the split */
    int restores; /* the data set is sparse and put back in the order of the file at the end */
    void *
        values; /* train_rows of the element type, when the target is neither a label nor the data set's numbers as they are */
    loss_data *data;
    loss_objective *objective;
    struct model model; /* everything but the parameters */
};

/* The loss function the options ask for, or the one that suits the target: its settings are applied. */
int problem_create_function(loss_function **function, loss_context *context,
                            const struct training_options *options, const struct dataset *dataset);

/* 1 when the function is for classes or made so by an encoding, 0 for numbers; −1 when no loss was named. Its name and settings are
 * checked. */
int problem_wants_classes(loss_context *context, const struct training_options *options, int *wants_classes);

/*
 * Splits and scales the data sets in place, unless keep is 1: then it does so with copies, and sparse rows, which are only put in
 * another order, are put back by problem_free(). test is NULL when rows of the other
 * are held out.
 */
int problem_create(struct problem *problem, loss_context *context, const struct training_options *options,
                   struct dataset *dataset, struct dataset *test, int64_t seed, int keep);
void problem_free(struct problem *problem);

/* Where in its file a row is that is trained on, counted from 0. */
int64_t problem_row(const struct problem *problem, int64_t row);

/* The objective anew, with another strength of the penalty that has a path. */
int problem_set_strength(struct problem *problem, double strength);

/* The objective, or with cost_only the mean loss alone, and its gradient (may be NULL), whatever the element type. */
loss_status problem_evaluate(const struct problem *problem, const double *parameters, double *value,
                             double *gradient);
loss_status problem_hessian_product(const struct problem *problem, const double *parameters,
                                    const double *direction, double *product);
loss_status problem_cost(const struct problem *problem, const double *parameters, double *cost);

/* How good the parameters are on the rows trained on (held_out 0) or held out (1): accuracy of classes, root
 * mean square error of numbers; NaN when there are no such rows. */
double problem_score(const struct problem *problem, const double *parameters, int held_out);

/* ---- run.c: one optimizer at work */

struct point {
    double passes, objective;
};

struct run {
    const char *optimizer, *family; /* static strings */
    int64_t seed, iterations, evaluations;
    double passes; /* over the training rows: what the evaluations cost */
    double objective, gradient_norm, seconds, train_score, test_score;
    loss_status outcome;
    int at_kink;      /* it ended where no step leads on because the loss has a kink: that is no failure */
    int is_stuck;     /* it ended for rounding far above the minimum: that is a failure */
    const char *test; /* the option that stopped it; static */
    char *failure;    /* the sentence, when it failed */
    double *parameters;
    struct point *history;
    int64_t history_count, history_capacity;
};

/*
 * Minimises from start, NULL for 0. Only a failure before the start is returned as one; later ones are in run->outcome.
 */
int run_optimizer(struct run *run, struct problem *problem, const char *name, struct settings *settings,
                  int skip_unknown, int64_t seed, const double *start);

/* The optimizer that is taken when none is named, for these penalties. */
const char *run_default_optimizer(const struct penalties *penalties);

/* The one for this problem, where that is the usual one and no option of it was set: another, where it is faster. */
const char *run_suitable_optimizer(const struct problem *problem, const char *usual);

/* The smallest objective a tight run finds: what gaps are measured from. */
int run_reference(struct problem *problem, double *objective);

/* (F − F*) / |F*|, the difference alone where F* is 0. */
double run_gap(double objective, double reference);

/* "converged", "stopped at a limit", … */
int run_has_failed(const struct run *run);
const char *run_outcome_text(const struct run *run);

void run_free(struct run *run);

/* ---- progress.c: one line that rewrites itself, only on a terminal */

void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));
int progress_is_due(void);
void progress_clear(void);

/* A progress callback of the readers; user is the path of the file. */
int32_t progress_reading(void *path, int64_t done, int64_t total);

/* ---- output.c: files that are replaced only when the job is done */

/* Whether a file can be written, as far as is known before the work. */
int output_check(const char *path);

/*
 * Puts a finished file into the place of another in one step, that which a link leads to; a pipe or a device is written to. The content
 * is closed by its owner.
 */
int output_write(FILE *content, const char *path);

/* ---- plot.c: convergence curves by gnuplot */

struct plot;

/* Starts gnuplot and asks whether the file can be written, so that a failure comes before the work. */
int plot_open(struct plot **plot, const char *path);

/* One curve per run; reference is F*. */
void plot_runs(struct plot *plot, const char *title, const struct run *runs, int count, double reference);

/*
 * Waits for gnuplot. Only now, and only when the job's result is TOOL_DONE, is the file replaced: a job that fails
 * leaves the one that was there. Returns the result, or that of drawing when it was TOOL_DONE. NULL is allowed.
 */
int plot_close(struct plot *plot, int result);

/* ---- chart.c: lines over an axis as SVG, the same bytes everywhere */

struct chart_line {
    const char *label, *colour, *dashes; /* of SVG; dashes "" for none; label NULL: not in the legend */
    const double *y;                     /* NaN and infinities break the line */
    double jump;                         /* so does a step of that size between neighbours; infinity: none */
};

struct chart {
    const char *title, *label; /* of the axis below */
    double left, right, bottom, top;
    const double *marker; /* a vertical line there; NULL for none */
    const double *x;
    int points, line_count;
    const struct chart_line *lines;
};

void chart_print(FILE *file, const struct chart *chart);

/* ---- path.c: a model for every strength of a penalty */

/* Trains, prints the table, writes the model of the best and draws when that is wanted. */
int path_run(struct training_options *training, loss_context *context, struct problem *problem,
             const char *optimizer, int64_t seed, const char *model_path);

/* ---- training.c: the frame of fit and compare */

/* test is NULL when there is no file of its own to test on; the data sets may be changed. */
typedef int training_work(void *user, loss_context *context, struct dataset *dataset, struct dataset *test,
                          struct plot *plot);

/*
 * Checks the optimizers' names and settings, reads the data, opens the plot, does the work and gives everything back,
 * also the settings. With share_settings each setting goes to the optimizers that have it.
 */
int training_run(struct training_options *options, const char *const *optimizers, int count,
                 int share_settings, training_work *work, void *user);

struct argp_state;

/* The formats and the target of a file, as fit, compare and predict have them on the command line; 0: not one of these keys. */
enum {
    OPTION_FORMAT = 1024,
    OPTION_TARGET_FILE,
    OPTION_FIRST_INDEX,
    OPTION_COLUMNS,
    OPTION_DTYPE,
    OPTION_SEPARATOR,
    OPTION_IGNORE
};
/* A character that can stand between fields, as its code. */
int32_t options_parse_separator(const struct argp_state *state, const char *argument);

int options_parse_source(const struct argp_state *state, int key, const char *argument,
                         struct source *source);

/* ---- options.c: the command line that fit and compare share */

extern const struct argp options_training_argp;
extern const struct argp options_optimizer_argp; /* of those of them that run an optimizer */

/* A whole number in a range, or a message and the end as wrong usage. */
int64_t options_parse_int(const struct argp_state *state, const char *option, const char *text,
                          int64_t minimum, int64_t maximum);
double options_parse_double(const struct argp_state *state, const char *option, const char *text,
                            double minimum, double maximum);

#endif
