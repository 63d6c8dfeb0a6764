/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums over rows, in parts. The rows of an image, or all rows where there are no images, are cut into parts; a block
 * leaves the sums of its part in scratch, [image, part, sum, column], and a second kernel meets the parts of a column
 * in order and in double. How many parts there are depends on shapes alone: the same bits on every device.
 */
#ifndef MASKDM_BACKEND_CUDA_PARTS_CUH
#define MASKDM_BACKEND_CUDA_PARTS_CUH

#include "backend/cuda/kernel.cuh"

/* Four small blocks for each processor of a large device, and rows enough for each to be worth its part. */
enum { MDM_CUDA_PARTS = 528, MDM_CUDA_PART_ROWS = 16 };

struct mdm_cuda_parts {
    int64_t images, rows, each, strip; /* rows and parts of an image, rows of a part */
};

static inline struct mdm_cuda_parts mdm_cuda_cut(int64_t images, int64_t rows)
{
    struct mdm_cuda_parts p = {images, rows, MDM_CUDA_PARTS / images, 0};
    const int64_t most = mdm_cuda_pieces(rows, MDM_CUDA_PART_ROWS);

    p.each = p.each < 1 ? 1 : p.each < most ? p.each : most;
    p.strip = mdm_cuda_pieces(rows, p.each);
    p.each = mdm_cuda_pieces(rows, p.strip);
    return p;
}

/* Bytes of `sums` sums of d columns of every part. */
static inline size_t mdm_cuda_parts_bytes(const struct mdm_cuda_parts *p, int sums, int64_t d)
{
    return (size_t)(p->images * p->each * sums * d) * sizeof(float);
}

/* Rows [*from, *to) of part `part` of all. */
static __device__ __forceinline__ void mdm_part_rows(const struct mdm_cuda_parts &p, int64_t part, int64_t *from,
                                                     int64_t *to)
{
    const int64_t image = part / p.each, row = part % p.each * p.strip, left = p.rows - row;

    *from = image * p.rows + row;
    *to = *from + (left < p.strip ? left : p.strip);
}

/* dst[k][d] (+)= the parts' sum k, for k < 2; NULL: not wanted. factor: each part of sum 0 counts 1 + its image's row
 * of factor times, rows `width` apart; or NULL. */
struct mdm_cuda_meet {
    const float *part;
    struct mdm_cuda_parts parts;
    int64_t d;
    float *dst[2];
    int add[2], sums; /* that a part has */
    const void *factor;
    int64_t width;
};
int mdm_cuda_meet(struct mdm_cuda *d, enum mdm_dtype type, const struct mdm_cuda_meet *j);

/* Of each image's row dm[width], the d columns from column[k] on (+)= the image's parts of sum k, k < sums; sum 0
 * times w[d] where that is not NULL. Where nothing is added all others become zeros. */
struct mdm_cuda_meet_images {
    const float *part;
    struct mdm_cuda_parts parts;
    int64_t d, width, column[2];
    void *dm;
    const void *w;
    int add, sums;
};
int mdm_cuda_meet_images(struct mdm_cuda *d, enum mdm_dtype type, const struct mdm_cuda_meet_images *j);

/* Zeros. */
int mdm_cuda_clear(struct mdm_cuda *d, void *p, size_t bytes);
/* Zeros in the gradients of inputs first .. last that are wanted and not added; those of `floats` (bits) are float
 * whatever the program's type. */
int mdm_cuda_clear_gradients(struct mdm_cuda *d, const struct mdm_call *c, int first, int last, unsigned floats);
/* dst (+)= src, both of the type. */
int mdm_cuda_pass(struct mdm_cuda *d, enum mdm_dtype type, void *dst, int add, const void *src, int64_t n);

#endif
