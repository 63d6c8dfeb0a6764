/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The place of an image is its byte, with the number of its file above that.
 */
#include "data/array.h"

#include "base/alloc.h"
#include "base/endian.h"
#include "base/error.h"
#include "image/codec.h"
#include "tensorfile/tensorfile_private.h"
#include "text/text.h"

#include <string.h>

enum { FILE_SHIFT = 48 };

int mdm_array_begin(struct mdm_scan *s, const char *path, int files)
{
    struct mdm_array *a = s->source = mdm_need(1, sizeof *a, "an array of images");

    if (!a)
        return MASKDM_ENOMEM;
    s->root = strlen(path) + (path[strlen(path) - 1] != '/');
    a->file = mdm_need((size_t)files, sizeof *a->file, "the files of an array");
    if (!a->file)
        return MASKDM_ENOMEM;
    a->files = files;
    return MASKDM_OK;
}

static int read_nothing(struct mdm_tensorfile *s)
{
    (void)s;
    return MASKDM_OK;
}

int mdm_array_open(struct mdm_scan *s, int k, const char *path)
{
    struct mdm_array *a = s->source;

    return mdm_tensorfile_open_as(&a->file[k], path, read_nothing);
}

int mdm_array_shape(struct mdm_scan *s, int64_t height, int64_t width, int64_t channels, int bits, int planar)
{
    struct mdm_array *a = s->source;

    if (height < 1 || width < 1 || height > MDM_PICTURE_SIDE || width > MDM_PICTURE_SIDE || channels < 1 ||
        channels > 4 || height * width > MDM_PICTURE_PIXELS)
        return mdm_fail(
            MASKDM_EFORMAT, "images of %lld x %lld x %lld: sides are 1 to %d, channels 1 to 4, pixels at most %d",
            (long long)height, (long long)width, (long long)channels, MDM_PICTURE_SIDE, MDM_PICTURE_PIXELS);
    s->samples = (struct mdm_scan_samples){height, width, (int)channels, bits};
    a->planar = planar && channels > 1;
    a->one = (uint64_t)(height * width * channels) * (uint64_t)(bits / 8);
    return MASKDM_OK;
}

static int add(struct mdm_scan *s, struct mdm_text *path, int32_t label, int k, uint64_t at)
{
    const struct mdm_array *a = s->source;

    if (mdm_text_ok(path) < 0) {
        mdm_text_free(path);
        return MASKDM_ENOMEM;
    }
    return mdm_scan_add(s, path->data, (int64_t)a->one, label, (uint64_t)k << FILE_SHIFT | at);
}

int mdm_array_add_named(struct mdm_scan *s, const char *path, const char *name, int32_t label, int k, uint64_t at)
{
    struct mdm_text t = {0};

    mdm_text_add_n(&t, path, s->root - 1);
    mdm_text_addf(&t, "/%s", name);
    return add(s, &t, label, k, at);
}

int mdm_array_add(struct mdm_scan *s, const char *path, const char *stem, int64_t i, int64_t count, int32_t label,
                  int k, uint64_t at)
{
    struct mdm_text t = {0};

    mdm_text_add_n(&t, path, s->root - 1);
    mdm_text_add(&t, "/");
    if (label >= 0)
        mdm_text_addf(&t, "%s/", s->label[label]);
    mdm_text_addf(&t, *stem ? "%s-%0*lld" : "%s%0*lld", stem, mdm_scan_digits(count), (long long)i);
    return add(s, &t, label, k, at);
}

int mdm_array_bytes(const struct mdm_scan *s, int64_t i, void *out, size_t n, uint64_t at)
{
    const uint64_t place = s->file[i].place, mask = ((uint64_t)1 << FILE_SHIFT) - 1;
    struct mdm_array *a = s->source;

    return mdm_tensorfile_bytes_at(&a->file[place >> FILE_SHIFT], out, n, (place & mask) + at);
}

static void interleave(unsigned char *to, const unsigned char *from, size_t pixels, size_t channels, size_t size)
{
    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < pixels; p++, from += size)
            memcpy(to + (p * channels + c) * size, from, size);
}

int mdm_array_samples(const struct mdm_scan *s, int64_t i, void *out)
{
    const struct mdm_array *a = s->source;
    const size_t n = (size_t)a->one, size = (size_t)s->samples.bits / 8;
    unsigned char *planes;
    int r;

    if (!a->planar) {
        MDM_TRY(mdm_array_bytes(s, i, out, n, 0));
        mdm_swap_le(out, (int)size, n / size);
        return MASKDM_OK;
    }
    planes = mdm_malloc(n);
    if (!planes)
        return mdm_fail_memory(n, "an image");
    r = mdm_array_bytes(s, i, planes, n, 0);
    if (r >= 0) {
        mdm_swap_le(planes, (int)size, n / size);
        interleave(out, planes, (size_t)(s->samples.height * s->samples.width), (size_t)s->samples.channels, size);
    }
    mdm_free(planes);
    return r;
}

void mdm_array_close(void *source)
{
    struct mdm_array *a = source;

    for (int k = 0; k < a->files; k++)
        mdm_tensorfile_close(&a->file[k]);
    mdm_free(a->file);
    mdm_free(a);
}
