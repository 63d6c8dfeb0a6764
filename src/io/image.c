/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pictures: making, freeing, reading by content.
 */
#include "io/image.h"

#include "io/codec.h"
#include "io/resize.h"
#include "io/rows.h"
#include "util/alloc.h"
#include "util/checked.h"
#include "util/file.h"

#include <string.h>

const struct maskdm_reading maskdm_reading_standard = {
    .background = {1, 1, 1}, .pixels = MASKDM_PICTURE_PIXELS, .memory = 512 << 20};

int maskdm_picture_memory(struct maskdm_failure *f, size_t bytes, const char *what)
{
    return maskdm_failure_set(f, MASKDM_ENOMEM, "cannot allocate %zu bytes for %s", bytes, what);
}

/* Sizes are checked. */
static int allocate(maskdm_image **out, int64_t height, int64_t width, int channels, struct maskdm_failure *f)
{
    maskdm_image *m;
    size_t bytes;

    *out = NULL;
    if (maskdm_mul_size(&bytes, (size_t)height * (size_t)channels * sizeof *m->sample, (size_t)width))
        return maskdm_picture_memory(f, SIZE_MAX, "an image");
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

int maskdm_picture_create(maskdm_image **out, int64_t height, int64_t width, int channels, struct maskdm_failure *f)
{
    *out = NULL;
    if (height < 1 || width < 1 || height > MASKDM_PICTURE_SIDE || width > MASKDM_PICTURE_SIDE)
        return maskdm_failure_set(f, MASKDM_EINVAL, "an image of %lld x %lld pixels: sides are 1 to %d",
                                  (long long)height, (long long)width, MASKDM_PICTURE_SIDE);
    if (height * width > MASKDM_PICTURE_PIXELS)
        return maskdm_failure_set(f, MASKDM_EINVAL, "an image of %lld x %lld pixels: at most %d are taken",
                                  (long long)height, (long long)width, MASKDM_PICTURE_PIXELS);
    if (channels < 1 || channels > 4)
        return maskdm_failure_set(f, MASKDM_EINVAL, "an image of %d channels: 1 to 4 are possible", channels);
    return allocate(out, height, width, channels, f);
}

void maskdm_picture_free(maskdm_image **image)
{
    if (!*image)
        return;
    maskdm_free((*image)->sample);
    maskdm_free(*image);
    *image = NULL;
}

/* What becomes of the rows: a whole picture or a fitted one. */
struct sink {
    maskdm_image *whole;
    struct maskdm_resize *resize;
    uint16_t *stored, *row; /* one row as the file has it, and with the channels that are wanted */
};

static int open_sink(struct sink *s, const struct maskdm_rows *rows, int channels, struct maskdm_failure *f)
{
    const struct maskdm_reading *how = rows->how;
    const size_t row = (size_t)rows->width * sizeof *s->row;

    if (how->height)
        MASKDM_TRY(maskdm_resize_create(&s->resize, rows->height, rows->width, channels, rows->bits, how->height,
                                        how->width, f));
    else
        MASKDM_TRY(allocate(&s->whole, rows->height, rows->width, channels, f));
    s->stored = maskdm_malloc(row * (size_t)rows->channels);
    s->row = maskdm_malloc(row * (size_t)channels);
    if (!s->stored || !s->row)
        return maskdm_picture_memory(f, row * (size_t)(rows->channels + channels), "an image's row");
    return MASKDM_OK;
}

static int pour(struct sink *s, struct maskdm_rows *rows, int channels, struct maskdm_failure *f)
{
    for (int64_t i = 0; i < rows->height; i++) {
        const uint16_t *row = s->stored;
        int64_t y;

        MASKDM_TRY(maskdm_rows_read(rows, &y, s->stored, f));
        if (channels != rows->channels) {
            maskdm_convert_row(s->row, channels, s->stored, rows->channels, rows->width, rows->bits,
                               rows->how->background);
            row = s->row;
        }
        if (s->resize)
            maskdm_resize_put(s->resize, y, row);
        else
            memcpy(s->whole->sample + y * rows->width * channels, row,
                   (size_t)(rows->width * channels) * sizeof *row);
    }
    return MASKDM_OK;
}

int maskdm_picture_decode(maskdm_image **out, const void *bytes, size_t size, const struct maskdm_reading *how,
                          struct maskdm_failure *f)
{
    struct sink s = {0};
    struct maskdm_rows *rows;
    int r, channels;

    *out = NULL;
    MASKDM_TRY(maskdm_rows_open(&rows, bytes, size, how, f));
    channels = how->channels ? how->channels : rows->channels;
    r = open_sink(&s, rows, channels, f);
    if (r >= 0)
        r = pour(&s, rows, channels, f);
    if (r >= 0) {
        *out = s.resize ? maskdm_resize_take(s.resize) : s.whole;
        (*out)->bits = rows->bits;
        (*out)->remarks = rows->remarks;
        maskdm_remarks_text((*out)->remark, sizeof (*out)->remark, &rows->remarks);
        s.whole = NULL;
    }
    maskdm_rows_close(&rows);
    maskdm_picture_free(&s.whole);
    maskdm_resize_release(&s.resize);
    maskdm_free(s.stored);
    maskdm_free(s.row);
    return r;
}

int maskdm_picture_read(maskdm_image **out, const char *path, const struct maskdm_reading *how,
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
    r = maskdm_picture_decode(out, bytes, size, how, &inner);
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
    else if (maskdm_rows_probe(first, n, &inner) < 0)
        r = maskdm_failure_set(f, inner.code, "%s: %s", path, inner.text);
    maskdm_reader_close(&file);
    return r;
}
