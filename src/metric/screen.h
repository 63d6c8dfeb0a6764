/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Squared distances of all pairs of two sets of rows, guessed by the device's own products in float32, and how far
 * from the truth a guess can be: so that what compares distances computes in double those few of which a guess leaves
 * it open, and comes to what it would come to if it computed all of them so.
 */
#ifndef MASKDM_METRIC_SCREEN_H
#define MASKDM_METRIC_SCREEN_H

#include "metric/features.h"

#include <float.h>
#include <math.h>

/* One row of a set against a span of the other's. */
struct mdm_screen_row {
    int64_t i, first, count;
    double square, slack;           /* of row i */
    const double *squares, *slacks; /* of each in the span */
    const float *product;           /* with each */
};

/* What the guess of pair j of a row is, and the most that it is off by, rounding of the double that stands for the
 * truth included: infinite where float32 has no such product, so that neither sum nor difference tells anything. */
static inline double mdm_screen_guess(const struct mdm_screen_row *r, int64_t j)
{
    return r->square + r->squares[j] - 2 * (double)r->product[j];
}

static inline double mdm_screen_off(const struct mdm_screen_row *r, int64_t j)
{
    const double slack = r->slack + r->slacks[j];

    return fabsf(r->product[j]) <= FLT_MAX ? slack * slack : (double)INFINITY;
}

/* body(arg, row) for every row of a and every span of b, which together are all of b, in order. A row is one thread's
 * at a time. `what`: in a cancelled host's line. */
int mdm_screen(const maskdm_features *a, const maskdm_features *b, maskdm_control *control, const char *what,
               void (*body)(void *arg, const struct mdm_screen_row *row), void *arg);

#endif
