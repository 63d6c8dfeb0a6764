/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A step that several processes make together. It has `accumulate` parts, whoever computes them: each rank has its
 * share of them, one behind the other, and an image has the same number, and so the same draws, in whichever rank it
 * is.
 *
 * The gradient of a step is the sum of its parts' by halves: that of the parts of the first half plus that of the
 * second. Where the ranks are a power of two, each has a whole branch of that tree, so that 1, 2 and 4 of them come
 * to the same bits. (A trainer without a communicator adds each part to what is there, which products of long sums do
 * piece by piece: other bits.) From there on every rank does the same: norm, clipping and update.
 */
#ifndef MASKDM_TRAIN_RANKS_H
#define MASKDM_TRAIN_RANKS_H

#include "comm/comm.h"
#include "data/data.h"
#include "train/exchange.h"

enum { MDM_RANKS_DEPTH = 32 };

struct maskdm_trainer;

struct mdm_ranks {
    maskdm_comm *comm; /* NULL: this process is alone */
    float
        *block[MDM_RANKS_DEPTH]; /* device memory: sums that wait for the other half's; the first is the trainer's */
    int depth;
    struct mdm_exchange exchange;
    double *losses; /* of all parts of a step */
    int64_t parts;  /* of this rank */
    int64_t first;
    const maskdm_data *met; /* of which it is known that all have the same; NULL: nothing is */
    int stop;               /* all have agreed to end behind this step */
};

/* Between two steps; NULL: alone again. MASKDM_EINVAL where the parts of a step do not go round. */
int mdm_ranks_set(struct maskdm_trainer *tr, maskdm_comm *comm);
void mdm_ranks_free(struct maskdm_trainer *tr);
/* Whether the host, or one of them, wants to stop: as mdm_control_check(), and the same in all ranks. */
int mdm_ranks_check(struct maskdm_trainer *tr, const char *what);
/* Draw, forward, backward and update; what was wrong before that goes in as `status` and comes out in all ranks. The
 * loss is that of the step. */
int mdm_ranks_step(struct maskdm_trainer *tr, maskdm_data *data, int status, double *loss);

/* ---- ranks_same.c ---- */
/* Collective: whether all have the same network, options, data, place in the run, and weights. */
int mdm_ranks_compare(struct maskdm_trainer *tr, const maskdm_data *data);
/* Every option that counts, a line "WHAT NAME VALUE" each. */
void mdm_ranks_list(struct mdm_text *lines, const char *what, const maskdm_options *o);

#endif
