/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control handle: flags, who lowers them, and what a host's answer to a report does.
 */
#include "base/control.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

struct seen {
    int calls, answer;
    struct maskdm_progress last;
};

static int watch(void *user, const struct maskdm_progress *progress)
{
    struct seen *s = user;

    s->calls++;
    s->last = *progress;
    return s->answer;
}

START_TEST(flags_stop_and_are_lowered_by_who_obeys)
{
    maskdm_control *c;

    ck_assert_int_eq(maskdm_control_create(&c), MASKDM_OK);
    ck_assert_int_eq(mdm_control_check(c, "the run"), MASKDM_OK);
    maskdm_control_stop(c);
    ck_assert(mdm_control_stopping(c));
    ck_assert_int_eq(atomic_load(mdm_control_cancel_flag(c)), 0);
    maskdm_control_cancel(c);
    ck_assert_int_ne(atomic_load(mdm_control_cancel_flag(c)), 0);
    ck_assert_int_eq(mdm_control_check(c, "the run"), MASKDM_ECANCELED);
    ck_assert_str_eq(maskdm_last_error(), "the run was cancelled");
    ck_assert(!mdm_control_stopping(c));
    maskdm_control_cancel(c);
    maskdm_control_reset(c);
    ck_assert_int_eq(mdm_control_check(c, "the run"), MASKDM_OK);
    maskdm_control_release(&c);
    ck_assert_ptr_null(c);
    maskdm_control_release(&c);
}
END_TEST

START_TEST(progress_reports_and_stops)
{
    struct seen seen = {0};
    struct maskdm_progress p = mdm_progress_blank();
    maskdm_control *c;

    ck_assert_uint_eq(p.struct_size, sizeof p);
    ck_assert(isnan(p.loss) && isnan(p.seconds_left));
    ck_assert_int_eq(maskdm_control_create(&c), MASKDM_OK);
    mdm_control_report(c, &p);
    maskdm_control_set_progress(c, watch, &seen);
    p.step = 7;
    mdm_control_report(c, &p);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(seen.last.step, 7);
    ck_assert(!mdm_control_stopping(c));
    seen.answer = 1;
    mdm_control_report(c, &p);
    ck_assert(mdm_control_stopping(c));
    maskdm_control_release(&c);
}
END_TEST

START_TEST(nobody_watches)
{
    struct maskdm_progress p = mdm_progress_blank();

    ck_assert_ptr_null(mdm_control_cancel_flag(NULL));
    ck_assert(!mdm_control_stopping(NULL));
    ck_assert_int_eq(mdm_control_check(NULL, "the run"), MASKDM_OK);
    mdm_control_report(NULL, &p);
    mdm_log_line(mdm_control_log(NULL), MASKDM_LOG_INFO, "nobody hears this");
    maskdm_control_stop(NULL);
    maskdm_control_cancel(NULL);
    maskdm_control_reset(NULL);
    ck_assert_int_eq(maskdm_control_create(NULL), MASKDM_EINVAL);
}
END_TEST

START_TEST(handles_outlive_their_owner)
{
    maskdm_control *mine, *theirs;

    ck_assert_int_eq(maskdm_control_create(&mine), MASKDM_OK);
    theirs = mine;
    mdm_control_hold(theirs);
    maskdm_control_release(&mine);
    maskdm_control_stop(theirs);
    ck_assert(mdm_control_stopping(theirs));
    mdm_control_drop(&theirs);
    ck_assert_ptr_null(theirs);
}
END_TEST

/* The first report, the last, and one in a tenth of a second between; a flag ends it whatever was reported. */
START_TEST(reading_is_reported_now_and_then)
{
    struct seen seen = {0};
    maskdm_control *c;
    double told = 0;

    ck_assert_int_eq(mdm_control_make(&c), MASKDM_OK);
    maskdm_control_set_progress(c, watch, &seen);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(mdm_control_reading(c, &told, i, 1000), MASKDM_OK);
    ck_assert_int_ge(seen.calls, 1);
    ck_assert_int_lt(seen.calls, 500);
    ck_assert_int_eq(mdm_control_reading(c, &told, 1000, 1000), MASKDM_OK);
    ck_assert_int_eq(seen.last.files_read, 1000);
    ck_assert_int_eq(seen.last.files, 1000);
    ck_assert_int_eq(seen.last.steps, 0);
    maskdm_control_stop(c);
    ck_assert_int_eq(mdm_control_reading(c, &told, 3, 1000), MASKDM_ECANCELED);
    ck_assert_str_eq(mdm_error_text(), "reading the images was cancelled");
    ck_assert_int_eq(mdm_control_reading(c, &told, 4, 1000), MASKDM_OK);
    ck_assert_int_eq(mdm_control_reading(NULL, &told, 5, 1000), MASKDM_OK);
    mdm_control_drop(&c);
}
END_TEST

/* Who saves has done what was asked for; a stop takes the wish with it, since it saves as well. */
START_TEST(saving_is_asked_for_once)
{
    maskdm_control *c;

    ck_assert_int_eq(mdm_control_make(&c), MASKDM_OK);
    ck_assert(!mdm_control_wants_save(c) && !mdm_control_wants_save(NULL));
    maskdm_control_save(c);
    maskdm_control_save(c);
    ck_assert(!mdm_control_stopping(c));
    ck_assert(mdm_control_wants_save(c) && !mdm_control_wants_save(c));
    maskdm_control_save(c);
    maskdm_control_reset(c);
    ck_assert(!mdm_control_wants_save(c));
    maskdm_control_save(NULL);
    mdm_control_drop(&c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("control");
    TCase *c = tcase_create("control");
    SRunner *r;
    int failed;

    tcase_add_test(c, flags_stop_and_are_lowered_by_who_obeys);
    tcase_add_test(c, progress_reports_and_stops);
    tcase_add_test(c, reading_is_reported_now_and_then);
    tcase_add_test(c, saving_is_asked_for_once);
    tcase_add_test(c, nobody_watches);
    tcase_add_test(c, handles_outlive_their_owner);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
