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
    [MDM_UVIT_MASKED] = {"encoder.encoder_pos_embed", "encoder.patch_embed.proj.weight",
                         "encoder.mid_block.mlp.fc1.weight", "encoder.label_emb.weight",
                         "encoder.mid_block.attn.q_bias", "encoder.time_embed.0.weight", "encoder.in_blocks."},
    [MDM_UVIT_ORIGINAL] = {"pos_embed", "patch_embed.proj.weight", "mid_block.mlp.fc1.weight", "label_emb.weight",
                           "mid_block.attn.qkv.bias", "time_embed.0.weight", "in_blocks."},
    [MDM_UVIT_WAVELET] = {"encoder.encoder_pos_embed", "encoder.approx_patch_embed.proj.weight",
                          "encoder.mid_block.mlp.fc1.weight", "encoder.label_emb.weight",
                          "encoder.mid_block.attn.q_bias", "encoder.time_embed.0.weight", "encoder.in_blocks."}};

static int set_form(maskdm_options *o, const struct mdm_tensorfile *s, const char *prefix, const struct names **n)
{
    enum mdm_uvit_form form = MDM_UVIT_ORIGINAL;

    if (mdm_shapes_find(s, prefix, names[MDM_UVIT_WAVELET].patch) >= 0)
        form = MDM_UVIT_WAVELET;
    else if (mdm_shapes_find(s, prefix, names[MDM_UVIT_MASKED].position) >= 0)
        form = MDM_UVIT_MASKED;
    *n = &names[form];
    if (form == MDM_UVIT_WAVELET && mdm_shapes_find(s, prefix, "approx_encoder_to_decoder.weight") >= 0)
        return mdm_fail(MASKDM_ENOTSUP, "wavelets with decoders behind the blocks (decoder_depth) are not built");
    if (form != MDM_UVIT_MASKED)
        MDM_TRY(mdm_options_set(o, "form", form == MDM_UVIT_WAVELET ? "wavelet" : "original"));
    return mdm_shapes_set_bool(o, "conv", mdm_shapes_find(s, prefix, "final_layer.weight") >= 0);
}

/* Patches of details are scale times as wide as those of the approximation, so that there are scale^2 times fewer;
 * a patch of either is of coefficients, each of two pixels' width. */
static int set_wavelets(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                        const char *prefix, const int64_t *patch)
{
    const int64_t *detail = NULL;
    int64_t scale;

    MDM_TRY(mdm_shapes_read(s, prefix, "encoder.detail_patch_embed.proj.weight", 4, &detail));
    scale = detail[2] / patch[2];
    if (detail[1] != 3 * patch[1] || scale < 1 || detail[2] != scale * patch[2] ||
        shown->patches % (scale * scale + 1))
        return mdm_fail(
            MASKDM_EFORMAT,
            "\"%sencoder.detail_patch_embed.proj.weight\" has %lld channels and patches of %lld, which do "
            "not go with %lld channels and patches of %lld of the approximation",
            prefix, (long long)detail[1], (long long)detail[2], (long long)patch[1], (long long)patch[2]);
    shown->patches = shown->patches / (scale * scale + 1) * scale * scale;
    MDM_TRY(mdm_options_set_int(o, "detail_scale", scale));
    return mdm_shapes_set_square(o, shown->patches, 2 * patch[2]);
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
    if (n == &names[MDM_UVIT_WAVELET])
        return set_wavelets(o, shown, s, prefix, patch);
    return mdm_shapes_set_square(o, shown->patches, patch[2]);
}
