/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parts of the U-Net: residual block, attention, and the ways between resolutions. Parameters start as PyTorch starts
 * its layers: uniform within 1/sqrt(fan in).
 */
#include "model/unet.h"

#include "ops/ops.h"

#include <math.h>

enum { NAME_LENGTH = 64 };

/* NAME.weight or NAME.bias */
static mdm_val parameter(struct mdm_graph *g, const char *name, const char *what, struct mdm_shape shape,
                         enum mdm_init init, double scale)
{
    char full[NAME_LENGTH];

    mdm_format(full, sizeof full, "%s.%s", name, what);
    return mdm_graph_param(g, full, shape, init, scale);
}

static int64_t width_of(const struct mdm_graph *g, mdm_val x)
{
    const struct mdm_shape s = mdm_graph_shape(g, x);

    return mdm_shape_last(&s);
}

static double bound(int64_t taken)
{
    return 1 / sqrt((double)(taken > 0 ? taken : 1));
}

/* A layer's parameters. */
struct layer {
    mdm_val w, b;
};

static struct layer uniform_layer(struct mdm_graph *g, const char *name, struct mdm_shape weight)
{
    const int64_t made = weight.d[0];
    const double most = bound(mdm_shape_numel(&weight) / (made > 0 ? made : 1));
    struct layer l;

    l.w = parameter(g, name, "weight", weight, MDM_INIT_UNIFORM, most);
    l.b = parameter(g, name, "bias", mdm_shape1(made), MDM_INIT_UNIFORM, most);
    return l;
}

static struct layer conv_layer(struct mdm_graph *g, mdm_val x, const char *name, int64_t made, int64_t side)
{
    return uniform_layer(g, name, mdm_shape4(made, width_of(g, x), side, side));
}

/* One between hidden features, where another comes from the image or the time, or goes to the image. */
static struct layer hidden(struct mdm_graph *g, struct layer l)
{
    mdm_graph_hidden(g, l.w, 1);
    return l;
}

/* 3 x 3 with a pixel of zeros around, which keeps the sides; r: [B,made] to add to an image's pixels, or MDM_NONE. */
static mdm_val conv3(struct mdm_graph *g, mdm_val x, struct layer l, mdm_val r)
{
    return mdm_conv(g, x, l.w, l.b, r, (struct mdm_stride){.step = 1, .before = 1, .after = 1});
}

mdm_val mdm_unet_conv(struct mdm_graph *g, mdm_val x, const char *name, int64_t made)
{
    return conv3(g, x, conv_layer(g, x, name, made, 3), MDM_NONE);
}

static mdm_val hidden_conv(struct mdm_graph *g, mdm_val x, const char *name, int64_t made, mdm_val r)
{
    return conv3(g, x, hidden(g, conv_layer(g, x, name, made, 3)), r);
}

static struct layer linear_layer(struct mdm_graph *g, mdm_val x, const char *name, int64_t made)
{
    return uniform_layer(g, name, mdm_shape2(made, width_of(g, x)));
}

mdm_val mdm_unet_linear(struct mdm_graph *g, mdm_val x, const char *name, int64_t made)
{
    const struct layer l = linear_layer(g, x, name, made);

    return mdm_linear(g, x, l.w, l.b);
}

static mdm_val hidden_linear(struct mdm_graph *g, mdm_val x, const char *name, int64_t made)
{
    const struct layer l = hidden(g, linear_layer(g, x, name, made));

    return mdm_linear(g, x, l.w, l.b);
}

static struct layer norm_layer(struct mdm_graph *g, mdm_val x, const char *name)
{
    const struct mdm_shape width = mdm_shape1(width_of(g, x));
    struct layer l;

    l.w = parameter(g, name, "weight", width, MDM_INIT_ONE, 0);
    l.b = parameter(g, name, "bias", width, MDM_INIT_ZERO, 0);
    return l;
}

mdm_val mdm_unet_norm_silu(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, const char *name, mdm_val m)
{
    const struct layer l = norm_layer(g, x, name);

    return mdm_group_norm_silu(g, x, (struct mdm_affine){l.w, l.b, m}, u->set.norm_num_groups, u->set.norm_eps);
}

static mdm_val change_size(struct mdm_graph *g, mdm_val x, enum mdm_unet_change change)
{
    return change == MDM_UNET_DOWN ? mdm_downsample(g, x) : change == MDM_UNET_UP ? mdm_upsample(g, x) : x;
}

mdm_val mdm_unet_resnet(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, mdm_val time, int64_t made,
                        enum mdm_unet_change change)
{
    const int scales = u->set.resnet_time_scale_shift == MDM_UNET_TIME_SCALES;
    const int64_t taken = width_of(g, x);
    mdm_val h = change_size(g, mdm_unet_norm_silu(g, u, x, "norm1", MDM_NONE), change);
    mdm_val t = mdm_unet_linear(g, time, "time_emb_proj", scales ? 2 * made : made);

    h = hidden_conv(g, h, "conv1", made, scales ? MDM_NONE : t);
    h = hidden_conv(g, mdm_unet_norm_silu(g, u, h, "norm2", scales ? t : MDM_NONE), "conv2", made, MDM_NONE);
    x = change_size(g, x, change);
    if (taken != made) {
        const struct layer l = hidden(g, conv_layer(g, x, "conv_shortcut", made, 1));

        x = mdm_linear(g, x, l.w, l.b);
    }
    return mdm_add(g, x, h);
}

/* A bias of the keys adds the same to every score of a query, which the softmax takes out again. Its gradient is
 * zero, and what comes of rounding is no gradient: it is frozen. */
static mdm_val keys(struct mdm_graph *g, mdm_val x, int64_t width)
{
    const mdm_val w = parameter(g, "to_k", "weight", mdm_shape2(width, width), MDM_INIT_UNIFORM, bound(width));

    mdm_graph_hidden(g, w, 1);
    return mdm_linear(g, x, w, mdm_graph_frozen(g, "to_k.bias", mdm_shape1(width), MDM_INIT_UNIFORM, bound(width)));
}

mdm_val mdm_unet_attention(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, int64_t groups)
{
    const int64_t width = width_of(g, x), head = u->set.attention_head_dim ? u->set.attention_head_dim : width;
    mdm_val h = x, q, k, v;

    if (groups) {
        const struct layer l = norm_layer(g, x, "group_norm");

        h = mdm_group_norm(g, x, (struct mdm_affine){l.w, l.b, MDM_NONE}, groups, u->set.norm_eps);
    }
    q = hidden_linear(g, h, "to_q", width);
    k = keys(g, h, width);
    v = hidden_linear(g, h, "to_v", width);
    h = mdm_attention(g, mdm_concat(g, q, k, v), head > 0 ? width / head : 0);
    return mdm_add(g, x, hidden_linear(g, h, "to_out.0", width));
}

/* Without padding, one row below and one column on the right are zeros. */
mdm_val mdm_unet_halve(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x)
{
    const struct layer l = hidden(g, conv_layer(g, x, "conv", width_of(g, x), 3));

    return mdm_conv(g, x, l.w, l.b, MDM_NONE, (struct mdm_stride){2, u->set.downsample_padding, 1});
}

mdm_val mdm_unet_double(struct mdm_graph *g, mdm_val x)
{
    return hidden_conv(g, mdm_upsample(g, x), "conv", width_of(g, x), MDM_NONE);
}
