/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the AVX2 attention share: the job, its tiles, and how tiles are packed.
 *
 * Scores are held in base 2: q is packed times (D/h)^-1/2 log2(e), so that a weight is 2^(s - top).
 */
#ifndef MASKDM_BACKEND_CPU_AVX2_ATTENTION_H
#define MASKDM_BACKEND_CPU_AVX2_ATTENTION_H

#include "backend/cpu/attention.h"

enum {
    MASKDM_ATTENTION_ROWS = 48,       /* queries of one tile of scores, forward */
    MASKDM_ATTENTION_KEYS = 128,      /* most keys of one tile of scores, forward */
    MASKDM_ATTENTION_BACK_ROWS = 96,  /* the same, backward */
    MASKDM_ATTENTION_BACK_KEYS = 96
};

#define MASKDM_LOG2E 1.44269504088896340736
#define MASKDM_LN2 0.69314718055994530942

struct maskdm_attention_job {
    const float *qkv, *dy;
    float *y, *lse, *dqkv;
    int64_t batch, n, heads, width, dim; /* B, N, h, D/h, D */
    float scale;                         /* (D/h)^-1/2 */
    int add;
    const atomic_int *cancel;
    int64_t keys, key_tiles;    /* keys of one tile, a multiple of 16, and tiles that cover N */
    int64_t rows, row_units;    /* forward: queries of one unit, and units that cover N */
    int64_t group, groups;      /* backward: key tiles of one unit, and units that cover key_tiles */
    int64_t head;               /* backward: the first head of this round */
    float *scratch, *partial;   /* per worker; dq of each unit of a round where groups > 1 */
    int64_t worker_floats, partial_floats;
};

/* One head of one image, as pointers to its first row. */
struct maskdm_attention_head {
    const float *q, *k, *v, *dy;
    float *y, *lse, *dq, *dk, *dv;
};

struct maskdm_attention_head maskdm_attention_head(const struct maskdm_attention_job *j, int64_t index);

void maskdm_attention_forward_unit(void *arg, int64_t unit, int worker);
void maskdm_attention_backward_unit(void *arg, int64_t unit, int worker);
int64_t maskdm_attention_forward_floats(const struct maskdm_attention_job *j);
int64_t maskdm_attention_backward_floats(const struct maskdm_attention_job *j);

/* Copies of rows of `width` floats, `stride` apart: as rows without gaps, times `factor`; and transposed, in
 * panels of 16 rows, `panel` floats apart, missing rows up to a multiple of 8 being zero. width is a multiple of
 * 8. */
void maskdm_pack_rows(float *out, const float *x, int64_t stride, int64_t rows, int64_t width, float factor);
void maskdm_pack_transposed(float *out, int64_t panel, const float *x, int64_t stride, int64_t rows,
                            int64_t width);

static inline int64_t maskdm_round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

static inline int64_t maskdm_lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next n floats of a block, from a line of the cache on. */
static inline float *maskdm_take(float *block, int64_t *used, int64_t n)
{
    float *at = block ? block + *used : NULL;

    *used += maskdm_round_up(n, 16);
    return at;
}

#endif
