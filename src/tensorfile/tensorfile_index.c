/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names and keys of a tensor file, in their order and each of them once. Both come from sorting, so that no input
 * makes the work more than n log n.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort.h"

#include <string.h>

static int by_name(const void *user, int64_t a, int64_t b)
{
    const struct mdm_tensorfile *s = user;
    return strcmp(s->tensor[a].name, s->tensor[b].name);
}

static int by_key(const void *user, int64_t a, int64_t b)
{
    const struct mdm_tensorfile *s = user;
    return strcmp(s->meta[a].key, s->meta[b].key);
}

static int check_keys(struct mdm_tensorfile *s)
{
    int64_t *index = mdm_need((size_t)s->meta_count, sizeof *index, "the order of the metadata");
    int err = MASKDM_OK;

    if (!index)
        return MASKDM_ENOMEM;
    mdm_sort_all(index, s->meta_count, by_key, s);
    for (int64_t i = 1; i < s->meta_count && !err; i++)
        if (by_key(s, index[i - 1], index[i]) == 0)
            err = mdm_fail(MASKDM_EFORMAT, "metadata " MDM_TENSORFILE_SHOWN " comes twice", s->meta[index[i]].key);
    mdm_free(index);
    return err;
}

static int check_names(const struct mdm_tensorfile *s)
{
    for (int64_t i = 1; i < s->count; i++)
        if (by_name(s, s->by_name[i - 1], s->by_name[i]) == 0)
            return mdm_fail(MASKDM_EFORMAT, "tensor " MDM_TENSORFILE_SHOWN " comes twice",
                            s->tensor[s->by_name[i]].name);
    return MASKDM_OK;
}

int mdm_tensorfile_index(struct mdm_tensorfile *s)
{
    if (s->meta_count)
        MDM_TRY(check_keys(s));
    if (!s->count)
        return MASKDM_OK;
    s->by_name = mdm_need((size_t)s->count, sizeof *s->by_name, "the order of the names");
    if (!s->by_name)
        return MASKDM_ENOMEM;
    mdm_sort_all(s->by_name, s->count, by_name, s);
    return check_names(s);
}

int mdm_tensorfile_reindex(struct mdm_tensorfile *s)
{
    mdm_sort_all(s->by_name, s->count, by_name, s);
    return check_names(s);
}
