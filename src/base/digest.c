/* SPDX-License-Identifier: BSD-2-Clause
 *
 * XXH64: four lanes of multiply and rotate over stripes of 32 bytes, folded and mixed at the end. Constants and
 * steps from the specification "xxHash fast digest algorithm", version 0.1.1, section XXH64.
 */
#include "base/digest.h"

#include "base/endian.h"

#include <string.h>

static const uint64_t P1 = 0x9E3779B185EBCA87u, P2 = 0xC2B2AE3D27D4EB4Fu, P3 = 0x165667B19E3779F9u,
                      P4 = 0x85EBCA77C2B2AE63u, P5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static uint64_t mix_lane(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * P2, 31) * P1;
}

static void add_stripe(uint64_t lane[4], const unsigned char *p)
{
    for (int i = 0; i < 4; i++)
        lane[i] = mix_lane(lane[i], mdm_load_le(p + 8 * i, 8));
}

void mdm_digest_start(struct mdm_digest *d)
{
    memset(d, 0, sizeof *d);
    d->lane[0] = P1 + P2;
    d->lane[1] = P2;
    d->lane[3] = 0 - P1;
}

void mdm_digest_add(struct mdm_digest *d, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    d->total += n;
    if (d->held) {
        size_t take = sizeof d->rest - d->held < n ? sizeof d->rest - d->held : n;
        memcpy(d->rest + d->held, p, take);
        d->held += take;
        p += take;
        n -= take;
        if (d->held < sizeof d->rest)
            return;
        add_stripe(d->lane, d->rest);
        d->held = 0;
    }
    for (; n >= 32; n -= 32, p += 32)
        add_stripe(d->lane, p);
    if (n)
        memcpy(d->rest, p, n);
    d->held = n;
}

uint64_t mdm_digest_value(const struct mdm_digest *d)
{
    const unsigned char *p = d->rest, *end = p + d->held;
    uint64_t h = P5;

    if (d->total >= 32) {
        h = rotate(d->lane[0], 1) + rotate(d->lane[1], 7) + rotate(d->lane[2], 12) + rotate(d->lane[3], 18);
        for (int i = 0; i < 4; i++)
            h = (h ^ mix_lane(0, d->lane[i])) * P1 + P4;
    }
    h += d->total;
    for (; end - p >= 8; p += 8)
        h = rotate(h ^ mix_lane(0, mdm_load_le(p, 8)), 27) * P1 + P4;
    for (; end - p >= 4; p += 4)
        h = rotate(h ^ mdm_load_le(p, 4) * P1, 23) * P2 + P3;
    for (; p < end; p++)
        h = rotate(h ^ *p * P5, 11) * P1;
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}

void mdm_digest_text(const struct mdm_digest *d, char out[17])
{
    uint64_t h = mdm_digest_value(d);

    for (int i = 15; i >= 0; i--, h >>= 4)
        out[i] = "0123456789abcdef"[h & 15];
    out[16] = '\0';
}
