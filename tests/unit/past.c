/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a model's weights were trained with: stages in a row, through JSON and back; what is none is refused.
 */
#include "base/error.h"
#include "model/past.h"
#include "text/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void expect(const struct mdm_past *p, const char *json)
{
    struct mdm_text text = {0};
    struct mdm_past back;

    mdm_past_write(p, &text);
    ck_assert_int_eq(mdm_text_ok(&text), MASKDM_OK);
    ck_assert_str_eq(text.data ? text.data : "", json);
    ck_assert_int_eq(mdm_past_read(&back, text.data), MASKDM_OK);
    ck_assert_int_eq(back.known, p->known);
    ck_assert_int_eq(back.count, p->count);
    for (int i = 0; i < p->count; i++) {
        ck_assert_str_eq(back.stage[i].mask, p->stage[i].mask);
        ck_assert_int_eq(back.stage[i].visible, p->stage[i].visible);
        ck_assert_int_eq(back.stage[i].patches, p->stage[i].patches);
    }
    mdm_text_free(&text);
}

START_TEST(stages_in_a_row)
{
    static const char whole[] =
        "surround shows the network some of the patches, as training with masks does, and this "
        "model was trained on whole images alone";
    struct mdm_past p = {.known = 1};

    expect(&p, "[]");
    ck_assert_int_eq(mdm_past_check_masked(&p, "surround"), MASKDM_OK); /* was not trained at all */
    mdm_past_add(&p, "none", 64, 64);
    mdm_past_add(&p, "none", 64, 64); /* gone on with */
    expect(&p, "[{\"mask\": \"none\", \"visible\": 64, \"patches\": 64}]");
    ck_assert_int_eq(mdm_past_check_masked(&p, "surround"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), whole);
    mdm_past_add(&p, "block", 16, 64);
    mdm_past_add(&p, "none", 64, 64);
    expect(&p, "[{\"mask\": \"none\", \"visible\": 64, \"patches\": 64}, {\"mask\": \"block\", \"visible\": 16, "
               "\"patches\": 64}, {\"mask\": \"none\", \"visible\": 64, \"patches\": 64}]");
    ck_assert_int_eq(mdm_past_check_masked(&p, "surround"), MASKDM_OK);
}
END_TEST

/* Weights from elsewhere may have seen anything. */
START_TEST(what_was_before_is_unknown)
{
    struct mdm_past p = {.known = 0};

    expect(&p, "");
    mdm_past_add(&p, "none", 4, 4);
    expect(&p, "[null, {\"mask\": \"none\", \"visible\": 4, \"patches\": 4}]");
    ck_assert_int_eq(mdm_past_check_masked(&p, "surround"), MASKDM_OK);
}
END_TEST

START_TEST(the_oldest_go)
{
    struct mdm_past p = {.known = 1};
    char name[100];

    for (int i = 0; i < MDM_PAST_STAGES + 3; i++)
        mdm_past_add(&p, "patch", 1 + i, 100);
    ck_assert_int_eq(p.count, MDM_PAST_STAGES);
    ck_assert_int_eq(p.stage[0].visible, 4);
    ck_assert_int_eq(p.stage[p.count - 1].visible, MDM_PAST_STAGES + 3);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    mdm_past_add(&p, name, 1, 2);
    ck_assert_uint_eq(strlen(p.stage[p.count - 1].mask), MDM_PAST_NAME - 1);
}
END_TEST

START_TEST(what_is_refused)
{
    static const struct {
        const char *json, *says;
    } bad[] = {
        {"", "JSON"},
        {"{}", "JSON"},
        {"[1]", "a stage is no object"},
        {"[null, null]", "a stage is no object"},
        {"[{}]", "a stage of mask \"\" with 0 of 0 patches visible"},
        {"[{\"mask\": \"patch\", \"visible\": 5, \"patches\": 4}]", "a stage of mask \"patch\" with 5 of 4"},
        {"[{\"mask\": \"patch\", \"visible\": 0, \"patches\": 4}]", "0 of 4"},
        {"[{\"mask\": \"patch\", \"visible\": -1, \"patches\": 4}]", "-1"},
        {"[{\"mask\": \"patch\", \"visible\": 1.5, \"patches\": 4}]", "1.5"},
        {"[{\"mask\": \"patch\", \"visible\": \"1\", \"patches\": 4}]", "JSON"},
        {"[{\"mask\": 3, \"visible\": 1, \"patches\": 4}]", "JSON"},
        {"[{\"mask\": \"patch\", \"visible\": 1, \"patches\": 4, \"ratio\": 1}]", "\"ratio\""},
        {"[{\"mask\": \"patch\", \"visible\": 1, \"patches\": 4}", "JSON"},
        {"[] x", "JSON"},
    };
    struct mdm_past p;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(mdm_past_read(&p, bad[i].json) == MASKDM_EFORMAT, "%s", bad[i].json);
        ck_assert_msg(strstr(mdm_error_text(), "metadata entry \"maskdm.masks\"") &&
                          strstr(mdm_error_text(), bad[i].says),
                      "%s: %s", bad[i].json, mdm_error_text());
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("past");
    TCase *t = tcase_create("past");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, stages_in_a_row);
    tcase_add_test(t, what_was_before_is_unknown);
    tcase_add_test(t, the_oldest_go);
    tcase_add_test(t, what_is_refused);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
