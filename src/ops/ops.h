/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The vocabulary of models. Each call checks shapes, records one node and returns its first result. What an
 * operation computes stands at its id in backend/backend.h.
 */
#ifndef MASKDM_OPS_OPS_H
#define MASKDM_OPS_OPS_H

#include "graph/graph.h"

maskdm_val maskdm_linear(struct maskdm_graph *g, maskdm_val x, maskdm_val w, maskdm_val b);
maskdm_val maskdm_linear_silu(struct maskdm_graph *g, maskdm_val x, maskdm_val w, maskdm_val b);
maskdm_val maskdm_linear2(struct maskdm_graph *g, maskdm_val x, maskdm_val s, maskdm_val w, maskdm_val b);
maskdm_val maskdm_gelu(struct maskdm_graph *g, maskdm_val x);
maskdm_val maskdm_layernorm(struct maskdm_graph *g, maskdm_val x, maskdm_val w, maskdm_val b);
/* The norm is returned, the sum goes to *sum. */
maskdm_val maskdm_add_norm(struct maskdm_graph *g, maskdm_val *sum, maskdm_val x, maskdm_val r, maskdm_val w,
                           maskdm_val b);
maskdm_val maskdm_add(struct maskdm_graph *g, maskdm_val x, maskdm_val r);
maskdm_val maskdm_qkv_bias(struct maskdm_graph *g, maskdm_val x, maskdm_val q, maskdm_val v);
maskdm_val maskdm_attention(struct maskdm_graph *g, maskdm_val qkv, int64_t heads);
maskdm_val maskdm_patchify(struct maskdm_graph *g, maskdm_val image, maskdm_val index, int64_t patch);
maskdm_val maskdm_timestep(struct maskdm_graph *g, maskdm_val t, int64_t width);
maskdm_val maskdm_embed(struct maskdm_graph *g, maskdm_val label, maskdm_val table, maskdm_val null_row);
maskdm_val maskdm_tokens(struct maskdm_graph *g, maskdm_val a, maskdm_val c, maskdm_val x, maskdm_val position,
                         maskdm_val index);
maskdm_val maskdm_trim(struct maskdm_graph *g, maskdm_val x, int64_t extras);

#endif
