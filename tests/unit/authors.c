/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The authors' configurations as options: the same as our presets of these settings, and a word for all that is not
 * taken.
 */
#include "option/authors.h"

#include "base/alloc.h"
#include "option/preset.h"
#include "run/options.h"
#include "text/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define OK(call) ck_assert_msg((call) == MASKDM_OK, "%s", mdm_error_text())

static void hear(void *user, int level, const char *line)
{
    (void)level;
    mdm_text_addf(user, "%s\n", line);
}

static maskdm_options *make(const struct mdm_option_kind *kind)
{
    maskdm_options *o;

    OK(mdm_options_create(&o, kind));
    OK(mdm_options_parse(o, "data=d out=o"));
    return o;
}

/* `said` may be NULL. */
static int parse(maskdm_options *o, const char *yaml, struct mdm_text *said)
{
    const struct mdm_log log = {said ? hear : NULL, said};

    return mdm_options_parse_authors(o, yaml, strlen(yaml), &log);
}

#ifdef HAVE_YAML
/* Facts of their configurations, at 256 pixels: those of faces and churches have anchors for what stands twice. */
#define SIZES "define: &size 256\ndefine: &patch 4\n"
#define OPTIMIZER "adam_betas: [0.99, 0.99]\nweight_decay: 0.03\nema_update_every: 1\nresults_folder: \"\"\n"
#define IMAGES "normalization: true\nclip_max: 1\nclip_min: -1\n"
#define BASE                                                                                           \
    "network:\n  name : 'maskdm'\n  img_size : *size\n  patch_size : *patch\n  in_chans : 3\n"         \
    "  encoder_embed_dim : 768\n  encoder_depth : 12\n  encoder_heads : 12\n  mlp_ratio : 4\n"         \
    "  qkv_bias : False\n  mlp_time_embed : False\n  use_checkpoint : False\n"
#define SMALL(size)                                                                                    \
    "network: {name: maskdm, img_size: " size ", patch_size: 4, in_chans: 3, encoder_embed_dim: 512,\n" \
    "  encoder_depth: 13, encoder_heads: 8, decoder_depth: 0, mlp_ratio: 4, qkv_bias: False, num_classes: -1,\n" \
    "  use_final_conv: False, mlp_time_embed: False, use_checkpoint: False}\n"
#define BLOCKS(ratio) "  MASK_TYPE: \"block\"\n  MASK_RATIO: " ratio "\n  MASK_BLOCK_SIZE: 4\n  MASK_CROP_SIZE: -1\n"

static char *json_of(const maskdm_options *o, int stage)
{
    struct mdm_text text = {0};
    maskdm_options *of;

    OK(mdm_options_stage(&of, o, stage));
    OK(mdm_options_set(of, "steps", "200000")); /* of the command line in their program */
    mdm_options_write_json(of, &text);
    OK(mdm_text_ok(&text));
    mdm_options_release(&of);
    return text.data;
}

static void same_as_preset(const char *yaml, const char *preset, int stage, const char *more)
{
    maskdm_options *theirs = make(&mdm_train_kind), *ours = make(&mdm_train_kind);
    char *a, *b;

    OK(parse(theirs, yaml, NULL));
    OK(mdm_options_parse(theirs, more));
    OK(mdm_options_check(theirs));
    OK(mdm_options_load_preset(ours, preset, NULL));
    a = json_of(theirs, 0);
    b = json_of(ours, stage);
    ck_assert_str_eq(a, b);
    mdm_free(a);
    mdm_free(b);
    mdm_options_release(&theirs);
    mdm_options_release(&ours);
}

START_TEST(configurations_and_presets_agree)
{
    same_as_preset(SIZES
                   "pretrained_model_ckpt: \"\"\nbatch_size: 256\nlr: 2.0e-4 # 2.0e-4\nema_decay: 0.999\n" OPTIMIZER
                         "clip_grad: 1.0\nbeta_schedule: \"cosine\"\nnum_workers: 5\n" IMAGES
                         "dataset:\n  NAME: celebahq\n  PATH: \"all images\"\n" BLOCKS("0.9")
                         "  hflip_prob: 0.0\n" BASE,
                   "celebahq256", 0, "");
    same_as_preset(SIZES "batch_size: 64\nlr: 2.0e-4\nema_decay: 0.999\n" OPTIMIZER
                         "clip_grad: 1.0\nwarmup_steps: 5000\nwarmup_schedule: \"lambda\"\n"
                         "beta_schedule: cosine\n" IMAGES
                         "dataset:\n" BLOCKS("0.5") "  hflip_prob: 0.0\n" BASE,
                   "celebahq256", 1, "");
    same_as_preset(SIZES "batch_size: 32\nlr: 1.0e-5\nema_decay: 0.999\n" OPTIMIZER
                         "clip_grad: 1.0\nwarmup_steps: 5000\nbeta_schedule: cosine\n" IMAGES
                         "dataset:\n" BLOCKS("0.0") "  hflip_prob: 0.0\n" BASE,
                   "celebahq256", 2, "");
    same_as_preset(SIZES "batch_size: 64\nlr: 1.0e-4\nema_decay: 0.9999\n" OPTIMIZER
                         "warmup_steps: 5000\nbeta_schedule: linear\n" IMAGES "dataset:\n" BLOCKS("0.0")
                         "  hflip_prob: 0.5\n" BASE,
                   "church256", 0, "");
    same_as_preset("batch_size: 64\nlr: 5.0e-5\nema_decay: 0.999\n" OPTIMIZER
                   "clip_grad: null\nbeta_schedule: cosine\nshift: false\nloss_weight: p2\n"
                   "p2_loss_weight_gamma: 0\n" IMAGES
                   "dataset:\n  TASK: uncond\n" BLOCKS("0.0") "  IMG_SIZE: 256\n  SHORT_SIDE_SIZE: 256\n"
                   "  MEAN: [0.5,0.5,0.5]\n  STD: [0.5,0.5,0.5]\n  hflip_prob: 0.5\n" SMALL("256"),
                   "celebahq256_10", 0, "data_fraction=0.1 data_seed=1");
    same_as_preset("batch_size: 256\nlr: 2.0e-4\nema_decay: 0.999\n" OPTIMIZER
                   "clip_grad: null\nbeta_schedule: \"linear\"\n" IMAGES
                   "dataset:\n" BLOCKS("0.9") "  IMG_SIZE: 64\n  hflip_prob: 0.0\n" SMALL("64"),
                   "celeba64", 0, "");
    same_as_preset("batch_size: 128\nlr: 2.0e-4\nema_decay: 0.999\n" OPTIMIZER
                   "clip_grad: null\nbeta_schedule: \"linear\"\n" IMAGES
                   "dataset:\n  MASK_RATIO: 0\n  MASK_TYPE: \"patch\"\n  hflip_prob: 0.0\n" SMALL("64"),
                   "celeba64", 1, "");
}
END_TEST

#define LEAST "network: {img_size: 64}\ndataset: {MASK_TYPE: patch, MASK_RATIO: 0.5}\n"
#define NETWORK(more) "dataset: {MASK_TYPE: patch, MASK_RATIO: 0.5}\nnetwork: {img_size: 64, " more "}\n"
#define DATA(more) "network: {img_size: 64}\ndataset: {" more "}\n"
#define MASKED "MASK_TYPE: patch, MASK_RATIO: 0.5, "
#define WAVES "network: {name: maskdwt, img_size: 128, in_chans: 12, data_chans: 3, level: 1, scale: 1}\n"
#define LABELS "dataset: {TASK: cond, MASK_TYPE: patch, MASK_RATIO: 0}\n"

START_TEST(entries_become_options)
{
    static const struct {
        const char *yaml, *option, *value;
    } rows[] = {
        {LEAST, "network", "uvit"},
        {LEAST, "prediction", "noise"},
        {LEAST, "schedule", "cosine"},
        {LEAST, "clip_norm", "1"},
        {LEAST "clip_grad: null", "clip_norm", "0"},
        {LEAST "clip_grad: 0.5", "clip_norm", "0.5"},
        {LEAST "adam_betas: [0.9, 0.95]", "beta1", "0.9"},
        {LEAST "adam_betas: [0.9, 0.95]", "beta2", "0.95"},
        {LEAST "loss_type: l1", "loss", "l1"},
        {LEAST "seed: 7", "seed", "7"},
        {LEAST "train_steps: 70", "steps", "70"},
        {LEAST "ema_update_every: 10", "ema_every", "10"},
        {LEAST "shift: true", "schedule", "shifted_cosine"},
        {LEAST "shift: true", "shift_size", "64"},
        {LEAST "p2_loss_weight_gamma: 0.5", "weight", "p2"},
        {LEAST "p2_loss_weight_gamma: 0.5\nloss_weight: p2", "weight_gamma", "0.5"},
        {LEAST "loss_weight: min", "weight", "none"},
        {NETWORK("mlp_time_embed: True"), "time_mlp", "true"},
        {NETWORK("use_final_conv: yes"), "conv", "true"},
        {NETWORK("in_chans: 1"), "channels", "1"},
        {DATA(MASKED "hflip_prob: 0.25"), "flip", "0.25"},
        {DATA("MASK_TYPE: crop, MASK_RATIO: 0.9, MASK_CROP_SIZE: 5"), "mask_crop_size", "5"},
        {DATA("MASK_TYPE: block, MASK_RATIO: 0.9, MASK_BLOCK_SIZE: 2"), "mask_block_size", "2"},
        {DATA("MASK_TYPE: block, MASK_RATIO: 0, MASK_BLOCK_SIZE: 2"), "mask", "none"},
        {LABELS "network: {img_size: 8, num_classes: 10, p_uncond: 0.15}",
         "classes", "10"},
        {LABELS "network: {img_size: 8, num_classes: 10, p_uncond: 0.15}",
         "label_dropout", "0.15"},
        {WAVES "dataset: {USE_DWT: true, DWT_LEVEL: 1, MASK_TYPE: block, MASK_RATIO: [0.7, 0.6], IMG_SIZE: 256}",
         "image_size", "256"},
        {WAVES "dataset: {USE_DWT: true, MASK_TYPE: block, MASK_RATIO: [0.7, 0.6]}", "form", "wavelet"},
        {WAVES "dataset: {USE_DWT: true, MASK_TYPE: block, MASK_RATIO: [0.7, 0.6]}", "mask", "patch"},
        {WAVES "dataset: {USE_DWT: true, MASK_TYPE: block, MASK_RATIO: [0.7, 0.6]}", "mask_detail_ratio", "0.6"},
        {WAVES "dataset: {USE_DWT: true, MASK_TYPE: block, MASK_RATIO: [0.0, 0.0]}", "mask", "none"},
        {WAVES "dataset: {USE_DWT: true, MASK_TYPE: block, MASK_RATIO: [0.0, 0.0]}", "channels", "3"},
    };

    for (size_t i = 0; i < MDM_LENGTH(rows); i++) {
        maskdm_options *o = make(&mdm_pretrain_kind);

        ck_assert_msg(parse(o, rows[i].yaml, NULL) == MASKDM_OK, "%s: %s", rows[i].yaml, mdm_error_text());
        ck_assert_msg(!strcmp(mdm_options_text(o, rows[i].option), rows[i].value), "%s: %s is %s", rows[i].yaml,
                      rows[i].option, mdm_options_text(o, rows[i].option));
        OK(mdm_options_check(o));
        mdm_options_release(&o);
    }
}
END_TEST

/* Row by row one entry, and what is said of it: nothing, where it says what is done anyway. */
START_TEST(what_is_not_taken_is_said)
{
    static const struct {
        const char *yaml, *says;
    } rows[] = {
        {LEAST, ""},
        {LEAST "num_workers: 5", "num_workers 5 is not taken: how many threads read images is this machine's matter"},
        {LEAST "pretrained_model_ckpt: model-20.pt",
         "pretrained_model_ckpt model-20.pt is not taken: maskdm convert "},
        {LEAST "pretrained_model_ckpt: \"\"", ""},
        {LEAST "results_folder: ./out", "the option out names"},
        {LEAST "warmup_lr: 1.0e-5", "does not read it"},
        {LEAST "warmup_lr: -1", ""},
        {LEAST "warmup_schedule: cosine", "does not read it"},
        {LEAST "normalization: false", "dataset.NORMALIZATION"},
        {LEAST "clip_max: 1.0\nclip_min: -1.0\nclip_denoised: true", ""},
        {LEAST "clip_denoised: false", "where they are drawn"},
        {LEAST "gradient_accumulate_every: 1", ""},
        {LEAST "wandb_project: x", "wandb_project x is not taken"},
        {DATA(MASKED "NAME: celeba"), "dataset.NAME celeba is not taken: the option data says"},
        {DATA(MASKED "PATH: images"), "dataset.PATH images is not taken"},
        {DATA(MASKED "MEAN: [0.5,0.5,0.5]"), ""},
        {DATA(MASKED "MEAN: [0.4,0.5,0.5]"), "dataset.MEAN 0.4,0.5,0.5 is not taken"},
        {DATA(MASKED "SHORT_SIDE_SIZE: 64"), ""},
        {DATA(MASKED "SHORT_SIDE_SIZE: 96"), "fitted to network.img_size"},
        {DATA(MASKED "MASK_BLOCK_SIZE: -1"), ""},
        {DATA(MASKED "MASK_BLOCK_SIZE: 4"), "no patches are hidden by blocks"},
        {DATA(MASKED "MASK_CROP_SIZE: 4"), "images are not cropped"},
        {DATA("MASK_TYPE: crop, MASK_RATIO: 0.9, MASK_CROP_SIZE: 5"),
         "dataset.MASK_RATIO 0.9 is not taken: a crop's"},
        {DATA("MASK_TYPE: block, MASK_RATIO: 0, MASK_BLOCK_SIZE: -1"), "dataset.MASK_TYPE block is not taken"},
        {NETWORK("num_classes: 10"), "dataset.TASK is not cond"},
        {NETWORK("decoder_depth: 0, decoder_heads: 6"), "network.decoder_heads 6 is not taken"},
        {NETWORK("use_checkpoint: True"), "network.use_checkpoint true is not taken"},
        {NETWORK("dropout: 0.0"), ""},
        {NETWORK("dropout: 0.1"), "sets it to 0"},
        {NETWORK("scale: 1"), "it is of maskdwt"},
        {WAVES "dataset: {USE_DWT: true, MASK_TYPE: block, MASK_RATIO: [0.7, 0.6]}", "one by one"},
    };

    for (size_t i = 0; i < MDM_LENGTH(rows); i++) {
        maskdm_options *o = make(&mdm_finetune_kind);
        struct mdm_text said = {0};
        char *end;

        mdm_text_add(&said, "");
        ck_assert_msg(parse(o, rows[i].yaml, &said) == MASKDM_OK, "%s: %s", rows[i].yaml, mdm_error_text());
        ck_assert_msg(*rows[i].says ? strstr(said.data, rows[i].says) != NULL : !*said.data, "%s: %s", rows[i].yaml,
                      said.data);
        end = strchr(said.data, '\n');
        ck_assert_msg(!end || !end[1], "%s: %s", rows[i].yaml, said.data);
        mdm_text_free(&said);
        mdm_options_release(&o);
    }
}
END_TEST

START_TEST(what_is_refused)
{
    static const struct {
        int status;
        const char *yaml, *says;
    } rows[] = {
        {MASKDM_ENOTFOUND, LEAST "batchsize: 4",
         "line 3: the MaskDM authors' configurations have no entry \"batchsize\"; the nearest is batch_size"},
        {MASKDM_ENOTFOUND, LEAST "img_size: 4", "the nearest is network.img_size"},
        {MASKDM_ENOTFOUND, DATA("MASK_RATO: 0.5"), "the nearest is dataset.MASK_RATIO"},
        {MASKDM_ENOTFOUND, LEAST "quite_another_thing: 4", "have no entry \"quite_another_thing\""},
        {MASKDM_ENOTFOUND, LEAST "define: 4", "no entry \"define\""},
        {MASKDM_ENOTFOUND, LEAST "\"%s%n\": 4", "no entry \"%s%n\""},
        {MASKDM_EINVAL, LEAST "lr: 1\nlr: 2", "line 4: lr stands twice, first in line 3"},
        {MASKDM_EINVAL, LEAST "lr: fast", "line 3: lr: "},
        {MASKDM_EINVAL, LEAST "lr: [1, 2]", "line 3: lr: "},
        {MASKDM_EINVAL, LEAST "lr: null", "line 3: lr: "},
        {MASKDM_EINVAL, LEAST "batch_size: 1_000", "line 3: batch_size: "},
        {MASKDM_EINVAL, LEAST "adam_betas: 0.9", "two numbers"},
        {MASKDM_EINVAL, LEAST "adam_betas: [0.9, 0.9, 0.9]", "two numbers"},
        {MASKDM_EINVAL, LEAST "beta_schedule: sigmoid", "linear and cosine"},
        {MASKDM_ENOTSUP, LEAST "beta_schedule: linear\nshift: true", "cosine schedule alone"},
        {MASKDM_ENOTSUP, LEAST "loss_weight: min\np2_loss_weight_gamma: 1", "p2 alone"},
        {MASKDM_ENOTSUP, LEAST "clip_max: 3", "clip_max 3 cannot be taken"},
        {MASKDM_ENOTSUP, LEAST "gradient_accumulate_every: 2", "accumulate"},
        {MASKDM_ENOTSUP, NETWORK("decoder_depth: 2"), "no decoders"},
        {MASKDM_ENOTSUP, NETWORK("name: unet"), "maskdm and maskdwt"},
        {MASKDM_EINVAL, NETWORK("name: maskdwt"), "dataset.USE_DWT is false, and network.name maskdwt"},
        {MASKDM_EINVAL, "network: {patch_size: 4}\ndataset: {MASK_TYPE: patch, MASK_RATIO: 0}",
         "img_size is missing"},
        {MASKDM_EINVAL, DATA(MASKED "IMG_SIZE: 32"), "network.img_size is another"},
        {MASKDM_EINVAL, DATA("MASK_TYPE: patch"), "dataset.MASK_RATIO is missing"},
        {MASKDM_EINVAL, DATA("MASK_TYPE: random, MASK_RATIO: 0.5"), "patch, block and crop"},
        {MASKDM_EINVAL, DATA("MASK_TYPE: block, MASK_RATIO: 0.5"), "dataset.MASK_BLOCK_SIZE is missing"},
        {MASKDM_EINVAL, DATA("MASK_TYPE: crop, MASK_RATIO: 0.5"), "dataset.MASK_CROP_SIZE is missing"},
        {MASKDM_EINVAL, DATA("MASK_TYPE: patch, MASK_RATIO: 1.5"), "dataset.MASK_RATIO: "},
        {MASKDM_EINVAL, DATA(MASKED "TASK: cond"), "no number of classes"},
        {MASKDM_ENOTSUP, DATA(MASKED "DWT_LEVEL: 2"), "one level"},
        {MASKDM_EINVAL, WAVES "dataset: {USE_DWT: true, MASK_TYPE: patch, MASK_RATIO: 0.5}", "there are two"},
        {MASKDM_EFORMAT, "lr: [", "no YAML"},
    };
    maskdm_options *o = make(&mdm_pretrain_kind), *other;

    for (size_t i = 0; i < MDM_LENGTH(rows); i++) {
        ck_assert_msg(parse(o, rows[i].yaml, NULL) == rows[i].status, "%s: %s", rows[i].yaml, mdm_error_text());
        ck_assert_msg(strstr(mdm_error_text(), rows[i].says) != NULL, "%s: %s", rows[i].yaml, mdm_error_text());
    }
    ck_assert_int_eq(mdm_options_is_set(o, "lr"), 0);
    ck_assert_str_eq(mdm_options_text(o, "prediction"), "x0"); /* nothing was set */
    mdm_options_release(&o);
    OK(mdm_options_create(&other, &mdm_sample_kind));
    ck_assert_int_eq(parse(other, LEAST, NULL), MASKDM_EINVAL);
    mdm_options_release(&other);
    ck_assert_int_eq(mdm_alloc_live(), 0);
}
END_TEST
#else
START_TEST(a_build_without_it_says_so)
{
    maskdm_options *o = make(&mdm_train_kind);

    ck_assert_int_eq(parse(o, "lr: 1", NULL), MASKDM_ENOTSUP);
    ck_assert_str_eq(mdm_error_text(), "this is YAML, and this build has no libyaml to read it");
    mdm_options_release(&o);
}
END_TEST
#endif

int main(void)
{
    Suite *s = suite_create("authors");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;

#ifdef HAVE_YAML
    tcase_add_test(t, configurations_and_presets_agree);
    tcase_add_test(t, entries_become_options);
    tcase_add_test(t, what_is_not_taken_is_said);
    tcase_add_test(t, what_is_refused);
#else
    tcase_add_test(t, a_build_without_it_says_so);
#endif
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
