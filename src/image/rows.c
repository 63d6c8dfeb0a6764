/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all image formats share: the calls of the class, and the limits.
 */
#include "image/rows.h"

#include "image/codec.h"

int mdm_rows_read(struct mdm_rows *rows, int64_t *y, uint16_t *to)
{
    return rows->kind->read(rows, y, to);
}

void mdm_rows_close(struct mdm_rows **rows)
{
    if (*rows)
        (*rows)->kind->close(*rows);
    *rows = NULL;
}

int mdm_rows_check_size(const struct mdm_reading *how, uint64_t height, uint64_t width, uint64_t least, size_t size)
{
    if (height > MDM_PICTURE_SIDE || width > MDM_PICTURE_SIDE)
        return mdm_fail(MASKDM_ENOTSUP, "%llu x %llu pixels: sides of up to %d pixels are read, a fixed limit",
                        (unsigned long long)height, (unsigned long long)width, MDM_PICTURE_SIDE);
    if (least > size)
        return mdm_fail(MASKDM_EFORMAT, "%zu bytes cannot hold %llu x %llu pixels", size, (unsigned long long)height,
                        (unsigned long long)width);
    if (height * width > (uint64_t)how->pixels)
        return mdm_fail(MASKDM_EINVAL,
                        "%llu x %llu are %llu pixels, and image_pixels is %lld (--image-pixels raises it)",
                        (unsigned long long)height, (unsigned long long)width, (unsigned long long)(height * width),
                        (long long)how->pixels);
    return MASKDM_OK;
}

int mdm_rows_hold(struct mdm_rows *rows, uint64_t bytes, const char *what)
{
    if (bytes > rows->how->memory || rows->held > rows->how->memory - (size_t)bytes)
        return mdm_fail(MASKDM_EINVAL,
                        "%lld x %lld pixels, %s, take %llu bytes at once, and image_memory is %zu "
                        "(--image-memory raises it)",
                        (long long)rows->height, (long long)rows->width, what,
                        (unsigned long long)(bytes + rows->held), rows->how->memory);
    rows->held += (size_t)bytes;
    return MASKDM_OK;
}
