/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the transformers with adaLN have in common: linear layers by their authors' names and starts, the embedding of
 * the time, and the order in which a projection of the condition has its rows.
 */
#ifndef MASKDM_MODEL_LAYER_H
#define MASKDM_MODEL_LAYER_H

#include "graph/graph.h"

struct mdm_layer {
    mdm_val w, b;
};

/* NAME.weight[made,taken] as told, NAME.bias[made] zero. */
struct mdm_layer mdm_layer_make(struct mdm_graph *g, const char *name, int64_t made, int64_t taken,
                                enum mdm_init init, double scale);
/* The same with the weight even within mdm_layer_bound(). */
struct mdm_layer mdm_layer_spread(struct mdm_graph *g, const char *name, int64_t made, int64_t taken);
/* Glorot and Bengio's bound for a uniform start. */
double mdm_layer_bound(int64_t made, int64_t taken);
/* The same within a block, whose weight is that of so many hidden matrices. */
struct mdm_layer mdm_layer_hidden(struct mdm_graph *g, const char *name, int64_t made, int64_t taken, int parts);
/* The same with or without a bias, and started in another way within that bound. */
struct mdm_layer mdm_layer_start(struct mdm_graph *g, const char *name, int64_t made, int64_t taken, int bias,
                                 enum mdm_init init, int parts);
mdm_val mdm_layer_apply(struct mdm_graph *g, mdm_val x, struct mdm_layer l);

/* t_embedder: two layers over the sinusoids of the time, [B,dim]. shift: as of mdm_timestep_spaced(). */
mdm_val mdm_layer_time(struct mdm_graph *g, mdm_val time, int64_t dim, double shift);

/* Rows of a block's projection of the condition: those of attention, and as many behind them of the hidden layer. */
enum { MDM_SHIFT, MDM_SCALE, MDM_GATE, MDM_BRANCH, MDM_BRANCHES = 2 };

#endif
