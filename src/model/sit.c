/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The transformer of a sprint's authors: DiT's blocks with positions that turn queries and keys in place of a table,
 * in three parts, of which the middle one sees few of the patches in training (passage.h).
 *
 * Park et al., "Sprint: Sparse-Dense Residual Fusion for Efficient Diffusion Transformers", arXiv 2510.21986, after
 * Ma et al., "SiT: Exploring Flow and Diffusion-based Generative Models with Scalable Interpolant Transformers",
 * arXiv 2401.08740. Parameters have the authors' names and start as theirs do: every block begins as the identity,
 * and the prediction as zero.
 */
#include "model/network.h"

#include "model/layer.h"
#include "model/options.h"
#include "model/passage.h"
#include "ops/ops.h"

static const double epsilon = 1e-6; /* of every norm */

struct sit {
    struct mdm_sit_options set;
    struct mdm_geometry geo;
    struct mdm_routing routing;
    int64_t hidden, width; /* of a block's middle layer, and of a head */
};

/* The tokens' inputs to all blocks. */
struct given {
    mdm_val condition; /* time + class, through SiLU but for a projection that has its own */
    mdm_val all;       /* of every block's six rows the part that they share; MDM_NONE: none */
    mdm_val angles;    /* of those tokens that are there */
};

static int check_widths(struct sit *t, const maskdm_options *o)
{
    struct mdm_sit_options *s = &t->set;

    t->width = s->dim / s->heads;
    if (t->width % 4)
        return mdm_fail(MASKDM_EINVAL,
                        "%s %lld in %s %lld makes heads of %lld, no multiple of 4: half of their pairs are turned by "
                        "the row, half by the column",
                        mdm_options_said(o, "dim"), (long long)s->dim, mdm_options_said(o, "heads"),
                        (long long)s->heads, (long long)t->width);
    t->hidden = (int64_t)((double)s->dim * s->mlp_ratio);
    if (s->mlp == MDM_SIT_SWIGLU)
        t->hidden = t->hidden * 2 / 3;
    if (t->hidden < 1)
        return mdm_fail(MASKDM_EINVAL, "two thirds of %s %g times %s %lld make no hidden layer",
                        mdm_options_said(o, "mlp_ratio"), s->mlp_ratio, mdm_options_said(o, "dim"),
                        (long long)s->dim);
    return MASKDM_OK;
}

static int read_options(struct sit *t, const maskdm_options *o)
{
    struct mdm_sit_options *s = &t->set;

    mdm_options_read(o, &mdm_sit_options, s);
    MDM_TRY(mdm_geometry_set(&t->geo, o, &s->image_size, s->patch_size, s->channels, s->classes));
    MDM_TRY(mdm_geometry_check_blocks(o, s->dim, 1, s->heads, s->mlp_ratio));
    MDM_TRY(check_widths(t, o));
    if (s->learn_sigma)
        t->geo.outputs *= 2;
    return mdm_routing_read_sprint(&t->routing, o, &t->geo, s->encoder_depth, s->middle_depth, &s->ways);
}

static int geometry(struct mdm_geometry *out, const maskdm_options *options)
{
    struct sit t;

    MDM_TRY(read_options(&t, options));
    *out = t.geo;
    return MASKDM_OK;
}

static int routing(struct mdm_routing *out, const maskdm_options *options)
{
    struct sit t;

    MDM_TRY(read_options(&t, options));
    *out = t.routing;
    return MASKDM_OK;
}

/* ---- layers that may have no bias ---- */

static mdm_val linear(struct mdm_graph *g, mdm_val x, const char *name, int64_t made, int bias, enum mdm_init init,
                      int parts)
{
    const struct mdm_shape s = mdm_graph_shape(g, x);

    return mdm_layer_apply(g, x, mdm_layer_start(g, name, made, mdm_shape_last(&s), bias, init, parts));
}

/* fc1, gelu and fc2. */
static mdm_val perceptron(struct mdm_graph *g, const struct sit *t, mdm_val x)
{
    const int64_t dim = t->set.dim;
    const int b = t->set.ffn_bias;
    const struct mdm_layer fc1 = mdm_layer_start(g, "mlp.fc1", t->hidden, dim, b, MDM_INIT_UNIFORM, 1);
    const struct mdm_layer fc2 = mdm_layer_start(g, "mlp.fc2", dim, t->hidden, b, MDM_INIT_UNIFORM, 1);

    return mdm_mlp(g, x, &(struct mdm_perceptron){fc1.w, fc1.b, fc2.w, fc2.b, 1});
}

/* NAME.fc1_g, NAME.fc1_x, NAME.fc2: silu of the one times the other, and out. */
static mdm_val swiglu(struct mdm_graph *g, mdm_val x, const char *name, int64_t hidden, int64_t made, int bias,
                      enum mdm_init init, int parts)
{
    char full[64];
    mdm_val gate, value;

    mdm_format(full, sizeof full, "%s.fc1_g", name);
    gate = linear(g, x, full, hidden, bias, MDM_INIT_UNIFORM, parts);
    mdm_format(full, sizeof full, "%s.fc1_x", name);
    value = linear(g, x, full, hidden, bias, MDM_INIT_UNIFORM, parts);
    mdm_format(full, sizeof full, "%s.fc2", name);
    return linear(g, mdm_swiglu(g, mdm_concat(g, gate, value, MDM_NONE)), full, made, bias, init, parts);
}

/* ---- blocks ---- */

/* A block's norm's weight, where it has one. */
static mdm_val norm_weight(struct mdm_graph *g, const struct sit *t, const char *name)
{
    return t->set.norm == MDM_SIT_RMSNORM ? mdm_graph_param(g, name, mdm_shape1(t->set.dim), MDM_INIT_ONE, 0)
                                          : MDM_NONE;
}

static mdm_val modulate(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val m, int branch)
{
    const int64_t scale = branch * MDM_BRANCH + MDM_SCALE, shift = branch * MDM_BRANCH + MDM_SHIFT;

    return w == MDM_NONE ? mdm_modulate(g, x, m, scale, shift, epsilon)
                         : mdm_rms_modulate(g, x, w, m, scale, shift, epsilon);
}

/* What the condition says to a block or the last layer, `rows` of a token's width. narrow: the width between, where
 * it is not made by one layer. */
static mdm_val project(struct mdm_graph *g, const struct sit *t, mdm_val condition, int64_t rows, int64_t narrow)
{
    const int64_t dim = t->set.dim;
    const int bias = t->set.adaln_bias;

    if (t->set.adaln == MDM_SIT_ADALN_SWIGLU)
        return swiglu(g, condition, "adaLN_modulation", narrow, rows * dim, bias, MDM_INIT_ZERO, 0);
    if (t->set.adaln == MDM_SIT_ADALN_LORA && rows > 2) {
        condition = linear(g, condition, "adaLN_modulation.1", t->set.adaln_lora_dim, bias, MDM_INIT_UNIFORM, 0);
        return linear(g, condition, "adaLN_modulation.2", rows * dim, bias, MDM_INIT_ZERO, 0);
    }
    return linear(g, condition, "adaLN_modulation.1", rows * dim, bias, MDM_INIT_ZERO, 0);
}

static mdm_val block(struct mdm_graph *g, const struct sit *t, mdm_val x, const struct given *given)
{
    const int64_t dim = t->set.dim;
    mdm_val norm1 = norm_weight(g, t, "norm1.weight"), norm2 = norm_weight(g, t, "norm2.weight"), q = MDM_NONE,
            k = MDM_NONE, m, h;

    m = project(g, t, given->condition, MDM_BRANCHES * MDM_BRANCH, dim / 4 * 3);
    if (given->all != MDM_NONE)
        m = mdm_add(g, m, given->all);
    if (t->set.qk_norm) {
        q = mdm_graph_param(g, "attn.q_norm.weight", mdm_shape1(t->width), MDM_INIT_ONE, 0);
        k = mdm_graph_param(g, "attn.k_norm.weight", mdm_shape1(t->width), MDM_INIT_ONE, 0);
    }
    h = linear(g, modulate(g, x, norm1, m, 0), "attn.qkv", 3 * dim, t->set.qkv_bias, MDM_INIT_UNIFORM, 3);
    h = mdm_attention(g, mdm_qk_rotate(g, h, q, k, given->angles, t->set.heads, epsilon), t->set.heads);
    x = mdm_gate_add(g, x, linear(g, h, "attn.proj", dim, 1, MDM_INIT_UNIFORM, 1), m, MDM_GATE);
    h = modulate(g, x, norm2, m, 1);
    if (t->set.mlp != MDM_SIT_GELU)
        h = swiglu(g, h, "mlp", t->hidden, dim, t->set.ffn_bias, MDM_INIT_UNIFORM, 1);
    else
        h = perceptron(g, t, h);
    return mdm_gate_add(g, x, h, m, MDM_BRANCH + MDM_GATE);
}

static mdm_val find_angles(struct mdm_graph *g, const struct sit *t, const struct mdm_ports *in, mdm_val keep)
{
    return mdm_angles(g, in->index, keep, t->geo.rows, t->geo.columns, t->width);
}

static void enter_block(struct mdm_graph *g, const struct sit *t, int64_t i)
{
    const struct mdm_sit_options *s = &t->set;
    const int64_t deep = i - s->encoder_depth, behind = deep - s->middle_depth;

    if (deep < 0)
        mdm_graph_scope(g, "encoder_blocks.%d.", (int)i);
    else if (behind < 0)
        mdm_graph_scope(g, "middle_blocks.%d.", (int)deep);
    else
        mdm_graph_scope(g, "decoder_blocks.%d.", (int)behind);
}

static mdm_val trunk(struct mdm_graph *g, const struct sit *t, mdm_val x, struct given *given,
                     const struct mdm_ports *in, const struct mdm_extent *e)
{
    const int64_t depth = t->set.encoder_depth + t->set.middle_depth + t->set.decoder_depth;
    struct mdm_passage p = mdm_passage_make(&t->routing, in, e);
    mdm_val all = MDM_NONE, some = MDM_NONE;

    for (int64_t i = 0; i < depth; i++) {
        if (mdm_passage_begins(&p, i))
            x = mdm_passage_enter(g, &p, i, x, 0);
        enter_block(g, t, i);
        if (p.keep == MDM_NONE && all == MDM_NONE && !p.silent)
            all = find_angles(g, t, in, MDM_NONE);
        if (p.keep != MDM_NONE && some == MDM_NONE)
            some = find_angles(g, t, in, p.keep);
        given->angles = p.keep == MDM_NONE ? all : some;
        if (!p.silent)
            x = block(g, t, x, given);
        if (mdm_passage_ends(&p, i))
            x = mdm_passage_leave(g, &p, x, 0);
    }
    return x;
}

/* ---- the whole ---- */

/* The table's last row is the null class. */
static struct given embed_condition(struct mdm_graph *g, const struct sit *t, const struct mdm_ports *in)
{
    const int64_t dim = t->set.dim, rows = MDM_BRANCHES * MDM_BRANCH;
    struct given made = {.all = MDM_NONE, .angles = MDM_NONE};
    mdm_val c = mdm_layer_time(g, in->time, dim, 0), table;

    if (t->geo.classes) {
        table = mdm_graph_param(g, "y_embedder.embedding_table.weight", mdm_shape2(t->geo.classes + 1, dim),
                                MDM_INIT_NORMAL, 0.02);
        mdm_graph_means(g, table, MDM_MEANS_CLASSES);
        c = mdm_add(g, c, mdm_embed(g, in->label, table, MDM_NONE));
    }
    made.condition = t->set.adaln == MDM_SIT_ADALN_SWIGLU ? c : mdm_silu(g, c);
    if (t->set.adaln == MDM_SIT_ADALN_LORA)
        made.all =
            linear(g, made.condition, "global_adaLN_modulation.1", rows * dim, t->set.adaln_bias, MDM_INIT_ZERO, 0);
    return made;
}

/* Their prediction has a patch's values by channel, ours by pixel. */
static mdm_val predict(struct mdm_graph *g, const struct sit *t, mdm_val x, mdm_val condition)
{
    const int64_t dim = t->set.dim, outputs = t->geo.outputs, pixels = t->geo.patch * t->geo.patch;
    mdm_val w, m;

    mdm_graph_scope(g, "final_layer.");
    w = norm_weight(g, t, "norm_final.weight");
    m = project(g, t, condition, 2, dim / 2);
    x = linear(g, modulate(g, x, w, m, 0), "linear", pixels * outputs, 1, MDM_INIT_ZERO, 0);
    return outputs > 1 && pixels > 1 ? mdm_transpose(g, x, outputs) : x;
}

static void record(struct mdm_graph *g, struct mdm_ports *ports, const maskdm_options *options, struct mdm_extent e)
{
    struct sit t;
    struct given given;
    mdm_val x;
    int rc = read_options(&t, options);

    if (rc < 0) {
        mdm_failure_take(&g->failure, rc);
        return;
    }
    mdm_ports_image(g, ports, mdm_shape4(e.batch, t.geo.height, t.geo.width, t.geo.channels));
    ports->index = mdm_graph_input(g, MDM_I32, mdm_shape2(e.batch, e.visible));
    mdm_passage_ports(g, ports, &t.routing, &e);
    ports->time = mdm_graph_input(g, MDM_F64, mdm_shape1(e.batch));
    if (t.geo.classes)
        ports->label = mdm_graph_input(g, MDM_I32, mdm_shape1(e.batch));

    x = mdm_patchify(g, ports->seen, ports->index, t.geo.patch);
    x = linear(g, x, "x_embedder.proj", t.set.dim, 1, MDM_INIT_UNIFORM, 0);
    given = embed_condition(g, &t, ports);
    x = trunk(g, &t, x, &given, ports, &e);
    x = predict(g, &t, x, given.condition);
    mdm_graph_means_name(g, "x_embedder.proj.weight", MDM_MEANS_PATCH_IN);
    mdm_graph_means_name(g, "final_layer.linear.weight", MDM_MEANS_PATCH_OUT_BY_CHANNEL);
    mdm_graph_means_name(g, "final_layer.linear.bias", MDM_MEANS_PATCH_OUT_BY_CHANNEL);
    mdm_ports_output(g, ports, x);
}

const struct mdm_network mdm_sit = {
    .name = "sit",
    .kind = &mdm_sit_kind,
    .geometry = geometry,
    .record = record,
    .routing = routing,
    .anchor = "renoise_linear.weight",
    .read_shapes = mdm_sit_read_shapes,
    .read_scheduler = mdm_sit_read_scheduler,
};
