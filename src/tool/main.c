/* The `loss` command: losses evaluated and linear models trained from the command line. */
#include "tool.h"

#include <argp.h>
#include <signal.h>
#include <string.h>

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"list", "list the losses or the optimizers; --json adds their options", command_list},
    {"evaluate", "evaluate a loss on predictions and targets", command_evaluate},
    {"fit", "train a linear model on a file of data", command_fit},
    {"compare", "train with every family of optimizers and compare them", command_compare},
    {"check", "check the derivatives of what fit minimises", command_check},
    {"predict", "use a trained model on another file", command_predict},
    {"plot", "draw a loss and its derivatives", command_plot},
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_help(FILE *file)
{
    fputs("Usage: loss COMMAND [ARGUMENT...]\n"
          "Loss functions, their derivatives, and the optimizers that use them.\n\n",
          file);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        fprintf(file, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\n  loss COMMAND --help   what a command takes\n"
          "  loss --version        the version\n\n"
          "Exit status: 0 done, 1 the job failed (one line on stderr says why), 2 wrong usage.\n",
          file);
}

int main(int argc, char **argv)
{
    argp_err_exit_status = TOOL_USAGE;
    /* A reader that goes away, of our output or of a plot, is a failed write and no death. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_help(stderr);
        return TOOL_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return tool_finish_output(TOOL_DONE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("loss %s\n", loss_version_string());
        return tool_finish_output(TOOL_DONE);
    }
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            char name[32];
            snprintf(name, sizeof name, "loss %s", commands[i].name);
            argv[1] = name; /* how argp's messages begin */
            return tool_finish_output(commands[i].run(argc - 1, argv + 1));
        }
    }
    tool_fail("no command \"%s\"; the commands are list, evaluate, fit, compare, check, predict and plot",
              argv[1]);
    return TOOL_USAGE;
}
