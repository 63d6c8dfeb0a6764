/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DiT in diffusers: the settings of its transformer, with the values that they have there where a file leaves them
 * out, and what its tensors are called. Every block there has an embedding of time and class of its own, which in
 * what came from DiT's authors are copies of one; queries, keys and values are three matrices; positions are made
 * anew.
 */
#include "run/diffusers.h"

#include "base/error.h"
#include "model/options.h"
#include "text/json.h"
#include "text/number.h"

#include <string.h>

/* ---- settings ---- */

static const char old_class[] = "Transformer2DModel"; /* of the versions before it had one of its own */

static const struct mdm_config_row rows[] = {
    {.key = "_class_name", .absent = "DiTTransformer2DModel", .only = "DiTTransformer2DModel|Transformer2DModel"},
    {.key = "_diffusers_version"},
    {.key = "_name_or_path"},
    {.key = "_use_default_values"},
    {.key = "_commit_hash"},
    {.key = "sample_size", .option = "image_size", .absent = "32"},
    {.key = "patch_size", .option = "patch_size", .absent = "2"},
    {.key = "in_channels", .option = "channels", .absent = "4"},
    {.key = "out_channels"}, /* see set_outputs() */
    {.key = "num_layers", .option = "depth", .absent = "28"},
    {.key = "num_attention_heads", .option = "heads", .absent = "16"},
    {.key = "attention_head_dim"}, /* see set_dim() */
    {.key = "num_embeds_ada_norm", .option = "classes", .absent = "1000"},
    {.key = "dropout", .absent = "0", .only = "0", .moot = "it matters in training alone"},
    {.key = "attention_bias", .absent = "true", .only = "true"},
    {.key = "activation_fn", .absent = "gelu-approximate", .only = "gelu-approximate"},
    {.key = "norm_type", .absent = "ada_norm_zero", .only = "ada_norm_zero"},
    {.key = "norm_elementwise_affine", .absent = "false", .only = "false"},
    {.key = "norm_eps", .absent = "1e-05", .only = "1e-05"},
    {.key = "upcast_attention"}, /* how exactly it is computed */
    {.key = "norm_num_groups"},  /* of inputs that are no patches */
    {.key = "use_linear_projection"},
    {.key = "interpolation_scale", .absent = "null", .null = "null", .only = "null|1"},
    {.key = "cross_attention_dim", .absent = "null", .null = "null", .only = "null"},
    {.key = "num_vector_embeds", .absent = "null", .null = "null", .only = "null"},
    {.key = "caption_channels", .absent = "null", .null = "null", .only = "null"},
    {.key = "use_additional_conditions", .absent = "null", .null = "null", .only = "null|false"},
    {.key = "only_cross_attention", .absent = "false", .only = "false"},
    {.key = "double_self_attention", .absent = "false", .only = "false"},
    {.key = "attention_type", .absent = "default", .only = "default"},
    {.key = NULL},
};

/* Without these the old class is another network. */
static int check_old(const struct mdm_config *c)
{
    static const char *const needed[] = {"sample_size",    "patch_size", "in_channels",   "num_embeds_ada_norm",
                                         "attention_bias", "norm_type",  "activation_fn", "norm_elementwise_affine"};
    const struct mdm_config_entry *name = mdm_config_find(c, "_class_name");

    for (size_t i = 0; name && !strcmp(name->text, old_class) && i < MDM_LENGTH(needed); i++)
        if (!mdm_config_find(c, needed[i]))
            return mdm_fail(MASKDM_ENOTSUP, "\"%s\" is missing, without which a %s is no DiT", needed[i], old_class);
    return MASKDM_OK;
}

static int number_of(int64_t *out, const struct mdm_config *c, const char *key, int64_t absent)
{
    const struct mdm_config_entry *e = mdm_config_find(c, key);

    *out = absent;
    if (!e || e->event == MDM_JSON_NULL || mdm_parse_i64(e->text, out) >= 0)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EFORMAT, "\"%s\" is \"%.80s\", no number", key, e->text);
}

static int set_dim(maskdm_options *o, const struct mdm_config *c)
{
    int64_t heads = 0, width;
    int status;

    MDM_TRY(number_of(&width, c, "attention_head_dim", 72));
    (void)mdm_parse_i64(mdm_options_text(o, "heads"), &heads);
    if (width < 1 || width > INT32_MAX)
        return mdm_fail(MASKDM_EFORMAT, "\"attention_head_dim\" is %lld", (long long)width);
    status = mdm_options_set_int(o, "dim", heads * width);
    return status == MASKDM_EINVAL ? mdm_fail_prefix(MASKDM_EFORMAT, "heads of %lld", (long long)width) : status;
}

/* As many channels as the images have, or for a variance twice as many. */
static int set_outputs(maskdm_options *o, const struct mdm_config *c)
{
    int64_t in = 0, out;

    (void)mdm_parse_i64(mdm_options_text(o, "channels"), &in);
    MDM_TRY(number_of(&out, c, "out_channels", in));
    if (out != in && out != 2 * in)
        return mdm_fail(MASKDM_ENOTSUP,
                        "\"out_channels\" is %lld of %lld channels; as many or twice as many are built",
                        (long long)out, (long long)in);
    return mdm_options_set(o, "learn_sigma", out == in ? "false" : "true");
}

int mdm_diffusers_dit(maskdm_options *o, const struct mdm_config *c, int sized, const struct mdm_log *log)
{
    static const struct mdm_config_row *const tables[] = {rows};

    if (sized)
        return mdm_fail(MASKDM_EINVAL, "image_size is for folders that do not say it; \"sample_size\" does");
    MDM_TRY(mdm_config_check(c, tables, MDM_LENGTH(tables)));
    MDM_TRY(check_old(c));
    MDM_TRY(mdm_config_apply(&o, c, rows, log));
    MDM_TRY(set_dim(o, c));
    MDM_TRY(set_outputs(o, c));
    return mdm_options_set(o, "dit_form", "diffusers");
}

/* ---- names ---- */

struct name {
    const char *ours, *theirs;
    int part; /* of three that a tensor's rows are: 1, 2 or 3; 0: all of it */
};
static const struct name around[] = {{"x_embedder.proj.weight", "pos_embed.proj.weight", 0},
                                     {"x_embedder.proj.bias", "pos_embed.proj.bias", 0},
                                     {"final_layer.adaLN_modulation.1.weight", "proj_out_1.weight", 0},
                                     {"final_layer.adaLN_modulation.1.bias", "proj_out_1.bias", 0},
                                     {"final_layer.linear.weight", "proj_out_2.weight", 0},
                                     {"final_layer.linear.bias", "proj_out_2.bias", 0}};
/* Behind transformer_blocks.N. */
static const struct name embedding[] = {
    {"t_embedder.mlp.0.weight", "norm1.emb.timestep_embedder.linear_1.weight", 0},
    {"t_embedder.mlp.0.bias", "norm1.emb.timestep_embedder.linear_1.bias", 0},
    {"t_embedder.mlp.2.weight", "norm1.emb.timestep_embedder.linear_2.weight", 0},
    {"t_embedder.mlp.2.bias", "norm1.emb.timestep_embedder.linear_2.bias", 0},
    {"y_embedder.embedding_table.weight", "norm1.emb.class_embedder.embedding_table.weight", 0}};
static const struct name block[] = {{"adaLN_modulation.1.weight", "norm1.linear.weight", 0},
                                    {"adaLN_modulation.1.bias", "norm1.linear.bias", 0},
                                    {"attn.qkv.weight", "attn1.to_q.weight", 1},
                                    {"attn.qkv.bias", "attn1.to_q.bias", 1},
                                    {"attn.qkv.weight", "attn1.to_k.weight", 2},
                                    {"attn.qkv.bias", "attn1.to_k.bias", 2},
                                    {"attn.qkv.weight", "attn1.to_v.weight", 3},
                                    {"attn.qkv.bias", "attn1.to_v.bias", 3},
                                    {"attn.proj.weight", "attn1.to_out.0.weight", 0},
                                    {"attn.proj.bias", "attn1.to_out.0.bias", 0},
                                    {"mlp.fc1.weight", "ff.net.0.proj.weight", 0},
                                    {"mlp.fc1.bias", "ff.net.0.proj.bias", 0},
                                    {"mlp.fc2.weight", "ff.net.2.weight", 0},
                                    {"mlp.fc2.bias", "ff.net.2.bias", 0}};

static int add(struct mdm_params *out, const struct mdm_params *layout, const char *ours, const char *theirs,
               int part)
{
    const int at = mdm_params_find(layout, ours);
    struct mdm_shape shape;
    size_t place;
    int i;

    if (at < 0)
        return mdm_fail(MASKDM_ENOTSUP, "diffusers' transformer has \"%s\", and this network nothing of the kind",
                        theirs);
    shape = layout->list[at].shape;
    place = layout->list[at].at;
    if (part) {
        shape.d[0] /= 3;
        place += (size_t)((part - 1) * mdm_shape_numel(&shape));
    }
    i = mdm_params_declare(out, theirs, &shape, MDM_INIT_ZERO, 0);
    if (i < 0)
        return i;
    out->list[i].at = place;
    return MASKDM_OK;
}

/* Names of one block, whose own parameters here begin with `prefix`. */
static int add_names(struct mdm_params *out, const struct mdm_params *layout, const struct name *names, size_t count,
                     const char *prefix, int64_t index)
{
    char ours[96], theirs[96];

    for (size_t i = 0; i < count; i++) {
        mdm_format(ours, sizeof ours, "%s%s", prefix, names[i].ours);
        mdm_format(theirs, sizeof theirs, "transformer_blocks.%lld.%s", (long long)index, names[i].theirs);
        MDM_TRY(add(out, layout, ours, theirs, names[i].part));
    }
    return MASKDM_OK;
}

int mdm_diffusers_dit_names(struct mdm_params *out, struct mdm_params *copies, const maskdm_model *m)
{
    struct mdm_dit_options set;
    char prefix[32];

    mdm_options_read(m->options, &mdm_dit_options, &set);
    for (size_t i = 0; i < MDM_LENGTH(around); i++)
        MDM_TRY(add(out, &m->layout, around[i].ours, around[i].theirs, 0));
    for (int64_t k = 0; k < set.depth; k++) {
        mdm_format(prefix, sizeof prefix, "blocks.%lld.", (long long)k);
        MDM_TRY(add_names(out, &m->layout, block, MDM_LENGTH(block), prefix, k));
        MDM_TRY(add_names(k ? copies : out, &m->layout, embedding, MDM_LENGTH(embedding), "", k));
    }
    return MASKDM_OK;
}
