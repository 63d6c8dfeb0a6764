/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masked U-ViT: tokens of the visible patches behind one for the time (and one for the class), half of the
 * blocks, one in the middle, and the other half, each joined first to the output of its mirror image.
 *
 * Lei et al., "Masked Diffusion Models Are Fast Distribution Learners", arXiv 2306.11363 (form=masked), and its first
 * version, of wavelets (form=wavelet); Bao et al., "All are Worth Words: A ViT Backbone for Diffusion Models", CVPR
 * 2023 (form=original). Parameters have the authors' names and order, so that their checkpoints map by construction.
 */
#include "model/network.h"

#include "model/layer.h"
#include "model/options.h"
#include "model/passage.h"
#include "model/uvit_block.h"
#include "model/wavelet.h"
#include "ops/ops.h"

#include <math.h>

/* How several programs have the same network. */
struct form {
    const char *scope, *position, *head; /* of parameters */
    enum mdm_uvit_bias bias;             /* what qkv_bias gives */
    int null_row;                        /* the null class has a row beside the table, which else has it last */
    int exact_time;                      /* sinusoids of the time without float's rounding */
    int wavelets;                        /* two kinds of patches, and no null class: its token is zeros */
};
static const struct form forms[] = {
    {"encoder.", "encoder_pos_embed", "encoder_to_output", MDM_UVIT_TWO_BIASES, 1, 0, 0},
    {"", "pos_embed", "decoder_pred", MDM_UVIT_ONE_BIAS, 0, 1, 0},
    {"encoder.", "encoder_pos_embed", NULL, MDM_UVIT_TWO_BIASES, 0, 0, 1}};

struct uvit {
    struct mdm_uvit_options set;
    const struct form *form;
    struct mdm_geometry geo;
    struct mdm_extent extent;
    struct mdm_routing routing;
    struct mdm_uvit_shape shape;
    int64_t dim, half; /* half: blocks on each side of the middle */
    int64_t extras;    /* tokens before the patches */
};

static int read_geometry(struct uvit *u, const maskdm_options *o)
{
    const struct mdm_uvit_options *s = &u->set;

    if (u->form->wavelets && s->conv)
        return mdm_fail(MASKDM_EINVAL, "%s is for patches of one kind, and %s wavelet has two",
                        mdm_options_said(o, "conv"), mdm_options_said(o, "form"));
    if (!u->form->wavelets && s->detail_scale != 1)
        return mdm_fail(MASKDM_EINVAL, "%s %lld is for %s wavelet, which has details",
                        mdm_options_said(o, "detail_scale"), (long long)s->detail_scale, mdm_options_said(o, "form"));
    return u->form->wavelets ? mdm_geometry_set_wavelets(&u->geo, o, &s->image_size, s->patch_size, s->detail_scale,
                                                         s->channels, s->classes)
                             : mdm_geometry_set(&u->geo, o, &s->image_size, s->patch_size, s->channels, s->classes);
}

static int read_options(struct uvit *u, const maskdm_options *o)
{
    struct mdm_uvit_options *s = &u->set;

    mdm_options_read(o, &mdm_uvit_options, s);
    u->form = &forms[s->form];
    MDM_TRY(read_geometry(u, o));
    MDM_TRY(mdm_geometry_check_blocks(o, s->dim, s->depth, s->heads, s->mlp_ratio));
    if (s->dim % 2)
        return mdm_fail(MASKDM_EINVAL, "%s %lld is odd, but half of it is cosines of the time and half sines",
                        mdm_options_said(o, "dim"), (long long)s->dim);
    u->dim = s->dim;
    u->shape = (struct mdm_uvit_shape){.dim = s->dim,
                                       .hidden = (int64_t)((double)s->dim * s->mlp_ratio),
                                       .heads = s->heads,
                                       .bias = s->qkv_bias ? u->form->bias : MDM_UVIT_NO_BIAS};
    u->half = s->depth / 2; /* an even depth counts as the odd one above it, as the authors have it */
    u->extras = s->classes ? 2 : 1;
    /* A skip joins sequences of one length, so that the middle of a route is that of the network. */
    return mdm_routing_read(&u->routing, o, &u->geo, 2 * u->half + 1, &s->ways, 1);
}

static int geometry(struct mdm_geometry *out, const maskdm_options *options)
{
    struct uvit u;

    MDM_TRY(read_options(&u, options));
    *out = u.geo;
    return MASKDM_OK;
}

static int routing(struct mdm_routing *out, const maskdm_options *options)
{
    struct uvit u;

    MDM_TRY(read_options(&u, options));
    *out = u.routing;
    return MASKDM_OK;
}

static void enter_block(struct mdm_graph *g, const struct uvit *u, int i)
{
    const int half = (int)u->half;

    if (i < half)
        mdm_graph_scope(g, "%sin_blocks.%d.", u->form->scope, i);
    else if (i == half)
        mdm_graph_scope(g, "%smid_block.", u->form->scope);
    else
        mdm_graph_scope(g, "%sout_blocks.%d.", u->form->scope, i - half - 1);
}

/* All blocks. The one route goes from a block to its mirror image, so that a skip joins sequences of one length. */
static mdm_val trunk(struct mdm_graph *g, const struct uvit *u, mdm_val x, const struct mdm_ports *in,
                     const struct mdm_extent *e)
{
    const int half = (int)u->half;
    struct mdm_passage p = mdm_passage_make(&u->routing, in, e);
    mdm_val skip[MDM_MAX_DEPTH / 2 + 1], entered = MDM_NONE;
    struct mdm_stream s = {x, MDM_NONE};

    for (int i = 0; i <= 2 * half; i++) {
        const int begins = mdm_passage_begins(&p, i);

        enter_block(g, u, i);
        if (begins)
            s = (struct mdm_stream){mdm_passage_enter(g, &p, i, mdm_stream_settle(g, s), u->extras), MDM_NONE};
        if (!p.silent)
            s = mdm_uvit_block(g, &u->shape, s, i > half ? skip[2 * half - i] : MDM_NONE, &entered);
        /* A block's output is the next one's input: skip[i] is what enters block i + 1. */
        if (i > 0 && i <= half)
            skip[i - 1] = begins ? p.whole : entered;
        if (mdm_passage_ends(&p, i))
            s = (struct mdm_stream){mdm_passage_leave(g, &p, mdm_stream_settle(g, s), u->extras), MDM_NONE};
    }
    return mdm_stream_settle(g, s);
}

static mdm_val embed_time(struct mdm_graph *g, const struct uvit *u, mdm_val time)
{
    mdm_val h = mdm_timestep(g, time, u->dim, u->form->exact_time);
    struct mdm_layer first, second;

    if (!u->set.time_mlp)
        return h;
    first = mdm_layer_make(g, "time_embed.0", 4 * u->dim, u->dim, MDM_INIT_NORMAL, 0.02);
    second = mdm_layer_make(g, "time_embed.2", u->dim, 4 * u->dim, MDM_INIT_NORMAL, 0.02);
    return mdm_layer_apply(g, mdm_linear_silu(g, h, first.w, first.b), second);
}

static mdm_val embed_patches(struct mdm_graph *g, const struct uvit *u, const struct mdm_ports *in)
{
    const int64_t d = u->dim, c = u->geo.channels, p = u->geo.patch;
    const double bound = 1 / sqrt((double)(c * p * p));
    mdm_val w, b;

    if (u->form->wavelets)
        return mdm_wavelet_embed(g, &u->geo, &u->extent, in, d);
    w = mdm_graph_param(g, "patch_embed.proj.weight", mdm_shape4(d, c, p, p), MDM_INIT_UNIFORM, bound);
    mdm_graph_means(g, w, MDM_MEANS_PATCH_IN);
    b = mdm_graph_param(g, "patch_embed.proj.bias", mdm_shape1(d), MDM_INIT_UNIFORM, bound);
    return mdm_linear(g, mdm_patchify(g, in->seen, in->index, p), w, b);
}

/* [class], time, visible patches, with their positions. */
static mdm_val embed(struct mdm_graph *g, const struct uvit *u, const struct mdm_ports *in)
{
    const struct mdm_geometry *geo = &u->geo;
    int64_t d = u->dim;
    mdm_val none = MDM_NONE, position, table, x, extra[2];
    int extras = 0;

    if (geo->classes && u->form->null_row)
        none = mdm_graph_param(g, "uncond_embed", mdm_shape2(1, d), MDM_INIT_NORMAL, 0.02);
    position = mdm_graph_param(g, u->form->position, mdm_shape3(1, u->extras + geo->patches, d),
                               MDM_INIT_NORMAL, 0.02);
    if (!u->form->wavelets) /* whose two grids stand one behind the other */
        mdm_graph_means(g, position, MDM_MEANS_PLACES);
    x = embed_patches(g, u, in);
    if (geo->classes) {
        table = mdm_graph_param(g, "label_emb.weight", mdm_shape2(geo->classes, d), MDM_INIT_NORMAL, 1);
        mdm_graph_means(g, table,
                        u->form->null_row || u->form->wavelets ? MDM_MEANS_CLASSES : MDM_MEANS_CLASSES_AND_NULL);
        extra[extras++] =
            u->form->wavelets ? mdm_embed_or_zero(g, in->label, table) : mdm_embed(g, in->label, table, none);
    }
    extra[extras++] = embed_time(g, u, in->time);
    return mdm_tokens(g, extra, extras, x, position, in->index);
}

/* The last norm looks at each token alone, so the extra ones may go first. */
static mdm_val predict(struct mdm_graph *g, const struct uvit *u, mdm_val x)
{
    const int64_t values = u->geo.patch * u->geo.patch * u->geo.channels;
    struct mdm_layer head;
    mdm_val w, b;

    mdm_graph_scope(g, "%s", u->form->scope);
    w = mdm_graph_param(g, "norm.weight", mdm_shape1(u->dim), MDM_INIT_ONE, 0);
    b = mdm_graph_param(g, "norm.bias", mdm_shape1(u->dim), MDM_INIT_ZERO, 0);
    x = mdm_layernorm(g, mdm_trim(g, x, u->extras), w, b, mdm_uvit_epsilon);
    mdm_graph_scope(g, "%s", "");
    if (u->form->wavelets)
        return mdm_wavelet_predict(g, &u->geo, &u->extent, x, u->dim);
    head = mdm_layer_make(g, u->form->head, values, u->dim, MDM_INIT_NORMAL, 0.02);
    mdm_graph_means(g, head.w, MDM_MEANS_PATCH_OUT);
    mdm_graph_means(g, head.b, MDM_MEANS_PATCH_OUT);
    return mdm_layer_apply(g, x, head);
}

/* A 3x3 convolution over the image that the patches make. Hidden ones are zeros to it, as what lies outside is. */
static mdm_val smooth(struct mdm_graph *g, const struct uvit *u, mdm_val x, mdm_val index)
{
    const struct mdm_geometry *geo = &u->geo;
    const int64_t c = geo->channels;
    const double bound = 1 / sqrt(9.0 * (double)c);
    mdm_val w = mdm_graph_param(g, "final_layer.weight", mdm_shape4(c, c, 3, 3), MDM_INIT_UNIFORM, bound);
    mdm_val b = mdm_graph_param(g, "final_layer.bias", mdm_shape1(c), MDM_INIT_UNIFORM, bound);

    mdm_graph_means(g, w, MDM_MEANS_IMAGE_BOTH);
    mdm_graph_means(g, b, MDM_MEANS_IMAGE_OUT);
    x = mdm_paste(g, x, index, geo->patch, geo->height, geo->width);
    x = mdm_conv(g, x, w, b, MDM_NONE, (struct mdm_stride){1, 1, 1});
    return mdm_cut(g, x, index, geo->patch);
}

static void record(struct mdm_graph *g, struct mdm_ports *ports, const maskdm_options *options,
                   struct mdm_extent e)
{
    struct mdm_part part;
    struct uvit u;
    mdm_val x;
    int rc = read_options(&u, options);

    if (rc < 0) {
        mdm_failure_take(&g->failure, rc);
        return;
    }
    u.extent = e;
    part = mdm_geometry_part(&u.geo, &e, 0);
    mdm_ports_image(g, ports, mdm_shape4(e.batch, part.height, part.width, part.beside.channels));
    ports->index = mdm_graph_input(g, MDM_I32, mdm_shape2(e.batch, e.visible));
    mdm_passage_ports(g, ports, &u.routing, &e);
    ports->time = mdm_graph_input(g, MDM_F64, mdm_shape1(e.batch));
    if (u.geo.classes)
        ports->label = mdm_graph_input(g, MDM_I32, mdm_shape1(e.batch));

    mdm_graph_scope(g, "%s", u.form->scope);
    x = predict(g, &u, trunk(g, &u, embed(g, &u, ports), ports, &e));
    mdm_ports_output(g, ports, u.set.conv ? smooth(g, &u, x, ports->index) : x);
}

const struct mdm_network mdm_uvit = {
    .name = "uvit",
    .kind = &mdm_uvit_kind,
    .geometry = geometry,
    .record = record,
    .routing = routing,
    .anchor = "encoder.encoder_pos_embed",
    .other_anchor = "decoder_pred.weight",
    .read_shapes = mdm_uvit_read_shapes,
};
