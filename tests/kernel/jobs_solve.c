/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums of images, a solver's step and quantiles, against their formulas in double and, to the bit, the host's.
 */
#include "jobs.h"

/* ---- a job with the memory of the host, done in a place, and what the host does with it ---- */

static void expect_same_bits(const char *what, const float *got, const float *want, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(memcmp(&got[i], &want[i], sizeof *got) == 0, "%s: value %lld is %.9g, on the host %.9g", what,
                      (long long)i, (double)got[i], (double)want[i]);
}

static void mix_in(int place, const struct mdm_mix *host)
{
    struct mdm_backend *b = enter_place(place);
    struct mdm_mix j = *host, want = *host;

    want.y = draw_floats(j.n);
    memcpy(want.y, host->y, (size_t)j.n * sizeof(float));
    j.y = lend(b, host->y, j.n);
    for (int k = 0; k < j.count; k++) {
        j.x[k] = host->x[k] == host->y ? j.y : lend(b, host->x[k], j.n);
        want.x[k] = host->x[k] == host->y ? want.y : host->x[k];
    }
    ck_assert_int_eq(b->v->mix(b, &j), MASKDM_OK);
    fetch(b, host->y, j.y, j.n);
    leave_place(b);
    mdm_mix_on_host(&want);
    expect_same_bits("mix", host->y, want.y, j.n);
    free(want.y);
}

static float *copy_of(const float *from, int64_t n)
{
    float *to = draw_floats(n);

    memcpy(to, from, (size_t)n * sizeof *to);
    return to;
}

/* What is NULL stays so. */
static float *lend_some(struct mdm_backend *b, const float *from, int64_t n)
{
    return from ? lend(b, from, n) : NULL;
}

static void solve_in(int place, const struct mdm_solve *host)
{
    struct mdm_backend *b = enter_place(place);
    struct mdm_solve j = *host, want = *host;
    const int64_t n = j.n;

    want.x = copy_of(host->x, n);
    want.x0 = draw_floats(n);
    want.start = host->start ? copy_of(host->start, n) : NULL;
    j.x = lend(b, host->x, n);
    j.x0 = lend(b, NULL, n);
    j.f = lend(b, host->f, n);
    j.z = lend_some(b, host->z, n);
    j.start = lend_some(b, host->start, n);
    j.spread = lend_some(b, host->spread, n);
    for (int k = 0; k < MDM_BEFORE; k++)
        j.before[k] = lend_some(b, host->before[k], n);
    ck_assert_int_eq(b->v->solve(b, &j), MASKDM_OK);
    fetch(b, host->x, j.x, n);
    fetch(b, host->x0, j.x0, n);
    if (host->start)
        fetch(b, host->start, j.start, n);
    leave_place(b);
    mdm_solve_on_host(&want);
    if (!host->spread) {
        expect_same_bits("x", host->x, want.x, n);
        expect_same_bits("x0", host->x0, want.x0, n);
    }
    if (!host->spread && host->start)
        expect_same_bits("start", host->start, want.start, n);
    free(want.x);
    free(want.x0);
    free(want.start);
}

static void quantile_in(int place, const struct mdm_quantile *host)
{
    struct mdm_backend *b = enter_place(place);
    struct mdm_quantile j = *host;
    double *want = malloc((size_t)j.batch * sizeof *want);

    ck_assert_ptr_nonnull(want);
    j.x = lend(b, host->x, j.batch * j.n);
    j.f = lend(b, host->f, j.batch * j.n);
    ck_assert_int_eq(b->v->quantile(b, &j), MASKDM_OK);
    leave_place(b);
    j = *host;
    j.out = want;
    mdm_quantile_on_host(&j);
    for (int64_t i = 0; i < j.batch; i++)
        ck_assert_msg(memcmp(&host->out[i], &want[i], sizeof *want) == 0,
                      "quantile %g of image %lld of %lld values is %.17g, on the host %.17g", j.share, (long long)i,
                      (long long)j.n, host->out[i], want[i]);
    free(want);
}

/* Sums of images, and a solver's step with every term, by hand; on more values than a thread takes at once. */
START_TEST(mixes_and_steps)
{
    enum { N = 9000 };
    static const double factor[2][8] = {{0.1, 0.5, -2.1, 1.5, 0.7, 0.3, -1.2, -0.2},
                                        {-0.6, 0.5, 0.2, -0.7, 1, -0.6, 0.5, 1.1}};
    float *x = draw_floats(N), *f = draw_floats(N), *z = draw_floats(N);
    float *before[MDM_BEFORE] = {draw_floats(N), draw_floats(N), draw_floats(N)};
    float *start = draw_floats(N), *y = draw_floats(N), *x0 = draw_floats(N), *old = draw_floats(N);

    for (int i = 0; i < 6 * place_count; i++) {
        const struct mdm_mix mix = {.n = N, .count = 3, .x = {x, f, z}, .a = {0.6, -2.1, 3}, .y = y};
        const struct mdm_mix some = {
            .n = N, .count = 2, .x = {x, f}, .a = {3, -2.1}, .y = y, .channels = 4, .mixed = 3};
        struct mdm_solve s = {.n = N,
                              .clean_x = 0.3,
                              .clean_f = -0.7,
                              .signal = 0.6,
                              .noise = 0.8,
                              .clip = i % 6 > 1 ? 0.75 : 0,
                              .eps = i % 3,
                              .keeps = i % 2,
                              .x = y,
                              .f = f,
                              .before = {before[0], before[1], before[2]},
                              .z = z,
                              .start = start,
                              .x0 = x0,
                              .spread = i % 6 == 5 ? f : NULL,
                              .spread_a = 0.25,
                              .spread_b = -0.5};
        struct mdm_terms *sum[] = {&s.next, &s.kept};

        memcpy(y, x, N * sizeof *y);
        mix_in(i / 6, &mix);
        for (int k = 0; k < N; k++)
            ck_assert_double_eq_tol(y[k], 0.6 * x[k] - 2.1 * f[k] + 3 * z[k], 1e-5);
        memcpy(y, z, N * sizeof *y);
        mix_in(i / 6, &some);
        for (int k = 0; k < N; k++)
            ck_assert_double_eq_tol(y[k], k % 4 == 3 ? z[k] : 3 * x[k] - 2.1 * f[k], 1e-5);
        memcpy(y, x, N * sizeof *y);
        memcpy(old, start, N * sizeof *old);
        for (int m = 0; m < 2; m++)
            *sum[m] = (struct mdm_terms){
                factor[m][0], factor[m][1], factor[m][2], factor[m][3], {factor[m][4], factor[m][5], factor[m][6]},
                factor[m][7]};
        solve_in(i / 6, &s);
        for (int k = 0; k < N; k++) {
            const double whole = 0.3 * x[k] - 0.7 * f[k], clean = s.clip ? fmin(fmax(whole, -0.75), 0.75) : whole;
            const double eps[] = {(x[k] - 0.6 * clean) / 0.8, (x[k] - 0.6 * whole) / 0.8, f[k]};
            const double term[] = {
                x[k],         old[k],       clean,        eps[i % 3],
                before[0][k], before[1][k], before[2][k], z[k] * (s.spread ? exp(0.25 - 0.5 * f[k]) : 1)};
            double want[2] = {0};

            for (int m = 0; m < 8; m++)
                for (int to = 0; to < 2; to++)
                    want[to] += factor[to][m] * term[m];
            ck_assert_double_eq_tol(x0[k], clean, 1e-5);
            ck_assert_double_eq_tol(y[k], want[0], 1e-5);
            ck_assert_double_eq_tol(start[k], s.keeps ? want[1] : old[k], 1e-5);
        }
    }
    free(x);
    free(f);
    for (int k = 0; k < MDM_BEFORE; k++)
        free(before[k]);
    free(z);
    free(start);
    free(y);
    free(x0);
    free(old);
}
END_TEST

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Against sorting, with equal values among them; and a step that keeps each image within its own limit. */
START_TEST(quantiles_limit_images)
{
    enum { B = 3, N = 301 };
    static const double shares[] = {0, 0.25, 0.5, 0.995, 1};
    float *x = draw_floats(B * N), *f = draw_floats(B * N), y[B * N], x0[B * N];
    double sorted[B][N], limit[B];

    for (int i = 0; i < B * N; i += 7)
        x[i] = f[i] = 0.5f;
    for (int b = 0; b < B; b++) {
        for (int i = 0; i < N; i++)
            sorted[b][i] = fabs(0.25 * x[b * N + i] - 0.5 * f[b * N + i]);
        qsort(sorted[b], N, sizeof sorted[b][0], by_size);
    }
    for (int i = 0; i < place_count; i++)
        for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
            struct mdm_quantile q = {.batch = B,
                                     .n = N,
                                     .clean_x = 0.25,
                                     .clean_f = -0.5,
                                     .share = shares[k],
                                     .x = x,
                                     .f = f,
                                     .out = limit};
            struct mdm_solve s = {.n = B * N,
                                  .clean_x = 0.25,
                                  .clean_f = -0.5,
                                  .signal = 0.6,
                                  .noise = 0.8,
                                  .limit = limit,
                                  .image = N,
                                  .next = {.x0 = 2},
                                  .x = y,
                                  .f = f,
                                  .x0 = x0};
            const double place = shares[k] * (N - 1);
            const int rank = (int)place;

            quantile_in(i, &q);
            for (int m = 0; m < B; m++) {
                const double above = rank + 1 < N ? sorted[m][rank + 1] : 0;

                ck_assert_double_eq_tol(limit[m], sorted[m][rank] + (place - rank) * (above - sorted[m][rank]),
                                        1e-12);
                limit[m] += 0.01;
            }
            memcpy(y, x, sizeof y);
            solve_in(i, &s);
            for (int m = 0; m < B * N; m++) {
                const double most = limit[m / N], clean = fmin(fmax(0.25 * x[m] - 0.5 * f[m], -most), most) / most;

                ck_assert_double_eq_tol(x0[m], clean, 1e-6);
                ck_assert_double_eq_tol(y[m], 2 * clean, 1e-6);
            }
        }
    free(x);
    free(f);
}
END_TEST

/* Images of one value and of many, with nothing but equal ones, and with such that are no number. */
START_TEST(quantiles_are_the_hosts)
{
    enum { MOST = 3 * 5000 };
    static const double shares[] = {0, 0.1, 0.5, 0.9, 0.995, 1};
    static const int64_t sizes[] = {1, 2, 3, 31, 1025, 5000};
    float *x = draw_floats(MOST), *f = draw_floats(MOST);
    double out[3];

    for (int kind = 0; kind < 4; kind++) {
        for (int i = 0; i < MOST; i++) {
            x[i] = kind == 1 ? 0.3f : kind == 2 ? (float)(i % 3) : x[i];
            f[i] = kind == 1 ? -0.2f : kind == 2 ? (float)(i % 2) : f[i];
        }
        for (int i = 0; kind == 3 && i < MOST; i++)
            x[i] = i % 9 ? (float)draw() : i % 2 ? NAN : INFINITY;
        for (int i = 0; i < place_count; i++)
            for (size_t k = 0; k < MDM_LENGTH(shares); k++)
                for (size_t n = 0; n < MDM_LENGTH(sizes); n++) {
                    const struct mdm_quantile q = {.batch = 3,
                                                   .n = sizes[n],
                                                   .clean_x = 1.1,
                                                   .clean_f = -0.7,
                                                   .share = shares[k],
                                                   .x = x,
                                                   .f = f,
                                                   .out = out};

                    quantile_in(i, &q);
                }
    }
    free(x);
    free(f);
}
END_TEST

/* What has no factor may be NULL. */
START_TEST(what_does_not_count_is_not_read)
{
    enum { N = 37 };
    float *x = draw_floats(N), *f = draw_floats(N), y[N], x0[N];

    for (int i = 0; i < place_count; i++)
        for (int eps = 0; eps < 3; eps++) {
            const struct mdm_solve s = {.n = N,
                                        .clean_x = 1.1,
                                        .clean_f = -0.7,
                                        .signal = 0.6,
                                        .noise = 0.8,
                                        .eps = (enum mdm_eps)eps,
                                        .next = {.x = 0.3, .x0 = 0.4, .eps = 0.7},
                                        .x = y,
                                        .f = f,
                                        .x0 = x0};

            memcpy(y, x, sizeof y);
            solve_in(i, &s);
        }
    free(x);
    free(f);
}
END_TEST

/* Each channel has its own range. */
START_TEST(ranges_of_channels)
{
    enum { N = 9000 };
    static const struct mdm_range within[] = {{-0.25, 0.5}, {-0.1, 0.1}, {0, 2}};
    float *x = draw_floats(N), *f = draw_floats(N), y[N], x0[N];

    for (int i = 0; i < place_count; i++) {
        const struct mdm_solve s = {.n = N,
                                    .clean_x = 0.25,
                                    .clean_f = -0.5,
                                    .clip = 1,
                                    .signal = 0.6,
                                    .noise = 0.8,
                                    .within = within,
                                    .channels = 3,
                                    .next = {.x0 = 2},
                                    .x = y,
                                    .f = f,
                                    .x0 = x0};

        memcpy(y, x, sizeof y);
        solve_in(i, &s);
        for (int k = 0; k < N; k++) {
            const double want = fmin(fmax(0.25 * x[k] - 0.5 * f[k], within[k % 3].low), within[k % 3].high);

            ck_assert_double_eq_tol(x0[k], want, 1e-6);
            ck_assert_double_eq_tol(y[k], 2 * want, 1e-6);
        }
    }
    free(x);
    free(f);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, mixes_and_steps);
    tcase_add_test(c, quantiles_limit_images);
    tcase_add_test(c, quantiles_are_the_hosts);
    tcase_add_test(c, what_does_not_count_is_not_read);
    tcase_add_test(c, ranges_of_channels);
}

int main(void)
{
    return run_places("jobs_solve", add_tests);
}
