/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who of the other ranks is still there. Rank 0 and every other rank tell each other so, from a thread of their own
 * where MPI has room for one, so that one that computes, or writes a file, for an hour is not taken to be gone. Of
 * ranks of the same machine the kernel knows it at once. Whoever leaves, or gives up, says so.
 *
 * MPI is called under one lock, since more than MPI_THREAD_SERIALIZED is not asked for.
 */
#ifndef MASKDM_COMM_MPI_WATCH_H
#define MASKDM_COMM_MPI_WATCH_H

#include "comm/carrier.h"
#include "comm/mpi/whereabouts.h"

#include <mpi.h>
#include <pthread.h>
#include <stdint.h>

/* What ranks say, over a communicator on which nothing else goes. */
enum mdm_pulse_kind { MDM_PULSE_HERE, MDM_PULSE_LEAVES, MDM_PULSE_LOST };
struct mdm_pulse {
    int32_t kind, rank; /* of LOST: who is missed */
    int64_t exchanges;  /* of LEAVES: in how many it took part */
};

struct mdm_peer {
    struct mdm_whereabouts at;
    double heard;
    int64_t left; /* the exchanges that it took part in before it left, or -1 */
    MPI_Request sent, told;
};

enum mdm_loss_of_rank { MDM_RANK_ENDED, MDM_RANK_SILENT, MDM_RANK_MISSED };

struct mdm_watch {
    const struct mdm_comm_host *host;
    MPI_Comm comm;
    int rank, size;
    double patience, every; /* seconds: of silence, between pulses */
    double last, looked;    /* when the last pulse went out, and processes were looked at */
    struct mdm_peer *peer;
    struct mdm_pulse here, notice;
    int lost; /* a rank, or -1 */
    enum mdm_loss_of_rank how;
    int noticed;          /* `notice` is under way */
    pthread_mutex_t lock; /* of MPI, and of all of this */
    pthread_t thread;
    int running, end;
};

/* Collective. threads: whether MPI may be called from a thread of ours. */
int mdm_watch_begin(struct mdm_watch *w, const struct mdm_comm_host *host, MPI_Comm comm, double patience,
                    int threads);
/* With the lock held: hear, tell, look. */
void mdm_watch_look(struct mdm_watch *w);
/* Tell those who listen, once: that this process leaves behind so many exchanges, or whom it misses. */
void mdm_watch_tell(struct mdm_watch *w, enum mdm_pulse_kind kind, int rank, int64_t exchanges);
/* Why exchange number `k` will not come to an end: MASKDM_EDEVICE with a line, and the rank in *lost; or MASKDM_OK.
 */
int mdm_watch_judge(struct mdm_watch *w, int64_t k, int *lost);
void mdm_watch_end(struct mdm_watch *w);

/* Seconds on a clock that nobody sets. */
double mdm_watch_clock(void);

#endif
