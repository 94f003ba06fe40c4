/* A line on stderr that rewrites itself: only for eyes, so only on a terminal. */
#include "tool.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

/* Seconds between two drawings: faster than the eye needs, slower than would cost time. */
#define INTERVAL 0.05

static struct {
    int is_drawn;
    double last;
} line;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int progress_is_due(void)
{
    return isatty(STDERR_FILENO) && now() - line.last >= INTERVAL;
}

void progress_show(const char *format, ...)
{
    va_list arguments;
    if (!isatty(STDERR_FILENO)) {
        return;
    }
    fputc('\r', stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\033[K", stderr); /* clear to the end of the line */
    fflush(stderr);
    line.is_drawn = 1;
    line.last = now();
}

void progress_clear(void)
{
    if (line.is_drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        line.is_drawn = 0;
    }
}
