/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory, and who may touch the stream. Whoever has the turn queues work as it likes; other threads bring and fetch
 * data meanwhile, each call under a lock that no list of calls is noted under.
 */
#ifndef MASKDM_BACKEND_CUDA_MEMORY_CUH
#define MASKDM_BACKEND_CUDA_MEMORY_CUH

#include "backend/cuda/current.cuh"

#include <pthread.h>

/* A piece of a transfer in pinned memory of the host; free again when it has crossed the bus. */
enum { MDM_CUDA_PIECE = 4 << 20 };
struct mdm_cuda_piece {
    unsigned char *host;
    cudaEvent_t crossed;
};

/* What has crossed, in memory of the device; free again when it was put where it belongs. Grows to what it is asked
 * for, up to MDM_CUDA_STAGE: together as much as a large batch, which then need not wait for the one before. */
enum { MDM_CUDA_STAGE = 64 << 20 };
struct mdm_cuda_stage {
    unsigned char *device;
    size_t bytes;
    cudaEvent_t put;
};

/* A way over the bus with a stream of its own. One belongs to whoever has the turn, the other to all other threads,
 * one at a time. Made when it is first needed. */
enum { MDM_CUDA_PIECES = 3, MDM_CUDA_STAGES = 2 };
struct mdm_cuda_lane {
    int ready, waits; /* waits: until data has crossed, before the main stream hears of it */
    unsigned next_piece, next_stage;
    cudaStream_t stream;
    cudaEvent_t asked; /* by a download: all that was queued before it */
    struct mdm_cuda_piece piece[MDM_CUDA_PIECES];
    struct mdm_cuda_stage stage[MDM_CUDA_STAGES];
};

/* What is small goes through pinned memory straight into the main stream. A segment is written again when what it was
 * read by is done, which its event tells. Of these too there is one for the turn and one for all others. */
enum { MDM_CUDA_SEGMENTS = 8 };
enum { MDM_CUDA_SMALL = 512 << 10 };
struct mdm_cuda_ring {
    int ready;
    unsigned char *host; /* MDM_CUDA_SEGMENTS of them, and one to fetch into */
    cudaEvent_t read[MDM_CUDA_SEGMENTS];
    int segment;
    size_t used; /* bytes of it */
};

/* What is taken later, in pinned memory of the host, and when it is there. */
struct mdm_cuda_late {
    unsigned char *host;
    size_t room;
    cudaEvent_t there;
};

struct mdm_cuda_memory {
    long process;
    pthread_mutex_t stream;     /* see mdm_cuda_lock() */
    pthread_mutex_t lane, ring; /* of all others; taken before that of the stream */
    const void *turn;           /* the thread that has it, as its own address here says; NULL: none */
    int depth;                  /* how often that thread has entered */
    int pushed;
    const void *noting; /* the thread that notes a list of calls */
    struct mdm_cuda_lane my_lane, their_lane;
    struct mdm_cuda_ring my_ring, their_ring;
    struct mdm_cuda_late late;
    struct {
        void *memory;
        size_t bytes;
    } scratch[MDM_CUDA_SLOTS];
};

/* ---- memory.cu ---- */

int mdm_cuda_is_here(const struct mdm_cuda *d); /* not in a forked process */
void mdm_cuda_enter(struct mdm_backend *b);
void mdm_cuda_leave(struct mdm_backend *b);
int mdm_cuda_is_mine(const struct mdm_cuda *d); /* the turn */
/* Around what another thread than that of the turn queues in the main stream, or does to the device; nothing to
 * whoever has the turn or notes. 1 where there is something to unlock. */
int mdm_cuda_lock(struct mdm_cuda *d);
void mdm_cuda_unlock(struct mdm_cuda *d, int locked);
void mdm_cuda_note_begin(struct mdm_cuda *d);
void mdm_cuda_note_end(struct mdm_cuda *d);

/* MASKDM_ENOMEM with what, wanted and left. */
int mdm_cuda_no_room(struct mdm_cuda *d, size_t bytes, const char *what);
int mdm_cuda_take(struct mdm_cuda *d, void **out, size_t bytes, const char *what);
int mdm_cuda_take_pinned(struct mdm_cuda *d, void **out, size_t bytes);    /* of the host */
int mdm_cuda_make_event(struct mdm_cuda *d, cudaEvent_t *out, int sleeps); /* sleeps: who waits for it */

/* ---- lane.cu ---- */

void mdm_cuda_lane_close(struct mdm_cuda_lane *l);
int mdm_cuda_lane_upload(struct mdm_cuda *d, struct mdm_cuda_lane *l, void *device, const void *host, size_t bytes);
int mdm_cuda_lane_download(struct mdm_cuda *d, struct mdm_cuda_lane *l, void *host, const void *device, size_t bytes);

/* ---- ring.cu ---- */

void mdm_cuda_ring_close(struct mdm_cuda_ring *r);
int mdm_cuda_ring_upload(struct mdm_cuda *d, struct mdm_cuda_ring *r, void *device, const void *host, size_t bytes);
int mdm_cuda_ring_download(struct mdm_cuda *d, struct mdm_cuda_ring *r, void *host, const void *device, size_t bytes);

/* ---- late.cu ---- */

void mdm_cuda_late_close(struct mdm_cuda_late *l);

#endif
