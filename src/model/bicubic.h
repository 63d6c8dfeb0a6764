/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Resizing a row of numbers as a matrix, w[made,taken]: the row y = w x. Two of them, one after the other, resize
 * what has rows and columns.
 */
#ifndef MASKDM_MODEL_BICUBIC_H
#define MASKDM_MODEL_BICUBIC_H

#include <stdint.h>

/* As PyTorch's interpolate() does it, mode bicubic, align_corners=False: growing, by Keys's cubic of a = -0.75, whose
 * last number stands for what lies outside; shrinking, with antialias=True: the cubic of a = -0.5, as wide as what is
 * left out asks for, and its weights inside alone, of sum 1. */
void mdm_bicubic(double *w, int64_t made, int64_t taken);
/* The pseudo-inverse of its transpose: what to multiply weights with, so that their products with rows that were
 * resized come as near as can be to the products before (Beyer et al., "FlexiViT", arXiv 2212.08013). MASKDM_ENOMEM.
 */
int mdm_bicubic_dual(double *w, int64_t made, int64_t taken);

#endif
