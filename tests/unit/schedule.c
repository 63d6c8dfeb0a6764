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

static int make(struct mdm_schedule *out, const char *kind, int64_t timesteps, double image_size)
{
    int i = 0;

    while (strcmp(mdm_schedule_name(i), kind) != 0)
        i++;
    return mdm_schedule_make(out, i, timesteps, image_size);
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
    tcase_add_test(c, tables_are_the_authors);
    tcase_add_test(c, refusals);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
