/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PNG in, row by row; an interlaced one is held as a whole.
 *
 * Chunks beside the picture are passed over unread: texts and profiles that inflate to gigabytes cost nothing. Only
 * eXIf counts, which is looked for in the file's bytes, since it may stand behind the picture. What follows the last
 * row's data may be missing or odd; that gets a remark.
 */
#include "base/alloc.h"
#include "base/checked.h"
#include "base/crc32.h"
#include "image/codec.h"
#include "image/exif.h"
#include "image/guard.h"
#include "image/rows.h"

#include <png.h>
#include <string.h>

enum {
    DEFLATE_MOST = 1032, /* bytes that one byte of a zlib stream can stand for */
    SIGNATURE = 8,
    CHUNK = 12 /* bytes of a chunk beside its data: length, name, checksum */
};

struct decoding {
    struct mdm_rows base;
    struct mdm_guard guard;
    const unsigned char *bytes;
    size_t size, at;
    png_structp png;
    png_infop info;
    size_t refused;       /* bytes of the first allocation that failed */
    size_t row;           /* bytes */
    unsigned char *pixel; /* one row, or all where they are interlaced */
    int whole, complete;  /* interlaced; every row has come out */
    int64_t given;
};

static int out_of_memory(struct decoding *d)
{
    return mdm_fail_memory(d->refused, "a PNG image");
}

/* Behind a complete picture, in or before any chunk but its own, the end may be missing or be something else. */
static int is_past(struct decoding *d)
{
    return d->complete && ((png_get_io_state(d->png) & PNG_IO_MASK_LOC) == PNG_IO_CHUNK_HDR ||
                           png_get_io_chunk_type(d->png) != 0x49444154 /* IDAT */);
}

static void stop(png_structp png, png_const_charp text)
{
    struct decoding *d = png_get_error_ptr(png);

    if (d->refused)
        mdm_guard_leave(&d->guard, out_of_memory(d));
    if (!is_past(d))
        mdm_guard_leave(&d->guard, mdm_fail(MASKDM_EFORMAT, "PNG: %s", text));
    mdm_remark_add(&d->base.remarks, MDM_REMARK_NO_END, 1);
    mdm_guard_leave(&d->guard, MASKDM_OK);
}

/* libpng's warnings begin with the chunk's name. Transparency that is damaged changes the picture. */
static void hear(png_structp png, png_const_charp text)
{
    struct decoding *d = png_get_error_ptr(png);

    if (strstr(text, "CRC error")) {
        if (!strncmp(text, "tRNS", 4))
            stop(png, text);
        mdm_remark_add(&d->base.remarks, MDM_REMARK_CHECKSUM, 1);
    } else if (!strncmp(text, "tRNS", 4)) {
        mdm_remark_add(&d->base.remarks, MDM_REMARK_OPAQUE, 1);
    } else if (d->complete && !strncmp(text, "IDAT", 4)) {
        mdm_remark_add(&d->base.remarks, MDM_REMARK_STREAM, 1);
    }
}

static png_voidp take(png_structp png, png_alloc_size_t bytes)
{
    struct decoding *d = png_get_mem_ptr(png);
    void *p = mdm_malloc(bytes);

    if (!p && !d->refused)
        d->refused = bytes;
    return p;
}

static void give(png_structp png, png_voidp p)
{
    (void)png;
    mdm_free(p);
}

static void feed(png_structp png, png_bytep to, size_t n)
{
    struct decoding *d = png_get_io_ptr(png);

    if (n > d->size - d->at)
        png_error(png, "the file ends early");
    memcpy(to, d->bytes + d->at, n);
    d->at += n;
}

static size_t read_u32(const unsigned char *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static int is_intact(const unsigned char *chunk, size_t n)
{
    struct mdm_crc32 crc;

    mdm_crc32_prepare(&crc);
    return mdm_crc32_add(&crc, 0, chunk + 4, 4 + n) == read_u32(chunk + 8 + n);
}

/* The first eXIf chunk that says something. */
static int find_orientation(const struct decoding *d)
{
    size_t n;

    for (size_t at = SIGNATURE; d->size - at >= CHUNK; at += CHUNK + n) {
        const unsigned char *chunk = d->bytes + at;
        int found;

        n = read_u32(chunk);
        if (n > d->size - at - CHUNK || !memcmp(chunk + 4, "IEND", 4))
            break;
        if (memcmp(chunk + 4, "eXIf", 4) != 0 || !is_intact(chunk, n))
            continue;
        found = mdm_exif_orientation(chunk + 8, n);
        if (found)
            return found;
    }
    return 0;
}

static int read_header(struct decoding *d)
{
    struct mdm_rows *rows = &d->base;
    uint64_t height, width, raw;

    png_set_user_limits(d->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* and the known ones beside the picture */
    png_set_read_fn(d->png, d, feed);
    png_read_info(d->png, d->info);
    height = png_get_image_height(d->png, d->info);
    width = png_get_image_width(d->png, d->info);
    if (mdm_mul_u64(&raw, height, png_get_rowbytes(d->png, d->info)))
        raw = UINT64_MAX;
    MDM_TRY(mdm_rows_check_size(rows->how, height, width, raw / DEFLATE_MOST, d->size));
    png_set_expand(d->png); /* palette to RGB, 1, 2 and 4 bits to 8, tRNS to alpha */
    d->whole = png_set_interlace_handling(d->png) > 1;
    png_read_update_info(d->png, d->info);
    rows->height = (int64_t)height;
    rows->width = (int64_t)width;
    rows->channels = png_get_channels(d->png, d->info);
    rows->bits = png_get_bit_depth(d->png, d->info) == 16 ? 16 : 8;
    rows->orientation = find_orientation(d);
    d->row = png_get_rowbytes(d->png, d->info);
    return d->whole ? mdm_rows_hold(rows, height * d->row, "interlaced") : MASKDM_OK;
}

static int begin(void *user)
{
    struct decoding *d = user;
    size_t bytes;

    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, stop, hear, d, take, give);
    if (d->png)
        d->info = png_create_info_struct(d->png);
    if (!d->info)
        return out_of_memory(d);
    MDM_TRY(read_header(d));
    bytes = d->row * (d->whole ? (size_t)d->base.height : 1);
    d->pixel = mdm_malloc(bytes);
    return d->pixel ? MASKDM_OK : mdm_fail_memory(bytes, "a PNG image");
}

/* Everything that the file still has, once the last row is out. */
static int finish(struct decoding *d)
{
    d->complete = 1;
    png_read_end(d->png, d->info);
    if (d->at < d->size)
        mdm_remark_add(&d->base.remarks, MDM_REMARK_TRAILER, (int64_t)(d->size - d->at));
    /* libpng goes on without a side chunk that it had no memory for; what it held might have mattered. */
    return d->refused ? out_of_memory(d) : MASKDM_OK;
}

static int next_row(void *user)
{
    struct decoding *d = user;

    if (d->whole && !d->given)
        for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
            for (int64_t y = 0; y < d->base.height; y++)
                png_read_row(d->png, d->pixel + (size_t)y * d->row, NULL);
    else if (!d->whole)
        png_read_row(d->png, d->pixel, NULL);
    return ++d->given == (d->whole ? 1 : d->base.height) ? finish(d) : MASKDM_OK;
}

static int read_row(struct mdm_rows *rows, int64_t *y, uint16_t *to)
{
    struct decoding *d = (struct decoding *)rows;
    const int64_t n = rows->width * rows->channels;
    const unsigned char *from;

    *y = d->given;
    MDM_TRY(mdm_guard_run(&d->guard, next_row, d));
    from = d->pixel + (d->whole ? (size_t)*y * d->row : 0);
    if (rows->bits == 8)
        for (int64_t i = 0; i < n; i++)
            to[i] = (uint16_t)(from[i] * 257);
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = (uint16_t)(from[2 * i] << 8 | from[2 * i + 1]);
    return MASKDM_OK;
}

static void close_rows(struct mdm_rows *rows)
{
    struct decoding *d = (struct decoding *)rows;

    png_destroy_read_struct(&d->png, &d->info, NULL);
    mdm_free(d->pixel);
    mdm_free(d);
}

static const struct mdm_rows_class kind = {read_row, close_rows};

int mdm_rows_open_png(struct mdm_rows **out, const unsigned char *bytes, size_t size, const struct mdm_reading *how)
{
    struct decoding *d = mdm_calloc(1, sizeof *d);

    *out = NULL;
    if (!d)
        return mdm_fail_memory(sizeof *d, "a PNG image");
    d->base.kind = &kind;
    d->base.how = how;
    d->bytes = bytes;
    d->size = size;
    *out = &d->base;
    return mdm_guard_run(&d->guard, begin, d);
}
