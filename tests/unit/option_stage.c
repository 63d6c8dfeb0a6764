/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stages among the options of a run, the documents that people write of them, and presets.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "option/option.h"
#include "option/preset.h"
#include "run/options.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OK(call) ck_assert_msg((call) == MASKDM_OK, "%s", mdm_error_text())
#define FAILS(status, says, call)                                                                                    \
    do {                                                                                                             \
        ck_assert_int_eq((call), (status));                                                                          \
        ck_assert_msg(strstr(mdm_error_text(), (says)) != NULL, "%s", mdm_error_text());                             \
    } while (0)

static maskdm_options *make(const char *text)
{
    maskdm_options *o;

    OK(mdm_options_create(&o, &mdm_train_kind));
    OK(mdm_options_parse(o, "data=d out=o"));
    OK(mdm_options_parse(o, text));
    return o;
}

static int parse(maskdm_options *o, const char *json)
{
    return mdm_options_parse_json(o, json, strlen(json));
}

/* The value that stage i has. */
static const char *value(const maskdm_options *o, int i, const char *name)
{
    static char out[4][64];
    static int turn;
    maskdm_options *stage;

    turn = (turn + 1) % 4;
    OK(mdm_options_stage(&stage, o, i));
    snprintf(out[turn], sizeof out[turn], "%s", mdm_options_text(stage, name));
    mdm_options_release(&stage);
    return out[turn];
}

static char *json_of(const maskdm_options *o)
{
    struct mdm_text text = {0};

    mdm_options_write_json(o, &text);
    OK(mdm_text_ok(&text));
    return text.data;
}

START_TEST(a_stage_has_what_it_does_not_say_from_the_run)
{
    maskdm_options *o = make("mask=block mask_ratio=0.9 lr=1e-3"), *copy;

    ck_assert_int_eq(mdm_options_stages(o), 0);
    ck_assert_str_eq(value(o, 0, "lr"), "0.001");
    OK(mdm_options_add_stage(o, "steps=9"));
    OK(mdm_options_add_stage(o, "mask_ratio=0.5 steps=4 lr=2e-3"));
    OK(mdm_options_add_stage(o, "mask=none"));
    OK(mdm_options_check(o));
    ck_assert_int_eq(mdm_options_stages(o), 3);
    ck_assert_str_eq(value(o, 0, "mask_ratio"), "0.9");
    ck_assert_str_eq(value(o, 1, "mask_ratio"), "0.5");
    ck_assert_str_eq(value(o, 1, "mask"), "block");
    ck_assert_str_eq(value(o, 0, "lr"), "0.001");
    ck_assert_str_eq(value(o, 1, "lr"), "0.002");
    ck_assert_str_eq(value(o, 2, "lr"), "0.001");
    ck_assert_str_eq(value(o, 2, "mask"), "none");
    ck_assert_str_eq(value(o, 2, "steps"), "1000");
    OK(mdm_options_clone(&copy, o));
    OK(mdm_options_set(o, "mask_ratio", "0.8"));
    ck_assert_str_eq(value(o, 0, "mask_ratio"), "0.8");
    ck_assert_str_eq(value(copy, 0, "mask_ratio"), "0.9");
    mdm_options_release(&o);
    ck_assert_str_eq(value(copy, 1, "lr"), "0.002");
    mdm_options_release(&copy);
}
END_TEST

START_TEST(stages_are_refused_by_their_number)
{
    maskdm_options *o = make("");

    OK(mdm_options_add_stage(o, "steps=1"));
    FAILS(MASKDM_EINVAL, "stage 2: option mask_ratio is 1.5; its range is 0 .. 1",
          mdm_options_add_stage(o, "mask=block mask_ratio=1.5"));
    FAILS(MASKDM_ENOTFOUND, "stage 2: train has no option \"mask_ration\"; the nearest is mask_ratio",
          mdm_options_add_stage(o, "mask_ration=0.5"));
    FAILS(MASKDM_EINVAL, "stage 2: option dim is of the whole run, not of a stage",
          mdm_options_add_stage(o, "dim=8"));
    FAILS(MASKDM_EINVAL, "stage 2: option seed is of the whole run", mdm_options_add_stage(o, "seed=8"));
    FAILS(MASKDM_EINVAL, "stage 2: option out is of the whole run", mdm_options_add_stage(o, "out=x"));
    ck_assert_int_eq(mdm_options_stages(o), 1);
    OK(mdm_options_add_stage(o, "route_ratio=0.5 weight=v loss=l1 ema_decay=0 flip=0.5 carry=all data_fraction=0.5"));
    OK(mdm_options_check(o));
    OK(mdm_options_add_stage(o, "mask_ratio=0.5"));
    FAILS(MASKDM_EINVAL, "stage 3: option mask_ratio belongs to mask=patch|block, but mask is none",
          mdm_options_check(o));
    mdm_options_release(&o);
    OK(mdm_options_create(&o, &mdm_train_kind));
    OK(mdm_options_add_stage(o, "steps=1"));
    FAILS(MASKDM_EINVAL, "option data must be given", mdm_options_check(o));
    ck_assert_ptr_null(strstr(mdm_error_text(), "stage"));
    mdm_options_release(&o);
    OK(mdm_options_create(&o, &mdm_sample_kind));
    FAILS(MASKDM_EINVAL, "sample has no stages", mdm_options_add_stage(o, "steps=1"));
    mdm_options_release(&o);
}
END_TEST

/* What is given for the whole run must be of use to a stage. */
START_TEST(values_without_effect_are_refused)
{
    maskdm_options *o = make("lr=1e-3");

    OK(mdm_options_add_stage(o, "lr=2e-3 steps=1"));
    OK(mdm_options_add_stage(o, "lr=3e-3 steps=2 mask=none"));
    FAILS(MASKDM_EINVAL, "lr is 0.001, and every stage has its own: 0.002, 0.003", mdm_options_check(o));
    OK(mdm_options_add_stage(o, "mask=crop mask_crop_size=4"));
    OK(mdm_options_check(o));
    OK(mdm_options_set(o, "mask_ratio", "0.5"));
    FAILS(MASKDM_EINVAL, "option mask_ratio belongs to mask=patch|block, but mask is", mdm_options_check(o));
    OK(mdm_options_add_stage(o, "mask=patch"));
    OK(mdm_options_check(o));
    ck_assert_str_eq(value(o, 3, "mask_ratio"), "0.5");
    mdm_options_release(&o);
    o = make("steps=7");
    OK(mdm_options_add_stage(o, "steps=7"));
    OK(mdm_options_check(o)); /* it says the same */
    mdm_options_release(&o);
}
END_TEST

START_TEST(documents)
{
    static const char good[] = "// of my own\n"
                               "{\"about\": \"x\", \"lr\": 1e-3, /* for both */ \"stages\": [\n"
                               "  {\"mask\": \"block\", \"mask_ratio\": 0.9, \"steps\": 9}, // first\n"
                               "  {\"steps\": 3, \"clip_norm\": null}\n"
                               "]} // end";
    maskdm_options *o = make(""), *again = make("");
    char *json, *back;

    OK(parse(o, good));
    OK(mdm_options_check(o));
    ck_assert_int_eq(mdm_options_stages(o), 2);
    ck_assert_str_eq(value(o, 0, "mask_ratio"), "0.9");
    ck_assert_str_eq(value(o, 1, "lr"), "0.001");
    json = json_of(o);
    ck_assert_ptr_nonnull(strstr(json, "\"stages\": [{\"data_fraction\": 1, \"data_seed\": 0, \"steps\": 9, "));
    OK(parse(again, json));
    back = json_of(again);
    ck_assert_str_eq(json, back);
    FAILS(MASKDM_EINVAL, "stages are given twice", parse(o, "[{\"steps\": 1}]"));
    ck_assert_int_eq(mdm_options_stages(o), 2);
    mdm_free(json);
    mdm_free(back);
    mdm_options_release(&o);
    mdm_options_release(&again);
    o = make("");
    OK(parse(o, "[{\"steps\": 5}, {}]"));
    ck_assert_int_eq(mdm_options_stages(o), 2);
    mdm_options_release(&o);
}
END_TEST

START_TEST(documents_are_read_strictly)
{
    static const struct {
        const char *json;
        int status;
        const char *says;
    } bad[] = {
        {"[{\"steps\": 1}, {\"setps\": 1}]", MASKDM_ENOTFOUND,
         "stage 2: train has no option \"setps\"; the nearest is steps"},
        {"[{\"learning_rate\": 1}]", MASKDM_ENOTFOUND, "see lr (learning rate"},
        {"[{\"steps\": 1.5}]", MASKDM_EINVAL, "stage 1: option steps takes a whole number, not \"1.5\""},
        {"[{\"steps\": \"many\"}]", MASKDM_EINVAL, "stage 1: option steps takes a whole number"},
        {"[{\"mask\": 1}]", MASKDM_EINVAL, "stage 1: option mask takes a text"},
        {"[{\"mask\": \"blok\"}]", MASKDM_EINVAL, "stage 1: option mask is one of"},
        {"[{\"steps\": 0}]", MASKDM_EINVAL, "stage 1: option steps is 0; its range is at least 1"},
        {"[{\"steps\": {}}]", MASKDM_EFORMAT, "stage 1: option steps is an object"},
        {"[{\"steps\": 1, \"steps\": 2}]", MASKDM_EINVAL, "stage 1: option steps stands twice"},
        {"{\"lr\": 1, \"dim\": 8, \"lr\": 2}", MASKDM_EINVAL, "option lr stands twice"},
        {"[{\"dim\": 8}]", MASKDM_EINVAL, "stage 1: option dim is of the whole run"},
        {"[{\"about\": \"x\"}]", MASKDM_ENOTFOUND, "stage 1: train has no option \"about\""},
        {"[{\"stages\": []}]", MASKDM_ENOTFOUND, "stage 1: train has no option \"stages\""},
        {"[]", MASKDM_EFORMAT, "a list of stages is empty"},
        {"[1]", MASKDM_EFORMAT, "stage 1 is no object of options"},
        {"[[{}]]", MASKDM_EFORMAT, "stage 1 is no object of options"},
        {"{\"stages\": {}}", MASKDM_EFORMAT, "line 1: an array is expected"},
        {"{\"stages\": [{}], \"stages\": [{}]}", MASKDM_EINVAL, "stages are given twice"},
        {"7", MASKDM_EFORMAT, "this is no object of options"},
        {"{\"about\": 7}", MASKDM_EFORMAT, "a string is expected"},
        {"{}\n{}", MASKDM_EFORMAT, "line 2: something follows the end"},
        {"[{\"steps\": 1},\n{\"steps\": 2},\n]", MASKDM_EFORMAT, "line 3"},
        {"{\"lr\": 1 /* open", MASKDM_EFORMAT, "a comment does not end"},
        {"{\"lr\": 1 / 2}", MASKDM_EFORMAT, "a comma is expected"},
        {"{\"format\": 2}", MASKDM_EVERSION, "format 2"},
        {"", MASKDM_EFORMAT, "it ends too early"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        maskdm_options *o = make("");
        char *before = json_of(o), *after;

        FAILS(bad[i].status, bad[i].says, parse(o, bad[i].json));
        after = json_of(o);
        ck_assert_str_eq(before, after);
        mdm_free(before);
        mdm_free(after);
        mdm_options_release(&o);
    }
}
END_TEST

/* Of a file's metadata a comment is no part. */
START_TEST(comments_are_for_people)
{
    static const char json[] = "{\"lr\": 1} // x";
    maskdm_options *o = make("");
    struct mdm_json j;

    mdm_json_open(&j, "{/**/}", 6);
    FAILS(MASKDM_EFORMAT, "byte 1", mdm_options_read_json(o, &j));
    mdm_json_close(&j);
    OK(mdm_options_parse_json(o, json, sizeof json - 1));
    mdm_options_release(&o);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    (void)bytes;
    return (*(int64_t *)user)-- == 0;
}

START_TEST(every_allocation_may_fail)
{
    static const char json[] = "{\"lr\": 1e-3, \"stages\": [{\"mask\": \"block\", \"steps\": 9}, {\"steps\": 3}]}";
    int64_t refused = 0, left;
    const struct mdm_alloc_hook hook = {refuse_at, &left};
    maskdm_options *o;
    int status = MASKDM_ENOMEM;

    for (; status == MASKDM_ENOMEM; refused++) {
        o = make("");
        left = refused;
        mdm_alloc_hook_set(&hook);
        status = mdm_options_parse_json(o, json, sizeof json - 1);
        if (status == MASKDM_OK)
            status = mdm_options_check(o);
        mdm_alloc_hook_set(NULL);
        mdm_options_release(&o);
        ck_assert_int_eq(mdm_alloc_live(), 0);
    }
    OK(status);
    ck_assert_int_gt(refused, 20);
}
END_TEST

/* ---- presets ---- */

static char folder[64];

static void write_preset(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/maskdm-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_preset("b.json", "// b\n{\"about\": \"the b\", \"lr\": 1e-3, \"network\": \"uvit\", \"dim\": 8}");
    write_preset("a.json", "{\"lr\": 5e-3, \"stages\": [{\"steps\": 4}, {\"steps\": 2}]}");
    write_preset("bad.json", "{\"stages\": [{\"dim\": 4}]}");
    write_preset("notes.txt", "none");
}

static void teardown(void)
{
    static const char *const names[] = {"a.json", "b.json", "bad.json", "notes.txt"};
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

START_TEST(presets_of_a_folder)
{
    struct mdm_text text = {0};
    maskdm_options *o = make("lr=7e-3");

    OK(mdm_preset_names(&text, folder));
    ck_assert_str_eq(text.data, "a\nb\nbad\n");
    mdm_text_free(&text);
    OK(mdm_preset_text(&text, "b", "about", folder));
    ck_assert_str_eq(text.data, "the b");
    mdm_text_free(&text);
    OK(mdm_preset_text(&text, "a", "about", folder));
    ck_assert_str_eq(text.data, "");
    mdm_text_free(&text);
    OK(mdm_preset_text(&text, "b", NULL, folder));
    ck_assert_ptr_nonnull(strstr(text.data, "// b\n{"));
    mdm_text_free(&text);
    FAILS(MASKDM_ENOTFOUND, "there is no preset \"c\"", mdm_options_load_preset(o, "c", folder));
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "but a b bad"));
    FAILS(MASKDM_ENOTFOUND, "no preset \"../a\"", mdm_options_load_preset(o, "../a", folder));
    FAILS(MASKDM_ENOTFOUND, "no preset \"\"", mdm_options_load_preset(o, "", folder));
    FAILS(MASKDM_EINVAL, "bad.json: stage 1: option dim", mdm_options_load_preset(o, "bad", folder));
    OK(mdm_options_load_preset(o, "b", folder)); /* what was said stays, and what is said behind it counts */
    ck_assert_str_eq(mdm_options_text(o, "lr"), "0.007");
    ck_assert_str_eq(mdm_options_text(o, "dim"), "8");
    OK(mdm_options_set(o, "dim", "16"));
    OK(mdm_options_load_preset(o, "a", folder));
    ck_assert_int_eq(mdm_options_stages(o), 2);
    FAILS(MASKDM_EINVAL, "another is given", mdm_options_load_preset(o, "a", folder));
    OK(mdm_options_set(o, "steps", "9"));
    FAILS(MASKDM_EINVAL, "steps is 9, and every stage has its own: 4, 2", mdm_options_check(o));
    mdm_options_release(&o);
    o = make("network=dit");
    FAILS(MASKDM_EINVAL, "network is dit, and preset b was made for uvit", mdm_options_load_preset(o, "b", folder));
    mdm_options_release(&o);
}
END_TEST

/* Those that come with the library fit the three kinds of training, and say what they must. */
START_TEST(presets_of_the_installation)
{
    static const struct mdm_option_kind *const kinds[] = {&mdm_train_kind, &mdm_pretrain_kind, &mdm_finetune_kind};
    static const char *const notes[] = {"about", "measured"};
    struct mdm_text names = {0};
    int count = 0;
    char *end;

    OK(mdm_preset_names(&names, NULL));
    for (char *name = names.data; (end = strchr(name, '\n')); name = end + 1, count++) {
        *end = '\0';
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            maskdm_options *o;

            OK(mdm_options_create(&o, kinds[k]));
            OK(mdm_options_parse(o, "data=d out=o"));
            if (kinds[k] == &mdm_finetune_kind)
                OK(mdm_options_set(o, "init", "m"));
            OK(mdm_options_load_preset(o, name, NULL));
            OK(mdm_options_check(o));
            mdm_options_release(&o);
        }
        for (size_t k = 0; k < sizeof notes / sizeof *notes; k++) {
            struct mdm_text text = {0};

            OK(mdm_preset_text(&text, name, notes[k], NULL));
            ck_assert_msg(text.length > 10, "preset %s says nothing of \"%s\"", name, notes[k]);
            mdm_text_free(&text);
        }
    }
    ck_assert_int_ge(count, 8);
    mdm_text_free(&names);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("option_stage");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_stage_has_what_it_does_not_say_from_the_run);
    tcase_add_test(t, stages_are_refused_by_their_number);
    tcase_add_test(t, values_without_effect_are_refused);
    tcase_add_test(t, documents);
    tcase_add_test(t, documents_are_read_strictly);
    tcase_add_test(t, comments_are_for_people);
    tcase_add_test(t, every_allocation_may_fail);
    tcase_add_test(t, presets_of_a_folder);
    tcase_add_test(t, presets_of_the_installation);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
