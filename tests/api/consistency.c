/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Consistency models for a host: sampling in one evaluation and in more, step by step, and the arithmetic of tuning
 * where it is none of the reference cases: at the ends of a process, and in bad company.
 */
#include "rig.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 12 };

static maskdm_scheduler *scheduler_of(const char *text)
{
    maskdm_options *o = rig_options("scheduler", text);
    maskdm_scheduler *s;

    MUST(maskdm_scheduler_create(&s, o));
    maskdm_options_release(&o);
    return s;
}

static double factor(const maskdm_scheduler *s, const char *name, double time)
{
    double out;

    MUST(maskdm_scheduler_factors(s, name, 1, &time, &out));
    return out;
}

/* Evaluations of the sampler, each at the noise-to-signal ratio that is expected; afterwards x is the image that the
 * network saw, or that under fresh noise of the next level. */
static void walk(const char *process, const char *sampler, const double *ratio, int evaluations)
{
    maskdm_scheduler *s = scheduler_of(process);
    maskdm_options *o = rig_options("sampler", sampler);
    maskdm_solver *solver;
    float x[N], x0[N], said[N], noise[N];
    double times[8], last, unused;

    MUST(maskdm_solver_create(&solver, s, o));
    ck_assert_int_eq(maskdm_solver_evaluations(solver), evaluations);
    ck_assert_int_eq(maskdm_solver_draws(solver), evaluations - 1);
    ck_assert_int_eq(maskdm_solver_times(solver, times, 8), evaluations);
    MUST(maskdm_scheduler_range(s, &unused, &last));
    ck_assert_double_eq(times[0], last);
    for (int i = 0; i < N; i++)
        x[i] = (float)i / 5 - 1;
    MUST(maskdm_solver_begin(solver, 1, N, x));
    for (int e = 0; e < evaluations; e++) {
        const double signal = e + 1 < evaluations ? factor(s, "signal", times[e + 1]) : 1;
        const double level = e + 1 < evaluations ? factor(s, "noise", times[e + 1]) : 0;

        if (e)
            ck_assert_double_eq_tol(factor(s, "noise", times[e]) / factor(s, "signal", times[e]), ratio[e - 1],
                                    1e-3 * ratio[e - 1]);
        for (int i = 0; i < N; i++) {
            said[i] = (float)(0.3 - 0.05 * i + 0.1 * e);
            noise[i] = (float)(i % 3) - 1;
        }
        MUST(maskdm_solver_input(solver, x, NULL, NULL, NULL));
        MUST(maskdm_scheduler_denoised(s, 1, N, x, said, times + e, x0));
        MUST(maskdm_solver_step(solver, x, said, level != 0 ? noise : NULL, NULL));
        for (int i = 0; i < N; i++)
            ck_assert_float_eq_tol(x[i], (float)(signal * (double)x0[i] + level * (double)noise[i]),
                                   1e-5f * (1 + fabsf(x0[i])));
    }
    maskdm_solver_release(&solver);
    maskdm_options_release(&o);
    maskdm_scheduler_release(&s);
}

START_TEST(one_evaluation_or_a_few)
{
    static const char *const processes[] = {"process=edm", "timesteps=1000 schedule=cosine prediction=v",
                                            "process=vp prediction=v", "process=flow prediction=x0"};
    static const double authors[] = {0.821}, own[] = {5, 1.5, 0.2};
    const double karras[] = {pow((pow(80, 1 / 7.0) + pow(0.002, 1 / 7.0)) / 2, 7), 0.002};

    for (size_t i = 0; i < sizeof processes / sizeof *processes; i++) {
        walk(processes[i], "sampler=consistency clip=false", authors, 2);
        walk(processes[i], "sampler=consistency clip=false steps=1", NULL, 1);
        walk(processes[i], "sampler=consistency clip=false steps=4 mid=5,1.5,0.2", own, 4);
        walk(processes[i], "sampler=consistency clip=false steps=3 mid=5,1.5,0.2", own, 3);
    }
    walk("process=edm", "sampler=consistency clip=false times=80,3,0", (const double[]){3}, 2);
    walk("process=edm", "sampler=consistency clip=false steps=3 spacing=karras", karras, 3);
}
END_TEST

static void refuse_sampler(const char *text, const char *says)
{
    maskdm_scheduler *s = scheduler_of("process=edm");
    maskdm_options *o = rig_options("sampler", text);
    maskdm_solver *solver;

    ck_assert_int_eq(maskdm_solver_create(&solver, s, o), MASKDM_EINVAL);
    ck_assert_msg(strstr(maskdm_last_error(), says) != NULL, "%s", maskdm_last_error());
    maskdm_options_release(&o);
    maskdm_scheduler_release(&s);
}

START_TEST(levels_that_are_no_way)
{
    refuse_sampler("sampler=consistency steps=3", "steps 3 of sampler consistency need 2 values of mid, which has 1");
    refuse_sampler("sampler=consistency steps=3 mid=1,2", "no less noise");
    refuse_sampler("sampler=consistency mid=1000", "no less noise");
    refuse_sampler("sampler=consistency told_times=nearest", "has a meaning for process discrete alone");
}
END_TEST

/* r below the process's least noise is the image; at its very beginning nothing is left to compare. */
START_TEST(the_ends_of_a_process)
{
    static const char *const processes[] = {"process=edm", "timesteps=50 schedule=cosine", "process=flow",
                                            "timesteps=50 schedule=linear prediction=v "
                                            "zero_terminal_snr=true"};
    const double numbers[] = {-60, -1, 0, 1, 60};
    float x0[5 * N], noise[5 * N], a[5 * N], b[5 * N], gradient[5 * N];

    for (int i = 0; i < 5 * N; i++) {
        x0[i] = (float)sin(i);
        noise[i] = (float)cos(3 * i);
        a[i] = (float)sin(5 * i);
        b[i] = NAN; /* nobody looks at it where the image stands for it */
    }
    for (size_t i = 0; i < sizeof processes / sizeof *processes; i++) {
        maskdm_scheduler *s = scheduler_of(processes[i]);
        double t[5], r[5], first, last, losses[5];

        MUST(maskdm_scheduler_range(s, &first, &last));
        MUST(maskdm_scheduler_consistency_times(s, NULL, 7, 5, numbers, t, r));
        ck_assert_double_ge(t[0], first);
        ck_assert_double_le(t[4], last);
        for (int k = 0; k < 5; k++)
            ck_assert(r[k] < t[k] && (r[k] >= first || r[k] < 0 || r[k] == 0));
        MUST(maskdm_scheduler_consistency_times(s, NULL, 0, 5, numbers, t, r));
        ck_assert(r[0] < first || first == 0);
        for (int k = 0; k < 3; k++)
            ck_assert_double_lt(r[k], first + 1e-12);
        for (int k = 3; k < 5; k++)
            r[k] = r[0];
        MUST(maskdm_scheduler_consistency_loss(s, NULL, 5, N, x0, noise, t, r, a, b, losses, gradient));
        for (int k = 0; k < 5; k++)
            ck_assert(isfinite(losses[k]) && losses[k] >= 0);
        for (int k = 0; k < 5 * N; k++)
            ck_assert(isfinite(gradient[k]));
        maskdm_scheduler_release(&s);
    }
}
END_TEST

START_TEST(what_is_no_step)
{
    maskdm_scheduler *s = scheduler_of("process=edm");
    maskdm_options *o = rig_options("consistency", "stages=3");
    const double nan_number[] = {NAN}, t[] = {1}, r[] = {1}, late[] = {100}, zero[] = {0};
    const float image[N] = {0};
    double a, b;

    ck_assert_int_eq(maskdm_scheduler_consistency_times(s, o, 3, 1, zero, &a, &b), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "stage 3 is outside 0 .. 2");
    ck_assert_int_eq(maskdm_scheduler_consistency_times(s, o, 0, 1, nan_number, &a, &b), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_consistency_loss(s, o, 1, N, image, image, t, r, image, image, &a, NULL),
                     MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "r of image 0 is at time 1, not below t, 1");
    ck_assert_int_eq(maskdm_scheduler_consistency_loss(s, o, 1, N, image, image, late, r, image, image, &a, NULL),
                     MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "time 100 is outside 0.002 .. 80"));
    maskdm_options_release(&o);
    maskdm_scheduler_release(&s);
}
END_TEST

int main(void)
{
    const TTest *const test[] = {one_evaluation_or_a_few, levels_that_are_no_way, the_ends_of_a_process,
                                 what_is_no_step};

    return rig_run("consistency", test, sizeof test / sizeof *test);
}
