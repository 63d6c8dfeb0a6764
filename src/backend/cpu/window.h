/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A factor of a product that is never stored: the windows of a convolution, cut out of its images where a product
 * packs them.
 */
#ifndef MASKDM_BACKEND_CPU_WINDOW_H
#define MASKDM_BACKEND_CPU_WINDOW_H

#include <stdint.h>

/* Row r is window r of all images, those of an image row by row; its elements are what it covers in (row, column,
 * channel) order. What lies outside of an image is zero. */
struct mdm_window {
    const void *x; /* [B,height,width,channels] */
    int64_t height, width, channels;
    int64_t down, across;      /* windows below and beside each other in an image */
    int64_t stride, top, left; /* window (i, j) begins at row i stride - top and column j stride - left */
    int64_t tall, wide;        /* pixels of a window */
};

/* A row, and an element of it: where copying goes on. Rows that follow each other are found without a division. */
struct mdm_window_row {
    const struct mdm_window *w;
    int64_t image, i, j; /* window (i, j) of the image */
    int64_t line, at;    /* element `at` of the window's line `line` */
};

static inline struct mdm_window_row mdm_window_row(const struct mdm_window *w, int64_t row, int64_t from)
{
    const int64_t run = w->wide * w->channels, line = row / w->across;

    return (struct mdm_window_row){w, line / w->down, line % w->down, row % w->across, from / run, from % run};
}

static inline void mdm_window_next(struct mdm_window_row *r)
{
    if (++r->j < r->w->across)
        return;
    r->j = 0;
    if (++r->i < r->w->down)
        return;
    r->i = 0;
    r->image++;
}

/* n elements; of each type, as real.h has it. */
void mdm_window_copy_f32(float *out, const struct mdm_window_row *r, int64_t n);
void mdm_window_copy_f64(double *out, const struct mdm_window_row *r, int64_t n);

#endif
