/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The jobs beside the program: noise, loss, gradient norm, AdamW with the moving average, putting patches back. Each
 * against its formula in double, on one and on three threads, through a device as callers have it.
 */
#include "backend/cpu/loss.h"
#include "backend/device.h"

#include "twin.h"

static char settings[2 * MOST_TABLES][64]; /* one and three threads for every instruction set */
static int setting_count;

static void list_settings(void)
{
    for (const struct mdm_cpu_set *s = mdm_cpu_sets; s->name; s++)
        for (int threads = 1; threads <= 3 && s->runs_here(); threads += 2)
            snprintf(settings[setting_count++], sizeof settings[0], "threads=%d instruction_set=%s", threads,
                     s->name);
}

static maskdm_device *open_device(const char *text)
{
    maskdm_options *o;
    maskdm_device *d;

    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, text), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_open(&d, "cpu", o), MASKDM_OK);
    maskdm_options_release(&o);
    return d;
}

static float *draw_floats(int64_t n)
{
    float *p = malloc((size_t)(n + 1) * sizeof *p);

    ck_assert_ptr_nonnull(p);
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)draw();
    return p;
}

START_TEST(normals_belong_to_their_image)
{
    enum { BATCH = 3, N = 4 * 4096 + 12 };
    float *out = draw_floats(BATCH * N), *want = draw_floats(N);

    for (int i = 0; i < setting_count; i++) {
        maskdm_device *d = open_device(settings[i]);
        struct mdm_backend *b = mdm_device_backend(d);
        struct mdm_rng s[BATCH];
        for (int k = 0; k < BATCH; k++)
            s[k] = mdm_rng_make(5, MDM_DRAW_NOISE, (uint64_t)k, 9);
        ck_assert_int_eq(b->v->normal(b, out, BATCH, N, s), MASKDM_OK);
        for (int k = 0; k < BATCH; k++) {
            mdm_rng_normal(want, N, &s[k], 0);
            ck_assert_mem_eq(out + k * N, want, N * sizeof *want);
        }
        maskdm_device_release(&d);
    }
    free(out);
    free(want);
}
END_TEST

START_TEST(noise_is_mixed_in_by_image)
{
    enum { N = 19 };
    static const double signal[] = {0.8, 0.1}, noise[] = {0.6, 0.9}, t0[] = {-0.6, 0}, te[] = {0.8, 1};
    float *x0 = draw_floats(2 * N), *eps = draw_floats(2 * N), x_t[2 * N], target[2 * N];

    for (int i = 0; i < setting_count; i++)
        for (int with = 0; with <= 1; with++) {
            maskdm_device *d = open_device(settings[i]);
            struct mdm_backend *b = mdm_device_backend(d);
            struct mdm_noising j = {2, N, x0, eps, signal, noise, t0, te, x_t, with ? target : NULL};
            ck_assert_int_eq(b->v->noising(b, &j), MASKDM_OK);
            for (int k = 0; k < 2 * N; k++) {
                int m = k / N;
                ck_assert_double_eq_tol((double)x_t[k], signal[m] * (double)x0[k] + noise[m] * (double)eps[k], 2e-7);
                if (with)
                    ck_assert_double_eq_tol((double)target[k], t0[m] * (double)x0[k] + te[m] * (double)eps[k], 2e-7);
            }
            maskdm_device_release(&d);
        }
    free(x0);
    free(eps);
}
END_TEST

/* H 6, W 4, C 3, p 2: value (row, column, channel) of patch `patch` in image b */
static int64_t image_at(int b, int patch, int v)
{
    int row = patch / 2 * 2 + v / 6, column = patch % 2 * 2 + v % 6 / 3;

    return ((b * 6 + row) * 4 + column) * 3 + v % 3;
}

/* What one difference costs, and how fast that grows; of a whole image the squares alone. */
static double cost(enum mdm_loss_kind kind, double d, double delta, double *slope)
{
    const double a = fabs(d), sign = (d > 0) - (d < 0), root = sqrt(d * d + delta * delta);
    const double huber = a <= delta ? d * d / 2 : delta * (a - delta / 2), bound = a <= delta ? d : sign * delta;
    const double costs[MDM_LOSSES] = {d * d, a, huber, huber / delta, root - delta, d * d};
    const double slopes[MDM_LOSSES] = {2 * d, sign, bound, bound / delta, d / root, 2 * d};

    *slope = slopes[kind];
    return costs[kind];
}

/* Three patches of each image; nine values in a run, so that every lane and what is left behind them count. */
static void expect_loss(struct mdm_backend *b, enum mdm_loss_kind kind, float *pred, const float *target)
{
    static const int32_t index[] = {5, 0, 3, 1, 4, 2};
    const double weight[] = {1, 2.5}, scale = 0.7, delta = 0.3;
    float dpred[72];
    double loss[2], plain[2];
    struct mdm_loss j = {.batch = 2,
                         .height = 6,
                         .width = 4,
                         .channels = 3,
                         .patch = 2,
                         .visible = 3,
                         .kind = kind,
                         .delta = delta,
                         .pred = pred,
                         .target = target,
                         .index = index,
                         .weight = weight,
                         .scale = scale,
                         .loss = loss,
                         .dpred = dpred};

    ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
    for (int m = 0; m < 2; m++) {
        const int whole = kind == MDM_LOSS_PSEUDO_HUBER_IMAGE;
        double sum = 0, slope[36], root;

        for (int v = 0; v < 36; v++)
            sum += cost(kind, (double)pred[m * 36 + v] - (double)target[image_at(m, index[m * 3 + v / 12], v % 12)],
                        delta, &slope[v]);
        root = sqrt(sum + delta * delta);
        for (int v = 0; v < 36; v++)
            ck_assert_double_eq_tol((double)dpred[m * 36 + v],
                                    weight[m] * scale * (whole ? slope[v] / (2 * root) : slope[v] / 36), 1e-7);
        ck_assert_double_eq_tol(loss[m], weight[m] * (whole ? root - delta : sum / 36), 1e-12);
    }
    j.dpred = NULL;
    j.loss = plain;
    ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
    ck_assert_mem_eq(plain, loss, sizeof loss);
    pred[7] = NAN; /* in the loss and in the gradient, of its own image alone */
    j.loss = loss;
    j.dpred = dpred;
    ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
    ck_assert(isnan(loss[0]) && isfinite(loss[1]) && isnan(dpred[7]) && isfinite(dpred[36]));
    ck_assert(isfinite(dpred[6]) || kind == MDM_LOSS_PSEUDO_HUBER_IMAGE);
    pred[7] = 0.25f;
}

/* An image's error as one, with a bound of each image's own; without one it is the norm, whose gradient ends at 0. */
static void expect_norms(struct mdm_backend *b, float *pred, float *target)
{
    static const int32_t index[] = {5, 0, 3, 1, 4, 2};
    const double weight[] = {1.5, 2}, deltas[] = {0, 0.4};
    float dpred[72];
    double loss[2];
    struct mdm_loss j = {.batch = 2,
                         .height = 6,
                         .width = 4,
                         .channels = 3,
                         .patch = 2,
                         .visible = 3,
                         .kind = MDM_LOSS_PSEUDO_HUBER_IMAGE,
                         .deltas = deltas,
                         .pred = pred,
                         .target = target,
                         .index = index,
                         .weight = weight,
                         .scale = 0.5,
                         .loss = loss,
                         .dpred = dpred};

    ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
    for (int m = 0; m < 2; m++) {
        double sum = 0, d[36];

        for (int v = 0; v < 36; v++) {
            d[v] = (double)pred[m * 36 + v] - (double)target[image_at(m, index[m * 3 + v / 12], v % 12)];
            sum += d[v] * d[v];
        }
        sum = sqrt(sum + deltas[m] * deltas[m]);
        ck_assert_double_eq_tol(loss[m], weight[m] * (sum - deltas[m]), 1e-12);
        for (int v = 0; v < 36; v++)
            ck_assert_double_eq_tol((double)dpred[m * 36 + v], 0.5 * weight[m] * d[v] / sum, 1e-7);
    }
    for (int v = 0; v < 36; v++)
        pred[v] = target[image_at(0, index[v / 12], v % 12)];
    ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
    ck_assert(loss[0] == 0 && loss[1] > 0);
    for (int v = 0; v < 36; v++)
        ck_assert(dpred[v] == 0);
}

START_TEST(losses_and_their_gradients)
{
    float *pred = draw_floats(2 * 3 * 12), *target = draw_floats(2 * 72);

    for (int i = 0; i < setting_count; i++)
        for (int kind = 0; kind < MDM_LOSSES; kind++) {
            maskdm_device *d = open_device(settings[i]);

            expect_loss(mdm_device_backend(d), (enum mdm_loss_kind)kind, pred, target);
            maskdm_device_release(&d);
        }
    for (int i = 0; i < setting_count; i++) {
        maskdm_device *d = open_device(settings[i]);

        pred[0] += 0.5f;
        expect_norms(mdm_device_backend(d), pred, target);
        maskdm_device_release(&d);
    }
    free(pred);
    free(target);
}
END_TEST

/* The runs of every instruction set beside the portable ones, at each length and with zeros, bounds and NaN. */
START_TEST(runs_of_losses)
{
    enum { MOST = 37, BEHIND = 8 };
    float *pred = draw_floats(MOST), *target = draw_floats(MOST), a[MOST + BEHIND], b[MOST + BEHIND];

    target[3] = pred[3];
    target[5] = pred[5] - 0.25f;
    pred[9] = NAN;
    for (const struct mdm_cpu_set *s = mdm_cpu_sets; s->name; s++)
        for (int kind = 0; kind < MDM_LOSSES && s->fill && s->runs_here(); kind++)
            for (int n = 0; n <= MOST; n++) {
                struct mdm_cpu_table t = {.loss = NULL};
                double sums[2] = {1, 1};

                s->fill(&t);
                for (int i = 0; i < MOST + BEHIND; i++)
                    a[i] = b[i] = 7;
                mdm_loss_runs_c[kind](&sums[0], a, pred, target, n, 0.25, 0.9);
                t.loss[kind](&sums[1], b, pred, target, n, 0.25, 0.9);
                ck_assert(fabs(sums[0] - sums[1]) <= 1e-14 * sums[0] || (isnan(sums[0]) && isnan(sums[1])));
                for (int i = 0; i < MOST + BEHIND; i++)
                    ck_assert_msg(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])), "%s, kind %d, value %d of %d",
                                  s->name, kind, i, n);
            }
    free(pred);
    free(target);
}
END_TEST

/* Sums of images, and a solver's step with every term, by hand; on more values than a thread takes at once. */
START_TEST(mixes_and_steps)
{
    enum { N = 9000 };
    static const double factor[2][8] = {{0.125, 0.5, -2, 1.5, 0.75, 0.375, -1.25, -0.25},
                                        {-0.5, 0.5, 0.25, -0.75, 1, -0.625, 0.5, 1.125}};
    float *x = draw_floats(N), *f = draw_floats(N), *z = draw_floats(N);
    float *before[MDM_BEFORE] = {draw_floats(N), draw_floats(N), draw_floats(N)};
    float *start = draw_floats(N), *y = draw_floats(N), *x0 = draw_floats(N), *old = draw_floats(N);

    for (int i = 0; i < 4 * setting_count; i++) {
        maskdm_device *d = open_device(settings[i / 4]);
        struct mdm_backend *b = mdm_device_backend(d);
        const struct mdm_mix mix = {.n = N, .count = 3, .x = {x, f, z}, .a = {0.5, -2, 3}, .y = y};
        const struct mdm_mix some = {
            .n = N, .count = 2, .x = {x, f}, .a = {3, -2}, .y = y, .channels = 4, .mixed = 3};
        struct mdm_solve s = {.n = N,
                              .clean_x = 0.25,
                              .clean_f = -0.5,
                              .signal = 0.6,
                              .noise = 0.8,
                              .clip = i % 4 ? 0.75 : 0,
                              .eps = i % 3,
                              .keeps = i % 2,
                              .x = y,
                              .f = f,
                              .before = {before[0], before[1], before[2]},
                              .z = z,
                              .start = start,
                              .x0 = x0,
                              .spread = i % 2 ? f : NULL,
                              .spread_a = 0.25,
                              .spread_b = -0.5};
        struct mdm_terms *sum[] = {&s.next, &s.kept};

        memcpy(y, x, N * sizeof *y);
        ck_assert_int_eq(b->v->mix(b, &mix), MASKDM_OK);
        for (int k = 0; k < N; k++)
            ck_assert_double_eq_tol(y[k], 0.5 * x[k] - 2 * f[k] + 3 * z[k], 1e-5);
        memcpy(y, z, N * sizeof *y);
        ck_assert_int_eq(b->v->mix(b, &some), MASKDM_OK);
        for (int k = 0; k < N; k++)
            ck_assert_double_eq_tol(y[k], k % 4 == 3 ? z[k] : 3 * x[k] - 2 * f[k], 1e-5);
        memcpy(y, x, N * sizeof *y);
        memcpy(old, start, N * sizeof *old);
        for (int m = 0; m < 2; m++)
            *sum[m] = (struct mdm_terms){
                factor[m][0], factor[m][1], factor[m][2], factor[m][3], {factor[m][4], factor[m][5], factor[m][6]},
                factor[m][7]};
        ck_assert_int_eq(b->v->solve(b, &s), MASKDM_OK);
        for (int k = 0; k < N; k++) {
            const double whole = 0.25 * x[k] - 0.5 * f[k], clean = s.clip ? fmin(fmax(whole, -0.75), 0.75) : whole;
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
        maskdm_device_release(&d);
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
    for (int i = 0; i < setting_count; i++) {
        maskdm_device *d = open_device(settings[i]);
        struct mdm_backend *b = mdm_device_backend(d);

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

            ck_assert_int_eq(b->v->quantile(b, &q), MASKDM_OK);
            for (int m = 0; m < B; m++) {
                const double above = rank + 1 < N ? sorted[m][rank + 1] : 0;

                ck_assert_double_eq_tol(limit[m], sorted[m][rank] + (place - rank) * (above - sorted[m][rank]),
                                        1e-12);
                limit[m] += 0.01;
            }
            memcpy(y, x, sizeof y);
            ck_assert_int_eq(b->v->solve(b, &s), MASKDM_OK);
            for (int m = 0; m < B * N; m++) {
                const double most = limit[m / N], clean = fmin(fmax(0.25 * x[m] - 0.5 * f[m], -most), most) / most;

                ck_assert_double_eq_tol(x0[m], clean, 1e-6);
                ck_assert_double_eq_tol(y[m], 2 * clean, 1e-6);
            }
        }
        maskdm_device_release(&d);
    }
    free(x);
    free(f);
}
END_TEST

/* Value v of patch k's (row, column, channel) order, where a patch has 5 channels of which 3 are the image's. */
static int among_five(int v)
{
    return v / 3 * 5 + v % 3;
}

/* The channels that an image has not count for nothing, and leave no trace in what goes back. */
START_TEST(further_channels_are_passed_over)
{
    static const int32_t index[] = {5, 0, 3, 1, 4, 2};
    float *pred = draw_floats(2 * 6 * 20), *target = draw_floats(2 * 72), dpred[2 * 60], plain[2 * 36];
    float dplain[2 * 36], image[2 * 72];
    const double weight[] = {1, 2.5};
    double loss[2], want[2];

    for (int i = 0; i < 3; i++)
        for (int kind = 0; kind < MDM_LOSSES; kind++) {
            maskdm_device *d = open_device(settings[i]);
            struct mdm_backend *b = mdm_device_backend(d);
            struct mdm_loss j = {.batch = 2, .height = 6, .width = 4, .channels = 3, .patch = 2, .visible = 3};
            const struct mdm_unpatchify back = {2, 6, 4, 3, 5, 2, pred, image, {0}};

            for (int v = 0; v < 2 * 36; v++)
                plain[v] = pred[among_five(v)];
            j.weight = weight;
            j.kind = (enum mdm_loss_kind)kind;
            j.delta = 0.3;
            j.pred = plain;
            j.target = target;
            j.index = index;
            j.scale = 0.7;
            j.loss = want;
            j.dpred = dplain;
            ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
            j.outputs = 5;
            j.pred = pred;
            j.loss = loss;
            j.dpred = dpred;
            memset(dpred, POISON, sizeof dpred);
            ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
            for (int m = 0; m < 2; m++)
                ck_assert_double_eq_tol(loss[m], want[m], 1e-14 * want[m]);
            for (int v = 0; v < 2 * 60; v++)
                ck_assert_float_eq(dpred[v], v % 5 < 3 ? dplain[v / 5 * 3 + v % 5] : 0);
            j.dpred = NULL;
            ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
            ck_assert_int_eq(b->v->unpatchify(b, &back), MASKDM_OK);
            for (int k = 0; k < 2 * 72; k++)
                ck_assert_float_eq(image[image_at(k / 72, k % 72 / 12, k % 12)], pred[among_five(k)]);
            maskdm_device_release(&d);
        }
    free(pred);
    free(target);
}
END_TEST

START_TEST(squares_are_summed_alike_on_any_threads)
{
    static const size_t sizes[] = {0, 1, 7, 16, 17, 16384, 16385, 5000003};
    float *x = draw_floats(5000003);

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        double want = 0, got[2 * MOST_TABLES];
        for (size_t i = 0; i < sizes[k]; i++)
            want += (double)x[i] * (double)x[i];
        for (int i = 0; i < setting_count; i++) {
            maskdm_device *d = open_device(settings[i]);
            struct mdm_backend *b = mdm_device_backend(d);
            ck_assert_int_eq(b->v->sum_squares(b, &got[i], x, sizes[k]), MASKDM_OK);
            ck_assert_double_le(fabs(got[i] - want), 1e-11 * want);
            if (i % 2)
                ck_assert(got[i] == got[i - 1]);
            maskdm_device_release(&d);
        }
    }
    for (int i = 0; i < setting_count; i++) {
        maskdm_device *d = open_device(settings[i]);
        struct mdm_backend *b = mdm_device_backend(d);
        double got;
        x[40000] = i % 2 ? INFINITY : NAN;
        ck_assert_int_eq(b->v->sum_squares(b, &got, x, 50000), MASKDM_OK);
        ck_assert(!isfinite(got));
        maskdm_device_release(&d);
    }
    free(x);
}
END_TEST

struct state {
    float *w, *g, *m, *v, *ema;
};

static struct state draw_state(int64_t n)
{
    struct state s = {draw_floats(n), draw_floats(n), draw_floats(n), draw_floats(n), draw_floats(n)};

    for (int64_t i = 0; i < n; i++)
        s.v[i] = fabsf(s.v[i]);
    s.w[0] = s.g[0] = s.m[0] = s.v[0] = s.ema[0] = 0; /* a gap between parameters stays zero */
    return s;
}

static struct state copy_state(const struct state *s, int64_t n)
{
    struct state t = draw_state(n);

    for (int k = 0; k < 5; k++)
        memcpy((&t.w)[k], (&s->w)[k], (size_t)n * sizeof(float));
    return t;
}

static void drop_state(struct state *s)
{
    for (int k = 0; k < 5; k++)
        free((&s->w)[k]);
}

static void expect_step(const struct mdm_optimizer *a, const struct state *from, const struct state *to)
{
    double worst = 0;
    int left = 0;

    for (size_t i = 0; i < a->n; i++) {
        double g = a->grad_scale * (double)from->g[i];
        double m = a->beta1 * (double)from->m[i] + (1 - a->beta1) * g;
        double v = a->beta2 * (double)from->v[i] + (1 - a->beta2) * g * g;
        double w = (double)from->w[i] * (1 - a->lr * a->weight_decay), e = (double)from->ema[i];
        w -= a->lr / a->bias1 * m / (sqrt(v) / sqrt(a->bias2) + a->eps);
        e = a->ema_mode == 1 ? w : a->ema_mode == 2 ? e + (1 - a->ema_decay) * (w - e) : e;
        worst = fmax(fmax(worst, fabs((double)to->m[i] - m)), fabs((double)to->v[i] - v));
        worst = fmax(fmax(worst, fabs((double)to->w[i] - w)), fabs((double)to->ema[i] - e));
        left += to->g[i] != 0;
    }
    ck_assert_double_le(worst, 3e-7);
    ck_assert_int_eq(left, 0);
    ck_assert(to->w[0] == 0 && to->m[0] == 0 && to->v[0] == 0 && (a->ema_mode == 0 || to->ema[0] == 0));
}

START_TEST(adamw_is_pytorchs)
{
    static const int64_t sizes[] = {1, 7, 8, 9, 16384 + 5};
    struct mdm_optimizer a = {.grad_scale = 0.5, .lr = 1e-2, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8};

    a.weight_decay = 0.1;
    a.bias1 = 1 - 0.9 * 0.9;
    a.bias2 = 1 - 0.99 * 0.99;
    a.ema_decay = 0.9;
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (a.ema_mode = 0; a.ema_mode <= 2; a.ema_mode++) {
            struct state from = draw_state(sizes[k]), kept = {0};
            for (int i = 0; i < setting_count; i++) {
                maskdm_device *d = open_device(settings[i]);
                struct mdm_backend *b = mdm_device_backend(d);
                struct state to = copy_state(&from, sizes[k]);
                a.n = (size_t)sizes[k];
                a.w = to.w;
                a.g = to.g;
                a.m = to.m;
                a.v = to.v;
                a.ema = a.ema_mode ? to.ema : NULL;
                ck_assert_int_eq(b->v->adamw(b, &a), MASKDM_OK);
                expect_step(&a, &from, &to);
                if (i % 2) {
                    ck_assert_mem_eq(to.w, kept.w, a.n * sizeof(float));
                    drop_state(&kept);
                } else {
                    kept = copy_state(&to, sizes[k]);
                }
                drop_state(&to);
                maskdm_device_release(&d);
            }
            drop_state(&from);
        }
}
END_TEST

START_TEST(averages_alone)
{
    enum { N = 20000 };
    float *w = draw_floats(N), *ema = draw_floats(N), *start = draw_floats(N);
    double worst = 0;

    for (int i = 0; i < setting_count; i++)
        for (int mode = 0; mode <= 2; mode++) {
            maskdm_device *d = open_device(settings[i]);
            struct mdm_backend *b = mdm_device_backend(d);
            memcpy(ema, start, N * sizeof *ema);
            ck_assert_int_eq(b->v->ema(b, ema, w, N, mode, 0.75), MASKDM_OK);
            for (int k = 0; k < N; k++) {
                double e = (double)start[k], x = (double)w[k];
                worst = fmax(worst, fabs((double)ema[k] - (mode == 0 ? e : mode == 1 ? x : e + 0.25 * (x - e))));
            }
            maskdm_device_release(&d);
        }
    ck_assert_double_le(worst, 2e-7);
    free(w);
    free(ema);
    free(start);
}
END_TEST

START_TEST(patches_go_back)
{
    float *pred = draw_floats(2 * 72), image[2 * 72];

    for (int i = 0; i < setting_count; i++) {
        maskdm_device *d = open_device(settings[i]);
        struct mdm_backend *b = mdm_device_backend(d);
        const struct mdm_unpatchify j = {2, 6, 4, 3, 3, 2, pred, image, {0}};
        memset(image, POISON, sizeof image);
        ck_assert_int_eq(b->v->unpatchify(b, &j), MASKDM_OK);
        for (int k = 0; k < 2 * 72; k++)
            ck_assert(image[image_at(k / 72, k % 72 / 12, k % 12)] == pred[k]);
        maskdm_device_release(&d);
    }
    free(pred);
}
END_TEST

/* Two kinds of patches: of pixels with 3 channels the first is in 6 patches of 2 x 2, the others in 24 of 1 x 1,
 * which are called 6 to 29. Of an image 2 and 3 of them are visible; its prediction is 2 x 4 values and 3 x 2. */
enum { KINDS = 2, PIXELS = 24, PREDICTED = 2 * 4 + 3 * 2 };
static const int32_t of_kinds[] = {1, 5, 6, 17, 29, 0, 4, 8, 9, 21};
static const struct {
    int64_t channel, channels, patch, place, visible, pred, first;
} kinds[KINDS] = {{0, 1, 2, 0, 2, 0, 0}, {1, 2, 1, 2, 3, 8, 6}};

/* Value i of image b's patches of a kind, in the image. */
static int64_t kind_at(int kind, int b, int i, const int32_t *patches)
{
    const int64_t c = kinds[kind].channels, p = kinds[kind].patch, each = p * p * c, in = i % each;
    const int64_t patch = patches[b * 5 + kinds[kind].place + i / each] - kinds[kind].first;
    const int64_t row = patch / (4 / p) * p + in / c / p, column = patch % (4 / p) * p + in / c % p;

    return ((b * PIXELS + row * 4 + column) * 3) + kinds[kind].channel + in % c;
}

START_TEST(kinds_of_patches_stand_beside_one_another)
{
    float *pred = draw_floats(2 * PREDICTED), *target = draw_floats(2 * PIXELS * 3), dpred[2 * PREDICTED];
    const double weight[] = {1, 2.5};
    double loss[2];

    for (int i = 0; i < KINDS * setting_count; i++) {
        const int k = i % KINDS, n = (int)(kinds[k].visible * kinds[k].patch * kinds[k].patch * kinds[k].channels);
        maskdm_device *d = open_device(settings[i / KINDS]);
        struct mdm_backend *b = mdm_device_backend(d);
        const struct mdm_loss j = {.batch = 2,
                                   .height = 6,
                                   .width = 4,
                                   .channels = kinds[k].channels,
                                   .patch = kinds[k].patch,
                                   .visible = kinds[k].visible,
                                   .pred = pred + kinds[k].pred,
                                   .target = target + kinds[k].channel,
                                   .index = of_kinds + kinds[k].place,
                                   .weight = weight,
                                   .scale = 0.7,
                                   .loss = loss,
                                   .dpred = dpred + kinds[k].pred,
                                   .beside = {3, PREDICTED, 5, kinds[k].first}};

        memset(dpred, 0, sizeof dpred);
        ck_assert_int_eq(b->v->loss(b, &j), MASKDM_OK);
        for (int m = 0; m < 2; m++) {
            double sum = 0;

            for (int v = 0; v < n; v++) {
                const int at = m * PREDICTED + (int)kinds[k].pred + v;
                const double error = (double)pred[at] - (double)target[kind_at(k, m, v, of_kinds)];

                sum += error * error;
                ck_assert_double_eq_tol((double)dpred[at], weight[m] * 0.7 * 2 * error / n, 1e-7);
                dpred[at] = 0;
            }
            ck_assert_double_eq_tol(loss[m], weight[m] * sum / n, 1e-12);
        }
        for (int v = 0; v < 2 * PREDICTED; v++) /* nothing is written for the others */
            ck_assert(dpred[v] == 0);
        maskdm_device_release(&d);
    }
    free(pred);
    free(target);
}
END_TEST

START_TEST(kinds_of_patches_go_back)
{
    enum { WHOLE = PIXELS * 3 };
    float *pred = draw_floats(2 * WHOLE), image[2 * WHOLE];

    for (int i = 0; i < setting_count; i++) {
        maskdm_device *d = open_device(settings[i]);
        struct mdm_backend *b = mdm_device_backend(d);

        memset(image, POISON, sizeof image);
        for (int k = 0; k < KINDS; k++) {
            const struct mdm_unpatchify j = {.batch = 2,
                                             .height = 6,
                                             .width = 4,
                                             .channels = kinds[k].channels,
                                             .outputs = kinds[k].channels,
                                             .patch = kinds[k].patch,
                                             .pred = pred + k * PIXELS,
                                             .image = image + kinds[k].channel,
                                             .beside = {.channels = 3, .pred = WHOLE}};

            ck_assert_int_eq(b->v->unpatchify(b, &j), MASKDM_OK);
        }
        for (int k = 0; k < KINDS; k++)
            for (int m = 0; m < 2; m++)
                for (int v = 0; v < PIXELS * (int)kinds[k].channels; v++) {
                    int32_t shown[2 * 5]; /* as kind_at() has them: one patch alone */
                    const int each = (int)(kinds[k].patch * kinds[k].patch * kinds[k].channels);

                    for (int q = 0; q < 2 * 5; q++)
                        shown[q] = (int32_t)(kinds[k].first + v / each);
                    ck_assert(image[kind_at(k, m, v % each, shown)] == pred[m * WHOLE + k * PIXELS + v]);
                }
        maskdm_device_release(&d);
    }
    free(pred);
}
END_TEST

/* Each channel has its own range. */
START_TEST(ranges_of_channels)
{
    enum { N = 9000 };
    static const struct mdm_range within[] = {{-0.25, 0.5}, {-0.1, 0.1}, {0, 2}};
    float *x = draw_floats(N), *f = draw_floats(N), y[N], x0[N];

    for (int i = 0; i < setting_count; i++) {
        maskdm_device *d = open_device(settings[i]);
        struct mdm_backend *b = mdm_device_backend(d);
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
        ck_assert_int_eq(b->v->solve(b, &s), MASKDM_OK);
        for (int k = 0; k < N; k++) {
            const double want = fmin(fmax(0.25 * x[k] - 0.5 * f[k], within[k % 3].low), within[k % 3].high);

            ck_assert_double_eq_tol(x0[k], want, 1e-6);
            ck_assert_double_eq_tol(y[k], 2 * want, 1e-6);
        }
        maskdm_device_release(&d);
    }
    free(x);
    free(f);
}
END_TEST

static void add_tests(TCase *c)
{
    list_settings();
    tcase_add_test(c, kinds_of_patches_stand_beside_one_another);
    tcase_add_test(c, kinds_of_patches_go_back);
    tcase_add_test(c, ranges_of_channels);
    tcase_add_test(c, normals_belong_to_their_image);
    tcase_add_test(c, noise_is_mixed_in_by_image);
    tcase_add_test(c, losses_and_their_gradients);
    tcase_add_test(c, runs_of_losses);
    tcase_add_test(c, mixes_and_steps);
    tcase_add_test(c, quantiles_limit_images);
    tcase_add_test(c, further_channels_are_passed_over);
    tcase_add_test(c, squares_are_summed_alike_on_any_threads);
    tcase_add_test(c, adamw_is_pytorchs);
    tcase_add_test(c, averages_alone);
    tcase_add_test(c, patches_go_back);
}

int main(void)
{
    return run_suite("jobs", add_tests);
}
