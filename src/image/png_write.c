/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PNG out, through the durable writer. Compression level and row filter are fixed and no time is written, so equal
 * samples and texts give equal bytes (with one version of zlib).
 */
#include "image/codec.h"

#include "base/alloc.h"
#include "image/guard.h"
#include "os/file.h"

#include <png.h>
#include <string.h>

struct encoding {
    struct mdm_guard guard;
    png_structp png;
    png_infop info;
    size_t refused; /* bytes of the first allocation that failed */
    const maskdm_image *image;
    int bits;
    unsigned char *row;
    mdm_png_take take;
    void *user;
};

static int out_of_memory(struct encoding *e)
{
    return mdm_fail_memory(e->refused, "writing a PNG image");
}

static void stop(png_structp png, png_const_charp text)
{
    struct encoding *e = png_get_error_ptr(png);

    mdm_guard_leave(&e->guard, e->refused ? out_of_memory(e) : mdm_fail(MASKDM_EINVAL, "PNG: %s", text));
}

static void ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp take(png_structp png, png_alloc_size_t bytes)
{
    struct encoding *e = png_get_mem_ptr(png);
    void *p = mdm_malloc(bytes);

    if (!p && !e->refused)
        e->refused = bytes;
    return p;
}

static void give(png_structp png, png_voidp p)
{
    (void)png;
    mdm_free(p);
}

static void drain(png_structp png, png_bytep from, size_t n)
{
    struct encoding *e = png_get_io_ptr(png);
    int r = e->take(e->user, from, n);

    if (r < 0)
        mdm_guard_leave(&e->guard, r);
}

static void flush(png_structp png)
{
    (void)png;
}

static void write_rows(struct encoding *e)
{
    const maskdm_image *m = e->image;
    int64_t n = m->width * m->channels;

    for (int64_t y = 0; y < m->height; y++) {
        const uint16_t *v = m->sample + y * n;

        for (int64_t i = 0; i < n; i++)
            if (e->bits == 8) {
                e->row[i] = mdm_sample_to_u8(v[i]);
            } else {
                e->row[2 * i] = (unsigned char)(v[i] >> 8);
                e->row[2 * i + 1] = (unsigned char)(v[i] & 255);
            }
        png_write_row(e->png, e->row);
    }
}

/* ASCII is tEXt, which every program reads; the rest iTXt, which says that it is UTF-8. */
static void set_texts(struct encoding *e)
{
    for (const struct mdm_png_text *t = e->image->text; t && t->key; t++) {
        png_text said = {
            .key = (png_charp)t->key, .text = (png_charp)t->text, .compression = PNG_TEXT_COMPRESSION_NONE};

        for (const char *s = t->text; *s; s++)
            if ((unsigned char)*s >= 0x7f)
                said.compression = PNG_ITXT_COMPRESSION_NONE;
        png_set_text(e->png, e->info, &said, 1);
    }
}

static int work(void *user)
{
    static const int type[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                               PNG_COLOR_TYPE_RGB_ALPHA};
    struct encoding *e = user;
    const maskdm_image *m = e->image;

    e->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, e, stop, ignore, e, take, give);
    if (e->png)
        e->info = png_create_info_struct(e->png);
    if (!e->info)
        return out_of_memory(e);
    png_set_write_fn(e->png, e, drain, flush);
    png_set_compression_level(e->png, 6);
    png_set_filter(e->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_PAETH);
    png_set_IHDR(e->png, e->info, (png_uint_32)m->width, (png_uint_32)m->height, e->bits, type[m->channels - 1],
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    set_texts(e);
    png_write_info(e->png, e->info);
    write_rows(e);
    png_write_end(e->png, NULL);
    return MASKDM_OK;
}

int mdm_png_encode(const maskdm_image *image, int bits, mdm_png_take take_bytes, void *user)
{
    struct encoding e = {.image = image, .bits = bits, .take = take_bytes, .user = user};
    size_t row = (size_t)(image->width * image->channels) * 2;
    int r;

    e.row = mdm_malloc(row);
    if (!e.row)
        return mdm_fail_memory(row, "writing a PNG image");
    r = mdm_guard_run(&e.guard, work, &e);
    png_destroy_write_struct(&e.png, &e.info);
    mdm_free(e.row);
    return r;
}

static int into_file(void *user, const void *bytes, size_t n)
{
    return mdm_writer_write(user, bytes, n);
}

int mdm_image_encode_png(const maskdm_image *image, struct mdm_writer **writer, int bits)
{
    int r = mdm_png_encode(image, bits, into_file, *writer);

    if (r < 0)
        mdm_writer_abandon(writer);
    return r < 0 ? r : mdm_writer_commit(writer);
}

int mdm_image_write_png(const maskdm_image *image, const char *path, int bits)
{
    struct mdm_writer *writer;

    if (bits != 8 && bits != 16)
        return mdm_fail(MASKDM_EINVAL, "a PNG has 8 or 16 bits a sample, not %d", bits);
    MDM_TRY(mdm_writer_open(&writer, path));
    return mdm_image_encode_png(image, &writer, bits);
}
