/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many files have an alpha channel in which nothing is transparent, so that it is the pixels that tell.
 */
#include "image/image.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/rows.h"

enum { OPAQUE = 65535 };

static int look(struct mdm_rows *rows)
{
    uint16_t *row = mdm_need((size_t)rows->width * (size_t)rows->channels, sizeof *row, "an image's row");
    int status = row ? 0 : MASKDM_ENOMEM;

    for (int64_t i = 0; i < rows->height && !status; i++) {
        int64_t y;

        status = mdm_rows_read(rows, &y, row);
        if (status >= 0)
            status = mdm_image_samples_are_transparent(row, rows->width, rows->channels, 16);
    }
    mdm_free(row);
    return status;
}

int mdm_image_is_transparent(const void *bytes, size_t size)
{
    struct mdm_rows *rows;
    int status;

    MDM_TRY(mdm_rows_open(&rows, bytes, size, &mdm_reading_standard));
    status = rows->channels % 2 ? 0 : look(rows);
    mdm_rows_close(&rows);
    return status;
}

int mdm_image_samples_are_transparent(const void *samples, int64_t pixels, int channels, int bits)
{
    const int64_t most = bits == 8 ? 255 : OPAQUE;

    for (int64_t i = channels - 1; channels % 2 == 0 && i < pixels * channels; i += channels)
        if ((bits == 8 ? ((const unsigned char *)samples)[i] : ((const uint16_t *)samples)[i]) != most)
            return 1;
    return 0;
}
