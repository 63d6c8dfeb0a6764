/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a header must hold as a whole: tensors that tile the data without gap or overlap, told by sorting, so that no
 * input makes the work more than n log n; and names that are unique.
 */
#include "tensorfile/safetensors_private.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort.h"

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
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

static int order_by_bytes(struct mdm_tensorfile *s)
{
    struct mdm_tensorfile_tensor *sorted = mdm_need((size_t)s->count, sizeof *sorted, "the table of tensors");
    int64_t *index = mdm_need((size_t)s->count, sizeof *index, "the order of the tensors");

    if (!sorted || !index) {
        mdm_free(sorted);
        mdm_free(index);
        return MASKDM_ENOMEM;
    }
    mdm_sort_all(index, s->count, by_bytes, s);
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

int mdm_safetensors_check(struct mdm_tensorfile *s, uint64_t data)
{
    if (s->count)
        MDM_TRY(order_by_bytes(s));
    MDM_TRY(mdm_tensorfile_index(s));
    return check_tiling(s, data);
}
