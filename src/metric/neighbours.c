/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Precision and recall after Kynkäänniemi et al. (2019), density and coverage after Naeem et al. (2020). Every set is
 * described by spheres about its images that reach to the k-th neighbour. Squared distances are made of products, a
 * strip of one set against all of the other, and nothing of their number is kept.
 */
#include "metric/features.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

struct strips {
    struct mdm_rows a, b; /* those of the strip, and all that it is held against */
    int64_t a_count, b_count, width, k;
    double *a_square, *b_square;       /* of each row */
    double *near;                      /* [a_count,k], squared and falling: or */
    const double *a_radius, *b_radius; /* squared */
    atomic_llong hits;                 /* pairs within the radius of the strip's, which are real */
    atomic_uchar *inside;              /* [b_count] 1: within some radius */
    unsigned char *reached, *covered;  /* [a_count] by a radius of b's; some of b within its own */
    double *product;
    struct mdm_product_room *room;
};

/* Squared distances of two spans into the worker's tile. */
static double *measure(struct strips *s, struct mdm_strip a, struct mdm_strip b, int worker)
{
    double *d = s->product + (int64_t)worker * MDM_TILE * MDM_TILE;

    memset(d, 0, MDM_TILE * MDM_TILE * sizeof *d);
    mdm_product_tile(d, MDM_TILE, a, b, s->width, s->room + worker);
    for (int64_t i = 0; i < a.count; i++)
        for (int64_t j = 0; j < b.count; j++) {
            double *x = d + i * MDM_TILE + j;

            *x = fmax(s->a_square[a.first + i] + s->b_square[b.first + j] - 2 * *x, 0);
        }
    return d;
}

/* Into the k least so far, of which the largest stands first. */
static void keep(double *near, int64_t k, double x)
{
    int64_t i = 0;

    if (x >= near[0])
        return;
    for (; i + 1 < k && near[i + 1] > x; i++)
        near[i] = near[i + 1];
    near[i] = x;
}

static int find_near(void *arg, int64_t strip, int worker)
{
    struct strips *s = arg;
    const struct mdm_strip a = mdm_tile(&s->a, strip, s->a_count);

    for (int64_t i = 0; i < a.count * s->k; i++)
        s->near[a.first * s->k + i] = INFINITY;
    for (int64_t t = 0; t < mdm_tiles(s->b_count); t++) {
        const struct mdm_strip b = mdm_tile(&s->b, t, s->b_count);
        const double *d = measure(s, a, b, worker);

        for (int64_t i = 0; i < a.count; i++)
            for (int64_t j = 0; j < b.count; j++)
                if (a.first + i != b.first + j)
                    keep(s->near + (a.first + i) * s->k, s->k, d[i * MDM_TILE + j]);
    }
    return MASKDM_OK;
}

/* A strip of real images against all generated ones. */
static int compare(void *arg, int64_t strip, int worker)
{
    struct strips *s = arg;
    const struct mdm_strip a = mdm_tile(&s->a, strip, s->a_count);
    long long hits = 0;

    for (int64_t t = 0; t < mdm_tiles(s->b_count); t++) {
        const struct mdm_strip b = mdm_tile(&s->b, t, s->b_count);
        const double *d = measure(s, a, b, worker);

        for (int64_t i = 0; i < a.count; i++)
            for (int64_t j = 0; j < b.count; j++) {
                const int hit = d[i * MDM_TILE + j] < s->a_radius[a.first + i];

                hits += hit;
                if (hit) {
                    s->covered[a.first + i] = 1;
                    atomic_store_explicit(&s->inside[b.first + j], 1, memory_order_relaxed);
                }
                if (d[i * MDM_TILE + j] < s->b_radius[b.first + j])
                    s->reached[a.first + i] = 1;
            }
    }
    atomic_fetch_add(&s->hits, hits);
    return MASKDM_OK;
}

static int squares(double **out, const struct mdm_rows *rows, int64_t count, int64_t width)
{
    *out = mdm_need((size_t)count, sizeof **out, "squares of features");
    for (int64_t i = 0; *out && i < count; i++)
        (*out)[i] = mdm_product_square(rows, i, width);
    return *out ? MASKDM_OK : MASKDM_ENOMEM;
}

static void finish(struct strips *s)
{
    mdm_free(s->a_square);
    mdm_free(s->b_square);
    mdm_free(s->product);
    mdm_free(s->room);
    mdm_free(s->inside);
    mdm_free(s->reached);
    mdm_free(s->covered);
}

static int begin(struct strips *s, const maskdm_features *a, const maskdm_features *b)
{
    const size_t workers = (size_t)mdm_device_workers(a->device);

    *s = (struct strips){.a = mdm_features_rows(a),
                         .b = mdm_features_rows(b),
                         .a_count = a->count,
                         .b_count = b->count,
                         .width = a->width};
    MDM_TRY(squares(&s->a_square, &s->a, a->count, a->width));
    MDM_TRY(squares(&s->b_square, &s->b, b->count, b->width));
    s->product = mdm_need_aligned(workers * MDM_TILE * MDM_TILE * sizeof *s->product, "the products of a metric");
    s->room = mdm_product_rooms(a->device);
    return s->product && s->room ? MASKDM_OK : MASKDM_ENOMEM;
}

/* Squared radii. */
static int find_radii(const maskdm_features *f, int64_t k, maskdm_control *control, double *radius)
{
    struct strips s;
    int status = begin(&s, f, f);

    s.k = k;
    s.near = mdm_need((size_t)f->count, (size_t)k * sizeof *s.near, "distances of neighbours");
    if (!s.near)
        status = MASKDM_ENOMEM;
    if (status >= 0)
        status = mdm_metric_loop(f->device, control, "looking for neighbours", mdm_tiles(f->count), find_near, &s);
    for (int64_t i = 0; status >= 0 && i < f->count; i++)
        radius[i] = s.near[i * k];
    mdm_free(s.near);
    finish(&s);
    return status;
}

static int check(const maskdm_features *a, const maskdm_features *b, int64_t k)
{
    if (k < 1 || k > 1000)
        return mdm_fail(MASKDM_EINVAL, "the number %lld of a neighbour is outside 1 .. 1000", (long long)k);
    return mdm_features_check(a, b, k + 1, "the neighbour that is asked for");
}

int mdm_features_radii(const maskdm_features *f, int64_t k, maskdm_control *control, double *radius)
{
    MDM_TRY(check(f, f, k));
    MDM_TRY(find_radii(f, k, control, radius));
    for (int64_t i = 0; i < f->count; i++)
        radius[i] = sqrt(radius[i]);
    return MASKDM_OK;
}

static double share(const unsigned char *x, int64_t count)
{
    int64_t ones = 0;

    for (int64_t i = 0; i < count; i++)
        ones += x[i];
    return (double)ones / (double)count;
}

static int count_all(struct strips *s, const maskdm_features *a, int64_t k, maskdm_control *control,
                     struct mdm_neighbours *out)
{
    int64_t precise = 0;

    s->inside = mdm_need((size_t)s->b_count, sizeof *s->inside, "generated images within spheres");
    s->reached = mdm_need((size_t)s->a_count, 1, "real images within spheres");
    s->covered = mdm_need((size_t)s->a_count, 1, "real images with neighbours");
    if (!s->inside || !s->reached || !s->covered)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_metric_loop(a->device, control, "counting neighbours", mdm_tiles(s->a_count), compare, s));
    for (int64_t j = 0; j < s->b_count; j++)
        precise += atomic_load(&s->inside[j]);
    out->precision = (double)precise / (double)s->b_count;
    out->recall = share(s->reached, s->a_count);
    out->density = (double)atomic_load(&s->hits) / ((double)k * (double)s->b_count);
    out->coverage = share(s->covered, s->a_count);
    return MASKDM_OK;
}

int mdm_features_neighbours(const maskdm_features *a, const maskdm_features *b, int64_t k, maskdm_control *control,
                            struct mdm_neighbours *out)
{
    struct strips s = {0};
    double *radius;
    int status;

    MDM_TRY(check(a, b, k));
    radius = mdm_need((size_t)(a->count + b->count), sizeof *radius, "radii");
    status = radius ? find_radii(b, k, control, radius) : MASKDM_ENOMEM;
    if (status >= 0)
        status = find_radii(a, k, control, radius + b->count);
    if (status >= 0)
        status = begin(&s, b, a);
    if (status >= 0) {
        s.a_radius = radius;
        s.b_radius = radius + b->count;
        status = count_all(&s, b, k, control, out);
    }
    finish(&s);
    mdm_free(radius);
    return status;
}
