/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The U-Net: residual blocks and attention at falling resolutions, a middle, and the way back, where every residual
 * block takes what one of the way down left.
 *
 * Ho et al., "Denoising Diffusion Probabilistic Models", arXiv 2006.11239, in the form, and with the parameters'
 * names, of diffusers' UNet2DModel. What is ours is masked training: hidden pixels are zeros, and one more input
 * channel says where (mask_channel); it is 0 on whole images, and its weights can then be left out.
 */
#include "model/unet.h"

#include "ops/ops.h"

static int geometry(struct mdm_geometry *out, const maskdm_options *options)
{
    struct mdm_unet u;

    MDM_TRY(mdm_unet_set(&u, options));
    *out = u.geo;
    return MASKDM_OK;
}

/* silu of the time's embedding, to which the class's is added. A label of -1 adds nothing. */
static mdm_val embed(struct mdm_graph *g, const struct mdm_unet *u, const struct mdm_ports *in)
{
    const mdm_val waves =
        mdm_timestep_spaced(g, in->time, u->down[0].channels, !u->set.flip_sin_to_cos, (double)u->set.freq_shift);
    mdm_val t, table;

    mdm_graph_scope(g, "time_embedding.");
    t = mdm_unet_linear(g, mdm_silu(g, mdm_unet_linear(g, waves, "linear_1", u->time_dim)), "linear_2", u->time_dim);
    mdm_graph_scope(g, "%s", "");
    if (u->geo.classes) {
        table =
            mdm_graph_param(g, "class_embedding.weight", mdm_shape2(u->geo.classes, u->time_dim), MDM_INIT_NORMAL, 1);
        mdm_graph_means(g, table, MDM_MEANS_CLASSES);
        t = mdm_add(g, t, mdm_embed_or_zero(g, in->label, table));
    }
    return mdm_silu(g, t);
}

/* What the way down left, the last on top. */
struct skips {
    mdm_val value[MDM_UNET_LEVELS * (MDM_UNET_LAYERS + 1) + 1];
    int count;
};

static void push(struct skips *s, mdm_val x)
{
    s->value[s->count++] = x;
}

static mdm_val down(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, mdm_val time, struct skips *skips)
{
    for (int i = 0; i < u->levels; i++) {
        const struct mdm_unet_block *b = &u->down[i];

        for (int k = 0; k < (int)u->set.layers_per_block; k++) {
            mdm_graph_scope(g, "down_blocks.%d.resnets.%d.", i, k);
            x = mdm_unet_resnet(g, u, x, time, b->channels, MDM_UNET_SAME);
            mdm_graph_scope(g, "down_blocks.%d.attentions.%d.", i, k);
            x = b->attends ? mdm_unet_attention(g, u, x, u->set.norm_num_groups) : x;
            push(skips, x);
        }
        if (i == u->levels - 1)
            break;
        mdm_graph_scope(g, "down_blocks.%d.downsamplers.0.", i);
        x = b->sampling == MDM_UNET_CONV ? mdm_unet_halve(g, u, x)
                                         : mdm_unet_resnet(g, u, x, time, b->channels, MDM_UNET_DOWN);
        push(skips, x);
    }
    return x;
}

static mdm_val middle(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, mdm_val time)
{
    const int64_t channels = u->up[0].channels;

    mdm_graph_scope(g, "mid_block.resnets.0.");
    x = mdm_unet_resnet(g, u, x, time, channels, MDM_UNET_SAME);
    mdm_graph_scope(g, "mid_block.attentions.0.");
    if (u->set.add_attention)
        x = mdm_unet_attention(g, u, x, u->middle_groups);
    mdm_graph_scope(g, "mid_block.resnets.1.");
    return mdm_unet_resnet(g, u, x, time, channels, MDM_UNET_SAME);
}

static mdm_val up(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, mdm_val time, struct skips *skips)
{
    for (int i = 0; i < u->levels; i++) {
        const struct mdm_unet_block *b = &u->up[i];

        for (int k = 0; k <= (int)u->set.layers_per_block; k++) {
            mdm_graph_scope(g, "up_blocks.%d.resnets.%d.", i, k);
            x = mdm_unet_resnet(g, u, mdm_concat(g, x, skips->value[--skips->count], MDM_NONE), time, b->channels,
                                MDM_UNET_SAME);
            mdm_graph_scope(g, "up_blocks.%d.attentions.%d.", i, k);
            x = b->attends ? mdm_unet_attention(g, u, x, u->set.norm_num_groups) : x;
        }
        if (i == u->levels - 1)
            break;
        mdm_graph_scope(g, "up_blocks.%d.upsamplers.0.", i);
        x = b->sampling == MDM_UNET_CONV ? mdm_unet_double(g, x)
                                         : mdm_unet_resnet(g, u, x, time, b->channels, MDM_UNET_UP);
    }
    return x;
}

static void record(struct mdm_graph *g, struct mdm_ports *ports, const maskdm_options *options, struct mdm_extent e)
{
    struct mdm_unet u;
    struct skips skips = {.count = 0};
    mdm_val x, time;
    int rc = mdm_unet_set(&u, options);

    if (rc >= 0 && e.visible < u.geo.patches && !u.set.mask_channel)
        rc = mdm_fail(MASKDM_EINVAL,
                      "a U-Net without %s sees whole images: %lld of %lld patches visible is no input of it",
                      mdm_options_said(options, "mask_channel"), (long long)e.visible, (long long)u.geo.patches);
    if (rc < 0) {
        mdm_failure_take(&g->failure, rc);
        return;
    }
    mdm_ports_image(g, ports, mdm_shape4(e.batch, u.geo.height, u.geo.width, u.geo.channels));
    ports->index = mdm_graph_input(g, MDM_I32, mdm_shape2(e.batch, e.visible));
    ports->time = mdm_graph_input(g, MDM_F64, mdm_shape1(e.batch));
    if (u.geo.classes)
        ports->label = mdm_graph_input(g, MDM_I32, mdm_shape1(e.batch));

    x = u.set.mask_channel ? mdm_hide(g, ports->seen, ports->index, u.geo.patch) : ports->seen;
    x = mdm_unet_conv(g, x, "conv_in", u.down[0].channels);
    push(&skips, x);
    time = embed(g, &u, ports);
    x = down(g, &u, x, time, &skips);
    x = middle(g, &u, x, time);
    x = up(g, &u, x, time, &skips);
    mdm_graph_scope(g, "%s", "");
    x = mdm_unet_conv(g, mdm_unet_norm_silu(g, &u, x, "conv_norm_out", MDM_NONE), "conv_out", u.geo.outputs);
    mdm_graph_means_name(g, "conv_in.weight", MDM_MEANS_IMAGE_IN);
    mdm_graph_means_name(g, "conv_out.weight", MDM_MEANS_IMAGE_OUT);
    mdm_graph_means_name(g, "conv_out.bias", MDM_MEANS_IMAGE_OUT);
    mdm_ports_output(g, ports, mdm_cut(g, x, ports->index, u.geo.patch));
}

static const struct mdm_mask_channel mask_channel = {"mask_channel", "conv_in.weight"};

const struct mdm_network mdm_unet = {
    .name = "unet",
    .kind = &mdm_unet_kind,
    .geometry = geometry,
    .record = record,
    .masked = MDM_MASK_ZEROES,
    .mask_channel = &mask_channel,
    .anchor = "mid_block.resnets.0.time_emb_proj.weight",
};
