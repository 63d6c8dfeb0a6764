/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums of products in double, a tile at a time: what all metrics are made of. Features are single precision and are
 * widened where they are packed; sums run in one order, whatever the tile, so that the same two rows give the same
 * bits everywhere.
 */
#ifndef MASKDM_METRIC_PRODUCT_H
#define MASKDM_METRIC_PRODUCT_H

#include "backend/device.h"
#include "base/control.h"

/* MDM_TILE rows by MDM_TILE; MDM_PRODUCT_DEPTH terms are packed at a time. */
enum { MDM_TILE = 64, MDM_PRODUCT_DEPTH = 256 };

/* Term k of row i is at[index[i] * row + k * step], less shift[i * shift_row + k * shift_step]. */
struct mdm_rows {
    const float *single; /* one of the two */
    const double *wide;
    const int32_t *index; /* NULL: row i is row i */
    int64_t row, step;
    const double *shift; /* NULL: none */
    int64_t shift_row, shift_step;
};

/* Rows [first, first + count) of a matrix of rows. */
struct mdm_strip {
    const struct mdm_rows *rows;
    int64_t first, count; /* count: at most MDM_TILE */
};

/* Scratch of one worker. */
struct mdm_product_room {
    double a[MDM_TILE * MDM_PRODUCT_DEPTH], b[MDM_TILE * MDM_PRODUCT_DEPTH];
};

/* out[i * pitch + j] += sum over k < depth of a[i,k] b[j,k]. */
void mdm_product_tile(double *out, int64_t pitch, struct mdm_strip a, struct mdm_strip b, int64_t depth,
                      struct mdm_product_room *room);
/* The same of one row by one, to the bits that a tile has for it. */
double mdm_product_pair(const float *x, const float *y, int64_t depth);
/* `status`, with the first number that is not finite, of so many rows of which the first is called `first`. */
int mdm_rows_check(const float *rows, int64_t count, int64_t width, int64_t first, int status);
/* A room for each of the device's workers; NULL and a recorded ENOMEM. */
struct mdm_product_room *mdm_product_rooms(maskdm_device *device);

static inline int64_t mdm_tiles(int64_t rows)
{
    return (rows + MDM_TILE - 1) / MDM_TILE;
}
/* Tile t of so many rows. */
static inline struct mdm_strip mdm_tile(const struct mdm_rows *rows, int64_t t, int64_t count)
{
    const int64_t first = t * MDM_TILE, left = count - first;

    return (struct mdm_strip){rows, first, left < MDM_TILE ? left : MDM_TILE};
}

/* Step `step` of `steps`, told where the last telling, or the clock that `told` was set to, is a second ago. */
void mdm_metric_tell(maskdm_control *control, double *told, int64_t step, int64_t steps);
/* body(arg, i, worker) for i < n on the device's host threads, in pieces between which the host hears of it as steps
 * of `what` and may end it with ECANCELED. */
int mdm_metric_loop(maskdm_device *device, maskdm_control *control, const char *what, int64_t n, mdm_try_body body,
                    void *arg);

#endif
