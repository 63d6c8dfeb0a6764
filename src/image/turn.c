/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows the right way up. EXIF says where the first stored row and the first stored column belong. Mirrored pictures
 * and those upside down go through row by row; those that lie on their side are gathered first, turned, in the depth
 * that the file has.
 */
#include "image/rows.h"

#include "base/alloc.h"
#include "image/codec.h"

struct turned {
    struct mdm_rows base, *from;
    int lying, mirrored, backwards; /* rows become columns; columns, rows count from the far end */
    int64_t given;
    unsigned char *whole; /* lying: the upright picture, 1 or 2 bytes a sample */
    uint16_t *row;        /* lying: one stored row */
};

static const struct {
    unsigned char lying, mirrored, backwards;
} ways[9] = {{0, 0, 0}, {0, 0, 0}, {0, 1, 0}, {0, 1, 1}, {0, 0, 1}, {1, 0, 0}, {1, 0, 1}, {1, 1, 1}, {1, 1, 0}};

static void mirror(uint16_t *row, int64_t width, int channels)
{
    for (int64_t a = 0, b = width - 1; a < b; a++, b--)
        for (int c = 0; c < channels; c++) {
            uint16_t v = row[a * channels + c];

            row[a * channels + c] = row[b * channels + c];
            row[b * channels + c] = v;
        }
}

/* One stored row, which is column x of the upright picture. */
static void put_column(struct turned *t, int64_t x)
{
    const int channels = t->base.channels;
    const int64_t height = t->base.height, width = t->base.width;

    for (int64_t i = 0; i < height; i++) {
        const uint16_t *from = t->row + i * channels;
        int64_t at = ((t->mirrored ? height - 1 - i : i) * width + x) * channels;

        for (int c = 0; c < channels; c++)
            if (t->base.bits == 8)
                t->whole[at + c] = (unsigned char)(from[c] / 257);
            else
                ((uint16_t *)(void *)t->whole)[at + c] = from[c];
    }
}

static int gather(struct turned *t)
{
    const size_t sample = t->base.bits == 8 ? 1 : sizeof(uint16_t);
    const size_t row = (size_t)(t->base.height * t->base.channels) * sizeof *t->row;
    const size_t all = (size_t)(t->base.height * t->base.width * t->base.channels) * sample;

    t->row = mdm_malloc(row);
    t->whole = mdm_malloc(all);
    if (!t->row || !t->whole)
        return mdm_fail_memory(row + all, "turning an image");
    for (int64_t i = 0; i < t->base.width; i++) {
        int64_t y;

        MDM_TRY(mdm_rows_read(t->from, &y, t->row));
        put_column(t, t->backwards ? t->base.width - 1 - y : y);
    }
    return MASKDM_OK;
}

static int read_row(struct mdm_rows *rows, int64_t *y, uint16_t *to)
{
    struct turned *t = (struct turned *)rows;
    const int64_t n = t->base.width * t->base.channels;

    if (!t->lying) {
        MDM_TRY(mdm_rows_read(t->from, y, to));
        if (t->mirrored)
            mirror(to, t->base.width, t->base.channels);
        if (t->backwards)
            *y = t->base.height - 1 - *y;
    } else {
        if (!t->whole)
            MDM_TRY(gather(t));
        *y = t->given++;
        for (int64_t i = 0; i < n; i++)
            to[i] = t->base.bits == 8 ? (uint16_t)(t->whole[*y * n + i] * 257)
                                      : ((const uint16_t *)(const void *)t->whole)[*y * n + i];
    }
    t->base.remarks = t->from->remarks; /* more may have come to light further down */
    return MASKDM_OK;
}

static void close_turned(struct mdm_rows *rows)
{
    struct turned *t = (struct turned *)rows;

    mdm_rows_close(&t->from);
    mdm_free(t->whole);
    mdm_free(t->row);
    mdm_free(t);
}

static const struct mdm_rows_class turning = {read_row, close_turned};

int mdm_rows_turn(struct mdm_rows **rows)
{
    struct mdm_rows *from = *rows;
    struct turned *t;

    if (from->orientation <= 1)
        return MASKDM_OK;
    mdm_remark_add(&from->remarks, from->how->as_stored ? MDM_REMARK_NOT_TURNED : MDM_REMARK_TURNED,
                   from->orientation);
    if (from->how->as_stored)
        return MASKDM_OK;
    t = mdm_calloc(1, sizeof *t);
    if (!t)
        return mdm_fail_memory(sizeof *t, "turning an image");
    t->base = *from;
    t->base.kind = &turning;
    t->from = from;
    t->lying = ways[from->orientation].lying;
    t->mirrored = ways[from->orientation].mirrored;
    t->backwards = ways[from->orientation].backwards;
    *rows = &t->base;
    if (!t->lying)
        return MASKDM_OK;
    t->base.height = from->width;
    t->base.width = from->height;
    return mdm_rows_hold(&t->base,
                         (uint64_t)from->height * (uint64_t)from->width * (uint64_t)from->channels *
                             (from->bits == 8 ? 1 : 2),
                         "stored on their side");
}
