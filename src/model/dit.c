/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The diffusion transformer with adaLN-Zero: tokens of the visible patches on fixed positions, and blocks whose norms
 * and branches are scaled, shifted and gated by the time and the class.
 *
 * Peebles and Xie, "Scalable Diffusion Models with Transformers", arXiv 2212.09748. Parameters have the authors'
 * names and order, and start as theirs do: every block begins as the identity, and the prediction as zero.
 */
#include "model/network.h"

#include "model/options.h"
#include "ops/ops.h"

#include <math.h>

enum { TIME_WIDTH = 256 }; /* of the sinusoids of the time */

static const double epsilon = 1e-6; /* of every norm */

struct dit {
    struct mdm_dit_options set;
    struct mdm_geometry geo;
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
    return MASKDM_OK;
}

static int geometry(struct mdm_geometry *out, const maskdm_options *options)
{
    struct dit d;

    MDM_TRY(read_options(&d, options));
    *out = d.geo;
    return MASKDM_OK;
}

struct layer {
    mdm_val w, b;
};

static struct layer layer(struct mdm_graph *g, const char *name, int64_t made, int64_t taken, enum mdm_init init,
                          double scale)
{
    char full[64];
    struct layer l;

    mdm_format(full, sizeof full, "%s.weight", name);
    l.w = mdm_graph_param(g, full, mdm_shape2(made, taken), init, scale);
    mdm_format(full, sizeof full, "%s.bias", name);
    l.b = mdm_graph_param(g, full, mdm_shape1(made), MDM_INIT_ZERO, 0);
    return l;
}

/* Glorot and Bengio's bound for a uniform start. */
static double spread(int64_t made, int64_t taken)
{
    return sqrt(6.0 / (double)(made + taken));
}

static struct layer spread_layer(struct mdm_graph *g, const char *name, int64_t made, int64_t taken)
{
    return layer(g, name, made, taken, MDM_INIT_UNIFORM, spread(made, taken));
}

static mdm_val apply(struct mdm_graph *g, mdm_val x, struct layer l)
{
    return mdm_linear(g, x, l.w, l.b);
}

/* Rows of a block's projection of the condition. */
enum { SHIFT, SCALE, GATE, BRANCH, BRANCHES = 2 };

/* Parameters are asked for in the authors' order, which is not the order of use. */
static mdm_val block(struct mdm_graph *g, const struct dit *d, mdm_val x, mdm_val condition)
{
    const int64_t dim = d->set.dim;
    struct layer qkv = spread_layer(g, "attn.qkv", 3 * dim, dim), proj = spread_layer(g, "attn.proj", dim, dim);
    struct layer fc1 = spread_layer(g, "mlp.fc1", d->hidden, dim), fc2 = spread_layer(g, "mlp.fc2", dim, d->hidden);
    struct layer ada = layer(g, "adaLN_modulation.1", BRANCHES * BRANCH * dim, dim, MDM_INIT_ZERO, 0);
    mdm_val m = apply(g, condition, ada), h;

    h = apply(g, mdm_modulate(g, x, m, SCALE, SHIFT, epsilon), qkv);
    h = apply(g, mdm_attention(g, h, d->set.heads), proj);
    x = mdm_gate_add(g, x, h, m, GATE);
    h = apply(g, mdm_modulate(g, x, m, BRANCH + SCALE, BRANCH + SHIFT, epsilon), fc1);
    h = apply(g, mdm_gelu_tanh(g, h), fc2);
    return mdm_gate_add(g, x, h, m, BRANCH + GATE);
}

/* The visible patches at their positions. */
static mdm_val embed(struct mdm_graph *g, const struct dit *d, const struct mdm_ports *in)
{
    const int64_t dim = d->set.dim, c = d->geo.channels, p = d->geo.patch;
    mdm_val position, w, b;

    position = mdm_graph_frozen(g, "pos_embed", mdm_shape3(1, d->geo.patches, dim), MDM_INIT_GRID,
                                (double)d->geo.columns);
    w = mdm_graph_param(g, "x_embedder.proj.weight", mdm_shape4(dim, c, p, p), MDM_INIT_UNIFORM,
                        spread(dim, c * p * p));
    b = mdm_graph_param(g, "x_embedder.proj.bias", mdm_shape1(dim), MDM_INIT_ZERO, 0);
    return mdm_tokens(g, NULL, 0, mdm_linear(g, mdm_patchify(g, in->image, in->index, p), w, b), position, in->index);
}

/* silu(time + class), which every projection of it takes. The table's last row is the null class. */
static mdm_val embed_condition(struct mdm_graph *g, const struct dit *d, const struct mdm_ports *in)
{
    const int64_t dim = d->set.dim;
    struct layer first = layer(g, "t_embedder.mlp.0", dim, TIME_WIDTH, MDM_INIT_NORMAL, 0.02);
    struct layer second = layer(g, "t_embedder.mlp.2", dim, dim, MDM_INIT_NORMAL, 0.02);
    mdm_val c = mdm_linear_silu(g, mdm_timestep(g, in->time, TIME_WIDTH, 1), first.w, first.b), table;

    c = apply(g, c, second);
    if (d->geo.classes) {
        table = mdm_graph_param(g, "y_embedder.embedding_table.weight", mdm_shape2(d->geo.classes + 1, dim),
                                MDM_INIT_NORMAL, 0.02);
        c = mdm_add(g, c, mdm_embed(g, in->label, table, MDM_NONE));
    }
    return mdm_silu(g, c);
}

static void record(struct mdm_graph *g, struct mdm_ports *ports, const maskdm_options *options, struct mdm_extent e)
{
    struct dit d;
    struct layer linear, ada;
    mdm_val x, condition;
    int rc = read_options(&d, options);

    if (rc < 0) {
        mdm_failure_take(&g->failure, rc);
        return;
    }
    ports->image = mdm_graph_input(g, g->dtype, mdm_shape4(e.batch, d.geo.height, d.geo.width, d.geo.channels));
    ports->index = mdm_graph_input(g, MDM_I32, mdm_shape2(e.batch, e.visible));
    ports->time = mdm_graph_input(g, MDM_F64, mdm_shape1(e.batch));
    if (d.geo.classes)
        ports->label = mdm_graph_input(g, MDM_I32, mdm_shape1(e.batch));

    x = embed(g, &d, ports);
    condition = embed_condition(g, &d, ports);
    for (int i = 0; i < (int)d.set.depth; i++) {
        mdm_graph_scope(g, "blocks.%d.", i);
        x = block(g, &d, x, condition);
    }
    mdm_graph_scope(g, "final_layer.");
    linear = layer(g, "linear", d.geo.patch * d.geo.patch * d.geo.outputs, d.set.dim, MDM_INIT_ZERO, 0);
    ada = layer(g, "adaLN_modulation.1", 2 * d.set.dim, d.set.dim, MDM_INIT_ZERO, 0);
    x = mdm_modulate(g, x, apply(g, condition, ada), SCALE, SHIFT, epsilon);
    ports->output = apply(g, x, linear);
    mdm_graph_output(g, ports->output);
}

const struct mdm_network mdm_dit = {
    .name = "dit",
    .kind = &mdm_dit_kind,
    .geometry = geometry,
    .record = record,
    .anchor = "final_layer.adaLN_modulation.1.weight",
};
