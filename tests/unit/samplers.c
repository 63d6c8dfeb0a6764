/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The samplers' arithmetic, with a perfect network in closed form in place of a trained one.
 */
#include "diffusion/solver.h"

#include "base/error.h"
#include "base/rng.h"
#include "sample/pixels.h"

#include <maskdm/maskdm.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static maskdm_options *options(const char *kind, const char *text)
{
    maskdm_options *o;

    ck_assert_int_eq(maskdm_options_create(&o, kind), MASKDM_OK);
    ck_assert_msg(maskdm_options_parse(o, text) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    return o;
}

static maskdm_scheduler *scheduler(const char *text)
{
    maskdm_options *o = options("scheduler", text);
    maskdm_scheduler *s;

    ck_assert_msg(maskdm_scheduler_create(&s, o) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    maskdm_options_release(&o);
    return s;
}

static void expect_times(const char *schedule, const char *sampler, int64_t steps, const int *expected)
{
    maskdm_scheduler *s = scheduler(schedule);
    maskdm_options *o = options("sampler", sampler);
    double times[64], few[2];

    ck_assert_int_eq(maskdm_scheduler_times(s, o, times, 64), steps);
    for (int64_t i = 0; i <= steps; i++)
        ck_assert_msg(times[i] == expected[i], "%s: time %d is %g", sampler, (int)i, times[i]);
    ck_assert_int_eq(maskdm_scheduler_times(s, o, few, 2), steps);
    ck_assert_double_eq(few[1], expected[1]);
    maskdm_options_release(&o);
    maskdm_scheduler_release(&s);
}

START_TEST(times)
{
    expect_times("timesteps=1000", "sampler=ddim steps=4", 4, (const int[]){999, 749, 499, 249, -1});
    expect_times("timesteps=1000", "sampler=ddim steps=6", 6, (const int[]){999, 832, 665, 499, 332, 165, -1});
    expect_times("timesteps=1000", "sampler=ddim steps=1", 1, (const int[]){999, -1});
    expect_times(
        "timesteps=25", "sampler=ddim steps=24", 24,
        (const int[]){24, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1});
    expect_times("timesteps=5 schedule=cosine", "sampler=ddpm", 5, (const int[]){4, 3, 2, 1, 0, -1});
}
END_TEST

/* log sqrt(abar) is linear between whole times. */
static double abar_at(const double *abar, double t)
{
    const int k = (int)t;

    return t > k ? exp((1 - t + k) * log(abar[k]) + (t - k) * log(abar[k + 1])) : abar[k];
}

static double half_log_ratio(double abar)
{
    return 0.5 * log(abar / (1 - abar));
}

START_TEST(continuous_times)
{
    enum { T = 1000, S = 12 };
    maskdm_scheduler *s = scheduler("schedule=linear timesteps=1000");
    maskdm_options *even = options("sampler", "sampler=dpmpp steps=12 spacing=time");
    maskdm_options *ratio = options("sampler", "sampler=dpmpp steps=12");
    double at[S + 1], abar[T], first, last;

    ck_assert_int_eq(maskdm_scheduler_times(s, even, at, S + 1), S);
    for (int i = 0; i <= S; i++)
        ck_assert_double_eq_tol(at[i], 999.0 * (S - i) / S, 1e-9);
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, T), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_times(s, ratio, at, S + 1), S);
    ck_assert_double_eq(at[0], 999);
    ck_assert_double_eq(at[S], 0);
    first = half_log_ratio(abar[999]);
    last = half_log_ratio(abar[0]);
    for (int i = 0; i <= S; i++)
        ck_assert_double_eq_tol(half_log_ratio(abar_at(abar, at[i])), first + (last - first) * i / S, 1e-9);
    maskdm_options_release(&even);
    maskdm_options_release(&ratio);
    maskdm_scheduler_release(&s);
}
END_TEST

/* What a perfect network answers for data that are normal with deviation `spread` around `mean`. */
static double perfect(const char *prediction, double abar, double x, double mean, double spread)
{
    const double signal = sqrt(abar), noise = sqrt(1 - abar), variance = abar * spread * spread + 1 - abar;
    const double x0 = mean + signal * spread * spread / variance * (x - signal * mean);
    const double eps = (x - signal * x0) / noise;

    if (!strcmp(prediction, "noise"))
        return eps;
    return strcmp(prediction, "x0") ? signal * eps - noise * x0 : x0;
}

/* Sample `n` values by single public steps. */
static void sample(const maskdm_scheduler *s, const char *sampler, double mean, double spread, float *x, int64_t n)
{
    maskdm_options *o = options("sampler", sampler);
    const int64_t T = maskdm_scheduler_timesteps(s);
    double *abar = malloc((size_t)T * sizeof *abar), *at = malloc((size_t)(T + 1) * sizeof *at);
    float *p = malloc((size_t)n * sizeof *p), *z = malloc((size_t)n * sizeof *z);
    float *clean[2] = {malloc((size_t)n * sizeof *p), malloc((size_t)n * sizeof *p)};
    const int64_t steps = maskdm_scheduler_times(s, o, at, T + 1);

    ck_assert_int_gt(steps, 0);
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, T), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 1, 0, 1000, 1, n, x), MASKDM_OK);
    for (int64_t i = 0; i < steps; i++) {
        for (int64_t k = 0; k < n; k++)
            p[k] = (float)perfect(maskdm_scheduler_prediction(s), abar_at(abar, at[i]), x[k], mean, spread);
        ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 1, 0, i, 1, n, z), MASKDM_OK);
        ck_assert_msg(maskdm_scheduler_step_after(s, o, i ? at[i - 1] : -1, i ? clean[i % 2] : NULL, at[i], at[i + 1],
                                                  1, n, x, p, i + 1 < steps ? z : NULL,
                                                  clean[(i + 1) % 2]) == MASKDM_OK,
                      "%s", maskdm_last_error());
    }
    free(clean[0]);
    free(clean[1]);
    free(abar);
    free(at);
    free(p);
    free(z);
    maskdm_options_release(&o);
}

static void expect_normal(const char *schedule, const char *sampler, double tolerance)
{
    enum { N = 5000 };
    float x[N];
    maskdm_scheduler *s = scheduler(schedule);
    double sum = 0, squares = 0;

    sample(s, sampler, 0.25, 0.2, x, N);
    for (int i = 0; i < N; i++)
        sum += x[i];
    for (int i = 0; i < N; i++)
        squares += (x[i] - sum / N) * (x[i] - sum / N);
    ck_assert_msg(fabs(sum / N - 0.25) < tolerance, "%s, %s: mean %g", schedule, sampler, sum / N);
    ck_assert_msg(fabs(sqrt(squares / N) - 0.2) < tolerance, "%s, %s: deviation %g", schedule, sampler,
                  sqrt(squares / N));
    maskdm_scheduler_release(&s);
}

START_TEST(a_perfect_network_gives_the_data)
{
    expect_normal("schedule=cosine timesteps=200 prediction=noise", "sampler=ddpm clip=false", 0.01);
    expect_normal("schedule=cosine timesteps=200 prediction=v", "sampler=ddpm clip=false", 0.01);
    expect_normal("schedule=linear timesteps=400 prediction=x0", "sampler=ddpm", 0.01);
    expect_normal("schedule=linear timesteps=400 prediction=x0", "sampler=ddim steps=200 eta=0", 0.02);
    expect_normal("schedule=cosine timesteps=400 prediction=v", "sampler=ddim steps=200 eta=0.5", 0.02);
    expect_normal("schedule=cosine timesteps=400 prediction=noise", "sampler=ddim steps=200 eta=1 clip=false", 0.02);
    expect_normal("schedule=linear timesteps=1000 prediction=x0", "sampler=dpmpp steps=20", 0.02);
    expect_normal("schedule=cosine timesteps=1000 prediction=v", "sampler=dpmpp steps=100 spacing=time", 0.02);
}
END_TEST

/* For such data the probability flow keeps each value's place within the deviation, so that its end is known. The
 * largest error of a run that starts at x_T = noise. */
static double flow_error(const char *sampler, double mean, double spread)
{
    enum { T = 1000, N = 64 };
    maskdm_scheduler *s = scheduler("schedule=cosine timesteps=1000 prediction=v");
    double abar[T], worst = 0, deviation[2];
    float x[N], start[N];

    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, T), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 1, 0, 1000, 1, N, start), MASKDM_OK);
    sample(s, sampler, mean, spread, x, N);
    /* DDIM goes one step further, to the clean image; the noise of time 0 is far below the errors that are seen. */
    for (int i = 0; i < 2; i++)
        deviation[i] = sqrt(abar[i * (T - 1)] * spread * spread + 1 - abar[i * (T - 1)]);
    for (int i = 0; i < N; i++) {
        const double place = (start[i] - sqrt(abar[T - 1]) * mean) / deviation[1];

        worst = fmax(worst, fabs(x[i] - sqrt(abar[0]) * mean - place * deviation[0]));
    }
    maskdm_scheduler_release(&s);
    return worst;
}

/* Twice the steps: a quarter of the error; and twenty steps are better than fifty of DDIM. */
START_TEST(dpmpp_is_of_second_order)
{
    const double a = flow_error("sampler=dpmpp clip=false spacing=time steps=40", 0.25, 0.4);
    const double b = flow_error("sampler=dpmpp clip=false spacing=time steps=80", 0.25, 0.4);
    const double c = flow_error("sampler=dpmpp clip=false steps=20", 0.25, 0.4);
    const double d = flow_error("sampler=dpmpp clip=false steps=40", 0.25, 0.4);
    const double first = flow_error("sampler=ddim clip=false eta=0 steps=50", 0.25, 0.4);

    ck_assert_msg(a / b > 3, "even steps of time: errors %g, %g", a, b);
    ck_assert_msg(c / d > 3, "even steps of the ratio: errors %g, %g", c, d);
    ck_assert_msg(c < first, "20 steps: error %g, DDIM in 50: %g", c, first);
}
END_TEST

/* A step without one before it is of first order, and that is DDIM. */
START_TEST(dpmpp_alone_is_ddim)
{
    maskdm_scheduler *s = scheduler("schedule=linear prediction=noise");
    maskdm_options *ddim = options("sampler", "sampler=ddim eta=0 clip=false");
    maskdm_options *dpmpp = options("sampler", "sampler=dpmpp clip=false");
    float x[2] = {0.5f, 0.5f}, p = -0.25f, x0[2], y[2] = {0.5f, 0.5f};

    ck_assert_int_eq(maskdm_scheduler_step(s, ddim, 700, 300, 1, 1, &x[0], &p, NULL, &x0[0]), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_step(s, dpmpp, 700, 300, 1, 1, &x[1], &p, NULL, &x0[1]), MASKDM_OK);
    ck_assert_double_eq_tol(x[0], x[1], 1e-6);
    ck_assert_float_eq(x0[0], x0[1]);
    ck_assert_int_eq(maskdm_scheduler_step(s, dpmpp, 0.5, -1, 1, 1, &y[0], &p, NULL, &x0[0]), MASKDM_OK);
    ck_assert_float_eq(y[0], x0[0]);
    maskdm_options_release(&ddim);
    maskdm_options_release(&dpmpp);
    maskdm_scheduler_release(&s);
}
END_TEST

/* With a single image as the data, every DDIM run ends at it, in few steps too. */
START_TEST(one_image_is_found)
{
    maskdm_scheduler *s = scheduler("schedule=cosine prediction=v");
    float x[16];

    sample(s, "sampler=ddim steps=5 eta=0", -0.75, 0, x, 16);
    for (int i = 0; i < 16; i++)
        ck_assert_double_eq_tol(x[i], -0.75, 1e-6);
    maskdm_scheduler_release(&s);
}
END_TEST

/* Over all T times and unclipped, DDIM at eta 1 is ancestral sampling (Song et al. 2021, section 4.1). */
START_TEST(ddim_at_eta_1_is_ddpm)
{
    maskdm_scheduler *s = scheduler("schedule=linear timesteps=60 prediction=noise");
    float a[64], b[64];

    sample(s, "sampler=ddpm clip=false", 0.1, 0.5, a, 64);
    sample(s, "sampler=ddim steps=60 eta=1 clip=false", 0.1, 0.5, b, 64);
    for (int i = 0; i < 64; i++)
        ck_assert_double_eq_tol(a[i], b[i], 1e-4);
    maskdm_scheduler_release(&s);
}
END_TEST

/* The authors clip x0 and, for noise prediction alone, keep the noise that the network gave. */
START_TEST(clipping_is_the_authors)
{
    static const char *const predictions[] = {"noise", "x0"};
    maskdm_options *o = options("sampler", "sampler=ddim steps=10 eta=0");

    for (int i = 0; i < 4; i++) {
        const int kind = i % 2, side = i < 2 ? 1 : -1;
        maskdm_options *so = options("scheduler", "schedule=cosine timesteps=100");
        maskdm_scheduler *s;
        double abar[100], a, b, eps;
        float x = (float)side * 1.5f, x0;
        const float p = (float)side * (kind ? 2 : -1);

        ck_assert_int_eq(maskdm_options_set(so, "prediction", predictions[kind]), MASKDM_OK);
        ck_assert_int_eq(maskdm_scheduler_create(&s, so), MASKDM_OK);
        ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, 100), MASKDM_OK);
        a = abar[49];
        b = abar[39];
        eps = side * (kind ? (1.5 - sqrt(a)) / sqrt(1 - a) : -1);
        ck_assert_int_eq(maskdm_scheduler_step(s, o, 49, 39, 1, 1, &x, &p, NULL, &x0), MASKDM_OK);
        ck_assert_float_eq(x0, (float)side);
        ck_assert_double_eq_tol(x, side * sqrt(b) + sqrt(1 - b) * eps, 1e-6);
        maskdm_options_release(&so);
        maskdm_scheduler_release(&s);
    }
    maskdm_options_release(&o);
}
END_TEST

/* With less than ten steps the last is of first order. */
START_TEST(few_steps_end_in_first_order)
{
    maskdm_scheduler *s = scheduler("timesteps=1000");

    for (int64_t steps = 9; steps <= 10; steps++)
        for (int64_t i = steps - 2; i < steps; i++) {
            const struct mdm_solver how = {.solver = &mdm_solver_dpmpp, .steps = steps};
            const struct mdm_stride at = mdm_solver_stride(s, &how, i);
            struct mdm_factors f;

            ck_assert_int_eq(mdm_solver_dpmpp.factors(s, &how, &at, &f), MASKDM_OK);
            ck_assert_int_eq(f.before != 0, steps == 10 || i < steps - 1);
        }
    maskdm_scheduler_release(&s);
}
END_TEST

START_TEST(every_time_is_drawn)
{
    maskdm_scheduler *s = scheduler("timesteps=3");
    int seen[3] = {0};
    double drawn[300];

    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 1, 0, 0, 300, drawn), MASKDM_OK);
    for (int i = 0; i < 300; i++) {
        ck_assert(drawn[i] == 0 || drawn[i] == 1 || drawn[i] == 2);
        seen[(int)drawn[i]]++;
    }
    for (int t = 0; t < 3; t++)
        ck_assert_int_gt(seen[t], 60);
    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 1, -1, 0, 3, drawn), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "first is -1, and cannot be negative"));
    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 1, 0, -1, 3, drawn), MASKDM_EINVAL);
    maskdm_scheduler_release(&s);
}
END_TEST

START_TEST(refusals)
{
    maskdm_scheduler *s = scheduler("schedule=linear timesteps=100");
    maskdm_options *ddim = options("sampler", "sampler=ddim steps=10 eta=1");
    maskdm_options *ddpm = options("sampler", "sampler=ddpm"), *many = options("sampler", "sampler=ddim steps=101");
    maskdm_options *dpmpp = options("sampler", "sampler=dpmpp steps=20");
    float x = 1, p = 0, z = 0;
    double at[2], table[101];

    ck_assert_int_eq(maskdm_scheduler_table(s, "betas", table, 99), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_table(s, "betas", table, 101), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_times(s, many, at, 2), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "101 sampling steps; the schedule allows 1 to 100");
    ck_assert_int_eq(maskdm_scheduler_step(s, ddim, 50, 40, 1, 1, &x, &p, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step(s, ddim, 50, 50, 1, 1, &x, &p, &z, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step(s, ddim, 100, 50, 1, 1, &x, &p, &z, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step(s, ddim, NAN, 50, 1, 1, &x, &p, &z, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step(s, ddim, 50, -2, 1, 1, &x, &p, &z, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step(s, ddpm, 50, 40, 1, 1, &x, &p, &z, NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "ddpm steps from 50 to 49, not to 40");
    ck_assert_int_eq(maskdm_scheduler_step(s, ddim, 50, 40, 1, 1, &x, NULL, &z, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step(s, ddim, 50.5, 40, 1, 1, &x, &p, &z, NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "time 50.5 is not a whole number in 0 .. 99");
    ck_assert_int_eq(maskdm_scheduler_step_after(s, dpmpp, 60, NULL, 50, 40, 1, 1, &x, &p, NULL, NULL),
                     MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "dpmpp needs the clean image of the step from 60 for the one from 50");
    ck_assert_int_eq(maskdm_scheduler_step_after(s, dpmpp, 50, &z, 50, 40, 1, 1, &x, &p, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step_after(s, dpmpp, 100, &z, 50, 40, 1, 1, &x, &p, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step(s, dpmpp, NAN, 40, 1, 1, &x, &p, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_step(s, dpmpp, 50, -0.5, 1, 1, &x, &p, NULL, NULL), MASKDM_EINVAL);
    ck_assert_float_eq(x, 1);
    maskdm_options_release(&ddim);
    maskdm_options_release(&ddpm);
    maskdm_options_release(&dpmpp);
    maskdm_options_release(&many);
    maskdm_scheduler_release(&s);
}
END_TEST

/* What a seed draws, given by the caller: each step has noise of its own, and each image has it in any batch. */
START_TEST(noise_of_every_step)
{
    enum { COUNT = 8, STEPS = 6, N = 8 * 8 };
    static float drawn[COUNT * N], x[COUNT * N], noise[(STEPS - 1) * COUNT * N];
    maskdm_options *o = options("uvit", "image_size=8 patch_size=2 channels=1 dim=16 depth=3 heads=2");
    maskdm_options *how = options("sampler", "sampler=ddim steps=6 eta=1 seed=40 batch_size=3");
    maskdm_scheduler *s = scheduler("timesteps=50 prediction=v");
    maskdm_device *device;
    maskdm_sampler *sampler;
    maskdm_model *m;

    ck_assert_int_eq(maskdm_device_open(&device, "cpu", NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_model_create(&m, device, "uvit", o, s, 3), MASKDM_OK);
    ck_assert_int_eq(maskdm_sampler_create(&sampler, m, MASKDM_WEIGHTS_EMA, how, NULL), MASKDM_OK);
    for (uint64_t i = 0; i < COUNT; i++) {
        struct mdm_rng r = mdm_rng_make(40 + i, MDM_DRAW_SAMPLE, 0, 0);

        mdm_rng_normal(x + i * N, N, &r, 0);
        for (uint64_t step = 0; step < STEPS - 1; step++) {
            r = mdm_rng_make(40 + i, MDM_DRAW_SAMPLER, 0, step);
            mdm_rng_normal(noise + (step * COUNT + i) * N, N, &r, 0);
        }
    }
    ck_assert_int_eq(maskdm_sampler_run(sampler, COUNT, NULL, NULL, MASKDM_SAMPLE_FLOAT, drawn, 0, 0), MASKDM_OK);
    ck_assert_int_eq(maskdm_sampler_run_from(sampler, COUNT, x, noise, NULL), MASKDM_OK);
    for (int i = 0; i < COUNT * N; i++)
        ck_assert_float_eq_tol(drawn[i], fminf(fmaxf((x[i] + 1) / 2, 0), 1), 1e-6f);
    maskdm_sampler_release(&sampler);
    maskdm_model_release(&m);
    maskdm_scheduler_release(&s);
    maskdm_device_release(&device);
    maskdm_options_release(&how);
    maskdm_options_release(&o);
}
END_TEST

START_TEST(what_is_no_number_is_black)
{
    const struct mdm_geometry g = {.height = 1, .width = 4, .channels = 1};
    const float x[4] = {NAN, -2, 0.5f, 3};
    struct mdm_pixels p;
    float out[4];

    ck_assert_int_eq(mdm_pixels_layout(&p, &g, 1, MASKDM_SAMPLE_FLOAT, 0, 0), MASKDM_OK);
    mdm_pixels_write(&p, out, 0, 1, x);
    ck_assert(out[0] == 0 && out[1] == 0 && out[2] == 0.75f && out[3] == 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("samplers");
    TCase *c = tcase_create("samplers");
    SRunner *r;
    int failed;

    tcase_add_test(c, times);
    tcase_add_test(c, a_perfect_network_gives_the_data);
    tcase_add_test(c, continuous_times);
    tcase_add_test(c, dpmpp_is_of_second_order);
    tcase_add_test(c, dpmpp_alone_is_ddim);
    tcase_add_test(c, one_image_is_found);
    tcase_add_test(c, ddim_at_eta_1_is_ddpm);
    tcase_add_test(c, clipping_is_the_authors);
    tcase_add_test(c, few_steps_end_in_first_order);
    tcase_add_test(c, every_time_is_drawn);
    tcase_add_test(c, refusals);
    tcase_add_test(c, noise_of_every_step);
    tcase_add_test(c, what_is_no_number_is_black);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
