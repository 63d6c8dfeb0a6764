/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options: setting, checking, reading, writing; and what must hold for every table of the library.
 */
#include <maskdm/options.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/options.h"
#include "diffusion/options.h"
#include "mask/options.h"
#include "model/options.h"
#include "option/option.h"
#include "run/options.h"
#include "text/text.h"
#include "train/options.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static maskdm_options *make(const char *kind)
{
    maskdm_options *o;

    ck_assert_int_eq(maskdm_options_create(&o, kind), MASKDM_OK);
    return o;
}

static const char *value(const maskdm_options *o, const char *name)
{
    static char out[4][256];
    static int turn;

    turn = (turn + 1) % 4;
    ck_assert_int_eq(maskdm_options_get(o, name, out[turn], sizeof out[turn], NULL), MASKDM_OK);
    return out[turn];
}

static const char *fact(const char *kind, int64_t i, const char *what)
{
    static char out[4][512];
    static int turn;

    turn = (turn + 1) % 4;
    ck_assert_int_eq(maskdm_options_describe(kind, i, what, out[turn], sizeof out[turn], NULL), MASKDM_OK);
    return out[turn];
}

static int64_t place_of(const char *kind, const char *name)
{
    int64_t i = 0;

    while (strcmp(fact(kind, i, "name"), name) != 0)
        i++;
    return i;
}

static int says(const char *part)
{
    return strstr(mdm_error_text(), part) != NULL;
}

START_TEST(tables_are_sound)
{
    enum { MOST = 512 };
    static char names[MOST][64];
    int64_t kinds = 0;

    for (const char *kind; (kind = maskdm_options_kind(kinds)); kinds++) {
        int64_t count = maskdm_options_count(kind);
        maskdm_options *defaults = make(kind); /* each of them is in its range */

        ck_assert_str_ne(maskdm_options_kind_help(kind), "");
        ck_assert_int_gt(count, 0);
        ck_assert_int_le(count, MOST);
        maskdm_options_release(&defaults);
        for (int64_t i = 0; i < count; i++) {
            const char *help, *name = names[i];

            snprintf(names[i], sizeof names[i], "%s", fact(kind, i, "name"));
            help = fact(kind, i, "help");

            ck_assert_uint_lt(strlen(name), 32);
            ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(name));
            ck_assert_msg(*help && help[strlen(help) - 1] != '.', "%s %s", kind, name);
            ck_assert(*fact(kind, i, "table"));
            ck_assert(!*fact(kind, i, "required") || !*fact(kind, i, "default"));
            ck_assert_int_eq(!*fact(kind, i, "choices"), maskdm_options_type(kind, i) != MASKDM_OPTION_CHOICE);
            for (int64_t k = 0; k < i; k++)
                ck_assert_msg(strcmp(names[k], name) != 0, "%s has %s twice", kind, name);
        }
        ck_assert_int_eq(maskdm_options_type(kind, count), MASKDM_ENOTFOUND);
    }
    ck_assert_int_eq(kinds, 33);
    ck_assert_ptr_null(maskdm_options_kind(-1));
    ck_assert_int_eq(maskdm_options_count("none"), MASKDM_ENOTFOUND);
    ck_assert_int_eq(maskdm_options_type("none", 0), MASKDM_ENOTFOUND);
    ck_assert_ptr_null(maskdm_options_kind_help("none"));
}
END_TEST

/* What others call an option is no option's name where it would be looked for, and leads to the option. */
START_TEST(aliases_lead_to_their_options)
{
    int64_t count = 0;

    for (int64_t k = 0; maskdm_options_kind(k); k++) {
        const char *kind = maskdm_options_kind(k);
        maskdm_options *o = make(kind);

        for (int64_t i = 0; i < maskdm_options_count(kind); i++) {
            char aliases[512], name[64], see[100];
            char *rest = aliases;

            snprintf(aliases, sizeof aliases, "%s", fact(kind, i, "alias"));
            snprintf(name, sizeof name, "%s", fact(kind, i, "name"));
            snprintf(see, sizeof see, "; see %s (%s)", name, fact(kind, i, "help"));
            see[sizeof see - 1] = '\0';
            for (char *word; (word = strtok_r(rest, "|", &rest)); count++) {
                ck_assert_uint_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(word));
                ck_assert_msg(!mdm_options_text(o, word), "%s: %s is an option", kind, word);
                ck_assert_int_eq(maskdm_options_set(o, word, "1"), MASKDM_ENOTFOUND);
                ck_assert_msg(says("; see "), "%s %s: %s", kind, word, mdm_error_text());
                if (maskdm_options_count(kind) < 12) /* in a composite, two tables may know the same word */
                    ck_assert_msg(says(see), "%s %s: %s", kind, word, mdm_error_text());
            }
        }
        maskdm_options_release(&o);
    }
    ck_assert_int_gt(count, 100);
}
END_TEST

START_TEST(every_type_is_set_and_read)
{
    maskdm_options *o = make("uvit"), *f = make("folder"), *t = make("trainer"), *p = make("pretrain");
    struct mdm_train_run_options run;
    struct mdm_trainer_options trainer;
    struct mdm_folder_options folder;
    struct mdm_uvit_options uvit;
    const double sizes[] = {48, 64};

    ck_assert_int_eq(maskdm_options_set(o, "image_size", "32x48"), MASKDM_OK);
    ck_assert_str_eq(value(o, "image_size"), "32,48");
    ck_assert_int_eq(maskdm_options_set_list(o, "image_size", sizes, 2), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set_bool(o, "qkv_bias", 5), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set_int(o, "dim", 512), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set_float(o, "mlp_ratio", 2.5), MASKDM_OK);
    mdm_options_read(o, &mdm_uvit_options, &uvit);
    ck_assert(uvit.image_size.count == 2 && uvit.image_size.value[0] == 48 && uvit.image_size.value[1] == 64);
    ck_assert(uvit.qkv_bias == 1 && uvit.dim == 512 && uvit.mlp_ratio == 2.5 && uvit.time_mlp == 0);
    ck_assert_int_eq(maskdm_options_set(o, "qkv_bias", "no"), MASKDM_OK);
    mdm_options_read(o, &mdm_uvit_options, &uvit);
    ck_assert(!uvit.qkv_bias && mdm_options_is_set(o, "qkv_bias") && !mdm_options_is_set(o, "time_mlp"));
    ck_assert_int_eq(maskdm_options_set(f, "background", "0,0.5,1"), MASKDM_OK);
    mdm_options_read(f, &mdm_folder_options, &folder);
    ck_assert(folder.background.count == 3 && folder.background.value[1] == 0.5);
    ck_assert_int_eq(folder.cache_limit, 2147483648);
    ck_assert_int_eq(maskdm_options_set_int(t, "seed", INT64_MIN), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(t, "loss", "l1"), MASKDM_OK);
    mdm_options_read(t, &mdm_trainer_options, &trainer);
    ck_assert(trainer.seed == INT64_MIN && trainer.loss == MDM_LOSS_L1);
    mdm_options_read(p, &mdm_pretrain_run_options, &run);
    ck_assert(!*run.data && !run.init); /* the latter is fine-tuning's */
    ck_assert_int_eq(maskdm_options_set(p, "data", "a b"), MASKDM_OK);
    mdm_options_read(p, &mdm_pretrain_run_options, &run);
    ck_assert_str_eq(run.data, "a b");
    ck_assert_str_eq(value(p, "lr"), "0.002");
    ck_assert_int_eq(maskdm_options_set(p, "dim", "64"), MASKDM_OK);
    ck_assert_str_eq(value(p, "lr"), "0.001");
    maskdm_options_release(&o);
    maskdm_options_release(&f);
    maskdm_options_release(&t);
    maskdm_options_release(&p);
    ck_assert_ptr_null(o);
    maskdm_options_release(&o);
    maskdm_options_release(NULL);
}
END_TEST

/* kind, name, and what the line says behind "has no option"; "" is nothing. */
static const char *const wrong_names[][3] = {
    {"pretrain", "learning_rate", "; see lr (learning rate, which warm-up and schedule multiply)"},
    {"pretrain", "learningRate", "; see lr ("},
    {"pretrain", "LEARNING-RATE", "; see lr ("},
    {"pretrain", "LR", "; see lr ("},
    {"pretrain", "num_steps", "; see steps ("},
    {"pretrain", "epochs", "; see steps (steps to train; an epoch is"},
    {"pretrain", "batchsize", "; see batch_size ("},
    {"pretrain", "num_workers", "; see loaders ("},
    {"pretrain", "hidden_size", "; see dim ("},
    {"pretrain", "block_size", "; see mask_block_size ("},
    {"pretrain", "checkpoint", "; see resume ("},
    {"finetune", "checkpoint", "; see init ("},
    {"sample", "checkpoint", "; see model ("},
    {"convert", "checkpoint", "; see from ("},
    {"sample", "cfg_scale", "; see guidance ("},
    {"sample", "n", "; see count ("},
    {"optimizer", "decay", "; see weight_decay ("},
    {"pretrain", "setps", "; the nearest is steps"},
    {"pretrain", "ltr", "; the nearest is lr"},
    {"pretrain", "ema_dceay", "; the nearest is ema_decay"},
    {"pretrain", "gpu", ""},
    {"pretrain", "cuda", ""},
    {"pretrain", "x", ""},
    {"pretrain", "", ""},
    {"pretrain", "verbose", ""},
    {"pretrain", "lr_scheduler", "; see lr_schedule (how"},
    {"pretrain", "fp16", "; see compute ("},
    {"pretrain", "xflip", "; see flip ("},
    {"pretrain", "kimg", "; see steps ("},
    {"pretrain", "precond", "; see process ("},
    {"pretrain", "sampling_timesteps", "; see sample_steps ("},
    {"sample", "sampling_timesteps", "; see steps ("},
    {"pretrain", "no_steps", "; the nearest is lr_steps"},
    {"pretrain", "a_name_that_is_longer_than_any_option_of_the_library_can_ever_be", ""},
};

START_TEST(wrong_names_are_explained_where_that_helps)
{
    for (size_t i = 0; i < MDM_LENGTH(wrong_names); i++) {
        maskdm_options *o = make(wrong_names[i][0]);
        char begin[100], json[100], *rest;
        size_t n = (size_t)snprintf(begin, sizeof begin, "%s has no option \"%s\"", wrong_names[i][0],
                                    wrong_names[i][1]);

        ck_assert_int_eq(maskdm_options_set(o, wrong_names[i][1], "1"), MASKDM_ENOTFOUND);
        ck_assert_int_eq(strncmp(mdm_error_text(), begin, n), 0);
        rest = strdup(mdm_error_text() + n);
        ck_assert_msg(*wrong_names[i][2] ? strncmp(rest, wrong_names[i][2], strlen(wrong_names[i][2])) == 0 : !*rest,
                      "%s: %s", wrong_names[i][1], rest);
        snprintf(json, sizeof json, "{\"%s\": 1}", wrong_names[i][1]);
        ck_assert_int_eq(maskdm_options_parse_json(o, json, strlen(json)), MASKDM_ENOTFOUND);
        ck_assert_str_eq(mdm_error_text() + n, rest);
        free(rest);
        maskdm_options_release(&o);
    }
}
END_TEST

/* As the host's user types them, in what the handle says itself and in what is made from it. */
START_TEST(options_are_spelled_as_flags)
{
    maskdm_options *o = make("pretrain"), *copy, *part;

    ck_assert_int_eq(maskdm_options_set_spelling(o, MASKDM_SPELL_FLAGS), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_clone(&copy, o), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(copy, "mask_ratio", "1.5"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option --mask-ratio is 1.5; its range is 0 .. 1");
    ck_assert_int_eq(maskdm_options_set(copy, "mask_ratoi", "1.5"), MASKDM_ENOTFOUND);
    ck_assert_str_eq(mdm_error_text(), "pretrain has no option \"--mask-ratoi\"; the nearest is --mask-ratio");
    ck_assert_int_eq(maskdm_options_set_int(copy, "mask", 3), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option --mask takes a text, not the number 3");
    ck_assert_int_eq(maskdm_options_check(o), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option --data must be given");
    ck_assert_int_eq(maskdm_options_parse(o, "data=d out=r mask=patch mask_block_size=3"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_check(o), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option --mask-block-size belongs to --mask=block, but --mask is patch");
    ck_assert_int_eq(maskdm_options_set(o, "mask", "block"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_extract(&part, o, &mdm_mask_kind), MASKDM_OK);
    ck_assert_str_eq(mdm_options_said(part, "block_size"), "--mask-block-size");
    ck_assert_str_eq(mdm_options_said(part, "type"), "--mask");
    maskdm_options_release(&part);
    ck_assert_int_eq(maskdm_options_set_spelling(o, MASKDM_SPELL_NAMES), MASKDM_OK);
    ck_assert_int_eq(mdm_options_extract(&part, o, &mdm_mask_kind), MASKDM_OK);
    ck_assert_str_eq(mdm_options_said(part, "block_size"), "mask_block_size");
    ck_assert_str_eq(mdm_options_said(o, "none"), "none");
    ck_assert_int_eq(maskdm_options_set_spelling(o, 2), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set_spelling(NULL, 0), MASKDM_EINVAL);
    maskdm_options_release(&part);
    maskdm_options_release(&copy);
    maskdm_options_release(&o);
}
END_TEST

START_TEST(wrong_values_are_explained)
{
    maskdm_options *o = make("pretrain");

    ck_assert_int_eq(maskdm_options_set(o, "mask_ratoi", "0.5"), MASKDM_ENOTFOUND);
    ck_assert(says("pretrain has no option \"mask_ratoi\"; the nearest is mask_ratio"));
    ck_assert_int_eq(maskdm_options_set(o, "mask_ratio", "1.5"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option mask_ratio is 1.5; its range is 0 .. 1");
    ck_assert_int_eq(maskdm_options_set(o, "save_every", "-1"), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option save_every is -1; its range is at least 0");
    ck_assert_int_eq(maskdm_options_set(o, "dim", "12.5"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(o, "dim", ""), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(o, "lr", "fast"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(o, "mask", "bloc"), MASKDM_EINVAL);
    ck_assert(says("none|patch|block|crop|grid|partition|custom"));
    ck_assert_int_eq(maskdm_options_set(o, "mask", ""), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(o, "mask", "none|patch"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(o, "resume", "maybe"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(o, "image_size", "1,2,3"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(o, "image_size", "32,"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set_int(o, "mask", 3), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set_bool(o, "data", 1), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set_float(o, "lr", NAN), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set_list(o, "image_size", NULL, 2), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(o, NULL, "1"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_set(NULL, "dim", "1"), MASKDM_EINVAL);
    ck_assert_str_eq(value(o, "dim"), "128");
    ck_assert_str_eq(value(o, "mask"), "grid");
    ck_assert(!mdm_options_is_set(o, "dim"));
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_options_create(&o, "lenet"), MASKDM_ENOTFOUND);
    ck_assert_ptr_null(o);
}
END_TEST

START_TEST(selected_kinds_decide)
{
    maskdm_options *o = make("pretrain"), *m = make("mask");

    ck_assert_int_eq(maskdm_options_check(o), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option data must be given");
    ck_assert_int_eq(maskdm_options_parse(o, "data=d out=r"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_check(o), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "mask=patch mask_block_size=3"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_check(o), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option mask_block_size belongs to mask=block, but mask is patch");
    ck_assert_int_eq(maskdm_options_set(o, "mask", "block"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_check(o), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(m, "type", "crop"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_check(m), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "option crop_size must be given");
    ck_assert_str_eq(fact("mask", place_of("mask", "block_size"), "when"), "type=block");
    ck_assert_str_eq(fact("mask", place_of("mask", "ratio"), "when"), "type=patch|block");
    maskdm_options_release(&o);
    maskdm_options_release(&m);
}
END_TEST

START_TEST(strings_are_parsed_whole)
{
    maskdm_options *o = make("pretrain");

    ck_assert_int_eq(maskdm_options_parse(o, "  dim=512\n data=\"my \\\"own\\\\ faces\"  lr=1e-3 val= dim=128"),
                     MASKDM_OK);
    ck_assert_str_eq(value(o, "dim"), "128");
    ck_assert_str_eq(value(o, "data"), "my \"own\\ faces");
    ck_assert_str_eq(value(o, "lr"), "0.001");
    ck_assert_str_eq(value(o, "val"), "");
    ck_assert_int_eq(maskdm_options_parse(o, "dim=64 heads=0"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_parse(o, "dim=64 heads"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_parse(o, "dim=64 =3"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_parse(o, "dim=64 data=\"x"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_options_parse(o, "dim=64 data=\"x\"y"), MASKDM_EINVAL);
    ck_assert_str_eq(value(o, "dim"), "128");
    ck_assert_int_eq(maskdm_options_parse(o, ""), MASKDM_OK);
    maskdm_options_release(&o);
}
END_TEST

START_TEST(json_goes_round)
{
    static char json[8192];
    maskdm_options *o = make("pretrain"), *back = make("pretrain");
    const char *name;
    char *a, *b;
    size_t needed;

    ck_assert_int_eq(maskdm_options_parse(o, "data=\"a\\\"b\" out=r mask=block mask_ratio=0.9 image_size=16,24 "
                                             "background=0.1,0.2,0.3 resume=yes beta1=0.123456789012345 "
                                             "val=n\xe9/\xee\xbe\x81"),
                     MASKDM_OK);
    ck_assert_int_eq(maskdm_options_json(o, json, sizeof json, &needed), MASKDM_OK);
    ck_assert_uint_eq(needed, strlen(json) + 1);
    ck_assert_ptr_nonnull(strstr(json, "{\"data\": \"a\\\"b\", \"out\": \"r\", "));
    ck_assert_ptr_nonnull(strstr(json, "\"image_size\": [16,24]"));
    ck_assert_ptr_nonnull(strstr(json, "\"resume\": true"));
    ck_assert_ptr_null(strstr(json, "crop_size"));
    ck_assert_ptr_null(strstr(json, "\"init\""));
    ck_assert_ptr_nonnull(strstr(json, "\"val\": \"n\\uefe9/\\uefee\\uefbe\\uef81\""));
    ck_assert_int_eq(maskdm_options_parse_json(back, json, strlen(json)), MASKDM_OK);
    ck_assert_str_eq(value(back, "val"), "n\xe9/\xee\xbe\x81");
    ck_assert_int_eq(mdm_options_difference(o, back, &name, &a, &b), MASKDM_OK);
    ck_assert_ptr_null(name);
    ck_assert_int_eq(maskdm_options_check(back), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_json(o, json, 8, &needed), MASKDM_OK);
    ck_assert_str_eq(json, "{\"data\"");
    maskdm_options_release(&o);
    maskdm_options_release(&back);
}
END_TEST

/* Of every kind, also of those with an option called as the format of a file is. */
START_TEST(json_of_every_kind_goes_round)
{
    static char json[1 << 16], again[sizeof json];
    const char *kind;

    for (int64_t i = 0; (kind = maskdm_options_kind(i)); i++) {
        maskdm_options *o = make(kind), *back = make(kind);

        ck_assert_int_eq(maskdm_options_json(o, json, sizeof json, NULL), MASKDM_OK);
        ck_assert_msg(maskdm_options_parse_json(back, json, strlen(json)) == MASKDM_OK, "%s: %s", kind,
                      maskdm_last_error());
        ck_assert_int_eq(maskdm_options_json(back, again, sizeof again, NULL), MASKDM_OK);
        ck_assert_str_eq(json, again);
        maskdm_options_release(&back);
        maskdm_options_release(&o);
    }
}
END_TEST

START_TEST(bad_json_sets_nothing)
{
    static const char *const bad[] = {"{\"dim\": 64, \"heads\": 0}",
                                      "{\"dim\": 64, \"none\": 0}",
                                      "{\"dim\": 64}x",
                                      "{\"dim\": 64, \"heads\": true}",
                                      "{\"dim\": 64, \"heads\": {}}",
                                      "{\"dim\": 64, \"image_size\": [1,\"2\"]}",
                                      "{\"dim\": 64, \"image_size\": []}",
                                      "[64]",
                                      "{\"dim\": 64"};
    maskdm_options *o = make("uvit");
    long live = mdm_alloc_live();

    for (size_t i = 0; i < MDM_LENGTH(bad); i++) {
        ck_assert_msg(maskdm_options_parse_json(o, bad[i], strlen(bad[i])) < 0, "%s", bad[i]);
        ck_assert_str_eq(value(o, "dim"), "256");
    }
    ck_assert_int_eq(mdm_alloc_live(), live);
    ck_assert_int_eq(maskdm_options_parse_json(o, "{\"dim\":64,\"heads\":\"8\"}", 22), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse_json(o, "{\"format\": 1, \"dim\":null}", 25), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse_json(o, "{\"format\": 2, \"dim\":null}", 25), MASKDM_EVERSION);
    ck_assert_str_eq(maskdm_last_error(), "options in format 2; format 1 is read");
    ck_assert(!strcmp(value(o, "dim"), "256") && !strcmp(value(o, "heads"), "8"));
    ck_assert(!mdm_options_is_set(o, "dim"));
    maskdm_options_release(&o);
}
END_TEST

START_TEST(tables_are_taken_out_of_composites)
{
    maskdm_options *o = make("pretrain"), *part = NULL, *wrong = make("ema");

    ck_assert_int_eq(maskdm_options_parse(o, "mask=block mask_ratio=0.9 ema_decay=0.5 dim=64 loaders=7"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_extract(&part, o, &mdm_mask_kind), MASKDM_OK);
    ck_assert_str_eq(value(part, "type"), "block");
    ck_assert(!strcmp(value(part, "ratio"), "0.9") && mdm_options_is_set(part, "ratio"));
    ck_assert(!strcmp(value(part, "groups"), "2") && !mdm_options_is_set(part, "groups") &&
              !mdm_options_is_set(part, "block_size"));
    maskdm_options_release(&part);
    ck_assert_int_eq(mdm_options_extract(&part, o, &mdm_ema_kind), MASKDM_OK);
    ck_assert(!strcmp(value(part, "decay"), "0.5") && !strcmp(value(part, "start"), "100"));
    maskdm_options_release(&part);
    ck_assert_int_eq(mdm_options_extract(&part, o, &mdm_folder_kind), MASKDM_OK);
    ck_assert(!strcmp(value(part, "loaders"), "7") && !strcmp(value(part, "image_size"), "32"));
    maskdm_options_release(&part);
    ck_assert_int_eq(mdm_options_extract(&part, NULL, &mdm_uvit_kind), MASKDM_OK);
    ck_assert_str_eq(value(part, "dim"), "256");
    maskdm_options_release(&part);
    ck_assert_int_eq(mdm_options_extract(&part, wrong, &mdm_uvit_kind), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "options of kind uvit are needed, not of kind ema");
    ck_assert_ptr_null(part);
    ck_assert_int_eq(maskdm_options_set(o, "mask", "crop"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_extract(&part, o, &mdm_mask_kind), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_options_extract(&part, wrong, &mdm_ema_kind), MASKDM_OK);
    maskdm_options_release(&part);
    maskdm_options_release(&o);
    maskdm_options_release(&wrong);
}
END_TEST

/* The option of "finetune" that two texts differ in, or "". */
static const char *difference(const char *old, const char *now)
{
    static char out[32];
    maskdm_options *a = make("finetune"), *b = make("finetune");
    const char *name;
    char *x, *y;

    ck_assert_int_eq(maskdm_options_parse(a, old), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(b, now), MASKDM_OK);
    ck_assert_int_eq(mdm_options_difference(a, b, &name, &x, &y), MASKDM_OK);
    snprintf(out, sizeof out, "%s", name ? name : "");
    ck_assert_int_eq(!name, !x && !y);
    mdm_free(x);
    mdm_free(y);
    maskdm_options_release(&a);
    maskdm_options_release(&b);
    return out;
}

START_TEST(differences_are_found)
{
    maskdm_options *a = make("pretrain"), *b = NULL;
    const char *name;
    char *x, *y;

    ck_assert_int_eq(maskdm_options_clone(&b, a), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(b, "eps=1e-08 mask_crop_size=5 steps=7 loaders=0"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_difference(a, b, &name, &x, &y), MASKDM_OK);
    ck_assert_ptr_null(name);
    ck_assert_int_eq(maskdm_options_set(b, "seed", "7"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_difference(a, b, &name, &x, &y), MASKDM_OK);
    ck_assert_str_eq(name, "seed");
    ck_assert(!strcmp(x, "0") && !strcmp(y, "7"));
    mdm_free(x);
    mdm_free(y);
    maskdm_options_release(&a);
    maskdm_options_release(&b);
}
END_TEST

/* A path is its file, and a moved file has no other; held-out folders are compared by what is in them. */
START_TEST(facts_say_what_is_a_difference)
{
    maskdm_options *a = make("sample"), *b = make("sample");
    const char *name;
    char *x, *y;

    ck_assert_str_eq(difference("init=.", "init=./."), "");
    ck_assert_str_eq(difference("init=.", "init=/"), "init");
    ck_assert_str_eq(difference("init=gone/away", "init=."), "");
    ck_assert_str_eq(difference("init=.", "init=gone/away"), "init");
    ck_assert_str_eq(difference("", "init=."), "init");
    ck_assert_str_eq(difference("init=.", ""), "init");
    ck_assert_str_eq(difference("val=a", "val=b"), "");
    ck_assert_str_eq(difference("val=a", ""), "val");
    ck_assert_str_eq(difference("", "val=a"), "val");
    ck_assert_str_eq(difference("data=a out=b", "data=c out=d"), "");
    ck_assert_int_eq(maskdm_options_set(a, "model_digest", "12"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_difference(a, b, &name, &x, &y), MASKDM_OK);
    ck_assert_ptr_null(name);
    ck_assert_int_eq(maskdm_options_set(b, "model_digest", "13"), MASKDM_OK);
    ck_assert_int_eq(mdm_options_difference(a, b, &name, &x, &y), MASKDM_OK);
    ck_assert_str_eq(name, "model_digest");
    mdm_free(x);
    mdm_free(y);
    maskdm_options_release(&a);
    maskdm_options_release(&b);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    (void)bytes;
    return (*(int *)user)-- == 0;
}

START_TEST(memory_may_end_anywhere)
{
    long live = mdm_alloc_live();
    int left, status = MASKDM_ENOMEM;
    struct mdm_alloc_hook hook = {refuse_at, &left};

    for (int n = 0; status != MASKDM_OK; n++) {
        maskdm_options *o = NULL, *part = NULL;
        struct mdm_text t = {0};

        left = n;
        mdm_alloc_hook_set(&hook);
        status = maskdm_options_create(&o, "pretrain");
        if (status >= 0)
            status = maskdm_options_parse(o, "network=uvit dim=64 data=x");
        if (status >= 0)
            status = maskdm_options_parse_json(o, "{\"image_size\":[16,16]}", 22);
        if (status >= 0)
            status = mdm_options_extract(&part, o, &mdm_uvit_kind);
        if (status >= 0) {
            mdm_options_write_json(part, &t);
            status = mdm_text_ok(&t);
        }
        mdm_alloc_hook_set(NULL);
        mdm_text_free(&t);
        maskdm_options_release(&o);
        maskdm_options_release(&part);
        ck_assert(status == MASKDM_OK || status == MASKDM_ENOMEM);
        ck_assert_int_eq(mdm_alloc_live(), live);
    }
}
END_TEST

/* What does not fit is cut, with room for the end. */
START_TEST(values_fit_their_buffer)
{
    maskdm_options *o;
    size_t needed = 0;

    ck_assert_int_eq(maskdm_options_create(&o, "optimizer"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(o, "lr", "0.25"), MASKDM_OK);
    for (size_t capacity = 0; capacity < 7; capacity++) {
        char buffer[8] = "#######";
        const size_t n = capacity ? capacity < 5 ? capacity - 1 : 4 : 0;

        ck_assert_int_eq(maskdm_options_get(o, "lr", buffer, capacity, &needed), MASKDM_OK);
        ck_assert_uint_eq(needed, 5);
        ck_assert_mem_eq(buffer, "0.25", n);
        ck_assert_int_eq(buffer[n], capacity ? '\0' : '#');
        ck_assert_str_eq(buffer + n + (capacity > 0), "#######" + n + (capacity > 0));
    }
    maskdm_options_release(&o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("option");
    TCase *t = tcase_create("option");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, tables_are_sound);
    tcase_add_test(t, aliases_lead_to_their_options);
    tcase_add_test(t, every_type_is_set_and_read);
    tcase_add_test(t, wrong_names_are_explained_where_that_helps);
    tcase_add_test(t, options_are_spelled_as_flags);
    tcase_add_test(t, wrong_values_are_explained);
    tcase_add_test(t, selected_kinds_decide);
    tcase_add_test(t, strings_are_parsed_whole);
    tcase_add_test(t, json_goes_round);
    tcase_add_test(t, json_of_every_kind_goes_round);
    tcase_add_test(t, values_fit_their_buffer);
    tcase_add_test(t, bad_json_sets_nothing);
    tcase_add_test(t, tables_are_taken_out_of_composites);
    tcase_add_test(t, differences_are_found);
    tcase_add_test(t, facts_say_what_is_a_difference);
    tcase_add_test(t, memory_may_end_anywhere);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
