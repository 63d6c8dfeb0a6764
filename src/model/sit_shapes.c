/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a checkpoint of a sprint's authors shows: its options from the names and shapes of its weights. Heads are seen
 * where they have a norm, and else leave no trace; the authors' have 64 values each, but for the largest, whose 16
 * have
 * 72. There is no table of positions, so that the size of the images has to be told.
 */
#include "model/network.h"

#include "base/error.h"
#include "model/shapes.h"

enum { LARGEST_DIM = 1152, LARGEST_HEADS = 16, LEAST_CHANNELS = 1, MOST_CHANNELS = 4 };

/* The number of channels C and the side p of a patch of C p p values: the most channels of which it is one. */
static int read_patch(maskdm_options *o, int64_t values)
{
    for (int64_t channels = MOST_CHANNELS; channels >= LEAST_CHANNELS; channels--)
        for (int64_t side = 1; channels * side * side <= values; side++)
            if (channels * side * side == values) {
                MDM_TRY(mdm_options_set_int(o, "channels", channels));
                return mdm_options_set_int(o, "patch_size", side);
            }
    return mdm_fail(MASKDM_EFORMAT, "a patch of %lld values is no square of 1 to %d channels", (long long)values,
                    MOST_CHANNELS);
}

static int has(const struct mdm_tensorfile *s, const char *prefix, const char *name)
{
    return mdm_shapes_find(s, prefix, name) >= 0;
}

/* SwiGLU's width is all of the hidden layer's, or two thirds of it; the former where that is a whole multiple. */
static int read_hidden(maskdm_options *o, const struct mdm_tensorfile *s, const char *prefix, int64_t dim)
{
    const int gated = has(s, prefix, "middle_blocks.0.mlp.fc1_g.weight");
    const int64_t *fc1 = NULL;
    int64_t hidden;

    MDM_TRY(mdm_shapes_read(s, prefix, gated ? "middle_blocks.0.mlp.fc1_g.weight" : "middle_blocks.0.mlp.fc1.weight",
                            2, &fc1));
    hidden = fc1[0];
    if (gated)
        MDM_TRY(mdm_options_set(o, "mlp", hidden % dim ? "swiglu" : "swiglu_large"));
    if (gated && hidden % dim)
        hidden = (3 * hidden + 1) / 2;
    return mdm_shapes_set_ratio(o, hidden, dim);
}

static int read_condition(maskdm_options *o, const struct mdm_tensorfile *s, const char *prefix)
{
    const int64_t *narrow = NULL;

    MDM_TRY(mdm_shapes_set_bool(o, "adaln_bias",
                                has(s, prefix, "middle_blocks.0.adaLN_modulation.1.bias") ||
                                    has(s, prefix, "middle_blocks.0.adaLN_modulation.fc2.bias")));
    if (has(s, prefix, "middle_blocks.0.adaLN_modulation.fc2.weight"))
        return mdm_options_set(o, "adaln", "swiglu");
    if (!has(s, prefix, "middle_blocks.0.adaLN_modulation.2.weight"))
        return MASKDM_OK;
    MDM_TRY(mdm_shapes_read(s, prefix, "middle_blocks.0.adaLN_modulation.1.weight", 2, &narrow));
    MDM_TRY(mdm_options_set_int(o, "adaln_lora_dim", narrow[0]));
    return mdm_options_set(o, "adaln", "lora");
}

static int read_parts(maskdm_options *o, const struct mdm_tensorfile *s, const char *prefix)
{
    static const char *const part[][2] = {{"encoder_depth", "encoder_blocks."},
                                          {"middle_depth", "middle_blocks."},
                                          {"decoder_depth", "decoder_blocks."}};

    for (size_t i = 0; i < MDM_LENGTH(part); i++)
        MDM_TRY(mdm_options_set_int(o, part[i][0], mdm_shapes_count(s, prefix, part[i][1], ".attn.qkv.weight")));
    return MASKDM_OK;
}

int mdm_sit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                        const char *prefix)
{
    const int64_t *patch = NULL, *last = NULL, *table = NULL, *head = NULL;

    MDM_TRY(mdm_shapes_read(s, prefix, "x_embedder.proj.weight", 2, &patch));
    MDM_TRY(mdm_shapes_read(s, prefix, "final_layer.linear.weight", 2, &last));
    if (has(s, prefix, "y_embedder.embedding_table.weight"))
        MDM_TRY(mdm_shapes_read(s, prefix, "y_embedder.embedding_table.weight", 2, &table));
    if (has(s, prefix, "middle_blocks.0.attn.q_norm.weight"))
        MDM_TRY(mdm_shapes_read(s, prefix, "middle_blocks.0.attn.q_norm.weight", 1, &head));
    shown->patches = 0;
    shown->dim = patch[0];
    shown->heads = head ? shown->dim / head[0] : shown->dim == LARGEST_DIM ? LARGEST_HEADS : 0;
    MDM_TRY(mdm_options_set_int(o, "dim", shown->dim));
    MDM_TRY(read_patch(o, patch[1]));
    MDM_TRY(read_parts(o, s, prefix));
    MDM_TRY(read_hidden(o, s, prefix, shown->dim));
    MDM_TRY(read_condition(o, s, prefix));
    MDM_TRY(mdm_options_set_int(o, "classes", table ? table[0] - 1 : 0));
    MDM_TRY(mdm_options_set(o, "norm", has(s, prefix, "middle_blocks.0.norm1.weight") ? "rmsnorm" : "layernorm"));
    MDM_TRY(mdm_shapes_set_bool(o, "qk_norm", head != NULL));
    MDM_TRY(mdm_shapes_set_bool(o, "qkv_bias", has(s, prefix, "middle_blocks.0.attn.qkv.bias")));
    MDM_TRY(mdm_shapes_set_bool(o, "ffn_bias", has(s, prefix, "middle_blocks.0.mlp.fc2.bias")));
    return mdm_shapes_set_bool(o, "learn_sigma", last[0] == 2 * patch[1]);
}

/* The authors' training: the straight flow, its velocity, times by the logit. */
int mdm_sit_read_scheduler(maskdm_options *o, const struct mdm_tensorfile *s)
{
    (void)s;
    return mdm_options_parse(o, "process=flow time_scale=1 prediction=velocity");
}
