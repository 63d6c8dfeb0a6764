/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Philox and what is drawn from it one number at a time. Normal deviates are in normal.c.
 */
#include "base/rng.h"

void mdm_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)c0 * 0xd2511f53u, b = (uint64_t)c2 * 0xcd9e8d57u;

        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9e3779b9u; /* the golden ratio */
        k1 += 0xbb67ae85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

struct mdm_rng mdm_rng_make(uint64_t seed, enum mdm_purpose purpose, uint64_t sample, uint64_t step)
{
    struct mdm_rng r = { { (uint32_t)seed, (uint32_t)(seed >> 32) }, { 0 }, { 0 }, 0 };

    r.counter[1] = (uint32_t)purpose << 24 | (uint32_t)(sample >> 32 & 0xfff) << 12 | (uint32_t)(step >> 32 & 0xfff);
    r.counter[2] = (uint32_t)sample;
    r.counter[3] = (uint32_t)step;
    return r;
}

uint32_t mdm_rng_u32(struct mdm_rng *r)
{
    if (!r->left) {
        mdm_philox(r->word, r->counter, r->key);
        r->counter[0]++;
        r->left = 4;
    }
    return r->word[4 - r->left--];
}

/* Lemire, "Fast random integer generation in an interval" (2019): the high half of word * limit, with the few
 * words refused that would make some results more likely. */
uint32_t mdm_rng_range(struct mdm_rng *r, uint32_t limit)
{
    uint64_t product;
    uint32_t surplus;

    if (limit < 2)
        return 0;
    surplus = (0 - limit) % limit; /* 2^32 mod limit */
    do
        product = (uint64_t)mdm_rng_u32(r) * limit;
    while ((uint32_t)product < surplus);
    return (uint32_t)(product >> 32);
}

/* Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): a number is taken with
 * probability (still wanted) / (still to come), which needs no memory and gives rising numbers. */
void mdm_rng_choose(struct mdm_rng *r, int32_t *out, int64_t count, int64_t n)
{
    int64_t taken = 0;

    for (int64_t i = 0; taken < count; i++)
        if (mdm_rng_range(r, (uint32_t)(n - i)) < (uint32_t)(count - taken))
            out[taken++] = (int32_t)i;
}

double mdm_rng_uniform(struct mdm_rng *r)
{
    uint64_t high = mdm_rng_u32(r), low = mdm_rng_u32(r);

    return (double)((high << 32 | low) >> 11) * 0x1p-53;
}

/* A balanced Feistel network is a permutation of 2^(2 half) numbers whatever its round function; numbers that
 * land outside 0..n-1 are sent through again until they land inside. Eight bits at least, since the network is
 * a poor shuffle of fewer. */
uint64_t mdm_rng_permute(uint64_t seed, enum mdm_purpose purpose, uint64_t step, uint64_t i, uint64_t n)
{
    enum { ROUNDS = 6 };
    int half = 4;
    uint64_t mask;

    if (i >= n)
        return i;
    while (half < 32 && (n - 1) >> 2 * half)
        half++;
    mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask;

        for (uint64_t round = 0; round < ROUNDS; round++) {
            struct mdm_rng r = mdm_rng_make(seed, purpose, round, step);
            uint64_t swapped = left;

            r.counter[0] = (uint32_t)right;
            left = right;
            right = swapped ^ (mdm_rng_u32(&r) & mask);
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}
