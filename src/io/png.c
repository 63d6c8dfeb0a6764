/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PNG in. libpng reports an error by a call that must not return, so each decode has one guarded function, which
 * holds the jump target and no variables; everything else lives in struct decoding.
 */
#include "io/codec.h"

#include "util/alloc.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>

enum {
    DEFLATE_MOST = 1032,      /* bytes that one byte of a zlib stream can stand for */
    CHUNKS_MOST = 256,        /* text and unknown chunks that are kept */
    CHUNK_BYTES_MOST = 8 << 20
};

struct decoding {
    jmp_buf jump;
    const unsigned char *bytes;
    size_t size, at;
    png_structp png;
    png_infop info;
    size_t refused; /* bytes of the first allocation that failed */
    maskdm_image *image;
    struct maskdm_failure *f;
};

static int out_of_memory(struct decoding *d)
{
    return maskdm_picture_memory(d->f, d->refused, "a PNG image");
}

static void stop(png_structp png, png_const_charp text)
{
    struct decoding *d = png_get_error_ptr(png);

    if (d->refused)
        out_of_memory(d);
    else if (!d->f->code)
        maskdm_failure_set(d->f, MASKDM_EFORMAT, "PNG: %s", text);
    longjmp(d->jump, 1);
}

static void ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp take(png_structp png, png_alloc_size_t bytes)
{
    struct decoding *d = png_get_mem_ptr(png);
    void *p = maskdm_malloc(bytes);

    if (!p && !d->refused)
        d->refused = bytes;
    return p;
}

static void give(png_structp png, png_voidp p)
{
    (void)png;
    maskdm_free(p);
}

static void feed(png_structp png, png_bytep to, size_t n)
{
    struct decoding *d = png_get_io_ptr(png);

    if (n > d->size - d->at)
        png_error(png, "the file ends early");
    memcpy(to, d->bytes + d->at, n);
    d->at += n;
}

/* Sizes are checked before anything of that size is allocated. */
static int begin(struct decoding *d)
{
    uint64_t height, width, raw;

    png_set_user_limits(d->png, MASKDM_PICTURE_SIDE, MASKDM_PICTURE_SIDE);
    png_set_chunk_cache_max(d->png, CHUNKS_MOST);
    png_set_chunk_malloc_max(d->png, CHUNK_BYTES_MOST);
    png_set_read_fn(d->png, d, feed);
    png_read_info(d->png, d->info);
    height = png_get_image_height(d->png, d->info);
    width = png_get_image_width(d->png, d->info);
    raw = height * png_get_rowbytes(d->png, d->info); /* each side is below 2^16, a row below 2^19 bytes */
    if (raw / DEFLATE_MOST > d->size)
        return maskdm_failure_set(d->f, MASKDM_EFORMAT, "PNG: %zu bytes cannot hold %llu x %llu pixels", d->size,
                                  (unsigned long long)height, (unsigned long long)width);
    png_set_expand(d->png); /* palette to RGB, 1, 2 and 4 bits to 8, tRNS to alpha */
    (void)png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    MASKDM_TRY(maskdm_picture_create(&d->image, (int64_t)height, (int64_t)width,
                                     png_get_channels(d->png, d->info), d->f));
    d->image->bits = png_get_bit_depth(d->png, d->info) == 16 ? 16 : 8;
    return MASKDM_OK;
}

/* The file's bytes go to the end of the sample array and are widened from its start: no second buffer. */
static void read_rows(struct decoding *d)
{
    maskdm_image *m = d->image;
    size_t n = (size_t)(m->height * m->width * m->channels);
    size_t row = png_get_rowbytes(d->png, d->info);
    unsigned char *bytes = (unsigned char *)m->sample + (m->bits == 8 ? n : 0);
    int passes = png_set_interlace_handling(d->png);

    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < m->height; y++)
            png_read_row(d->png, bytes + (size_t)y * row, NULL);
    png_read_end(d->png, NULL);
    if (m->bits == 8)
        for (size_t i = 0; i < n; i++)
            m->sample[i] = (uint16_t)(bytes[i] * 257);
    else
        for (size_t i = 0; i < n; i++)
            m->sample[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
}

static int work(struct decoding *d)
{
    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, stop, ignore, d, take, give);
    if (d->png)
        d->info = png_create_info_struct(d->png);
    if (!d->info)
        return out_of_memory(d);
    MASKDM_TRY(begin(d));
    read_rows(d);
    /* libpng goes on without a side chunk that it had no memory for; what it held might have mattered. */
    return d->refused ? out_of_memory(d) : MASKDM_OK;
}

static int guarded(struct decoding *d)
{
    if (setjmp(d->jump))
        return d->f->code;
    return work(d);
}

int maskdm_png_decode(maskdm_image **out, const unsigned char *bytes, size_t size, struct maskdm_failure *f)
{
    struct decoding d;
    int r;

    memset(&d, 0, sizeof d);
    memset(f, 0, sizeof *f);
    *out = NULL;
    d.bytes = bytes;
    d.size = size;
    d.f = f;
    r = guarded(&d);
    png_destroy_read_struct(&d.png, &d.info, NULL);
    if (r < 0)
        maskdm_picture_free(&d.image);
    *out = d.image;
    return r;
}
