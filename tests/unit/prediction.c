/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Predictions and the forward process: each prediction leads back to the image that it came from, and the public
 * calls say what the formulas say.
 */
#include "diffusion/prediction.h"

#include "base/error.h"
#include "diffusion/scheduler.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static const char *const names[] = {"noise", "x0", "v"};

static maskdm_scheduler *make(const char *text)
{
    maskdm_options *o;
    maskdm_scheduler *s;

    ck_assert_int_eq(maskdm_options_create(&o, "scheduler"), MASKDM_OK);
    ck_assert_msg(maskdm_options_parse(o, text) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    ck_assert_msg(maskdm_scheduler_create(&s, o) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    maskdm_options_release(&o);
    return s;
}

START_TEST(clean_undoes_target)
{
    static const double abars[] = {0.9999, 0.5, 0.01};
    const double x0 = 0.3, eps = -1.7;

    for (size_t i = 0; i < MDM_LENGTH(names); i++) {
        const struct mdm_prediction *p = mdm_prediction_find(names[i]);

        ck_assert_ptr_nonnull(p);
        for (size_t k = 0; k < MDM_LENGTH(abars); k++) {
            const double a = abars[k], x_t = sqrt(a) * x0 + sqrt(1 - a) * eps;
            double t0, te, cx, cp;

            p->target(a, &t0, &te);
            p->clean(a, &cx, &cp);
            ck_assert_double_eq_tol(cx * x_t + cp * (t0 * x0 + te * eps), x0, 1e-12);
        }
    }
    ck_assert_ptr_null(mdm_prediction_find("score"));
}
END_TEST

START_TEST(forward)
{
    maskdm_scheduler *s = make("schedule=linear timesteps=100 prediction=v");
    const float x0[4] = {1, -1, 0.5f, 0}, noise[4] = {0.5f, 2, -1, 1};
    const double times[2] = {0, 99}, bad[2] = {0, 99.5};
    float x_t[4], target[4];
    double abar[100];

    ck_assert_str_eq(maskdm_scheduler_prediction(s), "v");
    ck_assert_int_eq(maskdm_scheduler_timesteps(s), 100);
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, 100), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_add_noise(s, 2, 2, x0, noise, times, x_t), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_target(s, 2, 2, x0, noise, times, target), MASKDM_OK);
    for (int i = 0; i < 4; i++) {
        const double a = abar[(int)times[i / 2]], x = x0[i], e = noise[i];

        ck_assert_double_eq_tol(x_t[i], sqrt(a) * x + sqrt(1 - a) * e, 1e-6);
        ck_assert_double_eq_tol(target[i], sqrt(a) * e - sqrt(1 - a) * x, 1e-6);
    }
    x_t[0] = 7;
    ck_assert_int_eq(maskdm_scheduler_add_noise(s, 2, 2, x0, noise, bad, x_t), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "time 99.5 is not a whole number in 0 .. 99");
    ck_assert_float_eq(x_t[0], 7);
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas_cumprod", abar, 99), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_table(s, "alphas", abar, 100), MASKDM_ENOTFOUND);
    maskdm_scheduler_release(&s);
}
END_TEST

/* Draws depend on the image's place in the run's stream, not on the call that it falls in. */
START_TEST(draws)
{
    enum { COUNT = 4000, N = 6 };
    maskdm_scheduler *s = make("timesteps=50");
    double times[COUNT], one, sum = 0, squares = 0;
    float noise[COUNT * N], part[N];
    int seen[50] = {0};

    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 3, 0, 1, COUNT, times), MASKDM_OK);
    for (int i = 0; i < COUNT; i++)
        if (times[i] >= 0 && times[i] <= 49 && floor(times[i]) == times[i])
            seen[(int)times[i]]++;
    for (int t = 0; t < 50; t++)
        ck_assert_msg(abs(seen[t] - COUNT / 50) < 60, "time %d drawn %d times", t, seen[t]);
    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 3, 17, 1, 1, &one), MASKDM_OK);
    ck_assert_double_eq(one, times[17]);
    ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 3, 0, 1, COUNT, N, noise), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_draw_noise(s, 3, 17, 1, 1, N, part), MASKDM_OK);
    ck_assert_mem_eq(part, noise + 17 * N, sizeof part);
    for (int i = 0; i < COUNT * N; i++) {
        sum += noise[i];
        squares += (double)noise[i] * noise[i];
    }
    ck_assert_double_eq_tol(sum / (COUNT * N), 0, 0.04);
    ck_assert_double_eq_tol(squares / (COUNT * N), 1, 0.06);
    ck_assert_int_eq(maskdm_scheduler_draw_times(s, 3, -1, 1, 1, &one), MASKDM_EINVAL);
    maskdm_scheduler_release(&s);
}
END_TEST

START_TEST(refusals)
{
    maskdm_scheduler *s;
    maskdm_options *o;

    ck_assert_int_eq(maskdm_options_create(&o, "scheduler"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "schedule=linear timesteps=20"), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_create(&s, o), MASKDM_EINVAL);
    ck_assert_ptr_null(s);
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_options_create(&o, "mask"), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_create(&s, o), MASKDM_EINVAL);
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_scheduler_create(&s, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_scheduler_add_noise(s, 1, 1, NULL, NULL, NULL, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_scheduler_add_noise(s, INT64_MAX, 2, NULL, NULL, NULL, NULL), MASKDM_EINVAL);
    maskdm_scheduler_release(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("prediction");
    TCase *c = tcase_create("prediction");
    SRunner *r;
    int failed;

    tcase_add_test(c, clean_undoes_target);
    tcase_add_test(c, forward);
    tcase_add_test(c, draws);
    tcase_add_test(c, refusals);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
