/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the channels that a file has to those that are asked for. Colour first, then transparency over the
 * background; linear in sample values, no gamma. An 8-bit picture stays one: results are rounded to its depth.
 */
#include "image/codec.h"

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

int mdm_convert_row(uint16_t *to, int to_channels, const uint16_t *from, int from_channels, int64_t n, int bits,
                    const float *background)
{
    const int had_alpha = from_channels % 2 == 0, has_alpha = to_channels % 2 == 0;
    const int had_colours = from_channels - had_alpha, colours = to_channels - has_alpha;
    double under[3];
    int composed = 0;

    for (int c = 0; c < 3; c++)
        under[c] = (background[c] > 0 ? background[c] < 1 ? background[c] : 1 : 0) * 65535.0;
    for (int64_t i = 0; i < n; i++, from += from_channels, to += to_channels) {
        uint16_t alpha = had_alpha ? from[had_colours] : 65535;

        recolour(to, colours, from, had_colours, bits);
        if (has_alpha)
            to[colours] = alpha;
        else if (alpha != 65535)
            for (int c = 0; c < colours; c++, composed = 1)
                to[c] = mdm_sample_round((alpha * (double)to[c] + (65535 - alpha) * under[c]) / 65535, bits);
    }
    return composed;
}
