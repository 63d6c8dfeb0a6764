/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the U-Net share: its options, read and checked, and its parts as recorders. Private to
 * src/model/unet*.c.
 *
 * A feature map is [B,H,W,C]. Every part asks for its parameters below the scope that is set.
 */
#ifndef MASKDM_MODEL_UNET_H
#define MASKDM_MODEL_UNET_H

#include "model/network.h"
#include "model/options.h"

enum { MDM_UNET_LEVELS = 12, MDM_UNET_LAYERS = 64 };

/* The blocks of one resolution, on the way down or up. */
struct mdm_unet_block {
    int64_t channels;
    int attends;                     /* after every residual block */
    enum mdm_unet_sampling sampling; /* of what leaves it for the next resolution */
};

struct mdm_unet {
    struct mdm_unet_options set;
    struct mdm_geometry geo;
    int levels;
    struct mdm_unet_block down[MDM_UNET_LEVELS], up[MDM_UNET_LEVELS]; /* in the order in which they run */
    int64_t time_dim;
    int64_t middle_groups; /* of the norm before the middle's attention; 0: no norm */
};

/* ---- unet_set.c ---- */
int mdm_unet_set(struct mdm_unet *u, const maskdm_options *o);

/* ---- unet_part.c ---- */
enum mdm_unet_change { MDM_UNET_SAME, MDM_UNET_DOWN, MDM_UNET_UP };
/* NAME.weight and NAME.bias: a convolution of 3 x 3 that keeps the sides, what PyTorch calls a linear layer, and
 * group norm with SiLU behind it; m: [B,2C] by which the norm's result is scaled and shifted, or MDM_NONE. */
mdm_val mdm_unet_conv(struct mdm_graph *g, mdm_val x, const char *name, int64_t made);
mdm_val mdm_unet_linear(struct mdm_graph *g, mdm_val x, const char *name, int64_t made);
mdm_val mdm_unet_norm_silu(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, const char *name, mdm_val m);
/* time: silu of the finished embedding. */
mdm_val mdm_unet_resnet(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, mdm_val time, int64_t made,
                        enum mdm_unet_change change);
/* groups 0: no norm. */
mdm_val mdm_unet_attention(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x, int64_t groups);
mdm_val mdm_unet_halve(struct mdm_graph *g, const struct mdm_unet *u, mdm_val x);
mdm_val mdm_unet_double(struct mdm_graph *g, mdm_val x);

#endif
