/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images out of whatever they lie in.
 */
#include "data/source.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/rows.h"

static int decode(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how)
{
    const size_t n = (size_t)s->file[i].bytes;
    unsigned char *bytes;
    int r;

    if (s->file[i].bytes > MDM_PICTURE_FILE)
        return mdm_fail(MASKDM_EFORMAT, "it has %lld bytes, more than the limit of %d", (long long)s->file[i].bytes,
                        MDM_PICTURE_FILE);
    bytes = mdm_malloc(n + 1);
    if (!bytes)
        return mdm_fail_memory(n + 1, "an image file");
    r = s->kind->bytes(s, i, bytes, n, 0);
    if (r >= 0)
        r = mdm_image_decode(out, bytes, n, how);
    mdm_free(bytes);
    return r;
}

int mdm_source_image(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how)
{
    int r;

    *out = NULL;
    if (s->kind->image)
        return s->kind->image(out, s, i, how);
    r = decode(out, s, i, how);
    return r < 0 ? mdm_fail_prefix(r, "%s", s->file[i].path) : r;
}

int mdm_source_probe(const struct mdm_scan *s, int64_t i)
{
    unsigned char first[8];
    const size_t n = s->file[i].bytes < (int64_t)sizeof first ? (size_t)s->file[i].bytes : sizeof first;
    int r;

    MDM_TRY(s->kind->bytes(s, i, first, n, 0));
    r = mdm_rows_probe(first, n);
    return r < 0 ? mdm_fail_prefix(r, "%s", s->file[i].path) : r;
}
