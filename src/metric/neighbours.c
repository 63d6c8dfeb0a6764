/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Precision and recall after Kynkäänniemi et al. (2019), density and coverage after Naeem et al. (2020). Every set
 * is described by spheres about its images that reach to the k-th neighbour. Distances are screened (screen.h): those
 * of which that leaves open what they decide are computed in double, and nothing of their number is kept.
 */
#include "metric/screen.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

struct spheres {
    const maskdm_features *a, *b; /* rows of the one against all of the other */
    double *a_square, *b_square;  /* of each row */
    int64_t k;
    double *near;                      /* [a,k], squared and falling: or */
    const double *a_radius, *b_radius; /* squared */
    atomic_llong hits;                 /* pairs within the radius of a's, which are real */
    atomic_uchar *inside;              /* [b] 1: within some radius */
    unsigned char *reached, *covered;  /* [a] by a radius of b's; some of b within its own */
};

/* The squared distance in double. */
static double measure(const struct spheres *s, int64_t i, int64_t j)
{
    const int64_t width = s->a->width;
    const double product = mdm_product_pair(s->a->row + i * width, s->b->row + j * width, width);

    return fmax(s->a_square[i] + s->b_square[j] - 2 * product, 0);
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

static void find_near(void *arg, const struct mdm_screen_row *r)
{
    const struct spheres *s = arg;
    double *near = s->near + r->i * s->k;

    for (int64_t j = 0; j < r->count && near[0] > 0; j++)
        if (!(mdm_screen_guess(r, j) - mdm_screen_off(r, j) >= near[0]) && r->i != r->first + j)
            keep(near, s->k, measure(s, r->i, r->first + j));
}

static int is_within(const struct spheres *s, const struct mdm_screen_row *r, int64_t j, double radius)
{
    const double guess = mdm_screen_guess(r, j), off = mdm_screen_off(r, j);

    if (guess + off < radius)
        return 1;
    return guess - off >= radius ? 0 : measure(s, r->i, r->first + j) < radius;
}

/* A real image against generated ones. */
static void compare(void *arg, const struct mdm_screen_row *r)
{
    struct spheres *s = arg;
    long long hits = 0;

    for (int64_t j = 0; j < r->count; j++) {
        if (is_within(s, r, j, s->a_radius[r->i])) {
            hits++;
            s->covered[r->i] = 1;
            atomic_store_explicit(&s->inside[r->first + j], 1, memory_order_relaxed);
        }
        if (!s->reached[r->i] && is_within(s, r, j, s->b_radius[r->first + j]))
            s->reached[r->i] = 1;
    }
    atomic_fetch_add(&s->hits, hits);
}

static int squares(double **out, const maskdm_features *f)
{
    *out = mdm_need((size_t)f->count, sizeof **out, "squares of features");
    for (int64_t i = 0; *out && i < f->count; i++)
        (*out)[i] = mdm_product_pair(f->row + i * f->width, f->row + i * f->width, f->width);
    return *out ? MASKDM_OK : MASKDM_ENOMEM;
}

static void finish(struct spheres *s)
{
    mdm_free(s->a_square);
    mdm_free(s->b_square);
    mdm_free(s->inside);
    mdm_free(s->reached);
    mdm_free(s->covered);
}

static int begin(struct spheres *s, const maskdm_features *a, const maskdm_features *b)
{
    *s = (struct spheres){.a = a, .b = b};
    MDM_TRY(squares(&s->a_square, a));
    return squares(&s->b_square, b);
}

/* Squared radii. square: of each row. */
static int find_radii(const maskdm_features *f, double *square, int64_t k, maskdm_control *control, double *radius)
{
    struct spheres s = {.a = f, .b = f, .a_square = square, .b_square = square, .k = k};
    int status;

    s.near = mdm_need((size_t)f->count, (size_t)k * sizeof *s.near, "distances of neighbours");
    if (!s.near)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < f->count * k; i++)
        s.near[i] = INFINITY;
    status = mdm_screen(f, f, control, "looking for neighbours", find_near, &s);
    for (int64_t i = 0; status >= 0 && i < f->count; i++)
        radius[i] = s.near[i * k];
    mdm_free(s.near);
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
    double *square;
    int status;

    MDM_TRY(check(f, f, k));
    status = squares(&square, f);
    if (status >= 0)
        status = find_radii(f, square, k, control, radius);
    for (int64_t i = 0; status >= 0 && i < f->count; i++)
        radius[i] = sqrt(radius[i]);
    mdm_free(square);
    return status;
}

static double share(const unsigned char *x, int64_t count)
{
    int64_t ones = 0;

    for (int64_t i = 0; i < count; i++)
        ones += x[i];
    return (double)ones / (double)count;
}

static int count_all(struct spheres *s, int64_t k, maskdm_control *control, struct mdm_neighbours *out)
{
    int64_t precise = 0;

    s->inside = mdm_need((size_t)s->b->count, sizeof *s->inside, "generated images within spheres");
    s->reached = mdm_need((size_t)s->a->count, 1, "real images within spheres");
    s->covered = mdm_need((size_t)s->a->count, 1, "real images with neighbours");
    if (!s->inside || !s->reached || !s->covered)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_screen(s->a, s->b, control, "counting neighbours", compare, s));
    for (int64_t j = 0; j < s->b->count; j++)
        precise += atomic_load(&s->inside[j]);
    out->precision = (double)precise / (double)s->b->count;
    out->recall = share(s->reached, s->a->count);
    out->density = (double)atomic_load(&s->hits) / ((double)k * (double)s->b->count);
    out->coverage = share(s->covered, s->a->count);
    return MASKDM_OK;
}

int mdm_features_neighbours(const maskdm_features *a, const maskdm_features *b, int64_t k, maskdm_control *control,
                            struct mdm_neighbours *out)
{
    struct spheres s = {0};
    double *radius;
    int status;

    MDM_TRY(check(a, b, k));
    radius = mdm_need((size_t)(a->count + b->count), sizeof *radius, "radii");
    status = radius ? begin(&s, b, a) : MASKDM_ENOMEM;
    if (status >= 0)
        status = find_radii(b, s.a_square, k, control, radius);
    if (status >= 0)
        status = find_radii(a, s.b_square, k, control, radius + b->count);
    if (status >= 0) {
        s.a_radius = radius;
        s.b_radius = radius + b->count;
        status = count_all(&s, k, control, out);
    }
    finish(&s);
    mdm_free(radius);
    return status;
}
