/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Growing text, and numbers to and from text. The reference for numbers is the C library in the C locale.
 */
#include "base/alloc.h"
#include "text/number.h"
#include "text/text.h"

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double parsed(const char *s)
{
    double x = NAN;

    ck_assert_msg(!mdm_parse_double(s, &x), "%s is not read", s);
    return x;
}

static int same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

START_TEST(pieces_join)
{
    struct mdm_text t = {0};

    for (int i = 0; i < 100; i++)
        mdm_text_addf(&t, "%d,", i);
    mdm_text_add_n(&t, "xyz", 2);
    mdm_text_add(&t, "!");
    ck_assert_int_eq(mdm_text_ok(&t), MASKDM_OK);
    ck_assert_uint_eq(t.length, 10 * 2 + 90 * 3 + 3);
    ck_assert_str_eq(t.data + t.length - 6, "99,xy!");
    mdm_text_free(&t);
    ck_assert_ptr_null(t.data);
}
END_TEST

static int refuse(void *user, size_t bytes)
{
    (void)user;
    return bytes > 100;
}

START_TEST(failure_is_sticky)
{
    struct mdm_alloc_hook hook = {refuse, NULL};
    struct mdm_text t = {0};

    mdm_alloc_hook_set(&hook);
    mdm_text_add(&t, "short");
    mdm_text_addf(&t, "%200d", 1);
    mdm_alloc_hook_set(NULL);
    mdm_text_add(&t, "late");
    ck_assert_str_eq(t.data, "short");
    ck_assert_int_eq(mdm_text_ok(&t), MASKDM_ENOMEM);
    mdm_text_free(&t);
}
END_TEST

START_TEST(json_strings_are_escaped)
{
    struct mdm_text t = {0};

    mdm_text_add_json(&t, "a\"\\\n\x01\x7f\xc3\xa9\xf0\x9f\x98\x80\xff\xed\xa0\x80");
    ck_assert_str_eq(t.data, "\"a\\\"\\\\\\u000a\\u0001\\u007f\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd"
                             "\xef\xbf\xbd\xef\xbf\xbd\"");
    mdm_text_free(&t);
}
END_TEST

START_TEST(doubles_print_short)
{
    static const struct {
        double x;
        const char *text;
    } row[] = {{0, "0"},
               {-0.0, "-0"},
               {1, "1"},
               {-2.5, "-2.5"},
               {0.1, "0.1"},
               {2e-4, "0.0002"},
               {1e-8, "1e-8"},
               {123456, "123456"},
               {1e16, "10000000000000000"},
               {1e17, "1e17"},
               {0.6666666666666666, "0.6666666666666666"},
               {1.7976931348623157e308, "1.7976931348623157e308"},
               {5e-324, "5e-324"},
               {2147483648.0, "2147483648"},
               {NAN, "null"},
               {-INFINITY, "null"}};

    for (size_t i = 0; i < MDM_LENGTH(row); i++) {
        struct mdm_text t = {0};

        mdm_text_add_double(&t, row[i].x);
        ck_assert_str_eq(t.data, row[i].text);
        mdm_text_free(&t);
    }
}
END_TEST

START_TEST(any_double_reads_back)
{
    uint64_t state = 1, word;
    double x;

    for (int i = 0; i < 3000; i++) {
        struct mdm_text t = {0};

        word = next(&state);
        memcpy(&x, &word, sizeof x);
        if (!isfinite(x))
            continue;
        mdm_text_add_double(&t, x);
        ck_assert(same(parsed(t.data), x));
        mdm_text_free(&t);
    }
}
END_TEST

START_TEST(reading_agrees_with_the_c_library)
{
    static const char *const hard[] = {
        "0",
        "-0",
        "1",
        "+1.5",
        ".5",
        "5.",
        "1e22",
        "1e23",
        "9007199254740993",
        "9007199254740992.99999999999999999",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "4.9e-324",
        "2.4703282292062327208e-324",
        "2.4703282292062328e-324",
        "2.47e-324",
        "1e-400",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286"
        "416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571"
        "366959622842914819860834936475292719074168444365510704342711559699508093042880",
        "0.000000000000000000001e21",
        "0e999999999999999999",
        "1e-999999999999999999"};
    uint64_t state = 7;
    char s[80];

    for (size_t i = 0; i < MDM_LENGTH(hard); i++)
        ck_assert_msg(same(parsed(hard[i]), strtod(hard[i], NULL)), "%s", hard[i]);
    for (int i = 0; i < 20000; i++) {
        uint64_t a = next(&state), b = next(&state);

        snprintf(s, sizeof s, "%llu.%llue%d", (unsigned long long)(a >> a % 50), (unsigned long long)b,
                 (int)(next(&state) % 640) - 330);
        if (isfinite(strtod(s, NULL)))
            ck_assert_msg(same(parsed(s), strtod(s, NULL)), "%s", s);
    }
}
END_TEST

/* Half way between 1 and its successor: one digit a thousand places behind decides. */
START_TEST(far_digits_decide_a_tie)
{
    char s[1400];
    int n = snprintf(s, sizeof s, "1.00000000000000011102230246251565404236316680908203125");

    ck_assert(same(parsed(s), 1.0));
    memset(s + n, '0', 1000);
    strcpy(s + n + 1000, "1");
    ck_assert(same(parsed(s), 1.0 + 0x1p-52));
    memset(s, '9', 1200);
    strcpy(s + 1200, "e-1200");
    ck_assert(same(parsed(s), 1.0));
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
    static const char *const bad[] = {"",    "-",     "+",     ".",   "e5",    "1e",
                                      "1e+", "1 ",    " 1",    "1,5", "0x10",  "inf",
                                      "nan", "1.5.2", "1e5.0", "--1", "1e309", "1.7976931348623159e308"};
    double x = 42;
    int64_t i = 42;

    for (size_t k = 0; k < MDM_LENGTH(bad); k++)
        ck_assert_msg(mdm_parse_double(bad[k], &x) == -1, "%s", bad[k]);
    ck_assert(same(x, 42));
    ck_assert(!mdm_parse_i64("9223372036854775807", &i) && i == INT64_MAX);
    ck_assert(!mdm_parse_i64("-9223372036854775808", &i) && i == INT64_MIN);
    ck_assert(!mdm_parse_i64("+7", &i) && i == 7);
    ck_assert(mdm_parse_i64("9223372036854775808", &i) == -1);
    ck_assert(mdm_parse_i64("-9223372036854775809", &i) == -1);
    ck_assert(mdm_parse_i64("1.0", &i) == -1 && mdm_parse_i64("", &i) == -1 && mdm_parse_i64("-", &i) == -1);
    ck_assert_int_eq(i, 7);
}
END_TEST

/* Where no locale with a decimal comma is installed one is made, if the C library's program for it is here. */
static void make_locale(void)
{
    static char folder[] = "text_XXXXXX", command[128];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 ./%s/de_DE.UTF-8 >/dev/null 2>&1", folder);
    setenv("LOCPATH", folder, 1);
    if (system(command) == 0 && setlocale(LC_ALL, "de_DE.UTF-8"))
        setlocale(LC_ALL, "C");
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(host_locale_does_not_matter)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fa_IR.UTF-8"};
    char made[32];
    int found = 0;

    if (!setlocale(LC_NUMERIC, names[0]))
        make_locale();

    for (size_t i = 0; i < MDM_LENGTH(names); i++) {
        struct mdm_text t = {0};

        if (!setlocale(LC_NUMERIC, names[i]))
            continue;
        found = 1;
        mdm_text_add_double(&t, 1234.5);
        ck_assert_str_eq(t.data, "1234.5");
        ck_assert(same(parsed("1234.5"), 1234.5));
        mdm_text_addf(&t, " %.2f", 0.25);
        ck_assert_str_eq(t.data, "1234.5 0.25");
        mdm_format(made, sizeof made, "%g", 2.5);
        ck_assert_str_eq(made, "2.5");
        ck_assert_int_eq(mdm_fail(MASKDM_EINVAL, "%g", 1.5), MASKDM_EINVAL);
        ck_assert_str_eq(mdm_error_text(), "1.5");
        snprintf(made, sizeof made, "%g", 2.5); /* and the host's own stay as they were */
        ck_assert_str_ne(made, "2.5");
        mdm_text_free(&t);
    }
    setlocale(LC_NUMERIC, "C");
    if (!found)
        puts("no locale with a decimal comma here: not tried");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("text");
    TCase *t = tcase_create("text");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, pieces_join);
    tcase_add_test(t, failure_is_sticky);
    tcase_add_test(t, json_strings_are_escaped);
    tcase_add_test(t, doubles_print_short);
    tcase_add_test(t, any_double_reads_back);
    tcase_add_test(t, reading_agrees_with_the_c_library);
    tcase_add_test(t, far_digits_decide_a_tie);
    tcase_add_test(t, what_is_no_number_is_refused);
    tcase_add_test(t, host_locale_does_not_matter);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
