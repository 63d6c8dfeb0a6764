/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A U-Net's settings as diffusers has them.
 */
#include "run/export.h"

#include "base/error.h"
#include "model/options.h"
#include "text/text.h"

#include <string.h>

/* One word of a list for each of `count` levels; a single one is that of all. */
static void add_types(struct mdm_text *t, const char *key, const char *types, int count)
{
    const char *at = types;

    mdm_text_addf(t, ",\n  \"%s\": [", key);
    for (int i = 0; i < count; i++) {
        const size_t n = strcspn(at, ",");

        mdm_text_addf(t, "%s\"%.*s\"", i ? ", " : "", (int)n, at);
        if (at[n])
            at += n + 1;
    }
    mdm_text_add(t, "]");
}

void mdm_export_unet_settings(struct mdm_text *t, const maskdm_model *model)
{
    struct mdm_unet_options u;
    const struct mdm_geometry *g = &model->geometry;
    int levels;

    mdm_options_read(model->options, &mdm_unet_options, &u);
    levels = u.block_out_channels.count;
    mdm_text_add(t, "{\n  \"_class_name\": \"UNet2DModel\",\n  " MDM_EXPORT_VERSION);
    if (g->height == g->width)
        mdm_export_add_int(t, "sample_size", g->height);
    else
        mdm_export_add_ints(t, "sample_size", (struct mdm_int_list){2, (const int64_t[]){g->height, g->width}});
    mdm_export_add_int(t, "in_channels", g->channels);
    mdm_export_add_int(t, "out_channels", g->outputs);
    mdm_export_add_word(t, "time_embedding_type", "positional");
    if (u.time_embedding_dim) /* which older versions do not know */
        mdm_export_add_int(t, "time_embedding_dim", u.time_embedding_dim);
    mdm_export_add_int(t, "freq_shift", u.freq_shift);
    mdm_export_add_bool(t, "flip_sin_to_cos", u.flip_sin_to_cos);
    add_types(t, "down_block_types", u.down_block_types, levels);
    add_types(t, "up_block_types", u.up_block_types, levels);
    mdm_export_add_ints(t, "block_out_channels", u.block_out_channels);
    mdm_export_add_int(t, "layers_per_block", u.layers_per_block);
    mdm_export_add_int(t, "downsample_padding", u.downsample_padding);
    mdm_export_add_word(t, "downsample_type", mdm_options_text(model->options, "downsample_type"));
    mdm_export_add_word(t, "upsample_type", mdm_options_text(model->options, "upsample_type"));
    mdm_export_add_word(t, "act_fn", "silu");
    mdm_export_add_int_or_null(t, "attention_head_dim", u.attention_head_dim);
    mdm_export_add_int(t, "norm_num_groups", u.norm_num_groups);
    mdm_export_add_int_or_null(t, "attn_norm_num_groups", u.attn_norm_num_groups);
    mdm_text_add(t, ",\n  \"norm_eps\": ");
    mdm_text_add_double(t, u.norm_eps);
    mdm_export_add_word(t, "resnet_time_scale_shift", mdm_options_text(model->options, "resnet_time_scale_shift"));
    mdm_export_add_bool(t, "add_attention", u.add_attention);
    mdm_export_add_int_or_null(t, "num_class_embeds", u.classes);
    mdm_text_add(t, "\n}\n");
}

/* What the pipeline would draw without a word, but not as the model does. */
int mdm_export_unet_check(const maskdm_model *model)
{
    struct mdm_unet_options u;

    mdm_options_read(model->options, &mdm_unet_options, &u);
    if (u.mask_channel)
        return mdm_fail(
            MASKDM_EINVAL,
            "the network has an input channel for masks, for which diffusers has no place: fine-tune it on "
            "whole images first");
    if (!u.learn_sigma || (model->sampler && !strcmp(mdm_options_text(model->sampler, "sampler"), "ddpm") &&
                           !strcmp(mdm_options_text(model->sampler, "variance"), "learned_range")))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL,
                    "the network says a variance, by which diffusers would draw; this model does not say that it is "
                    "drawn so");
}
