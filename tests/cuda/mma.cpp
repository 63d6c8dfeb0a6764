/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products of a warp and what loads for them. Fragments as the PTX manual has them: lane = 4 g + t.
 */
#include "emulator.h"

#include <string.h>

enum { LANES = warpSize, M = 16, N = 8 };

struct fragments {
    float d[4];
    unsigned a[4], b[2];
};

static float low(unsigned x)
{
    return __uint_as_float(x << 16);
}

static float high(unsigned x)
{
    return __uint_as_float(x & 0xffff0000u);
}

/* Calls what it is given with one lane's fragments, and puts back the sums. */
template <int K, class Unpack> static void multiply(mdm_put *put, Unpack unpack)
{
    float a[M][K], b[K][N], d[M][N];
    fragments f[LANES];

    for (int i = 0; i < LANES; i++) {
        const int g = i / 4, t = i % 4;

        memcpy(&f[i], put[i].byte, sizeof f[i]);
        unpack(f[i], g, t, a, b);
        for (int k = 0; k < 4; k++)
            d[g + k / 2 * 8][2 * t + k % 2] = f[i].d[k];
    }
    for (int m = 0; m < M; m++)
        for (int k = 0; k < K; k++)
            for (int n = 0; n < N; n++)
                d[m][n] += a[m][k] * b[k][n];
    for (int i = 0; i < LANES; i++) {
        for (int k = 0; k < 4; k++)
            f[i].d[k] = d[i / 4 + k / 2 * 8][2 * (i % 4) + k % 2];
        memcpy(put[i].byte, f[i].d, sizeof f[i].d);
    }
}

static void multiply_bf16(mdm_put *put)
{
    multiply<16>(put, [](const fragments &f, int g, int t, float(*a)[16], float(*b)[N]) {
        for (int k = 0; k < 4; k++) {
            a[g + k % 2 * 8][2 * t + k / 2 * 8] = low(f.a[k]);
            a[g + k % 2 * 8][2 * t + k / 2 * 8 + 1] = high(f.a[k]);
        }
        for (int k = 0; k < 2; k++) {
            b[2 * t + k * 8][g] = low(f.b[k]);
            b[2 * t + k * 8 + 1][g] = high(f.b[k]);
        }
    });
}

static float tf32(unsigned x)
{
    return __uint_as_float(x & ~0x1fffu);
}

static void multiply_tf32(mdm_put *put)
{
    multiply<8>(put, [](const fragments &f, int g, int t, float(*a)[8], float(*b)[N]) {
        for (int k = 0; k < 4; k++)
            a[g + k % 2 * 8][t + k / 2 * 4] = tf32(f.a[k]);
        for (int k = 0; k < 2; k++)
            b[t + k * 4][g] = tf32(f.b[k]);
    });
}

static void collect(float d[4], const unsigned a[4], const unsigned b[2], mdm_site site, void (*last)(mdm_put *))
{
    fragments f;

    memcpy(f.d, d, sizeof f.d);
    memcpy(f.a, a, sizeof f.a);
    memcpy(f.b, b, sizeof f.b);
    static_assert(sizeof f <= MDM_MOST_PUT, "fits");
    memcpy(d, mdm_emulated_exchange(~0u, &f, sizeof f, site, last)[mdm_emulated_lane()].byte, sizeof f.d);
}

void mdm_emulated_mma_bf16(float d[4], const unsigned a[4], const unsigned b[2], const char *file, int line)
{
    collect(d, a, b, {file, line}, multiply_bf16);
}

void mdm_emulated_mma_tf32(float d[4], const unsigned a[4], const unsigned b[2], const char *file, int line)
{
    collect(d, a, b, {file, line}, multiply_tf32);
}

/* To nearest, ties away from zero, as the instruction does. */
unsigned mdm_emulated_tf32(float x)
{
    const unsigned u = __float_as_uint(x);

    return (u & 0x7f800000u) == 0x7f800000u ? u : (u + 0x1000u) & ~0x1fffu;
}

void mdm_emulated_ldmatrix(unsigned *out, int count, int trans, const void *row, const char *file, int line)
{
    const unsigned lane = mdm_emulated_lane();
    const bool mine = lane < 8u * (unsigned)count;
    const mdm_put *put;

    if (mine && (uintptr_t)row % 16)
        mdm_emulated_die("%s:%d: the address of a row is no multiple of 16", file, line);
    put = mdm_emulated_exchange(~0u, row, mine ? 16 : 0, {file, line});
    for (int i = 0; i < count; i++) {
        if (!trans)
            memcpy(&out[i], put[8 * i + (int)lane / 4].byte + lane % 4 * 4, 4);
        else
            for (unsigned k = 0; k < 2; k++)
                memcpy((char *)&out[i] + 2 * k, put[8 * (unsigned)i + lane % 4 * 2 + k].byte + lane / 4 * 2, 2);
    }
}
