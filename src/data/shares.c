/* SPDX-License-Identifier: BSD-2-Clause
 *
 * As many positions as the sum of all weights are a round, in which a source stands as often as its weight says, in
 * an order that is drawn anew each time. A source's images are gone through in epochs of its own, so that none comes
 * again before all others of it have come. How often it stood in a round before is counted, so that rounds are short
 * (mixture.c).
 */
#include "data/shares.h"

#include "base/alloc.h"
#include "base/rng.h"

struct share {
    uint64_t first, count;   /* images of it, which stand side by side */
    uint64_t weight, before; /* those of the shares before it, together */
};

struct mdm_shares {
    uint64_t round;
    int64_t count;
    struct share share[];
};

/* Image i as its source's list has it. */
static int64_t file_of(const maskdm_data *data, int64_t i)
{
    return data->kind->file ? data->kind->file(data, i) : i;
}

int mdm_shares_create(struct mdm_shares **out, const maskdm_data *data)
{
    const struct mdm_scan *files = data->files;
    const int64_t n = files ? files->parts : 0;
    struct mdm_shares *s;

    *out = NULL;
    if (!n)
        return MASKDM_OK;
    s = mdm_need(1, sizeof *s + (size_t)n * sizeof *s->share, "the sources of a data set");
    if (!s)
        return MASKDM_ENOMEM;
    s->count = n;
    for (int64_t i = 0; i < data->count; i++) {
        struct share *share = &s->share[mdm_scan_part(files, file_of(data, i))];

        if (!share->count++)
            share->first = (uint64_t)i;
    }
    for (int64_t k = 0; k < n; k++) {
        s->share[k].weight = (uint64_t)files->weight[k];
        s->share[k].before = s->round;
        s->round += s->share[k].weight;
        if (!s->share[k].count) {
            mdm_free(s);
            return mdm_fail(MASKDM_EINVAL, "source %lld of the data, of weight %lld, has no image to train on",
                            (long long)k + 1, (long long)files->weight[k]);
        }
    }
    *out = s;
    return MASKDM_OK;
}

/* The place of a position in the order of its round. */
static uint64_t draw_slot(const struct mdm_shares *s, uint64_t seed, uint64_t round, uint64_t at)
{
    return mdm_rng_permute(seed, MDM_DRAW_SOURCE, round, at, s->round);
}

static int has_slot(const struct share *h, uint64_t slot)
{
    return slot >= h->before && slot < h->before + h->weight;
}

int64_t mdm_shares_draw(const struct mdm_shares *s, uint64_t seed, uint64_t position)
{
    const uint64_t round = position / s->round, at = position % s->round, slot = draw_slot(s, seed, round, at);
    const struct share *h = s->share;
    uint64_t p;

    while (!has_slot(h, slot))
        h++;
    p = round * h->weight;
    for (uint64_t i = 0; i < at; i++)
        p += (uint64_t)has_slot(h, draw_slot(s, seed, round, i));
    return (int64_t)(h->first + mdm_rng_permute(seed, MDM_DRAW_ORDER, p / h->count, p % h->count, h->count));
}
