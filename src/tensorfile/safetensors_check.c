/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a header must hold as a whole: tensors that tile the data without gap or overlap, names and keys that
 * are unique. Both come from sorting, so that no input makes the work more than n log n.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort.h"

#include <string.h>

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static void sort_all(int64_t *index, int64_t n, mdm_compare *order, const struct mdm_tensorfile *s)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = i;
    mdm_sort(index, n, order, s);
}

/* Empty tensors come before the one that begins where they stand; ties keep the order of the header. */
static int by_bytes(const void *user, int64_t a, int64_t b)
{
    const struct mdm_tensorfile *s = user;
    int order = compare_u64(s->tensor[a].begin, s->tensor[b].begin);

    if (!order)
        order = compare_u64(s->tensor[a].end, s->tensor[b].end);
    return order ? order : compare_u64((uint64_t)a, (uint64_t)b);
}

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

static int order_by_bytes(struct mdm_tensorfile *s)
{
    struct mdm_tensorfile_tensor *sorted = mdm_need((size_t)s->count, sizeof *sorted, "the table of tensors");
    int64_t *index = mdm_need((size_t)s->count, sizeof *index, "the order of the tensors");

    if (!sorted || !index) {
        mdm_free(sorted);
        mdm_free(index);
        return MASKDM_ENOMEM;
    }
    sort_all(index, s->count, by_bytes, s);
    for (int64_t i = 0; i < s->count; i++)
        sorted[i] = s->tensor[index[i]];
    mdm_free(index);
    mdm_free(s->tensor);
    s->tensor = sorted;
    return MASKDM_OK;
}

static int check_tiling(const struct mdm_tensorfile *s, uint64_t data)
{
    uint64_t at = 0;

    for (int64_t i = 0; i < s->count; i++) {
        const struct mdm_tensorfile_tensor *t = &s->tensor[i];
        if (t->begin != at)
            return mdm_fail(MASKDM_EFORMAT,
                            "tensor " MDM_TENSORFILE_SHOWN " begins at byte %llu of the data, but the one before it "
                            "ends at %llu",
                            t->name, (unsigned long long)t->begin, (unsigned long long)at);
        if (t->end > data)
            return mdm_fail(MASKDM_EFORMAT,
                            "tensor " MDM_TENSORFILE_SHOWN
                            " ends at byte %llu of the data, but the file has only %llu",
                            t->name, (unsigned long long)t->end, (unsigned long long)data);
        at = t->end;
    }
    if (at != data)
        return mdm_fail(MASKDM_EFORMAT, "the tensors take %llu bytes, but %llu follow the header",
                        (unsigned long long)at, (unsigned long long)data);
    return MASKDM_OK;
}

static int check_keys(struct mdm_tensorfile *s)
{
    int64_t *index = mdm_need((size_t)s->meta_count, sizeof *index, "the order of the metadata");
    int err = MASKDM_OK;

    if (!index)
        return MASKDM_ENOMEM;
    sort_all(index, s->meta_count, by_key, s);
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
    sort_all(s->by_name, s->count, by_name, s);
    return check_names(s);
}

int mdm_tensorfile_reindex(struct mdm_tensorfile *s)
{
    sort_all(s->by_name, s->count, by_name, s);
    return check_names(s);
}

int mdm_safetensors_check(struct mdm_tensorfile *s, uint64_t data)
{
    if (s->count)
        MDM_TRY(order_by_bytes(s));
    MDM_TRY(mdm_tensorfile_index(s));
    return check_tiling(s, data);
}
