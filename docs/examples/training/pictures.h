/* Pictures, by gnuplot. */
#ifndef PICTURES_H
#define PICTURES_H

#include <stdint.h>

/* Curves over epochs: values[k · count + i] is curve k after epoch i + 1. 0, or −1 when it could not be drawn. */
int draw_curves(const char *path, const char *title, const char *const *names, int curves,
                const double *values, int64_t count);

/* counts[i · classes + k]: how often class i was taken for class k. */
int draw_confusion(const char *path, const char *const *names, int64_t classes, const int64_t *counts);

/* Grey pixels, height × width, with boxes over them: box i is boxes[4·i …], left, top, right, bottom, in colours[i]. */
int draw_boxes(const char *path, const char *title, const unsigned char *pixels, int width, int height,
               const double *boxes, const char *const *colours, int count);

#endif
