/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plain transformer for pixels: large patches through a narrow embedding, RMSNorm, SwiGLU, positions that turn
 * queries and keys, adaLN for time and class, and from a given block on the class once more, as tokens in front.
 *
 * Li and He, "Back to Basics: Let Denoising Generative Models Denoise", arXiv 2511.13720. Parameters have the
 * authors' names and order, and start as theirs do: every block begins as the identity, and the prediction as zero.
 */
#include "model/network.h"

#include "model/layer.h"
#include "model/options.h"
#include "model/passage.h"
#include "ops/ops.h"

static const double epsilon = 1e-6; /* of every norm */

struct jit {
    struct mdm_jit_options set;
    struct mdm_geometry geo;
    struct mdm_routing routing;
    int64_t hidden, width; /* of SwiGLU's product, and of a head */
};

static int check_context(struct mdm_jit_options *s, const maskdm_options *o)
{
    if (s->in_context_start < 0)
        s->in_context_start = s->depth / 3;
    if (s->in_context_len && s->in_context_start >= s->depth)
        return mdm_fail(MASKDM_EINVAL, "%s %lld leaves none of the %lld blocks to %s %lld",
                        mdm_options_said(o, "in_context_start"), (long long)s->in_context_start, (long long)s->depth,
                        mdm_options_said(o, "in_context_len"), (long long)s->in_context_len);
    return MASKDM_OK;
}

static int read_options(struct jit *j, const maskdm_options *o)
{
    struct mdm_jit_options *s = &j->set;

    mdm_options_read(o, &mdm_jit_options, s);
    MDM_TRY(mdm_geometry_set(&j->geo, o, &s->image_size, s->patch_size, s->channels, s->classes));
    MDM_TRY(mdm_geometry_check_blocks(o, s->dim, s->depth, s->heads, s->mlp_ratio));
    j->width = s->dim / s->heads;
    if (j->width % 4)
        return mdm_fail(MASKDM_EINVAL,
                        "%s %lld in %s %lld makes heads of %lld, no multiple of 4: half of their pairs are turned by "
                        "the row, half by the column",
                        mdm_options_said(o, "dim"), (long long)s->dim, mdm_options_said(o, "heads"),
                        (long long)s->heads, (long long)j->width);
    j->hidden = (int64_t)((double)s->dim * s->mlp_ratio) * 2 / 3;
    if (j->hidden < 1)
        return mdm_fail(MASKDM_EINVAL, "two thirds of %s %g times %s %lld make no hidden layer",
                        mdm_options_said(o, "mlp_ratio"), s->mlp_ratio, mdm_options_said(o, "dim"),
                        (long long)s->dim);
    MDM_TRY(check_context(s, o));
    return mdm_routing_read(&j->routing, o, &j->geo, s->depth, &s->ways, 0);
}

static int geometry(struct mdm_geometry *out, const maskdm_options *options)
{
    struct jit j;

    MDM_TRY(read_options(&j, options));
    *out = j.geo;
    return MASKDM_OK;
}

static int routing(struct mdm_routing *out, const maskdm_options *options)
{
    struct jit j;

    MDM_TRY(read_options(&j, options));
    *out = j.routing;
    return MASKDM_OK;
}

static mdm_val norm_weight(struct mdm_graph *g, const char *name, int64_t n)
{
    return mdm_graph_param(g, name, mdm_shape1(n), MDM_INIT_ONE, 0);
}

/* Parameters are asked for in the authors' order, which is not the order of use. */
static mdm_val block(struct mdm_graph *g, const struct jit *j, mdm_val x, mdm_val condition, mdm_val angles)
{
    const int64_t dim = j->set.dim;
    mdm_val norm1 = norm_weight(g, "norm1.weight", dim);
    mdm_val q = norm_weight(g, "attn.q_norm.weight", j->width), k = norm_weight(g, "attn.k_norm.weight", j->width);
    struct mdm_layer qkv = mdm_layer_hidden(g, "attn.qkv", 3 * dim, dim, 3);
    struct mdm_layer proj = mdm_layer_hidden(g, "attn.proj", dim, dim, 1);
    mdm_val norm2 = norm_weight(g, "norm2.weight", dim);
    struct mdm_layer w12 = mdm_layer_hidden(g, "mlp.w12", 2 * j->hidden, dim, 2);
    struct mdm_layer w3 = mdm_layer_hidden(g, "mlp.w3", dim, j->hidden, 1);
    struct mdm_layer ada =
        mdm_layer_make(g, "adaLN_modulation.1", MDM_BRANCHES * MDM_BRANCH * dim, dim, MDM_INIT_ZERO, 0);
    mdm_val m = mdm_layer_apply(g, condition, ada), h;

    h = mdm_layer_apply(g, mdm_rms_modulate(g, x, norm1, m, MDM_SCALE, MDM_SHIFT, epsilon), qkv);
    h = mdm_attention(g, mdm_qk_rotate(g, h, q, k, angles, j->set.heads, epsilon), j->set.heads);
    x = mdm_gate_add(g, x, mdm_layer_apply(g, h, proj), m, MDM_GATE);
    h = mdm_rms_modulate(g, x, norm2, m, MDM_BRANCH + MDM_SCALE, MDM_BRANCH + MDM_SHIFT, epsilon);
    h = mdm_layer_apply(g, mdm_swiglu(g, mdm_layer_apply(g, h, w12)), w3);
    return mdm_gate_add(g, x, h, m, MDM_BRANCH + MDM_GATE);
}

/* What all blocks are given beside the tokens. */
struct given {
    mdm_val position, context; /* rows of places and of the tokens in front; MDM_NONE: there are none of these */
    mdm_val class, condition;  /* of each image: its class's row, and silu(time + class) */
};

/* The table's last row is the null class, the only one of a network without labels. */
static struct given embed_condition(struct mdm_graph *g, const struct jit *j, const struct mdm_ports *in)
{
    const int64_t dim = j->set.dim, length = j->set.in_context_len;
    struct given made = {.context = MDM_NONE};
    mdm_val time, table;

    made.position =
        mdm_graph_frozen(g, "pos_embed", mdm_shape3(1, j->geo.patches, dim), MDM_INIT_GRID, (double)j->geo.columns);
    if (length)
        made.context = mdm_graph_param(g, "in_context_posemb", mdm_shape3(1, length, dim), MDM_INIT_NORMAL, 0.02);
    time = mdm_layer_time(g, in->time, dim, 0);
    table = mdm_graph_param(g, "y_embedder.embedding_table.weight", mdm_shape2(j->geo.classes + 1, dim),
                            MDM_INIT_NORMAL, 0.02);
    mdm_graph_means(g, table, MDM_MEANS_CLASSES);
    made.class = mdm_embed(g, in->label, table, MDM_NONE);
    made.condition = mdm_silu(g, mdm_add(g, time, made.class));
    return made;
}

/* The visible patches at their positions, first made narrow. */
static mdm_val embed(struct mdm_graph *g, const struct jit *j, const struct mdm_ports *in, mdm_val position)
{
    const int64_t dim = j->set.dim, narrow = j->set.bottleneck, c = j->geo.channels, p = j->geo.patch;
    mdm_val first, w, b, x;

    first = mdm_graph_param(g, "x_embedder.proj1.weight", mdm_shape4(narrow, c, p, p), MDM_INIT_UNIFORM,
                            mdm_layer_bound(narrow, c * p * p));
    mdm_graph_means(g, first, MDM_MEANS_PATCH_IN);
    w = mdm_graph_param(g, "x_embedder.proj2.weight", mdm_shape4(dim, narrow, 1, 1), MDM_INIT_UNIFORM,
                        mdm_layer_bound(dim, narrow));
    b = mdm_graph_param(g, "x_embedder.proj2.bias", mdm_shape1(dim), MDM_INIT_ZERO, 0);
    x = mdm_linear(g, mdm_patchify(g, in->seen, in->index, p), first, MDM_NONE);
    return mdm_tokens(g, NULL, 0, mdm_linear(g, x, w, b), position, in->index);
}

static mdm_val find_angles(struct mdm_graph *g, const struct jit *j, const struct mdm_ports *in, mdm_val keep)
{
    return mdm_angles(g, in->index, keep, j->geo.rows, j->geo.columns, j->width);
}

/* All blocks, and the patches alone behind them. Those that take part in a route do so at their own places' angles;
 * tokens in context that begin within one go before both sequences. */
static mdm_val trunk(struct mdm_graph *g, const struct jit *j, mdm_val x, const struct given *given,
                     const struct mdm_ports *in, const struct mdm_extent *e)
{
    const int depth = (int)j->set.depth, start = given->context == MDM_NONE ? depth : (int)j->set.in_context_start;
    struct mdm_passage p = mdm_passage_make(&j->routing, in, e);
    mdm_val all = MDM_NONE, some = MDM_NONE;

    for (int i = 0; i < depth; i++) {
        const int64_t extras = i >= start ? j->set.in_context_len : 0;

        mdm_graph_scope(g, "blocks.%d.", i);
        if (i == start && !p.silent)
            x = mdm_context(g, x, given->class, given->context);
        if (i == start && p.whole != MDM_NONE)
            p.whole = mdm_context(g, p.whole, given->class, given->context);
        if (mdm_passage_begins(&p, i))
            x = mdm_passage_enter(g, &p, i, x, extras);
        if (p.keep == MDM_NONE && all == MDM_NONE && !p.silent)
            all = find_angles(g, j, in, MDM_NONE);
        if (p.keep != MDM_NONE && some == MDM_NONE)
            some = find_angles(g, j, in, p.keep);
        if (!p.silent)
            x = block(g, j, x, given->condition, p.keep == MDM_NONE ? all : some);
        if (!mdm_passage_ends(&p, i))
            continue;
        x = mdm_passage_leave(g, &p, x, extras);
        some = MDM_NONE;
    }
    return given->context == MDM_NONE ? x : mdm_trim(g, x, j->set.in_context_len);
}

static void record(struct mdm_graph *g, struct mdm_ports *ports, const maskdm_options *options, struct mdm_extent e)
{
    struct jit j;
    struct mdm_layer linear, ada;
    struct given given;
    mdm_val x, norm;
    int rc = read_options(&j, options);

    if (rc < 0) {
        mdm_failure_take(&g->failure, rc);
        return;
    }
    mdm_ports_image(g, ports, mdm_shape4(e.batch, j.geo.height, j.geo.width, j.geo.channels));
    ports->index = mdm_graph_input(g, MDM_I32, mdm_shape2(e.batch, e.visible));
    mdm_passage_ports(g, ports, &j.routing, &e);
    ports->time = mdm_graph_input(g, MDM_F64, mdm_shape1(e.batch));
    ports->label = mdm_graph_input(g, MDM_I32, mdm_shape1(e.batch));

    given = embed_condition(g, &j, ports);
    x = trunk(g, &j, embed(g, &j, ports, given.position), &given, ports, &e);
    mdm_graph_scope(g, "final_layer.");
    norm = norm_weight(g, "norm_final.weight", j.set.dim);
    linear = mdm_layer_make(g, "linear", j.geo.patch * j.geo.patch * j.geo.channels, j.set.dim, MDM_INIT_ZERO, 0);
    mdm_graph_means(g, linear.w, MDM_MEANS_PATCH_OUT);
    mdm_graph_means(g, linear.b, MDM_MEANS_PATCH_OUT);
    ada = mdm_layer_make(g, "adaLN_modulation.1", 2 * j.set.dim, j.set.dim, MDM_INIT_ZERO, 0);
    x = mdm_rms_modulate(g, x, norm, mdm_layer_apply(g, given.condition, ada), MDM_SCALE, MDM_SHIFT, epsilon);
    mdm_ports_output(g, ports, mdm_layer_apply(g, x, linear));
}

const struct mdm_network mdm_jit = {
    .name = "jit",
    .kind = &mdm_jit_kind,
    .geometry = geometry,
    .record = record,
    .routing = routing,
    .anchor = "x_embedder.proj1.weight",
    .average = "model_ema1",
    .read_shapes = mdm_jit_read_shapes,
    .read_scheduler = mdm_jit_read_scheduler,
    .read_sampler = mdm_jit_read_sampler,
};
