/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The U-Net beside its gradients: its parameters' names and order, what its options refuse, masks with and without
 * the channel that tells them, and that channel folded away.
 */
#include "backend/device.h"
#include "base/alloc.h"
#include "model/model.h"
#include "model/options.h"
#include "model/program.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL "image_size=8 patch_size=4 channels=3 block_out_channels=4,8 layers_per_block=1 norm_num_groups=2 "

static maskdm_device *device;

static void open_device(void)
{
    ck_assert_int_eq(mdm_backend_open(&device, "cpu", NULL, NULL, 0, NULL), MASKDM_OK);
}

static void close_device(void)
{
    mdm_device_drop(&device);
}

static int make(maskdm_model **out, const char *options)
{
    maskdm_options *o;
    int status;

    ck_assert_int_eq(mdm_options_create(&o, &mdm_unet_kind), MASKDM_OK);
    ck_assert_msg(mdm_options_parse(o, options) == MASKDM_OK, "%s", maskdm_last_error());
    status = mdm_model_create(out, device, "unet", o, NULL, 3);
    mdm_options_release(&o);
    return status;
}

/* Names and shapes of what diffusers 0.42.1 makes of these settings. */
START_TEST(parameters_have_the_authors_names)
{
    static const struct {
        const char *name;
        int rank;
        int64_t shape[4];
    } some[] = {
        {"conv_in.weight", 4, {4, 3, 3, 3}},
        {"time_embedding.linear_1.weight", 2, {16, 4}},
        {"time_embedding.linear_2.bias", 1, {16}},
        {"class_embedding.weight", 2, {7, 16}},
        {"down_blocks.0.resnets.0.time_emb_proj.weight", 2, {4, 16}},
        {"down_blocks.0.downsamplers.0.conv.weight", 4, {4, 4, 3, 3}},
        {"down_blocks.1.resnets.0.conv_shortcut.weight", 4, {8, 4, 1, 1}},
        {"down_blocks.1.attentions.0.to_out.0.weight", 2, {8, 8}},
        {"mid_block.attentions.0.group_norm.weight", 1, {8}},
        {"mid_block.resnets.1.conv2.bias", 1, {8}},
        {"up_blocks.0.resnets.0.norm1.weight", 1, {16}},
        {"up_blocks.0.resnets.1.conv1.weight", 4, {8, 12, 3, 3}},
        {"up_blocks.0.attentions.1.to_k.bias", 1, {8}},
        {"up_blocks.0.upsamplers.0.conv.weight", 4, {8, 8, 3, 3}},
        {"up_blocks.1.resnets.0.conv1.weight", 4, {4, 12, 3, 3}},
        {"up_blocks.1.resnets.1.conv_shortcut.bias", 1, {4}},
        {"conv_norm_out.weight", 1, {4}},
        {"conv_out.weight", 4, {3, 4, 3, 3}},
    };
    maskdm_model *m;

    ck_assert_msg(make(&m, SMALL "down_block_types=DownBlock2D,AttnDownBlock2D "
                                 "up_block_types=AttnUpBlock2D,UpBlock2D classes=7") == MASKDM_OK,
                  "%s", maskdm_last_error());
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const int at = mdm_params_find(&m->layout, some[i].name);
        const struct mdm_param *p;

        ck_assert_msg(at >= 0, "%s", some[i].name);
        p = &m->layout.list[at];
        ck_assert_int_eq(p->shape.n, some[i].rank);
        ck_assert_mem_eq(p->shape.d, some[i].shape, (size_t)some[i].rank * sizeof(int64_t));
    }
    ck_assert_int_lt(mdm_params_find(&m->layout, "down_blocks.1.downsamplers.0.conv.weight"), 0);
    ck_assert_int_lt(mdm_params_find(&m->layout, "up_blocks.1.upsamplers.0.conv.weight"), 0);
    ck_assert_int_lt(mdm_params_find(&m->layout, "down_blocks.0.attentions.0.to_q.weight"), 0);
    mdm_model_drop(&m);
}
END_TEST

START_TEST(options_are_refused)
{
    static const struct {
        const char *options, *says;
    } bad[] = {
        {SMALL "down_block_types=DownBlock", "\"DownBlock\" is not built; there are DownBlock2D"},
        {SMALL "up_block_types=UpBlock2D,UpBlock2D,UpBlock2D", "up_block_types names 3 blocks for the 2 numbers"},
        {SMALL "down_block_types=DownBlock2D,", "\"\" is not built"},
        {"block_out_channels=32,48", "norm_num_groups 32 does not divide 48"},
        {SMALL "attention_head_dim=3", "attention_head_dim 3 does not divide 8"},
        {SMALL "attn_norm_num_groups=3", "attn_norm_num_groups 3 does not divide 8"},
        {SMALL "freq_shift=2", "freq_shift 2 leaves nothing of the 2 frequencies"},
        {"image_size=6 patch_size=2 block_out_channels=32,32,32", "image_size 6x6 is no multiple of 4"},
        {"norm_num_groups=1 block_out_channels=3,4 image_size=8 attention_head_dim=1",
         "block_out_channels begins with 3"},
        {SMALL "patch_size=3", "patch_size 3 does not divide image_size 8x8"},
    };
    const long live = mdm_alloc_live();
    maskdm_model *m;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(make(&m, bad[i].options), MASKDM_EINVAL);
        ck_assert_msg(strstr(maskdm_last_error(), bad[i].says) != NULL, "%s", maskdm_last_error());
    }
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

enum { VALUES = 8 * 8 * 3 };

static void predict(maskdm_model *m, int64_t visible, const int32_t *index, float *out)
{
    static const double time = 400;
    float x[VALUES];

    for (int i = 0; i < VALUES; i++)
        x[i] = (float)sin(0.3 * i);
    ck_assert_msg(mdm_model_predict(m, MASKDM_WEIGHTS_EMA, (struct mdm_extent){.batch = 1, .visible = visible}, x,
                                    &time, NULL, index, out) == MASKDM_OK,
                  "%s", maskdm_last_error());
}

START_TEST(masks_need_their_channel)
{
    static const int32_t some[] = {0, 3};
    struct mdm_program *p;
    maskdm_model *m;
    float whole[VALUES], part[VALUES];

    ck_assert_int_eq(make(&m, SMALL), MASKDM_OK);
    ck_assert_int_eq(mdm_program_create(&p, m, (struct mdm_extent){.batch = 1, .visible = 2}, MDM_PROGRAM_TRAIN),
                     MASKDM_EINVAL);
    ck_assert_msg(strstr(maskdm_last_error(), "without mask_channel sees whole images: 2 of 4") != NULL, "%s",
                  maskdm_last_error());
    mdm_model_drop(&m);
    ck_assert_int_eq(make(&m, SMALL "mask_channel=true"), MASKDM_OK);
    predict(m, 4, NULL, whole);
    predict(m, 2, some, part);
    ck_assert_float_ne(whole[0], part[0]);
    mdm_model_drop(&m);
}
END_TEST

/* On whole images a model predicts the same without the channel, and with both of its sets of weights. */
START_TEST(the_mask_channel_folds_away)
{
    const long live = mdm_alloc_live();
    maskdm_model *m, *folded;
    float whole[VALUES], same[VALUES], most = 0;
    int at;

    ck_assert_int_eq(make(&m, SMALL "mask_channel=true"), MASKDM_OK);
    ck_assert(mdm_model_has_mask_channel(m));
    ck_assert_int_eq(mdm_metadata_set(&m->metadata, "of", "a test"), MASKDM_OK);
    ck_assert_int_eq(mdm_model_fold(&folded, m), MASKDM_OK);
    ck_assert(!mdm_model_has_mask_channel(folded));
    ck_assert_str_eq(mdm_metadata_get(&folded->metadata, "of"), "a test");
    at = mdm_params_find(&folded->layout, "conv_in.weight");
    ck_assert_int_eq(folded->layout.list[at].shape.d[1], 3);
    ck_assert_int_eq(folded->layout.numel, m->layout.numel - 4 * 9);
    predict(m, 4, NULL, whole);
    predict(folded, 4, NULL, same);
    for (int i = 0; i < VALUES; i++) {
        most = fmaxf(most, fabsf(whole[i]));
        ck_assert_float_le(fabsf(whole[i] - same[i]), 1e-6f);
    }
    ck_assert_float_gt(most, 0.01f);
    mdm_model_drop(&folded);
    mdm_model_drop(&m);
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

/* What a trainer of the smallest of the hub's networks takes: weights, and an arena that grows with the batch. */
START_TEST(memory_is_known_before)
{
    maskdm_options *o;
    size_t one, eight, weights = 0;

    ck_assert_int_eq(mdm_options_create(&o, &mdm_unet_kind), MASKDM_OK);
    ck_assert_int_eq(mdm_options_parse(o, "block_out_channels=128,256,256,256 "
                                          "down_block_types=DownBlock2D,AttnDownBlock2D,DownBlock2D,DownBlock2D "
                                          "up_block_types=UpBlock2D,UpBlock2D,AttnUpBlock2D,UpBlock2D "
                                          "attention_head_dim=0 norm_eps=1e-6 freq_shift=1 flip_sin_to_cos=false "
                                          "downsample_padding=0"),
                     MASKDM_OK);
    ck_assert_int_eq(maskdm_model_estimate(&one, device, "unet", o, 1, 1, 0), MASKDM_OK);
    ck_assert_int_eq(maskdm_model_estimate(&eight, device, "unet", o, 1, 8, 0), MASKDM_OK);
    weights = (size_t)35746307 * sizeof(float); /* the parameters that diffusers counts */
    ck_assert_uint_gt(one, 5 * weights);
    ck_assert_uint_gt(eight, 5 * weights + 7 * (one - 5 * weights) / 2);
    ck_assert_uint_lt(eight, 5 * weights + 9 * (one - 5 * weights));
    mdm_options_release(&o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("unet");
    TCase *t = tcase_create("unet");
    SRunner *r;
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_device, close_device);
    tcase_add_test(t, parameters_have_the_authors_names);
    tcase_add_test(t, options_are_refused);
    tcase_add_test(t, masks_need_their_channel);
    tcase_add_test(t, the_mask_channel_folds_away);
    tcase_add_test(t, memory_is_known_before);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
