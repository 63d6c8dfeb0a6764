/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Distances between sets of features: against closed forms and plain loops, whatever the calls in which rows came and
 * the threads that count; what is refused, and that a set is at no distance from itself.
 */
#include "../api/rig.h"

#include "base/alloc.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 70, MADE = 150, REAL = 131 }; /* no multiples of what is computed at a time */

static maskdm_device *device;

static void set_up(void)
{
    device = rig_device("threads=2");
}

static void tear_down(void)
{
    maskdm_device_release(&device);
}

/* Features that lie apart from 0, as those of networks do. */
static void draw(float *x, int64_t count, int64_t width, uint32_t seed, float shift, float scale)
{
    for (int64_t i = 0; i < count * width; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = 3 + shift + scale * ((float)(seed >> 8) / (float)(1 << 24) + (float)(i % width) / (float)width);
    }
}

static maskdm_features *make(maskdm_device *d, int64_t count, int64_t width, uint32_t seed, float shift, float scale)
{
    float *x = malloc((size_t)(count * width) * sizeof *x);
    maskdm_features *f;

    draw(x, count, width, seed, shift, scale);
    MUST(maskdm_features_create(&f, d, width));
    MUST(maskdm_features_add(f, count, x));
    free(x);
    return f;
}

static double product(const float *x, const float *y, int64_t n)
{
    double sum = 0;

    for (int64_t k = 0; k < n; k++)
        sum += (double)x[k] * (double)y[k];
    return sum;
}

static double apart(const float *x, const float *y, int64_t n)
{
    double sum = 0;

    for (int64_t k = 0; k < n; k++)
        sum += ((double)x[k] - (double)y[k]) * ((double)x[k] - (double)y[k]);
    return sum;
}

/* ---- statistics ---- */

START_TEST(statistics_are_those_of_two_passes)
{
    static float x[600 * WIDTH];
    static double mean[WIDTH], covariance[WIDTH * WIDTH], one[WIDTH * WIDTH];
    maskdm_statistics *s;

    draw(x, 600, WIDTH, 7, 100, 1);
    MUST(maskdm_statistics_create(&s, device, WIDTH));
    MUST(maskdm_statistics_add(s, 600, x));
    ck_assert_int_eq(maskdm_statistics_count(s), 600);
    MUST(maskdm_statistics_mean(s, mean, WIDTH));
    MUST(maskdm_statistics_covariance(s, covariance, WIDTH * WIDTH));
    for (int i = 0; i < WIDTH; i++) {
        double sum = 0;

        for (int r = 0; r < 600; r++)
            sum += (double)x[r * WIDTH + i] / 600;
        ck_assert_double_eq_tol(mean[i], sum, 1e-11);
    }
    for (int i = 0; i < WIDTH; i++)
        for (int j = 0; j < WIDTH; j++) {
            double sum = 0;

            for (int r = 0; r < 600; r++)
                sum += ((double)x[r * WIDTH + i] - mean[i]) * ((double)x[r * WIDTH + j] - mean[j]) / 599;
            ck_assert_double_eq_tol(covariance[i * WIDTH + j], sum, 1e-12);
        }
    maskdm_statistics_release(&s);
    /* The same rows in other pieces, on more threads, to the same bits. */
    for (int threads = 1; threads < 4; threads += 2) {
        char text[16];
        maskdm_device *d;

        snprintf(text, sizeof text, "threads=%d", threads);
        d = rig_device(text);
        MUST(maskdm_statistics_create(&s, d, WIDTH));
        for (int r = 0, n = 1; r < 600; r += n, n = r % 97 + 1) {
            n = n < 600 - r ? n : 600 - r;
            MUST(maskdm_statistics_add(s, n, x + r * WIDTH));
        }
        MUST(maskdm_statistics_covariance(s, one, WIDTH * WIDTH));
        ck_assert_mem_eq(one, covariance, sizeof one);
        maskdm_statistics_release(&s);
        maskdm_device_release(&d);
    }
}
END_TEST

/* ---- Fréchet ---- */

static maskdm_statistics *diagonal(const double *mean, const double *variance, int64_t D)
{
    double *c = calloc((size_t)(D * D), sizeof *c);
    maskdm_statistics *s;

    for (int64_t i = 0; i < D; i++)
        c[i * D + i] = variance[i];
    MUST(maskdm_statistics_create_from(&s, device, 0, D, mean, c));
    free(c);
    return s;
}

START_TEST(distance_of_independent_features)
{
    double mean[2][WIDTH], variance[2][WIDTH], expected = 0, got;
    maskdm_statistics *s, *t;

    for (int i = 0; i < WIDTH; i++) {
        mean[0][i] = 0.1 * i;
        mean[1][i] = 0.1 * i + 0.01 * (i % 5);
        variance[0][i] = i % 7 ? 1.0 / (i + 1) : 0; /* singular, each in directions of its own */
        variance[1][i] = i % 3 ? 0.5 * i : 0;
        expected += pow(mean[0][i] - mean[1][i], 2) + pow(sqrt(variance[0][i]) - sqrt(variance[1][i]), 2);
    }
    s = diagonal(mean[0], variance[0], WIDTH);
    t = diagonal(mean[1], variance[1], WIDTH);
    MUST(maskdm_statistics_distance(s, t, NULL, &got));
    ck_assert_double_eq_tol(got, expected, 1e-11 * expected);
    maskdm_statistics_release(&s);
    maskdm_statistics_release(&t);
}
END_TEST

/* Fewer rows than numbers, too: no offset, nothing complex. */
START_TEST(no_distance_to_itself)
{
    maskdm_features *f = make(device, _i ? 600 : 20, WIDTH, 3, 5, 2);
    maskdm_statistics *s, *t;
    double d;

    MUST(maskdm_statistics_create_of(&s, f));
    MUST(maskdm_statistics_create_of(&t, f));
    MUST(maskdm_statistics_distance(s, s, NULL, &d));
    ck_assert_double_eq_tol(d, 0, 1e-10);
    MUST(maskdm_statistics_distance(s, t, NULL, &d));
    ck_assert_double_eq_tol(d, 0, 1e-10);
    maskdm_statistics_release(&s);
    maskdm_statistics_release(&t);
    maskdm_features_release(&f);
}
END_TEST

START_TEST(statistics_in_a_file)
{
    maskdm_features *f = make(device, 90, WIDTH, 3, 5, 2);
    static double a[WIDTH * WIDTH], b[WIDTH * WIDTH];
    maskdm_statistics *s, *t;
    double d;

    MUST(maskdm_statistics_create_of(&s, f));
    MUST(maskdm_statistics_save(s, "unit-metric.tmp"));
    MUST(maskdm_statistics_load(&t, device, "unit-metric.tmp"));
    remove("unit-metric.tmp");
    ck_assert_int_eq(maskdm_statistics_count(t), 90);
    MUST(maskdm_statistics_covariance(s, a, WIDTH * WIDTH));
    MUST(maskdm_statistics_covariance(t, b, WIDTH * WIDTH));
    ck_assert_mem_eq(a, b, sizeof a);
    MUST(maskdm_statistics_distance(s, t, NULL, &d));
    ck_assert_double_eq_tol(d, 0, 1e-10);
    ck_assert_int_eq(maskdm_statistics_add(t, 1, (const float *)a), MASKDM_EINVAL);
    maskdm_statistics_release(&s);
    maskdm_statistics_release(&t);
    maskdm_features_release(&f);
}
END_TEST

START_TEST(features_in_a_file)
{
    const int64_t few[1] = {6}, table[2] = {2, 3}, empty[2] = {3, 0};
    const float rows[6] = {1, 2, 3, 4, 5, 6}, bad[6] = {1, 2, 3, 4, INFINITY, 6};
    const struct {
        const char *name, *dtype;
        const int64_t *shape;
        int rank;
        const float *data;
        const char *says; /* NULL: it is read */
    } file[] = {
        {"features", "F32", table, 2, rows, NULL},
        {"anything", "F32", table, 2, rows, NULL},
        {"features", "F32", few, 1, rows, "no tensor \"features\" of a row for each image"},
        {"features", "F32", empty, 2, rows, "3 rows of 0 features are not"},
        {"features", "F32", table, 2, bad, "feature 1 of row 1 is inf"},
    };
    maskdm_features *f = make(device, 90, WIDTH, 3, 5, 2), *g;
    static float x[90 * WIDTH], y[90 * WIDTH];

    MUST(maskdm_features_save(f, "unit-metric.tmp"));
    MUST(maskdm_features_load(&g, device, "unit-metric.tmp"));
    ck_assert_int_eq(maskdm_features_count(g), 90);
    ck_assert_int_eq(maskdm_features_width(g), WIDTH);
    MUST(maskdm_features_get(f, 0, 90, x));
    MUST(maskdm_features_get(g, 0, 90, y));
    ck_assert_mem_eq(x, y, sizeof x);
    maskdm_features_release(&f);
    maskdm_features_release(&g);
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        maskdm_file_writer *w;

        MUST(maskdm_file_writer_create(&w));
        MUST(maskdm_file_writer_add(w, file[i].name, file[i].dtype, file[i].shape, file[i].rank, file[i].data));
        MUST(maskdm_file_writer_save(w, "unit-metric.tmp"));
        maskdm_file_writer_release(&w);
        ck_assert_int_eq(maskdm_features_load(&g, device, "unit-metric.tmp"),
                         file[i].says ? MASKDM_EFORMAT : MASKDM_OK);
        if (file[i].says)
            ck_assert_msg(strstr(maskdm_last_error(), file[i].says) != NULL, "%s", maskdm_last_error());
        ck_assert_int_eq(g != NULL, !file[i].says);
        maskdm_features_release(&g);
    }
    remove("unit-metric.tmp");
}
END_TEST

/* A thousand images from one normal distribution: what is left of a distance is bias, and most of it goes. */
START_TEST(extrapolation_takes_the_bias_away)
{
    enum { COUNT = 1000, D = 24 };
    float *x = malloc(COUNT * D * sizeof *x);
    double zero[D] = {0}, one[D], finite, infinite;
    maskdm_scheduler *draws;
    maskdm_features *f;
    maskdm_statistics *s, *reference;

    MUST(maskdm_scheduler_create(&draws, NULL));
    MUST(maskdm_scheduler_draw_noise(draws, 5, 0, 0, COUNT, D, x));
    for (int i = 0; i < D; i++)
        one[i] = 1;
    reference = diagonal(zero, one, D);
    MUST(maskdm_features_create(&f, device, D));
    MUST(maskdm_features_add(f, COUNT, x));
    MUST(maskdm_statistics_create_of(&s, f));
    MUST(maskdm_statistics_distance(s, reference, NULL, &finite));
    MUST(maskdm_features_infinity(f, reference, NULL, NULL, &infinite));
    ck_assert_double_gt(finite, 0.1);
    ck_assert_double_lt(fabs(infinite), finite / 4);
    maskdm_statistics_release(&s);
    maskdm_statistics_release(&reference);
    maskdm_features_release(&f);
    maskdm_scheduler_release(&draws);
    free(x);
}
END_TEST

/* ---- kernel distance, neighbours ---- */

static double kernel_sum(const float *x, int64_t m, const float *y, int64_t n, int same)
{
    double sum = 0;

    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            if (!same || i != j)
                sum += pow(product(x + i * WIDTH, y + j * WIDTH, WIDTH) / WIDTH + 1, 3);
    return sum;
}

START_TEST(kernel_distance_is_the_plain_sum)
{
    static float a[MADE * WIDTH], b[REAL * WIDTH];
    maskdm_features *f = make(device, MADE, WIDTH, 1, 0, 1), *g = make(device, REAL, WIDTH, 2, 0.1f, 1);
    double got, m = REAL, expected;

    draw(a, MADE, WIDTH, 1, 0, 1);
    draw(b, REAL, WIDTH, 2, 0.1f, 1);
    MUST(maskdm_features_discrepancy(f, NULL, g, NULL, REAL, NULL, NULL, &got));
    expected = (kernel_sum(a, REAL, a, REAL, 1) + kernel_sum(b, REAL, b, REAL, 1)) / (m * (m - 1)) -
               2 * kernel_sum(a, REAL, b, REAL, 0) / (m * m);
    ck_assert_double_eq_tol(got, expected, 1e-9);
    maskdm_features_release(&f);
    maskdm_features_release(&g);
}
END_TEST

/* Distances of the k-th neighbours; a row is its own nearest. */
static void plain_radii(double *radius, const float *x, int64_t count, int64_t width, int k)
{
    for (int64_t i = 0; i < count; i++) {
        double least[8];
        int kept = 0;

        for (int64_t j = 0; j < count; j++) {
            const double d = apart(x + i * width, x + j * width, width);
            int at = kept;

            for (; at > 0 && least[at - 1] > d; at--)
                if (at <= k)
                    least[at] = least[at - 1];
            if (at <= k)
                least[at] = d;
            kept += kept <= k;
        }
        radius[i] = least[k];
    }
}

/* Some tens; more than are looked at in one span; so far from 0, and so large, that single precision knows nothing.
 */
static const struct {
    int64_t made, real, width;
    float shift, scale;
} neighbours[] = {
    {MADE, REAL, WIDTH, 0, 1}, {1100, 2100, 5, 0, 1}, {MADE, REAL, WIDTH, 3e4f, 1}, {90, 80, 7, 0, 1e25f}};

/* Shares of rows of f and g by plain loops. */
static void plain_neighbours(const float *f, int64_t made, const double *rf, const float *g, int64_t real,
                             const double *rg, int64_t width, double out[4])
{
    int *found = calloc((size_t)(2 * real), sizeof *found); /* in, own */

    for (int i = 0; i < 4; i++)
        out[i] = 0;
    for (int64_t i = 0; i < made; i++) {
        int hits = 0;

        for (int64_t j = 0; j < real; j++) {
            const double d = apart(f + i * width, g + j * width, width);

            hits += d < rg[j];
            found[j] |= d < rf[i];
            found[real + j] |= d < rg[j];
        }
        out[0] += (hits > 0) / (double)made;
        out[2] += hits / (3.0 * (double)made);
    }
    for (int64_t j = 0; j < real; j++) {
        out[1] += found[j] / (double)real;
        out[3] += found[real + j] / (double)real;
    }
    free(found);
}

START_TEST(neighbours_are_those_of_plain_loops)
{
    const int64_t made = neighbours[_i].made, real = neighbours[_i].real, width = neighbours[_i].width;
    const float shift = neighbours[_i].shift, scale = neighbours[_i].scale;
    float *a = malloc((size_t)(made * width) * sizeof *a), *b = malloc((size_t)(real * width) * sizeof *b);
    double *ra = malloc((size_t)made * sizeof *ra), *rb = malloc((size_t)real * sizeof *rb),
           *got = malloc((size_t)real * sizeof *got);
    maskdm_features *f = make(device, made, width, 1, shift, scale);
    maskdm_features *g = make(device, real, width, 2, shift + 0.1f * scale, 0.97f * scale);
    maskdm_options *o = rig_options("metric", "neighbours=3");
    double wanted[4], is[4];

    draw(a, made, width, 1, shift, scale);
    draw(b, real, width, 2, shift + 0.1f * scale, 0.97f * scale);
    plain_radii(ra, a, made, width, 3);
    plain_radii(rb, b, real, width, 3);
    plain_neighbours(a, made, ra, b, real, rb, width, wanted);
    MUST(maskdm_features_neighbours(f, g, o, NULL, is, is + 1, is + 2, is + 3));
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol(is[i], wanted[i], 1e-12);
    ck_assert(is[0] > 0 && is[0] < 1 && is[1] > 0 && is[1] < 1);
    MUST(maskdm_features_radii(g, 3, NULL, got, real));
    for (int64_t j = 0; j < real; j++)
        ck_assert_double_eq_tol(got[j], sqrt(rb[j]), 1e-9 * ((double)scale + (double)shift * (double)shift / 100));
    maskdm_options_release(&o);
    maskdm_features_release(&f);
    maskdm_features_release(&g);
    free(a);
    free(b);
    free(ra);
    free(rb);
    free(got);
}
END_TEST

/* Copies are at the distance 0, to the last bit, and nothing is nearer than that. */
START_TEST(copies_are_at_no_distance)
{
    float row[5 * WIDTH];
    double radius[4], p, r, d, c;
    maskdm_options *o = rig_options("metric", "neighbours=2");
    maskdm_features *f;

    draw(row, 1, WIDTH, 9, 50, 1);
    MUST(maskdm_features_create(&f, device, WIDTH));
    for (int i = 0; i < 4; i++)
        MUST(maskdm_features_add(f, 1, row));
    MUST(maskdm_features_radii(f, 3, NULL, radius, 4));
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq(radius[i], 0);
    MUST(maskdm_features_neighbours(f, f, o, NULL, &p, &r, &d, &c));
    ck_assert_double_eq(p + r + d + c, 0);
    maskdm_options_release(&o);
    maskdm_features_release(&f);
}
END_TEST

START_TEST(threads_do_not_matter)
{
    double got[2][8];

    for (int i = 0; i < 2; i++) {
        maskdm_device *d = rig_device(i ? "threads=3" : "threads=1");
        maskdm_features *f = make(d, MADE, WIDTH, 1, 0, 1), *g = make(d, REAL, WIDTH, 2, 0.1f, 0.97f);
        maskdm_options *o = rig_options("metric", "subsets=3 subset_size=100 neighbours=3 infinity_points=3");
        maskdm_statistics *s, *t;
        double *x = got[i];

        MUST(maskdm_statistics_create_of(&s, f));
        MUST(maskdm_statistics_create_of(&t, g));
        MUST(maskdm_statistics_distance(s, t, NULL, x));
        MUST(maskdm_features_kernel_distance(f, g, o, NULL, x + 1, x + 2));
        MUST(maskdm_features_neighbours(f, g, o, NULL, x + 3, x + 4, x + 5, x + 6));
        MUST(maskdm_features_infinity(f, t, o, NULL, x + 7));
        maskdm_options_release(&o);
        maskdm_statistics_release(&s);
        maskdm_statistics_release(&t);
        maskdm_features_release(&f);
        maskdm_features_release(&g);
        maskdm_device_release(&d);
    }
    ck_assert_mem_eq(got[0], got[1], sizeof got[0]);
}
END_TEST

/* ---- what is refused ---- */

#define REFUSED(call, code, words)                                                                                   \
    do {                                                                                                             \
        ck_assert_int_eq(call, code);                                                                                \
        ck_assert_msg(strstr(maskdm_last_error(), words) != NULL, "%s", maskdm_last_error());                        \
    } while (0)

START_TEST(what_is_refused)
{
    static const double mean[2] = {0, 0}, negative[4] = {1, 0, 0, -1}, crossed[4] = {0, 1, 1, 0};
    static const double steep[9] = {1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1}, three[3] = {0};
    const float bad[3] = {1, NAN, 2}, three_floats[3] = {1, 2, 3};
    maskdm_features *f = make(device, 20, 3, 1, 0, 1), *g = make(device, 20, 4, 1, 0, 1);
    maskdm_statistics *s, *t, *few;
    double x, y;

    MUST(maskdm_statistics_create_of(&s, f));
    MUST(maskdm_statistics_create_of(&t, g));
    REFUSED(maskdm_statistics_distance(s, t, NULL, &x), MASKDM_ESHAPE, "features of 3 numbers against features of 4");
    REFUSED(maskdm_features_kernel_distance(f, g, NULL, NULL, &x, &y), MASKDM_ESHAPE, "3 numbers");
    REFUSED(maskdm_features_add(f, 1, bad), MASKDM_ENONFINITE, "feature 1 of row 20 is nan");
    ck_assert_int_eq(maskdm_features_count(f), 20);
    REFUSED(maskdm_features_radii(f, 20, NULL, &x, 20), MASKDM_EINVAL, "at least 21 rows");
    REFUSED(maskdm_features_discrepancy(f, NULL, f, NULL, 21, NULL, NULL, &x), MASKDM_EINVAL, "there are 20 and 20");
    MUST(maskdm_statistics_create(&few, device, 3));
    MUST(maskdm_statistics_add(few, 1, three_floats));
    REFUSED(maskdm_statistics_distance(few, s, NULL, &x), MASKDM_EINVAL, "at least 2 rows of features, not 1");
    maskdm_statistics_release(&few);
    maskdm_statistics_release(&t);
    MUST(maskdm_statistics_create_from(&t, device, 0, 2, mean, negative));
    REFUSED(maskdm_statistics_distance(t, t, NULL, &x), MASKDM_EINVAL, "no covariance: element 1, 1 is -1");
    maskdm_statistics_release(&t);
    MUST(maskdm_statistics_create_from(&t, device, 0, 2, mean, crossed));
    REFUSED(maskdm_statistics_distance(t, t, NULL, &x), MASKDM_EINVAL, "no covariance: element 1, 0 is 1");
    maskdm_statistics_release(&t);
    MUST(maskdm_statistics_create_from(&t, device, 0, 3, three, steep));
    REFUSED(maskdm_statistics_distance(t, s, NULL, &x), MASKDM_EINVAL, "a variance of -");
    maskdm_statistics_release(&t);
    maskdm_statistics_release(&s);
    maskdm_features_release(&f);
    maskdm_features_release(&g);
}
END_TEST

/* Every allocation of all of it refused in turn: nothing crashes, nothing stays. */
struct refusal {
    long at, seen;
};

static int refuse(void *user, size_t bytes)
{
    struct refusal *r = user;

    (void)bytes;
    return r->seen++ == r->at;
}

static int all_of_it(const float *rows, const maskdm_options *o)
{
    maskdm_features *f = NULL, *g = NULL;
    maskdm_statistics *s = NULL, *t = NULL;
    maskdm_extractor *e = NULL;
    double x, y, z, w;
    float said[480];
    int status = maskdm_features_create(&f, device, 6);

    status = status < 0 ? status : maskdm_features_create(&g, device, 6);
    status = status < 0 ? status : maskdm_features_add(f, 40, rows);
    status = status < 0 ? status : maskdm_features_add(g, 40, rows + 7);
    status = status < 0 ? status : maskdm_statistics_create_of(&s, f);
    status = status < 0 ? status : maskdm_statistics_save(s, "unit-metric.tmp");
    status = status < 0 ? status : maskdm_statistics_load(&t, device, "unit-metric.tmp");
    status = status < 0 ? status : maskdm_statistics_distance(s, t, NULL, &x);
    status = status < 0 ? status : maskdm_features_save(f, "unit-metric.tmp");
    maskdm_features_release(&f);
    status = status < 0 ? status : maskdm_features_load(&f, device, "unit-metric.tmp");
    status = status < 0 ? status : maskdm_features_kernel_distance(f, g, o, NULL, &x, &y);
    status = status < 0 ? status : maskdm_features_neighbours(f, g, o, NULL, &x, &y, &z, &w);
    status = status < 0 ? status : maskdm_features_infinity(f, t, o, NULL, &x);
    status = status < 0 ? status : maskdm_extractor_create(&e, device);
    status = status < 0 ? status : maskdm_extractor_run(e, 1, 4, 4, 3, rows, NULL, said);
    maskdm_features_release(&f);
    maskdm_features_release(&g);
    maskdm_statistics_release(&s);
    maskdm_statistics_release(&t);
    maskdm_extractor_release(&e);
    return status;
}

START_TEST(refused_memory)
{
    float rows[48 * 6];
    maskdm_options *o = rig_options("metric", "subsets=2 subset_size=9 neighbours=2 infinity_points=2");
    struct refusal r = {0};
    const struct mdm_alloc_hook hook = {refuse, &r};
    const long before = mdm_alloc_live();
    int status = MASKDM_ENOMEM;

    draw(rows, 48, 6, 1, 0, 1);
    for (; status < 0 && r.at < 2000; r.at++) {
        r.seen = 0;
        mdm_alloc_hook_set(&hook);
        status = all_of_it(rows, o);
        mdm_alloc_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_ENOMEM, "%ld: %s", r.at, maskdm_last_error());
        ck_assert_int_eq(mdm_alloc_live(), before);
    }
    ck_assert_int_eq(status, MASKDM_OK);
    ck_assert_int_gt(r.at, 40);
    remove("unit-metric.tmp");
    maskdm_options_release(&o);
}
END_TEST

/* Another thread that reads while rows are added; that their memory is asked for is the moment to do so. */
struct reader {
    maskdm_features *features;
    int asked, busy;
};

static int read_meanwhile(void *user, size_t bytes)
{
    struct reader *r = user;

    (void)bytes;
    r->asked++;
    r->busy += maskdm_features_get(r->features, 0, 0, NULL) == MASKDM_EBUSY;
    return 0;
}

START_TEST(rows_are_not_read_while_they_move)
{
    struct reader r = {0};
    const struct mdm_alloc_hook hook = {read_meanwhile, &r};
    float row[WIDTH] = {0};

    MUST(maskdm_features_create(&r.features, device, WIDTH));
    mdm_alloc_hook_set(&hook);
    MUST(maskdm_features_add(r.features, 1, row));
    mdm_alloc_hook_set(NULL);
    ck_assert_int_gt(r.asked, 0);
    ck_assert_int_eq(r.busy, r.asked);
    MUST(maskdm_features_get(r.features, 0, 1, row));
    maskdm_features_release(&r.features);
}
END_TEST

static int count_calls(void *user, const struct maskdm_progress *p)
{
    ck_assert_int_le(p->step, p->steps);
    return ++*(int *)user == 2;
}

static int fill(void *user, int64_t first, int64_t count, float *rows)
{
    (void)user;
    draw(rows, count, WIDTH, (uint32_t)first, 0, 1);
    return 0;
}

START_TEST(the_host_may_end_it)
{
    maskdm_control *control;
    maskdm_features *f;
    int calls = 0;

    MUST(maskdm_control_create(&control));
    maskdm_control_set_progress(control, count_calls, &calls);
    ck_assert_int_eq(maskdm_features_create_callback(&f, device, 2000, WIDTH, fill, NULL, control), MASKDM_ECANCELED);
    ck_assert_ptr_null(f);
    ck_assert_int_eq(calls, 2);
    maskdm_control_set_progress(control, NULL, NULL);
    MUST(maskdm_features_create_callback(&f, device, 2000, WIDTH, fill, NULL, control));
    ck_assert_int_eq(maskdm_features_count(f), 2000);
    maskdm_control_cancel(control);
    ck_assert_int_eq(maskdm_features_radii(f, 3, control, NULL, 0), MASKDM_ESHAPE);
    maskdm_control_release(&control);
    maskdm_features_release(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metric");
    TCase *c = tcase_create("metric");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, statistics_are_those_of_two_passes);
    tcase_add_test(c, distance_of_independent_features);
    tcase_add_loop_test(c, no_distance_to_itself, 0, 2);
    tcase_add_test(c, statistics_in_a_file);
    tcase_add_test(c, features_in_a_file);
    tcase_add_test(c, extrapolation_takes_the_bias_away);
    tcase_add_test(c, kernel_distance_is_the_plain_sum);
    tcase_add_loop_test(c, neighbours_are_those_of_plain_loops, 0, sizeof neighbours / sizeof *neighbours);
    tcase_add_test(c, copies_are_at_no_distance);
    tcase_add_test(c, threads_do_not_matter);
    tcase_add_test(c, what_is_refused);
    tcase_add_test(c, refused_memory);
    tcase_add_test(c, rows_are_not_read_while_they_move);
    tcase_add_test(c, the_host_may_end_it);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
