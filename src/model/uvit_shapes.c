/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masked U-ViT's options from the shapes of its weights: all but the number of heads, which leaves no trace
 * there, and the sides of an image whose patches make no square.
 */
#include "model/network.h"

#include "base/error.h"
#include "model/options.h"
#include "tensorfile/tensorfile.h"
#include "text/text.h"

#include <math.h>

enum { NAME_LENGTH = 256 };

static int64_t find(const struct mdm_tensorfile *s, const char *prefix, const char *name)
{
    char full[NAME_LENGTH];

    mdm_format(full, sizeof full, "%s%s", prefix, name);
    return mdm_tensorfile_find(s, full);
}

/* The shape of a weight that every such network has. */
static int read_shape(const struct mdm_tensorfile *s, const char *prefix, const char *name, int rank,
                      const int64_t **shape)
{
    const int64_t at = find(s, prefix, name);

    if (at < 0)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s%s\" of the network is missing", prefix, name);
    if (s->tensor[at].rank != rank)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s%s\" has %d dimensions, the network's has %d", prefix, name,
                        s->tensor[at].rank, rank);
    *shape = s->tensor[at].shape;
    for (int i = 0; i < rank; i++)
        if ((*shape)[i] < 1)
            return mdm_fail(MASKDM_EFORMAT, "tensor \"%s%s\" is empty", prefix, name);
    return MASKDM_OK;
}

static int set_bool(maskdm_options *o, const char *name, int value)
{
    return mdm_options_set(o, name, value ? "true" : "false");
}

/* The network takes the whole part of dim * ratio: a quotient that was rounded down would lose one. */
static int set_ratio(maskdm_options *o, int64_t hidden, int64_t dim)
{
    double ratio = (double)hidden / (double)dim;
    struct mdm_text text = {0};
    int status;

    if ((int64_t)((double)dim * ratio) < hidden)
        ratio = nextafter(ratio, INFINITY);
    mdm_text_add_double(&text, ratio);
    status = mdm_text_ok(&text);
    if (status == MASKDM_OK)
        status = mdm_options_set(o, "mlp_ratio", text.data);
    mdm_text_free(&text);
    return status;
}

/* Names of what tells the shapes, as each form has them. */
struct names {
    const char *position, *patch, *fc1, *label, *bias, *time, *block;
};
static const struct names names[] = {
    {"encoder.encoder_pos_embed", "encoder.patch_embed.proj.weight", "encoder.mid_block.mlp.fc1.weight",
     "encoder.label_emb.weight", "encoder.mid_block.attn.q_bias", "encoder.time_embed.0.weight", "encoder.in_blocks"},
    {"pos_embed", "patch_embed.proj.weight", "mid_block.mlp.fc1.weight", "label_emb.weight",
     "mid_block.attn.qkv.bias", "time_embed.0.weight", "in_blocks"}};

static int set_depth(maskdm_options *o, const struct mdm_tensorfile *s, const char *prefix, const char *block)
{
    int64_t half = 0;

    for (;; half++) {
        char name[64];

        mdm_format(name, sizeof name, "%s.%lld.norm1.weight", block, (long long)half);
        if (find(s, prefix, name) < 0)
            return mdm_options_set_int(o, "depth", 2 * half + 1);
    }
}

static int set_form(maskdm_options *o, const struct mdm_tensorfile *s, const char *prefix, const struct names **n)
{
    const int original = find(s, prefix, names[MDM_UVIT_MASKED].position) < 0;

    *n = &names[original ? MDM_UVIT_ORIGINAL : MDM_UVIT_MASKED];
    if (original)
        MDM_TRY(mdm_options_set(o, "form", "original"));
    return set_bool(o, "conv", find(s, prefix, "final_layer.weight") >= 0);
}

int mdm_uvit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                         const char *prefix)
{
    const int64_t *position = NULL, *patch = NULL, *fc1 = NULL, *label = NULL;
    const struct names *n;
    int labelled;
    int64_t side;

    MDM_TRY(set_form(o, s, prefix, &n));
    labelled = find(s, prefix, n->label) >= 0;
    MDM_TRY(read_shape(s, prefix, n->position, 3, &position));
    MDM_TRY(read_shape(s, prefix, n->patch, 4, &patch));
    MDM_TRY(read_shape(s, prefix, n->fc1, 2, &fc1));
    if (labelled)
        MDM_TRY(read_shape(s, prefix, n->label, 2, &label));
    shown->patches = position[1] - (labelled ? 2 : 1);
    if (shown->patches < 1)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s%s\" has room for %lld patches", prefix, n->position,
                        (long long)shown->patches);
    shown->dim = patch[0];
    MDM_TRY(mdm_options_set_int(o, "dim", shown->dim));
    MDM_TRY(mdm_options_set_int(o, "channels", patch[1]));
    MDM_TRY(mdm_options_set_int(o, "patch_size", patch[2]));
    MDM_TRY(mdm_options_set_int(o, "classes", labelled ? label[0] : 0));
    MDM_TRY(set_bool(o, "qkv_bias", find(s, prefix, n->bias) >= 0));
    MDM_TRY(set_bool(o, "time_mlp", find(s, prefix, n->time) >= 0));
    MDM_TRY(set_ratio(o, fc1[0], patch[0]));
    MDM_TRY(set_depth(o, s, prefix, n->block));
    side = (int64_t)sqrt((double)shown->patches);
    return side * side == shown->patches ? mdm_options_set_int(o, "image_size", side * patch[2]) : MASKDM_OK;
}
