/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What kernels ask of the emulator: who they are, shared memory, and what threads of a block or of a warp do
 * together. All that is collective notes from where in the source it was called: a block whose threads meet at
 * different places, or not all of which come, ends the process with a line that says so.
 *
 * The functions from mdm_emulated_mma_bf16() on stand for PTX; who writes that calls them under MDM_CUDA_EMULATED.
 */
#ifndef MASKDM_TESTS_CUDA_EMULATED_H
#define MASKDM_TESTS_CUDA_EMULATED_H

#include "mdm_vectors.h"

#include <string.h>

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
enum { warpSize = 32 };

struct mdm_site {
    const char *file;
    int line;
};
#define MDM_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

/* The dynamic shared memory of this launch. */
void *mdm_emulated_shared(void);

/* All threads of the block that have not ended. Returns how many of them gave a predicate that is not 0. */
int mdm_emulated_barrier(int predicate, mdm_site site);

/* The lanes of `mask`: each puts up to MDM_MOST_PUT bytes on the table and sees, until its next such call, what the
 * others put: lane i's at [i]. Lanes that no thread has put NaN. `last`, if any, is called once before they go on, on
 * what was put; it may write there. */
enum { MDM_MOST_PUT = 64 };
struct mdm_put {
    alignas(16) unsigned char byte[MDM_MOST_PUT];
};
mdm_put *mdm_emulated_exchange(unsigned mask, const void *put, size_t bytes, mdm_site site,
                               void (*last)(mdm_put *) = nullptr);
unsigned mdm_emulated_lane(void);

static inline void __syncthreads(MDM_SITE)
{
    mdm_emulated_barrier(0, {file, line});
}

static inline int __syncthreads_count(int predicate, MDM_SITE)
{
    return mdm_emulated_barrier(predicate, {file, line});
}

static inline int __syncthreads_or(int predicate, MDM_SITE)
{
    return mdm_emulated_barrier(predicate, {file, line}) != 0;
}

static inline int __syncthreads_and(int predicate, MDM_SITE)
{
    return mdm_emulated_barrier(!predicate, {file, line}) == 0;
}

static inline void __syncwarp(unsigned mask = 0xffffffffu, MDM_SITE)
{
    mdm_emulated_exchange(mask, nullptr, 0, {file, line});
}

/* Lane `from` of the same group of `width` lanes, or the own value where `inside` is 0. */
template <class T> static inline T mdm_emulated_shuffle(unsigned mask, T v, unsigned from, mdm_site site)
{
    T out;

    static_assert(sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 2, "shuffles are of 2, 4 or 8 bytes");
    memcpy(&out, mdm_emulated_exchange(mask, &v, sizeof v, site)[from % warpSize].byte, sizeof v);
    return out;
}

template <class T> static inline T __shfl_sync(unsigned mask, T v, int lane, int width = warpSize, MDM_SITE)
{
    const unsigned me = mdm_emulated_lane();

    return mdm_emulated_shuffle(mask, v, (me & ~(unsigned)(width - 1)) + ((unsigned)lane & (unsigned)(width - 1)),
                                {file, line});
}

template <class T> static inline T __shfl_xor_sync(unsigned mask, T v, int x, int width = warpSize, MDM_SITE)
{
    const unsigned me = mdm_emulated_lane(), from = me ^ (unsigned)x;

    return mdm_emulated_shuffle(mask, v, from / (unsigned)width <= me / (unsigned)width ? from : me, {file, line});
}

template <class T> static inline T __shfl_up_sync(unsigned mask, T v, unsigned by, int width = warpSize, MDM_SITE)
{
    const unsigned me = mdm_emulated_lane();

    return mdm_emulated_shuffle(mask, v, me % (unsigned)width >= by ? me - by : me, {file, line});
}

template <class T> static inline T __shfl_down_sync(unsigned mask, T v, unsigned by, int width = warpSize, MDM_SITE)
{
    const unsigned me = mdm_emulated_lane();

    return mdm_emulated_shuffle(mask, v, me % (unsigned)width + by < (unsigned)width ? me + by : me, {file, line});
}

static inline unsigned __ballot_sync(unsigned mask, int predicate, MDM_SITE)
{
    const int set = predicate != 0;
    const mdm_put *put = mdm_emulated_exchange(mask, &set, sizeof set, {file, line});
    unsigned out = 0;

    for (unsigned i = 0; i < warpSize; i++)
        if (mask >> i & 1)
            out |= (unsigned)(put[i].byte[0] == 1) << i;
    return out;
}

static inline int __any_sync(unsigned mask, int predicate, MDM_SITE)
{
    return __ballot_sync(mask, predicate, file, line) != 0;
}

static inline int __all_sync(unsigned mask, int predicate, MDM_SITE)
{
    return __ballot_sync(mask, !predicate, file, line) == 0;
}

/* ---- what PTX has ---- */

/* mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32: d += a b, fragments as PTX lays them out. */
void mdm_emulated_mma_bf16(float d[4], const unsigned a[4], const unsigned b[2], MDM_SITE);
/* mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32: the low 13 bits of a and b are not looked at. */
void mdm_emulated_mma_tf32(float d[4], const unsigned a[4], const unsigned b[2], MDM_SITE);
/* ldmatrix.sync.aligned.m8n8.x{1,2,4}[.trans].shared.b16: lane i gives the address of row i % 8 of matrix i / 8. */
void mdm_emulated_ldmatrix(unsigned *out, int count, int trans, const void *row, MDM_SITE);
/* cvt.rna.tf32.f32 */
unsigned mdm_emulated_tf32(float x);

/* cp.async.{ca,cg}.shared.global: `bytes` of 4, 8, 16, of which those from `read` on become zeros. What is copied
 * comes when it is waited for and no sooner, so that a wait that is missing shows. */
void mdm_emulated_copy_async(void *shared, const void *global, int bytes, int read);
void mdm_emulated_copy_commit(void);     /* cp.async.commit_group */
void mdm_emulated_copy_wait(int groups); /* cp.async.wait_group: all but the last `groups` of this thread */
void mdm_emulated_copy_wait_all(void);   /* cp.async.wait_all */

/* mbarrier.init, .arrive and .try_wait.parity until it is true. */
void mdm_emulated_gate_make(void *gate, int count);
void mdm_emulated_gate_arrive(void *gate);
void mdm_emulated_gate_wait(void *gate, int odd, MDM_SITE);

#endif
