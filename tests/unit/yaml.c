/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of YAML is read, and what is refused.
 */
#include "text/yaml.h"

#include "base/alloc.h"
#include "text/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int note(void *user, const struct mdm_yaml_value *v)
{
    struct mdm_text *said = user;

    mdm_text_addf(said, "%ld %s=%s%s%s\n", v->line, v->path, v->is_list ? "[" : "", v->text, v->anchored ? " &" : "");
    return mdm_text_ok(said);
}

static int read(const char *yaml, struct mdm_text *said)
{
    mdm_text_free(said);
    mdm_text_add(said, "");
    return mdm_yaml_read(yaml, strlen(yaml), note, said);
}

START_TEST(values_and_their_paths)
{
    static const struct {
        const char *yaml, *says;
    } rows[] = {
        {"a: 1\nb:\n  c: 2.0e-4\n  d:\n    e: x y\nf: \"1\\t2\" # end\n",
         "1 a=1\n3 b.c=2.0e-4\n5 b.d.e=x y\n6 f=1\t2\n"},
        {"a: [0.99, 0.5]\nb:\n- 1\n- \"x\"\nc: []\n", "1 a=[0.99,0.5\n3 b=[1,x\n5 c=[\n"},
        {"a: True\nb: no\nc: null\nd: ~\ne:\nf: \"true\"\ng: \"null\"\nh: \"yes\"",
         "1 a=true\n2 b=false\n3 c=\n4 d=\n5 e=\n6 f=true\n7 g=null\n8 h=yes\n"},
        {"a: &x 256\na: &y 4\nb: *x\nc: [*y, *x]\nd: &x 1\ne: *x\n",
         "1 a=256 &\n2 a=4 &\n3 b=256\n4 c=[4,256\n5 d=1 &\n6 e=1\n"},
        {"a: {b: {c: {d: 1}}}\n", "1 a.b.c.d=1\n"},
        {"a: {}\nb: 1", "2 b=1\n"},
        {"---\na: 1\n...\n", "2 a=1\n"},
        {"{\"a\": 1, \"b\": [1, 2]}", "1 a=1\n1 b=[1,2\n"},
    };
    struct mdm_text said = {0};

    for (size_t i = 0; i < MDM_LENGTH(rows); i++) {
        ck_assert_msg(read(rows[i].yaml, &said) == MASKDM_OK, "%s: %s", rows[i].yaml, mdm_error_text());
        ck_assert_str_eq(said.data, rows[i].says);
    }
    mdm_text_free(&said);
}
END_TEST

START_TEST(what_is_refused)
{
    static const struct {
        const char *yaml, *says;
    } rows[] = {
        {"", "nothing in it"},
        {"- 1\n", "line 1: this is no map"},
        {"text", "this is no map"},
        {"a: 1\nb: [1\n", "line 3: no YAML: "},
        {"a: 1\n b: 2\n", "no YAML: "},
        {"a: \"\xff\"", "no YAML: "},
        {"a: 1\n---\nb: 2\n", "line 2: a second document"},
        {"a: *x\n", "line 1: an alias whose anchor"},
        {"a: &x [1]\n", "a list has no anchor"},
        {"a: &x {b: 1}\n", "a map has no anchor"},
        {"&x {a: 1}\n", "a map has no anchor"},
        {"&x a: 1\n", "a key is no word"},
        {"a.b: 1\n", "a key is no word"},
        {"? [a]\n: 1\n", "a key is no word"},
        {"? {a: 1}\n: 1\n", "a key is no word"},
        {"\"a\\0b\": 1\n", "a key is no word"},
        {"a: \"x\\0y\"\n", "contains NUL"},
        {"a: !!str 1\n", "tags are not read"},
        {"a: !!python/object:os.system 1\n", "tags are not read"},
        {"a: !x {b: 1}\n", "a map has no anchor or tag"},
        {"a: [[1]]\n", "a list holds scalars alone"},
        {"a: [{b: 1}]\n", "a list holds scalars alone"},
        {"a: [\"1,2\"]\n", "other scalars"},
        {"a: {b: {c: {d: {e: 1}}}}\n", "deeper than is read"},
    };
    struct mdm_text said = {0}, much = {0};

    for (size_t i = 0; i < MDM_LENGTH(rows); i++) {
        ck_assert_msg(read(rows[i].yaml, &said) == MASKDM_EFORMAT, "%s: %s", rows[i].yaml, said.data);
        ck_assert_msg(strstr(mdm_error_text(), rows[i].says) != NULL, "%s: %s", rows[i].yaml, mdm_error_text());
    }
    ck_assert_int_eq(mdm_yaml_read("a: 1\0", 5, note, &said), MASKDM_EFORMAT);
    mdm_text_add(&much, "a: [1");
    for (int i = 0; i < MDM_YAML_LIST; i++)
        mdm_text_add(&much, ",1");
    mdm_text_add(&much, "]");
    ck_assert_int_eq(read(much.data, &said), MASKDM_EFORMAT);
    mdm_text_free(&much);
    for (int i = 0; i <= MDM_YAML_ANCHORS; i++)
        mdm_text_addf(&much, "a: &x%d 1\n", i);
    ck_assert_int_eq(read(much.data, &said), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "line 65: more anchors"));
    mdm_text_free(&much);
    for (int i = 0; i < MDM_YAML_PATH; i++)
        mdm_text_add(&much, "k");
    mdm_text_add(&much, ": 1");
    ck_assert_int_eq(read(much.data, &said), MASKDM_EFORMAT);
    mdm_text_free(&much);
    for (int i = 0; i < 100000; i++)
        mdm_text_add(&much, "[{");
    ck_assert_int_eq(read(much.data, &said), MASKDM_EFORMAT);
    mdm_text_free(&much);
    mdm_text_free(&said);
    ck_assert_int_eq(mdm_yaml_read("", MDM_YAML_BYTES + 1, note, NULL), MASKDM_EFORMAT);
    ck_assert_int_eq(mdm_alloc_live(), 0);
}
END_TEST

static int fails(void *user, const struct mdm_yaml_value *v)
{
    (void)user;
    return v->line == 2 ? mdm_fail(MASKDM_EBUSY, "not now") : MASKDM_OK;
}

START_TEST(a_visitors_failure_ends_it)
{
    ck_assert_int_eq(mdm_yaml_read("a: 1\nb: 2\nc: 3", 14, fails, NULL), MASKDM_EBUSY);
    ck_assert_str_eq(mdm_error_text(), "not now");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("yaml");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;

    tcase_add_test(t, values_and_their_paths);
    tcase_add_test(t, what_is_refused);
    tcase_add_test(t, a_visitors_failure_ends_it);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
