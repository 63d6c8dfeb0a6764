/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Noise schedules against closed-form spot values and against tables that the authors' program wrote.
 */
#include "diffusion/discrete_schedule.h"

#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tables[] = {"betas", "alphas_cumprod", "posterior_variance", "posterior_mean_coef1",
                                     "posterior_mean_coef2"};

static void expect_near(double a, double b, double relative)
{
    ck_assert_msg(fabs(a - b) <= relative * fabs(b), "%.17g is not %.17g", a, b);
}

/* A place in the list of kinds. */
static unsigned kind_of(const char *name)
{
    int i = 0;

    while (strcmp(mdm_betas_name(i), name) != 0)
        i++;
    return (unsigned)i;
}

static int make(struct mdm_schedule *out, const char *kind, int64_t timesteps, double image_size)
{
    return mdm_schedule_make(
        out, &(struct mdm_betas){.kind = kind_of(kind), .timesteps = timesteps, .shift_size = image_size});
}

START_TEST(spot_values)
{
    struct mdm_schedule s;

    ck_assert_int_eq(make(&s, "linear", 1000, 0), MASKDM_OK);
    expect_near(s.abar[0], 0.9999, 1e-12);
    expect_near(s.abar[500], 0.0777967, 1e-6);
    expect_near(s.abar[999], 4.0358e-5, 1e-4);
    expect_near(s.beta[999], 0.02, 1e-12);
    mdm_schedule_free(&s);
    ck_assert_int_eq(make(&s, "cosine", 1000, 0), MASKDM_OK);
    expect_near(s.abar[0], 0.9999587, 1e-7);
    expect_near(s.abar[500], 0.4922852, 1e-7);
    expect_near(s.abar[998], 2.42877e-6, 1e-5);
    expect_near(s.abar[999], 2.42877e-9, 1e-5);
    ck_assert_double_eq(s.beta[999], 0.999);
    mdm_schedule_free(&s);
}
END_TEST

START_TEST(shift_at_its_own_size_is_none)
{
    struct mdm_schedule plain, same, larger;

    ck_assert_int_eq(make(&plain, "cosine", 100, 0), MASKDM_OK);
    ck_assert_int_eq(make(&same, "shifted_cosine", 100, 64), MASKDM_OK);
    ck_assert_int_eq(make(&larger, "shifted_cosine", 100, 256), MASKDM_OK);
    for (int t = 0; t < 100; t++) {
        expect_near(same.abar[t], plain.abar[t], 1e-10);
        ck_assert_double_lt(larger.abar[t], plain.abar[t]);
    }
    mdm_schedule_free(&plain);
    mdm_schedule_free(&same);
    mdm_schedule_free(&larger);
}
END_TEST

/* The mean and variance of q(x_{t-1} | x_t, x0) must lead from the marginal at t to the marginal at t-1. */
START_TEST(posterior_is_consistent)
{
    struct mdm_schedule s;

    ck_assert_int_eq(make(&s, "linear", 200, 0), MASKDM_OK);
    for (int t = 1; t < 200; t++) {
        expect_near(s.coef1[t] + s.coef2[t] * sqrt(s.abar[t]), sqrt(s.abar[t - 1]), 1e-12);
        expect_near(s.variance[t] + s.coef2[t] * s.coef2[t] * (1 - s.abar[t]), 1 - s.abar[t - 1], 1e-9);
    }
    ck_assert_double_eq(s.variance[0], 0);
    expect_near(s.coef1[0], 1, 1e-12);
    mdm_schedule_free(&s);
}
END_TEST

static void compare(const char *file, const char *kind, int64_t timesteps)
{
    char path[512];
    struct mdm_schedule s;
    struct mdm_tensorfile st;

    snprintf(path, sizeof path, "%s/schedule/%s", REFERENCE, file);
    ck_assert_msg(mdm_safetensors_open(&st, path) == MASKDM_OK, "%s", maskdm_last_error());
    ck_assert_int_eq(make(&s, kind, timesteps, 0), MASKDM_OK);
    for (size_t i = 0; i < MDM_LENGTH(tables); i++) {
        const double *ours = mdm_schedule_table(&s, tables[i]);
        char name[64];
        double theirs[64];

        snprintf(name, sizeof name, "expect.%s", tables[i]);
        ck_assert_int_eq(mdm_tensorfile_read_f64(&st, mdm_tensorfile_find(&st, name), theirs, timesteps), MASKDM_OK);
        for (int64_t t = 0; t < timesteps; t++)
            ck_assert_msg(fabs(ours[t] - theirs[t]) <= 1e-12 * fabs(theirs[t]) + 1e-16, "%s %s[%d]: %.17g, not %.17g",
                          file, tables[i], (int)t, ours[t], theirs[t]);
    }
    mdm_schedule_free(&s);
    mdm_tensorfile_close(&st);
}

/* Ends of one's own are not scaled by T; square roots on a line; and a sigmoid between the ends. */
START_TEST(ends_of_ones_own)
{
    const struct mdm_betas how[] = {{.kind = kind_of("linear"), .timesteps = 5, .start = 0.1, .end = 0.3},
                                    {.kind = kind_of("scaled_linear"), .timesteps = 5, .start = 0.01, .end = 0.09},
                                    {.kind = kind_of("sigmoid_betas"), .timesteps = 5, .start = 0.1, .end = 0.3}};
    const double beta[][5] = {{0.1, 0.15, 0.2, 0.25, 0.3},
                              {0.01, 0.0225, 0.04, 0.0625, 0.09},
                              {0.1 + 0.2 / (1 + exp(6)), 0.1 + 0.2 / (1 + exp(3)), 0.2, 0.1 + 0.2 / (1 + exp(-3)),
                               0.1 + 0.2 / (1 + exp(-6))}};

    for (size_t i = 0; i < MDM_LENGTH(how); i++) {
        struct mdm_schedule s;

        ck_assert_int_eq(mdm_schedule_make(&s, &how[i]), MASKDM_OK);
        for (int t = 0; t < 5; t++)
            expect_near(s.beta[t], beta[i][t], 1e-14);
        mdm_schedule_free(&s);
    }
}
END_TEST

/* abar at every time but the last, whose beta is cut at 0.999. */
START_TEST(sigmoid_by_its_formula)
{
    const struct mdm_betas how = {
        .kind = kind_of("sigmoid"), .timesteps = 50, .sigmoid_start = -2, .sigmoid_end = 3, .sigmoid_tau = 0.8};
    const double first = 1 / (1 + exp(2.5)), last = 1 / (1 + exp(-3.75));
    struct mdm_schedule s;

    ck_assert_int_eq(mdm_schedule_make(&s, &how), MASKDM_OK);
    for (int t = 0; t < 49; t++)
        expect_near(s.abar[t], (last - 1 / (1 + exp(-((t + 1) / 50.0 * 5 - 2) / 0.8))) / (last - first), 1e-10);
    ck_assert_double_eq(s.beta[49], 0.999);
    mdm_schedule_free(&s);
}
END_TEST

/* sqrt(abar) keeps its first, ends at 0, and stays a line of what it was. */
START_TEST(nothing_is_left_at_the_end)
{
    struct mdm_betas how = {.kind = kind_of("scaled_linear"), .timesteps = 100};
    struct mdm_schedule plain, zero;

    ck_assert_int_eq(mdm_schedule_make(&plain, &how), MASKDM_OK);
    how.zero_terminal_snr = 1;
    ck_assert_int_eq(mdm_schedule_make(&zero, &how), MASKDM_OK);
    expect_near(zero.abar[0], plain.abar[0], 1e-14);
    ck_assert_double_eq(zero.abar[99], 0);
    ck_assert_double_eq(zero.beta[99], 1);
    for (int t = 1; t < 99; t++) {
        const double first = sqrt(plain.abar[0]), last = sqrt(plain.abar[99]);

        expect_near(sqrt(zero.abar[t]), (sqrt(plain.abar[t]) - last) * first / (first - last), 1e-12);
    }
    for (int t = 0; t < 100; t++)
        ck_assert(isfinite(zero.variance[t]) && isfinite(zero.coef1[t]) && isfinite(zero.coef2[t]));
    ck_assert_double_eq(mdm_schedule_log_signal(&zero, 99), -12 * log(2));
    ck_assert_double_eq(mdm_schedule_time(&zero, -12 * log(2)), 99);
    ck_assert_double_eq_tol(mdm_schedule_time(&zero, mdm_schedule_log_signal(&zero, 98.5)), 98.5, 1e-9);
    mdm_schedule_free(&plain);
    mdm_schedule_free(&zero);
}
END_TEST

static void refuse(const struct mdm_betas *how, const char *line)
{
    struct mdm_schedule s;

    ck_assert_int_eq(mdm_schedule_make(&s, how), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), line);
    ck_assert_ptr_null(s.table);
}

START_TEST(betas_that_are_none)
{
    static const double above[] = {0.1, 1.5, 0.1}, one[] = {0.1, 1, 0.1}, below[] = {-0.1}, nothing[] = {0, 0.1},
                        nan[] = {0.1, NAN}, still[] = {0.1, 0, 0}, alone[] = {1};
    struct mdm_betas how = {.kind = kind_of("given"), .timesteps = 3, .given = above};

    refuse(&how, "beta 2 of 3 is 1.5: each lies between 0 and 1, and only the last may be 1");
    how.given = one;
    refuse(&how, "beta 2 of 3 is 1: each lies between 0 and 1, and only the last may be 1");
    how.given = nan;
    how.timesteps = 2;
    refuse(&how, "beta 2 of 2 is nan: each lies between 0 and 1, and only the last may be 1");
    how.given = nothing;
    refuse(&how, "the first of 2 betas is 0, which adds no noise");
    how.given = below;
    how.timesteps = 1;
    refuse(&how, "beta 1 of 1 is -0.1: each lies between 0 and 1, and only the last may be 1");
    how.given = alone;
    refuse(&how, "beta 1 of 1 is 1: each lies between 0 and 1, and only the last may be 1");
    how = (struct mdm_betas){.kind = kind_of("given"), .timesteps = 3, .given = still, .zero_terminal_snr = 1};
    refuse(&how, "zero_terminal_snr has no meaning for 3 betas that leave the image as it is from time 0 on");
    how = (struct mdm_betas){.kind = kind_of("cosine"), .timesteps = 1, .zero_terminal_snr = 1};
    refuse(&how, "zero_terminal_snr needs a schedule of at least 2 timesteps");
    how = (struct mdm_betas){
        .kind = kind_of("sigmoid"), .timesteps = 9, .sigmoid_start = 1, .sigmoid_end = 1, .sigmoid_tau = 1};
    refuse(&how, "sigmoid_start 1 is not below sigmoid_end 1");
    how = (struct mdm_betas){.kind = kind_of("linear"), .timesteps = 100000, .start = 0.5, .end = 0.5};
    refuse(&how, "nothing of the image is left at time 996 of 100000 already");
}
END_TEST

START_TEST(tables_are_the_authors)
{
    compare("small_linear_50.safetensors", "linear", 50);
    compare("small_cosine_50.safetensors", "cosine", 50);
}
END_TEST

START_TEST(refusals)
{
    struct mdm_schedule s;

    ck_assert_int_eq(make(&s, "linear", 20, 0), MASKDM_EINVAL);
    ck_assert_int_eq(make(&s, "linear", 21, 0), MASKDM_OK);
    mdm_schedule_free(&s);
    ck_assert_int_eq(make(&s, "cosine", 0, 0), MASKDM_EINVAL);
    ck_assert_ptr_null(s.table);
    ck_assert_int_eq(make(&s, "cosine", 1, 0), MASKDM_OK);
    mdm_schedule_free(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("schedule");
    TCase *c = tcase_create("schedule");
    SRunner *r;
    int failed;

    tcase_add_test(c, spot_values);
    tcase_add_test(c, shift_at_its_own_size_is_none);
    tcase_add_test(c, posterior_is_consistent);
    tcase_add_test(c, ends_of_ones_own);
    tcase_add_test(c, sigmoid_by_its_formula);
    tcase_add_test(c, nothing_is_left_at_the_end);
    tcase_add_test(c, betas_that_are_none);
    tcase_add_test(c, tables_are_the_authors);
    tcase_add_test(c, refusals);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
