/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pictures: making, freeing, reading by content.
 */
#include "image/image.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "image/codec.h"
#include "image/resize.h"
#include "image/rows.h"
#include "os/file.h"

#include <string.h>

const struct mdm_reading mdm_reading_standard = {
    .background = {1, 1, 1}, .pixels = MDM_PICTURE_PIXELS, .memory = 512 << 20};

int mdm_image_memory(struct mdm_failure *f, size_t bytes, const char *what)
{
    return mdm_failure_set(f, MASKDM_ENOMEM, "cannot allocate %zu bytes for %s", bytes, what);
}

/* Sizes are checked. */
static int allocate(maskdm_image **out, int64_t height, int64_t width, int channels, struct mdm_failure *f)
{
    maskdm_image *m;
    size_t bytes;

    *out = NULL;
    if (mdm_mul_size(&bytes, (size_t)height * (size_t)channels * sizeof *m->sample, (size_t)width))
        return mdm_image_memory(f, SIZE_MAX, "an image");
    m = mdm_calloc(1, sizeof *m);
    if (!m || !(m->sample = mdm_malloc(bytes))) {
        mdm_free(m);
        return mdm_image_memory(f, bytes, "an image");
    }
    m->height = height;
    m->width = width;
    m->channels = channels;
    m->bits = 16;
    *out = m;
    return MASKDM_OK;
}

int mdm_image_create(maskdm_image **out, int64_t height, int64_t width, int channels, struct mdm_failure *f)
{
    *out = NULL;
    if (height < 1 || width < 1 || height > MDM_PICTURE_SIDE || width > MDM_PICTURE_SIDE)
        return mdm_failure_set(f, MASKDM_EINVAL, "an image of %lld x %lld pixels: sides are 1 to %d",
                               (long long)height, (long long)width, MDM_PICTURE_SIDE);
    if (height * width > MDM_PICTURE_PIXELS)
        return mdm_failure_set(f, MASKDM_EINVAL, "an image of %lld x %lld pixels: at most %d are taken",
                               (long long)height, (long long)width, MDM_PICTURE_PIXELS);
    if (channels < 1 || channels > 4)
        return mdm_failure_set(f, MASKDM_EINVAL, "an image of %d channels: 1 to 4 are possible", channels);
    return allocate(out, height, width, channels, f);
}

void mdm_image_free(maskdm_image **image)
{
    if (!*image)
        return;
    mdm_free((*image)->sample);
    mdm_free(*image);
    *image = NULL;
}

/* What becomes of the rows: a whole picture or a fitted one. */
struct sink {
    maskdm_image *whole;
    struct mdm_resize *resize;
    uint16_t *stored, *row; /* one row as the file has it, and with the channels that are wanted */
};

static int open_sink(struct sink *s, const struct mdm_rows *rows, int channels, struct mdm_failure *f)
{
    const struct mdm_reading *how = rows->how;
    const size_t row = (size_t)rows->width * sizeof *s->row;

    if (how->height)
        MDM_TRY(mdm_resize_create(&s->resize, rows->height, rows->width, channels, rows->bits, how->height,
                                  how->width, f));
    else
        MDM_TRY(allocate(&s->whole, rows->height, rows->width, channels, f));
    s->stored = mdm_malloc(row * (size_t)rows->channels);
    s->row = mdm_malloc(row * (size_t)channels);
    if (!s->stored || !s->row)
        return mdm_image_memory(f, row * (size_t)(rows->channels + channels), "an image's row");
    return MASKDM_OK;
}

static int pour(struct sink *s, struct mdm_rows *rows, int channels, struct mdm_failure *f)
{
    for (int64_t i = 0; i < rows->height; i++) {
        const uint16_t *row = s->stored;
        int64_t y;

        MDM_TRY(mdm_rows_read(rows, &y, s->stored, f));
        if (channels != rows->channels) {
            mdm_convert_row(s->row, channels, s->stored, rows->channels, rows->width, rows->bits,
                            rows->how->background);
            row = s->row;
        }
        if (s->resize)
            mdm_resize_put(s->resize, y, row);
        else
            memcpy(s->whole->sample + y * rows->width * channels, row,
                   (size_t)(rows->width * channels) * sizeof *row);
    }
    return MASKDM_OK;
}

int mdm_image_decode(maskdm_image **out, const void *bytes, size_t size, const struct mdm_reading *how,
                     struct mdm_failure *f)
{
    struct sink s = {0};
    struct mdm_rows *rows;
    int r, channels;

    *out = NULL;
    MDM_TRY(mdm_rows_open(&rows, bytes, size, how, f));
    channels = how->channels ? how->channels : rows->channels;
    r = open_sink(&s, rows, channels, f);
    if (r >= 0)
        r = pour(&s, rows, channels, f);
    if (r >= 0) {
        *out = s.resize ? mdm_resize_take(s.resize) : s.whole;
        (*out)->bits = rows->bits;
        (*out)->remarks = rows->remarks;
        mdm_remarks_text((*out)->remark, sizeof (*out)->remark, &rows->remarks);
        s.whole = NULL;
    }
    mdm_rows_close(&rows);
    mdm_image_free(&s.whole);
    mdm_resize_release(&s.resize);
    mdm_free(s.stored);
    mdm_free(s.row);
    return r;
}

int mdm_image_read(maskdm_image **out, const char *path, const struct mdm_reading *how,
                   struct mdm_failure *f)
{
    struct mdm_failure inner = {0};
    char *bytes;
    size_t size;
    int r = mdm_file_read_all(&bytes, &size, path, MDM_PICTURE_FILE);

    *out = NULL;
    if (r < 0) {
        mdm_failure_take(f, r);
        return r;
    }
    r = mdm_image_decode(out, bytes, size, how, &inner);
    mdm_free(bytes);
    return r < 0 ? mdm_failure_set(f, r, "%s: %s", path, inner.text) : r;
}

int mdm_image_probe(const char *path, struct mdm_failure *f)
{
    struct mdm_failure inner = {0};
    struct mdm_reader *file;
    char first[8];
    size_t n;
    int r = mdm_reader_open(&file, path);

    if (r < 0) {
        mdm_failure_take(f, r);
        return r;
    }
    n = mdm_reader_size(file) < sizeof first ? (size_t)mdm_reader_size(file) : sizeof first;
    r = mdm_reader_read_at(file, first, n, 0);
    if (r < 0)
        mdm_failure_take(f, r);
    else if (mdm_rows_probe(first, n, &inner) < 0)
        r = mdm_failure_set(f, inner.code, "%s: %s", path, inner.text);
    mdm_reader_close(&file);
    return r;
}
