/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PNG files for tests, with chunks of the test's own.
 */
#ifndef MASKDM_TESTS_UNIT_PICTURE_H
#define MASKDM_TESTS_UNIT_PICTURE_H

#include <png.h>
#include <stdlib.h>
#include <string.h>

struct png_file {
    unsigned char *data;
    size_t size, capacity;
};

/* A chunk before the picture's data, or behind it. Without data: a text of so many letters, compressed where the kind
 * of chunk allows. */
struct png_chunk {
    const char *name;
    const void *data;
    size_t size;
    int behind, times;
};

static void picture_append(png_structp png, png_bytep from, size_t n)
{
    struct png_file *b = png_get_io_ptr(png);

    if (b->size + n > b->capacity) {
        b->capacity = 2 * (b->size + n);
        b->data = realloc(b->data, b->capacity);
    }
    memcpy(b->data + b->size, from, n);
    b->size += n;
}

static void picture_text(png_structp png, png_infop info, const struct png_chunk *chunk)
{
    char *letters = calloc(1, chunk->size + 1), key[] = "key";
    png_text text = {.key = key, .text = letters, .text_length = chunk->size};

    memset(letters, 'a', chunk->size);
    text.compression = *chunk->name == 'z'   ? PNG_TEXT_COMPRESSION_zTXt
                       : *chunk->name == 'i' ? PNG_ITXT_COMPRESSION_zTXt
                                             : PNG_TEXT_COMPRESSION_NONE;
    png_set_text(png, info, &text, 1);
    free(letters);
}

static void picture_chunks(png_structp png, png_infop info, const struct png_chunk *chunk, int behind)
{
    for (int i = 0; chunk && chunk->behind == behind && i < chunk->times; i++)
        if (chunk->data)
            png_write_chunk(png, (png_const_bytep)chunk->name, chunk->data, chunk->size);
        else
            picture_text(png, info, chunk);
}

/* `value` gives byte i of row y as it stands in the file. Free with free(data). */
static inline struct png_file picture_png(int height, int width, int type, int depth, int interlaced,
                                          unsigned char (*value)(int y, size_t i), const struct png_chunk *chunk)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    struct png_file out = {0};
    size_t n;
    unsigned char *row;

    png_set_user_limits(png, 1 << 20, 1 << 20);
    png_set_write_fn(png, &out, picture_append, NULL);
    png_set_IHDR(png, info, (unsigned)width, (unsigned)height, depth, type,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    if (chunk && !chunk->data)
        picture_chunks(png, info, chunk, 0);
    png_write_info(png, info);
    if (chunk && chunk->data)
        picture_chunks(png, info, chunk, 0);
    n = png_get_rowbytes(png, info);
    row = malloc(n);
    for (int pass = interlaced ? png_set_interlace_handling(png) : 1; pass > 0; pass--)
        for (int y = 0; y < height; y++) {
            for (size_t i = 0; i < n; i++)
                row[i] = value(y, i);
            png_write_row(png, row);
        }
    picture_chunks(png, info, chunk, 1);
    png_write_end(png, chunk && !chunk->data ? info : NULL);
    png_destroy_write_struct(&png, &info);
    free(row);
    return out;
}

#endif
