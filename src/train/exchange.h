/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sums of a step's gradients over the ranks, which a thread makes beside the backward pass of the last part: a
 * piece of the block is on its way as soon as no operation that is left adds to it. Which pieces there are, and their
 * order, follow from network and layout alone, so that all ranks exchange the same ones; and whoever begins takes
 * part in all of them, whatever becomes of its own pass, since the others wait for it.
 */
#ifndef MASKDM_TRAIN_EXCHANGE_H
#define MASKDM_TRAIN_EXCHANGE_H

#include "comm/comm.h"
#include "model/program.h"
#include "os/thread.h"

struct mdm_exchange_piece {
    size_t from, count; /* elements of a block */
    int node;           /* the operation whose backward is the last to add to it */
};

struct mdm_exchange {
    maskdm_comm *comm; /* borrowed */
    maskdm_device *device;
    struct mdm_exchange_piece *piece; /* in the order of their end */
    int pieces;
    int *final;              /* of each parameter, as a piece's node */
    float *staged, *other;   /* host memory: a piece on its way, and what is added to it */
    float *const *block;     /* sums that wait for the last part, the first of which takes the result ... */
    int depth;               /* ... so many, with the last part's own behind them */
    struct mdm_program *program; /* whose pass is watched; NULL: none is */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int ready; /* pieces, from the first one on, that nobody adds to any more */
    int early; /* as many were, at the last step, before the pass was over */
    int begun, running;
    struct mdm_failure failure; /* of the thread */
};

/* Memory for the exchanges of that layout; mdm_exchange_free() also where this fails. */
int mdm_exchange_take(struct mdm_exchange *x, maskdm_comm *comm, maskdm_device *device,
                      const struct mdm_params *layout, float *const *block, int depth);
void mdm_exchange_free(struct mdm_exchange *x);
/* Before the program's backward pass. Until the end the blocks belong to both. */
void mdm_exchange_begin(struct mdm_exchange *x, struct mdm_program *program);
/* When the pass is over, however: waits until all is exchanged. Nothing where nothing was begun. */
void mdm_exchange_end(struct mdm_exchange *x);
/* Then: what became of it. */
int mdm_exchange_status(const struct mdm_exchange *x);

#endif
