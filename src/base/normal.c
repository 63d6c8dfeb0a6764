/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Normal deviates by Box and Muller: with u, v uniform, sqrt(-2 ln u) (cos 2 pi v, sin 2 pi v) is a pair of
 * independent ones. Logarithm, sine and cosine are polynomials of ours in double, from + - * / sqrt and bits
 * alone, so that every IEEE machine draws the same bits; their error is far below float's. Straight loops
 * without branches, so that a compiler can run several pairs at once.
 */
#include "base/rng.h"

#include <math.h>
#include <string.h>

enum { BLOCKS = 16, PAIRS = 2 * BLOCKS, NORMALS = 4 * BLOCKS }; /* per piece */

/* ln x for x > 0, not subnormal: x = m 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m-1)/(m+1)) by its
 * series up to the 13th power; what is left out is below 1e-12. */
static double logarithm(double x)
{
    uint64_t bits, above;
    double m, s, s2, series;

    memcpy(&bits, &x, sizeof bits);
    above = bits - 0x3fe6a09e667f3bcdu; /* the bits of sqrt(1/2) */
    bits -= above & 0xfff0000000000000u;
    memcpy(&m, &bits, sizeof m);
    s = (m - 1.0) / (m + 1.0);
    s2 = s * s;
    series = 1.0 / 13;
    series = series * s2 + 1.0 / 11;
    series = series * s2 + 1.0 / 9;
    series = series * s2 + 1.0 / 7;
    series = series * s2 + 1.0 / 5;
    series = series * s2 + 1.0 / 3;
    series = series * s2 + 1.0;
    return 0x1.62e42fefa39efp-1 * (double)((int32_t)(above >> 52 << 20) >> 20) + 2.0 * s * series;
}

/* Sine and cosine of a full turn times v / 2^32. The nearest quarter turn is taken off; Taylor series of the
 * rest, at most an eighth of a turn, to the 13th and 14th power. */
static void sine_cosine(double *sine, double *cosine, uint32_t v)
{
    uint32_t quarter = (v + 0x20000000u) >> 30;
    int32_t rest = (int32_t)(v - (quarter << 30));
    double x = (double)rest * (0x1.921fb54442d18p+0 * 0x1p-30), x2 = x * x, s, c;

    s = 1.0 / 6227020800;
    s = s * x2 - 1.0 / 39916800;
    s = s * x2 + 1.0 / 362880;
    s = s * x2 - 1.0 / 5040;
    s = s * x2 + 1.0 / 120;
    s = s * x2 - 1.0 / 6;
    s = (s * x2 + 1.0) * x;
    c = -1.0 / 87178291200;
    c = c * x2 + 1.0 / 479001600;
    c = c * x2 - 1.0 / 3628800;
    c = c * x2 + 1.0 / 40320;
    c = c * x2 - 1.0 / 720;
    c = c * x2 + 1.0 / 24;
    c = c * x2 - 1.0 / 2;
    c = c * x2 + 1.0;
    *sine = (quarter & 1 ? c : s) * (1.0 - (quarter & 2));
    *cosine = (quarter & 1 ? s : c) * (1.0 - ((quarter + 1) & 2));
}

/* Deviates of BLOCKS blocks from `block` on. u = (word + 1/2) / 2^32 is never 0. */
static void draw_piece(float out[NORMALS], const struct mdm_rng *stream, uint32_t block)
{
    uint32_t u[PAIRS], v[PAIRS], word[4], counter[4];

    memcpy(counter, stream->counter, sizeof counter);
    for (int i = 0; i < BLOCKS; i++) {
        counter[0] = block + (uint32_t)i;
        mdm_philox(word, counter, stream->key);
        u[2 * i] = word[0];
        v[2 * i] = word[1];
        u[2 * i + 1] = word[2];
        v[2 * i + 1] = word[3];
    }
    for (int i = 0; i < PAIRS; i++) {
        double radius = sqrt(-2.0 * logarithm(((double)u[i] + 0.5) * 0x1p-32)), sine, cosine;

        sine_cosine(&sine, &cosine, v[i]);
        out[2 * i] = (float)(radius * cosine);
        out[2 * i + 1] = (float)(radius * sine);
    }
}

void mdm_rng_normal(float *out, size_t count, const struct mdm_rng *stream, uint64_t first)
{
    float piece[NORMALS];
    size_t skip = (size_t)(first % 4);

    for (uint64_t block = first / 4; count; block += BLOCKS) {
        size_t n = NORMALS - skip < count ? NORMALS - skip : count;

        draw_piece(piece, stream, (uint32_t)block);
        memcpy(out, piece + skip, n * sizeof *out);
        out += n;
        count -= n;
        skip = 0;
    }
}
