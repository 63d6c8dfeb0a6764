/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The error line and log messages.
 */
#include "base/error.h"
#include "base/log.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

START_TEST(line_is_recorded_and_escaped)
{
    ck_assert_int_eq(mdm_fail(MASKDM_EINVAL, "bad name %s of %d", "a\nb\x7f\xc3\xa9", 3), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "bad name a\\x0ab\\x7f\xc3\xa9 of 3");
    ck_assert_int_eq(mdm_fail_prefix(MASKDM_EIO, "file %s", "x"), MASKDM_EIO);
    ck_assert_str_eq(maskdm_last_error(), "file x: bad name a\\x0ab\\x7f\xc3\xa9 of 3");
    ck_assert_int_eq(maskdm_last_status(), MASKDM_EIO);
    mdm_fail(MASKDM_EINVAL, "c1 %s", "\xc2\x9b" "31m \xc2\xa0 \xc3\x9b");
    ck_assert_str_eq(maskdm_last_error(), "c1 \\xc2\\x9b31m \xc2\xa0 \xc3\x9b");
    mdm_fail(MASKDM_EINVAL, "file x: bad name a\nb\x7f\xc3\xa9 of 3");
    mdm_fail(MASKDM_EINVAL, "again: %s", mdm_error_text());
    ck_assert_str_eq(maskdm_last_error(), "again: file x: bad name a\\x0ab\\x7f\xc3\xa9 of 3");
}
END_TEST

/* A Latin-1 name, a control character of two bytes, a surrogate, an overlong slash: shown, and told apart. */
START_TEST(what_is_not_utf8_is_escaped)
{
    mdm_fail(MASKDM_EINVAL, "%s", "n\xe9|\xc2\x9b|\xed\xa0\x80|\xc0\xaf|\xc2\xa0\xe2\x82\xac"
                                    "\xf0\x9f\x98\x80|\xe2\x82");
    ck_assert_str_eq(maskdm_last_error(), "n\\xe9|\\xc2\\x9b|\\xed\\xa0\\x80|\\xc0\\xaf|\xc2\xa0\xe2\x82\xac"
                                          "\xf0\x9f\x98\x80|\\xe2\\x82");
}
END_TEST

START_TEST(no_character_is_cut)
{
    static const char text[] = "ab\xe2\x82\xac\xe9";
    static const char *const want[] = {"", "a", "ab", "ab", "ab", "ab\xe2\x82\xac", "ab\xe2\x82\xac",
                                       "ab\xe2\x82\xac", "ab\xe2\x82\xac", "ab\xe2\x82\xac\\xe9"};
    char out[16];

    for (size_t i = 0; i < MDM_LENGTH(want); i++) {
        mdm_one_line(out, i + 1, text);
        ck_assert_str_eq(out, want[i]);
    }
}
END_TEST

START_TEST(long_lines_are_cut)
{
    char big[2000];

    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    mdm_fail(MASKDM_EINVAL, "%s", big);
    ck_assert_uint_eq(strlen(maskdm_last_error()), MDM_ERROR_TEXT - 1);
    mdm_fail_prefix(MASKDM_EINVAL, "y");
    ck_assert_uint_eq(strlen(maskdm_last_error()), MDM_ERROR_TEXT - 1);
    ck_assert_int_eq(strncmp(maskdm_last_error(), "y: xxx", 6), 0);
    memset(big, '\n', sizeof big - 1);
    mdm_fail(MASKDM_EINVAL, "%s", big);
    ck_assert_uint_lt(strlen(maskdm_last_error()), MDM_ERROR_TEXT);
    mdm_fail(MASKDM_EINVAL, "short");
    memset(big, 'z', sizeof big - 1);
    mdm_fail_prefix(MASKDM_EINVAL, "%s", big);
    ck_assert_uint_eq(strlen(maskdm_last_error()), MDM_ERROR_TEXT - 1);
}
END_TEST

static void *fail_elsewhere(void *arg)
{
    int code = mdm_fail(MASKDM_EFORMAT, "from the worker");

    mdm_failure_take(arg, code);
    return NULL;
}

START_TEST(workers_hand_their_failure_back)
{
    struct mdm_failure f = { 0 }, none = { 0 };
    pthread_t t;

    mdm_fail(MASKDM_EINVAL, "mine");
    ck_assert_int_eq(pthread_create(&t, NULL, fail_elsewhere, &f), 0);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    ck_assert_str_eq(maskdm_last_error(), "mine");
    ck_assert_int_eq(mdm_failure_record(&none), 0);
    ck_assert_str_eq(maskdm_last_error(), "mine");
    ck_assert_int_eq(mdm_failure_record(&f), MASKDM_EFORMAT);
    ck_assert_str_eq(maskdm_last_error(), "from the worker");
    ck_assert_int_eq(mdm_failure_set(&f, MASKDM_EIO, "%d", 5), MASKDM_EIO);
    ck_assert_int_eq(f.code, MASKDM_EIO);
    ck_assert_str_eq(f.text, "5");
}
END_TEST

START_TEST(codes_have_names)
{
    ck_assert_str_eq(maskdm_status_name(MASKDM_OK), "MASKDM_OK");
    ck_assert_str_eq(maskdm_status_name(MASKDM_ENOTSUP), "MASKDM_ENOTSUP");
    ck_assert_str_eq(maskdm_status_name(MASKDM_ENONFINITE), "MASKDM_ENONFINITE");
    ck_assert_str_eq(maskdm_status_name(MASKDM_EBUSY), "MASKDM_EBUSY");
    ck_assert_str_eq(maskdm_status_name(-13), "unknown status");
    ck_assert_str_eq(maskdm_status_name(1), "unknown status");
}
END_TEST

static void keep(void *user, int level, const char *line)
{
    if (level == MASKDM_LOG_WARN)
        strncpy(user, line, 63);
}

START_TEST(log_reaches_the_callback)
{
    char got[64] = "";
    struct mdm_log log = { keep, got }, silent = { NULL, NULL };

    mdm_log_line(&log, MASKDM_LOG_WARN, "step %d\n%s", 4, "\xe9");
    ck_assert_str_eq(got, "step 4\\x0a\\xe9");
    mdm_log_line(&silent, MASKDM_LOG_WARN, "nothing");
    mdm_log_line(NULL, MASKDM_LOG_WARN, "nothing");
    ck_assert_str_eq(got, "step 4\\x0a\\xe9");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("error");
    TCase *t = tcase_create("error");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, line_is_recorded_and_escaped);
    tcase_add_test(t, what_is_not_utf8_is_escaped);
    tcase_add_test(t, no_character_is_cut);
    tcase_add_test(t, long_lines_are_cut);
    tcase_add_test(t, workers_hand_their_failure_back);
    tcase_add_test(t, codes_have_names);
    tcase_add_test(t, log_reaches_the_callback);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
