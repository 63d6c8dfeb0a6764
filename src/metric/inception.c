/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inception-v3 (Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016) as the FID
 * has it: the network of TensorFlow's checkpoint of 2015-12-05, whose averages leave zeros around an image out, and
 * whose last block pools by the largest. Parameters are named as pytorch-fid names its modules; what its batch norms
 * do is folded into the weights.
 */
#include "metric/extractor.h"

#include "ops/ops.h"

enum { SIDE = 299, WIDTH = 2048 };

static const struct mdm_stride alone = {1, 0, 0}, around = {1, 1, 1}, half = {2, 0, 0};

/* Windows of tall x wide; odd ones that move by one pixel keep an image's size. */
struct window {
    int64_t tall, wide, step;
    int keeps;
};
static const struct window point = {1, 1, 1, 1}, three = {3, 3, 1, 1}, five = {5, 5, 1, 1}, row7 = {1, 7, 1, 1},
                           column7 = {7, 1, 1, 1}, row3 = {1, 3, 1, 1}, column3 = {3, 1, 1, 1}, valid = {3, 3, 1, 0},
                           halving = {3, 3, 2, 0};

/* block NULL: none. */
static mdm_val conv(struct mdm_graph *g, const char *block, const char *name, mdm_val x, int64_t made,
                    struct window w)
{
    const int64_t down = w.keeps ? w.tall / 2 : 0, across = w.keeps ? w.wide / 2 : 0;
    const struct mdm_shape shape = mdm_shape4(made, mdm_graph_shape(g, x).d[3], w.tall, w.wide);
    mdm_val weight, bias;

    mdm_graph_scope(g, "%s%s%s.", block ? block : "", block ? "." : "", name);
    weight = mdm_graph_param(g, "weight", shape, MDM_INIT_ZERO, 0);
    bias = mdm_graph_param(g, "bias", mdm_shape1(made), MDM_INIT_ZERO, 0);
    return mdm_relu(
        g, mdm_conv_beside(g, x, weight, bias, MDM_NONE, (struct mdm_stride){w.step, down, down}, across - down));
}

static mdm_val join4(struct mdm_graph *g, mdm_val a, mdm_val b, mdm_val c, mdm_val d)
{
    return mdm_concat(g, mdm_concat(g, a, b, MDM_NONE), c, d);
}

static mdm_val block_a(struct mdm_graph *g, const char *block, mdm_val x, int64_t pooled)
{
    mdm_val one = conv(g, block, "branch1x1", x, 64, point), five_by, twice, pool;

    five_by = conv(g, block, "branch5x5_1", x, 48, point);
    five_by = conv(g, block, "branch5x5_2", five_by, 64, five);
    twice = conv(g, block, "branch3x3dbl_1", x, 64, point);
    twice = conv(g, block, "branch3x3dbl_2", twice, 96, three);
    twice = conv(g, block, "branch3x3dbl_3", twice, 96, three);
    pool = conv(g, block, "branch_pool", mdm_average_pool(g, x, 3, around), pooled, point);
    return join4(g, one, five_by, twice, pool);
}

static mdm_val block_b(struct mdm_graph *g, const char *block, mdm_val x)
{
    mdm_val once = conv(g, block, "branch3x3", x, 384, halving), twice;

    twice = conv(g, block, "branch3x3dbl_1", x, 64, point);
    twice = conv(g, block, "branch3x3dbl_2", twice, 96, three);
    twice = conv(g, block, "branch3x3dbl_3", twice, 96, halving);
    return mdm_concat(g, once, twice, mdm_max_pool(g, x, 3, half));
}

static mdm_val block_c(struct mdm_graph *g, const char *block, mdm_val x, int64_t inner)
{
    mdm_val one = conv(g, block, "branch1x1", x, 192, point), seven, twice, pool;

    seven = conv(g, block, "branch7x7_1", x, inner, point);
    seven = conv(g, block, "branch7x7_2", seven, inner, row7);
    seven = conv(g, block, "branch7x7_3", seven, 192, column7);
    twice = conv(g, block, "branch7x7dbl_1", x, inner, point);
    twice = conv(g, block, "branch7x7dbl_2", twice, inner, column7);
    twice = conv(g, block, "branch7x7dbl_3", twice, inner, row7);
    twice = conv(g, block, "branch7x7dbl_4", twice, inner, column7);
    twice = conv(g, block, "branch7x7dbl_5", twice, 192, row7);
    pool = conv(g, block, "branch_pool", mdm_average_pool(g, x, 3, around), 192, point);
    return join4(g, one, seven, twice, pool);
}

static mdm_val block_d(struct mdm_graph *g, const char *block, mdm_val x)
{
    mdm_val once = conv(g, block, "branch3x3_1", x, 192, point), seven;

    once = conv(g, block, "branch3x3_2", once, 320, halving);
    seven = conv(g, block, "branch7x7x3_1", x, 192, point);
    seven = conv(g, block, "branch7x7x3_2", seven, 192, row7);
    seven = conv(g, block, "branch7x7x3_3", seven, 192, column7);
    seven = conv(g, block, "branch7x7x3_4", seven, 192, halving);
    return mdm_concat(g, once, seven, mdm_max_pool(g, x, 3, half));
}

static mdm_val block_e(struct mdm_graph *g, const char *block, mdm_val x, int largest)
{
    mdm_val one = conv(g, block, "branch1x1", x, 320, point), once, twice, a, b, pool;

    once = conv(g, block, "branch3x3_1", x, 384, point);
    a = conv(g, block, "branch3x3_2a", once, 384, row3);
    b = conv(g, block, "branch3x3_2b", once, 384, column3);
    once = mdm_concat(g, a, b, MDM_NONE);
    twice = conv(g, block, "branch3x3dbl_1", x, 448, point);
    twice = conv(g, block, "branch3x3dbl_2", twice, 384, three);
    a = conv(g, block, "branch3x3dbl_3a", twice, 384, row3);
    b = conv(g, block, "branch3x3dbl_3b", twice, 384, column3);
    twice = mdm_concat(g, a, b, MDM_NONE);
    pool = largest ? mdm_max_pool(g, x, 3, around) : mdm_average_pool(g, x, 3, around);
    pool = conv(g, block, "branch_pool", pool, 192, point);
    return join4(g, one, once, twice, pool);
}

static mdm_val record(struct mdm_graph *g, mdm_val image)
{
    mdm_val x = conv(g, NULL, "Conv2d_1a_3x3", image, 32, halving);

    x = conv(g, NULL, "Conv2d_2a_3x3", x, 32, valid);
    x = conv(g, NULL, "Conv2d_2b_3x3", x, 64, three);
    x = mdm_max_pool(g, x, 3, half);
    x = conv(g, NULL, "Conv2d_3b_1x1", x, 80, point);
    x = conv(g, NULL, "Conv2d_4a_3x3", x, 192, valid);
    x = mdm_max_pool(g, x, 3, half);
    x = block_a(g, "Mixed_5b", x, 32);
    x = block_a(g, "Mixed_5c", x, 64);
    x = block_a(g, "Mixed_5d", x, 64);
    x = block_b(g, "Mixed_6a", x);
    x = block_c(g, "Mixed_6b", x, 128);
    x = block_c(g, "Mixed_6c", x, 160);
    x = block_c(g, "Mixed_6d", x, 160);
    x = block_c(g, "Mixed_6e", x, 192);
    x = block_d(g, "Mixed_7a", x);
    x = block_e(g, "Mixed_7b", x, 0);
    x = block_e(g, "Mixed_7c", x, 1);
    return mdm_average_pool(g, x, mdm_graph_shape(g, x).d[1], alone);
}

const struct mdm_extractor_class mdm_extractor_inception = {
    .name = "inception-v3", .side = SIDE, .width = WIDTH, .batch = 8, .record = record};
