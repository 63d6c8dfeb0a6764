/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images out of whatever they lie in.
 */
#include "data/source.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/rows.h"

enum { JPEG = 0xff }; /* the first byte of one */

/* All bytes of a file, to be freed. */
static int read_file(unsigned char **bytes, const struct mdm_scan *s, int64_t i)
{
    const size_t n = (size_t)s->file[i].bytes;
    int r;

    *bytes = NULL;
    if (s->file[i].bytes > MDM_PICTURE_FILE)
        return mdm_fail(MASKDM_EFORMAT, "it has %lld bytes, more than the limit of %d", (long long)s->file[i].bytes,
                        MDM_PICTURE_FILE);
    *bytes = mdm_malloc(n + 1);
    if (!*bytes)
        return mdm_fail_memory(n + 1, "an image file");
    r = s->kind->bytes(s, i, *bytes, n, 0);
    if (r < 0)
        mdm_free(*bytes);
    return r;
}

static int decode(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how)
{
    unsigned char *bytes;
    int r;

    MDM_TRY(read_file(&bytes, s, i));
    r = mdm_image_decode(out, bytes, (size_t)s->file[i].bytes, how);
    mdm_free(bytes);
    return r;
}

static int read_samples(void **samples, const struct mdm_scan *s, int64_t i)
{
    const struct mdm_scan_samples *a = &s->samples;
    const size_t n = (size_t)(a->height * a->width) * (size_t)a->channels * (size_t)(a->bits / 8);
    int r;

    *samples = mdm_malloc(n);
    if (!*samples)
        return mdm_fail_memory(n, "an image");
    r = s->kind->samples(s, i, *samples);
    if (r < 0)
        mdm_free(*samples);
    return r;
}

/* The picture that the samples of image i are. */
static int fit(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how)
{
    const struct mdm_scan_samples *a = &s->samples;
    void *samples;
    int r;

    MDM_TRY(read_samples(&samples, s, i));
    r = mdm_image_of_samples(out, samples, a->height, a->width, a->channels, a->bits, how);
    mdm_free(samples);
    return r;
}

/* The list that has image i, and its place there. */
static const struct mdm_scan *owner(const struct mdm_scan *s, int64_t *i)
{
    return s->kind->member ? s->kind->member(s, i) : s;
}

int mdm_source_image(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how)
{
    int r;

    *out = NULL;
    s = owner(s, &i);
    if (s->kind->image)
        return s->kind->image(out, s, i, how);
    r = s->kind->samples ? fit(out, s, i, how) : decode(out, s, i, how);
    return r < 0 ? mdm_fail_prefix(r, "%s", s->file[i].path) : r;
}

int mdm_source_probe(const struct mdm_scan *s, int64_t i)
{
    unsigned char first[MDM_ROWS_HEAD];
    size_t n;
    int r;

    s = owner(s, &i);
    n = s->file[i].bytes < (int64_t)sizeof first ? (size_t)s->file[i].bytes : sizeof first;
    if (s->kind->samples)
        return MASKDM_OK;
    MDM_TRY(s->kind->bytes(s, i, first, n, 0));
    r = mdm_rows_probe(first, n);
    return r < 0 ? mdm_fail_prefix(r, "%s", s->file[i].path) : r;
}

static int samples_are_transparent(const struct mdm_scan *s, int64_t i)
{
    const struct mdm_scan_samples *a = &s->samples;
    void *samples;
    int r;

    if (a->channels % 2)
        return 0;
    MDM_TRY(read_samples(&samples, s, i));
    r = mdm_image_samples_are_transparent(samples, a->height * a->width, a->channels, a->bits);
    mdm_free(samples);
    return r;
}

/* No JPEG is. */
static int file_is_transparent(const struct mdm_scan *s, int64_t i)
{
    unsigned char first = JPEG, *bytes;
    int r;

    if (s->file[i].bytes > 0)
        MDM_TRY(s->kind->bytes(s, i, &first, 1, 0));
    if (first == JPEG)
        return 0;
    MDM_TRY(read_file(&bytes, s, i));
    r = mdm_image_is_transparent(bytes, (size_t)s->file[i].bytes);
    mdm_free(bytes);
    return r;
}

int mdm_source_is_transparent(const struct mdm_scan *s, int64_t i)
{
    s = owner(s, &i);
    return s->kind->samples ? samples_are_transparent(s, i) : file_is_transparent(s, i);
}
