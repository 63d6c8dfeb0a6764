/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pictures: making, freeing, reading by content.
 */
#include "io/image.h"

#include "io/codec.h"
#include "util/alloc.h"
#include "util/file.h"

#include <string.h>

int maskdm_picture_memory(struct maskdm_failure *f, size_t bytes, const char *what)
{
    return maskdm_failure_set(f, MASKDM_ENOMEM, "cannot allocate %zu bytes for %s", bytes, what);
}

int maskdm_picture_create(maskdm_image **out, int64_t height, int64_t width, int channels, struct maskdm_failure *f)
{
    maskdm_image *m;
    size_t bytes;

    *out = NULL;
    if (height < 1 || width < 1 || height > MASKDM_PICTURE_SIDE || width > MASKDM_PICTURE_SIDE)
        return maskdm_failure_set(f, MASKDM_EINVAL, "an image of %lld x %lld pixels: sides are 1 to %d",
                                  (long long)height, (long long)width, MASKDM_PICTURE_SIDE);
    if (height * width > MASKDM_PICTURE_PIXELS)
        return maskdm_failure_set(f, MASKDM_EINVAL, "an image of %lld x %lld pixels: at most %d are taken",
                                  (long long)height, (long long)width, MASKDM_PICTURE_PIXELS);
    if (channels < 1 || channels > 4)
        return maskdm_failure_set(f, MASKDM_EINVAL, "an image of %d channels: 1 to 4 are possible", channels);
    bytes = (size_t)(height * width * channels) * sizeof *m->sample;
    m = maskdm_calloc(1, sizeof *m);
    if (!m || !(m->sample = maskdm_malloc(bytes))) {
        maskdm_free(m);
        return maskdm_picture_memory(f, bytes, "an image");
    }
    m->height = height;
    m->width = width;
    m->channels = channels;
    m->bits = 16;
    *out = m;
    return MASKDM_OK;
}

void maskdm_picture_free(maskdm_image **image)
{
    if (!*image)
        return;
    maskdm_free((*image)->sample);
    maskdm_free(*image);
    *image = NULL;
}

typedef int (*decoder)(maskdm_image **out, const unsigned char *bytes, size_t size, struct maskdm_failure *f);

/* NULL where `first` bytes of a file of `size` bytes are those of no format. */
static decoder find_decoder(const void *bytes, size_t first, uint64_t size, struct maskdm_failure *f)
{
    static const unsigned char png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const unsigned char jpeg[3] = {0xff, 0xd8, 0xff};

    if (first >= sizeof png && !memcmp(bytes, png, sizeof png))
        return maskdm_png_decode;
    if (first >= sizeof jpeg && !memcmp(bytes, jpeg, sizeof jpeg))
        return maskdm_jpeg_decode;
    (void)maskdm_failure_set(f, MASKDM_EFORMAT, size ? "neither PNG nor JPEG" : "the file is empty");
    return NULL;
}

int maskdm_picture_decode(maskdm_image **out, const void *bytes, size_t size, int channels, const float *background,
                          struct maskdm_failure *f)
{
    const decoder decode = find_decoder(bytes, size, size, f);
    maskdm_image *m = NULL;
    int r;

    *out = NULL;
    r = decode ? decode(&m, bytes, size, f) : MASKDM_EFORMAT;
    if (r >= 0 && channels)
        r = maskdm_picture_convert(&m, channels, background, f);
    if (r < 0)
        maskdm_picture_free(&m);
    *out = m;
    return r;
}

int maskdm_picture_read(maskdm_image **out, const char *path, int channels, const float *background,
                        struct maskdm_failure *f)
{
    struct maskdm_failure inner = {0};
    char *bytes;
    size_t size;
    int r = maskdm_file_read_all(&bytes, &size, path, MASKDM_PICTURE_FILE);

    *out = NULL;
    if (r < 0) {
        maskdm_failure_take(f, r);
        return r;
    }
    r = maskdm_picture_decode(out, bytes, size, channels, background, &inner);
    maskdm_free(bytes);
    return r < 0 ? maskdm_failure_set(f, r, "%s: %s", path, inner.text) : r;
}

int maskdm_picture_probe(const char *path, struct maskdm_failure *f)
{
    struct maskdm_failure inner = {0};
    struct maskdm_reader *file;
    char first[8];
    size_t n;
    int r = maskdm_reader_open(&file, path);

    if (r < 0) {
        maskdm_failure_take(f, r);
        return r;
    }
    n = maskdm_reader_size(file) < sizeof first ? (size_t)maskdm_reader_size(file) : sizeof first;
    r = maskdm_reader_read_at(file, first, n, 0);
    if (r < 0)
        maskdm_failure_take(f, r);
    else if (!find_decoder(first, n, maskdm_reader_size(file), &inner))
        r = maskdm_failure_set(f, inner.code, "%s: %s", path, inner.text);
    maskdm_reader_close(&file);
    return r;
}
