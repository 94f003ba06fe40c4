/* Pictures: commands and data go to gnuplot through a pipe. */
#include "pictures.h"

#include <stdio.h>

/* gnuplot with the picture's size and place told; NULL without it. */
static FILE *start(const char *path, int width, int height)
{
    FILE *gnuplot = popen("gnuplot -", "w");
    if (gnuplot != NULL) {
        fprintf(gnuplot, "set terminal svg size %d,%d background rgb 'white' font 'sans-serif,13'\n", width,
                height);
        fprintf(gnuplot, "set output '%s'\n", path);
    }
    return gnuplot;
}

int draw_curves(const char *path, const char *title, const char *const *names, int curves,
                const double *values, int64_t count)
{
    FILE *gnuplot = start(path, 640, 400);
    if (gnuplot == NULL) {
        return -1;
    }
    fprintf(gnuplot,
            "set title '%s'\nset xlabel 'epochs, or iterations over all'\nset xtics %d\nset grid\nset key "
            "bottom right\nplot",
            title, count > 12 ? 10 : 1);
    for (int k = 0; k < curves; k++) {
        fprintf(gnuplot, "%s '-' with linespoints pointtype 7 pointsize 0.4 title '%s'", k > 0 ? "," : "",
                names[k]);
    }
    fprintf(gnuplot, "\n");
    for (int k = 0; k < curves; k++) {
        for (int64_t i = 0; i < count; i++) {
            fprintf(gnuplot, "%d %.6g\n", (int)i + 1, values[k * count + i]);
        }
        fprintf(gnuplot, "e\n");
    }
    return pclose(gnuplot) == 0 ? 0 : -1;
}

int draw_confusion(const char *path, const char *const *names, int64_t classes, const int64_t *counts)
{
    FILE *gnuplot = start(path, 640, 600);
    if (gnuplot == NULL) {
        return -1;
    }
    fprintf(gnuplot,
            "set title 'rows: what it is, columns: what it was taken for'\nunset key\nunset colorbox\n"
            "set palette defined (0 'white', 1 'steelblue')\nset cbrange [0:1]\n"
            "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nset xtics rotate by 45 right (",
            (int)classes - 1, (int)classes - 1);
    for (int64_t i = 0; i < classes; i++) {
        fprintf(gnuplot, "%s'%s' %d", i > 0 ? ", " : "", names[i], (int)i);
    }
    fprintf(gnuplot, ")\nset ytics (");
    for (int64_t i = 0; i < classes; i++) {
        fprintf(gnuplot, "%s'%s' %d", i > 0 ? ", " : "", names[i], (int)i);
    }
    fprintf(gnuplot, ")\nplot '-' using 1:2:3 with image pixels, '-' using 1:2:3 with labels\n");
    for (int what = 0; what < 2; what++) {
        for (int64_t i = 0; i < classes; i++) {
            int64_t total = 0;
            for (int64_t k = 0; k < classes; k++) {
                total += counts[i * classes + k];
            }
            for (int64_t k = 0; k < classes; k++) {
                const double count = (double)counts[i * classes + k];
                fprintf(gnuplot, "%d %d %.6g\n", (int)k, (int)i,
                        what == 0 && total > 0 ? count / (double)total : count);
            }
        }
        fprintf(gnuplot, "e\n");
    }
    return pclose(gnuplot) == 0 ? 0 : -1;
}

int draw_boxes(const char *path, const char *title, const unsigned char *pixels, int width, int height,
               const double *boxes, const char *const *colours, int count)
{
    FILE *gnuplot = start(path, 800, 60 + 800 * height / width);
    if (gnuplot == NULL) {
        return -1;
    }
    fprintf(gnuplot,
            "set title '%s'\nunset key\nunset colorbox\nunset tics\nset palette gray\nset size ratio -1\n",
            title);
    fprintf(gnuplot, "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\n", width - 1, height - 1);
    for (int i = 0; i < count; i++) {
        const double *box = boxes + 4 * i;
        fprintf(gnuplot,
                "set object %d rectangle from %g,%g to %g,%g front fillstyle empty border linecolor '%s' "
                "linewidth 2\n",
                i + 1, box[0], box[1], box[2], box[3], colours[i]);
    }
    fprintf(gnuplot, "plot '-' matrix with image pixels\n");
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            fprintf(gnuplot, "%d%c", pixels[y * width + x], x + 1 < width ? ' ' : '\n');
        }
    }
    fprintf(gnuplot, "e\n");
    return pclose(gnuplot) == 0 ? 0 : -1;
}
