/* What fit and compare do around their work: what was typed is checked first, then the files are opened. */
#include "tool.h"

/*
 * Every name and option of an optimizer is tried out on one that is thrown away, so that a typing error is told before a
 * long job and not after it.
 */
static int check_optimizers(loss_context *context, struct training_options *options, const char *const *names,
                            int count, int share_settings)
{
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
    }
    return settings_check_used(&options->settings);
}

static int run(loss_context *context, struct training_options *options, training_work *work, void *user)
{
    struct dataset dataset = {0};
    struct plot *plot = NULL;
    int wants_classes;
    int result = problem_wants_classes(context, options, &wants_classes);
    if (result == TOOL_DONE) {
        result = dataset_read(&dataset, context, options->data, options->target, wants_classes);
    }
    if (result == TOOL_DONE && options->plot) {
        result = plot_open(&plot, options->plot);
    }
    if (result == TOOL_DONE) {
        result = work(user, context, &dataset, plot);
    }
    result = plot_close(plot, result);
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
    loss_context_free(context);
    return result;
}
