/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A picture that is there as samples, row by row, so that it is converted and fitted as one out of a file is.
 */
#include "image/rows.h"

#include "base/alloc.h"
#include "image/codec.h"

#include <string.h>

struct samples {
    struct mdm_rows base;
    const unsigned char *row; /* the next one */
    int64_t y;
};

static int read_row(struct mdm_rows *rows, int64_t *y, uint16_t *to)
{
    struct samples *s = (struct samples *)rows;
    const size_t n = (size_t)rows->width * (size_t)rows->channels;

    if (rows->bits == 8)
        for (size_t i = 0; i < n; i++)
            to[i] = (uint16_t)(s->row[i] * 257);
    else
        memcpy(to, s->row, n * sizeof *to);
    s->row += rows->bits == 8 ? n : n * sizeof *to;
    *y = s->y++;
    return MASKDM_OK;
}

static void finish(struct mdm_rows *rows)
{
    mdm_free(rows);
}

static const struct mdm_rows_class kind = {read_row, finish};

int mdm_image_of_samples(maskdm_image **out, const void *samples, int64_t height, int64_t width, int channels,
                         int bits, const struct mdm_reading *how)
{
    struct samples *s = mdm_need(1, sizeof *s, "an image's rows");

    *out = NULL;
    if (!s)
        return MASKDM_ENOMEM;
    s->base = (struct mdm_rows){
        .kind = &kind, .how = how, .height = height, .width = width, .channels = channels, .bits = bits};
    s->row = samples;
    return mdm_image_of_rows(out, &s->base);
}
