/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The diffusion transformer with adaLN-Zero: tokens of the visible patches on fixed positions, and blocks whose norms
 * and branches are scaled, shifted and gated by the time and the class.
 *
 * Peebles and Xie, "Scalable Diffusion Models with Transformers", arXiv 2212.09748. Parameters have the authors'
 * names and order, and start as theirs do: every block begins as the identity, and the prediction as zero.
 */
#include "model/network.h"

#include "model/layer.h"
#include "model/options.h"
#include "model/passage.h"
#include "ops/ops.h"

static const double epsilon = 1e-6; /* of every norm */
static const double second[] = {[MDM_DIT_AUTHORS] = 1e-6, [MDM_DIT_DIFFUSERS] = 1e-5}; /* but a block's second */

struct dit {
    struct mdm_dit_options set;
    struct mdm_geometry geo;
    struct mdm_routing routing;
    int64_t hidden;
};

static int read_options(struct dit *d, const maskdm_options *o)
{
    struct mdm_dit_options *s = &d->set;

    mdm_options_read(o, &mdm_dit_options, s);
    MDM_TRY(mdm_geometry_set(&d->geo, o, &s->image_size, s->patch_size, s->channels, s->classes));
    MDM_TRY(mdm_geometry_check_blocks(o, s->dim, s->depth, s->heads, s->mlp_ratio));
    if (s->dim % 4)
        return mdm_fail(MASKDM_EINVAL, "%s %lld is no multiple of 4: a position is sines and cosines of two numbers",
                        mdm_options_said(o, "dim"), (long long)s->dim);
    d->hidden = (int64_t)((double)s->dim * s->mlp_ratio);
    if (s->learn_sigma)
        d->geo.outputs *= 2;
    return mdm_routing_read(&d->routing, o, &d->geo, s->depth, &s->ways, 0);
}

static int geometry(struct mdm_geometry *out, const maskdm_options *options)
{
    struct dit d;

    MDM_TRY(read_options(&d, options));
    *out = d.geo;
    return MASKDM_OK;
}

static int routing(struct mdm_routing *out, const maskdm_options *options)
{
    struct dit d;

    MDM_TRY(read_options(&d, options));
    *out = d.routing;
    return MASKDM_OK;
}

/* Parameters are asked for in the authors' order, which is not the order of use. */
static mdm_val block(struct mdm_graph *g, const struct dit *d, mdm_val x, mdm_val condition)
{
    const int64_t dim = d->set.dim;
    struct mdm_layer qkv = mdm_layer_hidden(g, "attn.qkv", 3 * dim, dim, 3);
    struct mdm_layer proj = mdm_layer_hidden(g, "attn.proj", dim, dim, 1);
    struct mdm_layer fc1 = mdm_layer_hidden(g, "mlp.fc1", d->hidden, dim, 1);
    struct mdm_layer fc2 = mdm_layer_hidden(g, "mlp.fc2", dim, d->hidden, 1);
    struct mdm_layer ada =
        mdm_layer_make(g, "adaLN_modulation.1", MDM_BRANCHES * MDM_BRANCH * dim, dim, MDM_INIT_ZERO, 0);
    mdm_val m = mdm_layer_apply(g, condition, ada), h;

    h = mdm_layer_apply(g, mdm_modulate(g, x, m, MDM_SCALE, MDM_SHIFT, epsilon), qkv);
    h = mdm_layer_apply(g, mdm_attention(g, h, d->set.heads), proj);
    x = mdm_gate_add(g, x, h, m, MDM_GATE);
    h = mdm_modulate(g, x, m, MDM_BRANCH + MDM_SCALE, MDM_BRANCH + MDM_SHIFT, second[d->set.dit_form]);
    h = mdm_mlp(g, h, &(struct mdm_perceptron){fc1.w, fc1.b, fc2.w, fc2.b, 1});
    return mdm_gate_add(g, x, h, m, MDM_BRANCH + MDM_GATE);
}

/* The visible patches at their positions. */
static mdm_val embed(struct mdm_graph *g, const struct dit *d, const struct mdm_ports *in)
{
    const int64_t dim = d->set.dim, c = d->geo.channels, p = d->geo.patch;
    mdm_val position, w, b;

    position = mdm_graph_frozen(g, "pos_embed", mdm_shape3(1, d->geo.patches, dim), MDM_INIT_GRID,
                                (double)d->geo.columns);
    w = mdm_graph_param(g, "x_embedder.proj.weight", mdm_shape4(dim, c, p, p), MDM_INIT_UNIFORM,
                        mdm_layer_bound(dim, c * p * p));
    mdm_graph_means(g, w, MDM_MEANS_PATCH_IN);
    b = mdm_graph_param(g, "x_embedder.proj.bias", mdm_shape1(dim), MDM_INIT_ZERO, 0);
    return mdm_tokens(g, NULL, 0, mdm_linear(g, mdm_patchify(g, in->seen, in->index, p), w, b), position, in->index);
}

/* silu(time + class), which every projection of it takes. The table's last row is the null class. */
static mdm_val embed_condition(struct mdm_graph *g, const struct dit *d, const struct mdm_ports *in)
{
    const int64_t dim = d->set.dim;
    mdm_val c = mdm_layer_time(g, in->time, dim, d->set.dit_form == MDM_DIT_DIFFUSERS), table;

    if (d->geo.classes) {
        table = mdm_graph_param(g, "y_embedder.embedding_table.weight", mdm_shape2(d->geo.classes + 1, dim),
                                MDM_INIT_NORMAL, 0.02);
        mdm_graph_means(g, table, MDM_MEANS_CLASSES);
        c = mdm_add(g, c, mdm_embed(g, in->label, table, MDM_NONE));
    }
    return mdm_silu(g, c);
}

static mdm_val trunk(struct mdm_graph *g, const struct dit *d, mdm_val x, mdm_val condition,
                     const struct mdm_ports *in, const struct mdm_extent *e)
{
    struct mdm_passage p = mdm_passage_make(&d->routing, in, e);

    for (int i = 0; i < (int)d->set.depth; i++) {
        mdm_graph_scope(g, "blocks.%d.", i);
        if (mdm_passage_begins(&p, i))
            x = mdm_passage_enter(g, &p, i, x, 0);
        if (!p.silent)
            x = block(g, d, x, condition);
        if (mdm_passage_ends(&p, i))
            x = mdm_passage_leave(g, &p, x, 0);
    }
    return x;
}

static void record(struct mdm_graph *g, struct mdm_ports *ports, const maskdm_options *options, struct mdm_extent e)
{
    struct dit d;
    struct mdm_layer linear, ada;
    mdm_val x, condition;
    int rc = read_options(&d, options);

    if (rc < 0) {
        mdm_failure_take(&g->failure, rc);
        return;
    }
    mdm_ports_image(g, ports, mdm_shape4(e.batch, d.geo.height, d.geo.width, d.geo.channels));
    ports->index = mdm_graph_input(g, MDM_I32, mdm_shape2(e.batch, e.visible));
    mdm_passage_ports(g, ports, &d.routing, &e);
    ports->time = mdm_graph_input(g, MDM_F64, mdm_shape1(e.batch));
    if (d.geo.classes)
        ports->label = mdm_graph_input(g, MDM_I32, mdm_shape1(e.batch));

    x = embed(g, &d, ports);
    condition = embed_condition(g, &d, ports);
    x = trunk(g, &d, x, condition, ports, &e);
    mdm_graph_scope(g, "final_layer.");
    linear = mdm_layer_make(g, "linear", d.geo.patch * d.geo.patch * d.geo.outputs, d.set.dim, MDM_INIT_ZERO, 0);
    mdm_graph_means(g, linear.w, MDM_MEANS_PATCH_OUT);
    mdm_graph_means(g, linear.b, MDM_MEANS_PATCH_OUT);
    ada = mdm_layer_make(g, "adaLN_modulation.1", 2 * d.set.dim, d.set.dim, MDM_INIT_ZERO, 0);
    x = mdm_modulate(g, x, mdm_layer_apply(g, condition, ada), MDM_SCALE, MDM_SHIFT, epsilon);
    mdm_ports_output(g, ports, mdm_layer_apply(g, x, linear));
}

const struct mdm_network mdm_dit = {
    .name = "dit",
    .kind = &mdm_dit_kind,
    .geometry = geometry,
    .record = record,
    .routing = routing,
    .anchor = "x_embedder.proj.weight",
    .read_shapes = mdm_dit_read_shapes,
    .read_scheduler = mdm_dit_read_scheduler,
    .read_sampler = mdm_dit_read_sampler,
};
