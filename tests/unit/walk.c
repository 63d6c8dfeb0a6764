/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The order of steps that are done more than once, against RePaint's own rule, which counts times from the end.
 */
#include "sample/walk.h"

#include <check.h>
#include <stdlib.h>

enum { MOST = 1 << 16, STEPS = 1 << 8 };

/* As the authors' get_schedule_jump() has it: a list of times that begins with the noisiest and ends with -1, the
 * image. A pair of neighbours that falls is a step from the first of them, one that rises is noise. */
static int repaint(int *times, int steps, int length, int samples)
{
    int jumps[STEPS] = {0}, n = 0, t = steps;

    for (int j = 0; j < steps - length; j += length)
        jumps[j] = samples - 1;
    while (t >= 1) {
        times[n++] = --t;
        if (jumps[t]-- > 0)
            for (int k = 0; k < length; k++)
                times[n++] = ++t;
    }
    times[n++] = -1;
    return n;
}

static void compare(int first, int steps, int length, int samples)
{
    static int times[MOST];
    const int own = steps - first, n = repaint(times, own, length, samples);
    struct mdm_walk w = mdm_walk_begin(first, steps, length, samples);
    int64_t left = mdm_walk_left(w), jumps = 0;

    for (int i = 0; i + 1 < n;) {
        const int up = times[i + 1] > times[i];

        if (up) { /* the walk went back as soon as it stood there */
            for (int k = 0; k < length; k++)
                ck_assert_int_eq(times[i + k + 1], times[i + k] + 1);
            i += length;
            jumps++;
            continue;
        }
        ck_assert_int_eq(w.at, first + own - 1 - times[i]);
        mdm_walk_on(&w);
        left--;
        ck_assert_int_eq(mdm_walk_left(w), left);
        ck_assert_int_eq(mdm_walk_back(&w),
                         times[i + 1] >= 0 && i + 2 < n && times[i + 2] > times[i + 1] ? length : 0);
        i++;
    }
    ck_assert_int_eq(w.at, steps);
    ck_assert_int_eq(left, 0);
    ck_assert_int_eq(w.jumps, jumps);
}

START_TEST(as_the_authors_do)
{
    for (int steps = 1; steps <= 24; steps++)
        for (int first = 0; first < steps; first += 5)
            for (int length = 1; length <= 12; length++)
                for (int samples = 1; samples <= 4; samples++)
                    compare(first, steps, length, samples);
}
END_TEST

START_TEST(as_long_as_in_the_paper)
{
    ck_assert_int_eq(mdm_walk_left(mdm_walk_begin(0, 250, 10, 10)), 250 + 24 * 9 * 10);
    ck_assert_int_eq(mdm_walk_left(mdm_walk_begin(0, 50, 10, 1)), 50);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("walk");
    TCase *t = tcase_create("walk");
    SRunner *runner;
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, as_the_authors_do);
    tcase_add_test(t, as_long_as_in_the_paper);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
