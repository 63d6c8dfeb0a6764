/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names out of a packed file.
 */
#include "data/packed.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/label_list.h"
#include "model/labels.h"

#include <string.h>

/* 1: it is a packed file; 0: any other. */
static int is_packed(const struct mdm_tensorfile *f)
{
    const char *format = mdm_tensorfile_meta(f, MDM_PACKED_MARK);

    if (!format)
        return 0;
    return strcmp(format, "1") == 0 ? 1
                                    : mdm_fail(MASKDM_EVERSION, "a packed file of format %.20s; format %d is read",
                                               format, MDM_PACKED_FORMAT);
}

static int check(const char *bytes, size_t size, int64_t count)
{
    int64_t names = 0;

    for (size_t at = 0; at < size; names++) {
        const char *end = memchr(bytes + at, 0, size - at);

        if (!end || end == bytes + at || bytes[at] == '/')
            return mdm_fail(MASKDM_EFORMAT, "name %lld of its images is empty, absolute or cut", (long long)names);
        at = (size_t)(end - bytes) + 1;
    }
    return names == count
               ? MASKDM_OK
               : mdm_fail(MASKDM_EFORMAT, "%lld names for %lld images", (long long)names, (long long)count);
}

int mdm_packed_names_read(struct mdm_packed_names *n, struct mdm_tensorfile *f, int64_t count)
{
    const int64_t i = mdm_tensorfile_find(f, MDM_PACKED_NAMES);
    int r = is_packed(f);
    size_t size;

    *n = (struct mdm_packed_names){0};
    if (r <= 0 || i < 0)
        return r < 0 ? r : MASKDM_OK;
    if (strcmp(f->tensor[i].dtype, "U8") != 0)
        return mdm_fail(MASKDM_EFORMAT, "the names of its images are %s, not U8", f->tensor[i].dtype);
    size = (size_t)f->tensor[i].elements;
    n->bytes = mdm_malloc(size + 1);
    if (!n->bytes)
        return mdm_fail_memory(size + 1, "the names of images");
    n->next = n->bytes;
    r = mdm_tensorfile_read(f, i, n->bytes, size);
    return r < 0 ? r : check(n->bytes, size, count);
}

const char *mdm_packed_names_next(struct mdm_packed_names *n)
{
    const char *name = n->next;

    if (name)
        n->next += strlen(name) + 1;
    return name;
}

void mdm_packed_names_free(struct mdm_packed_names *n)
{
    mdm_free(n->bytes);
}

int mdm_packed_label_names(struct mdm_scan *s, const struct mdm_tensorfile *f, int64_t count)
{
    struct mdm_labels named = {0};
    int r = mdm_labels_read(&named, mdm_tensorfile_meta(f, MDM_PACKED_LABEL_NAMES), MDM_LABEL_MOST);

    for (int64_t i = 0; i < named.count && r >= 0; i++)
        r = mdm_scan_add_label(s, named.name[i], strlen(named.name[i]));
    mdm_labels_free(&named);
    return r < 0 ? r : mdm_scan_number_labels(s, count);
}
