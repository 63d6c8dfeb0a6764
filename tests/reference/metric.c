/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kinds "frechet" and "metric": numbers of two sets of features.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Distances cancel: what is left is held against what they were made of, the sum of both traces. */
#define DISTANCE_BOUND 1e-9

static maskdm_features *features(struct reference_case *c, const char *name)
{
    const int64_t count = case_dim(c, name, 0), width = case_dim(c, name, 1);
    float *rows = case_f32(c, name, NULL);
    maskdm_features *f = NULL;

    if (rows && !case_ok(c, maskdm_features_create(&f, c->device, width), name))
        case_ok(c, maskdm_features_add(f, count, rows), name);
    free(rows);
    return f;
}

static maskdm_options *options(struct reference_case *c, const char *text)
{
    maskdm_options *o = NULL;

    if (!case_ok(c, maskdm_options_create(&o, "metric"), "options"))
        case_ok(c, maskdm_options_parse(o, text), text);
    return o;
}

static double trace(struct reference_case *c, maskdm_statistics *s)
{
    const int64_t D = maskdm_statistics_width(s);
    double *x = malloc((size_t)(D * D) * sizeof *x), sum = 0;

    if (x && !case_ok(c, maskdm_statistics_covariance(s, x, D * D), "a covariance"))
        for (int64_t i = 0; i < D; i++)
            sum += x[i * D + i];
    free(x);
    return sum;
}

/* The distance, and that either has none to itself. */
static void compare_distance(struct reference_case *c, maskdm_statistics *a, maskdm_statistics *b, double bound)
{
    double d, self, back, expected = 1, *e;

    if (case_ok(c, maskdm_statistics_distance(a, b, NULL, &d), "the distance") ||
        case_ok(c, maskdm_statistics_distance(b, a, NULL, &back), "the distance back") ||
        case_ok(c, maskdm_statistics_distance(a, a, NULL, &self), "the distance to itself"))
        return;
    e = case_f64(c, "expect.distance", NULL);
    if (e)
        expected = *e;
    free(e);
    case_compare(c, "expect.distance", &d, 1, bound * (1 + trace(c, a) / expected));
    if (!(self >= -1e-12 * trace(c, a) && self <= 1e-12 * trace(c, a)))
        case_fail(c, "the distance of a to itself is %g", self);
    if (!(back - d <= bound * expected && d - back <= bound * expected))
        case_fail(c, "the distance is %.12g, and back %.12g", d, back);
}

void case_frechet(struct reference_case *c)
{
    maskdm_features *a = features(c, "input.a"), *b = features(c, "input.b");
    maskdm_statistics *s = NULL, *t = NULL;

    if (a && b && !c->failed && !case_ok(c, maskdm_statistics_create_of(&s, a), "statistics") &&
        !case_ok(c, maskdm_statistics_create_of(&t, b), "statistics"))
        compare_distance(c, s, t, DISTANCE_BOUND);
    maskdm_features_release(&a);
    maskdm_features_release(&b);
    maskdm_statistics_release(&s);
    maskdm_statistics_release(&t);
}

static maskdm_statistics *given(struct reference_case *c, const char *mu, const char *sigma)
{
    int64_t D = 0;
    double *mean = case_f64(c, mu, &D), *covariance = case_f64(c, sigma, NULL);
    maskdm_statistics *s = NULL;

    if (mean && covariance)
        case_ok(c, maskdm_statistics_create_from(&s, c->device, 0, D, mean, covariance), mu);
    free(mean);
    free(covariance);
    return s;
}

/* Where a covariance is singular the square root of rounding is all that can be had of the other program's number. */
static void compare_statistics(struct reference_case *c)
{
    maskdm_statistics *a = given(c, "input.mu_a", "input.sigma_a"), *b = given(c, "input.mu_b", "input.sigma_b");

    if (a && b)
        compare_distance(c, a, b, 1e-7);
    maskdm_statistics_release(&a);
    maskdm_statistics_release(&b);
}

static int32_t *indices(struct reference_case *c, const char *name)
{
    int64_t count = 0;
    double *x = case_f64(c, name, &count);
    int32_t *index = malloc((size_t)count * sizeof *index + 1);

    for (int64_t i = 0; x && index && i < count; i++)
        index[i] = (int32_t)x[i];
    free(x);
    return index;
}

/* "1/D", or a number. */
static double gamma_of(struct reference_case *c)
{
    const char *text = case_value(c, "metric", "gamma", "1/D");

    return !strcmp(text, "1/D") || !strcmp(text, "null") ? 0 : strtod(text, NULL);
}

/* Mean and the population's deviation of the subsets' distances. */
static void compare_moments(struct reference_case *c, const double *each, int64_t subsets)
{
    double mean = 0, deviation = 0;

    for (int64_t k = 0; k < subsets; k++)
        mean += each[k] / (double)subsets;
    for (int64_t k = 0; k < subsets; k++)
        deviation += (each[k] - mean) * (each[k] - mean) / (double)subsets;
    deviation = sqrt(deviation);
    case_compare(c, "expect.mmd", each, subsets, DISTANCE_BOUND);
    case_compare(c, "expect.mean", &mean, 1, DISTANCE_BOUND);
    case_compare(c, "expect.std", &deviation, 1, DISTANCE_BOUND);
}

/* Where the one subset is all there is, the library's own drawing has no choice. */
static void compare_drawn(struct reference_case *c, const maskdm_features *a, const maskdm_features *b,
                          const maskdm_options *o)
{
    double mean, deviation;

    if (!case_ok(c, maskdm_features_kernel_distance(a, b, o, NULL, &mean, &deviation), "subsets that are drawn")) {
        case_compare(c, "expect.mean", &mean, 1, DISTANCE_BOUND);
        case_compare(c, "expect.std", &deviation, 1, DISTANCE_BOUND);
    }
}

static maskdm_options *kernel(struct reference_case *c, int64_t size)
{
    char text[160];

    snprintf(text, sizeof text,
             "subsets=1 subset_size=%lld kernel_degree=%.0f kernel_scale=%.17g kernel_offset=%.17g", (long long)size,
             case_number(c, "metric", "degree", 3), gamma_of(c), case_number(c, "metric", "coef0", 1));
    return options(c, text);
}

static void compare_kid(struct reference_case *c)
{
    const int64_t subsets = case_dim(c, "input.index_a", 0), size = case_dim(c, "input.index_a", 1);
    maskdm_features *a = features(c, "input.a"), *b = features(c, "input.b");
    int32_t *at_a = indices(c, "input.index_a"), *at_b = indices(c, "input.index_b");
    double *each = calloc((size_t)subsets + 1, sizeof *each);
    maskdm_options *o = kernel(c, size);

    for (int64_t k = 0; each && k < subsets && !c->failed; k++)
        case_ok(c, maskdm_features_discrepancy(a, at_a + k * size, b, at_b + k * size, size, o, NULL, &each[k]),
                "a subset");
    if (!c->failed)
        compare_moments(c, each, subsets);
    if (!c->failed && subsets == 1 && size == maskdm_features_count(a) && size == maskdm_features_count(b))
        compare_drawn(c, a, b, o);
    maskdm_options_release(&o);
    maskdm_features_release(&a);
    maskdm_features_release(&b);
    free(at_a);
    free(at_b);
    free(each);
}

static void compare_radii(struct reference_case *c, const maskdm_features *f, int64_t k, const char *name)
{
    const int64_t count = maskdm_features_count(f);
    double *radius = malloc((size_t)count * sizeof *radius);

    if (radius && !case_ok(c, maskdm_features_radii(f, k, NULL, radius, count), name))
        case_compare(c, name, radius, count, DISTANCE_BOUND);
    free(radius);
}

static void compare_neighbours(struct reference_case *c)
{
    const double k = case_number(c, "metric", "nearest_k", 5);
    maskdm_features *a = features(c, "input.a"), *b = features(c, "input.b");
    double precision, recall, density, coverage;
    char text[32];
    maskdm_options *o;

    snprintf(text, sizeof text, "neighbours=%.0f", k);
    o = options(c, text);
    if (a && b && o && !c->failed &&
        !case_ok(c, maskdm_features_neighbours(a, b, o, NULL, &precision, &recall, &density, &coverage), text)) {
        case_compare(c, "expect.precision", &precision, 1, DISTANCE_BOUND);
        case_compare(c, "expect.recall", &recall, 1, DISTANCE_BOUND);
        case_compare(c, "expect.density", &density, 1, DISTANCE_BOUND);
        case_compare(c, "expect.coverage", &coverage, 1, DISTANCE_BOUND);
        compare_radii(c, a, (int64_t)k, "expect.radius_a");
        compare_radii(c, b, (int64_t)k, "expect.radius_b");
    }
    maskdm_options_release(&o);
    maskdm_features_release(&a);
    maskdm_features_release(&b);
}

void case_metric(struct reference_case *c)
{
    static const struct {
        const char *type;
        void (*run)(struct reference_case *c);
    } types[] = {{"fid_statistics", compare_statistics}, {"kid", compare_kid}, {"prdc", compare_neighbours}};
    const char *type = case_value(c, "metric", "type", "");

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(type, types[i].type)) {
            types[i].run(c);
            return;
        }
    snprintf(c->skipped, sizeof c->skipped, "metric %s is not built", type);
}
