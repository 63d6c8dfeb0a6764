/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all image formats share: telling them apart, and the limits.
 */
#include "image/rows.h"

#include "image/codec.h"
#include "tensorfile/foreign.h"

#include <string.h>

static const struct {
    const char *magic;
    size_t length;
    int (*open)(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how,
                struct mdm_failure *f);
} formats[] = {
    {"\x89PNG\r\n\x1a\n", 8, mdm_rows_open_png},
    {"\xff\xd8", 2, mdm_rows_open_jpeg},
};

static int find_format(size_t *out, const void *bytes, size_t size, struct mdm_failure *f)
{
    const struct mdm_foreign *foreign;

    for (size_t i = 0; i < MDM_LENGTH(formats); i++)
        if (size >= formats[i].length && memcmp(bytes, formats[i].magic, formats[i].length) == 0) {
            *out = i;
            return MASKDM_OK;
        }
    if (!size)
        return mdm_failure_set(f, MASKDM_EFORMAT, "the file is empty");
    foreign = mdm_foreign_find(bytes, size);
    return mdm_failure_set(f, MASKDM_EFORMAT, "neither PNG nor JPEG%s%s", foreign ? ", but " : "",
                           foreign ? foreign->what : "");
}

int mdm_rows_probe(const void *bytes, size_t size, struct mdm_failure *f)
{
    size_t format;

    return find_format(&format, bytes, size, f);
}

int mdm_rows_open(struct mdm_rows **out, const void *bytes, size_t size, const struct mdm_reading *how,
                  struct mdm_failure *f)
{
    size_t format;
    int r;

    *out = NULL;
    MDM_TRY(find_format(&format, bytes, size, f));
    MDM_TRY(formats[format].open(out, bytes, size, how, f));
    r = mdm_rows_turn(out, f);
    if (r < 0)
        mdm_rows_close(out);
    return r;
}

int mdm_rows_read(struct mdm_rows *rows, int64_t *y, uint16_t *to, struct mdm_failure *f)
{
    return rows->kind->read(rows, y, to, f);
}

void mdm_rows_close(struct mdm_rows **rows)
{
    if (*rows)
        (*rows)->kind->close(*rows);
    *rows = NULL;
}

int mdm_rows_check_size(const struct mdm_reading *how, uint64_t height, uint64_t width, uint64_t least, size_t size,
                        struct mdm_failure *f)
{
    if (height > MDM_PICTURE_SIDE || width > MDM_PICTURE_SIDE)
        return mdm_failure_set(f, MASKDM_ENOTSUP,
                               "%llu x %llu pixels: sides of up to %d pixels are read, a fixed limit",
                               (unsigned long long)height, (unsigned long long)width, MDM_PICTURE_SIDE);
    if (least > size)
        return mdm_failure_set(f, MASKDM_EFORMAT, "%zu bytes cannot hold %llu x %llu pixels", size,
                               (unsigned long long)height, (unsigned long long)width);
    if (height * width > (uint64_t)how->pixels)
        return mdm_failure_set(f, MASKDM_EINVAL,
                               "%llu x %llu are %llu pixels, and image_pixels is %lld (--image-pixels raises it)",
                               (unsigned long long)height, (unsigned long long)width,
                               (unsigned long long)(height * width), (long long)how->pixels);
    return MASKDM_OK;
}

int mdm_rows_hold(struct mdm_rows *rows, uint64_t bytes, const char *what, struct mdm_failure *f)
{
    if (bytes > rows->how->memory || rows->held > rows->how->memory - (size_t)bytes)
        return mdm_failure_set(f, MASKDM_EINVAL,
                               "%lld x %lld pixels, %s, take %llu bytes at once, and image_memory is %zu "
                               "(--image-memory raises it)",
                               (long long)rows->height, (long long)rows->width, what,
                               (unsigned long long)(bytes + rows->held), rows->how->memory);
    rows->held += (size_t)bytes;
    return MASKDM_OK;
}
