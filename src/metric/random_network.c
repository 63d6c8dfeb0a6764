/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A convolutional network of random weights, for who has no trained one at hand. It needs no file, is the same
 * everywhere and for ever, and tells noise, blur and what compression leaves from images as they are; of what is in
 * an image it knows nothing. What it says is no FID, and compares with itself alone.
 *
 * Four convolutions, each but the first to half the size, and the means of all maps behind each of them.
 */
#include "metric/extractor.h"

#include "ops/ops.h"

#include <math.h>

enum { SIDE = 64, FIRST = 32, LEVELS = 4, WIDTH = 480 };

static mdm_val level(struct mdm_graph *g, mdm_val x, int64_t made, int64_t step)
{
    const int64_t taken = mdm_graph_shape(g, x).d[3];
    const mdm_val w =
        mdm_graph_param(g, "weight", mdm_shape4(made, taken, 3, 3), MDM_INIT_NORMAL, sqrt(2 / (9.0 * (double)taken)));

    return mdm_relu(g, mdm_conv(g, x, w, MDM_NONE, MDM_NONE, (struct mdm_stride){step, 1, 1}));
}

static mdm_val record(struct mdm_graph *g, mdm_val image)
{
    mdm_val x = image, mean[LEVELS];

    for (int64_t i = 0; i < LEVELS; i++) {
        mdm_graph_scope(g, "level%lld.", (long long)i);
        x = level(g, x, FIRST << i, i ? 2 : 1);
        mean[i] = mdm_average_pool(g, x, mdm_graph_shape(g, x).d[1], (struct mdm_stride){1, 0, 0});
    }
    return mdm_concat(g, mdm_concat(g, mean[0], mean[1], MDM_NONE), mean[2], mean[3]);
}

const struct mdm_extractor_class mdm_extractor_random = {
    .name = "random-network-1", .side = SIDE, .width = WIDTH, .batch = 32, .record = record};
