/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A speed as a mean over the last minute, against closed forms.
 */
#include "run/rate.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

START_TEST(steady_from_the_first_moment)
{
    struct mdm_rate r;

    mdm_rate_begin(&r, 100, 40);
    ck_assert(isnan(mdm_rate_at(&r, 100, 40)));
    ck_assert_double_eq(mdm_rate_at(&r, 100.5, 44), 8);
    for (int i = 1; i < 4000; i++)
        mdm_rate_note(&r, 100 + 0.25 * i, 40 + 2 * i);
    ck_assert_double_eq_tol(mdm_rate_at(&r, 100 + 0.25 * 4000, 40 + 2 * 4000), 8, 1e-9);
}
END_TEST

/* Twice as fast for the last 30 of 60 seconds: the mean of both; after a minute nothing is left of the slow ones. */
START_TEST(follows_within_a_minute)
{
    struct mdm_rate r;
    double done = 0;
    int t = 0;

    mdm_rate_begin(&r, 0, 0);
    for (; t < 600; t++)
        mdm_rate_note(&r, t, done = 10.0 * t);
    for (int i = 0; i < 30; i++)
        mdm_rate_note(&r, t++, done += 20);
    ck_assert_double_eq_tol(mdm_rate_at(&r, t - 1, done), 15, 0.2);
    for (int i = 0; i < 31; i++)
        mdm_rate_note(&r, t++, done += 20);
    ck_assert_double_eq(mdm_rate_at(&r, t - 1, done), 20);
}
END_TEST

/* Steps of two minutes: the last one counts, and none from long ago. */
START_TEST(steps_longer_than_a_minute)
{
    struct mdm_rate r;

    mdm_rate_begin(&r, 0, 0);
    mdm_rate_note(&r, 120, 1);
    mdm_rate_note(&r, 240, 2);
    ck_assert_double_eq(mdm_rate_at(&r, 240, 2), 1 / 120.0);
    mdm_rate_note(&r, 1240, 3);
    ck_assert_double_eq(mdm_rate_at(&r, 1240, 3), 1 / 1000.0);
    ck_assert_double_eq(mdm_rate_at(&r, 1340, 4), 1 / 100.0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate");
    TCase *tc = tcase_create("rate");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tc, steady_from_the_first_moment);
    tcase_add_test(tc, follows_within_a_minute);
    tcase_add_test(tc, steps_longer_than_a_minute);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
