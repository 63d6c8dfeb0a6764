/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The samplers' arithmetic, with a perfect network in closed form in place of a trained one.
 */
#include "diffusion/method.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "sample/pixels.h"

#include <maskdm/maskdm.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
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

static maskdm_solver *solver(maskdm_scheduler *s, const char *text)
{
    maskdm_options *o = options("sampler", text);
    maskdm_solver *solver;

    ck_assert_msg(maskdm_solver_create(&solver, s, o) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    maskdm_options_release(&o);
    return solver;
}

static void expect_times(const char *schedule, const char *sampler, int64_t steps, const int *expected)
{
    maskdm_scheduler *s = scheduler(schedule);
    maskdm_solver *how = solver(s, sampler);
    double times[64], few[2] = {0, 7};

    ck_assert_int_eq(maskdm_solver_evaluations(how), steps);
    ck_assert_int_eq(maskdm_solver_times(how, times, 64), steps);
    for (int64_t i = 0; i < steps; i++)
        ck_assert_msg(times[i] == expected[i], "%s: time %d is %g", sampler, (int)i, times[i]);
    ck_assert_int_eq(maskdm_solver_times(how, few, 1), steps);
    ck_assert(few[0] == expected[0] && few[1] == 7);
    maskdm_solver_release(&how);
    maskdm_scheduler_release(&s);
}

START_TEST(times)
{
    expect_times("timesteps=1000", "sampler=ddim steps=4", 4, (const int[]){999, 749, 499, 249});
    expect_times("timesteps=1000", "sampler=ddim steps=6", 6, (const int[]){999, 832, 665, 499, 332, 165});
    expect_times("timesteps=1000", "sampler=ddim steps=1", 1, (const int[]){999});
    expect_times("timesteps=25", "sampler=ddim steps=24", 24,
                 (const int[]){24, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
    expect_times("timesteps=5 schedule=cosine", "sampler=ddpm", 5, (const int[]){4, 3, 2, 1, 0});
    expect_times("timesteps=100", "sampler=ddpm steps=3", 3, (const int[]){99, 65, 32});
    expect_times("timesteps=1000", "sampler=ddim steps=7 spacing=leading steps_offset=1", 7,
                 (const int[]){853, 711, 569, 427, 285, 143, 1});
    expect_times("timesteps=1000", "sampler=ddpm steps=7 spacing=trailing", 7,
                 (const int[]){999, 856, 713, 570, 428, 285, 142});
    expect_times("timesteps=1000", "sampler=ddim steps=16 spacing=trailing", 16,
                 (const int[]){999, 937, 874, 811, 749, 687, 624, 561, 499, 437, 374, 311, 249, 187, 124, 61});
    expect_times("timesteps=1000", "sampler=ddim steps=5 spacing=linspace", 5, (const int[]){999, 749, 500, 250, 0});
    expect_times("timesteps=1000", "sampler=dpmpp steps=4 spacing=leading", 4, (const int[]){800, 600, 400, 200});
    expect_times("timesteps=1000", "sampler=dpmpp steps=4 spacing=linspace", 4, (const int[]){999, 749, 500, 250});
    expect_times("timesteps=1000", "sampler=euler steps=4 spacing=linspace", 4, (const int[]){999, 666, 333, 0});
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
    maskdm_solver *even = solver(s, "sampler=dpmpp steps=12 spacing=time");
    maskdm_solver *ratio = solver(s, "sampler=dpmpp steps=12");
    double at[S], abar[T], first, last;

    ck_assert_int_eq(maskdm_solver_times(even, at, S), S);
    for (int i = 0; i < S; i++)
        ck_assert_double_eq_tol(at[i], 999.0 * (S - i) / S, 1e-9);
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, T), T);
    ck_assert_int_eq(maskdm_solver_times(ratio, at, S), S);
    ck_assert_double_eq(at[0], 999);
    first = half_log_ratio(abar[999]);
    last = half_log_ratio(abar[0]);
    for (int i = 0; i < S; i++)
        ck_assert_double_eq_tol(half_log_ratio(abar_at(abar, at[i])), first + (last - first) * i / S, 1e-9);
    maskdm_solver_release(&even);
    maskdm_solver_release(&ratio);
    maskdm_scheduler_release(&s);
}
END_TEST

/* The times of the other processes, from what their authors write. */
START_TEST(spacings)
{
    static const struct {
        const char *scheduler, *sampler;
        double times[5];
    } cases[] = {{"process=edm", "sampler=euler steps=5", {80, 9.7232, 0.4700, 0.0, 0.002}},
                 {"process=flow", "sampler=euler steps=5", {1, 0.8, 0.6, 0.4, 0.2}},
                 {"process=flow time_shift=3", "sampler=euler steps=5", {1, 0.923077, 0.818182, 0.666667, 0.428571}},
                 {"process=flow", "sampler=euler steps=5 spacing=sd3", {1, 0.75025, 0.5005, 0.25075, 0.001}},
                 {"process=flow time_shift=3",
                  "sampler=euler steps=5 spacing=flux",
                  {1, 0.900120, 0.750375, 0.500999, 0.002994}},
                 {"process=vp", "sampler=euler steps=5", {1, 0.7500025, 0.500005, 0.2500075, 1e-5}}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maskdm_scheduler *s = scheduler(cases[i].scheduler);
        maskdm_solver *how = solver(s, cases[i].sampler);
        double at[5];

        ck_assert_int_eq(maskdm_solver_times(how, at, 5), 5);
        for (int k = 0; k < 5; k++) {
            const double power = 1.0 / 7, least = pow(0.002, power), most = pow(80, power);
            const double karras = pow(most + k / 4.0 * (least - most), 7);

            ck_assert_msg(fabs(at[k] - (i ? cases[i].times[k] : karras)) < 1e-6, "%s, %s: time %d is %.9g",
                          cases[i].scheduler, cases[i].sampler, k, at[k]);
        }
        maskdm_solver_release(&how);
        maskdm_scheduler_release(&s);
    }
}
END_TEST

/* What a perfect network answers at `time` for data that are normal with deviation `spread` around `mean`. */
static float perfect(const maskdm_scheduler *s, double time, double x, double mean, double spread)
{
    const struct mdm_facts f = mdm_scheduler_facts(s, time);
    const double signal = f.level.signal, noise = f.level.noise;
    const double variance = signal * signal * spread * spread + noise * noise;
    const double x0 = mean + signal * spread * spread / variance * (x - signal * mean);

    return (float)(f.target.a * x0 + f.target.b * (x - signal * x0) / noise);
}

/* Data whose values are normal; or their pairs, with one deviation along (1, 1) and another across. */
struct data {
    double mean, spread, across; /* across 0: values of their own */
};

static void predict(const maskdm_scheduler *s, double time, struct data data, const float *x, float *p, int64_t n)
{
    const double half = sqrt(0.5);

    for (int64_t k = 0; k < n && data.across == 0; k++)
        p[k] = perfect(s, time, x[k], data.mean, data.spread);
    for (int64_t k = 0; k + 1 < n && data.across > 0; k += 2) {
        const double along = perfect(s, time, half * (x[k] + x[k + 1]), 2 * half * data.mean, data.spread);
        const double across = perfect(s, time, half * (x[k] - x[k + 1]), 0, data.across);

        p[k] = (float)(half * (along + across));
        p[k + 1] = (float)(half * (along - across));
    }
}

/* Sample `n` values by single public steps, from the normals in `x`. */
static void sample_data(maskdm_scheduler *s, const char *sampler, struct data data, float *x, int64_t n)
{
    maskdm_solver *how = solver(s, sampler);
    const int64_t evaluations = maskdm_solver_evaluations(how);
    double *at = malloc((size_t)evaluations * sizeof *at);
    float *p = malloc((size_t)n * sizeof *p), *z = malloc((size_t)n * sizeof *z);

    ck_assert_int_eq(maskdm_solver_times(how, at, evaluations), evaluations);
    ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 1, 0, 1000, 1, n, x), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_begin(how, 1, n, x), MASKDM_OK);
    for (int64_t e = 0; e < evaluations; e++) {
        const float *noise = maskdm_solver_takes_noise(how) ? z : NULL;

        if (noise)
            ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 1, 0, e, 1, n, z), MASKDM_OK);
        ck_assert_int_eq(maskdm_solver_input(how, x, noise, NULL, NULL), MASKDM_OK);
        predict(s, at[e], data, x, p, n);
        ck_assert_msg(maskdm_solver_step(how, x, p, noise, NULL) == MASKDM_OK, "%s", maskdm_last_error());
    }
    free(at);
    free(p);
    free(z);
    maskdm_solver_release(&how);
}

static void sample(maskdm_scheduler *s, const char *sampler, double mean, double spread, float *x, int64_t n)
{
    sample_data(s, sampler, (struct data){mean, spread, 0}, x, n);
}

/* Mean and covariance of ten thousand pairs. */
static void expect_normal(const char *schedule, const char *sampler, double tolerance)
{
    enum { PAIRS = 10000 };
    static float x[2 * PAIRS];
    const struct data data = {0.25, 0.25, 0.1};
    const double half = sqrt(0.5),
                 want[] = {2 * half * data.mean, 0, data.spread * data.spread, data.across * data.across, 0};
    static const char *const names[] = {"mean along", "mean across", "variance along", "variance across",
                                        "covariance"};
    maskdm_scheduler *s = scheduler(schedule);
    static const double share[] = {1, 1, 0.4, 0.4, 0.1}; /* of the tolerance */
    double is[5] = {0};

    sample_data(s, sampler, data, x, 2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        is[0] += half * (x[2 * i] + x[2 * i + 1]) / PAIRS;
        is[1] += half * (x[2 * i] - x[2 * i + 1]) / PAIRS;
    }
    for (int i = 0; i < PAIRS; i++) {
        const double u = half * (x[2 * i] + x[2 * i + 1]) - is[0], v = half * (x[2 * i] - x[2 * i + 1]) - is[1];

        is[2] += u * u / PAIRS;
        is[3] += v * v / PAIRS;
        is[4] += u * v / PAIRS;
    }
    for (int i = 0; i < 5; i++)
        ck_assert_msg(fabs(is[i] - want[i]) < share[i] * tolerance, "%s, %s: %s %g, not %g", schedule, sampler,
                      names[i], is[i], want[i]);
    maskdm_scheduler_release(&s);
}

START_TEST(a_perfect_network_gives_the_data)
{
    expect_normal("schedule=cosine timesteps=200 prediction=noise", "sampler=ddpm clip=false", 0.01);
    expect_normal("schedule=cosine timesteps=200 prediction=v", "sampler=ddpm clip=false", 0.01);
    expect_normal("schedule=linear timesteps=400 prediction=x0", "sampler=ddpm", 0.01);
    expect_normal("schedule=linear timesteps=400", "sampler=ddpm steps=200 spacing=trailing clip=false", 0.02);
    expect_normal("schedule=linear timesteps=400", "sampler=ddpm variance=fixed_large clip=false", 0.02);
    expect_normal("process=vp prediction=v", "sampler=ddpm steps=200 clip=false", 0.02);
    expect_normal("process=edm", "sampler=ddpm steps=200 clip=false", 0.02);
    expect_normal("process=flow", "sampler=ddpm steps=300 clip=false", 0.02);
    expect_normal("schedule=linear timesteps=400 prediction=x0", "sampler=ddim steps=200 eta=0", 0.02);
    expect_normal("schedule=cosine timesteps=400 prediction=v", "sampler=ddim steps=200 eta=0.5", 0.02);
    expect_normal("schedule=cosine timesteps=400 prediction=noise", "sampler=ddim steps=200 eta=1 clip=false", 0.02);
    expect_normal("schedule=linear timesteps=1000 prediction=x0", "sampler=dpmpp steps=20", 0.02);
    expect_normal("schedule=cosine timesteps=1000 prediction=v", "sampler=dpmpp steps=100 spacing=time", 0.02);
    expect_normal("schedule=cosine timesteps=1000 prediction=v", "sampler=heun steps=40 clip=false", 0.02);
    expect_normal("process=vp prediction=noise", "sampler=ddim steps=200 eta=1 clip=false", 0.02);
    expect_normal("schedule=cosine", "sampler=euler_ancestral steps=200 clip=false", 0.02);
    expect_normal("process=edm", "sampler=euler_ancestral steps=200 clip=false", 0.02);
    expect_normal("process=flow", "sampler=euler_ancestral steps=300 clip=false", 0.02);
    expect_normal("schedule=cosine prediction=v", "sampler=dpmpp steps=40 sde=true clip=false", 0.02);
    expect_normal("process=edm", "sampler=dpmpp steps=60 sde=true order=3 clip=false", 0.02);
    expect_normal("process=vp", "sampler=dpmpp steps=60 order=3 clip=false", 0.02);
    expect_normal("process=flow", "sampler=dpmpp steps=40 clip=false", 0.02);
    expect_normal("process=flow", "sampler=dpmpp steps=60 sde=true clip=false", 0.02);
    expect_normal("schedule=linear", "sampler=unipc steps=20 clip=false", 0.02);
    expect_normal("process=vp prediction=v", "sampler=unipc steps=20 order=3 unipc_kind=bh1 clip=false", 0.02);
    expect_normal("process=edm", "sampler=unipc steps=20 order=3 clip=false", 0.02);
    expect_normal("process=flow", "sampler=unipc steps=20 order=3 clip=false", 0.02);
    expect_normal("process=edm", "sampler=heun steps=60 clip=false", 0.01);
    expect_normal("process=edm prediction=x0", "sampler=heun steps=80 churn=20 churn_max=50 clip=false", 0.02);
    expect_normal("schedule=linear", "sampler=euler steps=60 spacing=logsnr churn=24 churn_min=150 clip=false", 0.02);
    expect_normal("schedule=scaled_linear zero_terminal_snr=true prediction=v",
                  "sampler=euler steps=400 spacing=time churn=160 churn_min=20 clip=false", 0.02);
    expect_normal("process=edm", "sampler=dpmpp steps=40 clip=false", 0.02);
    expect_normal("process=edm", "sampler=ddim steps=300 eta=1 clip=false", 0.02);
    expect_normal("process=flow", "sampler=heun steps=30 clip=false", 0.01);
    expect_normal("process=flow prediction=x0 noise_scale=2", "sampler=euler steps=300", 0.02);
    expect_normal("process=flow flow_time=data", "sampler=ddim steps=300 eta=1 clip=false", 0.02);
    expect_normal("process=flow flow_path=gvp", "sampler=heun steps=30 clip=false", 0.01);
    expect_normal("process=flow flow_path=vp prediction=score", "sampler=heun steps=60 clip=false", 0.02);
    expect_normal("process=ve", "sampler=heun steps=60 clip=false", 0.01);
    expect_normal("process=vp vp_shape=cosine prediction=v", "sampler=ddim steps=200 clip=false", 0.02);
    expect_normal("schedule=scaled_linear zero_terminal_snr=true prediction=v", "sampler=ddim steps=200 clip=false",
                  0.02);
}
END_TEST

/* For such data the probability flow keeps each value's place within the deviation, so that its end is known. The
 * largest error of a run that starts at x_T and goes to `end`. */
static double flow_error(const char *process, const char *sampler, double end)
{
    enum { N = 64 };
    const double mean = 0.25, spread = 0.4;
    maskdm_scheduler *s = scheduler(process);
    const struct mdm_level from = mdm_process_at(s->process, s->process->last), to = mdm_process_at(s->process, end);
    const double before = sqrt(from.signal * from.signal * spread * spread + from.noise * from.noise);
    const double after = sqrt(to.signal * to.signal * spread * spread + to.noise * to.noise);
    float x[N], start[N];
    double worst = 0;

    ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 1, 0, 1000, 1, N, start), MASKDM_OK);
    sample(s, sampler, mean, spread, x, N);
    for (int i = 0; i < N; i++) {
        const double x_T = s->process->kind->preserves ? start[i] : start[i] * from.noise;
        const double place = (x_T - from.signal * mean) / before;

        worst = fmax(worst, fabs(x[i] - to.signal * mean - place * after));
    }
    maskdm_scheduler_release(&s);
    return worst;
}

/* Twice the steps: a quarter of the error; and twenty steps are better than fifty of DDIM. */
START_TEST(dpmpp_is_of_second_order)
{
    static const char process[] = "schedule=cosine timesteps=1000 prediction=v";
    const double a = flow_error(process, "sampler=dpmpp clip=false spacing=time steps=40", 0);
    const double b = flow_error(process, "sampler=dpmpp clip=false spacing=time steps=80", 0);
    const double c = flow_error(process, "sampler=dpmpp clip=false steps=20", 0);
    const double d = flow_error(process, "sampler=dpmpp clip=false steps=40", 0);
    const double first = flow_error(process, "sampler=ddim clip=false eta=0 steps=50", 0);

    ck_assert_msg(a / b > 3, "even steps of time: errors %g, %g", a, b);
    ck_assert_msg(c / d > 3, "even steps of the ratio: errors %g, %g", c, d);
    ck_assert_msg(c < first, "20 steps: error %g, DDIM in 50: %g", c, first);
}
END_TEST

/* Twice the steps: half of Euler's error, a quarter of Heun's. Single precision's own error lies far below. */
START_TEST(slopes_have_their_order)
{
    static const struct {
        const char *process, *sampler, *twice;
        double least, most;
    } cases[] = {{"process=edm", "sampler=euler clip=false steps=40", "sampler=euler clip=false steps=80", 1.8, 2.3},
                 {"process=edm", "sampler=heun clip=false steps=20", "sampler=heun clip=false steps=40", 3.5, 5},
                 {"process=flow", "sampler=euler clip=false steps=40", "sampler=euler clip=false steps=80", 1.8, 2.3},
                 {"process=flow", "sampler=heun clip=false steps=20", "sampler=heun clip=false steps=40", 3.5, 5},
                 {"process=flow prediction=x0 weight_floor=0", "sampler=heun clip=false steps=20",
                  "sampler=heun clip=false steps=40", 3.5, 5}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double a = flow_error(cases[i].process, cases[i].sampler, 0);
        const double b = flow_error(cases[i].process, cases[i].twice, 0);

        ck_assert_msg(a / b > cases[i].least && a / b < cases[i].most, "%s, %s: errors %g, %g", cases[i].process,
                      cases[i].sampler, a, b);
    }
}
END_TEST

/* Twice the steps divide the error by 2^p. DPM-Solver++ is of order 2 with three evaluations too, though its error is
 * less; UniPC's correction gives one order more, as far as the first steps, which know less, let it. */
START_TEST(looking_back_has_its_order)
{
    static const struct {
        const char *process, *sampler;
        int steps;
        double least, most;
    } cases[] = {{"process=vp", "dpmpp order=1", 40, 1.8, 2.3},
                 {"process=vp", "dpmpp order=2", 40, 3.5, 5},
                 {"process=vp", "dpmpp order=2 dpmpp_kind=heun", 40, 3.5, 5},
                 {"process=vp", "dpmpp order=3", 40, 4, 6},
                 {"process=edm", "dpmpp order=3 final_sigma=sigma_min", 40, 4, 6},
                 {"process=vp", "unipc order=1", 40, 3.5, 5},
                 {"process=vp", "unipc order=2", 40, 6.5, 11},
                 {"process=vp", "unipc order=2 unipc_kind=bh1", 40, 6.5, 11},
                 {"process=vp", "unipc order=3", 40, 6.5, 22},
                 {"process=edm", "unipc order=2 final_sigma=sigma_min", 40, 6.5, 11}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double end = cases[i].process[8] == 'v' ? 1e-5 : 0.002;
        double error[2];

        for (int twice = 0; twice < 2; twice++) {
            char sampler[160];

            snprintf(sampler, sizeof sampler, "sampler=%s steps=%d clip=false spacing=logsnr low_order_below=0",
                     cases[i].sampler, cases[i].steps << twice);
            error[twice] = flow_error(cases[i].process, sampler, end);
        }
        ck_assert_msg(error[0] / error[1] > cases[i].least && error[0] / error[1] < cases[i].most,
                      "%s, %s: errors %g, %g", cases[i].process, cases[i].sampler, error[0], error[1]);
    }
}
END_TEST

/* A step without one before it is of first order, and that is DDIM. */
START_TEST(dpmpp_alone_is_ddim)
{
    maskdm_scheduler *s = scheduler("schedule=linear prediction=noise");
    maskdm_solver *how[2] = {solver(s, "sampler=ddim eta=0 clip=false times=700,300"),
                             solver(s, "sampler=dpmpp clip=false times=700,300")};
    float x[2] = {0.5f, 0.5f}, p = -0.25f, x0[2];

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(maskdm_solver_begin(how[i], 1, 1, &x[i]), MASKDM_OK);
        ck_assert_int_eq(maskdm_solver_input(how[i], &x[i], NULL, NULL, NULL), MASKDM_OK);
        ck_assert_int_eq(maskdm_solver_step(how[i], &x[i], &p, NULL, &x0[i]), MASKDM_OK);
        maskdm_solver_release(&how[i]);
    }
    ck_assert_double_eq_tol(x[0], x[1], 1e-6);
    ck_assert_float_eq(x0[0], x0[1]);
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
    static const char *const predictions[] = {"schedule=cosine timesteps=100 prediction=noise",
                                              "schedule=cosine timesteps=100 prediction=x0"};

    for (int i = 0; i < 4; i++) {
        const int kind = i % 2, side = i < 2 ? 1 : -1;
        maskdm_scheduler *s = scheduler(predictions[kind]);
        maskdm_solver *how = solver(s, "sampler=ddim eta=0 times=49,39");
        double abar[100], a, b, eps;
        float x = (float)side * 1.5f, x0;
        const float p = (float)side * (kind ? 2 : -1);

        ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, 100), 100);
        a = abar[49];
        b = abar[39];
        eps = side * (kind ? (1.5 - sqrt(a)) / sqrt(1 - a) : -1);
        ck_assert_int_eq(maskdm_solver_begin(how, 1, 1, &x), MASKDM_OK);
        ck_assert_int_eq(maskdm_solver_input(how, &x, NULL, NULL, NULL), MASKDM_OK);
        ck_assert_int_eq(maskdm_solver_step(how, &x, &p, NULL, &x0), MASKDM_OK);
        ck_assert_float_eq(x0, (float)side);
        ck_assert_double_eq_tol(x, side * sqrt(b) + sqrt(1 - b) * eps, 1e-6);
        maskdm_solver_release(&how);
        maskdm_scheduler_release(&s);
    }
}
END_TEST

/* Imagen's limits: half of the first image's values lie within 2, so that it is divided by 2; the second stays. */
START_TEST(thresholds_are_each_image_s_own)
{
    maskdm_scheduler *s = scheduler("schedule=cosine timesteps=100 prediction=x0");
    maskdm_solver *how = solver(s, "sampler=ddim steps=2 threshold=true threshold_share=0.5");
    const float p[6] = {-2, 8, 1, 0.5f, -0.25f, 0.75f}, want[6] = {-1, 1, 0.5f, 0.5f, -0.25f, 0.75f};
    float x[6] = {0}, x0[6];

    ck_assert_int_eq(maskdm_solver_begin(how, 2, 3, x), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_input(how, x, NULL, NULL, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_step(how, x, p, NULL, x0), MASKDM_OK);
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq(x0[i], want[i]);
    maskdm_solver_release(&how);
    how = solver(s, "sampler=ddim steps=2 threshold=true threshold_share=0.5 threshold_max=1.6");
    ck_assert_int_eq(maskdm_solver_begin(how, 2, 3, x), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_input(how, x, NULL, NULL, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_step(how, x, p, NULL, x0), MASKDM_OK);
    ck_assert_float_eq(x0[0], -1);
    ck_assert_float_eq(x0[2], 0.625f);
    maskdm_solver_release(&how);
    maskdm_scheduler_release(&s);
}
END_TEST

/* With less than ten steps the last is of first order. */
START_TEST(few_steps_end_in_first_order)
{
    maskdm_scheduler *s = scheduler("timesteps=1000");

    for (int64_t steps = 9; steps <= 10; steps++) {
        maskdm_options *o = options("sampler", steps == 9 ? "sampler=dpmpp steps=9" : "sampler=dpmpp steps=10");
        struct mdm_method how;

        ck_assert_int_eq(mdm_method_make(&how, s, o), MASKDM_OK);
        for (int64_t i = steps - 2; i < steps; i++)
            ck_assert_int_eq(mdm_method_evaluation(&how, i).next.before[0] != 0, steps == 10 || i < steps - 1);
        mdm_method_free(&how);
        maskdm_options_release(&o);
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

static void expect_refusal(const char *process, const char *sampler, const char *line)
{
    maskdm_scheduler *s = scheduler(process);
    maskdm_options *o = options("sampler", sampler);
    maskdm_solver *how;

    ck_assert_msg(maskdm_solver_create(&how, s, o) == MASKDM_EINVAL, "%s, %s", process, sampler);
    ck_assert_ptr_null(how);
    ck_assert_str_eq(maskdm_last_error(), line);
    maskdm_options_release(&o);
    maskdm_scheduler_release(&s);
}

/* x after one step of ddpm with so much noise, by what the network says of its variance; NULL: nothing. */
static double stepped(const char *way, const char *variance, const float *says, float noise)
{
    maskdm_scheduler *s = scheduler("timesteps=50 schedule=linear");
    float x = 0.75f, prediction = 0.25f;
    maskdm_solver *how;
    maskdm_options *o;
    char text[128];

    snprintf(text, sizeof text, "sampler=ddpm clip=false %s variance=%s", way, variance);
    o = options("sampler", text);
    ck_assert_int_eq(maskdm_solver_create(&how, s, o), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_begin(how, 1, 1, &x), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_input(how, &x, NULL, NULL, NULL), MASKDM_OK);
    if (says)
        ck_assert_int_eq(maskdm_solver_set_variance(how, says), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_step(how, &x, &prediction, &noise, NULL), MASKDM_OK);
    maskdm_solver_release(&how);
    maskdm_options_release(&o);
    maskdm_scheduler_release(&s);
    return (double)x;
}

/* -1 and 1 are the two variances that others have, and between them and beyond it is the logarithm that goes evenly.
 */
START_TEST(variance_between_two)
{
    static const char *const way[] = {"", "steps=7", "steps=7 spacing=linspace", "times=40,30,4,1,0,-1"};
    static const float says[] = {-1, -0.5f, 0, 0.25f, 1, 1.5f};

    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        const double mean = stepped(way[i], "fixed_small", NULL, 0);
        const double small = log(stepped(way[i], "fixed_small", NULL, 1) - mean);
        const double large = log(stepped(way[i], "fixed_large", NULL, 1) - mean);

        ck_assert_double_gt(large, small);
        for (size_t k = 0; k < sizeof says / sizeof *says; k++) {
            const double between = small + (1 + (double)says[k]) / 2 * (large - small);

            ck_assert(stepped(way[i], "learned_range", &says[k], 0) == mean);
            ck_assert_double_eq_tol(log(stepped(way[i], "learned_range", &says[k], 1) - mean), between, 1e-5);
        }
    }
}
END_TEST

START_TEST(no_such_solver)
{
    expect_refusal("timesteps=100", "sampler=ddim steps=101", "101 sampling steps; the schedule allows 1 to 100");
    expect_refusal("timesteps=100 schedule=linear", "sampler=ddim steps=10 eta=60",
                   "eta 60 is too large for the step from 99 to 89: 1.06607 at most");
    expect_refusal("process=flow", "sampler=heun churn=10",
                   "churn 10 has no meaning for the straight path of process flow");
    expect_refusal("timesteps=1", "sampler=unipc", "unipc needs a schedule of at least 2 timesteps");
    expect_refusal("process=flow", "sampler=euler spacing=karras", "spacing karras has no meaning for process flow");
    expect_refusal("process=edm", "sampler=euler spacing=whole", "spacing whole has no meaning for process edm");
    expect_refusal("process=edm", "sampler=euler spacing=sd3", "spacing sd3 has no meaning for process edm");
    expect_refusal("process=edm", "sampler=ddim spacing=trailing", "spacing trailing has no meaning for process edm");
    expect_refusal("timesteps=100", "sampler=euler steps=101 spacing=linspace",
                   "101 sampling steps; the schedule allows 1 to 100");
    expect_refusal("timesteps=100", "sampler=ddim steps=10 spacing=leading steps_offset=10",
                   "leading times with an offset of 10 begin at 100; process discrete ends at 99");
    expect_refusal("timesteps=100", "sampler=ddim steps=10 steps_offset=1",
                   "steps_offset goes with spacing leading or karras_ends leading, which is auto");
    expect_refusal("timesteps=100", "sampler=ddim steps=10 karras_ends=leading",
                   "karras_ends goes with spacing karras, which is auto");
    expect_refusal("process=edm", "sampler=ddim steps=10 told_times=nearest",
                   "told_times nearest has a meaning for process discrete alone, and this one is edm");
    expect_refusal("", "threshold_max=5", "threshold_max goes with threshold, which is false");
    expect_refusal("", "clip=false clip_range=2", "clip_range goes with clip true, which is false");
    expect_refusal("", "guidance_low=0.5", "guidance_low goes with guidance, which is 1");
    expect_refusal("process=edm", "sampler=heun churn_noise=2", "churn_noise goes with churn, which is 0");
    expect_refusal("timesteps=10", "sampler=dpmpp steps=10 spacing=leading",
                   "step 0 of the sampler goes from time 0 to 0, which has no less noise");
    expect_refusal("timesteps=100", "sampler=ddim times=50,50",
                   "a sampler goes to an earlier time, not from 50 to 50");
    expect_refusal("timesteps=100", "sampler=ddim times=100,50",
                   "time 100 of the sampler is outside 0 .. 99 of process discrete");
    expect_refusal("process=edm", "sampler=heun times=3,0.001,0",
                   "time 0.001 of the sampler is outside 0.002 .. 80 of process edm");
    expect_refusal("process=edm", "sampler=heun times=3", "a sampler needs two times at least, not 1");
}
END_TEST

START_TEST(out_of_turn)
{
    maskdm_scheduler *s = scheduler("schedule=linear timesteps=100");
    maskdm_solver *how = solver(s, "sampler=ddim steps=2 eta=1");
    float x = 1, p = 0, z = 0;

    ck_assert_int_eq(maskdm_solver_draws(how), 1);
    ck_assert_int_eq(maskdm_solver_input(how, &x, NULL, NULL, NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "the solver was not begun");
    ck_assert_int_eq(maskdm_solver_begin(how, 0, 1, &x), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_solver_begin(how, INT64_MAX, 2, &x), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_solver_begin(how, 1, 1, &x), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_step(how, &x, &p, &z, NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "evaluation 0 of the solver awaits its input");
    ck_assert_int_eq(maskdm_solver_input(how, &x, NULL, NULL, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_input(how, &x, NULL, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_solver_takes_noise(how), 1);
    ck_assert_int_eq(maskdm_solver_step(how, &x, &p, NULL, NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "the solver's evaluation at time 99 needs noise, not NULL");
    ck_assert_float_eq(x, 1);
    ck_assert_int_eq(maskdm_solver_step(how, &x, &p, &z, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_takes_noise(how), 0);
    ck_assert_int_eq(maskdm_solver_input(how, &x, NULL, NULL, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_step(how, &x, &p, NULL, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_solver_input(how, &x, NULL, NULL, NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "all 2 evaluations of the solver are done");
    ck_assert_int_eq(maskdm_solver_begin(how, 1, 1, &x), MASKDM_OK); /* once more */
    ck_assert_int_eq(maskdm_solver_input(how, &x, NULL, NULL, NULL), MASKDM_OK);
    maskdm_solver_release(&how);
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

/* Another thread that steps meanwhile; that memory is asked for is the moment to do so. */
struct stepper {
    maskdm_solver *solver;
    int asked, busy;
};

static int step_meanwhile(void *user, size_t bytes)
{
    struct stepper *with = user;
    float x = 0;

    (void)bytes;
    with->asked++;
    with->busy += maskdm_solver_begin(with->solver, 1, 1, &x) == MASKDM_EBUSY &&
                  maskdm_solver_step(with->solver, &x, &x, NULL, NULL) == MASKDM_EBUSY;
    return with->asked > 9; /* no end of it where nobody refuses */
}

START_TEST(a_solver_is_at_work)
{
    maskdm_scheduler *s = scheduler("timesteps=100");
    struct stepper with = {.solver = solver(s, "sampler=dpmpp steps=6")}; /* which keeps what it looks back at */
    const struct mdm_alloc_hook hook = {step_meanwhile, &with};
    float x[6] = {0};

    mdm_alloc_hook_set(&hook);
    (void)!maskdm_solver_begin(with.solver, 2, 3, x);
    mdm_alloc_hook_set(NULL);
    ck_assert_int_gt(with.asked, 0);
    ck_assert_int_eq(with.busy, with.asked);
    ck_assert_int_eq(maskdm_solver_begin(with.solver, 2, 3, x), MASKDM_OK);
    maskdm_solver_release(&with.solver);
    maskdm_scheduler_release(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("samplers");
    TCase *c = tcase_create("samplers");
    SRunner *r;
    int failed;

    tcase_set_timeout(c, 300);
    tcase_add_test(c, times);
    tcase_add_test(c, a_perfect_network_gives_the_data);
    tcase_add_test(c, continuous_times);
    tcase_add_test(c, dpmpp_is_of_second_order);
    tcase_add_test(c, spacings);
    tcase_add_test(c, slopes_have_their_order);
    tcase_add_test(c, looking_back_has_its_order);
    tcase_add_test(c, dpmpp_alone_is_ddim);
    tcase_add_test(c, one_image_is_found);
    tcase_add_test(c, ddim_at_eta_1_is_ddpm);
    tcase_add_test(c, clipping_is_the_authors);
    tcase_add_test(c, thresholds_are_each_image_s_own);
    tcase_add_test(c, few_steps_end_in_first_order);
    tcase_add_test(c, every_time_is_drawn);
    tcase_add_test(c, variance_between_two);
    tcase_add_test(c, no_such_solver);
    tcase_add_test(c, out_of_turn);
    tcase_add_test(c, noise_of_every_step);
    tcase_add_test(c, what_is_no_number_is_black);
    tcase_add_test(c, a_solver_is_at_work);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
