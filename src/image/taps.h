/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The weights by which samples of a row or a column are scaled, of Pillow's filters. bicubic: Keys' cubic with
 * a = -0.5, widened by the scale when shrinking, so that it is antialiased. area: the mean of what a pixel covers.
 * nearest: the sample under a pixel's centre. Weights are normalised over the samples that exist; those for pictures
 * of 8 bits are rounded to 22 bits as Pillow's are, so that results are Pillow's to the bit: their sums are exact in
 * double.
 */
#ifndef MASKDM_IMAGE_TAPS_H
#define MASKDM_IMAGE_TAPS_H

#include "image/image.h"

/* Sample i of the result is sum over k < count[i] of weight[i * most + k] * source[first[i] + k]. */
struct mdm_taps {
    int64_t n, most;
    int64_t *first, *count;
    double *weight;
};

/* Results `at` .. `at` + n of scaling `in` samples of `bits` to `out`. Memory is about 4 * max(in, out) weights. What
 * was taken before a failure is the caller's to free. */
int mdm_taps_make(struct mdm_taps *t, enum mdm_filter filter, int64_t in, int64_t out, int64_t at, int64_t n,
                  int bits);
void mdm_taps_free(struct mdm_taps *t);

#endif
