/* A line on stderr that rewrites itself: only for eyes, so only on a terminal. */
#include "tool.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Seconds between two drawings: faster than the eye needs, slower than would cost time. */
#define INTERVAL 0.05

/* Where the terminal does not tell its width. */
#define USUAL_WIDTH 80

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

/* A line that wraps could not be overwritten; the last column stays free, because some terminals wrap when it is filled. */
static int room(void)
{
    struct winsize size = {0};
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    return (size.ws_col > 1 ? size.ws_col : USUAL_WIDTH) - 1;
}

int progress_is_due(void)
{
    return isatty(STDERR_FILENO) && now() - line.last >= INTERVAL;
}

void progress_show(const char *format, ...)
{
    char text[256];
    va_list arguments;
    if (!isatty(STDERR_FILENO)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\r%.*s\033[K", room(), text); /* and clear to the end of the line */
    fflush(stderr);
    line.is_drawn = 1;
    line.last = now();
}

int32_t progress_reading(void *path, int64_t done, int64_t total)
{
    if (!progress_is_due()) {
        return 0;
    }
    /* The number first: what does not fit the line is cut off. */
    if (total > 0) {
        progress_show("reading %3.0f %% of %s", 100 * ((double)done / (double)total), (const char *)path);
    } else {
        progress_show("reading %.0f MB of %s", (double)done / 1e6, (const char *)path);
    }
    return 0;
}

void progress_clear(void)
{
    if (line.is_drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        line.is_drawn = 0;
    }
}
