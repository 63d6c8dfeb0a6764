/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cholesky's root with complete pivoting, row by row: row k is what is left of the matrix's row at the pivot. What
 * rows take away from the matrix is subtracted a block of rows at a time, which is a product, and until then row by
 * row. Pivots that are below rounding end it, so that a singular matrix has fewer rows and needs no offset.
 */
#include "metric/root.h"

#include "base/alloc.h"
#include "base/error.h"

#include <float.h>
#include <math.h>

enum { BLOCK = 64 }; /* rows */

struct root {
    double *taken; /* [n,n], below the diagonal and on it: what rows before the block take away, less the matrix */
    double *row;   /* [rank,n] */
    double *left;  /* [n] of the diagonal; 0 once it was a pivot */
    int64_t n, k, block; /* rows; the first of the block */
    struct mdm_product_room *room;
};

/* (a[pivot,:] - sum over earlier rows m of row[m,pivot] row[m,:]) / sqrt(a pivot) becomes row k. */
static void make_row(struct root *r, int64_t pivot)
{
    const int64_t n = r->n;
    const double scale = 1 / sqrt(r->left[pivot]);
    double *out = r->row + r->k * n;

    for (int64_t j = 0; j < n; j++)
        out[j] = -(j <= pivot ? r->taken[pivot * n + j] : r->taken[j * n + pivot]);
    for (int64_t m = r->block; m < r->k; m++) {
        const double *earlier = r->row + m * n, f = earlier[pivot];

        for (int64_t j = 0; j < n; j++)
            out[j] -= f * earlier[j];
    }
    for (int64_t j = 0; j < n; j++)
        out[j] = r->left[j] != 0 ? out[j] * scale : 0;
    out[pivot] = sqrt(r->left[pivot]);
    for (int64_t j = 0; j < n; j++)
        r->left[j] = j == pivot || r->left[j] == 0 ? 0 : r->left[j] - out[j] * out[j];
}

/* A tile of what the block takes away; pairs of tiles are counted row by row. */
static int take_tile(void *arg, int64_t pair, int worker)
{
    struct root *r = arg;
    const struct mdm_rows columns = {.wide = r->row + r->block * r->n, .row = 1, .step = r->n};
    struct mdm_strip a, b;
    int64_t i = 0;

    for (; pair > i; i++)
        pair -= i + 1;
    a = mdm_tile(&columns, i, r->n);
    b = mdm_tile(&columns, pair, r->n);
    mdm_product_tile(r->taken + a.first * r->n + b.first, r->n, a, b, r->k - r->block, r->room + worker);
    return MASKDM_OK;
}

static int64_t largest(const double *x, int64_t n)
{
    int64_t k = 0;

    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[k])
            k = i;
    return k;
}

/* Symmetric, finite, and no element larger than its row and column allow. */
static int check(const double *a, int64_t n, const char *what)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            const double x = a[i * n + j], y = a[j * n + i],
                         most = sqrt(fmax(a[i * n + i], 0) * fmax(a[j * n + j], 0));

            if (!isfinite(x) || !isfinite(y) || fabs(x - y) > 1e-4 * most || fabs(x) > 1.001 * most)
                return mdm_fail(MASKDM_EINVAL,
                                "%s is no covariance: element %lld, %lld is %g and %g across, with %g and %g on the "
                                "diagonal",
                                what, (long long)i, (long long)j, x, y, a[i * n + i], a[j * n + j]);
        }
    return MASKDM_OK;
}

static int run(struct root *r, int64_t *rank, maskdm_device *device, maskdm_control *control, const char *what)
{
    const double most = r->left[largest(r->left, r->n)], least = (double)r->n * DBL_EPSILON * most;
    const int64_t tiles = mdm_tiles(r->n);

    for (; r->k < r->n; r->k++) {
        const int64_t pivot = largest(r->left, r->n);

        if (!(r->left[pivot] > least))
            break;
        if (r->k == r->block + BLOCK) {
            MDM_TRY(mdm_metric_loop(device, control, "the distance", tiles * (tiles + 1) / 2, take_tile, r));
            r->block = r->k;
        }
        make_row(r, pivot);
    }
    for (int64_t i = 0; i < r->n; i++)
        if (r->left[i] < -1e-4 * most)
            return mdm_fail(MASKDM_EINVAL, "%s is no covariance: it has a variance of %g in some direction", what,
                            r->left[i]);
    *rank = r->k;
    return MASKDM_OK;
}

int mdm_root(double **out, int64_t *rank, const double *a, int64_t n, maskdm_device *device, maskdm_control *control,
             const char *what)
{
    struct root r = {.n = n};
    int status;

    *out = NULL;
    MDM_TRY(check(a, n, what));
    r.taken = mdm_need((size_t)n, (size_t)n * sizeof *r.taken, "the root of a covariance");
    r.row = mdm_need((size_t)n, (size_t)n * sizeof *r.row, "the root of a covariance");
    r.left = mdm_need((size_t)n, sizeof *r.left, "the root of a covariance");
    r.room = mdm_product_rooms(device);
    status = r.taken && r.row && r.left && r.room ? MASKDM_OK : MASKDM_ENOMEM;
    for (int64_t i = 0; i < n * n && status >= 0; i++)
        r.taken[i] = -a[i];
    for (int64_t i = 0; i < n && status >= 0; i++)
        r.left[i] = a[i * n + i];
    if (status >= 0)
        status = run(&r, rank, device, control, what);
    mdm_free(r.taken);
    mdm_free(r.left);
    mdm_free(r.room);
    if (status >= 0)
        *out = r.row;
    else
        mdm_free(r.row);
    return status;
}
