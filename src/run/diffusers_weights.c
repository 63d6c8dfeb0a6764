/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights of a folder of diffusers: by the names that they have there, or had in its first versions.
 */
#include "run/diffusers.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/tensorfile.h"

#include <string.h>

enum { NAME_LENGTH = 256 };

/* ---- names that diffusers' attention had at first ---- */

static const struct {
    const char *old, *now;
} renamed[] = {{"query", "to_q"}, {"key", "to_k"}, {"value", "to_v"}, {"proj_attn", "to_out.0"}};

/* "a.attentions.0.query.weight" to "a.attentions.0.to_q.weight". */
static int rename_tensor(char **name, int *changed)
{
    const char *attention = strstr(*name, "attentions."), *last = strrchr(*name, '.'), *part = last;
    char fresh[NAME_LENGTH];

    while (part && part > *name && part[-1] != '.')
        part--;
    if (!attention || !part || part < attention)
        return MASKDM_OK;
    for (size_t i = 0; i < MDM_LENGTH(renamed); i++) {
        const size_t n = strlen(renamed[i].old);
        char *copy;

        if ((size_t)(last - part) != n || memcmp(part, renamed[i].old, n) || strlen(*name) + 8 > sizeof fresh)
            continue;
        mdm_format(fresh, sizeof fresh, "%.*s%s%s", (int)(part - *name), *name, renamed[i].now, last);
        copy = mdm_strdup(fresh);
        if (!copy)
            return mdm_fail_memory(sizeof fresh, "a tensor's name");
        mdm_free(*name);
        *name = copy;
        *changed = 1;
        return MASKDM_OK;
    }
    return MASKDM_OK;
}

static int rename_all(struct mdm_tensorfile *s, const struct mdm_log *log)
{
    int changed = 0;

    for (int64_t i = 0; i < s->count; i++)
        MDM_TRY(rename_tensor(&s->tensor[i].name, &changed));
    if (changed)
        mdm_log_line(log, MASKDM_LOG_INFO,
                     "attention's query, key, value and proj_attn are read as to_q, to_k, to_v "
                     "and to_out.0");
    return changed ? mdm_tensorfile_reindex(s) : MASKDM_OK;
}

/* ---- the rest ---- */

static int check_strangers(const struct mdm_tensorfile *s, const struct mdm_params *names,
                           const struct mdm_params *copies)
{
    for (int64_t i = 0; i < s->count; i++)
        if (mdm_params_find(names, s->tensor[i].name) < 0 && mdm_params_find(copies, s->tensor[i].name) < 0)
            return mdm_fail(MASKDM_EFORMAT, "tensor \"%.160s\" is none of the network's %d", s->tensor[i].name,
                            names->count + copies->count);
    return MASKDM_OK;
}

/* What has its place in the block by another name must be the same. */
static int check_copy(struct mdm_tensorfile *s, const struct mdm_params *names, const struct mdm_param *copy)
{
    const int64_t count = mdm_shape_numel(&copy->shape), at = mdm_tensorfile_find(s, copy->name);
    const struct mdm_param *first = names->list;
    float *a, *b;
    int status;

    while (first->at != copy->at)
        first++;
    a = mdm_need((size_t)count, 2 * sizeof *a, "two copies of a tensor");
    if (!a)
        return MASKDM_ENOMEM;
    b = a + count;
    status = mdm_tensorfile_read_f32(s, at, a, count);
    if (status >= 0)
        status = mdm_tensorfile_read_f32(s, mdm_tensorfile_find(s, first->name), b, count);
    if (status >= 0 && memcmp(a, b, (size_t)count * sizeof *a) != 0)
        status = mdm_fail(MASKDM_ENOTSUP, "tensor \"%s\" is another than \"%s\"; here all blocks have one",
                          copy->name, first->name);
    mdm_free(a);
    return status;
}

static int read_all(struct mdm_tensorfile *s, const maskdm_model *m, const struct mdm_params *names,
                    const struct mdm_params *copies, float *block)
{
    MDM_TRY(mdm_model_check_block(s, names, ""));
    MDM_TRY(mdm_model_check_block(s, copies, ""));
    MDM_TRY(check_strangers(s, names, copies));
    for (int i = 0; i < copies->count; i++)
        MDM_TRY(check_copy(s, names, &copies->list[i]));
    return mdm_model_read_tensors(m->device, s, names, "", block);
}

int mdm_diffusers_weights(const maskdm_model *m, const char *path, const struct mdm_params *names,
                          const struct mdm_params *copies, float *block, const struct mdm_log *log)
{
    struct mdm_tensorfile s;
    int status;

    MDM_TRY(mdm_tensorfile_open(&s, path));
    status = rename_all(&s, log);
    if (status >= 0)
        status = read_all(&s, m, names, copies, block);
    mdm_tensorfile_close(&s);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : mdm_model_clear_gaps(m->device, &m->layout, block);
}
