/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Square roots of covariances, and sums of singular values: what a Fréchet distance is made of.
 */
#ifndef MASKDM_METRIC_ROOT_H
#define MASKDM_METRIC_ROOT_H

#include "metric/product.h"

/* R[rank,n] with R'R = a[n,n], symmetric and, but for rounding, positive semidefinite; what is below rounding is 0
 * and needs no row. out: mdm_free. EINVAL, naming `what`, where `a` is the covariance of nothing. */
int mdm_root(double **out, int64_t *rank, const double *a, int64_t n, maskdm_device *device, maskdm_control *control,
             const char *what);
/* The sum of the singular values of w[m,n], m >= n, which is spoilt. */
int mdm_singular_sum(double *out, double *w, int64_t m, int64_t n, maskdm_device *device, maskdm_control *control);

#endif
