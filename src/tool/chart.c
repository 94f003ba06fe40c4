/*
 * A chart of a few lines as SVG, drawn without another program: gnuplot's SVG of the same lines takes ten times the bytes
 * and changes with its version, and these pictures are part of the documentation.
 */
#include "tool.h"

#include <math.h>
#include <stdlib.h>

enum { WIDTH = 560, HEIGHT = 340, LEFT = 56, RIGHT = 544, TOP = 44, BOTTOM = 296, MOST_TICKS = 9 };

/* A tenth of a pixel: what coordinates are rounded to. */
static const double resolution = 0.1;

/* Where a line may leave the picture; beyond it only its direction is seen. */
static const double far_away = 9999;

static double place_x(const struct chart *chart, double x)
{
    return LEFT + (x - chart->left) / (chart->right - chart->left) * (RIGHT - LEFT);
}

static double place_y(const struct chart *chart, double y)
{
    const double place = BOTTOM - (y - chart->bottom) / (chart->top - chart->bottom) * (BOTTOM - TOP);
    return fmin(fmax(place, -far_away), far_away);
}

/* Text of XML. */
static void print_text(FILE *file, const char *given)
{
    char *copy = text_to_utf8(given);
    for (const char *text = copy; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", file);
            break;
        case '<':
            fputs("&lt;", file);
            break;
        case '>':
            fputs("&gt;", file);
            break;
        default:
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, file);
        }
    }
    free(copy);
}

/* ---- axes */

/* The smallest of 1, 2, 5 times a power of ten that gives not too many ticks. */
static double choose_step(double extent)
{
    static const double factors[] = {1, 2, 5, 10};
    const double power = pow(10, floor(log10(extent / MOST_TICKS)));
    int i = 0;
    while (i < 3 && extent / (factors[i] * power) > MOST_TICKS) {
        i++;
    }
    return factors[i] * power;
}

static void print_ticks(FILE *file, const struct chart *chart, int below)
{
    const double low = below ? fmin(chart->left, chart->right) : chart->bottom;
    const double high = below ? fmax(chart->left, chart->right) : chart->top;
    const double step = choose_step(high - low);
    for (double k = ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
        const double place = below ? place_x(chart, k * step) : place_y(chart, k * step);
        const char *strong = k == 0 ? " class=\"z\"" : "";
        if (below) {
            fprintf(file, "<path%s d=\"M%.1f,%dV%d\"/><text x=\"%.1f\" y=\"%d\">%g</text>\n", strong, place,
                    TOP, BOTTOM, place, BOTTOM + 17, k == 0 ? 0 : k * step);
        } else {
            fprintf(file, "<path%s d=\"M%d,%.1fH%d\"/><text class=\"l\" x=\"%d\" y=\"%.1f\">%g</text>\n",
                    strong, LEFT, place, RIGHT, LEFT - 6, place + 4, k == 0 ? 0 : k * step);
        }
    }
}

/* ---- lines */

/* Whether all points between two lie on the line through them. */
static int is_straight(const struct chart *chart, const double *y, int first, int last)
{
    const double x0 = place_x(chart, chart->x[first]), y0 = place_y(chart, y[first]);
    const double slope = (place_y(chart, y[last]) - y0) / (place_x(chart, chart->x[last]) - x0);
    for (int i = first + 1; i < last; i++) {
        if (fabs(y0 + slope * (place_x(chart, chart->x[i]) - x0) - place_y(chart, y[i])) > resolution) {
            return 0;
        }
    }
    return 1;
}

/* The last point of the stroke that begins at one: up to a jump, or what is no number. */
static int end_of_stroke(const struct chart *chart, const struct chart_line *line, int first)
{
    int last = first;
    while (last + 1 < chart->points && isfinite(line->y[last + 1]) &&
           !(fabs(line->y[last + 1] - line->y[last]) > line->jump)) {
        last++;
    }
    return last;
}

static void print_stroke(FILE *file, const struct chart *chart, const double *y, int first, int last)
{
    fprintf(file, "M%.1f,%.1f", place_x(chart, chart->x[first]), place_y(chart, y[first]));
    while (first < last) {
        int next = first + 1;
        while (next < last && is_straight(chart, y, first, next + 1)) {
            next++;
        }
        fprintf(file, "L%.1f,%.1f", place_x(chart, chart->x[next]), place_y(chart, y[next]));
        first = next;
    }
}

static void print_line(FILE *file, const struct chart *chart, const struct chart_line *line)
{
    fprintf(file, "<path stroke=\"%s\"", line->colour);
    if (*line->dashes) {
        fprintf(file, " stroke-dasharray=\"%s\"", line->dashes);
    }
    fputs(" d=\"", file);
    for (int i = 0; i < chart->points; i++) {
        if (isfinite(line->y[i])) {
            const int last = end_of_stroke(chart, line, i);
            if (last > i) { /* a point alone is the value at a jump: nothing to draw */
                print_stroke(file, chart, line->y, i, last);
            }
            i = last;
        }
    }
    fputs("\"/>\n", file);
}

static void print_legend(FILE *file, const struct chart *chart)
{
    double x = LEFT + 8;
    for (int i = 0; i < chart->line_count; i++) {
        const struct chart_line *line = &chart->lines[i];
        if (!line->label) {
            continue;
        }
        fprintf(file, "<path stroke=\"%s\" d=\"M%.0f,%dh22\"", line->colour, x, HEIGHT - 11);
        if (*line->dashes) {
            fprintf(file, " stroke-dasharray=\"%s\"", line->dashes);
        }
        fprintf(file, "/><text class=\"k\" x=\"%.0f\" y=\"%d\">", x + 28, HEIGHT - 7);
        print_text(file, line->label);
        fputs("</text>\n", file);
        x += 110;
    }
}

void chart_print(FILE *file, const struct chart *chart)
{
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
            "<style>text{font:13px sans-serif;text-anchor:middle}.l{text-anchor:end}.k{text-anchor:start}"
            "path{fill:none;stroke-width:2.2}.g path{stroke:#ddd;stroke-width:1}.g .z{stroke:#777}</style>\n"
            "<clipPath id=\"c\"><path d=\"M%d,%dH%dV%dH%dz\"/></clipPath>\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"26\">",
            WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM, LEFT, WIDTH, HEIGHT, (LEFT + RIGHT) / 2);
    print_text(file, chart->title);
    fputs("</text>\n<g class=\"g\">\n", file);
    print_ticks(file, chart, 1);
    print_ticks(file, chart, 0);
    fputs("</g>\n<g clip-path=\"url(#c)\">\n", file);
    if (chart->marker) {
        fprintf(file, "<path stroke=\"#777\" stroke-dasharray=\"3 3\" d=\"M%.1f,%dV%d\"/>\n",
                place_x(chart, *chart->marker), TOP, BOTTOM);
    }
    for (int i = 0; i < chart->line_count; i++) {
        print_line(file, chart, &chart->lines[i]);
    }
    fputs("</g>\n", file);
    print_legend(file, chart);
    fprintf(file, "<text class=\"l\" x=\"%d\" y=\"%d\">", RIGHT, HEIGHT - 7);
    print_text(file, chart->label);
    fputs("</text>\n</svg>\n", file);
}
