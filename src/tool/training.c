/* What fit and compare do around their work: what was typed is checked first, then the files are opened. */
#include "tool.h"

#include <stdlib.h>

/*
 * Every name and option of an optimizer is tried out on one that is thrown away, so that a typing error is told before a
 * long job and not after it.
 */
static int check_optimizers(loss_context *context, struct training_options *options, const char *const *names,
                            int count, int share_settings)
{
    const int wrong = penalties_check(&options->penalties, context);
    if (wrong) {
        return wrong;
    }
    for (int i = 0; i < count; i++) {
        loss_optimizer *optimizer;
        if (loss_optimizer_create(&optimizer, context, names[i], LOSS_FLOAT64, 1)) {
            return tool_fail_usage(context);
        }
        const int result = settings_apply_optimizer(&options->settings, context, optimizer, share_settings);
        loss_optimizer_free(optimizer);
        if (result) {
            return result;
        }
        const int refused = penalties_check_optimizer(&options->penalties, context, names[i]);
        if (refused) {
            return refused;
        }
    }
    return settings_check_used(&options->settings);
}

static int read_test(struct dataset *test, loss_context *context, const struct training_options *options,
                     const struct dataset *dataset)
{
    const struct expectation expected = {.feature_count = dataset->feature_count,
                                         .feature_names = dataset->feature_names,
                                         .classes = dataset->classes,
                                         .wants_target = 1};
    struct source source = options->test;
    if (!source.target) {
        source.target = dataset->target_name;
    }
    return dataset_read(test, context, &source, 0, &expected);
}

static int run(loss_context *context, struct training_options *options, training_work *work, void *user)
{
    struct dataset dataset = {0}, test = {0};
    struct plot *plot = NULL;
    int wants_classes;
    int result = problem_wants_classes(context, options, &wants_classes);
    if (result == TOOL_DONE) {
        result = dataset_read(&dataset, context, &options->source, wants_classes, NULL);
    }
    if (result == TOOL_DONE && options->test.path) {
        result = read_test(&test, context, options, &dataset);
    }
    if (result == TOOL_DONE && options->plot && options->penalties.path < 0) {
        result = plot_open(&plot, options->plot);
    }
    if (result == TOOL_DONE) {
        result = work(user, context, &dataset, options->test.path ? &test : NULL, plot);
    }
    result = plot_close(plot, result);
    dataset_free(&test);
    dataset_free(&dataset);
    return result;
}

int training_run(struct training_options *options, const char *const *optimizers, int count,
                 int share_settings, training_work *work, void *user)
{
    loss_context *context;
    if (loss_context_create(&context) || loss_context_set_int(context, "threads", options->threads)) {
        return tool_fail("no memory");
    }
    int result = check_optimizers(context, options, optimizers, count, share_settings);
    if (result == TOOL_DONE) {
        result = run(context, options, work, user);
    }
    settings_free(&options->settings);
    settings_free(&options->loss_settings);
    free(options->l2_text);
    free(options->source.ignored);
    loss_context_free(context);
    return result;
}
