/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The settings of UNet2DModel, with the values that they have in diffusers where a file leaves them out.
 */
#include "run/diffusers.h"

#include "base/error.h"
#include "text/json.h"
#include "text/number.h"

#include <string.h>

static const struct mdm_config_row rows[] = {
    {.key = "_class_name", .absent = "UNet2DModel", .only = "UNet2DModel"},
    {.key = "_diffusers_version"},
    {.key = "_name_or_path"},
    {.key = "_use_default_values"},
    {.key = "_commit_hash"},
    {.key = "sample_size"},  /* see set_size() */
    {.key = "out_channels"}, /* see set_outputs() */
    {.key = "in_channels", .option = "channels", .absent = "3"},
    {.key = "center_input_sample", .absent = "false", .only = "false"},
    {.key = "time_embedding_type", .absent = "positional", .only = "positional"},
    {.key = "time_embedding_dim", .option = "time_embedding_dim", .absent = "0", .null = "0"},
    {.key = "freq_shift", .option = "freq_shift", .absent = "0"},
    {.key = "flip_sin_to_cos", .option = "flip_sin_to_cos", .absent = "true"},
    {.key = "down_block_types",
     .option = "down_block_types",
     .absent = "DownBlock2D,AttnDownBlock2D,AttnDownBlock2D,AttnDownBlock2D"},
    {.key = "mid_block_type", .absent = "UNetMidBlock2D", .null = "null", .only = "UNetMidBlock2D"},
    {.key = "up_block_types",
     .option = "up_block_types",
     .absent = "AttnUpBlock2D,AttnUpBlock2D,AttnUpBlock2D,UpBlock2D"},
    {.key = "block_out_channels", .option = "block_out_channels", .absent = "224,448,672,896"},
    {.key = "layers_per_block", .option = "layers_per_block", .absent = "2"},
    {.key = "mid_block_scale_factor", .absent = "1", .only = "1"},
    {.key = "downsample_padding", .option = "downsample_padding", .absent = "1"},
    {.key = "downsample_type", .option = "downsample_type", .absent = "conv", .only = "conv|resnet"},
    {.key = "upsample_type", .option = "upsample_type", .absent = "conv", .only = "conv|resnet"},
    {.key = "dropout", .absent = "0", .only = "0", .moot = "it matters in training alone"},
    {.key = "act_fn", .absent = "silu", .only = "silu|swish"},
    {.key = "attention_head_dim", .option = "attention_head_dim", .absent = "8", .null = "0"},
    {.key = "norm_num_groups", .option = "norm_num_groups", .absent = "32"},
    {.key = "attn_norm_num_groups", .option = "attn_norm_num_groups", .absent = "0", .null = "0"},
    {.key = "norm_eps", .option = "norm_eps", .absent = "1e-05"},
    {.key = "resnet_time_scale_shift",
     .option = "resnet_time_scale_shift",
     .absent = "default",
     .only = "default|scale_shift"},
    {.key = "add_attention", .option = "add_attention", .absent = "true"},
    {.key = "class_embed_type", .absent = "null", .null = "null", .only = "null"},
    {.key = "num_class_embeds", .option = "classes", .absent = "0", .null = "0"},
    {.key = "num_train_timesteps"}, /* of a time embedding that is not built */
    /* What an average of weights was kept with. */
    {.key = "decay"},
    {.key = "min_decay"},
    {.key = "inv_gamma"},
    {.key = "power"},
    {.key = "optimization_step"},
    {.key = "update_after_step"},
    {.key = "use_ema_warmup"},
    {.key = NULL},
};

static int set_size(maskdm_options *o, const struct mdm_config *c, int sized)
{
    const struct mdm_config_entry *e = mdm_config_find(c, "sample_size");
    int status;

    if (sized)
        return MASKDM_OK;
    if (!e || e->event == MDM_JSON_NULL)
        return mdm_fail(MASKDM_EINVAL, "\"sample_size\" is %s; give image_size", e ? "null" : "missing");
    status = e->nested ? mdm_fail(MASKDM_EFORMAT, "is nested") : mdm_options_set(o, "image_size", e->text);
    return status < 0 ? mdm_fail_prefix(status == MASKDM_ENOMEM ? status : MASKDM_EFORMAT, "\"sample_size\"")
                      : MASKDM_OK;
}

/* As many channels as the images have, or for a variance twice as many. */
static int set_outputs(maskdm_options *o, const struct mdm_config *c)
{
    const struct mdm_config_entry *e = mdm_config_find(c, "out_channels");
    int64_t in = 0, out = 3;

    if (e && mdm_parse_i64(e->text, &out) < 0)
        return mdm_fail(MASKDM_EFORMAT, "\"out_channels\" is \"%.80s\", no number", e->text);
    (void)mdm_parse_i64(mdm_options_text(o, "channels"), &in);
    if (out != in && out != 2 * in)
        return mdm_fail(MASKDM_ENOTSUP,
                        "\"out_channels\" is %lld where \"in_channels\" is %lld; %lld or %lld is built",
                        (long long)out, (long long)in, (long long)in, (long long)(2 * in));
    return mdm_options_set(o, "learn_sigma", out == in ? "false" : "true");
}

int mdm_diffusers_unet(maskdm_options *o, const struct mdm_config *c, int sized, const struct mdm_log *log)
{
    static const struct mdm_config_row *const tables[] = {rows};

    MDM_TRY(mdm_config_check(c, tables, MDM_LENGTH(tables)));
    MDM_TRY(mdm_config_apply(&o, c, rows, log));
    MDM_TRY(set_outputs(o, c));
    return set_size(o, c, sized);
}
