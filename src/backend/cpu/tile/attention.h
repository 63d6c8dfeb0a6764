/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of attention over tiles share: the job and its cut.
 *
 * Scores are held in base 2: q is packed times (D/h)^-1/2 log2(e), so that a weight is 2^(s - top).
 */
#ifndef MASKDM_BACKEND_CPU_TILE_ATTENTION_H
#define MASKDM_BACKEND_CPU_TILE_ATTENTION_H

#include "backend/cpu/attention.h"
#include "backend/cpu/tile/tile.h"

enum {
    MDM_ATTENTION_ROWS = 48,          /* queries of one tile of scores, forward */
    MDM_ATTENTION_KEYS = 128,         /* most keys of one tile of scores, forward */
    MDM_ATTENTION_BACK_ROWS = 96,     /* the same, backward */
    MDM_ATTENTION_BACK_KEYS = 96
};

#define MDM_LOG2E 1.44269504088896340736
#define MDM_LN2 0.69314718055994530942

struct mdm_attention_job {
    const struct mdm_tile *tile;
    const float *qkv, *dy;
    float *y, *lse, *dqkv;
    int64_t batch, n, heads, width, dim; /* B, N, h, D/h, D */
    float scale;                         /* (D/h)^-1/2 */
    int add;
    const atomic_int *cancel;
    int64_t keys, key_tiles;    /* keys of one tile, a multiple of tile columns, and tiles that cover N */
    int64_t rows, row_units;    /* forward: queries of one unit, and units that cover N */
    int64_t group, groups;      /* backward: key tiles of one unit, and units that cover key_tiles */
    int64_t head;               /* backward: the first head of this round */
    float *scratch, *partial;   /* per worker; dq of each unit of a round where groups > 1 */
    int64_t worker_floats, partial_floats;
};

/* One head of one image, as pointers to its first row. */
struct mdm_attention_head {
    const float *q, *k, *v, *dy;
    float *y, *lse, *dq, *dk, *dv;
};

static inline struct mdm_attention_head mdm_attention_head(const struct mdm_attention_job *j, int64_t index)
{
    const int64_t b = index / j->heads, column = index % j->heads * j->width;
    const int64_t at = b * j->n * 3 * j->dim + column, row = b * j->n * j->dim + column;
    struct mdm_attention_head h = {.q = j->qkv + at, .k = j->qkv + at + j->dim, .v = j->qkv + at + 2 * j->dim};

    h.y = j->y + row;
    if (j->lse)
        h.lse = j->lse + index * j->n;
    if (j->dqkv) {
        h.dy = j->dy + row;
        h.dq = j->dqkv + at;
        h.dk = h.dq + j->dim;
        h.dv = h.dk + j->dim;
    }
    return h;
}

void mdm_attention_forward_unit(void *arg, int64_t unit, int worker);
void mdm_attention_backward_unit(void *arg, int64_t unit, int worker);
int64_t mdm_attention_forward_floats(const struct mdm_attention_job *j);
int64_t mdm_attention_backward_floats(const struct mdm_attention_job *j);

#endif
