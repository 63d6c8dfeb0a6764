/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a checkpoint of DiT shows: its options from the shapes of its weights. How many heads there are leaves no
 * trace there; the authors' have 64 values each, but for the largest, whose 16 have 72.
 */
#include "model/network.h"

#include "base/error.h"
#include "model/shapes.h"

#include <string.h>

enum { LARGEST_DIM = 1152, LARGEST_HEADS = 16 };

int mdm_dit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                        const char *prefix)
{
    const int64_t *position = NULL, *patch = NULL, *fc1 = NULL, *last = NULL, *table = NULL;

    MDM_TRY(mdm_shapes_read(s, prefix, "pos_embed", 3, &position));
    MDM_TRY(mdm_shapes_read(s, prefix, "x_embedder.proj.weight", 4, &patch));
    MDM_TRY(mdm_shapes_read(s, prefix, "blocks.0.mlp.fc1.weight", 2, &fc1));
    MDM_TRY(mdm_shapes_read(s, prefix, "final_layer.linear.weight", 2, &last));
    if (mdm_shapes_find(s, prefix, "y_embedder.embedding_table.weight") >= 0)
        MDM_TRY(mdm_shapes_read(s, prefix, "y_embedder.embedding_table.weight", 2, &table));
    shown->patches = position[1];
    shown->dim = position[2];
    shown->heads = shown->dim == LARGEST_DIM ? LARGEST_HEADS : 0;
    MDM_TRY(mdm_options_set_int(o, "dim", shown->dim));
    MDM_TRY(mdm_options_set_int(o, "channels", patch[1]));
    MDM_TRY(mdm_options_set_int(o, "patch_size", patch[2]));
    MDM_TRY(mdm_options_set_int(o, "classes", table ? table[0] - 1 : 0));
    MDM_TRY(mdm_options_set_int(o, "depth", mdm_shapes_count(s, prefix, "blocks.", ".attn.qkv.weight")));
    MDM_TRY(mdm_shapes_set_bool(o, "learn_sigma", last[0] / patch[1] / patch[2] / patch[2] >= 2));
    MDM_TRY(mdm_shapes_set_ratio(o, fc1[0], shown->dim));
    return mdm_shapes_set_square(o, shown->patches, patch[2]);
}

/* The authors' training: 1000 whole times of the linear schedule, and noise predicted. */
int mdm_dit_read_scheduler(maskdm_options *o, const struct mdm_tensorfile *s)
{
    (void)s;
    return mdm_options_parse(o, "process=discrete schedule=linear timesteps=1000 prediction=noise");
}

/* 250 of these times, both ends among them, by the variance that the network says; one without has the larger of
 * those that are fixed. */
int mdm_dit_read_sampler(maskdm_options *o, const maskdm_options *network)
{
    const int says = !strcmp(mdm_options_text(network, "learn_sigma"), "true");

    MDM_TRY(mdm_options_parse(o, "sampler=ddpm steps=250 spacing=linspace clip=false"));
    return mdm_options_set(o, "variance", says ? "learned_range" : "fixed_large");
}
