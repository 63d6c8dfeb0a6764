/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the channels that a file has to those that are asked for. Colour first, then transparency over the
 * background; linear in sample values, no gamma. An 8-bit picture stays one: results are rounded to its depth.
 */
#include "io/codec.h"

/* Luma of ITU-R 601 in 16-bit fixed point, with Pillow's weights and rounding at the source's own depth. */
static uint16_t luma(const uint16_t *rgb, int bits)
{
    uint64_t unit = bits == 8 ? 257 : 1;
    uint64_t l = rgb[0] / unit * 19595 + rgb[1] / unit * 38470 + rgb[2] / unit * 7471 + 0x8000;

    return (uint16_t)((l >> 16) * unit);
}

static void recolour(uint16_t *to, int to_colours, const uint16_t *from, int from_colours, int bits)
{
    if (to_colours == from_colours)
        for (int c = 0; c < to_colours; c++)
            to[c] = from[c];
    else if (to_colours == 1)
        to[0] = luma(from, bits);
    else
        to[0] = to[1] = to[2] = from[0];
}

int maskdm_picture_convert(maskdm_image **image, int channels, const float *background, struct maskdm_failure *f)
{
    maskdm_image *m = *image, *n;
    double under[3] = {65535, 65535, 65535};
    int had_alpha = m->channels % 2 == 0, has_alpha = channels % 2 == 0;
    int had_colours = m->channels - had_alpha, colours = channels - has_alpha;

    if (m->channels == channels)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_picture_create(&n, m->height, m->width, channels, f));
    n->bits = m->bits;
    if (background && !has_alpha)
        for (int c = 0; c < colours; c++)
            under[c] = (background[c] > 0 ? background[c] < 1 ? background[c] : 1 : 0) * 65535.0;
    for (int64_t i = 0; i < m->height * m->width; i++) {
        const uint16_t *from = m->sample + i * m->channels;
        uint16_t *to = n->sample + i * channels;
        uint16_t alpha = had_alpha ? from[had_colours] : 65535;

        recolour(to, colours, from, had_colours, m->bits);
        if (has_alpha)
            to[colours] = alpha;
        else if (alpha != 65535)
            for (int c = 0; c < colours; c++)
                to[c] = maskdm_sample_round((alpha * (double)to[c] + (65535 - alpha) * under[c]) / 65535, n->bits);
    }
    maskdm_picture_free(image);
    *image = n;
    return MASKDM_OK;
}
