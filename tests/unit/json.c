/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The strict parser: what it takes, what it refuses, and what it costs.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "text/json.h"
#include "text/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Events as one letter each, "!" for a refusal at the end. */
static const char *events(const char *json, size_t n)
{
    static char out[256];
    static const char letter[] = "E{}[]ksn10-";
    struct mdm_json j;
    size_t k = 0;
    int e;

    mdm_json_open(&j, json, n);
    do {
        e = mdm_json_next(&j);
        out[k++] = '!';
        if (e >= 0)
            out[k - 1] = letter[e];
        else
            ck_assert_int_eq(mdm_json_next(&j), e);
    } while (e > MDM_JSON_END && k < sizeof out - 1);
    out[k] = '\0';
    mdm_json_close(&j);
    return out;
}

static int refused(const char *json)
{
    const char *e = events(json, strlen(json));

    return e[strlen(e) - 1] == '!';
}

START_TEST(documents_become_events)
{
    const char *s = " {\"a\":[1,-2.5e+3,true,false,null,\"x\"] , \"b\" : {} ,\"c\":[ ]}\n";

    ck_assert_str_eq(events(s, strlen(s)), "{k[nn10-s]k{}k[]}E");
    ck_assert_str_eq(events("7", 1), "nE");
    ck_assert_str_eq(events("[[[[[[[[0]]]]]]]]", 17), "[[[[[[[[n]]]]]]]]E");
}
END_TEST

/* Where they are asked for: blanks, wherever blanks may stand, and no part of a string. */
START_TEST(comments)
{
    static const struct {
        const char *json, *events;
    } with[] = {{"// a\n{\"a\" /* b */ : /**/ [1, // c\n 2 /***/ ] }//", "{k[nn]}E"},
                {"\"/* no // comment */\"", "sE"},
                {"1 /* //\n */ // */", "nE"},
                {"/* open", "!"},
                {"[1 /* open", "[n!"},
                {"/*/ 1", "!"},
                {"1 / 2", "n!"},
                {"/", "!"},
                {"[1, /", "[n!"},
                {"# 1", "!"}};

    for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
        char found[32];
        static const char letter[] = "E{}[]ksn10-";
        struct mdm_json j;
        size_t k = 0;
        int e;

        ck_assert(i == 1 || refused(with[i].json));
        mdm_json_open(&j, with[i].json, strlen(with[i].json));
        j.comments = 1;
        do {
            e = mdm_json_next(&j);
            found[k++] = e < 0 ? '!' : letter[e];
        } while (e > MDM_JSON_END && k < sizeof found - 1);
        found[k] = '\0';
        ck_assert_str_eq(found, with[i].events);
        mdm_json_close(&j);
    }
}
END_TEST

/* People look for a line. */
START_TEST(with_comments_errors_name_the_line)
{
    static const char json[] = "{\n\"a\": 1,\n\"b\": ]\n}";
    struct mdm_json j;

    mdm_json_open(&j, json, sizeof json - 1);
    j.comments = 1;
    while (mdm_json_next(&j) > MDM_JSON_END)
        ;
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "in line 3: "));
    mdm_json_close(&j);
}
END_TEST

START_TEST(bad_documents_are_refused)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "{",
                                      "[",
                                      "}",
                                      "]",
                                      "[1",
                                      "[1,",
                                      "[1,]",
                                      "[,1]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{1:2}",
                                      "{\"a\" \"b\":1}",
                                      "{\"a\",\"b\":1}",
                                      "[1 2]",
                                      "1 2",
                                      "[1}",
                                      "{\"a\":1]",
                                      "tru",
                                      "truex",
                                      "nul",
                                      "NaN",
                                      "Infinity",
                                      "'a'",
                                      "01",
                                      "-",
                                      "-a",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "1e+",
                                      "0x1",
                                      "\"a",
                                      "\"a\\",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"\\ud800x\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\udc00\"",
                                      "\"a\nb\"",
                                      "\"\x01\"",
                                      "\"\x1f\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"\xf5\x80\x80\x80\"",
                                      "\"\xe2\x82\"",
                                      "[[[[[[[[[0]]]]]]]]]",
                                      "\xef\xbb\xbf{}",
                                      "/**/1",
                                      "{}{}",
                                      "{} x"};

    for (size_t i = 0; i < MDM_LENGTH(bad); i++)
        ck_assert_msg(refused(bad[i]), "taken: %s", bad[i]);
    ck_assert(refused("[[[[[[[[[0]]]]]]]]]"));
    ck_assert_str_eq(mdm_error_text(), "JSON is wrong at byte 8: it is nested too deep");
    ck_assert_str_eq(events("\"a\0b\"", 5), "!");
    ck_assert_str_eq(events("1\0", 2), "n!");
}
END_TEST

START_TEST(strings_are_decoded)
{
    const char *s = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\xc3\xa9 end\"";
    struct mdm_json j;

    mdm_json_open(&j, s, strlen(s));
    ck_assert_int_eq(mdm_json_next(&j), MDM_JSON_STRING);
    ck_assert_str_eq(j.text, "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9 end");
    ck_assert_uint_eq(j.length, strlen(j.text));
    mdm_json_close(&j);
}
END_TEST

/* `bytes` written and read again; the document is UTF-8 throughout. */
static void goes_round(const char *bytes)
{
    struct mdm_text t = {0};
    struct mdm_json j;

    mdm_text_add_json_bytes(&t, bytes);
    mdm_json_open(&j, t.data, t.length);
    ck_assert_int_eq(mdm_json_next(&j), MDM_JSON_STRING);
    mdm_json_bytes(&j);
    ck_assert_uint_eq(j.length, strlen(bytes));
    ck_assert_str_eq(j.text, bytes);
    ck_assert_int_eq(mdm_json_next(&j), MDM_JSON_END);
    mdm_json_close(&j);
    mdm_text_free(&t);
}

START_TEST(any_bytes_go_round)
{
    static const unsigned char likely[] = {0xee, 0xbe, 0xbf, 0x80, 0xe9, 0xef, 'a', '\\', 'u', '"', 0x7f, 1,
                                           0xf0, 0xc3};
    char s[16];

    for (int a = 1; a < 256; a++)
        for (size_t b = 0; b <= sizeof likely; b++) {
            const char pair[] = {(char)a, (char)(b < sizeof likely ? likely[b] : 0), '\0'};

            goes_round(pair);
        }
    for (int c = 0xef00; c < 0xf080; c++) { /* what stands for bytes, and its neighbours, whole and cut */
        const char mark[] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 63)), (char)(0x80 | (c & 63)), '\0'};
        const char cut[] = {mark[0], mark[1], mark[0], mark[1], mark[2], mark[2], '\0'};

        goes_round(mark);
        goes_round(cut);
    }
    srand(1);
    for (int i = 0; i < 5000; i++) {
        int n = rand() % 15;

        for (int k = 0; k < n; k++)
            s[k] = (char)likely[(size_t)rand() % sizeof likely];
        s[n] = '\0';
        goes_round(s);
    }
}
END_TEST

START_TEST(bytes_are_written_as_documented)
{
    struct mdm_text t = {0};

    mdm_text_add_json_bytes(&t, "n\xe9 \xc3\xa9\n \xee\xbe\x80");
    ck_assert_str_eq(t.data, "\"n\\uefe9 \xc3\xa9\\u000a \\uefee\\uefbe\\uef80\"");
    mdm_text_free(&t);
}
END_TEST

START_TEST(numbers_and_skipping)
{
    const char *s = "{\"skip\":{\"x\":[1,{\"y\":2}]},\"n\":9223372036854775807,\"m\":-1,\"d\":1e-3,\"big\":1e999}";
    struct mdm_json j;
    int64_t n = 0;
    double d = 0;

    mdm_json_open(&j, s, strlen(s));
    ck_assert_int_eq(mdm_json_expect(&j, MDM_JSON_OBJECT), MDM_JSON_OBJECT);
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_KEY), 0);
    ck_assert_int_eq(mdm_json_skip(&j, mdm_json_next(&j)), MASKDM_OK);
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_KEY), 0);
    ck_assert_str_eq(j.text, "n");
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_NUMBER), 0);
    ck_assert(mdm_json_u63(&j, &n) == MASKDM_OK && n == INT64_MAX);
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_KEY), 0);
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_NUMBER), 0);
    ck_assert_int_eq(mdm_json_u63(&j, &n), MASKDM_EFORMAT);
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_KEY), 0);
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_NUMBER), 0);
    ck_assert_int_eq(mdm_json_u63(&j, &n), MASKDM_EFORMAT);
    ck_assert(mdm_json_double(&j, &d) == MASKDM_OK && d > 0.00099 && d < 0.00101);
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_KEY), 0);
    ck_assert_int_ge(mdm_json_expect(&j, MDM_JSON_NUMBER), 0);
    ck_assert_int_eq(mdm_json_double(&j, &d), MASKDM_EFORMAT);
    ck_assert_int_eq(mdm_json_expect(&j, MDM_JSON_KEY), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "a name is expected, not the end of an object"));
    mdm_json_close(&j);
}
END_TEST

static int watch(void *user, size_t bytes)
{
    size_t *most = user;

    if (bytes > *most)
        *most = bytes;
    return 0;
}

START_TEST(memory_is_bounded_by_the_longest_string)
{
    enum { PAIRS = 50000 };
    size_t most = 0, n = 0, k;
    struct mdm_alloc_hook hook = {watch, &most};
    char *s = malloc((size_t)PAIRS * 16);
    struct mdm_json j;
    long before = mdm_alloc_live();
    int e;

    s[n++] = '{';
    for (k = 0; k < PAIRS; k++) {
        memcpy(s + n, "\"k\":[\"abc\"],", 12);
        n += 12;
    }
    s[n - 1] = '}';
    mdm_alloc_hook_set(&hook);
    mdm_json_open(&j, s, n);
    for (k = 0; (e = mdm_json_next(&j)) > 0; k++)
        ck_assert_int_le(mdm_alloc_live() - before, 1);
    mdm_json_close(&j);
    mdm_alloc_hook_set(NULL);
    ck_assert_int_eq(e, MDM_JSON_END);
    ck_assert_uint_eq(k, (size_t)PAIRS * 4 + 2);
    ck_assert_uint_le(most, 16);
    ck_assert_int_eq(mdm_alloc_live(), before);
    free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("json");
    TCase *t = tcase_create("json");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, documents_become_events);
    tcase_add_test(t, comments);
    tcase_add_test(t, with_comments_errors_name_the_line);
    tcase_add_test(t, bad_documents_are_refused);
    tcase_add_test(t, strings_are_decoded);
    tcase_add_test(t, any_bytes_go_round);
    tcase_add_test(t, bytes_are_written_as_documented);
    tcase_add_test(t, numbers_and_skipping);
    tcase_add_test(t, memory_is_bounded_by_the_longest_string);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
