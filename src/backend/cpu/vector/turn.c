/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pairs of neighbours turned by their angles, half a vector of pairs at a time.
 */
#include "backend/cpu/vector/rows.h"

#include <string.h>

enum { PAIRS = MDM_LANES / 2 };

static inline void turn_pairs(float *y, const float *x, const float *c, const float *s, mdm_vec way)
{
    mdm_v_store(y, mdm_v_turn(mdm_v_load(x), mdm_v_twice(c), way * mdm_v_twice(s)));
}

void SET(mdm_turn)(float *y, const float *x, const float *c, const float *s, float way, int64_t n)
{
    float pairs[MDM_LANES] = {0}, cosine[PAIRS] = {0}, sine[PAIRS] = {0};
    int64_t i = 0;

    for (; i + PAIRS <= n; i += PAIRS)
        turn_pairs(y + 2 * i, x + 2 * i, c + i, s + i, mdm_v_set(way));
    if (i < n) {
        const size_t rest = (size_t)(n - i) * sizeof(float);

        memcpy(pairs, x + 2 * i, 2 * rest);
        memcpy(cosine, c + i, rest);
        memcpy(sine, s + i, rest);
        turn_pairs(pairs, pairs, cosine, sine, mdm_v_set(way));
        memcpy(y + 2 * i, pairs, 2 * rest);
    }
}
