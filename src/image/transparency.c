/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many files have an alpha channel in which nothing is transparent, so that it is the pixels that tell.
 */
#include "image/image.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/rows.h"
#include "os/file.h"

enum { OPAQUE = 65535 };

static int row_is_transparent(const uint16_t *row, int64_t width, int channels)
{
    for (int64_t x = 0; x < width; x++)
        if (row[(x + 1) * channels - 1] != OPAQUE)
            return 1;
    return 0;
}

static int look(struct mdm_rows *rows)
{
    uint16_t *row = mdm_need((size_t)rows->width * (size_t)rows->channels, sizeof *row, "an image's row");
    int status = row ? 0 : MASKDM_ENOMEM;

    for (int64_t i = 0; i < rows->height && !status; i++) {
        int64_t y;

        status = mdm_rows_read(rows, &y, row);
        if (status >= 0)
            status = row_is_transparent(row, rows->width, rows->channels);
    }
    mdm_free(row);
    return status;
}

/* No JPEG has any. */
static int may_be(const char *path)
{
    struct mdm_reader *file;
    unsigned char first = 0;
    int status;

    MDM_TRY(mdm_reader_open(&file, path));
    status = mdm_reader_size(file) > 0 ? mdm_reader_read_at(file, &first, 1, 0) : MASKDM_OK;
    mdm_reader_close(&file);
    return status < 0 ? status : first == 0x89;
}

int mdm_image_is_transparent(const char *path)
{
    struct mdm_rows *rows;
    char *bytes;
    size_t size;
    int status = may_be(path);

    if (status <= 0)
        return status;
    MDM_TRY(mdm_file_read_all(&bytes, &size, path, MDM_PICTURE_FILE));
    status = mdm_rows_open(&rows, bytes, size, &mdm_reading_standard);
    if (status >= 0) {
        status = rows->channels % 2 ? 0 : look(rows);
        mdm_rows_close(&rows);
    }
    mdm_free(bytes);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : status;
}
