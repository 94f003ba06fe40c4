/*
 * Convergence curves by gnuplot, which reads its commands from a pipe and writes the picture to a file without a name.
 * When all went well it is copied beside the file asked for and takes its place in one step, so that no failure and no
 * interrupt costs anybody an older picture. Neither the file's name nor any command goes through a shell.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Gaps below this are the rounding of the reference itself and are not drawn. */
#define SMALLEST_GAP 1e-15

struct plot {
    const char *path;
    FILE *picture, *script;
    pid_t process;
    int has_curve;
};

static int start_gnuplot(struct plot *plot, int picture)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, picture, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    char *const arguments[] = {(char *)"gnuplot", (char *)"-", NULL};
    const int error = posix_spawnp(&plot->process, "gnuplot", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (error) {
        close(ends[1]);
        return error;
    }
    plot->script = fdopen(ends[1], "w");
    return plot->script ? 0 : errno;
}

int plot_open(struct plot **out, const char *path)
{
    *out = NULL;
    const int reason = output_check(path);
    if (reason) {
        return reason;
    }
    FILE *picture = tmpfile();
    if (!picture) {
        return tool_fail("no temporary file for the plot: %s", strerror(errno));
    }
    struct plot *plot = tool_allocate(1, sizeof *plot);
    plot->path = path;
    plot->picture = picture;
    const int error = start_gnuplot(plot, fileno(picture));
    if (error) {
        fclose(picture);
        free(plot);
        return error == ENOENT ? tool_fail("--plot needs the program gnuplot, which is not installed")
                               : tool_fail("gnuplot does not start: %s", strerror(error));
    }
    *out = plot;
    return TOOL_DONE;
}

/* A title in single quotes, where only the quote itself is special. */
static void print_quoted(FILE *file, const char *given)
{
    char *copy = text_to_utf8(given);
    fputc('\'', file);
    for (const char *text = copy; *text; text++) {
        if (*text == '\'') {
            fputc('\'', file);
        }
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, file);
    }
    fputc('\'', file);
    free(copy);
}

/* The curve's points as a named block; returns how many there are. */
static int print_points(FILE *file, int index, const struct run *run, double reference)
{
    int count = 0;
    fprintf(file, "$run%d << END\n", index);
    for (int64_t i = 0; i < run->history_count; i++) {
        const struct point *point = &run->history[i];
        const double gap = run_gap(point->objective, reference);
        if (isfinite(gap) && gap >= SMALLEST_GAP && point->passes > 0) {
            fprintf(file, "%.6g %.6g\n", point->passes, gap);
            count++;
        }
    }
    fputs("END\n", file);
    return count;
}

void plot_runs(struct plot *plot, const char *title, const struct run *runs, int count, double reference)
{
    /* Okabe & Ito (2008): colours that are told apart also by the colour-blind. */
    static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                          "#e69f00", "#56b4e9", "#000000"};
    enum { COLOURS = sizeof colours / sizeof *colours };
    FILE *file = plot->script;
    fputs("set terminal svg enhanced size 900,560 background rgb 'white' font 'sans-serif,14'\n"
          "set logscale xy\nset format y '10^{%T}'\nset format x '%g'\n"
          "set grid linecolor rgb '#d0d0d0'\nset border 3\nset tics nomirror\nset key bottom left Left "
          "reverse\n"
          "set xlabel 'passes over the training rows'\nset ylabel 'objective gap (F - F*) / F*'\n"
          "set title noenhanced ",
          file);
    print_quoted(file, title);
    fputc('\n', file);
    int *points = tool_allocate(count, sizeof *points);
    for (int i = 0; i < count; i++) {
        points[i] = print_points(file, i, &runs[i], reference);
    }
    const char *separator = "plot ";
    for (int i = 0; i < count; i++) {
        if (points[i] == 0) {
            continue;
        }
        fprintf(file, "%s$run%d with lines linewidth 2 linecolor rgb '%s' title ", separator, i,
                colours[i % COLOURS]);
        print_quoted(file, runs[i].optimizer);
        fputs(" noenhanced", file);
        separator = ", ";
        plot->has_curve = 1;
    }
    fputc('\n', file);
    free(points);
}

int plot_close(struct plot *plot, int result)
{
    if (!plot) {
        return result;
    }
    int status = 0;
    const int is_bad = fclose(plot->script) != 0;
    while (waitpid(plot->process, &status, 0) < 0 && errno == EINTR) {
    }
    if (result == TOOL_DONE && !plot->has_curve) {
        result = tool_fail(
            "%s: there is nothing to draw, no run came closer to the smallest objective than its start",
            plot->path);
    } else if (result == TOOL_DONE && (is_bad || !WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        result = tool_fail("%s: gnuplot could not draw it", plot->path);
    } else if (result == TOOL_DONE) {
        result = output_write(plot->picture, plot->path);
    }
    fclose(plot->picture);
    free(plot);
    return result;
}
