/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a file's rows to a picture, whole or fitted.
 */
#include "image/image.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "image/resize.h"
#include "image/rows.h"
#include "os/file.h"

#include <string.h>

/* What becomes of the rows: a whole picture or a fitted one. */
struct sink {
    maskdm_image *whole;
    struct mdm_resize *resize;
    int composed; /* something of it was transparent and is no more */
    uint16_t *stored, *row; /* one row as the file has it, and with the channels that are wanted */
};

static int open_sink(struct sink *s, const struct mdm_rows *rows, int channels)
{
    const struct mdm_reading *how = rows->how;
    const size_t row = (size_t)rows->width * sizeof *s->row;

    if (how->height)
        MDM_TRY(mdm_resize_create(&s->resize, rows->height, rows->width, channels, rows->bits, how));
    else
        MDM_TRY(mdm_image_allocate(&s->whole, rows->height, rows->width, channels));
    s->stored = mdm_malloc(row * (size_t)rows->channels);
    s->row = mdm_malloc(row * (size_t)channels);
    if (!s->stored || !s->row)
        return mdm_fail_memory(row * (size_t)(rows->channels + channels), "an image's row");
    return MASKDM_OK;
}

static int pour(struct sink *s, struct mdm_rows *rows, int channels)
{
    for (int64_t i = 0; i < rows->height; i++) {
        const uint16_t *row = s->stored;
        int64_t y;

        MDM_TRY(mdm_rows_read(rows, &y, s->stored));
        if (channels != rows->channels) {
            s->composed |= mdm_convert_row(s->row, channels, s->stored, rows->channels, rows->width, rows->bits,
                                           rows->how->background);
            row = s->row;
        }
        if (s->resize)
            mdm_resize_put(s->resize, y, row);
        else
            memcpy(s->whole->sample + y * rows->width * channels, row,
                   (size_t)(rows->width * channels) * sizeof *row);
    }
    if (s->composed)
        mdm_remark_add(&rows->remarks, MDM_REMARK_COMPOSED, 1);
    return MASKDM_OK;
}

int mdm_image_of_rows(maskdm_image **out, struct mdm_rows *rows)
{
    const int channels = rows->how->channels ? rows->how->channels : rows->channels;
    struct sink s = {0};
    int r;

    *out = NULL;
    r = open_sink(&s, rows, channels);
    if (r >= 0)
        r = pour(&s, rows, channels);
    if (r >= 0) {
        *out = s.resize ? mdm_resize_take(s.resize) : s.whole;
        (*out)->bits = rows->bits;
        (*out)->stored = (struct mdm_image_form){rows->height, rows->width, rows->channels, rows->bits};
        (*out)->remarks = rows->remarks;
        mdm_remarks_text((*out)->remark, sizeof(*out)->remark, &rows->remarks);
        s.whole = NULL;
    }
    mdm_rows_close(&rows);
    mdm_image_free(&s.whole);
    mdm_resize_release(&s.resize);
    mdm_free(s.stored);
    mdm_free(s.row);
    return r;
}

int mdm_image_decode(maskdm_image **out, const void *bytes, size_t size, const struct mdm_reading *how)
{
    struct mdm_rows *rows;

    *out = NULL;
    MDM_TRY(mdm_rows_open(&rows, bytes, size, how));
    return mdm_image_of_rows(out, rows);
}

int mdm_image_read(maskdm_image **out, const char *path, const struct mdm_reading *how)
{
    char *bytes;
    size_t size;
    int r;

    *out = NULL;
    MDM_TRY(mdm_file_read_all(&bytes, &size, path, MDM_PICTURE_FILE));
    r = mdm_image_decode(out, bytes, size, how);
    mdm_free(bytes);
    return r < 0 ? mdm_fail_prefix(r, "%s", path) : r;
}

int mdm_image_probe(const char *path)
{
    struct mdm_reader *file;
    char first[MDM_ROWS_HEAD];
    size_t n;
    int r;

    MDM_TRY(mdm_reader_open(&file, path));
    n = mdm_reader_size(file) < sizeof first ? (size_t)mdm_reader_size(file) : sizeof first;
    r = mdm_reader_read_at(file, first, n, 0);
    if (r >= 0 && (r = mdm_rows_probe(first, n)) < 0)
        mdm_fail_prefix(r, "%s", path);
    mdm_reader_close(&file);
    return r;
}

const char *mdm_image_mode(int channels)
{
    static const char *const mode[] = {"", "grey", "grey and alpha", "RGB", "RGBA"};

    return mode[channels];
}
