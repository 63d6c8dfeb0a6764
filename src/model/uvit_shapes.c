/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masked U-ViT's options from the shapes of its weights: all but the number of heads, which leaves no trace
 * there, and the sides of an image whose patches make no square.
 */
#include "model/network.h"

#include "base/error.h"
#include "model/options.h"
#include "model/shapes.h"
#include "tensorfile/tensorfile.h"

/* Names of what tells the shapes, as each form has them. */
struct names {
    const char *position, *patch, *fc1, *label, *bias, *time, *block;
};
static const struct names names[] = {
    {"encoder.encoder_pos_embed", "encoder.patch_embed.proj.weight", "encoder.mid_block.mlp.fc1.weight",
     "encoder.label_emb.weight", "encoder.mid_block.attn.q_bias", "encoder.time_embed.0.weight",
     "encoder.in_blocks."},
    {"pos_embed", "patch_embed.proj.weight", "mid_block.mlp.fc1.weight", "label_emb.weight",
     "mid_block.attn.qkv.bias", "time_embed.0.weight", "in_blocks."}};

static int set_form(maskdm_options *o, const struct mdm_tensorfile *s, const char *prefix, const struct names **n)
{
    const int original = mdm_shapes_find(s, prefix, names[MDM_UVIT_MASKED].position) < 0;

    *n = &names[original ? MDM_UVIT_ORIGINAL : MDM_UVIT_MASKED];
    if (original)
        MDM_TRY(mdm_options_set(o, "form", "original"));
    return mdm_shapes_set_bool(o, "conv", mdm_shapes_find(s, prefix, "final_layer.weight") >= 0);
}

int mdm_uvit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                         const char *prefix)
{
    const int64_t *position = NULL, *patch = NULL, *fc1 = NULL, *label = NULL;
    const struct names *n;
    int labelled;
    int64_t half;

    MDM_TRY(set_form(o, s, prefix, &n));
    labelled = mdm_shapes_find(s, prefix, n->label) >= 0;
    MDM_TRY(mdm_shapes_read(s, prefix, n->position, 3, &position));
    MDM_TRY(mdm_shapes_read(s, prefix, n->patch, 4, &patch));
    MDM_TRY(mdm_shapes_read(s, prefix, n->fc1, 2, &fc1));
    if (labelled)
        MDM_TRY(mdm_shapes_read(s, prefix, n->label, 2, &label));
    shown->patches = position[1] - (labelled ? 2 : 1);
    if (shown->patches < 1)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s%s\" has room for %lld patches", prefix, n->position,
                        (long long)shown->patches);
    shown->dim = patch[0];
    MDM_TRY(mdm_options_set_int(o, "dim", shown->dim));
    MDM_TRY(mdm_options_set_int(o, "channels", patch[1]));
    MDM_TRY(mdm_options_set_int(o, "patch_size", patch[2]));
    MDM_TRY(mdm_options_set_int(o, "classes", labelled ? label[0] : 0));
    MDM_TRY(mdm_shapes_set_bool(o, "qkv_bias", mdm_shapes_find(s, prefix, n->bias) >= 0));
    MDM_TRY(mdm_shapes_set_bool(o, "time_mlp", mdm_shapes_find(s, prefix, n->time) >= 0));
    MDM_TRY(mdm_shapes_set_ratio(o, fc1[0], patch[0]));
    half = mdm_shapes_count(s, prefix, n->block, ".norm1.weight");
    MDM_TRY(mdm_options_set_int(o, "depth", 2 * half + 1));
    return mdm_shapes_set_square(o, shown->patches, patch[2]);
}
