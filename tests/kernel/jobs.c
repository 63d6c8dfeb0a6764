/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The jobs beside the program: noise, gradient norm, AdamW with the moving average, weights in the type of programs.
 * Each against its formula in double, in all places (jobs.h). The loss is in jobs_loss.c, solvers in jobs_solve.c.
 */
#include "jobs.h"

static void expect_normals(struct mdm_backend *b, int64_t batch, int64_t n)
{
    float *out = draw_floats(batch * n), *want = draw_floats(n), *at = lend(b, NULL, batch * n);
    struct mdm_rng *s = calloc((size_t)batch, sizeof *s);

    ck_assert_ptr_nonnull(s);
    for (int64_t k = 0; k < batch; k++)
        s[k] = mdm_rng_make(5, MDM_DRAW_NOISE, (uint64_t)(k + k % 3) << 30, 9);
    ck_assert_int_eq(b->v->normal(b, at, batch, n, s), MASKDM_OK);
    memset(s, 0, (size_t)batch * sizeof *s); /* what was given may be reused */
    fetch(b, out, at, batch * n);
    for (int64_t k = 0; k < batch; k++) {
        const struct mdm_rng one = mdm_rng_make(5, MDM_DRAW_NOISE, (uint64_t)(k + k % 3) << 30, 9);

        mdm_rng_normal(want, (size_t)n, &one, 0);
        ck_assert_msg(memcmp(out + k * n, want, (size_t)n * sizeof *want) == 0, "image %lld of %lld values",
                      (long long)k, (long long)n);
    }
    free(out);
    free(want);
    free(s);
}

/* Blocks of four values and what is left behind them, and more images than a device takes at once. */
START_TEST(normals_belong_to_their_image)
{
    static const int64_t sizes[][2] = {{3, 4 * 4096 + 12}, {2, 4097}, {1, 1},     {5, 3},
                                       {300, 24},          {130, 6},  {1, 300000}};

    for (int i = 0; i < place_count; i++)
        for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
            struct mdm_backend *b = enter_place(i);

            expect_normals(b, sizes[k][0], sizes[k][1]);
            leave_place(b);
        }
}
END_TEST

/* The bits of the first place, too. */
static void expect_noising(int i, int64_t batch, int64_t n, int with)
{
    static float *first;
    struct mdm_backend *b = enter_place(i);
    const size_t bytes = (size_t)(batch * n) * sizeof(float);
    double *f = malloc((size_t)batch * 4 * sizeof *f);
    float *x0 = malloc(bytes), *eps = malloc(bytes), *x_t = draw_floats(batch * n), *target = draw_floats(batch * n);
    struct mdm_noising j = {batch, n, NULL, NULL, f, f + batch, f + 2 * batch, f + 3 * batch, NULL, NULL};

    ck_assert(f && x0 && eps);
    for (int64_t k = 0; k < 4 * batch; k++)
        f[k] = (double)(k % 7 - 3) / 3.5;
    for (int64_t k = 0; k < batch * n; k++) {
        x0[k] = (float)(k % 101 - 50) / 37;
        eps[k] = (float)(k % 89 - 40) / 31;
    }
    if (!with)
        j.target_x0 = j.target_eps = NULL;
    j.x0 = lend(b, x0, batch * n);
    j.eps = lend(b, eps, batch * n);
    j.x_t = lend(b, NULL, batch * n);
    j.target = with ? lend(b, NULL, batch * n) : NULL;
    ck_assert_int_eq(b->v->noising(b, &j), MASKDM_OK);
    fetch(b, x_t, j.x_t, batch * n);
    if (with)
        fetch(b, target, j.target, batch * n);
    for (int64_t k = 0; k < batch * n; k++) {
        const int64_t m = k / n;

        ck_assert_double_eq_tol((double)x_t[k], f[m] * (double)x0[k] + f[batch + m] * (double)eps[k], 3e-7);
        if (with)
            ck_assert_double_eq_tol((double)target[k],
                                    f[2 * batch + m] * (double)x0[k] + f[3 * batch + m] * (double)eps[k], 3e-7);
    }
    if (i == 0) {
        free(first);
        first = x_t;
    } else {
        ck_assert_mem_eq(x_t, first, bytes);
        free(x_t);
    }
    leave_place(b);
    free(f);
    free(x0);
    free(eps);
    free(target);
}

START_TEST(noise_is_mixed_in_by_image)
{
    static const int64_t sizes[][2] = {{2, 19}, {3, 4096}, {260, 12}, {1, 1}};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int with = 0; with <= 1; with++)
            for (int i = 0; i < place_count; i++)
                expect_noising(i, sizes[k][0], sizes[k][1], with);
}
END_TEST

START_TEST(squares_are_summed_alike_on_any_threads)
{
    static const size_t sizes[] = {0, 1, 7, 16, 17, 1023, 1025, 16384, 16385, 5000003};
    float *x = draw_floats(5000003);

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        double want = 0, got[2 * MOST_TABLES + 2];
        for (size_t i = 0; i < sizes[k]; i++)
            want += (double)x[i] * (double)x[i];
        for (int i = 0; i < place_count; i++) {
            struct mdm_backend *b = enter_place(i);

            ck_assert_int_eq(b->v->sum_squares(b, &got[i], lend(b, x, (int64_t)sizes[k]), sizes[k]), MASKDM_OK);
            ck_assert_double_le(fabs(got[i] - want), 1e-11 * want);
            if (i % 2)
                ck_assert(got[i] == got[i - 1]);
            leave_place(b);
        }
    }
    for (int i = 0; i < place_count; i++) {
        struct mdm_backend *b = enter_place(i);
        double got;

        x[49999 - 9999 * (i % 2)] = i % 4 < 2 ? INFINITY : NAN;
        ck_assert_int_eq(b->v->sum_squares(b, &got, lend(b, x, 50000), 50000), MASKDM_OK);
        ck_assert(!isfinite(got));
        leave_place(b);
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

/* The average in the pass or behind it: the same bits. */
static struct state step_once(struct mdm_backend *b, struct mdm_optimizer a, const struct state *from, int apart)
{
    struct state to = draw_state((int64_t)a.n);
    float **at[] = {&a.w, &a.g, &a.m, &a.v, &a.ema}, *ema;

    for (int k = 0; k < 5; k++)
        *at[k] = lend(b, (&from->w)[k], (int64_t)a.n);
    ema = a.ema;
    if (apart || !a.ema_mode)
        a.ema = NULL;
    ck_assert_int_eq(b->v->adamw(b, &a), MASKDM_OK);
    if (apart)
        ck_assert_int_eq(b->v->ema(b, ema, a.w, a.n, a.ema_mode, a.ema_decay), MASKDM_OK);
    a.ema = ema;
    for (int k = 0; k < 5; k++)
        fetch(b, (&to.w)[k], *at[k], (int64_t)a.n);
    leave_place(b);
    return to;
}

/* As at the other place of the pair, and on a device as at the first place, which is of the portable build. */
static void expect_same_state(int i, const struct state *to, const struct state *other, size_t n)
{
    for (int m = 0; m < 5; m++)
        ck_assert_msg(memcmp((&to->w)[m], (&other->w)[m], n * sizeof(float)) == 0, "block %d at place %d: other bits",
                      m, i);
}

START_TEST(adamw_is_pytorchs)
{
    static const int64_t sizes[] = {1, 7, 8, 9, 4096, 16384 + 5};
    struct mdm_optimizer a = {.grad_scale = 0.5, .lr = 1e-2, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8};

    a.weight_decay = 0.1;
    a.bias1 = 1 - 0.9 * 0.9;
    a.bias2 = 1 - 0.99 * 0.99;
    a.ema_decay = 0.9;
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (a.ema_mode = 0; a.ema_mode <= 2; a.ema_mode++) {
            struct state from = draw_state(sizes[k]), at[MDM_LENGTH(places)];

            a.n = (size_t)sizes[k];
            for (int i = 0; i < place_count; i++) {
                struct state apart = step_once(enter_place(i), a, &from, 1);

                at[i] = step_once(enter_place(i), a, &from, 0);
                expect_step(&a, &from, &at[i]);
                ck_assert_mem_eq(at[i].ema, apart.ema, a.n * sizeof(float));
                drop_state(&apart);
                if (i % 2)
                    expect_same_state(i, &at[i], &at[i - 1], a.n);
                else if (!*places[i])
                    expect_same_state(i, &at[i], &at[0], a.n);
            }
            for (int i = 0; i < place_count; i++)
                drop_state(&at[i]);
            drop_state(&from);
        }
}
END_TEST

START_TEST(averages_alone)
{
    enum { N = 20002 };
    float *w = draw_floats(N), *ema = draw_floats(N), *start = draw_floats(N);
    double worst = 0;

    for (int i = 0; i < place_count; i++)
        for (int mode = 0; mode <= 2; mode++) {
            struct mdm_backend *b = enter_place(i);
            float *at = lend(b, start, N);

            ck_assert_int_eq(b->v->ema(b, at, lend(b, w, N), N, mode, 0.75), MASKDM_OK);
            fetch(b, ema, at, N);
            for (int k = 0; k < N; k++) {
                double e = (double)start[k], x = (double)w[k];
                worst = fmax(worst, fabs((double)ema[k] - (mode == 0 ? e : mode == 1 ? x : e + 0.25 * (x - e))));
            }
            leave_place(b);
        }
    ck_assert_double_le(worst, 2e-7);
    free(w);
    free(ema);
    free(start);
}
END_TEST

/* Halfway between two values of the narrow type the one with the even last bit is taken, and no number stays none. */
START_TEST(weights_are_narrowed)
{
    static const int64_t sizes[] = {1, 7, 8, 9, 16, 100003};
    float *x = draw_floats(100003);

    for (int i = 0; i < 100003; i += 5)
        x[i] = (float)(1 + (2 * (i % 128) + 1) * 0x1p-8) * (i % 2 ? 1 : -1);
    x[5] = INFINITY;
    x[6] = NAN;
    for (int i = 0; i < place_count; i++)
        for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
            struct mdm_backend *b = enter_place(i);
            const int64_t n = sizes[k], floats = (n + 1) / 2;
            float *at = lend(b, NULL, floats), *got = draw_floats(floats);

            if (b->v->narrow) {
                ck_assert_int_eq(b->v->narrow(b, at, lend(b, x, n), (size_t)n), MASKDM_OK);
                fetch(b, got, at, floats);
            }
            for (int64_t m = 0; b->v->narrow && m < n; m++) {
                uint16_t y;

                memcpy(&y, (unsigned char *)got + 2 * m, 2);
                ck_assert(y == to_bf16((double)x[m]) || (isnan(x[m]) && isnan(from_bf16(y))));
            }
            free(got);
            leave_place(b);
        }
    free(x);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, normals_belong_to_their_image);
    tcase_add_test(c, noise_is_mixed_in_by_image);
    tcase_add_test(c, squares_are_summed_alike_on_any_threads);
    tcase_add_test(c, adamw_is_pytorchs);
    tcase_add_test(c, averages_alone);
    tcase_add_test(c, weights_are_narrowed);
}

int main(void)
{
    return run_places("jobs", add_tests);
}
