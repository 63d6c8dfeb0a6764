/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Layers of the transformers with adaLN.
 */
#include "model/layer.h"

#include "ops/ops.h"

#include <math.h>

enum { TIME_WIDTH = 256 }; /* of the sinusoids of the time */

struct mdm_layer mdm_layer_make(struct mdm_graph *g, const char *name, int64_t made, int64_t taken,
                                enum mdm_init init, double scale)
{
    char full[64];
    struct mdm_layer l;

    mdm_format(full, sizeof full, "%s.weight", name);
    l.w = mdm_graph_param(g, full, mdm_shape2(made, taken), init, scale);
    mdm_format(full, sizeof full, "%s.bias", name);
    l.b = mdm_graph_param(g, full, mdm_shape1(made), MDM_INIT_ZERO, 0);
    return l;
}

double mdm_layer_bound(int64_t made, int64_t taken)
{
    return sqrt(6.0 / (double)(made + taken));
}

struct mdm_layer mdm_layer_spread(struct mdm_graph *g, const char *name, int64_t made, int64_t taken)
{
    return mdm_layer_make(g, name, made, taken, MDM_INIT_UNIFORM, mdm_layer_bound(made, taken));
}

struct mdm_layer mdm_layer_start(struct mdm_graph *g, const char *name, int64_t made, int64_t taken, int bias,
                                 enum mdm_init init, int parts)
{
    struct mdm_layer l = {MDM_NONE, MDM_NONE};
    char full[64];

    mdm_format(full, sizeof full, "%s.weight", name);
    l.w = mdm_graph_hidden(g, mdm_graph_param(g, full, mdm_shape2(made, taken), init, mdm_layer_bound(made, taken)),
                           parts);
    mdm_format(full, sizeof full, "%s.bias", name);
    if (bias)
        l.b = mdm_graph_param(g, full, mdm_shape1(made), MDM_INIT_ZERO, 0);
    return l;
}

struct mdm_layer mdm_layer_hidden(struct mdm_graph *g, const char *name, int64_t made, int64_t taken, int parts)
{
    return mdm_layer_start(g, name, made, taken, 1, MDM_INIT_UNIFORM, parts);
}

mdm_val mdm_layer_apply(struct mdm_graph *g, mdm_val x, struct mdm_layer l)
{
    return mdm_linear(g, x, l.w, l.b);
}

mdm_val mdm_layer_time(struct mdm_graph *g, mdm_val time, int64_t dim, double shift)
{
    mdm_val waves = mdm_timestep_spaced(g, time, TIME_WIDTH, 0, shift);
    struct mdm_layer first = mdm_layer_make(g, "t_embedder.mlp.0", dim, TIME_WIDTH, MDM_INIT_NORMAL, 0.02);
    struct mdm_layer second = mdm_layer_make(g, "t_embedder.mlp.2", dim, dim, MDM_INIT_NORMAL, 0.02);

    return mdm_layer_apply(g, mdm_linear_silu(g, waves, first.w, first.b), second);
}
