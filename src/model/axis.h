/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Linear maps along one dimension of a tensor: what becomes of rows, columns and channels where a model becomes one
 * of other images.
 */
#ifndef MASKDM_MODEL_AXIS_H
#define MASKDM_MODEL_AXIS_H

#include <stdint.h>

/* y = w x of `taken` values that become `made`. */
struct mdm_axis {
    int64_t taken, made;
    double *w; /* [made,taken]; NULL: the identity */
    int drawn; /* a row of zeros says that nothing tells: what was drawn stays */
};

/* A dimension that stays as it is. */
struct mdm_axis mdm_axis_same(int64_t n);
/* Places along a side of a grid, pixels of a patch in a prediction; and what multiplies the pixels of a patch. */
int mdm_axis_resize(struct mdm_axis *a, int64_t taken, int64_t made);
int mdm_axis_resize_dual(struct mdm_axis *a, int64_t taken, int64_t made);
/* What multiplies an image's channels, and `more` behind them, and what makes those of a prediction, which has
 * `taken` and `made` of them in all, as many times an image's or none. A grey image is one whose red, green and blue
 * are equal, and grey is what images are made of there (image/convert.c); alpha is new at zero, or left out. */
int mdm_axis_channels_in(struct mdm_axis *a, int64_t from, int64_t to, int64_t more_taken, int64_t more_made);
int mdm_axis_channels_out(struct mdm_axis *a, int64_t from, int64_t to, int64_t taken, int64_t made);
void mdm_axis_free(struct mdm_axis *a);

enum { MDM_MOST_AXES = 5 };
/* y, of all that the axes make, from x, of all that they take, in host memory; what is there of y counts where a row
 * is drawn. MASKDM_ENOMEM. */
int mdm_axes_apply(float *y, const float *x, const struct mdm_axis *const axis[MDM_MOST_AXES], int count);

#endif
