/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a
 * pure function of key and counter, so that what is drawn depends on (seed, purpose, sample index, step) and
 * never on the order of calls, the batch it falls in or the number of threads.
 *
 * Key: the 64-bit seed. Counter words:
 *   0  block number within the stream, so a stream has 2^32 blocks of four words
 *   1  purpose (8 bits) | bits 32-43 of the sample index | bits 32-43 of the step
 *   2  low 32 bits of the sample index
 *   3  low 32 bits of the step
 * Streams are distinct while sample indices and steps stay below 2^44.
 */
#ifndef MASKDM_BASE_RNG_H
#define MASKDM_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* One purpose per stream. Values are part of what a seed means: never renumber. */
enum mdm_purpose {
    MDM_DRAW_INIT = 1,         /* weight initialisation; sample = parameter index */
    MDM_DRAW_ORDER = 2,        /* epoch permutation; sample = 0, step = epoch */
    MDM_DRAW_FLIP = 3,         /* horizontal flip; sample = position in the run's stream of images */
    MDM_DRAW_MASK = 4,
    MDM_DRAW_TIME = 5,
    MDM_DRAW_NOISE = 6,
    MDM_DRAW_SAMPLE = 7,       /* x_T of a sampler; sample = 0, the seed is the image's own */
    MDM_DRAW_SAMPLER = 8,      /* noise inside sampling steps; step = sampler step */
    MDM_DRAW_SPLIT = 9,        /* train / held-out split */
    MDM_DRAW_LABEL = 10,       /* label dropout */
    MDM_DRAW_USER = 11,        /* custom mask policies */
    MDM_DRAW_ROUTE = 12,       /* tokens that a training step takes through the routed blocks */
    MDM_DRAW_KNOWN = 13,       /* noise on the known pixels of a picture; step = steps done */
    MDM_DRAW_BACK = 14,        /* noise by which a sampler goes back; step = steps done */
    MDM_DRAW_FRACTION = 15,    /* which images of a data set are trained on */
    MDM_DRAW_STAGE = 16,       /* the seed of a stage of a run; sample = its number */
    MDM_DRAW_SOURCE = 18,      /* which of several sources is drawn from; step = round */
    MDM_DRAW_PATH = 20,        /* images that are trained without what comes from the deep blocks */
    MDM_DRAW_SUBSET = 24,      /* images that a metric is measured on; step = number of the subset */
    MDM_DRAW_WINDOW = 32,      /* augmentation, as flips: the part of an image that is cut out, */
    MDM_DRAW_SHIFT = 33,       /* its shift, */
    MDM_DRAW_TURN = 34,        /* its turn, */
    MDM_DRAW_COLOUR = 35       /* its colours */
};

struct mdm_rng {
    uint32_t key[2], counter[4]; /* counter[0] is the next block */
    uint32_t word[4];            /* the block being consumed */
    int left;                    /* unread words of it */
};

/* Raw function: ten rounds. Known answers of Random123 are in tests/unit/rng.c. */
void mdm_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

struct mdm_rng mdm_rng_make(uint64_t seed, enum mdm_purpose purpose, uint64_t sample, uint64_t step);
uint32_t mdm_rng_u32(struct mdm_rng *r);
uint32_t mdm_rng_range(struct mdm_rng *r, uint32_t limit);       /* uniform in [0, limit), no modulo bias */
/* `count` of the numbers 0 .. n-1, rising, every set of that size equally likely. */
void mdm_rng_choose(struct mdm_rng *r, int32_t *out, int64_t count, int64_t n);
double mdm_rng_uniform(struct mdm_rng *r);                       /* in [0, 1), 53 bits */

/* `count` standard normal deviates: element i depends on (stream, i) alone. Box-Muller over pairs with our own
 * log and sincospi, so that every machine draws the same bits. Ignores and does not move the stream's
 * position: it starts at block 0. `first` is the index of out[0], best a multiple of 4. */
void mdm_rng_normal(float *out, size_t count, const struct mdm_rng *stream, uint64_t first);

/* Element `i` < n of a pseudo-random permutation of 0..n-1, without storing it (a Feistel network over Philox
 * with cycle walking). */
uint64_t mdm_rng_permute(uint64_t seed, enum mdm_purpose purpose, uint64_t step, uint64_t i, uint64_t n);

#endif
