/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of labels: any bytes go into metadata and come back; what is no list of names is refused whole.
 */
#include "base/alloc.h"
#include "base/format.h"
#include "base/rng.h"
#include "model/labels.h"
#include "text/text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 4 };

static const char *const odd[CLASSES] = {"cat", "a\"b\\c\n", "caf\xe9", "\xee\xbf\xa9 \xe2\x82\xac"};

static void expect(const struct mdm_labels *l, const char *const *name, int64_t count)
{
    ck_assert_int_eq(l->count, count);
    for (int64_t i = 0; i < count; i++)
        ck_assert_str_eq(l->name[i], name[i]);
}

START_TEST(there_and_back)
{
    struct mdm_labels l = {0}, back = {0};
    struct mdm_text text = {0}, list = {0};

    ck_assert_int_eq(mdm_labels_set(&l, odd, CLASSES, CLASSES), MASKDM_OK);
    expect(&l, odd, CLASSES);
    mdm_labels_write(&l, &text);
    for (const char *c = text.data; *c; c += mdm_utf8_length(c, strlen(c)))
        ck_assert_int_gt(mdm_utf8_length(c, strlen(c)), 0);
    ck_assert_int_eq(mdm_labels_read(&back, text.data, CLASSES), MASKDM_OK);
    expect(&back, odd, CLASSES);
    ck_assert_int_eq(mdm_labels_difference(&l, &back), -1);
    mdm_labels_list(&l, &list);
    ck_assert_ptr_eq(strstr(list.data, "cat, a\"b"), list.data);
    ck_assert_int_eq(mdm_labels_read(&back, "[]", CLASSES), MASKDM_OK);
    expect(&back, NULL, 0);
    ck_assert_int_eq(mdm_labels_read(&l, NULL, CLASSES), MASKDM_OK);    /* an older file */
    expect(&l, NULL, 0);
    mdm_text_free(&list);
    mdm_text_free(&text);
}
END_TEST

START_TEST(difference)
{
    static const char *const other[] = {"cat", "dog"};
    struct mdm_labels a = {0}, b = {0};

    ck_assert_int_eq(mdm_labels_set(&a, odd, 3, CLASSES), MASKDM_OK);
    ck_assert_int_eq(mdm_labels_difference(&a, &b), -1);
    ck_assert_int_eq(mdm_labels_set(&b, other, 2, CLASSES), MASKDM_OK);
    ck_assert_int_eq(mdm_labels_difference(&a, &b), 1);
    ck_assert_int_eq(mdm_labels_set(&b, other, 1, CLASSES), MASKDM_OK);
    ck_assert_int_eq(mdm_labels_difference(&a, &b), -1);    /* the one has no more to say */
    mdm_labels_free(&a);
    mdm_labels_free(&b);
}
END_TEST

/* Whatever is refused leaves the names that were there. */
START_TEST(what_is_refused)
{
    static const struct { const char *json, *says; } bad[] = {
        {"", "JSON"},
        {"cat", "JSON"},
        {"null", "JSON"},
        {"{\"0\": \"cat\"}", "JSON"},
        {"\"cat\"", "JSON"},
        {"[\"cat\"", "JSON"},
        {"[\"cat\"] x", "JSON"},
        {"[\"cat\",]", "JSON"},
        {"[1]", "label 0 is no string"},
        {"[\"cat\", null]", "label 1 is no string"},
        {"[[\"cat\"]]", "label 0 is no string"},
        {"[\"\"]", "label 0 has 0 bytes"},
        {"[\"a\\u0000b\"]", "NUL"},
        {"[\"a\", \"b\", \"c\", \"d\", \"e\"]", "more than 4 names"},
    };
    static const char *const empty[] = {"cat", NULL};
    struct mdm_labels l = {0};
    char long_name[MDM_LABEL_NAME + 16];

    ck_assert_int_eq(mdm_labels_set(&l, odd, 2, CLASSES), MASKDM_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(mdm_labels_read(&l, bad[i].json, CLASSES), MASKDM_EFORMAT);
        ck_assert_msg(strstr(mdm_error_text(), "\"maskdm.labels\"") && strstr(mdm_error_text(), bad[i].says),
                      "%s: %s", bad[i].json, mdm_error_text());
        expect(&l, odd, 2);
    }
    memset(long_name, 'x', sizeof long_name);
    memcpy(long_name, "[\"", 2);
    memcpy(long_name + 2 + MDM_LABEL_NAME, "\"]", 3);
    ck_assert_int_eq(mdm_labels_read(&l, long_name, CLASSES), MASKDM_OK);
    memcpy(long_name + 2 + MDM_LABEL_NAME, "x\"]", 4);
    ck_assert_int_eq(mdm_labels_read(&l, long_name, CLASSES), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "1025 bytes"));
    ck_assert_int_eq(mdm_labels_set(&l, odd, CLASSES, 3), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_labels_set(&l, empty, 2, CLASSES), MASKDM_EINVAL);
    ck_assert_int_eq(l.count, 1);
    mdm_labels_free(&l);
}
END_TEST

/* A million classes do not let a file take what its names do not need, nor a run write what no file can hold. */
START_TEST(all_names_are_bounded)
{
    const int64_t many = MDM_LABEL_NAMES / 1000 + 1;
    const char **name = calloc((size_t)many, sizeof *name);
    struct mdm_labels l = {0};
    char thousand[1001] = "";

    memset(thousand, '\xe9', 1000);
    for (int64_t i = 0; i < many; i++)
        name[i] = thousand;
    ck_assert_int_eq(mdm_labels_set(&l, name, many, 1000000), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "4194304 bytes"));
    ck_assert_int_eq(mdm_labels_set(&l, name, many - 1, 1000000), MASKDM_OK);
    name[many - 1] = thousand + 1000 - MDM_LABEL_NAMES % 1000;    /* as much as is left, to the byte */
    ck_assert_int_eq(mdm_labels_set(&l, name, many, 1000000), MASKDM_OK);
    name[many - 1]--;
    ck_assert_int_eq(mdm_labels_set(&l, name, many, 1000000), MASKDM_EINVAL);
    mdm_labels_free(&l);
    free(name);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    (void)bytes;
    return (*(int *)user)-- == 0;
}

START_TEST(every_refused_allocation_is_reported)
{
    struct mdm_labels l = {0};
    long before = mdm_alloc_live();
    int r = -1;

    for (int i = 0; r < 0; i++) {
        int left = i;
        const struct mdm_alloc_hook hook = {refuse_at, &left};

        ck_assert_int_lt(i, 50);
        mdm_alloc_hook_set(&hook);
        r = mdm_labels_read(&l, "[\"cat\", \"dog\"]", CLASSES);
        mdm_alloc_hook_set(NULL);
        ck_assert(r == MASKDM_OK || r == MASKDM_ENOMEM);
        ck_assert(r == MASKDM_OK || mdm_alloc_live() == before);
    }
    mdm_labels_free(&l);
    ck_assert_int_eq(mdm_alloc_live(), before);
}
END_TEST

/* Any text is refused, or is names that are written and read as the same ones. */
START_TEST(any_text)
{
    static const char seed[] = "[\"cat\", \"\\uefe9\\\"\", \"\xee\xbf\xa9\", \"\\ud83d\\ude00\"]";
    static const char alphabet[] = "[]\",\\u{}0 ea\x80\xee\xbe\xff\x01";
    struct mdm_rng rng = mdm_rng_make(1, MDM_DRAW_NOISE, 0, 0);
    int taken = 0;

    for (int k = 0; k < 30000; k++) {
        struct mdm_labels l = {0}, back = {0};
        struct mdm_text text = {0};
        char json[sizeof seed];

        memcpy(json, seed, sizeof seed);
        for (int i = 0; i < k % 4; i++)
            json[(size_t)(mdm_rng_uniform(&rng) * (sizeof seed - 1))] =
                alphabet[(size_t)(mdm_rng_uniform(&rng) * (sizeof alphabet - 1))];
        if (mdm_labels_read(&l, json, CLASSES) == MASKDM_OK) {
            taken++;
            mdm_labels_write(&l, &text);
            ck_assert_int_eq(mdm_labels_read(&back, text.data, CLASSES), MASKDM_OK);
            expect(&back, (const char *const *)l.name, l.count);
        } else {
            ck_assert_int_eq(l.count, 0);
        }
        mdm_text_free(&text);
        mdm_labels_free(&back);
        mdm_labels_free(&l);
    }
    ck_assert_int_gt(taken, 7500);
    ck_assert_int_lt(taken, 30000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("labels");
    TCase *t = tcase_create("labels");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_test(t, there_and_back);
    tcase_add_test(t, difference);
    tcase_add_test(t, what_is_refused);
    tcase_add_test(t, all_names_are_bounded);
    tcase_add_test(t, every_refused_allocation_is_reported);
    tcase_add_test(t, any_text);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
