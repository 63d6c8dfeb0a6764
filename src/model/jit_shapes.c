/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a checkpoint of JiT shows: its options from the shapes of its weights, all but the block from which the class
 * stands in front (a third of the depth in all that the authors have), and its process from the arguments that their
 * program keeps beside them, where it did.
 */
#include "model/network.h"

#include "base/error.h"
#include "model/shapes.h"
#include "text/number.h"
#include "text/text.h"

/* A hidden layer h of which SwiGLU takes `made`, the whole part of 2 h / 3: of two that do, the one that is a whole
 * multiple of dim. */
static int64_t find_hidden(int64_t made, int64_t dim)
{
    const int64_t least = (3 * made + 1) / 2, next = least + 1;

    return 2 * next / 3 == made && next % dim == 0 ? next : least;
}

int mdm_jit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                        const char *prefix)
{
    const int64_t *position = NULL, *first = NULL, *w3 = NULL, *table = NULL, *head = NULL, *context = NULL;

    MDM_TRY(mdm_shapes_read(s, prefix, "pos_embed", 3, &position));
    MDM_TRY(mdm_shapes_read(s, prefix, "x_embedder.proj1.weight", 4, &first));
    MDM_TRY(mdm_shapes_read(s, prefix, "blocks.0.mlp.w3.weight", 2, &w3));
    MDM_TRY(mdm_shapes_read(s, prefix, "blocks.0.attn.q_norm.weight", 1, &head));
    MDM_TRY(mdm_shapes_read(s, prefix, "y_embedder.embedding_table.weight", 2, &table));
    if (mdm_shapes_find(s, prefix, "in_context_posemb") >= 0)
        MDM_TRY(mdm_shapes_read(s, prefix, "in_context_posemb", 3, &context));
    shown->patches = position[1];
    shown->dim = position[2];
    shown->heads = shown->dim / head[0];
    MDM_TRY(mdm_options_set_int(o, "dim", shown->dim));
    MDM_TRY(mdm_options_set_int(o, "channels", first[1]));
    MDM_TRY(mdm_options_set_int(o, "patch_size", first[2]));
    MDM_TRY(mdm_options_set_int(o, "bottleneck", first[0]));
    MDM_TRY(mdm_options_set_int(o, "classes", table[0] - 1));
    MDM_TRY(mdm_options_set_int(o, "in_context_len", context ? context[1] : 0));
    MDM_TRY(mdm_options_set_int(o, "depth", mdm_shapes_count(s, prefix, "blocks.", ".norm1.weight")));
    MDM_TRY(mdm_shapes_set_ratio(o, find_hidden(w3[1], shown->dim), shown->dim));
    return mdm_shapes_set_square(o, shown->patches, first[2]);
}

/* The authors' time runs from noise to data, so that the mean of its logit is the opposite of ours. */
static const struct {
    const char *argument, *option;
    int opposite;
} arguments[] = {{"args.P_mean", "time_mean", 1},
                 {"args.P_std", "time_std", 0},
                 {"args.noise_scale", "noise_scale", 0},
                 {"args.t_eps", "weight_floor", 0}};

static int follow_argument(maskdm_options *o, const struct mdm_tensorfile *s, const char *argument,
                           const char *option, int opposite)
{
    const char *said = mdm_tensorfile_meta(s, argument);
    struct mdm_text text = {0};
    double x;
    int status;

    if (!said)
        return MASKDM_OK;
    if (mdm_parse_double(said, &x))
        return mdm_fail(MASKDM_EFORMAT, "%s is \"%.40s\", not a number", argument, said);
    mdm_text_add_double(&text, opposite && x != 0 ? -x : x);
    status = mdm_text_ok(&text);
    if (status == MASKDM_OK)
        status = mdm_options_set(o, option, text.data);
    mdm_text_free(&text);
    return status == MASKDM_EINVAL ? mdm_fail_prefix(MASKDM_EFORMAT, "%s", argument) : status;
}

int mdm_jit_read_scheduler(maskdm_options *o, const struct mdm_tensorfile *s)
{
    MDM_TRY(mdm_options_parse(o, "process=flow flow_time=data time_scale=1 time_mean=0.8 time_std=0.8 prediction=x0 "
                                 "weight=v"));
    for (size_t i = 0; i < MDM_LENGTH(arguments); i++)
        MDM_TRY(follow_argument(o, s, arguments[i].argument, arguments[i].option, arguments[i].opposite));
    return MASKDM_OK;
}

int mdm_jit_read_sampler(maskdm_options *o, const maskdm_options *network)
{
    (void)network;
    return mdm_options_parse(o, "sampler=heun steps=50 clip=false");
}
