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

/* Zeroed memory; the command ends when there is none. */
void *tool_allocate(int64_t count, size_t size);

/* What is left to do before the end: TOOL_FAILED when standard output could not be written. */
int tool_finish_output(int result);

/* Text as a CSV field: quoted where it must be. */
void tool_print_field(FILE *file, const char *text);

/* ---- json.c: numbers as they must be, everything else jansson's */

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

/* ---- dataset.c: a table, and which of its columns are what */

struct dataset {
    loss_table *table;
    loss_classes *classes; /* NULL when the target is a number */
    int64_t rows, feature_count, target_column;
    const char **feature_names; /* owned by the table */
    double *features;           /* rows × feature_count, as in the file */
    double *values;             /* the target as a number, or */
    int64_t *labels;            /* as a class */
};

/*
 * Reads the file and splits off the target column. wants_classes: 1 or 0, or −1 to decide by the column:
 * text, and whole numbers of at most 20 different values, are classes.
 */
int dataset_read(struct dataset *dataset, loss_context *context, const char *path, const char *target,
                 int wants_classes);
void dataset_free(struct dataset *dataset);

/* A table with a header and commas; a file with semicolons is told from one with a single column. */
int dataset_read_table(loss_table **table, loss_context *context, const char *path);

/* A column as finite numbers, to values[row · stride]; NaN and infinities are no features and no targets. */
int dataset_read_column(const loss_table *table, loss_context *context, int64_t column, double *values,
                        int64_t stride);

/* ---- model.c: a linear model with the scaling of its features */

struct model {
    char *loss, *target;
    json_t *loss_options;                /* key: value as text, as they were set */
    char **feature_names, **class_names; /* class_names NULL for a regression */
    int64_t feature_count, class_count, outputs;
    double *mean, *scale; /* feature_count: x becomes (x − mean) / scale, and 0 where scale is 0 */
    double *parameters;   /* outputs × feature_count weights, then outputs intercepts */
};

void model_free(struct model *model);
int model_write(const struct model *model, const char *path);
int model_read(struct model *model, const char *path);

/* Scores of features (rows × feature_count, not scaled), rows × outputs. */
void model_scores(const struct model *model, const double *features, int64_t rows, double *scores);

/* The class with the best score: the largest, or class 1 where a single score is positive. */
int64_t model_class(const struct model *model, const double *scores);

/* ---- problem.c: what is minimised for one seed */

struct training_options {
    const char *data, *target, *loss, *plot;
    double l2, test_fraction;
    int64_t threads;
    int standardize, json;
    struct settings loss_settings, settings;
};

struct problem {
    loss_context *context;
    const struct training_options *options;
    const struct dataset *dataset;
    loss_function *function;
    int64_t train_rows, test_rows;
    int64_t *order;   /* the held-out rows, then those to train on */
    double *features; /* train_rows × feature_count, scaled */
    double *values;   /* train_rows, when the target is no label */
    int64_t *labels;  /* train_rows, when it is */
    loss_data *data;
    loss_objective *objective;
    struct model model; /* everything but the parameters */
};

/* The loss function the options ask for, or the one that suits the target: its settings are applied. */
int problem_create_function(loss_function **function, loss_context *context,
                            const struct training_options *options, const struct dataset *dataset);

/* 1 when the function is for classes, 0 for numbers; −1 when no loss was named. Its name and settings are checked. */
int problem_wants_classes(loss_context *context, const struct training_options *options, int *wants_classes);

int problem_create(struct problem *problem, loss_context *context, const struct training_options *options,
                   const struct dataset *dataset, int64_t seed);
void problem_free(struct problem *problem);

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
    const char *test; /* the option that stopped it; static */
    char *failure;    /* the sentence, when outcome is negative */
    double *parameters;
    struct point *history;
    int64_t history_count, history_capacity;
};

/* Minimises from 0. Only a failure before the start is returned as one; later ones are in run->outcome. */
int run_optimizer(struct run *run, struct problem *problem, const char *name, struct settings *settings,
                  int skip_unknown, int64_t seed);

/* The smallest objective a tight run finds: what gaps are measured from. */
int run_reference(struct problem *problem, double *objective);

/* (F − F*) / |F*|, the difference alone where F* is 0. */
double run_gap(double objective, double reference);

/* "converged", "stopped at a limit", … */
const char *run_outcome_text(loss_status outcome);

void run_free(struct run *run);

/* ---- progress.c: one line that rewrites itself, only on a terminal */

void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));
int progress_is_due(void);
void progress_clear(void);

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

/* Puts a finished picture into the place of a file in one step; the picture is closed by its owner. */
int plot_write(FILE *picture, const char *path);

/* ---- chart.c: lines over an axis as SVG, the same bytes everywhere */

struct chart_line {
    const char *label, *colour, *dashes; /* of SVG; dashes "" for none */
    const double *y;                     /* NaN and infinities break the line */
    double jump;                         /* so does a step of that size between neighbours; infinity: none */
};

struct chart {
    const char *title, *label; /* of the axis below */
    double left, right, bottom, top;
    const double *x;
    int points, line_count;
    const struct chart_line *lines;
};

void chart_print(FILE *file, const struct chart *chart);

/* ---- training.c: the frame of fit and compare */

typedef int training_work(void *user, loss_context *context, const struct dataset *dataset,
                          struct plot *plot);

/*
 * Checks the optimizers' names and settings, reads the data, opens the plot, does the work and gives everything back,
 * also the settings. With share_settings each setting goes to the optimizers that have it.
 */
int training_run(struct training_options *options, const char *const *optimizers, int count,
                 int share_settings, training_work *work, void *user);

/* ---- options.c: the command line that fit and compare share */

extern const struct argp options_training_argp;

/* A whole number in a range, or a message and the end as wrong usage. */
struct argp_state;
int64_t options_parse_int(const struct argp_state *state, const char *option, const char *text,
                          int64_t minimum, int64_t maximum);
double options_parse_double(const struct argp_state *state, const char *option, const char *text,
                            double minimum, double maximum);

#endif
