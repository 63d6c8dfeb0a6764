/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parameters and formula of a block.
 */
#include "model/uvit_block.h"

#include "model/layer.h"
#include "ops/ops.h"

static mdm_val vector(struct mdm_graph *g, const char *name, int64_t n, enum mdm_init init)
{
    return mdm_graph_param(g, name, mdm_shape1(n), init, 0);
}

static struct mdm_layer layer(struct mdm_graph *g, const char *name, int64_t made, int64_t taken)
{
    struct mdm_layer l = mdm_layer_make(g, name, made, taken, MDM_INIT_NORMAL, 0.02);

    mdm_graph_hidden(g, l.w, 1);
    return l;
}

/* Parameters of one block, asked for in the authors' order, which is not the order of use. */
struct block {
    mdm_val norm1[2], q, v, norm2[2]; /* pairs: weight, bias */
    struct mdm_layer qkv, proj, fc1, fc2, skip;
};

static struct block block_params(struct mdm_graph *g, const struct mdm_uvit_shape *u, int joined)
{
    struct block p;
    int64_t d = u->dim;

    p.norm1[0] = vector(g, "norm1.weight", d, MDM_INIT_ONE);
    p.norm1[1] = vector(g, "norm1.bias", d, MDM_INIT_ZERO);
    p.q = u->bias == MDM_UVIT_TWO_BIASES ? vector(g, "attn.q_bias", d, MDM_INIT_ZERO) : MDM_NONE;
    p.v = u->bias == MDM_UVIT_TWO_BIASES ? vector(g, "attn.v_bias", d, MDM_INIT_ZERO) : MDM_NONE;
    p.qkv.w = mdm_graph_param(g, "attn.qkv.weight", mdm_shape2(3 * d, d), MDM_INIT_NORMAL, 0.02);
    mdm_graph_hidden(g, p.qkv.w, 3);
    p.qkv.b = u->bias == MDM_UVIT_ONE_BIAS ? vector(g, "attn.qkv.bias", 3 * d, MDM_INIT_ZERO) : MDM_NONE;
    p.proj = layer(g, "attn.proj", d, d);
    p.norm2[0] = vector(g, "norm2.weight", d, MDM_INIT_ONE);
    p.norm2[1] = vector(g, "norm2.bias", d, MDM_INIT_ZERO);
    p.fc1 = layer(g, "mlp.fc1", u->hidden, d);
    p.fc2 = layer(g, "mlp.fc2", d, u->hidden);
    p.skip = joined ? layer(g, "skip_linear", d, 2 * d) : (struct mdm_layer){MDM_NONE, MDM_NONE};
    return p;
}

mdm_val mdm_stream_settle(struct mdm_graph *g, struct mdm_stream s)
{
    return s.r == MDM_NONE ? s.x : mdm_add(g, s.x, s.r);
}

struct mdm_stream mdm_uvit_block(struct mdm_graph *g, const struct mdm_uvit_shape *u, struct mdm_stream s,
                                 mdm_val skip, mdm_val *entered)
{
    struct block p = block_params(g, u, skip != MDM_NONE);
    mdm_val x = s.x, h;

    *entered = MDM_NONE;
    if (skip != MDM_NONE) {
        x = mdm_linear2(g, mdm_stream_settle(g, s), skip, p.skip.w, p.skip.b);
        h = mdm_layernorm(g, x, p.norm1[0], p.norm1[1], mdm_uvit_epsilon);
    } else {
        if (s.r != MDM_NONE)
            h = mdm_add_norm(g, &x, s.x, s.r, p.norm1[0], p.norm1[1], mdm_uvit_epsilon);
        else
            h = mdm_layernorm(g, x, p.norm1[0], p.norm1[1], mdm_uvit_epsilon);
        *entered = x;
    }
    h = mdm_layer_apply(g, h, p.qkv);
    if (p.q != MDM_NONE)
        h = mdm_qkv_bias(g, h, p.q, p.v);
    h = mdm_layer_apply(g, mdm_attention(g, h, u->heads), p.proj);
    h = mdm_add_norm(g, &x, x, h, p.norm2[0], p.norm2[1], mdm_uvit_epsilon);
    h = mdm_mlp(g, h, &(struct mdm_perceptron){p.fc1.w, p.fc1.b, p.fc2.w, p.fc2.b, 0});
    return (struct mdm_stream){x, h};
}
