/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A block of the U-ViT: attention and a hidden layer, each behind a norm and added to what came in.
 */
#ifndef MASKDM_MODEL_UVIT_BLOCK_H
#define MASKDM_MODEL_UVIT_BLOCK_H

#include "graph/graph.h"

static const double mdm_uvit_epsilon = 1e-5; /* of every norm */

/* What queries, keys and values have besides their product. */
enum mdm_uvit_bias { MDM_UVIT_NO_BIAS, MDM_UVIT_TWO_BIASES /* not the keys */, MDM_UVIT_ONE_BIAS };

struct mdm_uvit_shape {
    int64_t dim, hidden, heads;
    enum mdm_uvit_bias bias;
};

/* The residual stream between blocks: x, plus r where that sum is still to be taken, since it is cheapest together
 * with the norm that follows. */
struct mdm_stream {
    mdm_val x, r;
};
mdm_val mdm_stream_settle(struct mdm_graph *g, struct mdm_stream s);

/* Its parameters stand under the scope that is set. skip: what the stream is joined to first, or MDM_NONE. *entered
 * is the stream's sum as it came in, MDM_NONE when joined. */
struct mdm_stream mdm_uvit_block(struct mdm_graph *g, const struct mdm_uvit_shape *u, struct mdm_stream s,
                                 mdm_val skip, mdm_val *entered);

#endif
