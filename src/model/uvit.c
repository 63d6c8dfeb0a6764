/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masked U-ViT: tokens of the visible patches behind one for the time (and one for the class), half of the
 * blocks, one in the middle, and the other half, each joined first to the output of its mirror image.
 *
 * Lei et al., "Masked Diffusion Models Are Fast Distribution Learners", arXiv 2306.11363 (form=masked); Bao et al.,
 * "All are Worth Words: A ViT Backbone for Diffusion Models", CVPR 2023 (form=original). Parameters have the authors'
 * names and order, so that their checkpoints map by construction.
 */
#include "model/network.h"

#include "model/options.h"
#include "model/passage.h"
#include "ops/ops.h"

#include <math.h>

/* How two programs have the same network. */
struct form {
    const char *scope, *position, *head; /* of parameters */
    int key_bias;                        /* qkv_bias is one bias of all three, the keys' too */
    int null_row;                        /* the null class has a row beside the table, which else has it last */
    int exact_time;                      /* sinusoids of the time without float's rounding */
};
static const struct form forms[] = {{"encoder.", "encoder_pos_embed", "encoder_to_output", 0, 1, 0},
                                    {"", "pos_embed", "decoder_pred", 1, 0, 1}};

struct uvit {
    struct mdm_uvit_options set;
    const struct form *form;
    struct mdm_geometry geo;
    struct mdm_routing routing;
    int64_t dim, hidden, half; /* half: blocks on each side of the middle */
    int64_t extras;            /* tokens before the patches */
};

static int read_options(struct uvit *u, const maskdm_options *o)
{
    struct mdm_uvit_options *s = &u->set;

    mdm_options_read(o, &mdm_uvit_options, s);
    u->form = &forms[s->form];
    MDM_TRY(mdm_geometry_set(&u->geo, o, &s->image_size, s->patch_size, s->channels, s->classes));
    MDM_TRY(mdm_geometry_check_blocks(o, s->dim, s->depth, s->heads, s->mlp_ratio));
    if (s->dim % 2)
        return mdm_fail(MASKDM_EINVAL, "%s %lld is odd, but half of it is cosines of the time and half sines",
                        mdm_options_said(o, "dim"), (long long)s->dim);
    u->dim = s->dim;
    u->hidden = (int64_t)((double)s->dim * s->mlp_ratio);
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

static const double epsilon = 1e-5; /* of every norm */

static mdm_val weight(struct mdm_graph *g, const char *name, int64_t made, int64_t taken)
{
    return mdm_graph_param(g, name, mdm_shape2(made, taken), MDM_INIT_NORMAL, 0.02);
}

static mdm_val vector(struct mdm_graph *g, const char *name, int64_t n, enum mdm_init init)
{
    return mdm_graph_param(g, name, mdm_shape1(n), init, 0);
}

/* Parameters of one block, asked for in the authors' order, which is not the order of use. */
struct block {
    mdm_val norm1[2], q, v, qkv[2], proj[2], norm2[2], fc1[2], fc2[2], skip[2];    /* pairs: weight, bias */
};

static struct block block_params(struct mdm_graph *g, const struct uvit *u, int joined)
{
    struct block p;
    int64_t d = u->dim;

    p.norm1[0] = vector(g, "norm1.weight", d, MDM_INIT_ONE);
    p.norm1[1] = vector(g, "norm1.bias", d, MDM_INIT_ZERO);
    p.q = u->set.qkv_bias && !u->form->key_bias ? vector(g, "attn.q_bias", d, MDM_INIT_ZERO) : MDM_NONE;
    p.v = u->set.qkv_bias && !u->form->key_bias ? vector(g, "attn.v_bias", d, MDM_INIT_ZERO) : MDM_NONE;
    p.qkv[0] = mdm_graph_hidden(g, weight(g, "attn.qkv.weight", 3 * d, d), 3);
    p.qkv[1] = u->set.qkv_bias && u->form->key_bias ? vector(g, "attn.qkv.bias", 3 * d, MDM_INIT_ZERO) : MDM_NONE;
    p.proj[0] = mdm_graph_hidden(g, weight(g, "attn.proj.weight", d, d), 1);
    p.proj[1] = vector(g, "attn.proj.bias", d, MDM_INIT_ZERO);
    p.norm2[0] = vector(g, "norm2.weight", d, MDM_INIT_ONE);
    p.norm2[1] = vector(g, "norm2.bias", d, MDM_INIT_ZERO);
    p.fc1[0] = mdm_graph_hidden(g, weight(g, "mlp.fc1.weight", u->hidden, d), 1);
    p.fc1[1] = vector(g, "mlp.fc1.bias", u->hidden, MDM_INIT_ZERO);
    p.fc2[0] = mdm_graph_hidden(g, weight(g, "mlp.fc2.weight", d, u->hidden), 1);
    p.fc2[1] = vector(g, "mlp.fc2.bias", d, MDM_INIT_ZERO);
    p.skip[0] = joined ? mdm_graph_hidden(g, weight(g, "skip_linear.weight", d, 2 * d), 1) : MDM_NONE;
    p.skip[1] = joined ? vector(g, "skip_linear.bias", d, MDM_INIT_ZERO) : MDM_NONE;
    return p;
}

/* The residual stream between blocks: x, plus r where that sum is still to be taken, since it is cheapest together
 * with the norm that follows. */
struct stream {
    mdm_val x, r;
};

static mdm_val settle(struct mdm_graph *g, struct stream s)
{
    return s.r == MDM_NONE ? s.x : mdm_add(g, s.x, s.r);
}

/* *entered is the stream's sum as it came in, MDM_NONE when joined to a skip. */
static struct stream block(struct mdm_graph *g, const struct uvit *u, struct stream s, mdm_val skip,
                           mdm_val *entered)
{
    struct block p = block_params(g, u, skip != MDM_NONE);
    mdm_val x = s.x, h;

    *entered = MDM_NONE;
    if (skip != MDM_NONE) {
        x = mdm_linear2(g, settle(g, s), skip, p.skip[0], p.skip[1]);
        h = mdm_layernorm(g, x, p.norm1[0], p.norm1[1], epsilon);
    } else {
        if (s.r != MDM_NONE)
            h = mdm_add_norm(g, &x, s.x, s.r, p.norm1[0], p.norm1[1], epsilon);
        else
            h = mdm_layernorm(g, x, p.norm1[0], p.norm1[1], epsilon);
        *entered = x;
    }
    h = mdm_linear(g, h, p.qkv[0], p.qkv[1]);
    if (p.q != MDM_NONE)
        h = mdm_qkv_bias(g, h, p.q, p.v);
    h = mdm_linear(g, mdm_attention(g, h, u->set.heads), p.proj[0], p.proj[1]);
    h = mdm_add_norm(g, &x, x, h, p.norm2[0], p.norm2[1], epsilon);
    h = mdm_linear(g, h, p.fc1[0], p.fc1[1]);
    return (struct stream){x, mdm_linear(g, mdm_gelu(g, h), p.fc2[0], p.fc2[1])};
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
    struct stream s = {x, MDM_NONE};

    for (int i = 0; i <= 2 * half; i++) {
        const int begins = mdm_passage_begins(&p, i);

        enter_block(g, u, i);
        if (begins)
            s = (struct stream){mdm_passage_enter(g, &p, i, settle(g, s), u->extras), MDM_NONE};
        if (!p.silent)
            s = block(g, u, s, i > half ? skip[2 * half - i] : MDM_NONE, &entered);
        /* A block's output is the next one's input: skip[i] is what enters block i + 1. */
        if (i > 0 && i <= half)
            skip[i - 1] = begins ? p.whole : entered;
        if (mdm_passage_ends(&p, i))
            s = (struct stream){mdm_passage_leave(g, &p, settle(g, s), u->extras), MDM_NONE};
    }
    return settle(g, s);
}

static mdm_val embed_time(struct mdm_graph *g, const struct uvit *u, mdm_val time)
{
    mdm_val h = mdm_timestep(g, time, u->dim, u->form->exact_time), w[2], b[2];

    if (!u->set.time_mlp)
        return h;
    w[0] = weight(g, "time_embed.0.weight", 4 * u->dim, u->dim);
    b[0] = vector(g, "time_embed.0.bias", 4 * u->dim, MDM_INIT_ZERO);
    w[1] = weight(g, "time_embed.2.weight", u->dim, 4 * u->dim);
    b[1] = vector(g, "time_embed.2.bias", u->dim, MDM_INIT_ZERO);
    return mdm_linear(g, mdm_linear_silu(g, h, w[0], b[0]), w[1], b[1]);
}

/* [class], time, visible patches, with their positions. */
static mdm_val embed(struct mdm_graph *g, const struct uvit *u, const struct mdm_ports *in)
{
    const struct mdm_geometry *geo = &u->geo;
    int64_t d = u->dim, c = geo->channels, p = geo->patch;
    double bound = 1 / sqrt((double)(c * p * p));
    mdm_val none = MDM_NONE, position, w, b, x, table, extra[2];
    int extras = 0;

    if (geo->classes && u->form->null_row)
        none = weight(g, "uncond_embed", 1, d);
    position = mdm_graph_param(g, u->form->position, mdm_shape3(1, u->extras + geo->patches, d),
                               MDM_INIT_NORMAL, 0.02);
    w = mdm_graph_param(g, "patch_embed.proj.weight", mdm_shape4(d, c, p, p), MDM_INIT_UNIFORM, bound);
    mdm_graph_means(g, position, MDM_MEANS_PLACES);
    mdm_graph_means(g, w, MDM_MEANS_PATCH_IN);
    b = mdm_graph_param(g, "patch_embed.proj.bias", mdm_shape1(d), MDM_INIT_UNIFORM, bound);
    x = mdm_linear(g, mdm_patchify(g, in->image, in->index, p), w, b);
    if (geo->classes) {
        table = mdm_graph_param(g, "label_emb.weight", mdm_shape2(geo->classes, d), MDM_INIT_NORMAL, 1);
        mdm_graph_means(g, table, u->form->null_row ? MDM_MEANS_CLASSES : MDM_MEANS_CLASSES_AND_NULL);
        extra[extras++] = mdm_embed(g, in->label, table, none);
    }
    extra[extras++] = embed_time(g, u, in->time);
    return mdm_tokens(g, extra, extras, x, position, in->index);
}

/* The last norm looks at each token alone, so the extra ones may go first. */
static mdm_val predict(struct mdm_graph *g, const struct uvit *u, mdm_val x)
{
    const int64_t values = u->geo.patch * u->geo.patch * u->geo.channels;
    char name[2][64];
    mdm_val w, b;

    mdm_graph_scope(g, "%s", u->form->scope);
    w = vector(g, "norm.weight", u->dim, MDM_INIT_ONE);
    b = vector(g, "norm.bias", u->dim, MDM_INIT_ZERO);
    x = mdm_layernorm(g, mdm_trim(g, x, u->extras), w, b, epsilon);
    mdm_graph_scope(g, "%s", "");
    mdm_format(name[0], sizeof name[0], "%s.weight", u->form->head);
    mdm_format(name[1], sizeof name[1], "%s.bias", u->form->head);
    w = mdm_graph_means(g, weight(g, name[0], values, u->dim), MDM_MEANS_PATCH_OUT);
    b = mdm_graph_means(g, vector(g, name[1], values, MDM_INIT_ZERO), MDM_MEANS_PATCH_OUT);
    return mdm_linear(g, x, w, b);
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
    struct uvit u;
    mdm_val x;
    int rc = read_options(&u, options);

    if (rc < 0) {
        mdm_failure_take(&g->failure, rc);
        return;
    }
    ports->image = mdm_graph_input(g, g->dtype, mdm_shape4(e.batch, u.geo.height, u.geo.width, u.geo.channels));
    ports->index = mdm_graph_input(g, MDM_I32, mdm_shape2(e.batch, e.visible));
    mdm_passage_ports(g, ports, &u.routing, &e);
    ports->time = mdm_graph_input(g, MDM_F64, mdm_shape1(e.batch));
    if (u.geo.classes)
        ports->label = mdm_graph_input(g, MDM_I32, mdm_shape1(e.batch));

    mdm_graph_scope(g, "%s", u.form->scope);
    x = predict(g, &u, trunk(g, &u, embed(g, &u, ports), ports, &e));
    ports->output = u.set.conv ? smooth(g, &u, x, ports->index) : x;
    mdm_graph_output(g, ports->output);
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
