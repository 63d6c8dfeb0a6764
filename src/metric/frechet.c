/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fréchet's distance between two normal distributions (Dowson and Landau, 1982), squared, as all who give a FID give
 * it: |mean a - mean b|^2 + trace(A + B - 2 (A B)^1/2). With A = R'R and B = S'S the last trace is the sum of the
 * singular values of R S', which is exact where eigenvalues of A B would be known to half the digits only: a set
 * has the distance 0 to itself, and a singular covariance needs no offset.
 */
#include "metric/root.h"
#include "metric/statistics.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

struct factors {
    struct mdm_rows a, b; /* roots */
    int64_t m, n, depth;
    double *product; /* [m,n] */
    struct mdm_product_room *room;
};

static int multiply_tile(void *arg, int64_t i, int worker)
{
    struct factors *f = arg;
    const int64_t across = mdm_tiles(f->n);
    const struct mdm_strip a = mdm_tile(&f->a, i / across, f->m), b = mdm_tile(&f->b, i % across, f->n);

    mdm_product_tile(f->product + a.first * f->n + b.first, f->n, a, b, f->depth, f->room + worker);
    return MASKDM_OK;
}

/* The trace of (A B)^1/2 from roots of m and n rows, m >= n. */
static int trace_of_root(double *out, const double *r, int64_t m, const double *s, int64_t n, int64_t depth,
                         maskdm_device *device, maskdm_control *control)
{
    struct factors f = {.a = {.wide = r, .row = depth, .step = 1},
                        .b = {.wide = s, .row = depth, .step = 1},
                        .m = m,
                        .n = n,
                        .depth = depth};
    int status = MASKDM_ENOMEM;

    *out = 0;
    if (n == 0)
        return MASKDM_OK;
    f.product = mdm_need((size_t)m, (size_t)n * sizeof *f.product, "the product of two roots");
    f.room = mdm_product_rooms(device);
    if (f.product && f.room)
        status = mdm_metric_loop(device, control, "the distance", mdm_tiles(m) * mdm_tiles(n), multiply_tile, &f);
    if (status >= 0)
        status = mdm_singular_sum(out, f.product, m, n, device, control);
    mdm_free(f.product);
    mdm_free(f.room);
    return status;
}

struct side {
    double *mean, *covariance, *root;
    int64_t rank;
};

static int read_side(struct side *x, maskdm_statistics *s, maskdm_control *control, const char *what)
{
    const size_t D = (size_t)s->width;

    x->mean = mdm_need(D, sizeof *x->mean, "the mean of features");
    x->covariance = mdm_need(D, D * sizeof *x->covariance, "the covariance of features");
    if (!x->mean || !x->covariance)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_statistics_read(s, x->mean, x->covariance));
    return mdm_root(&x->root, &x->rank, x->covariance, s->width, s->device, control, what);
}

static void free_side(struct side *x)
{
    mdm_free(x->mean);
    mdm_free(x->covariance);
    mdm_free(x->root);
}

static int distance(double *out, const struct side *x, const struct side *y, maskdm_statistics *s,
                    maskdm_control *control)
{
    const int64_t D = s->width;
    double apart = 0, traces = 0, both;

    if (x->rank >= y->rank)
        MDM_TRY(trace_of_root(&both, x->root, x->rank, y->root, y->rank, D, s->device, control));
    else
        MDM_TRY(trace_of_root(&both, y->root, y->rank, x->root, x->rank, D, s->device, control));
    for (int64_t j = 0; j < D; j++) {
        const double d = x->mean[j] - y->mean[j];

        apart += d * d;
        traces += x->covariance[j * D + j] + y->covariance[j * D + j];
    }
    *out = apart + (traces - 2 * both);
    return MASKDM_OK;
}

int mdm_statistics_distance(maskdm_statistics *a, maskdm_statistics *b, maskdm_control *control, double *out)
{
    struct side x = {0}, y = {0};
    int status;

    if (a->width != b->width)
        return mdm_fail(MASKDM_ESHAPE, "features of %lld numbers against features of %lld", (long long)a->width,
                        (long long)b->width);
    if (*a->features && *b->features && strcmp(a->features, b->features))
        return mdm_fail(MASKDM_EINVAL, "statistics of %s against statistics of %s", a->features, b->features);
    status = read_side(&x, a, control, "the first covariance");
    if (status >= 0)
        status = read_side(&y, b, control, "the second covariance");
    if (status >= 0)
        status = distance(out, &x, &y, a, control);
    free_side(&x);
    free_side(&y);
    return status;
}
